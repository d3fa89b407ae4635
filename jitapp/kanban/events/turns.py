"""What happens to a turn: the signal upstream, and the way of the container back."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from jitapp.kanban.events.base import Entry, Event, Inconsistent, needed_card, open_turn
from jitapp.kanban.standing import end
from jitapp.kanban.state import Card, Loop, Turn
from jitapp.kanban.vocabulary import SUPPLY_SHORT, SignalState, SupplyStatus

_STEPS = ("", SupplyStatus.IN_PROCESS, SupplyStatus.COMPLETED, SupplyStatus.IN_TRANSIT)


class TurnOpened(Event, frozen=True):
    """A turn began, its signal still withheld."""

    type: ClassVar[str] = "turn.opened"

    state: SignalState
    opens: bool = False  # else an open turn goes on in another state
    asked: Decimal | None = None
    batch: UUID | None = None

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The signal is withheld, for the state's reason."""
        turn = _begin(needed_card(card, entry), entry, self.asked) if self.opens else open_turn(card, entry)
        turn.signal_state = self.state
        turn.batch = self.batch or turn.batch


class TurnReleased(Event, frozen=True):
    """The signal went upstream: fill `asked` pieces by `due_at`."""

    type: ClassVar[str] = "turn.released"

    due_at: datetime
    opens: bool = False
    asked: Decimal | None = None
    why: str = ""  # an early release, by its reason
    urgent: bool = False
    batch: UUID | None = None

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The signal is out."""
        card = needed_card(card, entry)
        turn = _begin(card, entry, self.asked) if self.opens else open_turn(card, entry)
        if turn.signal_state in (SignalState.RELEASED, SignalState.ACKNOWLEDGED):
            raise Inconsistent(f"{self.type} sends the signal of turn {turn.number} a second time (C8)")
        turn.signal_state = SignalState.RELEASED
        turn.released_at = entry.occurred_at
        turn.due_at = self.due_at
        turn.to_recall = turn.answer_late = turn.doc_owed = False
        turn.failed = ""
        turn.batch = self.batch or turn.batch
        _supplied(card, turn)
        card.out_of_stock = False
        card.urgent = self.urgent


class TurnAcknowledged(Event, frozen=True):
    """The supply source has seen the signal, perhaps with a promise."""

    type: ClassVar[str] = "turn.acknowledged"

    promised_at: datetime | None = None

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The answer is there."""
        turn = open_turn(card, entry)
        turn.signal_state = SignalState.ACKNOWLEDGED
        turn.acknowledged_at = entry.occurred_at
        turn.answer_late = False
        turn.promised_at = self.promised_at or turn.promised_at


class TurnAnswerLate(Event, frozen=True):
    """The supplier has not answered the signal within the time that the loop allows."""

    type: ClassVar[str] = "turn.answer_late"

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The silence is on record until an answer comes."""
        open_turn(card, entry).answer_late = True


class TurnPromised(Event, frozen=True):
    """The supplier promised a date."""

    type: ClassVar[str] = "turn.promised"

    promised_at: datetime

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The newest promise counts."""
        open_turn(card, entry).promised_at = self.promised_at


class TurnRejected(Event, frozen=True):
    """The supplier cannot fill it; the buyer must act."""

    type: ClassVar[str] = "turn.rejected"

    reason: str

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """Nobody fills it until the buyer has found another way."""
        turn = open_turn(card, entry)
        turn.signal_state = SignalState.REJECTED
        turn.reason = self.reason
        needed_card(card, entry).out_of_stock = True


class TurnDocAsked(Event, frozen=True):
    """The ERP is being asked for its document: it owes the number."""

    type: ClassVar[str] = "turn.doc_asked"

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The ERP must act."""
        open_turn(card, entry).doc_owed = True


class TurnDocumented(Event, frozen=True):
    """The ERP gave the number of its document, perhaps after the turn was closed."""

    type: ClassVar[str] = "turn.documented"

    document: str
    closed: bool = False

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The turn has its document."""
        card = needed_card(card, entry)
        if self.closed and entry.turn_number is not None and entry.turn_number <= card.turn_number:
            return  # the container came back before the ERP answered: the present state does not know that turn
        turn = open_turn(card, entry)
        turn.document = self.document
        turn.doc_owed = False


class TurnDocked(Event, frozen=True):
    """The container arrived at the dock; it is not at its place yet."""

    type: ClassVar[str] = "turn.docked"

    quantity: Decimal
    reason: str = ""

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """It is counted, and waits to be put away."""
        turn = open_turn(card, entry)
        turn.docked_at = entry.occurred_at
        turn.made = self.quantity
        turn.reason = self.reason or turn.reason


class TurnRecalled(Event, frozen=True):
    """The signal was taken back, or its card held or lost: it is withheld, or flagged if under way."""

    type: ClassVar[str] = "turn.recalled"

    withheld: bool = False

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """Nobody upstream acts on it any more, or somebody has to be told."""
        turn = open_turn(card, entry)
        if self.withheld:
            _withhold(needed_card(card, entry), turn)
        else:
            turn.to_recall = True


class TurnResumed(Event, frozen=True):
    """The hold of the card ended: the turn goes on from where it stood."""

    type: ClassVar[str] = "turn.resumed"

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """Nothing is to be recalled."""
        open_turn(card, entry).to_recall = False


class TurnShort(Event, frozen=True):
    """The supermarket has no full container: the withdrawal waits for the next one (SUPPLY_SHORT)."""

    type: ClassVar[str] = "turn.short"

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """It waits, and nobody upstream is asked twice."""
        turn = open_turn(card, entry)
        _withhold(needed_card(card, entry), turn, short=True)
        turn.reason = SUPPLY_SHORT


class TurnFailed(Event, frozen=True):
    """What the turn needs beside the floor went wrong for good, for `reason`: it stands in ERROR."""

    type: ClassVar[str] = "turn.failed"

    reason: str

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The buyer must put it right."""
        turn = open_turn(card, entry)
        turn.failed = self.reason
        turn.doc_owed = False


class TurnRecovered(Event, frozen=True):
    """What had gone wrong was put right: the turn goes on from where it stood."""

    type: ClassVar[str] = "turn.recovered"

    why: str = ""

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """It goes on."""
        open_turn(card, entry).failed = ""


class TurnCorrected(Event, frozen=True):
    """A person set the turn to the step that is true."""

    type: ClassVar[str] = "turn.corrected"

    step: str

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The milestones up to the step stand; those beyond it never happened."""
        turn = open_turn(card, entry)
        turn.step = self.step
        turn.failed = ""
        turn.docked_at = None
        _supplied(needed_card(card, entry), turn)
        reached, at = _STEPS.index(turn.step), entry.occurred_at
        turn.started_at = (turn.started_at or at) if reached >= 1 else None
        turn.completed_at = (turn.completed_at or at) if reached >= 2 else None
        turn.loaded_at = (turn.loaded_at or at) if reached >= 3 else None
        turn.made = turn.made if reached >= 2 else None


class TurnStarted(Event, frozen=True):
    """The supply source began to fill."""

    type: ClassVar[str] = "turn.started"

    implied: bool = False  # a later scan told of it

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """It is being made."""
        turn = open_turn(card, entry)
        turn.step = SupplyStatus.IN_PROCESS
        turn.started_at = entry.occurred_at


class TurnCompleted(Event, frozen=True):
    """The container was filled, `quantity` pieces; a `reason` replaces `reason_before`."""

    type: ClassVar[str] = "turn.completed"

    quantity: Decimal
    reason: str = ""
    reason_before: str = ""
    implied: bool = False

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """It stands finished at the supply source."""
        turn = open_turn(card, entry)
        turn.step = SupplyStatus.COMPLETED
        turn.completed_at = entry.occurred_at
        turn.made = self.quantity
        turn.reason = self.reason or turn.reason


class TurnAborted(Event, frozen=True):
    """Filling was broken off; the signal stands."""

    type: ClassVar[str] = "turn.aborted"

    reason: str = ""
    urgent: bool = False

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """It is back in the queue."""
        turn = open_turn(card, entry)
        turn.step = ""
        turn.started_at = None
        if self.urgent:
            needed_card(card, entry).urgent = True


class TurnReverted(Event, frozen=True):
    """An undo took the last step of the turn back; the pieces `made` and the `reason` from before it, where it had
    changed them."""

    type: ClassVar[str] = "turn.reverted"

    step: str
    made: Decimal | None = None
    reason: str | None = None

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The step before it stands again."""
        turn = open_turn(card, entry)
        turn.step = self.step
        if turn.step != SupplyStatus.COMPLETED:
            turn.completed_at = turn.made = None
        if turn.step == "":
            turn.started_at = None
        turn.loaded_at = None
        if self.made is not None:
            turn.made = self.made
        if self.reason is not None:
            turn.reason = self.reason


class TurnShipped(Event, frozen=True):
    """The container is on its way, with `quantity` pieces where they were counted, instead of `made_before`; a `reason`
    replaces `reason_before`."""

    type: ClassVar[str] = "turn.shipped"

    quantity: Decimal | None = None
    made_before: Decimal | None = None
    reason: str = ""
    reason_before: str = ""

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """It is on its way."""
        turn = open_turn(card, entry)
        turn.step = SupplyStatus.IN_TRANSIT
        turn.loaded_at = entry.occurred_at
        if self.quantity is not None:
            turn.made = self.quantity
        turn.reason = self.reason or turn.reason


class TurnReceived(Event, frozen=True):
    """The container stands full at the demand source; the turn is closed."""

    type: ClassVar[str] = "turn.received"

    quantity: Decimal
    asked: Decimal
    reason: str = ""

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The turn is closed."""
        turn = open_turn(card, entry)
        turn.received = self.quantity
        turn.reason = self.reason or turn.reason
        _close(loop, needed_card(card, entry), turn, SignalState.CLOSED, entry)


class TurnCancelled(Event, frozen=True):
    """The turn ended without a delivery."""

    type: ClassVar[str] = "turn.cancelled"

    reason: str = ""
    by_turn: UUID | None = None
    given_back: bool = False  # it does not count among the card's turns: the scan that opened it was undone

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The turn is closed."""
        card, turn = needed_card(card, entry), open_turn(card, entry)
        _supplied(card, turn)
        turn.reason = self.reason
        if self.given_back and card.turns_left is not None:
            card.turns_left += 1
        _close(loop, card, turn, SignalState.CANCELLED, entry)


class TurnDemandCancelled(Event, frozen=True):
    """What this turn was asked for is no longer needed by turn `by_turn`, but work on it had begun: its owner decides
    whether it goes on."""

    type: ClassVar[str] = "turn.demand_cancelled"

    by_turn: UUID

    def apply(self, loop: Loop, card: Card | None, entry: Entry) -> None:
        """The owner of the turn has a task."""
        open_turn(card, entry).demand_cancelled = self.by_turn


def _begin(card: Card, entry: Entry, asked: Decimal | None) -> Turn:
    if card.turn is not None or entry.turn_number != card.turn_number + 1 or entry.turn is None:
        raise Inconsistent(
            f"{entry.type} opens turn {entry.turn_number} of card {card.code} beside another (C2)"
        )
    if asked is None:
        raise Inconsistent(f"{entry.type} opens turn {entry.turn_number} and does not say for how many (C14)")
    card.quantity = asked
    card.turn_number = entry.turn_number
    if card.turns_left is not None:
        card.turns_left -= 1
    card.turn = Turn(uuid=entry.turn, number=entry.turn_number, asked=asked, opened_at=entry.occurred_at)
    return card.turn


def _withhold(card: Card, turn: Turn, *, short: bool = False) -> None:
    turn.signal_state = SignalState.UNRELEASED
    turn.due_at = None  # nothing is asked for until it goes out again
    turn.doc_owed = False
    card.urgent = False
    card.out_of_stock = short


def _supplied(card: Card, turn: Turn) -> None:
    if turn.supply_short:
        turn.reason = ""
        card.out_of_stock = False


def _close(loop: Loop, card: Card, turn: Turn, state: SignalState, entry: Entry) -> None:
    turn.signal_state = state
    turn.closed_at = entry.occurred_at
    turn.step = ""
    turn.failed = ""
    turn.doc_owed = False
    turn.to_recall = False
    end(turn, entry.occurred_at, entry.seq)
    loop.ended.append((card.number, turn))
    card.turn = None
    card.urgent = False
    card.out_of_stock = False
