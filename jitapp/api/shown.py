"""Master data as the API shows it: the members of a shop file's row, with plant and version.

The names of the types are those of the OpenAPI document's schemas.
"""

from __future__ import annotations

from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from jitapp.kanban.state import text
from jitapp.kanban.vocabulary import (
    Consumption,
    Intent,
    StationKind,
)
from jitapp.plant import models
from jitapp.plant.masters.areas import AREAS
from jitapp.plant.masters.loops import LOOPS, LoopRow
from jitapp.plant.masters.stations import STATIONS
from jitapp.plant.masters.suppliers import SUPPLIERS
from jitapp.plant.rows import Day

Quantity = Annotated[str, msgspec.Meta(extra_json_schema={"format": "decimal"})]


class Part(msgspec.Struct):
    """What is moved: one part number per stage of making. `standard_work`: address per station that makes it."""

    number: str
    description: str
    unit: str
    decimals: int
    gtin: str | None
    standard_work: dict[str, str]
    plant: str
    version: int


class Supplier(msgspec.Struct):
    """A company that fills containers from outside."""

    code: str
    name: str
    calendar: str | None
    ack_within_minutes: int | None
    delivery_days: list[Day]
    plant: str
    version: int


class Step(msgspec.Struct):
    """After so many minutes of working time a call that nobody took asks for `who`."""

    after: int
    who: str


class Area(msgspec.Struct):
    """A part of a plant with a leader and a board. `receiving`: the calendar in which deliveries are taken in here.
    `idle_minutes`: nobody is signed in at a tablet after so long without a touch; null: until they sign out. `words`:
    what a bin, a station, a part and a card are called here, by language; {}: as the plant calls them."""

    code: str
    name: str
    leader: str | None
    receiving: str | None
    idle_minutes: int | None
    escalation: list[Step]
    words: dict[str, dict[str, dict[str, str]]]
    plant: str


class Station(msgspec.Struct):
    """A place where work is done or parts wait."""

    code: str
    name: str
    area: str | None
    kind: StationKind
    consumption: Consumption
    wip_limit: int | None
    receiving_limit: int | None
    default_intent: Intent | None
    readiness_checks: list[str]
    keeps_sequence: bool
    refuses_without_components: bool
    standard_work: str | None
    calendar: str | None
    supplier: str | None
    position: int
    plant: str
    version: int


def _loop_members() -> list[tuple[str, Any]]:
    """The settings of a loop as its rows in a shop file declare them, and what only an answer has."""
    hints = get_type_hints(LoopRow, include_extras=True)
    settings = [
        (field.name, _given(hints[field.name]))
        for field in msgspec.structs.fields(LoopRow)
        if field.name not in ("cards", "first")
    ]
    return [
        *settings,
        ("hold_reason", str),
        ("cards", int),
        ("plant", str),
        ("revision", int),
        ("version", int),
    ]


def _given(hint: Any) -> Any:
    """A member's type where it is always given; quantities are decimal strings."""
    kinds = (
        [each for each in get_args(hint) if each is not msgspec.UnsetType]
        if get_origin(hint) in (Union, UnionType)
        else [hint]
    )
    given = [Quantity if each is Decimal else each for each in kinds]
    found = given[0]
    for each in given[1:]:
        found = found | each
    return found


Loop = msgspec.defstruct(
    "Loop",
    _loop_members(),
    namespace={"__doc__": "A control cycle with its settings; `cards` is how many it has."},
)


class Component(msgspec.Struct):
    """`quantity` of the part goes into one unit of the bill's part."""

    part: str
    quantity: Quantity


class Bill(msgspec.Struct):
    """The whole bill of a part."""

    part: str
    components: list[Component]
    plant: str


def part(row: models.Part, work: dict[str, str]) -> Part:
    """`work`: address of the standard work by station code."""
    return Part(
        number=row.number,
        description=row.description,
        unit=row.unit,
        decimals=row.decimals,
        gtin=row.gtin or None,
        standard_work=work,
        plant=row.plant.code,
        version=row.version,
    )


def supplier(row: models.Supplier) -> Supplier:
    """With its calendar read; what cannot be read of a saved row has its default, as in all of these."""
    SUPPLIERS.mend(row)
    return Supplier(
        code=row.code,
        name=row.name,
        calendar=row.calendar.code if row.calendar else None,
        ack_within_minutes=row.ack_within_minutes,
        delivery_days=row.delivery_days,
        plant=row.plant.code,
        version=row.version,
    )


def area(row: models.Area) -> Area:
    """With its leader and calendar read."""
    AREAS.mend(row)
    return Area(
        code=row.code,
        name=row.name,
        leader=row.leader.username if row.leader else None,
        receiving=row.receiving.code if row.receiving else None,
        idle_minutes=row.idle_minutes,
        escalation=row.escalation,
        words=row.words,
        plant=row.plant.code,
    )


def station(row: models.Station) -> Station:
    """With its area, calendar and supplier read."""
    STATIONS.mend(row)
    return Station(
        code=row.code,
        name=row.name,
        area=row.area.code if row.area else None,
        kind=StationKind(row.kind),
        consumption=Consumption(row.consumption),
        wip_limit=row.wip_limit,
        receiving_limit=row.receiving_limit,
        default_intent=Intent(row.default_intent) if row.default_intent else None,
        readiness_checks=row.readiness_checks,
        keeps_sequence=row.keeps_sequence,
        refuses_without_components=row.refuses_without_components,
        standard_work=row.standard_work or None,
        calendar=row.calendar.code if row.calendar else None,
        supplier=row.supplier.code if row.supplier else None,
        position=row.position,
        plant=row.plant.code,
        version=row.version,
    )


def loop(row: models.Loop, cards: int) -> msgspec.Struct:
    """With its part and stations read; `cards` as many as a change of the loop would count."""
    LOOPS.mend(row)
    more = {
        "hold_reason": row.hold_reason,
        "cards": cards,
        "plant": row.plant.code,
        "revision": row.revision,
        "version": row.version,
    }
    return msgspec.convert(LOOPS.members(row) | more, Loop)


def bill(row: models.Part, lines: list[Component]) -> Bill:
    """`lines` in the order of the components' numbers."""
    return Bill(part=row.number, components=lines, plant=row.plant.code)


def component(row: models.BillOfMaterials) -> Component:
    """With its part read."""
    return Component(part=row.component.number, quantity=text(row.quantity))


def _text(quantity: Decimal | None) -> str | None:
    return None if quantity is None else text(quantity)
