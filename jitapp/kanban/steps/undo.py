"""undo: the card's last scan is taken back while nobody has acted on it; a compensating event per event (4.6).

What a screen must know to offer it stands here too, as functions of values that rows have as well (`undo_ends`,
`untouched`, `needed_only_for`, SETTLED): pull/reading/tablet.py asks them of rows, the rule of its own state.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from jitapp.kanban.answers import CARD, Feedback, Sentence, applied, refused
from jitapp.kanban.conditions import WITHHELD
from jitapp.kanban.events.base import Entry, Event
from jitapp.kanban.events.cards import CardDetached, CardOpened, CardRestored, CardSurplus, CardUnopened
from jitapp.kanban.events.loops import LoopChanged
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.events.turns import (
    TurnCancelled,
    TurnCompleted,
    TurnOpened,
    TurnReceived,
    TurnReleased,
    TurnReverted,
    TurnShipped,
    TurnStarted,
)
from jitapp.kanban.guards import addressed, late_assertion, place
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import below, call_back
from jitapp.kanban.state import ZERO, Card, Loop, exact
from jitapp.kanban.step import STEPS, Reply, Situation, Step, no, register, words
from jitapp.kanban.steps.empty import Emptied
from jitapp.kanban.vocabulary import (
    CardStatus,
    Intent,
    ScreenState,
    SignalState,
    Sound,
    SupplyStatus,
    Trigger,
)

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "undone": applied("Undone: {part} card {number} of {of} is {status} again.", "Go on.", headline="UNDONE"),
    "undo_too_late": refused(
        CARD + ": the last scan is older than {window} seconds.",
        "Ask your leader for a correction.",
        headline="Too late to undo",
    ),
    "undo_not_yours": refused(CARD + " was last moved by somebody else.", "Ask them or your leader."),
    "undo_acted_on": refused(
        CARD + ": {supply} has already acted on it ({status}).", "Ask your leader for a correction."
    ),
    "undo_swapped": refused(
        CARD + " took the place of another card on its container.", "Ask your leader for a correction."
    ),
    "undo_nothing": refused(CARD + " has no scan that can be undone.", "Ask your leader for a correction."),
    "undo_overtaken": refused(
        CARD + " has been scanned again since.",
        "Look at the card; undo its last scan if that is the wrong one.",
    ),
    "withdrawn": refused(
        CARD + ": the scan was taken back on the device before it was sent. Nothing was changed.",
        "Go on.",
        headline="Taken back",
        feedback=Feedback(Sound.TICK, ScreenState.REPEAT),
    ),
}
# What comes out of a swap, or closes the turn, is put right by a leader.
SETTLED = (CardDetached, TurnReceived)


class Moved(Protocol):
    """A card with its last scan: the rules' own, or its row."""

    @property
    def card_status(self) -> str: ...
    @property
    def last_scan(self) -> UUID | None: ...
    @property
    def last_intent(self) -> str: ...
    @property
    def moved_at(self) -> datetime | None: ...
    @property
    def out_of_stock(self) -> bool: ...


class Signal(Protocol):
    """An open turn: the rules' own, or its row."""

    @property
    def signal_state(self) -> str: ...
    @property
    def step(self) -> str: ...
    @property
    def failed(self) -> str: ...
    @property
    def promised_at(self) -> datetime | None: ...


class Sibling(Protocol):
    """What is in a card's container: the rules' own card, or its row."""

    @property
    def supply_status(self) -> str: ...
    @property
    def contents(self) -> Decimal: ...
    @property
    def quantity(self) -> Decimal: ...


def undo_ends(card: Moved, window_s: int) -> datetime | None:
    """Until when the card's last scan can be taken back, `window_s` seconds after it; None if there is none that can:
    a card that was removed, and one whose scan found the supermarket empty, which moved nothing."""
    if card.moved_at is None or not _may_be_undone(card):
        return None
    if card.card_status == CardStatus.REMOVED or card.out_of_stock:
        return None
    return card.moved_at + timedelta(seconds=window_s)


def _may_be_undone(card: Moved) -> bool:
    """Whether the card was scanned last by a step that can be taken back."""
    return card.last_scan is not None and bool(card.last_intent) and STEPS[Intent(card.last_intent)].undoable


def untouched(turn: Signal) -> bool:
    """Whether nobody has acted on a signal: it is out or still withheld, and no work, promise or failure followed."""
    out = turn.signal_state == SignalState.RELEASED or turn.signal_state in WITHHELD
    return out and not (turn.step or turn.failed or turn.promised_at)


def needed_only_for(card: Sibling, trigger: str, *, is_scanned: bool) -> bool:
    """Whether a turn that a scan opened is there for that scan alone: that of the card itself (`is_scanned`), any of a
    loop whose stock asks, and that of a sibling of which nothing but the scan says that it is in use."""
    return is_scanned or trigger == Trigger.ON_QTY or _only_implied(card)


class Undone(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="undo"):
    """The scan `undone` was taken back; `contents` pieces are in the container, `booked` of them promised."""

    undone: UUID | None
    undone_intent: str
    contents: Decimal
    booked: Decimal = ZERO

    def change(self, loop: Loop, card: Card, entry: Entry) -> None:
        """What had been taken out is in it again, and promised as before."""
        card.contents = self.contents
        card.booked = self.booked


# Where a turn stood before the first of these happened to it.
_BEFORE: dict[type[Event], str] = {
    TurnStarted: "",
    TurnCompleted: str(S.IN_PROCESS),
    TurnShipped: str(S.COMPLETED),
}


def _holder(s: Situation, entry: Entry) -> Card | None:
    """The card whose open turn the entry names, if it still is open."""
    named = (card for card in s.loop.cards.values() if card.turn is not None and card.turn.uuid == entry.turn)
    return next(named, None) if entry.turn is not None else None


def _asked(s: Situation) -> list[Card]:
    """The cards whose open turns the scan opened and that do not need them without it. A sibling that was opened with
    it and has been drawn from or emptied since needs its own."""
    asked = []
    for entry in s.scan.last_entries:
        if isinstance(entry.event, TurnReleased | TurnOpened) and entry.event.opens:
            card = _holder(s, entry)
            if card is not None and needed_only_for(card, s.loop.config.trigger, is_scanned=card is s.card):
                asked.append(card)
    return asked


def _only_implied(sibling: Sibling) -> bool:
    """Whether nothing but the scan says that the container of a sibling is in use."""
    return sibling.supply_status == S.IN_USE and sibling.contents == sibling.quantity


def _untouched(card: Card) -> bool:
    """Whether nobody has acted on the card's signal."""
    assert card.turn is not None
    return untouched(card.turn)


def _can_undo(s: Situation) -> Reply | None:
    """Only the card's last scan, by the same operator or a leader, in the window, while nobody acted on it."""
    card, scan, turn = s.card, s.scan, s.card.turn
    window = s.loop.config.undo_window_s
    until = undo_ends(card, window)
    if until is None:
        is_retired = card.card_status is CardStatus.REMOVED and _may_be_undone(card)
        return no("card_retired" if is_retired else "undo_nothing")
    if scan.undoes is not None and scan.undoes != card.last_scan:
        return no("undo_overtaken")
    if any(isinstance(entry.event, CardDetached) for entry in scan.last_entries):
        return no("undo_swapped")  # it moved two cards of two loops, and the other one has asked its cell
    if any(isinstance(entry.event, TurnReceived) for entry in scan.last_entries):
        return no("undo_nothing")  # a fill without transport ends as a receipt does: the turn is closed
    if s.at > until:
        return no("undo_too_late", window=window)
    by_same = (card.moved_device, card.moved_person) == (scan.device_id, scan.person_id)
    if not scan.is_leader and not by_same:
        return no("undo_not_yours")
    if turn is not None and turn.failed:
        return no("card_in_error")
    for asking in _asked(s):
        if not _untouched(asking):
            return no("undo_acted_on", number=asking.number, status=words(asking.position))
    return None


def _undo(ledger: Ledger, s: Situation) -> Reply:
    scan, card = s.scan, s.card
    first = next(entry for entry in scan.last_entries if isinstance(entry.event, ScanApplied))
    event = first.event
    assert isinstance(event, ScanApplied)
    asked = _asked(s)
    contents, booked = card.contents, card.booked
    if isinstance(event, Emptied):
        contents, booked = event.left, event.booked
    if card in asked:
        # Promises name the container by the turn that was to refill it, which is cancelled here: whoever has one takes
        # what is free instead.
        booked = ZERO
    undone = Undone(
        undone=card.last_scan,
        undone_intent=event.intent,
        contents=exact(contents),
        booked=exact(booked) or ZERO,
        reason=scan.reason,
        settles=scan.settles,
    )
    # An emptied card may have gone on to WAIT within the same scan: it goes back to where the scan found it.
    ledger.write(undone, card, turn=card.turn, to=first.frm)
    for entry in reversed(scan.last_entries):
        _compensate(ledger, s, entry, asked)
    _set_back(ledger, s)
    below(ledger, scan.new_uuid)  # other containers may have been emptied since the signal that was cancelled
    return Reply("undone")


def _compensate(ledger: Ledger, s: Situation, entry: Entry, asked: Sequence[Card]) -> None:
    card, loop, event = s.card, s.loop, entry.event
    if isinstance(event, TurnReleased | TurnOpened):
        asking = _holder(s, entry)
        if asking is None:
            return
        if event.opens and asking in asked:
            ledger.write(TurnCancelled(reason="undone", given_back=True), asking, turn=asking.turn)
        elif not event.opens and asking not in asked and _is_out(asking, entry):
            call_back(ledger, asking, gathered=event.batch is not None)
    elif isinstance(event, CardSurplus):
        ledger.write(CardRestored(), card)
        ledger.write(LoopChanged(surplus_due=loop.surplus_due + 1, reason="undone"))
    elif isinstance(event, CardOpened) and entry.card_id is not None:
        sibling = loop.cards[entry.card_id]
        if sibling.turn is None and _only_implied(sibling):
            ledger.write(CardUnopened(), sibling, to=S.FULL)


def _is_out(card: Card, entry: Entry) -> bool:
    """Whether a signal that had been withheld stands as the entry sent it, untouched."""
    turn = card.turn
    assert turn is not None
    if isinstance(entry.event, TurnOpened):
        return turn.signal_state is SignalState.PENDING_DOC and not turn.document and _untouched(card)
    out = turn.signal_state is SignalState.RELEASED and turn.released_at == entry.occurred_at
    return out and _untouched(card)


def _set_back(ledger: Ledger, s: Situation) -> None:
    """The turn stands again where the scan found it, with the quantity and the reason from then."""
    turn = s.card.turn
    done = [entry.event for entry in s.scan.last_entries if type(entry.event) in _BEFORE]
    if turn is None or not done:
        return
    first = done[0]
    told = next(
        (each for each in done if isinstance(each, TurnCompleted | TurnShipped) and each.reason), None
    )
    reverted = TurnReverted(
        step=_BEFORE[type(first)],
        made=first.made_before if isinstance(first, TurnShipped) else None,
        reason=told.reason_before if told is not None else None,
    )
    ledger.write(reverted, s.card, turn=turn)


STEP = register(
    Step(
        Intent.UNDO,
        label="Undone",
        says="Takes the card's last scan back.",
        answers=ANSWERS,
        effect=_undo,
        guards=(addressed, late_assertion, place, _can_undo),
        asserts=True,  # told late, it was about another scan
    )
)
