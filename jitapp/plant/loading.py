"""Master data from a document into the tables: all of it or, row by row, what is right.

Loading the same again changes nothing. What exists keeps what a row does not name; nothing is ever deleted except the
lines that a bill no longer has. What a file may not change is what would rewrite history: a loop's part and places,
and the status of anything that moves. Cards belong to the pull room; `Report.cards` says what was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from jitapp.kanban.instants import in_range
from jitapp.plant import shopfile
from jitapp.plant.exactjson import Path
from jitapp.plant.holdings import the_floor
from jitapp.plant.masters.master import Load
from jitapp.plant.masters.plants import PLANTS
from jitapp.plant.masters.report import Loaded, Problem, Report, counts
from jitapp.plant.masters.spelled import as_kept
from jitapp.plant.masters.table import MASTERS
from jitapp.plant.models import Plant
from jitapp.plant.rows import Unreadable, as_text
from jitapp.plant.structure import check_structure, lock_master_data

__all__ = ["Loaded", "Problem", "Report", "counts", "load_shop"]

MOST_ROWS = 50_000


def load_shop(
    document: Mapping[str, Any],
    *,
    dry_run: bool = False,
    plant_ids: frozenset[int] | None = None,
    row_by_row: bool = False,
    precondition: Callable[[], None] | None = None,
) -> Report:
    """Loads a shop document (docs/shop-files.md); never raises for what stands in it.

    One transaction: with any error nothing is changed, unless `row_by_row` lets the right rows through. A circle
    in the structure undoes everything in both cases. `plant_ids` bounds what may be touched to these plants.
    `precondition` is asked once nobody else can write any more; what it raises goes to the caller, unchanged.
    """
    with transaction.atomic():
        lock_master_data()
        if precondition is not None:
            precondition()
        load = Load(plant_ids, the_floor())
        report = load.report
        try:
            _run(load, document)
        except Unreadable as error:
            report.errors.append(Problem((), "shop", "", "malformed", str(error)))
        if load.structure_touched and (row_by_row or not report.errors):
            circles = check_structure(plant.pk for plant in load.plants.values())
            report.errors += [Problem((), "shop", "", "circle", str(said), said=said) for said in circles]
        circular = any(error.code == "circle" for error in report.errors)
        if dry_run or circular or (report.errors and not row_by_row):
            transaction.set_rollback(True)
    if circular or (report.errors and not row_by_row):
        report.rows, report.cards, report.sizes, report.remarks = [], [], [], []
    report.errors.sort(key=_in_the_file)
    return report


def _in_the_file(error: Problem) -> tuple[bool, list[int]]:
    """Errors stand in the order of the lists and their rows; those of the shop as a whole come last."""
    kinds = list(shopfile.LISTS)
    return not error.path, [step if isinstance(step, int) else kinds.index(step) for step in error.path[1:]]


def _run(load: Load, document: Mapping[str, Any]) -> None:
    """Loads every plant of the document, kind after kind. Raises Unreadable for a document of another shape."""
    content = as_text(document)
    version, plants = content.pop("shop", None), content.pop("plants", None)
    if version != shopfile.FORMAT:
        raise Unreadable(f"The file must say `shop: {shopfile.FORMAT}`, the version of its form.")
    load.report.first_at = _instant(content.pop("first_at", None), "first_at")
    if content:
        raise Unreadable(f"There is no member called {min(content)} beside shop, first_at and plants.")
    parts = [_parts_of(index, raw) for index, raw in enumerate(_list(plants, "plants"))]
    if sum(len(rows) for _, _, lists in parts for rows in lists.values()) > MOST_ROWS:
        raise Unreadable(f"The file has more than {MOST_ROWS} rows. Load it in parts.")
    for path, head, lists in parts:
        plant = PLANTS.write_one(load, path, head)
        if plant is not None:
            _load_lists(load, plant, path, lists)


def _load_lists(load: Load, plant: Plant, path: Path, lists: Mapping[str, list[object]]) -> None:
    load.begin(plant)
    lists = as_kept(lists, plant)
    # All rows are read before one is written, so that every row that cannot be read is named.
    rows = {master.kind: load.read((*path, master.kind), master, lists[master.kind]) for master in MASTERS}
    for master in MASTERS:
        master.write(load, plant, rows[master.kind])


def _parts_of(index: int, raw: object) -> tuple[Path, dict[str, object], dict[str, list[object]]]:
    """Path, members and lists of a plant in the document."""
    if not isinstance(raw, dict):
        raise Unreadable("Each of the plants needs members and values.")
    lists = {master.kind: _list(raw.pop(master.kind, None), master.kind) for master in MASTERS}
    return ("plants", index), raw, lists


def _list(raw: object, name: str) -> list[object]:
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
    try:
        return in_range(instant)
    except ValueError as error:
        raise Unreadable(f"{name} {error}.") from None
