"""undo: the card's last scan is taken back while nobody has acted on it; a compensating event per event (4.6)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from jitapp.kanban.answers import CARD, Sentence, applied, refused
from jitapp.kanban.events.base import Entry, Event
from jitapp.kanban.events.cards import CardOpened, CardRestored, CardSurplus, CardUnopened
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
from jitapp.kanban.state import ZERO, Card, Loop, exact
from jitapp.kanban.step import STEPS, Reply, Situation, Step, no, register
from jitapp.kanban.steps.empty import Emptied
from jitapp.kanban.vocabulary import CardStatus, Intent, SignalState, SupplyStatus

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
    "undo_nothing": refused(CARD + " has no scan that can be undone.", "Ask your leader for a correction."),
}


class Undone(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="undo"):
    """The scan `undone` was taken back; `contents` pieces are in the container again."""

    undone: UUID | None
    undone_intent: str
    contents: Decimal

    def change(self, loop: Loop, card: Card, entry: Entry) -> None:
        """What had been taken out is in it again."""
        card.contents = self.contents
        card.booked = ZERO


# Where a turn stood before the first of these happened to it.
_BEFORE: dict[type[Event], str] = {
    TurnStarted: "",
    TurnCompleted: str(S.IN_PROCESS),
    TurnShipped: str(S.COMPLETED),
}


def _opens(entry: Entry) -> bool:
    return isinstance(entry.event, TurnReleased | TurnOpened) and entry.event.opens


def _can_undo(s: Situation) -> Reply | None:
    """Only the card's last scan, by the same operator or a leader, in the window, while nobody acted on it."""
    card, scan, turn = s.card, s.scan, s.card.turn
    undoable = bool(card.last_intent) and STEPS[Intent(card.last_intent)].undoable
    if card.last_scan is None or card.moved_at is None or not undoable:
        return no("undo_nothing")
    if card.card_status is CardStatus.REMOVED:
        return no("card_retired")  # terminal
    if card.out_of_stock:
        return no("undo_nothing")  # the last scan found the supermarket empty: nothing was moved
    if any(isinstance(entry.event, TurnReceived) for entry in scan.last_entries):
        return no("undo_nothing")  # a fill without transport ends as a receipt does: the turn is closed
    window = s.loop.config.undo_window_s
    if s.at - card.moved_at > timedelta(seconds=window):
        return no("undo_too_late", window=window)
    by_same = (card.moved_device, card.moved_person) == (scan.device_id, scan.person_id)
    if not scan.is_leader and not by_same:
        return no("undo_not_yours")
    if turn is not None and turn.failed:
        return no("card_in_error")
    released = any(isinstance(entry.event, TurnReleased) and _opens(entry) for entry in scan.last_entries)
    if card.last_intent != Intent.EMPTY or turn is None or not released:
        return None
    untouched = turn.signal_state is SignalState.RELEASED and not turn.step
    return None if untouched else no("undo_acted_on")


def _undo(ledger: Ledger, s: Situation) -> Reply:
    scan, card = s.scan, s.card
    first = next(entry for entry in scan.last_entries if isinstance(entry.event, ScanApplied))
    event = first.event
    assert isinstance(event, ScanApplied)
    contents = event.left if isinstance(event, Emptied) else card.contents
    undone = Undone(
        undone=card.last_scan,
        undone_intent=event.intent,
        contents=exact(contents),
        reason=scan.reason,
        settles=scan.settles,
    )
    # An emptied card may have gone on to WAIT within the same scan: it goes back to where the scan found it.
    ledger.write(undone, card, turn=card.turn, to=first.frm)
    for entry in reversed(scan.last_entries):
        _compensate(ledger, s, entry)
    _set_back(ledger, s)
    return Reply("undone")


def _compensate(ledger: Ledger, s: Situation, entry: Entry) -> None:
    card, loop, event = s.card, s.loop, entry.event
    if card.turn is not None and (_opens(entry) or isinstance(event, TurnOpened)):
        ledger.write(TurnCancelled(reason="undone"), card, turn=card.turn)
    elif isinstance(event, CardSurplus):
        ledger.write(CardRestored(), card)
        ledger.write(LoopChanged(surplus_due=loop.surplus_due + 1, reason="undone"))
    elif isinstance(event, CardOpened) and entry.card_id is not None:
        sibling = loop.cards[entry.card_id]
        untouched = sibling.turn is None and sibling.contents == sibling.quantity
        if sibling.supply_status is S.IN_USE and untouched:
            ledger.write(CardUnopened(), sibling, to=S.FULL)


def _set_back(ledger: Ledger, s: Situation) -> None:
    """The turn stands again where the scan found it."""
    turn = s.card.turn
    done = [entry.event for entry in s.scan.last_entries if type(entry.event) in _BEFORE]
    if turn is not None and done:
        step = next(before for event, before in _BEFORE.items() if isinstance(done[0], event))
        ledger.write(TurnReverted(step=step), s.card, turn=turn)


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
