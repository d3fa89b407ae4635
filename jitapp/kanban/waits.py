"""Waits: which interval of a turn's life is one, from which event to which, and for what reason.

A wait is an interval in which an open turn does not move. Two tables say all of it: `AFTER`, how an event leaves its
turn, and `WAITING`, what a turn in that position waits for. `TurnWaits` walks along a turn's events with them and says
which waits open and close. `cut` then divides a wait among the states of the station it waits for: late news of a
station changes the division and never the wait (recompute, never edit).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any
from uuid import UUID

from jitapp.kanban.events import Event
from jitapp.kanban.state import Turn
from jitapp.kanban.vocabulary import Party, SignalState, SupplyStatus
from jitapp.kanban.worktime import WorkCalendar

REFUSED = "wait.refused"  # no event of the ledger: a handoff that the receiver could not take


@dataclass(frozen=True, slots=True)
class After:
    """How an event leaves its turn. None: as the event itself says (`state`, `step`, `owner` among its facts)."""

    state: SignalState | None = None
    step: str | None = None
    owner: Party | None = None


_ON_THE_WAY = SignalState.RELEASED  # once work has begun the step alone counts
AFTER: dict[str, After] = {
    "turn.opened": After(step=""),
    "turn.released": After(SignalState.RELEASED, ""),
    "turn.acknowledged": After(SignalState.ACKNOWLEDGED, ""),
    "turn.rejected": After(SignalState.REJECTED, ""),
    "turn.doc_asked": After(SignalState.PENDING_DOC, ""),
    "turn.started": After(_ON_THE_WAY, SupplyStatus.IN_PROCESS),
    "turn.completed": After(_ON_THE_WAY, SupplyStatus.COMPLETED),
    "turn.shipped": After(_ON_THE_WAY, SupplyStatus.IN_TRANSIT),
    "turn.docked": After(_ON_THE_WAY, SupplyStatus.IN_TRANSIT, Party.RECEIVING),
    "turn.aborted": After(step=""),
    "turn.corrected": After(),
    "turn.reverted": After(),
    "turn.recovered": After(),
    "turn.short": After(SignalState.UNRELEASED, ""),
    "turn.recalled": After(),
    "turn.resumed": After(),
    "turn.failed": After(),
}
# Events that end the turn, and with it whatever it waited for.
ENDS = frozenset({"turn.received", "turn.cancelled"})
# Events that change neither whether the turn moves nor whom it waits for.
SILENT = frozenset({"turn.promised", "turn.documented"})

# What a turn waits for before anybody has begun to fill it, and who must act where the event does not say.
WAITING: dict[SignalState, tuple[str, Party]] = {
    SignalState.UNRELEASED: ("withheld", Party.STATION),
    SignalState.ACCUMULATING: ("accumulate", Party.PLANNER),
    SignalState.PENDING_DOC: ("doc", Party.BUYER),
    SignalState.REJECTED: ("rejected", Party.BUYER),
    SignalState.RELEASED: ("queue", Party.STATION),
    SignalState.ACKNOWLEDGED: ("queue", Party.STATION),
}
# Where a supplier fills, nobody of ours sees its queue: first its answer is missing, then the goods.
AT_A_SUPPLIER: dict[SignalState, tuple[str, Party]] = {
    SignalState.RELEASED: ("ack", Party.SUPPLIER),
    SignalState.ACKNOWLEDGED: ("supplier", Party.SUPPLIER),
}
# What it waits for once filling has begun; a step that is not here is moving.
STANDING: dict[str, tuple[str, Party]] = {SupplyStatus.COMPLETED: ("collect", Party.HANDLER)}
# Whoever holds a card or stands at the dock comes before all of these.
FIRST: dict[str, str] = {Party.PERSON: "held", Party.RECEIVING: "put_away"}
ERROR = ("error", Party.BUYER)  # before everything: nothing else helps until it is put right
SHORT = ("supply_short", Party.STATION)  # no full container in the supermarket
NOT_READY = ("receiver_not_ready", Party.RECEIVING)
REASONS: tuple[str, ...] = tuple(
    dict.fromkeys(
        [
            *(reason for table in (WAITING, AT_A_SUPPLIER, STANDING) for reason, _ in table.values()),
            *FIRST.values(),
            ERROR[0],
            SHORT[0],
            NOT_READY[0],
        ]
    )
)


def waiting_for(supplier: bool, state: str, step: str, owner: str) -> tuple[str, str] | None:
    """(reason, who must act) of an open turn in this position; None: it moves, being made or on its way.

    `supplier`: its supply source is one. `owner` is who must act by rule C10; empty: the one the table names.
    """
    if owner in FIRST:
        return FIRST[owner], owner
    if step:
        found = STANDING.get(step)
    else:
        signal = SignalState(state or SignalState.RELEASED)
        found = (AT_A_SUPPLIER.get(signal) if supplier else None) or WAITING[signal]
    return (found[0], owner or found[1]) if found else None


def due_of(supplier: bool, turn: Turn) -> tuple[str, str] | None:
    """What an open turn waits for by its present state alone: the proof of what its events led to."""
    if turn.failed:
        return ERROR[0], turn.owner or ERROR[1]
    if turn.short and turn.owner not in FIRST:
        return SHORT[0], turn.owner or SHORT[1]
    return waiting_for(supplier, turn.signal_state, turn.step, turn.owner)


def after(supplier: bool, event: Mapping[str, Any]) -> tuple[str, str] | None:
    """What the turn of an event waits for from then on; None: it moves, or its end has come."""
    name = event["type"]
    if name == REFUSED:
        return NOT_READY
    if name in ENDS:
        return None
    if name == "turn.failed" or event.get("failed"):
        return ERROR[0], event.get("owner") or ERROR[1]
    if (name == "turn.short" or event.get("short")) and event.get("owner") not in FIRST:
        return SHORT[0], event.get("owner") or SHORT[1]
    left = AFTER[name]
    state = left.state if left.state is not None else event.get("state", "")
    if name == "turn.recalled" and event.get("withheld"):
        state = SignalState.UNRELEASED
    step = left.step if left.step is not None else event.get("step", "")
    return waiting_for(supplier, state, step, event.get("owner") or left.owner or "")


# -- along the events of a turn ------------------------------------------------------------------------
@dataclass(slots=True)
class Wait:
    """One wait. `opened_seq` and `closed_seq` number the events of the loop that began and ended it."""

    id: UUID
    reason: str
    owner: str
    opened_at: datetime
    opened_seq: int
    closed_at: datetime | None = None
    closed_seq: int | None = None
    is_new: bool = True  # not in the table yet


@dataclass(slots=True)
class TurnWaits:
    """The waits of one turn: the open one, and the number of the newest event that began or ended one (`seen`).

    Events up to `seen` have had their effect: taken again they change nothing. `changed` has what is new or has ended,
    in order.
    """

    open: Wait | None = None
    seen: int = 0
    changed: list[Wait] = field(default_factory=list)

    def take(self, supplier: bool, events: Iterable[Mapping[str, Any]], new_uuid: Callable[[], UUID]) -> None:
        """One message's events of this turn, in order. A wait of no length within a message is none."""
        born: list[Wait] = []
        for event in events:
            name, seq = event["type"], int(event.get("seq", 0))
            if name not in AFTER and name not in ENDS and name != REFUSED:
                continue
            refused = name == REFUSED
            # A refusal is no event: it comes after the newest one there was.
            if seq and (seq < self.seen if refused else seq <= self.seen):
                continue
            found = after(supplier, event)
            if self.open is not None and found == (self.open.reason, self.open.owner):
                continue  # it goes on waiting for the same
            at = datetime.fromisoformat(event["at"])
            if self.open is not None:
                self._close(at, seq, born)
            if found is not None:
                self.open = Wait(new_uuid(), *found, opened_at=at, opened_seq=seq)
                born.append(self.open)
                self.changed.append(self.open)
                self.seen = max(self.seen, seq)

    def _close(self, at: datetime, seq: int, born: list[Wait]) -> None:
        ended = self.open
        assert ended is not None
        self.open = None
        if ended in born and at <= ended.opened_at:
            self.changed.remove(ended)
            return
        ended.closed_at, ended.closed_seq = max(at, ended.opened_at), seq
        self.seen = max(self.seen, seq)
        if ended not in self.changed:
            self.changed.append(ended)


def opened(wait: Wait, *, card_id: int, number: int, turn: UUID, seq: int) -> Event:
    """The event that a wait begins with; `because` numbers the loop's event that began it."""
    return Event(
        type="wait.opened",
        occurred_at=wait.opened_at,
        card_id=card_id,
        turn_number=number,
        turn=turn,
        data={
            "wait": str(wait.id),
            "reason": wait.reason,
            "owner": str(wait.owner),
            "because": wait.opened_seq,
        },
        seq=seq,
    )


def closed(wait: Wait, calendar: WorkCalendar, *, card_id: int, number: int, turn: UUID, seq: int) -> Event:
    """The event that a wait ends with: how long it was by the clock, and in working minutes of the calendar."""
    assert wait.closed_at is not None
    return Event(
        type="wait.closed",
        occurred_at=wait.closed_at,
        card_id=card_id,
        turn_number=number,
        turn=turn,
        data={
            "wait": str(wait.id),
            "reason": wait.reason,
            "owner": str(wait.owner),
            "opened_at": wait.opened_at.isoformat(),
            "minutes": round((wait.closed_at - wait.opened_at).total_seconds() / 60, 1),
            "working_minutes": round(calendar.working_minutes_between(wait.opened_at, wait.closed_at), 1),
            "because": wait.closed_seq,
        },
        seq=seq,
    )


# -- whose the minutes of a wait are -------------------------------------------------------------------
class Halt(StrEnum):
    """What keeps a station from working on the cards that wait for it."""

    CLOSED = "closed"  # outside the working time of its calendar
    PLANNED_STOP = "planned_stop"
    DOWN = "down"
    QUALITY = "quality"
    SETUP = "setup"
    NO_OPERATOR = "no_operator"
    STARVED = "starved"


# Where several are true at once the first counts: what makes the later ones beside the point stands before them. A
# closed plant needs no repair, a machine that is down cannot be set up, and one without an operator misses no parts.
PRECEDENCE: tuple[Halt, ...] = (
    Halt.CLOSED,
    Halt.PLANNED_STOP,
    Halt.DOWN,
    Halt.QUALITY,
    Halt.SETUP,
    Halt.NO_OPERATOR,
    Halt.STARVED,
)
_RANK = {halt: rank for rank, halt in enumerate(PRECEDENCE)}
# Who must act while a station stands still; for STARVED it is whoever must act upstream.
OWNERS: dict[Halt, Party] = {
    Halt.CLOSED: Party.PLANNER,
    Halt.PLANNED_STOP: Party.PLANNER,
    Halt.DOWN: Party.MAINTAINER,
    Halt.QUALITY: Party.QUALITY,
    Halt.SETUP: Party.STATION,
    Halt.NO_OPERATOR: Party.LEADER,
    Halt.STARVED: Party.STATION,
}
# Only a card in the station's queue waits for the station: what is left of its wait is `queue`, the station working on
# another card. Every other wait has a reason of its own, which a machine that is down does not change; nobody can act
# on any of them while the plant is closed.
CUT_BY: dict[str, frozenset[Halt]] = {"queue": frozenset(Halt)}
ALWAYS_CUT_BY = frozenset({Halt.CLOSED})


@dataclass(frozen=True, slots=True)
class State:
    """A stretch of time in which a station could not work; `end` None: it goes on. `who` is a name, if known."""

    kind: Halt
    begin: datetime
    end: datetime | None = None
    owner: str = ""
    who: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a wait: its reason, and who had to act."""

    reason: str
    owner: str
    begin: datetime
    end: datetime
    who: str = ""

    @property
    def length(self) -> timedelta:
        return self.end - self.begin


def cut(
    begin: datetime,
    end: datetime,
    *,
    reason: str,
    owner: str,
    states: Iterable[State] = (),
    who: str = "",
) -> list[Segment]:
    """Divides the wait [begin, end) among the station's states: every instant once, no gap, nothing unattributed.

    In order of time; neighbours differ. What no state explains keeps the wait's own reason and owner. Empty for a wait
    of no length.
    """
    allowed = CUT_BY.get(reason, ALWAYS_CUT_BY)
    starts: dict[datetime, list[State]] = {}
    ends: dict[datetime, list[State]] = {}
    bounds = {begin, end}
    for state in states:
        first, last = max(state.begin, begin), min(state.end or end, end)
        if state.kind in allowed and first < last:
            starts.setdefault(first, []).append(state)
            ends.setdefault(last, []).append(state)
            bounds |= {first, last}
    segments: list[Segment] = []
    active: list[State] = []
    for left, right in pairwise(sorted(bounds)) if begin < end else ():
        active += starts.get(left, ())
        for state in ends.get(left, ()):
            active.remove(state)
        top = min(active, key=lambda state: (_RANK[state.kind], state.begin), default=None)
        name = (reason, owner, who) if top is None else (top.kind.value, who_must(top), top.who)
        before = segments[-1] if segments else None
        if before is not None and (before.reason, before.owner, before.who) == name:
            segments[-1] = Segment(*name[:2], before.begin, right, name[2])
        else:
            segments.append(Segment(*name[:2], left, right, name[2]))
    return segments


def who_must(state: State) -> str:
    """Who must act while the station is in this state."""
    return state.owner or OWNERS[state.kind]


def totals(segments: Iterable[Segment]) -> dict[str, timedelta]:
    """Time per reason, the longest first; their sum is all the waiting there was."""
    found: dict[str, timedelta] = {}
    for segment in segments:
        found[segment.reason] = found.get(segment.reason, timedelta(0)) + segment.length
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def worst(halts: Iterable[State]) -> State | None:
    """The state that counts among those of one instant."""
    return min(halts, key=lambda state: (_RANK[state.kind], state.begin), default=None)
