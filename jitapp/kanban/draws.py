"""What a turn takes from the containers of its components, and what it books (domain 4.5, BACKFLUSH).

Every function writes onto the component's loop through a `Ledger`; the caller settles the runout and stores the links.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from jitapp.kanban.conditions import longest_full, usable
from jitapp.kanban.events.base import Event
from jitapp.kanban.events.cards import CardBooked, CardDrawn, CardEmptied, CardOpened, CardUnbooked
from jitapp.kanban.events.loops import DrawRounded, DrawShort
from jitapp.kanban.events.turns import TurnCancelled, TurnCompleted, TurnDemandCancelled, TurnStarted
from jitapp.kanban.kinds import detached_by_hand
from jitapp.kanban.ledger import Ledger, NewUuid
from jitapp.kanban.signals import below, opened, release, signal
from jitapp.kanban.state import ZERO, Card, Loop, LoopConfig, exact
from jitapp.kanban.vocabulary import (
    Accumulate,
    ConsumeAt,
    Consumption,
    DocPolicy,
    LoopStatus,
    SignalState,
    StationKind,
    SupplyStatus,
    Trigger,
)

# Which of a turn's events makes its station use components, by the loop's setting.
USES: dict[ConsumeAt, type[Event]] = {
    ConsumeAt.START: TurnStarted,
    ConsumeAt.COMPLETE: TurnCompleted,
    ConsumeAt.RELEASE: TurnStarted,
}


@dataclass(frozen=True, slots=True)
class Link:
    """An edge of the pull chain as the draw made it: pieces out of a container, by its card and refilling turn."""

    card_id: int
    number: int
    quantity: Decimal
    booked: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one component loop gave: links, and the pieces that no container had (a shortage, never an error)."""

    links: tuple[Link, ...]
    taken: Decimal
    short: Decimal


def counted(config: LoopConfig) -> bool:
    """Whether software counts what filling uses: a BACKFLUSH station by its bill, a supermarket its own part."""
    return (config.supply_kind is StationKind.SUPERMARKET and not detached_by_hand(config)) or (
        config.supply_kind is StationKind.PROCESS and config.supply_consumption is Consumption.BACKFLUSH
    )


def whole(quantity: Decimal, decimals: int) -> Decimal:
    """A needed quantity in the component's unit: rounded up after the explosion, never before."""
    step = Decimal(1).scaleb(-decimals)
    pieces = (quantity / step).to_integral_value(rounding="ROUND_CEILING")
    return pieces * step


def to_take(ledger: Ledger, needed: Decimal, turn: UUID) -> Decimal:
    """How many pieces a turn that needs `needed` takes from this loop: whole ones, less what earlier turns took beyond
    their need. The remainder is carried in the loop (`drawn_ahead`), so that over many turns no more is drawn than
    is needed, but for less than one piece.
    """
    loop = ledger.loop
    take = max(ZERO, whole(needed - loop.drawn_ahead, loop.config.decimals))
    _carry(ledger, turn, needed, loop.drawn_ahead + take - needed)
    return take


def give_back(ledger: Ledger, needed: Decimal, freed: Decimal, turn: UUID) -> None:
    """A turn that needed `needed` was cancelled, and `freed` pieces of what was booked for it are free again."""
    _carry(ledger, turn, -needed, ledger.loop.drawn_ahead - freed + needed)


def _carry(ledger: Ledger, turn: UUID, needed: Decimal, ahead: Decimal) -> None:
    if ahead != ledger.loop.drawn_ahead:
        ledger.write(DrawRounded(by_turn=turn, needed=exact(needed), ahead=exact(ahead)))


def containers(ledger: Ledger) -> list[Card]:
    """Where pieces are taken: the container IN_USE first, then the longest-FULL."""
    at_hand = [card for card in ledger.loop.cards.values() if usable(card)]
    return sorted(
        at_hand,
        key=lambda card: (card.supply_status is not SupplyStatus.IN_USE, *longest_full(card, ledger.at)),
    )


def draw(ledger: Ledger, *, need: Decimal, turn: UUID, new_uuid: NewUuid) -> Drawn:
    """Takes `need` free pieces; an emptied container opens its own turn, and so on upstream."""
    links: list[Link] = []
    rest = need
    for card in containers(ledger):
        if not rest:
            break
        take = min(card.free, rest)
        if take <= 0:
            continue
        links.append(Link(card.id, card.container, take))
        _take(ledger, card, take, unbooked=ZERO, turn=turn, new_uuid=new_uuid)
        rest -= take
    if rest:
        ledger.write(DrawShort(by_turn=turn, needed=exact(need), short=exact(rest)))
    return Drawn(tuple(links), need - rest, rest)


def book(ledger: Ledger, *, need: Decimal, turn: UUID, new_uuid: NewUuid) -> Drawn:
    """Promises `need` pieces; a container with nothing free left asks for its refill while still IN_USE."""
    links: list[Link] = []
    rest = need
    for card in containers(ledger):
        if not rest:
            break
        take = min(card.free, rest)
        if take <= 0:
            continue
        _open(ledger, card, new_uuid)
        links.append(Link(card.id, card.container, take, booked=take))
        ledger.write(CardBooked(quantity=exact(take), by_turn=turn), card)
        below(ledger, new_uuid)
        if not card.free and card.turn is None and _asks_early(ledger.loop):
            release(ledger, card, new_uuid())
        rest -= take
    if rest:
        ledger.write(DrawShort(by_turn=turn, needed=exact(need), short=exact(rest)))
    return Drawn(tuple(links), need - rest, rest)


def take_booked(
    ledger: Ledger, *, links: Iterable[Link], turn: UUID, new_uuid: NewUuid
) -> tuple[Decimal, list[Link]]:
    """Takes out what was promised to the turn; returns the pieces taken and the links now fulfilled.

    A container that was emptied or refilled meanwhile (a count by hand) no longer holds them: those are left.
    """
    taken = ZERO
    fulfilled: list[Link] = []
    for link in links:
        card = ledger.loop.cards.get(link.card_id)
        if card is None or not usable(card) or card.container != link.number:
            continue
        take = min(link.booked, card.booked)
        if take <= 0:
            continue
        _take(ledger, card, take, unbooked=take, turn=turn, new_uuid=new_uuid)
        fulfilled.append(link)
        taken += take
    return taken, fulfilled


def free(ledger: Ledger, *, links: Iterable[Link], turn: UUID) -> Decimal:
    """Frees the promises of a cancelled turn, and cancels what they had released if nobody upstream has acted; where
    somebody has, the owner of that turn is told (domain 4.5).

    Returns how many pieces are free again.
    """
    freed = ZERO
    for link in links:
        card = ledger.loop.cards.get(link.card_id)
        if card is None or not usable(card) or card.container != link.number:
            continue
        give = min(link.booked, card.booked)
        if give <= 0:
            continue
        ledger.write(CardUnbooked(quantity=exact(give), by_turn=turn), card)
        freed += give
        if card.turn is not None and card.free:
            withdraw_demand(ledger, card, turn)
    return freed


def withdraw_demand(
    ledger: Ledger, card: Card, by_turn: UUID, *, reason: str = "the demand was cancelled"
) -> bool:
    """The open turn of a card is no longer needed by the turn that asked for it. Nobody has acted on it: it is
    cancelled, and True returned. Else it runs on, and its owner has a task that names both turns; so it is with one
    that the supplier rejected, because the buyer may have begun to look for another way.
    """
    turn = card.turn
    assert turn is not None
    if not turn.under_way and turn.signal_state is not SignalState.REJECTED:
        ledger.write(TurnCancelled(reason=reason, by_turn=by_turn), card, turn=turn)
        return True
    if turn.demand_cancelled is None:
        ledger.write(TurnDemandCancelled(by_turn=by_turn), card, turn=turn)
    return False


def _asks_early(loop: Loop) -> bool:
    """Whether a booked-out container may ask before it is empty: not where signals are gathered, counted or held."""
    config = loop.config
    return (
        config.status is LoopStatus.ACTIVE
        and config.accumulate is Accumulate.NONE
        and config.doc_policy is not DocPolicy.WAIT_FOR_DOC_NUMBER
        and config.trigger in (Trigger.ON_EMPTY, Trigger.ON_IN_USE)
        and not config.independent_supply
        and not loop.surplus_due
    )


def _open(ledger: Ledger, card: Card, new_uuid: NewUuid) -> None:
    if card.supply_status is SupplyStatus.FULL:
        ledger.write(CardOpened(), card, to=SupplyStatus.IN_USE)
        opened(ledger, card, new_uuid)


def _take(
    ledger: Ledger, card: Card, take: Decimal, *, unbooked: Decimal, turn: UUID, new_uuid: NewUuid
) -> None:
    _open(ledger, card, new_uuid)
    drawn = CardDrawn(quantity=exact(take), by_turn=turn, container=card.container, unbooked=exact(unbooked))
    ledger.write(drawn, card)
    if card.contents:
        below(ledger, new_uuid)
        return
    ledger.write(CardEmptied(), card, to=card.emptied_to)
    signal(ledger, card, new_uuid)
