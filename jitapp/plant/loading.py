"""Master data from a document into the tables: all of it or, row by row, what is right.

Loading the same again changes nothing. Existing things keep what a row does not name; nothing is ever deleted
except the lines that a bill no longer has. What a file may not change is what would rewrite history: a loop's part
and places, and the status of anything that moves. Cards belong to the pull room; `Report.cards` says what was asked.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.contrib.auth.hashers import make_password
from django.db import models, transaction

from jitapp.accounts.models import Person
from jitapp.kanban import andon
from jitapp.kanban.vocabulary import (
    Accumulate,
    LoopKind,
    LoopStatus,
    Need,
    StationKind,
    SupplyStatus,
    Trigger,
)
from jitapp.kanban.worktime import BadCalendar, WorkCalendar
from jitapp.plant import shopfile
from jitapp.plant.exactjson import Path
from jitapp.plant.models import (
    Area,
    BillOfMaterials,
    Calendar,
    Epoch,
    Loop,
    Membership,
    Part,
    Plant,
    StandardWork,
    Station,
    Supplier,
)
from jitapp.plant.shopfile import Row, Unreadable, as_text, given, read_row
from jitapp.plant.structure import check_structure

MOST_ROWS = 50_000
_MOST_DIGITS = Decimal(10) ** 13
# What a row refers to is read together with it.
_RELATED: dict[type[models.Model], tuple[str, ...]] = {
    Area: ("leader", "receiving"),
    Supplier: ("calendar",),
    Station: ("area", "calendar", "supplier"),
    Loop: ("part", "demand", "supply"),
}
_Thing = TypeVar("_Thing", bound=models.Model)
_ROW = TypeVar("_ROW", bound=Row)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row was not loaded. `code` is stable, `message` is one sentence for whoever wrote the row."""

    path: Path
    kind: str
    key: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a row: `created`, `changed` (member -> old and new) or `unchanged`."""

    path: Path
    kind: str
    key: str
    status: str
    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CardsAsked:
    """The cards that a loop's row asks for; `first` holds FULL or EMPTY per card."""

    loop_id: int
    loop: str
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuantityAsked:
    """A running loop's new quantity: its cards have to be told, which is for the pull room to do."""

    loop_id: int
    quantity: Decimal


@dataclass
class Report:
    """What a load did, or with `dry_run` would do."""

    rows: list[Loaded] = field(default_factory=list)
    errors: list[Problem] = field(default_factory=list)
    cards: list[CardsAsked] = field(default_factory=list)
    quantities: list[QuantityAsked] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    first_at: datetime | None = None  # when the first states were true; None: now

    @property
    def created(self) -> int:
        """Rows that were new."""
        return self._count("created")

    @property
    def changed(self) -> int:
        """Rows that differed."""
        return self._count("changed")

    @property
    def unchanged(self) -> int:
        """Rows that were there already, word for word."""
        return self._count("unchanged")

    def _count(self, status: str) -> int:
        return sum(row.status == status for row in self.rows)


class _Wrong(ValueError):
    """A row that can be read but not loaded."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def load_shop(
    document: Mapping[str, Any],
    *,
    dry_run: bool = False,
    plant_ids: frozenset[int] | None = None,
    row_by_row: bool = False,
    precondition: Callable[[], None] | None = None,
    cards_of: Callable[[Iterable[int]], Mapping[int, int]] = lambda _loops: {},
) -> Report:
    """Loads a shop document (docs/shop-files.md); never raises for what stands in it.

    One transaction: with any error nothing is changed, unless `row_by_row` lets the right rows through. A circle
    in the structure undoes everything in both cases. `plant_ids` bounds what may be touched to these plants.
    `precondition` is asked once nobody else can write any more; what it raises goes to the caller, unchanged.
    `cards_of` answers how many cards loops have that are running.
    """
    with transaction.atomic():
        lock_master_data()
        if precondition is not None:
            precondition()
        load = _Load(plant_ids, cards_of)
        try:
            load.run(document)
        except Unreadable as error:
            load.report.errors.append(Problem((), "shop", "", "malformed", str(error)))
        report = load.report
        if load.structure_touched and (row_by_row or not report.errors):
            circles = check_structure(plant.pk for plant in load.plants.values())
            report.errors += [Problem((), "shop", "", "circle", sentence) for sentence in circles]
        circular = any(error.code == "circle" for error in report.errors)
        if dry_run or circular or (report.errors and not row_by_row):
            transaction.set_rollback(True)
    if circular or (report.errors and not row_by_row):
        report.rows, report.cards, report.quantities = [], [], []
    return report


def lock_master_data() -> None:
    """Master data has one writer at a time, so that two right changes never make one wrong structure."""
    Epoch.objects.select_for_update().get_or_create(id=1)


class _Load:
    """One load: what is known by code, and what became of each row."""

    def __init__(
        self, plant_ids: frozenset[int] | None, cards_of: Callable[[Iterable[int]], Mapping[int, int]]
    ) -> None:
        self.report = Report()
        self.cards_of = cards_of
        self.plant_ids = plant_ids
        self.plants: dict[str, Plant] = {}
        self.structure_touched = False
        self._known: dict[type[models.Model], dict[str, Any]] = {}
        self._seen: set[tuple[Path, str, str]] = set()

    def run(self, document: Mapping[str, Any]) -> None:
        """Loads every plant of the document, kind after kind."""
        content = as_text(document)
        version, plants = content.pop("shop", None), content.pop("plants", None)
        if version != shopfile.FORMAT:
            raise Unreadable(f"The file must say `shop: {shopfile.FORMAT}`, the version of its form.")
        self.report.first_at = _instant(content.pop("first_at", None), "first_at")
        if content:
            raise Unreadable(f"There is no member called {min(content)} beside shop, first_at and plants.")
        lists = [self._lists(index, raw) for index, raw in enumerate(_list(plants, "plants"))]
        if sum(len(rows) for _, _, kinds in lists for rows in kinds.values()) > MOST_ROWS:
            raise Unreadable(f"The file has more than {MOST_ROWS} rows. Load it in parts.")
        for path, head, kinds in lists:
            plant = self._plant(path, head)
            if plant is not None:
                self._contents(plant, path, kinds)

    def _lists(self, index: int, raw: object) -> tuple[Path, dict[str, Any], dict[str, list[Any]]]:
        if not isinstance(raw, dict):
            raise Unreadable("Each of the plants needs members and values.")
        kinds = {kind: _list(raw.pop(kind, None), kind) for kind in shopfile.LISTS}
        return ("plants", index), raw, kinds

    def _contents(self, plant: Plant, path: Path, kinds: Mapping[str, list[Any]]) -> None:
        rows = {
            kind: self._read((*path, kind), kind, raw, shopfile.LISTS[kind]) for kind, raw in kinds.items()
        }
        self._calendars(plant, rows["calendars"])
        self._people(plant, rows["people"])
        self._areas(plant, rows["areas"])
        self._suppliers(plant, rows["suppliers"])
        self._stations(plant, rows["stations"])
        self._parts(plant, rows["parts"])
        self._bills(plant, rows["bills"])
        self._loops(plant, rows["loops"])

    # -- rows ----------------------------------------------------------------------------------

    def _read(
        self, path: Path, kind: str, raws: Iterable[object], shape: type[_ROW]
    ) -> list[tuple[Path, Any]]:
        """The rows that can be read and stand once in the file; the others become problems."""
        rows = []
        for index, raw in enumerate(raws):
            place = (*path, index)
            key = str(raw.get(shopfile.KEYS.get(kind, "code")) or "") if isinstance(raw, dict) else ""
            try:
                row = read_row(shape, raw)
            except Unreadable as error:
                self._problem(place, kind, key, "malformed", str(error))
                continue
            # Calendars and people may stand under several plants; everything else has its code once.
            once = (path[:2] if kind in ("calendars", "people") else (), kind, key)
            if once in self._seen:
                self._problem(place, kind, key, "twice", f"{key} stands in the file twice.")
                continue
            self._seen.add(once)
            rows.append((place, row))
        return rows

    def _problem(self, path: Path, kind: str, key: str, code: str, message: str) -> None:
        self.report.errors.append(Problem(path, kind, key, code, message))

    def _write(
        self,
        kind: str,
        model: type[_Thing],
        key_name: str,
        plant: Plant,
        rows: Sequence[tuple[Path, _ROW]],
        values: Callable[[_ROW, _Thing | None], dict[str, Any]],
    ) -> list[tuple[_ROW, _Thing]]:
        """Creates what is new and changes what differs, in two statements whatever the number of rows."""
        existing = self._find(model, key_name, [getattr(row, key_name) for _, row in rows], plant)
        created, changed, written = [], [], []
        names: set[str] = set()
        for path, row in rows:
            key = getattr(row, key_name)
            thing: _Thing | None = existing.get(key)
            try:
                if thing is not None and getattr(thing, "plant_id", plant.pk) != plant.pk:
                    raise _Wrong(
                        "taken", f"{key} already names something in another plant. Codes are used once."
                    )
                wanted = values(row, thing)
            except _Wrong as error:
                self._problem(path, kind, key, error.code, str(error))
                continue
            if thing is None:
                thing = model(**wanted) if model is Person else model(plant=plant, **wanted)
                created.append(thing)
                self.report.rows.append(Loaded(path, kind, key, "created"))
            elif changes := {
                name: (_shown(getattr(thing, name)), _shown(value))
                for name, value in wanted.items()
                if getattr(thing, name) != value
            }:
                for name in changes:
                    setattr(thing, name, wanted[name])
                if hasattr(thing, "version"):
                    thing.version += 1
                    names.add("version")
                names.update(changes)
                changed.append(thing)
                self.report.rows.append(Loaded(path, kind, key, "changed", changes))
            else:
                self.report.rows.append(Loaded(path, kind, key, "unchanged"))
            written.append((row, thing))
        manager = model._default_manager
        if created:
            manager.bulk_create(created, batch_size=1_000)
            self._known.setdefault(model, {}).update({getattr(thing, key_name): thing for thing in created})
        if changed:
            manager.bulk_update(changed, sorted(names), batch_size=1_000)
        return written

    def _find(
        self, model: type[_Thing], key_name: str, keys: Iterable[str], plant: Plant | None = None
    ) -> dict[str, _Thing]:
        """Things by key. Calendars have their codes per plant, everything else has them once."""
        known = self._known.setdefault(model, {})
        missing = {key for key in keys if key not in known}
        if missing:
            found = model._default_manager.filter(**{f"{key_name}__in": missing})
            if model in _RELATED:
                found = found.select_related(*_RELATED[model])
            if model is Calendar and plant is not None:
                found = found.filter(plant=plant)
            known.update({getattr(thing, key_name): thing for thing in found})
        return known

    def _named(self, model: type[_Thing], word: str, key: str, plant: Plant) -> _Thing:
        """The thing that a row refers to; it must be of the same plant."""
        key_name = "number" if model is Part else "code"
        thing = self._find(model, key_name, [key], plant).get(key)
        if thing is None or getattr(thing, "plant_id", plant.pk) != plant.pk:
            raise _Wrong("unknown_reference", f"There is no {word} {key!r} in plant {plant.code}.")
        return thing

    # -- kind after kind -----------------------------------------------------------------------

    def _plant(self, path: Path, head: dict[str, Any]) -> Plant | None:
        rows = self._read(path[:-1], "plants", [head], shopfile.PlantRow)
        if not rows:
            self.report.errors[-1] = _moved(self.report.errors[-1], path)
            return None
        row: shopfile.PlantRow = rows[0][1]
        plant = Plant.objects.filter(code=row.code).first()
        if self.plant_ids is not None and (plant is None or plant.pk not in self.plant_ids):
            self._problem(
                path, "plants", row.code, "unknown_reference", f"There is no plant {row.code!r} here."
            )
            return None
        wanted = dict(given(row))
        if plant is None:
            wanted.setdefault("name", row.code)
        try:
            WorkCalendar(wanted.get("time_zone", "UTC"))
        except BadCalendar as error:
            self._problem(path, "plants", row.code, "malformed", str(error))
            return None
        if plant is None:
            plant = Plant.objects.create(**wanted)
            self.report.rows.append(Loaded(path, "plants", row.code, "created"))
        else:
            changes = {
                name: (_shown(getattr(plant, name)), _shown(value))
                for name, value in wanted.items()
                if getattr(plant, name) != value
            }
            for name in changes:
                setattr(plant, name, wanted[name])
            if changes:
                plant.save(update_fields=list(changes))
            self.report.rows.append(
                Loaded(path, "plants", row.code, "changed" if changes else "unchanged", changes)
            )
        self.plants[row.code] = plant
        self._known[Calendar] = {}
        return plant

    def _calendars(self, plant: Plant, rows: list[tuple[Path, shopfile.CalendarRow]]) -> None:
        for member in ("default", "receiving"):
            chosen = [row.code for _, row in rows if getattr(row, member) is True]
            if len(chosen) > 1:
                raise Unreadable(
                    f"Plant {plant.code} has more than one {member} calendar: {', '.join(chosen)}."
                )
            if chosen:
                # Before the new one is written: the database holds that there is only one.
                before = Calendar.objects.filter(plant=plant, **{f"is_{member}": True})
                before.exclude(code=chosen[0]).update(**{f"is_{member}": False})

        def values(row: shopfile.CalendarRow, now: Calendar | None) -> dict[str, Any]:
            wanted = dict(given(row))
            for member in ("default", "receiving"):
                if member in wanted:
                    wanted[f"is_{member}"] = wanted.pop(member)
            if isinstance(row.shifts, list):
                wanted["shifts"] = [
                    {"days": list(s.days), "start": s.start, "end": s.end, "breaks": s.breaks}
                    for s in row.shifts
                ]
            shifts = wanted.get("shifts", now.shifts if now else [])
            holidays = wanted.get("holidays", now.holidays if now else [])
            try:
                WorkCalendar(plant.time_zone, shifts, holidays)
            except BadCalendar as error:
                raise _Wrong("malformed", str(error)) from None
            return wanted

        self._write("calendars", Calendar, "code", plant, rows, values)

    def _people(self, plant: Plant, rows: list[tuple[Path, shopfile.PersonRow]]) -> None:
        badges = {row.badge for _, row in rows if isinstance(row.badge, str)}
        holders = dict(Person.objects.filter(badge__in=badges).values_list("badge", "username"))
        mine = self._usernames_of(plant)

        def values(row: shopfile.PersonRow, now: Person | None) -> dict[str, Any]:
            wanted = {name: value for name, value in given(row) if name not in ("role", "roles")}
            if now is not None and self.plant_ids is not None and row.username not in mine:
                raise _Wrong("taken", f"{row.username} is a person of another plant.")
            if isinstance(row.badge, str) and holders.setdefault(row.badge, row.username) != row.username:
                raise _Wrong("taken", f"Badge {row.badge} belongs to {holders[row.badge]}.")
            if now is None:
                wanted = {"name": row.username, "password": make_password(None)} | wanted
            return wanted

        written = self._write("people", Person, "username", plant, rows, values)
        wanted_roles: dict[int, set[str]] = {}
        for row, person in written:
            if isinstance(row.roles, list):
                wanted_roles[person.pk] = {str(role) for role in row.roles}
            elif isinstance(row.role, str):
                wanted_roles[person.pk] = {str(row.role)}
        have: dict[int, set[str]] = {person_id: set() for person_id in wanted_roles}
        for person_id, role in Membership.objects.filter(plant=plant, person__in=wanted_roles).values_list(
            "person_id", "role"
        ):
            have[person_id].add(role)
        Membership.objects.bulk_create(
            Membership(person_id=person_id, plant=plant, role=role)
            for person_id, roles in wanted_roles.items()
            for role in sorted(roles - have[person_id])
        )
        gone = models.Q(pk__in=[])
        for person_id, roles in wanted_roles.items():
            if have[person_id] - roles:
                gone |= models.Q(person_id=person_id, role__in=have[person_id] - roles)
        Membership.objects.filter(gone, plant=plant).delete()

    def _usernames_of(self, plant: Plant) -> set[str]:
        if self.plant_ids is None:
            return set()
        return set(Person.objects.filter(memberships__plant=plant).values_list("username", flat=True))

    def _areas(self, plant: Plant, rows: list[tuple[Path, shopfile.AreaRow]]) -> None:
        leaders = {row.leader for _, row in rows if isinstance(row.leader, str)}
        steps = [step for _, row in rows if isinstance(row.escalation, list) for step in row.escalation]
        people = self._find(Person, "username", leaders | {step.who for step in steps} - {*andon.ROLES})
        self._find(
            Calendar, "code", {row.receiving for _, row in rows if isinstance(row.receiving, str)}, plant
        )

        def values(row: shopfile.AreaRow, now: Area | None) -> dict[str, Any]:
            if row.code == "supply":
                raise _Wrong("malformed", "An area cannot be called supply: /b/supply/ is a page of its own.")
            wanted = dict(given(row))
            if isinstance(row.leader, str):
                if row.leader not in people:
                    raise _Wrong("unknown_reference", f"There is no person {row.leader!r}.")
                wanted["leader"] = people[row.leader]
            if isinstance(row.receiving, str):
                wanted["receiving"] = self._named(Calendar, "calendar", row.receiving, plant)
            if isinstance(row.escalation, list):
                wanted["escalation"] = _escalation(row.escalation, people)
            return wanted if now else {"name": row.code} | wanted

        self._write("areas", Area, "code", plant, rows, values)

    def _suppliers(self, plant: Plant, rows: list[tuple[Path, shopfile.SupplierRow]]) -> None:
        self._find(
            Calendar, "code", {row.calendar for _, row in rows if isinstance(row.calendar, str)}, plant
        )

        def values(row: shopfile.SupplierRow, now: Supplier | None) -> dict[str, Any]:
            wanted = dict(given(row))
            if isinstance(row.calendar, str):
                wanted["calendar"] = self._named(Calendar, "calendar", row.calendar, plant)
            if "delivery_days" in wanted:
                wanted["delivery_days"] = list(wanted["delivery_days"])
            return wanted if now else {"name": row.code} | wanted

        self._write("suppliers", Supplier, "code", plant, rows, values)

    def _stations(self, plant: Plant, rows: list[tuple[Path, shopfile.StationRow]]) -> None:
        self.structure_touched |= bool(rows)
        for model, name in ((Calendar, "calendar"), (Area, "area"), (Supplier, "supplier")):
            codes = {getattr(row, name) for _, row in rows}
            self._find(model, "code", {code for code in codes if isinstance(code, str)}, plant)

        def values(row: shopfile.StationRow, now: Station | None) -> dict[str, Any]:
            wanted = dict(given(row))
            for name, model in (("calendar", Calendar), ("area", Area), ("supplier", Supplier)):
                if isinstance(wanted.get(name), str):
                    wanted[name] = self._named(model, name, wanted[name], plant)
            for name in ("default_intent", "standard_work"):
                if name in wanted:
                    wanted[name] = wanted[name] or ""
            if now is None:
                if "kind" not in wanted:
                    raise _Wrong(
                        "malformed", "A new station needs a kind: PROCESS, SUPERMARKET, SUPPLIER, SHIPPING."
                    )
                wanted = {"name": row.code} | wanted
            kind = wanted.get("kind", now.kind if now else "")
            supplier = wanted.get("supplier", now.supplier if now else None)
            if (kind == StationKind.SUPPLIER) != (supplier is not None):
                raise _Wrong(
                    "malformed", "A station of kind SUPPLIER names its supplier, and no other station does."
                )
            return wanted

        self._write("stations", Station, "code", plant, rows, values)

    def _parts(self, plant: Plant, rows: list[tuple[Path, shopfile.PartRow]]) -> None:
        places = {
            code for _, row in rows if isinstance(row.standard_work, dict) for code in row.standard_work
        }
        self._find(Station, "code", places)

        def values(row: shopfile.PartRow, now: Part | None) -> dict[str, Any]:
            wanted = dict(given(row))
            for code in wanted.pop("standard_work", None) or {}:
                self._named(Station, "station", code, plant)
            if "gtin" in wanted:
                wanted["gtin"] = wanted["gtin"] or ""
                if wanted["gtin"] and not _gtin_is_right(wanted["gtin"]):
                    raise _Wrong("malformed", f"The check digit of GTIN {wanted['gtin']} is wrong.")
            return wanted

        written = self._write("parts", Part, "number", plant, rows, values)
        self._standard_work(
            {part: row.standard_work for row, part in written if isinstance(row.standard_work, dict)}
        )

    def _standard_work(self, wanted: Mapping[Part, Mapping[str, str]]) -> None:
        """What a part's row names is all there is for this part."""
        have: dict[tuple[int, str], StandardWork] = {
            (work.part_id, work.station.code): work
            for work in StandardWork.objects.filter(part__in=wanted).select_related("station")
        }
        stations = self._known.get(Station, {})
        for part, addresses in wanted.items():
            changes: dict[str, tuple[str, str]] = {}
            for code, url in addresses.items():
                work = have.pop((part.pk, code), None)
                if work is None and url:
                    StandardWork.objects.create(part=part, station=stations[code], url=url)
                    changes[f"standard work at {code}"] = ("", url)
                elif work is not None and work.url != url:
                    changes[f"standard work at {code}"] = (work.url, url)
                    work.url = url
                    work.save(update_fields=["url"]) if url else work.delete()
            for (part_id, code), work in list(have.items()):
                if part_id == part.pk:
                    changes[f"standard work at {code}"] = (have.pop((part_id, code)).url, "")
                    work.delete()
            if changes:
                self._also_changed("parts", part.number, changes)

    def _also_changed(self, kind: str, key: str, changes: Mapping[str, tuple[str, str]]) -> None:
        """A row's report grows by what stands in other tables."""
        for place, row in enumerate(self.report.rows):
            if (row.kind, row.key) == (kind, key) and row.status != "created":
                self.report.rows[place] = Loaded(
                    row.path, row.kind, row.key, "changed", dict(row.changes) | dict(changes)
                )

    def _bills(self, plant: Plant, rows: list[tuple[Path, shopfile.BillRow]]) -> None:
        self.structure_touched |= bool(rows)
        numbers = {row.part for _, row in rows} | {line.part for _, row in rows for line in row.components}
        parts = self._find(Part, "number", numbers)
        lines: dict[str, dict[str, BillOfMaterials]] = {}
        for line in BillOfMaterials.objects.filter(
            parent__number__in={row.part for _, row in rows}
        ).select_related("parent", "component"):
            lines.setdefault(line.parent.number, {})[line.component.number] = line
        created, changed, gone = [], [], []
        for path, row in rows:
            have = lines.get(row.part, {})
            try:
                parent = self._named(Part, "part", row.part, plant)
                wanted = self._bill_lines(row, plant)
            except _Wrong as error:
                self._problem(path, "bills", row.part, error.code, str(error))
                continue
            changes = {
                number: (
                    _shown(have[number].quantity) if number in have else "",
                    _shown(wanted.get(number, "")),
                )
                for number in sorted(have.keys() | wanted.keys())
                if number not in have or number not in wanted or have[number].quantity != wanted[number]
            }
            for number in changes:
                if number not in wanted:
                    gone.append(have[number].pk)
                elif number in have:
                    have[number].quantity = wanted[number]
                    changed.append(have[number])
                else:
                    created.append(
                        BillOfMaterials(parent=parent, component=parts[number], quantity=wanted[number])
                    )
            status = "unchanged" if not changes else "changed" if have else "created"
            self.report.rows.append(Loaded(path, "bills", row.part, status, changes if have else {}))
        if gone:
            BillOfMaterials.objects.filter(pk__in=gone).delete()
        if changed:
            BillOfMaterials.objects.bulk_update(changed, ["quantity"], batch_size=1_000)
        if created:
            BillOfMaterials.objects.bulk_create(created, batch_size=1_000)

    def _bill_lines(self, row: shopfile.BillRow, plant: Plant) -> dict[str, Decimal]:
        lines: dict[str, Decimal] = {}
        for line in row.components:
            if line.part == row.part:
                raise _Wrong("circle", f"{row.part} cannot be a component of itself.")
            if line.part in lines:
                raise _Wrong(
                    "twice", f"{line.part} stands in the bill of {row.part} twice. Add the quantities up."
                )
            self._named(Part, "part", line.part, plant)
            lines[line.part] = _quantity(line.quantity, 6, line.part)
        return lines

    def _loops(self, plant: Plant, rows: list[tuple[Path, shopfile.LoopRow]]) -> None:
        self.structure_touched |= bool(rows)
        self._find(Part, "number", {row.part for _, row in rows if isinstance(row.part, str)})
        places = (name for _, row in rows for name in (row.demand, row.supply))
        self._find(Station, "code", {name for name in places if isinstance(name, str)})

        existing = self._find(Loop, "code", [row.code for _, row in rows])
        counts = self.cards_of([existing[row.code].pk for _, row in rows if row.code in existing])

        def values(row: shopfile.LoopRow, now: Loop | None) -> dict[str, Any]:
            return self._loop_values(row, now, plant, counts)

        for row, loop in self._write("loops", Loop, "code", plant, rows, values):
            asked = _quantity_of(row, loop)
            if asked is not None:
                self.report.quantities.append(QuantityAsked(loop.pk, asked))
                shown = (_shown(loop.quantity), _shown(asked))
                self._also_changed("loops", loop.code, {"quantity": shown})
            if isinstance(row.cards, int):
                first = row.first if isinstance(row.first, list) else [row.first or "FULL"] * row.cards
                self.report.cards.append(CardsAsked(loop.pk, loop.code, tuple(first)))

    def _loop_values(
        self, row: shopfile.LoopRow, now: Loop | None, plant: Plant, counts: Mapping[int, int]
    ) -> dict[str, Any]:
        wanted = {name: value for name, value in given(row) if name not in ("cards", "first")}
        if now is None:
            missing = [
                name for name in ("part", "demand", "supply", "kind", "quantity") if name not in wanted
            ]
            if missing:
                raise _Wrong("malformed", f"A new loop needs {', '.join(missing)}.")
            if wanted.get("status", LoopStatus.ACTIVE) not in (LoopStatus.ACTIVE, LoopStatus.DRAFT):
                raise _Wrong("malformed", "A new loop begins as ACTIVE or DRAFT.")
        else:
            wanted.pop("status", None)
        if isinstance(row.part, str):
            wanted["part"] = self._named(Part, "part", row.part, plant)
        for name in ("demand", "supply"):
            if name in wanted:
                wanted[name] = self._named(Station, "station", wanted[name], plant)
        for name in ("part", "demand", "kind"):
            if now is not None and name in wanted and getattr(now, name) != wanted[name]:
                raise _Wrong(
                    "identity",
                    f"Loop {row.code} has {name} {getattr(now, name)} and its cards say so."
                    " Make a new loop and retire this one.",
                )
        before = (
            {} if now is None else {name: getattr(now, name) for name in ("part", "demand", "supply", "kind")}
        )
        after = before | wanted
        part, demand, supply, kind = after["part"], after["demand"], after["supply"], after["kind"]
        if demand == supply:
            raise _Wrong("malformed", "A loop goes from one station to another.")
        if supply.kind == StationKind.SHIPPING:
            raise _Wrong("malformed", f"{supply.code} is the customer's end and supplies no loop.")
        if kind == LoopKind.SUPPLIER and supply.kind != StationKind.SUPPLIER:
            raise _Wrong(
                "malformed",
                f"A SUPPLIER loop is supplied by a station of kind SUPPLIER; {supply.code} is not.",
            )
        for name in ("quantity", "lot_quantity", "triangle_quantity", "reorder_level"):
            if wanted.get(name) is not None:
                wanted[name] = _quantity(wanted[name], part.decimals, part.number)
        if "sequence" in wanted:
            wanted["sequence"] = {str(status): str(need) for status, need in wanted["sequence"].items()}
            for status in (SupplyStatus.EMPTY, SupplyStatus.FULL):
                if wanted["sequence"].get(status, Need.MANDATORY) != Need.MANDATORY:
                    raise _Wrong("malformed", f"{status} is part of every turn and cannot be left out.")
        if isinstance(row.first, list) and len(row.first) != row.cards:
            raise _Wrong(
                "malformed", f"`first` names {len(row.first)} cards, `cards` says {row.cards or 'nothing'}."
            )
        count = counts.get(now.pk) if now is not None else None
        _gathering_is_possible(row.code, now, wanted, row.cards if count is None else count)
        if now is not None:
            # A running loop's quantity is changed with its cards, after this load (Report.quantities).
            wanted.pop("quantity", None)
            if wanted.get("supply", now.supply) != now.supply:
                wanted["revision"] = now.revision + 1
        return wanted


def _list(raw: object, name: str) -> list[Any]:
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise Unreadable(f"{name} must be a list.")
    return raw


def _instant(raw: object, name: str) -> datetime | None:
    if raw is None:
        return None
    try:
        instant = datetime.fromisoformat(str(raw))
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise Unreadable(f"{name} must be an instant with its offset, as 2012-01-02T00:00:00+00:00.")
    return instant


def _moved(problem: Problem, path: Path) -> Problem:
    return Problem(path, problem.kind, problem.key, problem.code, problem.message)


def _quantity(value: Decimal, decimals: int, part: str) -> Decimal:
    """A quantity that the column can hold and the part's unit allows."""
    if not value.is_finite() or not 0 < value < _MOST_DIGITS:
        raise _Wrong("malformed", f"The quantity of {part} must be more than 0.")
    exponent = value.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    if -exponent > decimals:
        raise _Wrong("malformed", f"The quantity of {part} has more than {decimals} decimals.")
    return value.quantize(Decimal("0.000001"))


def _quantity_of(row: shopfile.LoopRow, loop: Loop) -> Decimal | None:
    """The quantity that the row asks of a loop that has another one."""
    if not isinstance(row.quantity, Decimal) or row.quantity == loop.quantity:
        return None
    return row.quantity


def _gathering_is_possible(code: str, now: Loop | None, wanted: Mapping[str, Any], cards: object) -> None:
    """Settings that belong together stand together; a batch can be complete while one card is still in use."""
    names = (
        "accumulate",
        "accumulate_cards",
        "lot_quantity",
        "triangle_quantity",
        "trigger",
        "reorder_level",
    )
    loop = Loop() if now is None else now
    after = {name: wanted.get(name, getattr(loop, name)) for name in names}
    if after["accumulate"] == Accumulate.CARDS:
        if not after["accumulate_cards"]:
            raise _Wrong("malformed", f"Loop {code} gathers cards: say how many in accumulate_cards.")
        if isinstance(cards, int) and after["accumulate_cards"] > cards - 1:
            raise _Wrong("malformed", f"Loop {code} has {cards} cards: at most {cards - 1} can be gathered.")
    if after["accumulate"] == Accumulate.QUANTITY and not after["lot_quantity"]:
        raise _Wrong("malformed", f"Loop {code} gathers pieces: say how many in lot_quantity.")
    triangle = after["triangle_quantity"]
    if triangle is not None and (after["lot_quantity"] is None or after["lot_quantity"] < triangle):
        raise _Wrong("malformed", f"The lot of loop {code} must be at least what its triangle leaves.")
    if after["trigger"] == Trigger.ON_QTY and not after["reorder_level"]:
        raise _Wrong("malformed", f"Loop {code} calls by quantity: say below which in reorder_level.")


def _escalation(rows: Sequence[shopfile.StepRow], people: Mapping[str, Person]) -> list[dict[str, Any]]:
    """The steps of an area as they are kept."""
    steps = [{"after": row.after, "who": row.who} for row in rows]
    for row in rows:
        if row.who not in andon.ROLES and row.who not in people:
            raise _Wrong(
                "unknown_reference",
                f"There is no person {row.who!r}. Name a user, or one of {', '.join(andon.ROLES)}.",
            )
    try:
        andon.steps_of(steps)
    except andon.BadSteps as error:
        raise _Wrong("malformed", str(error)) from None
    return steps


def _gtin_is_right(gtin: str) -> bool:
    digits = [int(digit) for digit in reversed(gtin)]
    return (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0


def _shown(value: object) -> str:
    """A value as a person reads it in a list of changes."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def counts(report: Report) -> dict[str, Counter[str]]:
    """Rows by kind and status, for a summary."""
    summary: dict[str, Counter[str]] = {}
    for row in report.rows:
        summary.setdefault(row.kind, Counter())[row.status] += 1
    return summary
