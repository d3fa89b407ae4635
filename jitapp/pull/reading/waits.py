"""Waits as people and programs read them: each cut among the states of the station it waits for; reads only.

The cut is computed at every reading from the waits as they are and from what is known of the stations by then, so that
late news of a station needs no change to a wait. Sources: states of stations (told by people, machines and
changeovers), calls that stop a line, open runouts of components at the station, and its working time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import models

from jitapp.kanban.state import LoopConfig
from jitapp.kanban.vocabulary import Party
from jitapp.kanban.waits import OWNERS, Halt, Segment, State, cut, totals
from jitapp.plant.configs import Configs, configs
from jitapp.plant.models import Station
from jitapp.pull.models import AndonCall, QualityHold, Runout, StationState, Wait

LONGEST_WINDOW = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """A part of a wait; `who` is the name of who must act, where one is known; `minutes` are those of the clock."""

    reason: str
    owner: str
    who: str
    begin: datetime
    end: datetime
    minutes: float


@dataclass(frozen=True, slots=True)
class WaitFacts:
    """An interval in which an open turn does not move: why, and who must act. `segments` cover it exactly once.

    `present_reason` and `present_owner` are those of now; empty once the wait is closed. `working_minutes` are counted
    in the calendar of the supply station.
    """

    id: UUID
    turn: UUID
    loop: str
    card: str
    station: str
    reason: str
    owner: str
    who: str
    opened_at: datetime
    closed_at: datetime | None
    minutes: float
    working_minutes: float
    present_reason: str
    present_owner: str
    present_who: str
    segments: list[SegmentFacts]


@dataclass(frozen=True, slots=True)
class StateFacts:
    """What a station stands still for, since when, and who must act."""

    kind: str
    owner: str
    began_at: datetime
    ended_at: datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class StationStanding:
    """The states of a station that go on now."""

    station: str
    states: list[StateFacts]


@dataclass(frozen=True, slots=True)
class StationWaiting:
    """The waiting before one station in a window: minutes per reason, and their sum."""

    station: str
    area: str
    waits: int
    minutes: float
    reasons: dict[str, float]


@dataclass(frozen=True, slots=True)
class WaitSummary:
    """All waiting in a window [begin, end), by reason and by station; the reasons' minutes are all the minutes."""

    begin: datetime
    end: datetime
    waits: int
    minutes: float
    reasons: dict[str, float]
    stations: list[StationWaiting]


def waits(*, plant_ids: Iterable[int], open_only: bool, after: int, limit: int) -> list[Wait]:
    """Rows in the order of their opening, at most so many."""
    rows = (
        Wait.objects.filter(loop__plant__in=list(plant_ids), pk__gt=after)
        .select_related("loop", "turn__card")
        .order_by("pk")
    )
    if open_only:
        rows = rows.filter(closed_at__isnull=True)
    return list(rows[:limit])


def facts(rows: Sequence[Wait], now: datetime) -> list[WaitFacts]:
    """Waits with their segments; five statements whatever their number."""
    if not rows:
        return []
    cutter = Cutter(
        {row.loop_id for row in rows},
        min(row.opened_at for row in rows),
        max(max(row.closed_at or now, row.opened_at) for row in rows),
    )
    holders = holders_of(row.turn.card_id for row in rows if row.owner == Party.PERSON)
    found = []
    for row in rows:
        config = cutter.settings.loops[row.loop_id]
        end = max(row.closed_at or now, row.opened_at)
        held_by = holders.get(row.turn.card_id, ()) if row.owner == Party.PERSON else ()
        who = next((name for name, since in held_by if since <= row.opened_at), "")
        segments = cutter.cut(row, row.opened_at, end, who)
        present = segments[-1] if segments and row.closed_at is None else None
        open_ = row.closed_at is None
        found.append(
            WaitFacts(
                id=row.uuid,
                turn=row.turn.uuid,
                loop=row.loop.code,
                card=row.turn.card.code,
                station=config.supply,
                reason=row.reason,
                owner=row.owner,
                who=who,
                opened_at=row.opened_at,
                closed_at=row.closed_at,
                minutes=_minutes(end - row.opened_at),
                working_minutes=round(config.calendar.working_minutes_between(row.opened_at, end), 1),
                present_reason=present.reason if present else row.reason if open_ else "",
                present_owner=present.owner if present else row.owner if open_ else "",
                present_who=present.who if present else who if open_ else "",
                segments=[
                    SegmentFacts(
                        part.reason, part.owner, part.who, part.begin, part.end, _minutes(part.length)
                    )
                    for part in segments
                ],
            )
        )
    return found


def summary(
    *,
    plant_ids: Iterable[int],
    begin: datetime,
    end: datetime,
    now: datetime,
    station: str | None = None,
    area: str | None = None,
) -> WaitSummary:
    """The waiting of a window by reason, for all supply stations, one, or those of an area.

    A wait counts with the part that lies in the window; what lies ahead of `now` counts for nobody.
    """
    until = min(end, now)
    rows = Wait.objects.filter(loop__plant__in=list(plant_ids), opened_at__lt=until).filter(
        models.Q(closed_at__isnull=True) | models.Q(closed_at__gt=begin)
    )
    if station is not None:
        rows = rows.filter(loop__supply__code=station)
    if area is not None:
        rows = rows.filter(loop__supply__area__code=area)
    found = list(rows.order_by("pk"))
    cutter = Cutter({row.loop_id for row in found}, begin, until)
    parts: dict[str, list[Segment]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for row in found:
        segments = cutter.cut(row, max(row.opened_at, begin), min(row.closed_at or until, until))
        if segments:
            code = cutter.settings.loops[row.loop_id].supply
            parts[code] += segments
            counts[code] += 1
    areas = _areas(parts)
    everything = [part for of_station in parts.values() for part in of_station]
    return WaitSummary(
        begin=begin,
        end=end,
        waits=sum(counts.values()),
        minutes=_minutes(sum((part.length for part in everything), timedelta(0))),
        reasons=_reasons(everything),
        stations=[
            StationWaiting(
                station=code,
                area=areas.get(code, ""),
                waits=counts[code],
                minutes=_minutes(sum((part.length for part in of_station), timedelta(0))),
                reasons=_reasons(of_station),
            )
            for code, of_station in sorted(parts.items())
        ],
    )


def standing(station: Station) -> StationStanding:
    """What keeps a station from its work now."""
    rows = StationState.objects.filter(station=station, ended_at__isnull=True).order_by("began_at", "pk")
    return StationStanding(
        station=station.code,
        states=[
            StateFacts(row.kind, OWNERS[Halt(row.kind)], row.began_at, row.ended_at, row.note) for row in rows
        ],
    )


class Cutter:
    """What kept the supply stations of some loops from their work in a window: four statements, then no more."""

    def __init__(self, loop_ids: set[int], begin: datetime, end: datetime) -> None:
        self.settings: Configs = configs()
        self._begin, self._end = begin, end
        of = [self.settings.loops[loop_id] for loop_id in loop_ids]
        self._halts = halts({config.supply_id for config in of}, begin, end)
        self._starved = starved(of, self.settings, begin, end)
        self._idle: dict[int, list[State]] = {}

    def cut(self, row: Wait, begin: datetime, end: datetime, who: str = "") -> list[Segment]:
        """The segments of a wait between two instants of the window."""
        config = self.settings.loops[row.loop_id]
        states = [
            *self._halts.get(config.supply_id, ()),
            *self._starved.get(config.id, ()),
            *self._closed(config),
        ]
        return cut(begin, end, reason=row.reason, owner=row.owner, states=states, who=who)

    def _closed(self, config: LoopConfig) -> list[State]:
        known = self._idle.get(id(config.calendar))
        if known is None:
            spans = config.calendar.idle_spans(self._begin, self._end)
            known = self._idle[id(config.calendar)] = [State(Halt.CLOSED, *one) for one in spans]
        return known


def halts(station_ids: Iterable[int], begin: datetime, end: datetime) -> dict[int, list[State]]:
    """What stations told of themselves, and the calls that stopped their lines, in a window. A call about quality
    stops for quality's sake; any other leaves the station down until it is solved."""
    ids = list(station_ids)
    found: dict[int, list[State]] = defaultdict(list)
    told = StationState.objects.filter(station__in=ids, began_at__lt=end).filter(
        models.Q(ended_at__isnull=True) | models.Q(ended_at__gt=begin)
    )
    for station, kind, first, last in told.values_list("station_id", "kind", "began_at", "ended_at"):
        found[station].append(State(Halt(kind), first, last))
    stopped = AndonCall.objects.filter(station__in=ids, stops_line=True, called_at__lt=end).filter(
        models.Q(solved_at__isnull=True) | models.Q(solved_at__gt=begin)
    )
    columns = ("station_id", "kind", "called_at", "solved_at", "owned_at", "owner__name", "owner__username")
    for station, kind, first, last, owned, name, username in stopped.values_list(*columns):
        halt = Halt.QUALITY if kind == "quality" else Halt.DOWN
        if owned is None:
            found[station].append(State(halt, first, last))
            continue
        found[station].append(State(halt, first, owned))
        found[station].append(State(halt, owned, last, owner=Party.PERSON, who=name or username or ""))
    return found


def starved(
    of: Iterable[LoopConfig], settings: Configs, begin: datetime, end: datetime
) -> dict[int, list[State]]:
    """Per loop the stretches in which its supply station missed a component; whoever must act upstream must act."""
    groups: dict[int, list[list[int]]] = {
        config.id: [loops for loops, _ in settings.components(config)] for config in of
    }
    feeding = {loop for lists in groups.values() for loops in lists for loop in loops}
    dry: dict[int, list[State]] = defaultdict(list)
    rows = Runout.objects.filter(loop__in=feeding, opened_at__lt=end).filter(
        models.Q(closed_at__isnull=True) | models.Q(closed_at__gt=begin)
    )
    for loop, first, last, owner in rows.values_list("loop_id", "opened_at", "closed_at", "owner"):
        who = settings.loops[loop].supply_name if owner in (Party.STATION, Party.SUPPLIER) else ""
        dry[loop].append(State(Halt.STARVED, first, last, owner=owner, who=who))
    found: dict[int, list[State]] = {}
    for loop_id, lists in groups.items():
        found[loop_id] = [state for loops in lists for state in _all_dry([dry[loop] for loop in loops])]
    return found


def _all_dry(of_loops: Sequence[Sequence[State]]) -> Sequence[State]:
    """Where several loops bring the same part, it is missing only while all of them are dry."""
    both = of_loops[0]
    for other in of_loops[1:]:
        both = [
            State(Halt.STARVED, max(one.begin, two.begin), _earlier(one.end, two.end), one.owner, one.who)
            for one in both
            for two in other
            if _overlap(one, two)
        ]
    return both


def _overlap(one: State, two: State) -> bool:
    return (two.end is None or one.begin < two.end) and (one.end is None or two.begin < one.end)


def _earlier(one: datetime | None, two: datetime | None) -> datetime | None:
    return min(one, two) if one is not None and two is not None else one or two


def holders_of(card_ids: Iterable[int]) -> Mapping[int, Sequence[tuple[str, datetime]]]:
    """Who held these cards, by name, and since when; the newest first."""
    found: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    rows = QualityHold.objects.filter(card__in=list(card_ids)).order_by("-held_at")
    for card, name, username, since in rows.values_list(
        "card_id", "held_by__name", "held_by__username", "held_at"
    ):
        found[card].append((name or username or "", since))
    return found


def _areas(stations: Mapping[str, object]) -> dict[str, str]:
    rows = Station.objects.filter(code__in=list(stations))
    return {code: area or "" for code, area in rows.values_list("code", "area__code")}


def _reasons(parts: Iterable[Segment]) -> dict[str, float]:
    return {reason: _minutes(length) for reason, length in totals(parts).items()}


def _minutes(length: timedelta) -> float:
    """Exact to the microsecond, so that the parts add up to the whole."""
    return round(length / timedelta(minutes=1), 6)
