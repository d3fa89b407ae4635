"""Writing events onto a loop in order, each folded at once; and the two things that every kind of use sets off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from jitapp.kanban.answers import ANSWERS
from jitapp.kanban.events import Event, apply
from jitapp.kanban.runouts import cause_of, is_dry
from jitapp.kanban.state import Card, Loop, Turn
from jitapp.kanban.vocabulary import Intent, LoopStatus, Outcome, ScanClass, SupplyStatus

S = SupplyStatus


@dataclass(slots=True)
class Scan:
    """A scan as the rules see it: whose, where, when, meaning what. `occurred_at` is corrected, never after now."""

    occurred_at: datetime
    recorded_at: datetime
    new_uuid: Callable[[], UUID]
    id: UUID | None = None
    intent: Intent | None = None
    station_id: int | None = None
    station: str = ""
    device_id: int | None = None
    person_id: int | None = None
    quantity: Decimal | None = None
    reason: str = ""
    is_leader: bool = False  # may override place and person; recorded
    is_placeless: bool = False  # an ERP client or a handler's device: belongs to no station
    in_process: int | None = None  # cards in process at the supply station, counted under its lock
    last_events: Sequence[Event] = ()  # what the card's last scan wrote; only an undo needs it
    roles: frozenset[str] = frozenset()
    target: SupplyStatus | None = None  # correct: the status that is true
    promised_at: datetime | None = None
    document: str = ""
    checks: frozenset[str] = frozenset()  # readiness checks that were ticked
    ahead: int = 0  # turns of the station released before this one and not started
    full_at_demand: int | None = None  # full containers at the demand source, counted under its lock
    late: bool = False  # set by guard G12: older than the card's last event, and still right
    inferred: bool = False  # set by guard G9: the empty scan before this receipt was missed
    line_stopped: str = ""  # why the supply station's line stands still
    market_empty: bool = False  # the supermarket that this withdrawal fetches from has no full container
    settles: UUID | None = None  # the parked scan that a person settles by this one

    @property
    def mover(self) -> str:
        """Who moves, as the card keeps it: d<device>p<person>."""
        return f"d{self.device_id or ''}p{self.person_id or ''}"


@dataclass(slots=True)
class Decision:
    """How a scan ended. `facts` fill the sentence of `code`; `events` are folded into the loop already."""

    code: str
    facts: dict[str, Any]
    events: list[Event] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    intent: Intent | None = None
    turn: Turn | None = None
    closed: list[tuple[Card, Turn]] = field(default_factory=list)
    kind: ScanClass | None = None  # what the scan was, seen in its sequence; None: nobody looked

    @property
    def outcome(self) -> Outcome:
        """applied, already, bounced, refused or parked."""
        return ANSWERS[self.code].outcome


class Ledger:
    """Writes events onto a loop in order, folding each at once."""

    def __init__(self, loop: Loop, *, at: datetime, scan: Scan | None = None, first_ordinal: int = 0) -> None:
        self.loop = loop
        self.at = at
        self.scan = scan
        self.first_ordinal = first_ordinal
        self.events: list[Event] = []
        self.closed: list[tuple[Card, Turn]] = []

    def write(
        self,
        type_: str,
        card: Card | None = None,
        *,
        turn: Turn | None = None,
        frm: str = "",
        to: str = "",
        more: dict[str, Any] | None = None,
        **data: Any,
    ) -> Event:
        """Appends one event; a card that does not move (`frm` = `to`) is written without a movement.

        `data` and `more` together are the event's facts.
        """
        facts = data | more if more else data
        if self.scan is not None and self.scan.settles is not None and type_ == "scan.applied":
            facts = facts | {"settles": str(self.scan.settles)}
        event = Event(
            type=type_,
            occurred_at=self.at,
            card_id=card.id if card else None,
            turn_number=turn.number if turn else None,
            turn=turn.uuid if turn else None,
            frm=frm if frm != to else "",
            to=to if frm != to else "",
            data=facts,
            seq=self.loop.seq + 1,
            scan_id=self.scan.id if self.scan else None,
            ordinal=self.first_ordinal + len(self.events),
            late=bool(self.scan and self.scan.late),
            moved_by=self.scan.mover if self.scan else "",
        )
        if card is not None and card.turn is not None and type_ in ("turn.received", "turn.cancelled"):
            self.closed.append((card, card.turn))
        apply(self.loop, event)
        self.events.append(event)
        return event

    def settle(self) -> None:
        """Opens or closes the runout if the loop's state now says so (rule C9)."""
        dry = is_dry(self.loop)
        if dry == (self.loop.runout is not None):
            return
        turns = [
            (card, card.turn) for card in self.loop.cards.values() if card.turn is not None
        ] + self.closed
        cause = cause_of(self.loop, turns, self.at)
        facts: dict[str, Any] = {"cause": cause.reason, "owner": cause.party, "facts": cause.facts()}
        if dry:
            self.write("runout.opened", **facts)
        else:
            assert self.loop.runout is not None
            facts["opened_at"] = self.loop.runout.opened_at.isoformat()
            facts["opened_seq"] = self.loop.runout.opened_seq
            if self.loop.config.status is not LoopStatus.ACTIVE:
                facts["cause"] = "loop_on_hold"
            self.write("runout.closed", **facts)
