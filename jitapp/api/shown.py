"""Master data as the API shows it: the members of a shop file's row, with plant and version.

The names of the types are those of the OpenAPI document's schemas.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec

from jitapp.kanban.state import text
from jitapp.kanban.vocabulary import (
    Accumulate,
    ConsumeAt,
    Consumption,
    DocPolicy,
    GrPolicy,
    Intent,
    Level,
    LoopKind,
    LoopStatus,
    Need,
    StationKind,
    SupplyStatus,
    Trigger,
)
from jitapp.plant import models
from jitapp.plant.shopfile import Day

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
    """A part of a plant with a leader and a board. `receiving`: the calendar in which deliveries are taken in here."""

    code: str
    name: str
    leader: str | None
    receiving: str | None
    escalation: list[Step]
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
    standard_work: str | None
    calendar: str | None
    supplier: str | None
    position: int
    plant: str
    version: int


class Loop(msgspec.Struct):
    """A control cycle with its settings; `cards` is how many it has."""

    code: str
    part: str
    demand: str
    supply: str
    kind: LoopKind
    quantity: Quantity
    lead_time_minutes: int
    consume_at: ConsumeAt
    trigger: Trigger
    sequence: dict[SupplyStatus, Need]
    min_turn_minutes: int
    min_turn_level: Level
    bounce_ms: int
    undo_window_s: int
    late_hours: int
    max_empty_allowed: int
    accumulate: Accumulate
    accumulate_cards: int | None
    lot_quantity: Quantity | None
    triangle_quantity: Quantity | None
    accumulate_times: list[str]
    independent_supply: bool
    doc_policy: DocPolicy
    ack_required: bool
    gr_policy: GrPolicy
    reorder_level: Quantity | None
    auto_detach: bool
    status: LoopStatus
    hold_reason: str
    cards: int
    plant: str
    revision: int
    version: int


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
    """With its calendar read."""
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
    return Area(
        code=row.code,
        name=row.name,
        leader=row.leader.username if row.leader else None,
        receiving=row.receiving.code if row.receiving else None,
        escalation=row.escalation,
        plant=row.plant.code,
    )


def station(row: models.Station) -> Station:
    """With its area, calendar and supplier read."""
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
        standard_work=row.standard_work or None,
        calendar=row.calendar.code if row.calendar else None,
        supplier=row.supplier.code if row.supplier else None,
        position=row.position,
        plant=row.plant.code,
        version=row.version,
    )


def loop(row: models.Loop, cards: int) -> Loop:
    """With its part and stations read."""
    return Loop(
        code=row.code,
        part=row.part.number,
        demand=row.demand.code,
        supply=row.supply.code,
        kind=LoopKind(row.kind),
        quantity=text(row.quantity),
        lead_time_minutes=row.lead_time_minutes,
        consume_at=ConsumeAt(row.consume_at),
        trigger=Trigger(row.trigger),
        sequence=row.sequence,
        min_turn_minutes=row.min_turn_minutes,
        min_turn_level=Level(row.min_turn_level),
        bounce_ms=row.bounce_ms,
        undo_window_s=row.undo_window_s,
        late_hours=row.late_hours,
        max_empty_allowed=row.max_empty_allowed,
        accumulate=Accumulate(row.accumulate),
        accumulate_cards=row.accumulate_cards,
        lot_quantity=_text(row.lot_quantity),
        triangle_quantity=_text(row.triangle_quantity),
        accumulate_times=row.accumulate_times,
        independent_supply=row.independent_supply,
        doc_policy=DocPolicy(row.doc_policy),
        ack_required=row.ack_required,
        gr_policy=GrPolicy(row.gr_policy),
        reorder_level=_text(row.reorder_level),
        auto_detach=row.auto_detach,
        status=LoopStatus(row.status),
        hold_reason=row.hold_reason,
        cards=cards,
        plant=row.plant.code,
        revision=row.revision,
        version=row.version,
    )


def bill(row: models.Part, lines: list[Component]) -> Bill:
    """`lines` in the order of the components' numbers."""
    return Bill(part=row.number, components=lines, plant=row.plant.code)


def component(row: models.BillOfMaterials) -> Component:
    """With its part read."""
    return Component(part=row.component.number, quantity=text(row.quantity))


def _text(quantity: Decimal | None) -> str | None:
    return None if quantity is None else text(quantity)
