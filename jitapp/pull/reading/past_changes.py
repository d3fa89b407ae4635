"""What changed in an area between two instants, loop by loop: how it stood, how it stands, what happened between.

The facts are plain values: a handover keeps them as both people saw them (pull.Handover), and a page says them in the
language of whoever reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from jitapp.pull.reading.board import board
from jitapp.pull.reading.board_row import BoardRow
from jitapp.pull.reading.past import board_then
from jitapp.pull.reading.past_marks import RunoutMark, call_marks, loops_of, runout_marks

URGENT = ("out", "act", "soon")


class Side(msgspec.Struct, frozen=True):
    """A loop at one instant: its state, the usable containers of those that take part, the pieces in them, who must
    act and why."""

    state: str
    usable: int
    circulating: int
    pieces: Decimal
    owner_party: str
    owner_name: str
    why_code: str
    hold_reason: str


class LoopChange(msgspec.Struct, frozen=True):
    """A loop then and now; None: it was not, or is not, on the board. `came` and `went` number cards; `waits`: whoever
    must act now had to at the first instant already."""

    loop_id: int
    part: str
    description: str
    unit: str
    then: Side | None
    now: Side | None
    owner_since: datetime | None
    dry_since: datetime | None
    refill_at: datetime | None
    late: int  # open turns past their due time
    runouts: tuple[tuple[datetime, datetime | None], ...]
    came: tuple[int, ...]
    went: tuple[int, ...]
    waits: bool

    @property
    def is_one(self) -> bool:
        """Whether anything changed that people would call a change."""
        if self.runouts or self.came or self.went or self.then is None or self.now is None:
            return True
        return self._told(self.then) != self._told(self.now)

    @staticmethod
    def _told(side: Side) -> tuple[object, ...]:
        return (
            side.state,
            side.usable,
            side.circulating,
            side.pieces,
            side.owner_party,
            side.owner_name,
            side.hold_reason,
        )


class CallChange(msgspec.Struct, frozen=True):
    """A call that was open at any time between; `ended_at` None: it is open."""

    station: str
    kind: str
    note: str
    began_at: datetime
    ended_at: datetime | None
    stops_line: bool
    taken_by: str


class Changes(msgspec.Struct, frozen=True):
    """What changed in an area. `loops` has all of them, most urgent now first."""

    since: datetime
    until: datetime
    loops: tuple[LoopChange, ...]
    calls: tuple[CallChange, ...]


def changes(area: str, since: datetime, until: datetime, *, is_now: bool) -> Changes:
    """From `since` to `until`; `is_now`: the later end is the board of now."""
    before = {row.loop_id: row for row in board_then(area, since).rows}
    after = board(area, now=until).rows if is_now else board_then(area, until).rows
    between: dict[int, list[RunoutMark]] = defaultdict(list)
    for mark in runout_marks(loops_of(area), since, until):
        between[mark.loop_id].append(mark)
    now = {row.loop_id: row for row in after}
    order = [*(row.loop_id for row in after), *(loop for loop in before if loop not in now)]
    return Changes(
        since=since,
        until=until,
        loops=tuple(_change(before.get(loop), now.get(loop), between[loop], until) for loop in order),
        calls=tuple(
            CallChange(
                station=call.station,
                kind=call.kind,
                note=call.note,
                began_at=call.began_at,
                ended_at=_by(call.ended_at, until),
                stops_line=call.stops_line,
                taken_by=call.taken_by,
            )
            for call in call_marks(area, since, until)
        ),
    )


def _by(at: datetime | None, until: datetime) -> datetime | None:
    """An end that had come by then."""
    return at if at is not None and at <= until else None


def _change(
    then: BoardRow | None, now: BoardRow | None, runouts: Sequence[RunoutMark], until: datetime
) -> LoopChange:
    row = now or then
    assert row is not None
    cards_then, cards_now = _numbers(then), _numbers(now)
    return LoopChange(
        loop_id=row.loop_id,
        part=row.part,
        description=row.description or row.loop,
        unit=row.unit,
        then=_side(then),
        now=_side(now),
        owner_since=row.owner_since,
        dry_since=row.runout_since,
        refill_at=row.refill_at,
        late=row.late,
        runouts=tuple((mark.began_at, _by(mark.ended_at, until)) for mark in runouts),
        came=tuple(sorted(cards_now[code] for code in cards_now.keys() - cards_then.keys())) if then else (),
        went=tuple(sorted(cards_then[code] for code in cards_then.keys() - cards_now.keys())) if now else (),
        waits=_waits(then, now),
    )


def _waits(then: BoardRow | None, now: BoardRow | None) -> bool:
    if then is None or now is None or not now.owner_party or now.state == "held" or now.owner_since is None:
        return False
    return (then.owner, then.owner_since) == (now.owner, now.owner_since)


def _numbers(row: BoardRow | None) -> Mapping[str, int]:
    return {tile.code: tile.number for tile in row.tiles} if row is not None else {}


def _side(row: BoardRow | None) -> Side | None:
    if row is None:
        return None
    pieces = sum((tile.contents for tile in row.tiles if tile.word in ("FULL", "IN_USE")), Decimal(0))
    return Side(
        state=row.state,
        usable=row.usable,
        circulating=row.circulating,
        pieces=pieces,
        owner_party=row.owner_party,
        owner_name=row.owner_name,
        why_code=row.why_code,
        hold_reason=row.hold_reason,
    )
