"""Bills: what goes into one unit of a part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from jitapp.kanban.stated import Stated, stated
from jitapp.plant.exactjson import Path
from jitapp.plant.masters.master import Load, Master, Rows
from jitapp.plant.masters.parts import PARTS
from jitapp.plant.masters.report import Loaded, shown
from jitapp.plant.masters.wrong import Wrong, named, quantity_fits
from jitapp.plant.models import BillOfMaterials, Part, Plant
from jitapp.plant.rows import Row

# A bill may say fractions of a piece: a quarter of a sheet goes into one lid.
_DECIMALS = 6


class ComponentRow(Row):
    """`quantity` of the part goes into one unit of the bill's part."""

    part: str
    quantity: Decimal


class BillRow(Row):
    """The whole bill of a part: what it does not name is no longer in it."""

    part: str
    components: Annotated[list[ComponentRow], Meta(max_length=1_000)]


_Wanted = Mapping[str, tuple[Part, Decimal]]


@dataclass(frozen=True, slots=True)
class _Bill:
    """A bill on its way: its lines by the component's number, and the quantities that differ, before and after."""

    path: Path
    parent: Part
    before: Mapping[str, BillOfMaterials]
    wanted: _Wanted
    changes: Mapping[str, tuple[str, str]]


class Bills(Master[BillRow, BillOfMaterials]):
    """A bill is given whole; its lines are the only master data that a file takes away."""

    kind, word, key, row, model = "bills", "bill", "part", BillRow, BillOfMaterials
    shapes_structure = True

    def write(self, load: Load, plant: Plant, rows: Rows[BillRow]) -> None:
        """Lines that are missing are added, others take the new quantity or go."""
        load.structure_touched |= bool(rows)
        numbers = {row.part for _, row in rows} | {line.part for _, row in rows for line in row.components}
        load.find(PARTS, numbers, plant)
        have: dict[str, dict[str, BillOfMaterials]] = {}
        for line in BillOfMaterials.objects.filter(
            parent__number__in={row.part for _, row in rows}
        ).select_related("parent", "component"):
            have.setdefault(line.parent.number, {})[line.component.number] = line
        bills = []
        for path, raw in load.unread(self.kind):
            self.refer(load, plant, path, str(raw.get("part") or ""), raw)
        for path, row in rows:
            if not self.refer(load, plant, path, row.part, msgspec.structs.asdict(row)):
                continue
            try:
                parent = load.named(PARTS, row.part, plant)
                wanted = self._wanted(load, plant, row)
            except Wrong as error:
                load.problem(path, self.kind, row.part, error.code, error.said, member=error.member)
                continue
            before = have.get(row.part, {})
            bills.append(_Bill(path, parent, before, wanted, _differences(before, wanted)))
        self._save_bills(load, bills)

    def refer(self, load: Load, plant: Plant, path: Path, key: str, members: Mapping[str, object]) -> bool:
        """Whether the part and its components exist; each that does not is a problem of the row."""
        lines = members.get("components")
        named: list[tuple[Path, object]] = [(("part",), members.get("part"))]
        for at, line in enumerate(lines if isinstance(lines, list) else ()):
            part = (
                line.part if isinstance(line, ComponentRow) else isinstance(line, dict) and line.get("part")
            )
            named.append((("components", at, "part"), part))
        found = True
        for member, number in named:
            try:
                if isinstance(number, str):
                    load.named(PARTS, number, plant)
            except Wrong as error:
                load.problem(path, self.kind, key, error.code, error.said, member=member)
                found = False
        return found

    def _wanted(self, load: Load, plant: Plant, row: BillRow) -> _Wanted:
        """Component and quantity by the component's number. Raises Wrong."""
        lines: dict[str, tuple[Part, Decimal]] = {}
        for at, line in enumerate(row.components):
            place = ("components", at, "part")
            if line.part == row.part:
                raise Wrong("circle", stated("{part} cannot be a component of itself.", part=row.part), place)
            if line.part in lines:
                raise Wrong(
                    "twice",
                    stated(
                        "{part} stands in the bill of {bill} twice. Add the quantities up.",
                        part=line.part,
                        bill=row.part,
                    ),
                    place,
                )
            component = load.named(PARTS, line.part, plant)
            member = ("components", at, "quantity")
            lines[line.part] = component, quantity_fits(line.quantity, _DECIMALS, line.part, member)
        return lines

    def _save_bills(self, load: Load, bills: Sequence[_Bill]) -> None:
        """Three statements whatever the number of bills; a bill whose components are booked stays as it is."""
        changing = [bill.parent.pk for bill in bills if bill.changes and bill.before]
        booked = load.floor.booked(changing) if changing else {}
        gone: list[int] = []
        changed: list[BillOfMaterials] = []
        created: list[BillOfMaterials] = []
        for bill in bills:
            held = booked.get(bill.parent.pk, frozenset())
            if in_use := sorted(number for number in bill.changes if number in held):
                load.problem(bill.path, self.kind, bill.parent.number, "in_use", _booked(bill.parent, in_use))
                continue
            for number in bill.changes:
                line = bill.before.get(number)
                if number not in bill.wanted:
                    assert line is not None
                    gone.append(line.pk)
                    continue
                component, quantity = bill.wanted[number]
                if line is None:
                    created.append(
                        BillOfMaterials(parent=bill.parent, component=component, quantity=quantity)
                    )
                else:
                    line.quantity = quantity
                    changed.append(line)
            status = "unchanged" if not bill.changes else "changed" if bill.before else "created"
            changes = bill.changes if bill.before else {}
            load.report.rows.append(Loaded(bill.path, self.kind, bill.parent.number, status, changes))
        BillOfMaterials.objects.filter(pk__in=gone).delete()
        BillOfMaterials.objects.bulk_update(changed, ["quantity"], batch_size=1_000)
        BillOfMaterials.objects.bulk_create(created, batch_size=1_000)


def _differences(before: Mapping[str, BillOfMaterials], wanted: _Wanted) -> dict[str, tuple[str, str]]:
    now = {number: line.quantity for number, line in before.items()}
    then = {number: quantity for number, (_, quantity) in wanted.items()}
    return {
        number: (shown(now.get(number)), shown(then.get(number)))
        for number in sorted(now.keys() | then.keys())
        if now.get(number) != then.get(number)
    }


def _booked(parent: Part, components: Sequence[str]) -> Stated:
    return stated(
        "Open turns of {part} have booked {components} by the bill as it is."
        " Start or cancel them first, then change that line.",
        part=parent.number,
        components=named(components),
    )


BILLS = Bills()
