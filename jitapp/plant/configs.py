"""The plant's settings as the rules need them, kept in memory until a trigger raises the epoch.

One load brings every loop, bill and station of the installation (a plant with two hundred loops is a few hundred
rows), so that a scan asks the database for nothing but its own loop. A saved row that cannot be read costs the loops
that depend on it, and no others (`Configs.unreadable`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache
from threading import Lock
from typing import Any, get_origin, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection, transaction

from jitapp.accounts.models import Device, Person
from jitapp.kanban import andon
from jitapp.kanban.kinds import KINDS, detached_by_hand
from jitapp.kanban.names import Names
from jitapp.kanban.state import LoopConfig
from jitapp.kanban.vocabulary import Consumption, LoopStatus, StationKind
from jitapp.kanban.worktime import WorkCalendar
from jitapp.plant.masters.areas import AREAS
from jitapp.plant.masters.calendars import CALENDARS
from jitapp.plant.masters.loops import LOOPS
from jitapp.plant.masters.plants import PLANTS
from jitapp.plant.masters.stations import STATIONS
from jitapp.plant.masters.suppliers import SUPPLIERS
from jitapp.plant.models import BillOfMaterials, Calendar, Loop, Membership, Part, Station
from jitapp.plant.saved import SavedRows


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
    badges: Names[int] = field(default_factory=Names)
    # active person -> the plants where they may be named; none: in every one
    work_in: dict[int, frozenset[int]] = field(default_factory=dict)
    # device -> the hash of its token; empty: it was ended. A device that was made since is missing.
    tokens: dict[int, str] = field(default_factory=dict)
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
    # loop -> why nothing is scanned there: a row that it depends on cannot be read. Its config has defaults in place of
    # what is wrong, so that whatever else reads it goes on.
    unreadable: dict[int, str] = field(default_factory=dict)

    def policy(self, station_id: int) -> andon.Policy:
        """How calls from a station climb."""
        return self.policies.get(station_id, andon.USUAL)

    def works_in(self, person_id: int, plants: frozenset[int]) -> bool:
        """Whether an active person may be named there: by a role, as superuser, or without a role anywhere."""
        named = self.work_in.get(person_id)
        return named is not None and (not named or not named.isdisjoint(plants))

    def ended(self, device_id: int | None, token: str) -> bool:
        """Whether the token, by its hash, is no longer this device's: it was ended, or enrolled again elsewhere."""
        return bool(token) and device_id is not None and self.tokens.get(device_id, token) != token

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
    """The time zone, kept open; UTC for one that does not exist: a page that shows a time is no place to say so."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


class _Kept:
    """What this process read last. One thread reads and the others wait for it: with settings that change all the time,
    each of them would read all of it for every scan, and an older reading could take the place of a newer one."""

    current: Configs | None = None
    reading = Lock()


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
    if kept is None or kept.epoch != wanted:
        with _Kept.reading:
            kept = _Kept.current
            if kept is None or kept.epoch != wanted:
                kept = _Kept.current = _load()
    return kept


def latest() -> Configs:
    """The settings as they were last read, without asking: for what a locking read confirms afterwards."""
    return _Kept.current or configs()


def _load() -> Configs:
    with transaction.atomic():
        found = Configs(epoch=current_epoch() or 0)
        saved = SavedRows()
        times = _WorkingTimes(saved)
        for station in Station.objects.select_related("area", "plant"):
            info = StationInfo(station.pk, station.code, station.name, station.plant_id)
            found.station_by_id[station.pk] = info
            found.stations.add(station.code, info)
            if station.area:
                saved.look(AREAS, station.area)
            steps = andon.steps_of(station.area.escalation if station.area else ())
            found.policies[station.pk] = andon.Policy(steps, times.of(station.calendar_id, station.plant_id))
        _load_people(found)
        found.tokens = {
            device: hashed if active else ""
            for device, hashed, active in Device.objects.values_list("pk", "token_hash", "active")
        }
        bad_bills = _load_bills(found)
        related = Loop.objects.select_related(
            "plant", "part", "demand__area", "supply__supplier", "supply__plant"
        ).order_by("pk")
        for loop in related:
            why = _look_at(loop, saved, times) or bad_bills.get(loop.part_id, "")
            if why:
                found.unreadable[loop.pk] = why
            config = found.loops[loop.pk] = _config(loop, times)
            if KINDS[config.kind].fetches:
                found.swap_stations.add(config.supply_id)
                if config.supply_kind is StationKind.SUPERMARKET:
                    found.fetching[(config.supply_id, config.part_id)].append(loop.pk)
            if config.status not in (LoopStatus.DRAFT, LoopStatus.RETIRED):
                found.feeding[(config.demand_id, config.part_id)].append(loop.pk)
        _note_swaps(found)
    saved.tell([*bad_bills.values()])
    return found


def _load_people(found: Configs) -> None:
    """Everybody by badge and by user name; a badge is found before a user name that reads alike."""
    plants: dict[int, set[int]] = defaultdict(set)
    for person, plant in Membership.objects.values_list("person_id", "plant_id"):
        plants[person].add(plant)
    people = list(Person.objects.values_list("pk", "badge", "username", "is_active", "is_superuser"))
    for person, badge, *_ in people:
        if badge:
            found.people.add(badge, person)
            found.badges.add(badge, person)
    for person, _, username, is_active, is_superuser in people:
        found.people.add(username, person)
        if is_active:
            found.work_in[person] = frozenset() if is_superuser else frozenset(plants[person])


def _load_bills(found: Configs) -> dict[int, str]:
    """Notes what goes into each part; returns the parts whose bill cannot be read, each with why."""
    bad: dict[int, str] = {}
    for line in BillOfMaterials.objects.order_by("component_id"):
        if line.quantity.is_finite():
            found.bills[line.parent_id].append((line.component_id, line.quantity))
        else:
            numbers = dict(
                Part.objects.filter(pk__in=[line.parent_id, line.component_id]).values_list("pk", "number")
            )
            bad[line.parent_id] = (
                f"Bill {numbers[line.parent_id]}: the quantity of {numbers[line.component_id]} is no number."
            )
    return bad


class _WorkingTimes:
    """The calendars by id, and which of them is a plant's own and its dock's."""

    def __init__(self, saved: SavedRows) -> None:
        self._of: dict[int, WorkCalendar] = {}
        self._wrong: dict[int, str] = {}
        self._defaults: dict[int, int] = {}
        self._docks: dict[int, int] = {}
        for row in Calendar.objects.select_related("plant"):
            saved.look(PLANTS, row.plant)
            self._wrong[row.pk] = saved.look(CALENDARS, row)
            self._of[row.pk] = WorkCalendar(row.plant.time_zone, row.shifts, row.holidays)
            if row.is_default:
                self._defaults[row.plant_id] = row.pk
            if row.is_receiving:
                self._docks[row.plant_id] = row.pk

    def of(self, named: int | None, plant_id: int) -> WorkCalendar | None:
        """The calendar that is named, else the plant's own."""
        return self._of.get(named or self._defaults.get(plant_id, 0))

    def dock(self, named: int | None, plant_id: int) -> WorkCalendar | None:
        """The receiving hours that are named, else the plant's."""
        return self._of.get(named or self._docks.get(plant_id, 0))

    def wrong(self, loop: Loop) -> str:
        """Why a calendar that the loop counts by cannot be read; empty if all can."""
        used = (
            _calendar_of(loop) or self._defaults.get(loop.supply.plant_id, 0),
            _dock_of(loop) or self._docks.get(loop.demand.plant_id, 0) if _from_outside(loop) else 0,
        )
        return next((why for pk in used if (why := self._wrong.get(pk, ""))), "")


def _look_at(loop: Loop, saved: SavedRows, times: _WorkingTimes) -> str:
    """Why the loop, or what it depends on, cannot be read; empty if all can."""
    found = [
        saved.look(LOOPS, loop),
        saved.look(PLANTS, loop.plant),
        saved.look(PLANTS, loop.supply.plant),
        saved.look(STATIONS, loop.demand),
        saved.look(STATIONS, loop.supply),
        saved.look(SUPPLIERS, loop.supply.supplier) if loop.supply.supplier else "",
        times.wrong(loop),
    ]
    return next(filter(None, found), "")


def _from_outside(loop: Loop) -> bool:
    return loop.supply.kind == StationKind.SUPPLIER or loop.supply.plant_id != loop.demand.plant_id


def _calendar_of(loop: Loop) -> int | None:
    """The calendar that the supply side names for itself."""
    supply = loop.supply
    return supply.calendar_id or (supply.supplier.calendar_id if supply.supplier else None)


def _dock_of(loop: Loop) -> int | None:
    """The receiving hours that the area of the demand side names for itself."""
    return loop.demand.area.receiving_id if loop.demand.area else None


def _note_swaps(found: Configs) -> None:
    """Loops from whose containers people take the cards by hand, because withdrawal cards fetch them (4.3)."""
    for config in list(found.loops.values()):
        if config.status in (LoopStatus.DRAFT, LoopStatus.RETIRED) or not detached_by_hand(config):
            continue
        for loop_id in found.feeding.get((config.supply_id, config.part_id), ()):
            found.loops[loop_id] = replace(found.loops[loop_id], hand_detached=True)


def _config(loop: Loop, times: _WorkingTimes) -> LoopConfig:
    """The loop's own settings by their names; beside them what its stations, its part and its plant say."""
    demand, supply = loop.demand, loop.supply
    calendar = times.of(_calendar_of(loop), supply.plant_id)
    dock = times.dock(_dock_of(loop), demand.plant_id) if _from_outside(loop) else None
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
        "receiving": dock,
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
