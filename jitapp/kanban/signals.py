"""What an emptied, opened or drawn container asks for, and when the signal goes out.

release = UNRELEASED -> [ACCUMULATING] -> [PENDING_DOC] -> RELEASED (domain 4.5); each bracketed stage is a state of
the turn with an owner and a clock.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from jitapp.kanban.conditions import WITHHELD, longest_full, usable
from jitapp.kanban.duedates import due_at
from jitapp.kanban.events.cards import CardAuthorised, CardOpened, CardRemoved, CardSurplus, CardWaits
from jitapp.kanban.events.loops import DemandSuppressed
from jitapp.kanban.events.turns import TurnFailed, TurnOpened, TurnRecalled, TurnRecovered, TurnReleased
from jitapp.kanban.kinds import used_in_pieces
from jitapp.kanban.ledger import Ledger, NewUuid
from jitapp.kanban.state import AT_HAND, ZERO, Card, Loop, Turn, exact
from jitapp.kanban.vocabulary import (
    Accumulate,
    CardStatus,
    DocPolicy,
    LoopStatus,
    SignalState,
    SupplyStatus,
    Trigger,
)

S = SupplyStatus
# What `signal` returns for a card that goes out with its container empty: into the red box.
GOES_OUT = frozenset({"emptied_surplus", "emptied_last"})


def release(
    ledger: Ledger,
    card: Card,
    uuid: UUID,
    *,
    why: str = "",
    batch: UUID | None = None,
    asked: Decimal | None = None,
    urgent: bool = False,
) -> Turn:
    """Sends a card's signal upstream; opens its turn first if none is open. `why` names an early release.

    `asked` is the loop's quantity unless an order names its own. `urgent` is served before what came earlier.
    """
    opens = card.turn is None
    turn = card.turn or _next(ledger, card, uuid, asked)
    authorise(ledger, card)
    ledger.write(
        TurnReleased(
            due_at=due_at(ledger.loop.config, ledger.at),
            opens=opens,
            asked=exact(turn.asked) if opens else None,
            why=why,
            urgent=urgent,
            batch=batch,
        ),
        card,
        turn=turn,
    )
    assert card.turn is not None
    return card.turn


def authorise(ledger: Ledger, card: Card) -> None:
    """A card that waits is EMPTY again: its signal goes out now, or will."""
    if card.supply_status is S.WAIT:
        ledger.write(CardAuthorised(), card, to=S.EMPTY)


def dispatch(
    ledger: Ledger,
    card: Card,
    uuid: UUID,
    *,
    why: str = "",
    batch: UUID | None = None,
    urgent: bool = False,
) -> str:
    """Releases, or asks the ERP for its document first; returns the code for the person who emptied the card."""
    config = ledger.loop.config
    turn = card.turn
    authorise(ledger, card)
    if config.doc_policy is DocPolicy.WAIT_FOR_DOC_NUMBER and not (turn and turn.document):
        _open(ledger, card, uuid, SignalState.PENDING_DOC, batch=batch)
        return "emptied_pending_doc"
    release(ledger, card, uuid, why=why, batch=batch, urgent=urgent)
    return "emptied"


def signal(ledger: Ledger, card: Card, new_uuid: NewUuid, *, begins: bool = False) -> str:
    """What an emptied card asks for: one turn (rule C8), in the state that the loop's settings say.

    Where there are too many cards, one goes out when its container was emptied; not one that `begins`, newly
    activated or found again, with a container that nobody has emptied.
    """
    loop = ledger.loop
    config = loop.config
    if card.turn is not None:
        return "emptied_under_way"
    if config.trigger is Trigger.ON_QTY:
        below(ledger, new_uuid)
        return "emptied" if _asked(card) else "emptied_enough"
    if card.turns_left == 0:
        ledger.write(CardRemoved(note="its last turn is done"), card)
        return "emptied_last"
    if loop.surplus_due and card.card_status is CardStatus.IN_CIRCULATION and not begins:
        ledger.write(CardSurplus(), card)
        return "emptied_surplus"
    if config.status is not LoopStatus.ACTIVE or card.card_status is not CardStatus.IN_CIRCULATION:
        _open(ledger, card, new_uuid(), SignalState.UNRELEASED)
        ledger.write(DemandSuppressed(), card, turn=card.turn)
        return "emptied_on_hold"
    if waits_by_rule(loop):
        wait(ledger, card, new_uuid)
        if config.trigger is Trigger.ON_SIBLING_WAIT:
            _release_waiting(ledger, card, new_uuid)
        return "emptied_waits"
    if config.accumulate is not Accumulate.NONE:
        _open(ledger, card, new_uuid(), SignalState.ACCUMULATING)
        gather(ledger, new_uuid)
        if _asked(card):
            return "emptied"
        return "emptied_until" if config.accumulate is Accumulate.CLOCK else "emptied_gathers"
    return dispatch(ledger, card, new_uuid())


def wait(ledger: Ledger, card: Card, new_uuid: NewUuid) -> str:
    """The card waits, its turn open and its signal withheld, until it is released. A card whose last turn is done has
    none to open: it goes out. Returns the code for either."""
    if card.turn is None and card.turns_left == 0:
        ledger.write(CardRemoved(note="its last turn is done"), card)
        return "emptied_last"
    if card.turn is None:
        _open(ledger, card, new_uuid(), SignalState.UNRELEASED)
    ledger.write(CardWaits(), card, to=S.WAIT)
    return "emptied_waits"


def withhold(ledger: Ledger, card: Card) -> None:
    """The signal of an open turn is taken back before anybody has acted on it; the empty card waits (4.2 row 7)."""
    to = S.WAIT if card.supply_status is S.EMPTY else card.supply_status
    ledger.write(TurnRecalled(withheld=True), card, turn=card.turn, to=to)


def call_back(ledger: Ledger, card: Card, *, gathered: bool) -> None:
    """Takes back a signal that another card's scan sent, with that scan: `gathered` for a batch, it is gathered again;
    else its card waits again."""
    config = ledger.loop.config
    if not gathered or config.accumulate is Accumulate.NONE:
        withhold(ledger, card)
        return
    turn = card.turn
    assert turn is not None
    ledger.write(TurnRecalled(withheld=True), card, turn=turn)
    if config.status is LoopStatus.ACTIVE:  # on hold, it is gathered when the hold ends
        _open(ledger, card, turn.uuid, SignalState.ACCUMULATING)


def _asked(card: Card) -> bool:
    """Whether the card's signal has gone upstream."""
    return card.turn is not None and card.turn.signal_state not in WITHHELD


def accumulating(loop: Loop) -> list[Card]:
    """The cards whose signals are being gathered, the oldest first."""
    found = [
        (card.turn.opened_at, card.number, card)
        for card in loop.cards.values()
        if card.card_status is CardStatus.IN_CIRCULATION
        and card.turn is not None
        and not card.turn.failed
        and card.turn.signal_state is SignalState.ACCUMULATING
    ]
    return [card for *_, card in sorted(found, key=lambda each: each[:2])] if found else []


def gather(ledger: Ledger, new_uuid: NewUuid, *, why: str = "") -> list[Card]:
    """Releases the gathered batch together if it is complete, or for the reason given; returns its cards.

    CARDS: so many cards. QUANTITY: so many pieces; with a triangle, as soon as no more than its quantity is left,
    unless a lot is on its way (planning: signal kanban). CLOCK: only for a reason (the time has come). Nothing leaves a
    loop that is not ACTIVE.
    """
    loop = ledger.loop
    config = loop.config
    if config.status is not LoopStatus.ACTIVE:
        return []
    cards = accumulating(loop)
    if not cards:
        return []
    complete = {
        Accumulate.CARDS: len(cards) >= (config.accumulate_cards or 1),
        Accumulate.QUANTITY: gathered(loop) >= (config.lot_quantity or ZERO) or _triangle_met(loop),
    }.get(config.accumulate, False)
    if not complete and not why:
        return []
    batch = new_uuid()
    for card in cards:
        dispatch(ledger, card, new_uuid(), why=why, batch=batch)
    return cards


def gathered(loop: Loop) -> Decimal:
    """The pieces that the gathered signals ask for."""
    return sum((card.turn.asked for card in accumulating(loop) if card.turn), ZERO)


def _triangle_met(loop: Loop) -> bool:
    triangle = loop.config.triangle_quantity
    if triangle is None or any(_on_its_way(card) for card in loop.cards.values()):
        return False
    left = sum((card.contents for card in loop.cards.values() if usable(card)), ZERO)
    return left <= triangle


def _on_its_way(card: Card) -> bool:
    """Whether the card belongs to a lot that was asked for and has not come in."""
    return card.turn is not None and card.turn.batch is not None and card.turn.signal_state not in WITHHELD


def finish(ledger: Ledger, new_uuid: NewUuid) -> None:
    """The end of every transaction on a loop: its runout opens or closes, and a dry loop waits for no batch."""
    ledger.settle_runout()
    if accumulating(ledger.loop):
        gather(ledger, new_uuid, why="runout" if ledger.loop.runout is not None else "")


def fail(ledger: Ledger, card: Card, reason: str) -> None:
    """G13: what the open turn needs beside the floor failed for good. Pieces that are left may still be used."""
    to = card.supply_status if card.supply_status in AT_HAND else S.ERROR
    ledger.write(TurnFailed(reason=reason), card, turn=card.turn, to=to)


def recover(ledger: Ledger, card: Card, *, why: str = "") -> None:
    """The turn goes on from where it stood before it failed."""
    turn = card.turn
    assert turn is not None
    active = ledger.loop.config.status is LoopStatus.ACTIVE  # on hold, a withheld signal goes out by itself
    stood = S.WAIT if turn.signal_state is SignalState.UNRELEASED and active else turn.place
    to = stood if card.supply_status is S.ERROR else card.supply_status
    ledger.write(TurnRecovered(why=why), card, turn=turn, to=to)


def resume(ledger: Ledger, new_uuid: NewUuid) -> None:
    """Sends the signals that a hold withheld, now that the loop is ACTIVE; cards that WAIT do so until released."""
    loop = ledger.loop
    config = loop.config
    if config.status is not LoopStatus.ACTIVE:
        return
    for card in list(loop.cards.values()):
        turn = card.turn
        if turn is None or turn.failed or card.card_status is not CardStatus.IN_CIRCULATION:
            continue
        if documented(turn):
            dispatch(ledger, card, new_uuid(), why="resumed", batch=turn.batch)
            continue
        waits = card.supply_status is S.WAIT or waits_by_rule(loop)
        if turn.signal_state is not SignalState.UNRELEASED or waits:
            continue
        if config.accumulate is Accumulate.NONE:
            dispatch(ledger, card, new_uuid(), why="resumed")
        else:
            _open(ledger, card, new_uuid(), SignalState.ACCUMULATING)
    if not waits_by_rule(loop):
        gather(ledger, new_uuid)


def documented(turn: Turn) -> bool:
    """Whether the turn waits although the ERP has given its number: the card or the loop was held meanwhile."""
    return turn.signal_state is SignalState.PENDING_DOC and bool(turn.document)


def waits_by_rule(loop: Loop) -> bool:
    """Whether an emptied card of the loop waits until somebody or something else releases it."""
    config = loop.config
    return config.independent_supply or config.trigger in (Trigger.ON_SIBLING_IN_USE, Trigger.ON_SIBLING_WAIT)


def open_sibling(ledger: Ledger, emptied: Card, new_uuid: NewUuid) -> None:
    """When a bin is emptied, the longest-full sibling counts as opened unless one is open already (4.1 row 1)."""
    loop = ledger.loop
    if not used_in_pieces(loop.config):
        return  # a container of one piece is never "in use": it is full or empty
    siblings = [card for card in loop.siblings(emptied) if usable(card)]
    if not siblings or any(card.supply_status is S.IN_USE for card in siblings):
        return
    longest = min(siblings, key=lambda card: longest_full(card, ledger.at))
    ledger.write(CardOpened(), longest, to=S.IN_USE)
    opened(ledger, longest, new_uuid)


def opened(ledger: Ledger, card: Card, new_uuid: NewUuid) -> None:
    """The early triggers: the first piece taken asks for the refill, or releases the sibling that waits."""
    config = ledger.loop.config
    if config.status is not LoopStatus.ACTIVE or card.card_status is not CardStatus.IN_CIRCULATION:
        return
    if config.trigger is Trigger.ON_IN_USE and card.turn is None:
        release(ledger, card, new_uuid(), why="first piece")
    elif config.trigger is Trigger.ON_SIBLING_IN_USE:
        _release_waiting(ledger, card, new_uuid)


def _release_waiting(ledger: Ledger, but: Card, new_uuid: NewUuid) -> None:
    for sibling in ledger.loop.siblings(but):
        turn = sibling.turn
        if sibling.card_status is not CardStatus.IN_CIRCULATION or turn is None or turn.failed:
            continue
        if sibling.out_of_stock:
            continue  # it waits for the supermarket, not for its sibling
        if turn.signal_state is SignalState.UNRELEASED:
            dispatch(ledger, sibling, new_uuid(), why="sibling")


def stock(loop: Loop) -> Decimal:
    """Pieces that are free to use at the demand source."""
    circulating = (card for card in loop.cards.values() if card.card_status is CardStatus.IN_CIRCULATION)
    return sum((card.free for card in circulating if not card.blocked), ZERO)


def below(ledger: Ledger, new_uuid: NewUuid) -> bool:
    """The quantity signal: stock strictly below the level asks once until that order has come in.

    However often it is computed, one crossing is one signal: while a turn is open nothing is asked again.
    """
    loop = ledger.loop
    config = loop.config
    if config.trigger is not Trigger.ON_QTY or config.reorder_level is None:
        return False
    if config.status is not LoopStatus.ACTIVE or not stock(loop) < config.reorder_level:
        return False
    circulating = [card for card in loop.cards.values() if card.card_status is CardStatus.IN_CIRCULATION]
    if not circulating or any(card.turn is not None for card in circulating):
        return False
    emptiest = min(circulating, key=lambda card: (card.contents, card.number))
    dispatch(ledger, emptiest, new_uuid(), why="below the level")
    return True


def _next(ledger: Ledger, card: Card, uuid: UUID, asked: Decimal | None = None) -> Turn:
    return Turn(uuid, card.turn_number + 1, asked or ledger.loop.config.quantity, ledger.at)


def _open(ledger: Ledger, card: Card, uuid: UUID, state: SignalState, *, batch: UUID | None = None) -> None:
    """Opens a turn whose signal is withheld, or moves an open one to another withheld state."""
    opens = card.turn is None
    turn = card.turn or _next(ledger, card, uuid)
    asked = exact(turn.asked) if opens else None
    ledger.write(TurnOpened(state=state, opens=opens, asked=asked, batch=batch), card, turn=turn)
