"""The stations of the flow map, now or at an instant: what they have in work, what waits there, and what they stand
still for; reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jitapp.kanban.conditions import MAY_FILL
from jitapp.kanban.waits import PRECEDENCE
from jitapp.plant.configs import configs
from jitapp.plant.models import Plant
from jitapp.pull.models import Turn
from jitapp.pull.reading import waits
from jitapp.pull.reading.records import Record, read_rows

_STATIONS = """
SELECT s.id, s.code, s.name, s.kind, s.position, s.wip_limit, coalesce(sup.name, '') AS supplier,
       (SELECT count(*) FROM pull_turn t WHERE t.supply_id = s.id AND t.closed_at IS NULL
           AND t.step = 'IN_PROCESS') AS in_work,
       (SELECT count(*) FROM pull_turn t WHERE t.supply_id = s.id AND t.closed_at IS NULL
           AND t.step = '' AND t.signal_state = ANY(%s) AND t.failed = '') AS queue
  FROM plant_station s LEFT JOIN plant_supplier sup ON sup.id = s.supplier_id
 WHERE s.plant_id = %s
 ORDER BY s.position, s.code
"""
_STATIONS_THEN = """
SELECT s.id, s.code, s.name, s.kind, s.position, s.wip_limit, coalesce(sup.name, '') AS supplier,
       count(t.id) FILTER (WHERE t.started_at <= %(at)s) AS in_work,
       count(t.id) FILTER (WHERE t.started_at IS NULL OR t.started_at > %(at)s) AS queue
  FROM plant_station s
  LEFT JOIN plant_supplier sup ON sup.id = s.supplier_id
  LEFT JOIN pull_turn t ON t.supply_id = s.id AND t.released_at <= %(at)s AND t.failed = ''
       AND least(t.completed_at, t.loaded_at, t.closed_at, 'infinity'::timestamptz) > %(at)s
 WHERE s.plant_id = %(plant)s
 GROUP BY s.id, sup.name
 ORDER BY s.position, s.code
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """A median in working minutes, and of how many turns."""

    minutes: float
    turns: int


@dataclass(frozen=True, slots=True)
class FlowStation:
    """A station on the map; `queue` counts the cards that it may begin, `halt` is what it stands still for."""

    code: str
    name: str
    kind: str
    supplier: str
    position: int
    wip_limit: int | None
    in_work: int
    queue: int
    make: Measured | None  # of all its loops' turns together
    halt: str
    halt_since: datetime | None


def stations_of(
    plant: Plant, loops: Sequence[Record], make_of: Mapping[str, Measured], at: datetime, *, past: bool
) -> tuple[tuple[FlowStation, ...], tuple[tuple[str, str], ...]]:
    """Those that the loops name, along the flow; and the others, as (code, name)."""
    named = {code for loop in loops for code in (loop.supply, loop.demand)}
    if past:
        rows = read_rows(_STATIONS_THEN, {"at": at, "plant": plant.pk})
    else:
        rows = read_rows(_STATIONS, [sorted(MAY_FILL), plant.pk])
    here = {row.id for row in rows if row.code in named}
    halts = halts_then(here, at) if past else halts_now(here, at)
    drawn = tuple(
        FlowStation(
            code=row.code,
            name=row.name,
            kind=row.kind,
            supplier=row.supplier,
            position=row.position,
            wip_limit=row.wip_limit,
            in_work=row.in_work,
            queue=row.queue,
            make=make_of.get(row.code),
            halt=halts[row.id][0] if row.id in halts else "",
            halt_since=halts[row.id][1] if row.id in halts else None,
        )
        for row in rows
        if row.code in named
    )
    return drawn, tuple((row.code, row.name) for row in rows if row.code not in named)


def halts_now(station_ids: Iterable[int], now: datetime) -> dict[int, tuple[str, datetime]]:
    """(what it stands still for, since when) of each station that does: the first in the order of precedence. A
    station starves when a component of a card that waits there has run out."""
    ids = set(station_ids)
    waiting = Turn.objects.filter(
        supply__in=ids, closed_at__isnull=True, step="", signal_state__in=MAY_FILL
    ).values_list("loop_id", flat=True)
    return _halts(ids, set(waiting), now)


def halts_then(station_ids: Iterable[int], at: datetime) -> dict[int, tuple[str, datetime]]:
    """The same at an instant, by what is known of it now."""
    ids = set(station_ids)
    asked = Turn.objects.filter(supply__in=ids, released_at__lte=at, failed="")
    waiting = asked.exclude(started_at__lte=at).exclude(completed_at__lte=at).exclude(closed_at__lte=at)
    return _halts(ids, set(waiting.values_list("loop_id", flat=True)), at)


def _halts(ids: set[int], waiting: set[int], at: datetime) -> dict[int, tuple[str, datetime]]:
    soon = at + timedelta(microseconds=1)
    states = waits.halts(ids, at, soon)
    settings = configs()
    of = [settings.loops[loop_id] for loop_id in waiting if loop_id in settings.loops]
    for loop_id, lacking in waits.starved(of, settings, at, soon).items():
        states.setdefault(settings.loops[loop_id].supply_id, []).extend(lacking)
    found = {}
    for station, all_ in states.items():
        if all_:
            first = min(all_, key=lambda state: (PRECEDENCE.index(state.kind), state.begin))
            found[station] = (str(first.kind), first.begin)
    return found
