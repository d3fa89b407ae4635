"""The plant's settings as the rules need them, kept in memory until a trigger raises the epoch.

One load brings every loop, bill and station of the installation (a plant with two hundred loops is a few hundred
rows), so that a scan asks the database for nothing but its own loop.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from jitapp.accounts.models import Person
from jitapp.kanban import andon
from jitapp.kanban.kinds import KINDS, detached_by_hand
from jitapp.kanban.names import Names
from jitapp.kanban.state import LoopConfig
from jitapp.kanban.vocabulary import Consumption, LoopStatus, StationKind
from jitapp.kanban.worktime import WorkCalendar
from jitapp.plant.models import BillOfMaterials, Calendar, Loop, Station


@dataclass(frozen=True, slots=True)
class StationInfo:
    """A station as a scan names it."""

    id: int
    code: str
    name: str
    plant_id: int


@dataclass(slots=True)
class Configs:
    """Everything the rules read of the plant rooms at one epoch."""

    epoch: int
    loops: dict[int, LoopConfig] = field(default_factory=dict)
    stations: Names[StationInfo] = field(default_factory=Names)
    station_by_id: dict[int, StationInfo] = field(default_factory=dict)
    people: Names[int] = field(default_factory=Names)  # by badge and by user name
    # (demand station, part) -> the loops that bring the part there, by id
    feeding: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(list))
    # part -> its components, with the pieces that go into one
    bills: dict[int, list[tuple[int, Decimal]]] = field(default_factory=lambda: defaultdict(list))

    # station -> how calls from there climb
    policies: dict[int, andon.Policy] = field(default_factory=dict)
    # supermarkets out of which withdrawal cards are served
    swap_stations: set[int] = field(default_factory=set)
    # loops that fetch a part from a supermarket, by (supermarket, part)
    fetching: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(list))

    def policy(self, station_id: int) -> andon.Policy:
        """How calls from a station climb."""
        return self.policies.get(station_id, andon.USUAL)

    def components(self, config: LoopConfig) -> list[tuple[list[int], Decimal]]:
        """What filling one piece of the loop's part consumes: (feeding loops, quantity per piece) per component.

        A PROCESS station uses up its bill, a SUPERMARKET hands on the part itself; others consume nothing of ours.
        """
        if config.supply_kind is StationKind.PROCESS:
            lines = self.bills.get(config.part_id, [])
        elif config.supply_kind is StationKind.SUPERMARKET:
            lines = [(config.part_id, Decimal(1))]
        else:
            lines = []
        fed = ((self.feeding.get((config.supply_id, part), []), quantity) for part, quantity in lines)
        return [(loops, quantity) for loops, quantity in fed if loops]


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The time zone, kept open."""
    return ZoneInfo(name)


class _Kept:
    """What this process read last; threads may read it twice, which costs time and nothing else."""

    current: Configs | None = None


def current_epoch() -> int | None:
    """The epoch as this transaction sees it; None while no master data was ever written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM plant_epoch WHERE id = 1")
        row = cursor.fetchone()
    return int(row[0]) if row else None


def configs(epoch: int | None = None) -> Configs:
    """The settings at `epoch` (as a locking read brought it), or at the epoch of now."""
    wanted = current_epoch() if epoch is None else epoch
    kept = _Kept.current
    if kept is None or wanted is None or kept.epoch != wanted:
        kept = _Kept.current = _load()
    return kept


def latest() -> Configs:
    """The settings as they were last read, without asking: for what a locking read confirms afterwards."""
    return _Kept.current or configs()


def _load() -> Configs:
    with transaction.atomic():
        found = Configs(epoch=current_epoch() or 0)
        calendars: dict[int, WorkCalendar] = {}
        defaults: dict[int, WorkCalendar] = {}
        receiving: dict[int, WorkCalendar] = {}
        for row in Calendar.objects.select_related("plant"):
            made = WorkCalendar(row.plant.time_zone, row.shifts, row.holidays)
            calendars[row.pk] = made
            if row.is_default:
                defaults[row.plant_id] = made
            if row.is_receiving:
                receiving[row.plant_id] = made
        for station in Station.objects.select_related("area"):
            info = StationInfo(station.pk, station.code, station.name, station.plant_id)
            found.station_by_id[station.pk] = info
            found.stations.add(station.code, info)
            own = calendars[station.calendar_id] if station.calendar_id else defaults.get(station.plant_id)
            steps = andon.steps_of(station.area.escalation if station.area else ())
            found.policies[station.pk] = andon.Policy(steps, own)
        people = list(Person.objects.values_list("pk", "badge", "username"))
        for person, badge, _ in people:
            if badge:
                found.people.add(badge, person)
        for person, _, username in people:
            found.people.add(username, person)
        for line in BillOfMaterials.objects.order_by("component_id"):
            found.bills[line.parent_id].append((line.component_id, line.quantity))
        related = Loop.objects.select_related(
            "plant", "part", "demand__area", "supply__supplier", "supply__plant"
        ).order_by("pk")
        for loop in related:
            config = _config(loop, calendars, defaults, receiving)
            found.loops[loop.pk] = config
            if KINDS[config.kind].fetches:
                found.swap_stations.add(config.supply_id)
                if config.supply_kind is StationKind.SUPERMARKET:
                    found.fetching[(config.supply_id, config.part_id)].append(loop.pk)
            if config.status not in (LoopStatus.DRAFT, LoopStatus.RETIRED):
                found.feeding[(config.demand_id, config.part_id)].append(loop.pk)
        _note_swaps(found)
    return found


def _note_swaps(found: Configs) -> None:
    """Loops from whose containers people take the cards by hand, because withdrawal cards fetch them (4.3)."""
    for config in list(found.loops.values()):
        if config.status in (LoopStatus.DRAFT, LoopStatus.RETIRED) or not detached_by_hand(config):
            continue
        for loop_id in found.feeding.get((config.supply_id, config.part_id), ()):
            found.loops[loop_id] = replace(found.loops[loop_id], hand_detached=True)


def _config(
    loop: Loop,
    calendars: dict[int, WorkCalendar],
    defaults: dict[int, WorkCalendar],
    receiving: dict[int, WorkCalendar],
) -> LoopConfig:
    """The loop's own settings by their names; beside them what its stations, its part and its plant say."""
    demand, supply = loop.demand, loop.supply
    dock = demand.area.receiving_id if demand.area else None
    from_outside = supply.kind == StationKind.SUPPLIER or supply.plant_id != demand.plant_id
    named = supply.calendar_id or (supply.supplier.calendar_id if supply.supplier else None)
    calendar = calendars[named] if named else defaults.get(supply.plant_id)
    from_elsewhere: dict[str, object] = {
        "plant_code": loop.plant.code,
        "time_zone": loop.plant.time_zone,
        "area_id": demand.area_id,
        "area_code": demand.area.code if demand.area else "",
        "part": loop.part.number,
        "unit": loop.part.unit,
        "decimals": loop.part.decimals,
        "demand": demand.code,
        "demand_name": demand.name,
        "demand_consumption": Consumption(demand.consumption),
        "demand_intent": demand.default_intent,
        "receiving_limit": demand.receiving_limit,
        "receiving": (calendars[dock] if dock else receiving.get(demand.plant_id)) if from_outside else None,
        "supply": supply.code,
        "supply_name": supply.name,
        "supply_kind": StationKind(supply.kind),
        "supply_consumption": Consumption(supply.consumption),
        "supply_intent": supply.default_intent,
        "supply_plant_id": supply.plant_id,
        "wip_limit": supply.wip_limit,
        "readiness_checks": tuple(supply.readiness_checks),
        "keeps_sequence": supply.keeps_sequence,
        "refuses_without_components": supply.refuses_without_components,
        "hand_detached": False,
        "calendar": calendar or WorkCalendar(supply.plant.time_zone, [], []),
        "delivery_days": tuple(supply.supplier.delivery_days) if supply.supplier else (),
    }
    own = {
        name: convert(getattr(loop, name)) for name, convert in _own_settings() if name not in from_elsewhere
    }
    return LoopConfig(**own, **from_elsewhere)  # type: ignore[arg-type]


@cache
def _own_settings() -> tuple[tuple[str, Callable[[Any], object]], ...]:
    """The fields of LoopConfig, each with what makes its type of what the column holds."""
    types = get_type_hints(LoopConfig)
    return tuple((field.name, _converter(types[field.name])) for field in fields(LoopConfig))


def _converter(wanted: Any) -> Callable[[Any], object]:
    """Words of the domain become members of their enums, lists tuples; everything else stays as it is."""
    origin = get_origin(wanted) or wanted
    if isinstance(origin, type) and issubclass(origin, (StrEnum, tuple)):
        return origin
    return dict if origin is Mapping else _as_it_is


def _as_it_is(value: object) -> object:
    return value
