"""Stations: places where work is done or parts wait."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from jitapp.kanban.vocabulary import Consumption, Intent, StationKind
from jitapp.plant.masters.areas import AREAS
from jitapp.plant.masters.calendars import CALENDARS
from jitapp.plant.masters.master import Load, Master, Values
from jitapp.plant.masters.suppliers import SUPPLIERS
from jitapp.plant.masters.wrong import Wrong
from jitapp.plant.models import Plant, Station
from jitapp.plant.rows import Code, Limit, Name, Row, Url


class StationRow(Row):
    """A place where work is done or parts wait."""

    code: Code
    name: Name | UnsetType = UNSET
    area: str | UnsetType | None = UNSET
    kind: StationKind | UnsetType = UNSET
    consumption: Consumption | UnsetType = UNSET
    wip_limit: Limit | UnsetType | None = UNSET
    receiving_limit: Limit | UnsetType | None = UNSET
    default_intent: Intent | UnsetType | None = UNSET
    readiness_checks: list[Name] | UnsetType = UNSET
    keeps_sequence: bool | UnsetType = UNSET
    standard_work: Url | UnsetType | None = UNSET
    calendar: str | UnsetType | None = UNSET
    supplier: str | UnsetType | None = UNSET
    position: Annotated[int, Meta(ge=0, le=1_000_000)] | UnsetType = UNSET


class Stations(Master[StationRow, Station]):
    """What filling means at a station, and how its consumption is known."""

    kind, word, row, model = "stations", "station", StationRow, Station
    refers = {"area": AREAS, "calendar": CALENDARS, "supplier": SUPPLIERS}
    shapes_structure = True

    def values(self, load: Load, plant: Plant, row: StationRow, before: Station | None) -> Values:
        """A new station says what it is."""
        wanted = super().values(load, plant, row, before)
        if before is None and "kind" not in wanted:
            raise Wrong("malformed", "A new station needs a kind: PROCESS, SUPERMARKET, SUPPLIER, SHIPPING.")
        return wanted

    def check(self, after: Station, before: Station | None) -> None:
        """A supplier's station belongs to a supplier, and only such a station does."""
        if (after.kind == StationKind.SUPPLIER) != (after.supplier is not None):
            raise Wrong(
                "malformed", "A station of kind SUPPLIER names its supplier, and no other station does."
            )


STATIONS = Stations()
