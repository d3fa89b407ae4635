"""The flow of a plant: its stations, the loops between them as boards show them, and how long each step takes, measured
from the newest turns; reads only.

A map is some ten statements whatever the number of loops: those of a board, the stations, the bills, the newest closed
turns, and what the stations stand still for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from jitapp.kanban.vocabulary import Accumulate, LoopStatus, StationKind
from jitapp.kanban.worktime import WorkCalendar
from jitapp.plant.models import BillOfMaterials, Plant
from jitapp.pull.reading.board import board_rows
from jitapp.pull.reading.board_row import BoardRow
from jitapp.pull.reading.flow_stations import FlowStation, Measured, stations_of
from jitapp.pull.reading.past import rows_then
from jitapp.pull.reading.projections import LEARNED_FROM, Calendars, in_force
from jitapp.pull.reading.records import Record, read_rows

MEASURED_FROM = 20  # newest closed turns of a loop
# What is measured of a turn: until it is begun, while it is made, until it is back, and until its container is empty.
QUEUE, MAKE, MOVE, STAND, REFILL = "queue", "make", "move", "stand", "refill"

_LOOPS = """
SELECT l.id, l.code, l.kind, l.accumulate, l.triangle_quantity IS NOT NULL AS has_triangle, p.number AS part, l.part_id,
       s.code AS supply, s.kind AS supply_kind, d.code AS demand, d.kind AS demand_kind, l.plant_id AS plant,
       d.calendar_id AS demand_calendar, coalesce(s.calendar_id, sup.calendar_id) AS supply_calendar
  FROM plant_loop l
  JOIN plant_part p ON p.id = l.part_id
  JOIN plant_station s ON s.id = l.supply_id
  JOIN plant_station d ON d.id = l.demand_id
  LEFT JOIN plant_supplier sup ON sup.id = s.supplier_id
 WHERE l.plant_id = %s AND l.status = ANY(%s)
 ORDER BY s.position, s.code, p.number, l.code
"""
_TURNS = """
SELECT l.id AS loop_id, h.* FROM unnest(%s::bigint[]) AS l(id)
 CROSS JOIN LATERAL (
       SELECT t.opened_at, t.released_at, t.started_at, t.completed_at, t.closed_at,
              (SELECT n.opened_at FROM pull_turn n
                WHERE n.card_id = t.card_id AND n.number = t.number + 1 AND n.opened_at <= %s) AS emptied_at
         FROM pull_turn t
        WHERE t.loop_id = l.id AND t.released_at IS NOT NULL AND t.signal_state = 'CLOSED' AND t.closed_at <= %s
        ORDER BY t.released_at DESC LIMIT %s) AS h
"""
# Changes with every event of a loop, every change of master data, and when the database was restored.
_VERSION = """
SELECT coalesce(sum(st.seq), 0) AS events, count(*) AS loops, (SELECT max(number) FROM plant_epoch) AS epoch,
       (SELECT coalesce(max(era), 0) FROM pull_history) AS era,
       (SELECT concat(count(*) FILTER (WHERE x.ended_at IS NULL), '-', max(x.id)) FROM pull_stationstate x
          JOIN plant_station s ON s.id = x.station_id WHERE s.plant_id = %s) AS states,
       (SELECT concat(count(*), '-', max(c.id)) FROM pull_andoncall c JOIN plant_station s ON s.id = c.station_id
         WHERE s.plant_id = %s AND c.solved_at IS NULL AND c.stops_line) AS stops
  FROM pull_loopstate st JOIN plant_loop l ON l.id = st.loop_id WHERE l.plant_id = %s
"""


@dataclass(frozen=True, slots=True)
class FlowLoop:
    """A loop on the map, as its board shows it, with what was measured of its turns by step."""

    row: BoardRow
    kind: str
    supply: str
    demand: str
    part: str
    gathers: bool  # its cards wait for a batch
    has_triangle: bool  # a signal kanban
    times: Mapping[str, Measured]


@dataclass(frozen=True, slots=True)
class Flow:
    """The map. `way` names the loops of the longest measured way to the customer, from its beginning on; `finished`
    the parts that nothing is made of; `unplaced` stations that no loop names, as (code, name)."""

    as_of: datetime
    part: str
    stations: tuple[FlowStation, ...]
    loops: tuple[FlowLoop, ...]
    way: tuple[FlowLoop, ...]
    finished: tuple[str, ...]
    unplaced: tuple[tuple[str, str], ...]


class UnknownPart(LookupError):
    """No loop of the plant moves a part of that number."""


def version_of(plant: Plant) -> str:
    """Another one as soon as something on the map may have changed; time alone changes it not."""
    row = read_rows(_VERSION, [plant.pk] * 3)[0]
    return ".".join(str(each) for each in row)


def flow_of(plant: Plant, *, part: str = "", now: datetime, past: bool = False) -> Flow:
    """The plant's map, or with a part number what it is made of and what is made of it. Raises UnknownPart.

    With `past` as it was at the instant `now`, by what is known of it today; stations, bills and where a loop leads are
    those of today.
    """
    statuses = [LoopStatus.ACTIVE, LoopStatus.ON_HOLD, *([LoopStatus.RETIRED] if past else [])]
    loops, bill = read_rows(_LOOPS, [plant.pk, statuses]), _bill(plant)
    finished = _finished(loops, bill)
    if part:
        wanted = _around(part, bill)
        loops = [loop for loop in loops if loop.part in wanted]
        if not any(loop.part == part for loop in loops):
            raise UnknownPart(part)
    ids = [loop.id for loop in loops]
    rows = {row.loop_id: row for row in (rows_then(ids, now).rows if past else board_rows(ids, now=now))}
    loops = [loop for loop in loops if loop.id in rows]
    measured, make_of = _measure(loops, now)
    drawn = tuple(
        FlowLoop(
            row=rows[loop.id],
            kind=loop.kind,
            supply=loop.supply,
            demand=loop.demand,
            part=loop.part,
            gathers=loop.accumulate != Accumulate.NONE,
            has_triangle=loop.has_triangle,
            times=measured[loop.id],
        )
        for loop in loops
    )
    stations, unplaced = stations_of(plant, loops, make_of, now, past=past)
    return Flow(
        as_of=now,
        part=part,
        stations=stations,
        loops=drawn,
        way=way_of(drawn, {station.code: station.kind for station in stations}, bill),
        finished=finished,
        unplaced=() if part else unplaced,
    )


# -- which loops ------------------------------------------------------------------------------------
def _bill(plant: Plant) -> dict[str, set[str]]:
    """The components of each part, by number."""
    found: dict[str, set[str]] = defaultdict(set)
    lines = BillOfMaterials.objects.filter(parent__plant=plant)
    for parent, component in lines.values_list("parent__number", "component__number"):
        found[parent].add(component)
    return found


def _finished(loops: Sequence[Record], bill: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Parts with a bill of which nothing else is made, as far as a loop moves them."""
    used = {component for components in bill.values() for component in components}
    return tuple(sorted({loop.part for loop in loops if loop.part in bill and loop.part not in used}))


def _around(part: str, bill: Mapping[str, set[str]]) -> set[str]:
    """The part, all it is made of, and all that is made of it."""
    parents: dict[str, set[str]] = defaultdict(set)
    for parent, components in bill.items():
        for component in components:
            parents[component].add(parent)
    return _reached(part, bill) | _reached(part, parents)


def _reached(start: str, steps: Mapping[str, set[str]]) -> set[str]:
    found, open_ = {start}, [start]
    while open_:
        for other in steps.get(open_.pop(), ()):
            if other not in found:
                found.add(other)
                open_.append(other)
    return found


# -- what was measured --------------------------------------------------------------------------------
def _measure(
    loops: Sequence[Record], now: datetime
) -> tuple[dict[int, dict[str, Measured]], dict[str, Measured]]:
    """Medians per loop and step, and those of making per station."""
    history: dict[int, list[Record]] = defaultdict(list)
    for turn in read_rows(_TURNS, [[loop.id for loop in loops], now, now, MEASURED_FROM]):
        history[turn.loop_id].append(turn)
    calendars = Calendars(list(loops))
    found: dict[int, dict[str, Measured]] = {}
    making: dict[str, list[float]] = defaultdict(list)
    for loop in loops:
        turns = history[loop.id]
        supply = in_force(calendars.of_supply(loop), turns, now)
        demand = in_force(calendars.of_demand(loop), turns, now)
        minutes = minutes_of(turns, supply, demand)
        if loop.supply_kind == StationKind.PROCESS:
            making[loop.supply] += minutes[MAKE]
        found[loop.id] = _medians(minutes)
    return found, {
        station: each[MAKE] for station, all_ in making.items() if (each := _medians({MAKE: all_}))
    }


def minutes_of(turns: Iterable[Record], supply: WorkCalendar, demand: WorkCalendar) -> dict[str, list[float]]:
    """Working minutes of each step of closed turns.

    A step that was implied by a later scan has the instant of that scan and was not measured: where a turn was begun
    and finished in one scan, nobody knows what of its time was waiting and what was work. In the supply station's
    working time but for the standing of the full container, which is in the demand station's.
    """
    found: dict[str, list[float]] = {QUEUE: [], MAKE: [], MOVE: [], STAND: [], REFILL: []}
    for turn in turns:
        between = supply.working_minutes_between
        found[REFILL].append(between(turn.released_at, turn.closed_at))
        made_at = turn.completed_at or turn.closed_at
        if turn.started_at is not None and turn.started_at < made_at:
            found[QUEUE].append(between(turn.released_at, turn.started_at))
            found[MAKE].append(between(turn.started_at, made_at))
        if turn.completed_at is not None and turn.completed_at < turn.closed_at:
            found[MOVE].append(between(turn.completed_at, turn.closed_at))
        if turn.emptied_at is not None and turn.emptied_at > turn.closed_at:
            found[STAND].append(demand.working_minutes_between(turn.closed_at, turn.emptied_at))
    return found


def _medians(minutes: Mapping[str, list[float]]) -> dict[str, Measured]:
    return {
        step: Measured(median(each), len(each)) for step, each in minutes.items() if len(each) >= LEARNED_FROM
    }


# -- the way of the ladder ----------------------------------------------------------------------------
def way_of(
    loops: Sequence[FlowLoop], kinds: Mapping[str, str], bill: Mapping[str, set[str]]
) -> tuple[FlowLoop, ...]:
    """The longest way by measured minutes, and among those of the same length the one of most loops: to the customer
    where there is one. A loop follows another where its supply station uses what the other one brings."""
    into: dict[str, list[FlowLoop]] = defaultdict(list)
    for loop in loops:
        into[loop.demand].append(loop)

    def feeding(loop: FlowLoop) -> list[FlowLoop]:
        all_ = into[loop.supply]
        if kinds.get(loop.supply) == StationKind.SUPERMARKET:
            return [each for each in all_ if each.part == loop.part]
        used = bill.get(loop.part, set())
        return [each for each in all_ if each.part in used] if used else all_

    ways = _Longest(feeding, kinds)
    ends = [loop for loop in loops if kinds.get(loop.demand) == StationKind.SHIPPING] or list(loops)
    best = max(ends, key=lambda loop: (*ways.length(loop), loop.part, loop.row.loop), default=None)
    return ways.to(best) if best is not None else ()


def spent(loop: FlowLoop, kinds: Mapping[str, str]) -> float:
    """Measured minutes that material spends with this loop: made at a station of ours, moved, and standing full."""
    steps = (MAKE, MOVE, STAND) if kinds.get(loop.supply) == StationKind.PROCESS else (STAND,)
    return sum(loop.times[step].minutes for step in steps if step in loop.times)


class _Longest:
    """The longest way that ends with each loop; a way never comes by the same loop twice."""

    def __init__(self, feeding: Callable[[FlowLoop], list[FlowLoop]], kinds: Mapping[str, str]) -> None:
        self._feeding, self._kinds = feeding, kinds
        self._known: dict[int, tuple[float, int]] = {}
        self._from: dict[int, FlowLoop | None] = {}

    def length(self, loop: FlowLoop, above: frozenset[int] = frozenset()) -> tuple[float, int]:
        """(minutes, loops)."""
        number = loop.row.loop_id
        if number in self._known:
            return self._known[number]
        inside = above | {number}
        before = [
            (self.length(each, inside), each)
            for each in self._feeding(loop)
            if each.row.loop_id not in inside
        ]
        (minutes, count), first = max(
            before, key=lambda item: (item[0], item[1].part, item[1].row.loop), default=((0.0, 0), None)
        )
        self._known[number] = minutes + spent(loop, self._kinds), count + 1
        self._from[number] = first
        return self._known[number]

    def to(self, loop: FlowLoop) -> tuple[FlowLoop, ...]:
        """The loops of the way, the first one first."""
        way: list[FlowLoop] = []
        at: FlowLoop | None = loop
        while at is not None and len(way) < len(self._from):
            way.append(at)
            at = self._from[at.row.loop_id]
        return tuple(reversed(way))
