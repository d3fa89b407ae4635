"""Writing events onto a loop in order, each folded at once, and the runout that follows from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from uuid import UUID

import msgspec
from msgspec.structs import replace

from jitapp.kanban.answers import ANSWERS
from jitapp.kanban.events.base import Entry, Event
from jitapp.kanban.events.loops import RunoutClosed, RunoutOpened, RunoutRevised
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.fold import apply
from jitapp.kanban.kinds import KINDS
from jitapp.kanban.runouts import ON_HOLD, Cause, cause_of, dry_since, revisions
from jitapp.kanban.state import Card, Loop, OpenRunout, Span, Turn, text
from jitapp.kanban.vocabulary import Intent, LoopStatus, Outcome, ScanClass, SupplyStatus

NewUuid = Callable[[], UUID]
Facts = Mapping[str, object]


class Scan(msgspec.Struct, frozen=True):
    """A scan as the rules see it: whose, where, when, meaning what. `occurred_at` is corrected, never after now."""

    occurred_at: datetime
    recorded_at: datetime
    new_uuid: NewUuid
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
    last_entries: tuple[Entry, ...] = ()  # what the card's last scan wrote; only an undo needs it
    roles: frozenset[str] = frozenset()
    target: SupplyStatus | None = None  # correct: the status that is true
    promised_at: datetime | None = None
    checks: frozenset[str] = frozenset()  # readiness checks that were ticked
    ahead: int = 0  # turns of the station released before this one and not started
    at_hand: int | None = None  # usable containers at the demand source, counted under its lock
    line_stopped: str = ""  # why the supply station's line stands still
    market_empty: bool = False  # the supermarket that this withdrawal fetches from has no full container
    missing: tuple[str, ...] = ()  # components that the supply station counts by software and has run out of
    turn: UUID | None = None  # an act on this turn: on no other one of the card
    undoes: UUID | None = None  # an undo of this scan: of no other one of the card
    settles: UUID | None = None  # the parked scan that a person settles by this one
    allowed_by: UUID | None = (
        None  # the leader who lets this person do it; then `is_leader` is the leader's right
    )
    compared: bool = True  # the device's clock was compared with ours, or its scan has no instant of its own

    @property
    def said(self) -> str:
        """A fingerprint of what was said beside code and intent; empty if nothing was."""
        parts = (
            "" if self.quantity is None else text(self.quantity),
            self.reason,
            self.target or "",
            self.promised_at.isoformat() if self.promised_at else "",
        )
        if not any(parts):
            return ""
        return blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class Decision(msgspec.Struct):
    """How a scan ended. `facts` fill the sentence of `code`; `entries` are folded into the loop already."""

    code: str
    facts: dict[str, object]
    entries: list[Entry] = msgspec.field(default_factory=list)
    warnings: list[str] = msgspec.field(default_factory=list)
    intent: Intent | None = None
    turn: Turn | None = None
    closed: list[tuple[Card, Turn]] = msgspec.field(default_factory=list)
    at: datetime | None = None  # when it counts as done; None: as the scan says
    kind: ScanClass | None = None  # what the scan was, seen in its sequence; None: nobody looked

    @property
    def outcome(self) -> Outcome:
        """applied, already, bounced, refused or parked."""
        return ANSWERS[self.code].outcome


class Ledger:
    """Writes events onto a loop in order, folding each at once."""

    def __init__(
        self,
        loop: Loop,
        *,
        at: datetime,
        scan: Scan | None = None,
        late: bool = False,
        first_ordinal: int = 0,
        subject: Card | None = None,
        moves: bool = False,
    ) -> None:
        """`at` is when it happened; `subject` the card whose own scan tells of it, if one does: of a move (`moves`), or
        of something else."""
        self.loop = loop
        self.at = at
        self.subject = subject
        self.moves = moves
        self.scan = scan
        self.late = late
        self.first_ordinal = first_ordinal
        self.entries: list[Entry] = []
        self.closed: list[tuple[Card, Turn]] = []

    def write(
        self,
        event: Event,
        card: Card | None = None,
        *,
        turn: Turn | None = None,
        to: str = "",
        at: datetime | None = None,
    ) -> Entry:
        """Appends one event; a card that is at `to` already is written without a movement."""
        scan = self.scan
        if scan is not None and scan.allowed_by is not None and isinstance(event, ScanApplied):
            event = replace(event, allowed_by=scan.allowed_by)
        moves = card is not None and to and to != card.supply_status
        entry = Entry(
            event=event,
            occurred_at=at or self._at(card, bool(moves)),
            card_id=card.id if card else None,
            turn_number=turn.number if turn else None,
            turn=turn.uuid if turn else None,
            frm=card.supply_status if moves and card else "",
            to=to if moves else "",
            seq=self.loop.seq + 1,
            scan_id=scan.id if scan else None,
            ordinal=self.first_ordinal + len(self.entries),
            late=self.late,
            device=scan.device_id if scan else None,
            person=scan.person_id if scan else None,
        )
        open_turn = card.turn if card is not None else None
        apply(self.loop, entry)
        if card is not None and open_turn is not None and card.turn is None:
            self.closed.append((card, open_turn))
        self.entries.append(entry)
        return entry

    def _at(self, card: Card | None, moves: bool) -> datetime:
        """When an event of a card counts as having happened. A scan told late rewrites the history of the move that it
        tells of, and no other: what else follows for a card is never older than where its container stands."""
        told = card is self.subject and (self.moves or not moves)
        if card is None or told or card.status_since is None:
            return self.at
        return max(self.at, card.status_since)

    @property
    def _now(self) -> datetime:
        """The newest instant that is known."""
        told = self.scan.recorded_at if self.scan is not None else self.at
        runout = self.loop.runout
        dry = runout.opened_at if runout is not None else self.at
        return max(told, self.at, self.loop.usable_changed_at or self.at, dry)

    def settle_runout(self) -> None:
        """Opens, closes or revises the loop's runouts if its state now says so (rule C9)."""
        loop = self.loop
        if KINDS[loop.config.kind].ordered and loop.fresh:
            # An order may have fallen due, and have been filled, while nobody looked.
            loop.told_late = min(change.at for change in loop.fresh)
        if loop.told_late is not None:
            since, loop.told_late = loop.told_late, None
            self._revise(since)
            return
        # What changed may have happened later than what was told of it: see `_at`.
        at = self._now if KINDS[loop.config.kind].ordered else loop.turned_at or self.at
        since_when = dry_since(loop, at)
        if (since_when is None) == (loop.runout is None):
            return
        if since_when is not None:
            cause = cause_of(loop, at)
            self.write(_opened(cause), at=since_when)
        elif loop.fresh:  # a runout ends by a change of the containers, and not by looking
            assert loop.runout is not None
            self._close(loop.runout, at, self._final_cause(at))

    def _final_cause(self, at: datetime) -> Cause:
        loop = self.loop
        assert loop.runout is not None
        told_since = self.scan is not None and at < self.scan.recorded_at
        cause = cause_of(
            loop,
            at,
            quality=loop.runout.quality,
            cards=loop.runout.cards,
            closed_since=loop.past.turns(at) if told_since and loop.past is not None else (),
        )
        if loop.config.status is not LoopStatus.ACTIVE:
            return Cause(*ON_HOLD, cause.facts)
        return cause

    def _close(self, runout: OpenRunout | Span, at: datetime, cause: Cause) -> None:
        self.write(
            RunoutClosed(
                cause=cause.reason,
                owner=cause.party,
                facts=cause.facts,
                opened_at=runout.opened_at,
                opened_seq=runout.opened_seq,
            ),
            at=at,
        )

    def _revise(self, since: datetime) -> None:
        """Something was told after what happened later: the register follows the order of the events."""
        for found in revisions(self.loop, since, self._now):
            cause, known = found.cause, found.known
            if known is None:
                opened = self.write(_opened(cause), at=found.begin)
                if found.end is not None:
                    self._close(Span(opened.seq, found.begin), found.end, cause)
                continue
            runout = self.loop.runout
            is_open = runout is not None and runout.opened_seq == known
            if is_open and runout is not None and runout.opened_at == found.begin and found.end is not None:
                self._close(runout, found.end, cause)
            else:
                self.write(
                    RunoutRevised(
                        cause=cause.reason,
                        owner=cause.party,
                        facts=cause.facts,
                        opened_seq=known,
                        opened_at=found.begin,
                        closed_at=found.end,
                    )
                )


def _opened(cause: Cause) -> RunoutOpened:
    return RunoutOpened(cause=cause.reason, owner=cause.party, facts=cause.facts)
