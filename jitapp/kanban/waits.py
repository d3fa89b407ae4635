"""Waits: an interval in which an open turn does not move, from which event to which, for what reason.

The turn itself keeps the stretches of its life (standing.py); those in which it stands still are its waits. `TurnWaits`
brings the table of waits up to them. `cut` then divides a wait among the states of the station it waits for: late news
of a station changes the division and never the wait (recompute, never edit).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from uuid import UUID

from jitapp.kanban.events.base import Entry
from jitapp.kanban.events.loops import WaitClosed, WaitOpened
from jitapp.kanban.standing import MOVING, NOT_READY
from jitapp.kanban.state import Stretch, Turn
from jitapp.kanban.vocabulary import Party
from jitapp.kanban.worktime import WorkCalendar


def due_of(turn: Turn) -> tuple[str, str] | None:
    """What an open turn waits for by its present state: (reason, who must act); None: it moves."""
    return None if turn.standing in MOVING else (turn.standing, turn.owner)


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

    Stretches up to `seen` have had their effect: taken again they change nothing. `until` is how far the waits on
    record reach: what is told late begins and ends no wait before it. `changed` has what is new or has ended, in order.
    """

    open: Wait | None = None
    seen: int = 0
    until: datetime | None = None
    changed: list[Wait] = field(default_factory=list)

    def take(self, stretches: Sequence[Stretch], new_uuid: Callable[[], UUID]) -> None:
        """Follows the turn along the stretches of its life that it has not seen; one of no length is no wait."""
        for place, stretch in enumerate(stretches):
            if stretch.seq <= self.seen:
                continue
            following = stretches[place + 1] if place + 1 < len(stretches) else None
            waits = bool(stretch.reason) and stretch.reason not in MOVING
            found = (stretch.reason, stretch.owner) if waits else None
            if self.open is not None and found == (self.open.reason, self.open.owner):
                self.seen = stretch.seq
                continue  # it goes on waiting for the same
            since = max(stretch.since, self.until or stretch.since)
            self._end(since, stretch.seq)
            if found is not None and (following is None or following.since > since):
                self._begin(found, since, stretch.seq, new_uuid)

    def refuse(self, at: datetime, seq: int, new_uuid: Callable[[], UUID]) -> None:
        """A handoff that the receiver could not take (F3): the receiver must make room. `seq` numbers the loop's
        newest event at that time; a refusal is none itself."""
        if seq < self.seen or self.open is None or self.open.reason == NOT_READY[0]:
            return
        at = max(at, self.open.opened_at)
        self._end(at, seq)
        self._begin((NOT_READY[0], str(NOT_READY[1])), at, seq, new_uuid)

    def _begin(self, found: tuple[str, str], at: datetime, seq: int, new_uuid: Callable[[], UUID]) -> None:
        self.open = Wait(new_uuid(), *found, opened_at=at, opened_seq=seq)
        self.changed.append(self.open)
        self.seen, self.until = max(self.seen, seq), at

    def _end(self, at: datetime, seq: int) -> None:
        ended, self.open = self.open, None
        self.seen = max(self.seen, seq)
        if ended is None:
            return
        ended.closed_at, ended.closed_seq = max(at, ended.opened_at), seq
        self.until = ended.closed_at
        if ended not in self.changed:
            self.changed.append(ended)


def opened(wait: Wait, *, card_id: int, number: int, turn: UUID, seq: int) -> Entry:
    """The entry that a wait begins with; `because` numbers the loop's event that began it."""
    event = WaitOpened(wait=wait.id, reason=wait.reason, owner=wait.owner, because=wait.opened_seq)
    return Entry(
        event=event, occurred_at=wait.opened_at, card_id=card_id, turn_number=number, turn=turn, seq=seq
    )


def closed(wait: Wait, calendar: WorkCalendar, *, card_id: int, number: int, turn: UUID, seq: int) -> Entry:
    """The entry that a wait ends with: how long it was by the clock, and in working minutes of the calendar."""
    assert wait.closed_at is not None
    assert wait.closed_seq is not None
    event = WaitClosed(
        wait=wait.id,
        reason=wait.reason,
        owner=wait.owner,
        opened_at=wait.opened_at,
        minutes=round((wait.closed_at - wait.opened_at).total_seconds() / 60, 1),
        working_minutes=round(calendar.working_minutes_between(wait.opened_at, wait.closed_at), 1),
        because=wait.closed_seq,
    )
    return Entry(
        event=event, occurred_at=wait.closed_at, card_id=card_id, turn_number=number, turn=turn, seq=seq
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
