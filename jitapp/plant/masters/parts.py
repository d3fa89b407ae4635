"""Parts: what is moved, and where making it is described."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from jitapp.plant.masters.master import Load, Master, Rows, Values
from jitapp.plant.masters.stations import STATIONS
from jitapp.plant.masters.wrong import Wrong
from jitapp.plant.models import Part, Plant, StandardWork
from jitapp.plant.rows import Code, Row, Url


class PartRow(Row):
    """What is moved: one part number per stage of making. `standard_work`: address per station that makes it."""

    number: Code
    description: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET
    unit: Annotated[str, Meta(min_length=1, max_length=10)] | UnsetType = UNSET
    decimals: Annotated[int, Meta(ge=0, le=6)] | UnsetType = UNSET
    gtin: Annotated[str, Meta(pattern=r"^([0-9]{8}|[0-9]{12,14})?\Z")] | UnsetType | None = UNSET
    standard_work: dict[str, Url] | UnsetType = UNSET


class Parts(Master[PartRow, Part]):
    """What a part's row names as its standard work is all there is for this part."""

    kind, word, key, row, model = "parts", "part", "number", PartRow, Part

    def reader(
        self, load: Load, plant: Plant, rows: Rows[PartRow]
    ) -> Callable[[PartRow, Part | None], Values]:
        """Every station that standard work names is looked up at once."""
        works = (row.standard_work for _, row in rows if isinstance(row.standard_work, dict))
        load.find(STATIONS, {code for work in works for code in work}, plant)
        return super().reader(load, plant, rows)

    def values(self, load: Load, plant: Plant, row: PartRow, before: Part | None) -> Values:
        """Standard work stands in another table, but at stations that exist."""
        wanted = super().values(load, plant, row, before)
        for code in row.standard_work if isinstance(row.standard_work, dict) else ():
            load.named(STATIONS, code, plant)
        wanted.pop("standard_work", None)
        return wanted

    def check(self, after: Part, before: Part | None) -> None:
        """A maker's number has a check digit."""
        if after.gtin and not _gtin_is_right(after.gtin):
            raise Wrong("malformed", f"The check digit of GTIN {after.gtin} is wrong.")

    def finish(self, load: Load, plant: Plant, written: Sequence[tuple[PartRow, Part]]) -> None:
        """Addresses that are missing are added, others change or go."""
        wanted = {part: row.standard_work for row, part in written if isinstance(row.standard_work, dict)}
        have: dict[int, dict[str, StandardWork]] = {}
        for work in StandardWork.objects.filter(part__in=wanted).select_related("station"):
            have.setdefault(work.part_id, {})[work.station.code] = work
        for part, addresses in wanted.items():
            changes = _keep(load, plant, part, addresses, have.get(part.pk, {}))
            if changes:
                load.also_changed(self.kind, part.number, changes)


def _keep(
    load: Load, plant: Plant, part: Part, addresses: Mapping[str, str], have: Mapping[str, StandardWork]
) -> dict[str, tuple[str, str]]:
    """Writes the addresses of a part by station; what differed, before and after."""
    changes: dict[str, tuple[str, str]] = {}
    for code in [*addresses, *(code for code in have if code not in addresses)]:
        work, url = have.get(code), addresses.get(code, "")
        if url == (work.url if work is not None else ""):
            continue
        changes[f"standard work at {code}"] = (work.url if work is not None else "", url)
        if work is None:
            StandardWork.objects.create(part=part, station=load.named(STATIONS, code, plant), url=url)
        elif url:
            work.url = url
            work.save(update_fields=["url"])
        else:
            work.delete()
    return changes


def _gtin_is_right(gtin: str) -> bool:
    digits = [int(digit) for digit in reversed(gtin)]
    return (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0


PARTS = Parts()
