"""Bills: what goes into one unit of a part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from jitapp.plant.masters.master import Load, Master, Rows
from jitapp.plant.masters.parts import PARTS
from jitapp.plant.masters.report import Loaded, shown
from jitapp.plant.masters.wrong import Wrong, quantity_fits
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


@dataclass(slots=True)
class _Lines:
    """Lines of bills to be written, in three statements whatever the number of bills."""

    created: list[BillOfMaterials] = field(default_factory=list)
    changed: list[BillOfMaterials] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)

    def save(self) -> None:
        if self.gone:
            BillOfMaterials.objects.filter(pk__in=self.gone).delete()
        if self.changed:
            BillOfMaterials.objects.bulk_update(self.changed, ["quantity"], batch_size=1_000)
        if self.created:
            BillOfMaterials.objects.bulk_create(self.created, batch_size=1_000)


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
        lines = _Lines()
        for path, row in rows:
            try:
                parent = load.named(PARTS, row.part, plant)
                wanted = self._wanted(load, plant, row)
            except Wrong as error:
                load.problem(path, self.kind, row.part, error.code, str(error))
                continue
            before = have.get(row.part, {})
            changes = _compare(lines, parent, before, wanted)
            status = "unchanged" if not changes else "changed" if before else "created"
            load.report.rows.append(Loaded(path, self.kind, row.part, status, changes if before else {}))
        lines.save()

    def _wanted(self, load: Load, plant: Plant, row: BillRow) -> dict[str, tuple[Part, Decimal]]:
        """Component and quantity by the component's number. Raises Wrong."""
        lines: dict[str, tuple[Part, Decimal]] = {}
        for line in row.components:
            if line.part == row.part:
                raise Wrong("circle", f"{row.part} cannot be a component of itself.")
            if line.part in lines:
                raise Wrong(
                    "twice", f"{line.part} stands in the bill of {row.part} twice. Add the quantities up."
                )
            component = load.named(PARTS, line.part, plant)
            lines[line.part] = component, quantity_fits(line.quantity, _DECIMALS, line.part)
        return lines


def _compare(
    lines: _Lines,
    parent: Part,
    before: Mapping[str, BillOfMaterials],
    wanted: Mapping[str, tuple[Part, Decimal]],
) -> dict[str, tuple[str, str]]:
    """The quantities that differ by component, before and after; what has to be written goes to `lines`."""
    changes: dict[str, tuple[str, str]] = {}
    for number in sorted(before.keys() | wanted.keys()):
        line = before.get(number)
        component, quantity = wanted.get(number, (None, None))
        if line is not None and line.quantity == quantity:
            continue
        changes[number] = (shown(line.quantity) if line is not None else "", shown(quantity))
        if component is None or quantity is None:
            assert line is not None
            lines.gone.append(line.pk)
        elif line is None:
            lines.created.append(BillOfMaterials(parent=parent, component=component, quantity=quantity))
        else:
            line.quantity = quantity
            lines.changed.append(line)
    return changes


BILLS = Bills()
