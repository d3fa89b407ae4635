"""The shape of a shop file: one typed row per thing, whatever the file's form (docs/shop-files.md).

A member that is left out keeps its value on a thing that exists and takes its default on a new one; `null`
clears it. Scalars arrive as text (`as_text`), so that YAML's and Excel's ideas of numbers, dates and booleans do not
matter: part 0815 stays 0815 and 14:00 stays a time of day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

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
    Role,
    StationKind,
    SupplyStatus,
    Trigger,
)

FORMAT = "1"
MOST_DEPTH = 12
# A year of working minutes around the clock: longer lead times are slips of the pen.
MOST_MINUTES = 525_600

Code = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\Z", description="letters, digits, . _ -")
]
Name = Annotated[str, Meta(min_length=1, max_length=120)]
Minutes = Annotated[int, Meta(ge=0, le=MOST_MINUTES)]
Limit = Annotated[int, Meta(ge=1, le=10_000)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Url = Annotated[str, Meta(pattern=r"^(https?://[^\s]{1,190})?\Z")]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
FirstState = Literal["FULL", "EMPTY"]


class Row(Struct, forbid_unknown_fields=True, kw_only=True):
    """Anything with a code of its own in a shop file."""


class ShiftRow(Row):
    """Working hours that begin on each of `days`; an end that is not after the start lies on the next day."""

    days: list[Day]
    start: str
    end: str
    breaks: list[list[str]] = []


class CalendarRow(Row):
    """Working time; without shifts every minute works."""

    code: Code
    name: Annotated[str, Meta(max_length=120)] | UnsetType = UNSET
    default: bool | UnsetType = UNSET
    receiving: bool | UnsetType = UNSET
    shifts: Annotated[list[ShiftRow], Meta(max_length=100)] | UnsetType = UNSET
    holidays: Annotated[list[str], Meta(max_length=1_000)] | UnsetType = UNSET


class PlantRow(Row):
    """A site; its lists stand beside these members."""

    code: Code
    name: Name | UnsetType = UNSET
    time_zone: Annotated[str, Meta(max_length=60)] | UnsetType = UNSET


class StepRow(Row):
    """After so many minutes of working time a call that nobody took asks for `who`: team_leader, area_leader,
    plant_leader or a user name."""

    after: Annotated[int, Meta(ge=0, le=1_440)]
    who: Annotated[str, Meta(min_length=1, max_length=150)]


class AreaRow(Row):
    """A part of a plant with a leader and a board. `receiving`: the calendar in which deliveries are taken in here."""

    code: Code
    name: Name | UnsetType = UNSET
    leader: str | UnsetType | None = UNSET
    receiving: str | UnsetType | None = UNSET
    escalation: Annotated[list[StepRow], Meta(max_length=10)] | UnsetType = UNSET


class SupplierRow(Row):
    """A company that fills containers from outside."""

    code: Code
    name: Name | UnsetType = UNSET
    calendar: str | UnsetType | None = UNSET
    ack_within_minutes: Minutes | UnsetType | None = UNSET
    delivery_days: list[Day] | UnsetType = UNSET


class PersonRow(Row):
    """Somebody with a badge; passwords never stand in a file."""

    username: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9.@+_-]{0,59}\Z")]
    name: Name | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    roles: list[Role] | UnsetType = UNSET
    badge: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType | None = UNSET
    language: Literal["en", "de"] | UnsetType = UNSET


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


class PartRow(Row):
    """What is moved: one part number per stage of making. `standard_work`: address per station that makes it."""

    number: Code
    description: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET
    unit: Annotated[str, Meta(min_length=1, max_length=10)] | UnsetType = UNSET
    decimals: Annotated[int, Meta(ge=0, le=6)] | UnsetType = UNSET
    gtin: Annotated[str, Meta(pattern=r"^([0-9]{8}|[0-9]{12,14})?\Z")] | UnsetType | None = UNSET
    standard_work: dict[str, Url] | UnsetType = UNSET


class ComponentRow(Row):
    """`quantity` of the part goes into one unit of the bill's part."""

    part: str
    quantity: Decimal


class BillRow(Row):
    """The whole bill of a part: what it does not name is no longer in it."""

    part: str
    components: Annotated[list[ComponentRow], Meta(max_length=1_000)]


class LoopRow(Row):
    """A control cycle. `status`, `cards` and `first` count for a new loop; later loads never touch state."""

    code: Code
    part: str | UnsetType = UNSET
    demand: str | UnsetType = UNSET
    supply: str | UnsetType = UNSET
    kind: LoopKind | UnsetType = UNSET
    quantity: Decimal | UnsetType = UNSET
    lead_time_minutes: Minutes | UnsetType = UNSET
    consume_at: ConsumeAt | UnsetType = UNSET
    trigger: Trigger | UnsetType = UNSET
    sequence: dict[SupplyStatus, Need] | UnsetType = UNSET
    min_turn_minutes: Minutes | UnsetType = UNSET
    min_turn_level: Level | UnsetType = UNSET
    bounce_ms: Annotated[int, Meta(ge=0, le=60_000)] | UnsetType = UNSET
    undo_window_s: Annotated[int, Meta(ge=0, le=86_400)] | UnsetType = UNSET
    late_hours: Annotated[int, Meta(ge=1, le=8_760)] | UnsetType = UNSET
    max_empty_allowed: Annotated[int, Meta(ge=0, le=10_000)] | UnsetType = UNSET
    accumulate: Accumulate | UnsetType = UNSET
    accumulate_cards: Limit | UnsetType | None = UNSET
    lot_quantity: Decimal | UnsetType | None = UNSET
    triangle_quantity: Decimal | UnsetType | None = UNSET
    accumulate_times: Annotated[list[TimeOfDay], Meta(max_length=96)] | UnsetType = UNSET
    independent_supply: bool | UnsetType = UNSET
    doc_policy: DocPolicy | UnsetType = UNSET
    ack_required: bool | UnsetType = UNSET
    gr_policy: GrPolicy | UnsetType = UNSET
    reorder_level: Decimal | UnsetType | None = UNSET
    auto_detach: bool | UnsetType = UNSET
    status: LoopStatus | UnsetType = UNSET
    cards: Annotated[int, Meta(ge=0, le=1_000)] | UnsetType = UNSET
    first: FirstState | list[FirstState] | UnsetType = UNSET


# Kinds of rows in the order in which they are written: what is named by others comes first.
LISTS: dict[str, type[Row]] = {
    "calendars": CalendarRow,
    "people": PersonRow,
    "areas": AreaRow,
    "suppliers": SupplierRow,
    "stations": StationRow,
    "parts": PartRow,
    "bills": BillRow,
    "loops": LoopRow,
}
KEYS: dict[str, str] = {"people": "username", "parts": "number", "bills": "part"}  # others: code

_Row = TypeVar("_Row", bound=Row)


class Unreadable(ValueError):
    """A file or a row that cannot be read; the text is one sentence for the person who wrote it."""


def read_row(kind: type[_Row], raw: object) -> _Row:
    """A typed row from scalars as text. Raises Unreadable with what is wrong and where in the row."""
    try:
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Unreadable(_plainly(str(error))) from None


def as_text(value: object, depth: int = 0) -> Any:
    """The same tree with every scalar as text or None. Raises Unreadable on what no database can keep."""
    if depth > MOST_DEPTH:
        raise Unreadable("Lists and members are nested too deeply.")
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            if "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
                raise Unreadable("A text holds a character that cannot be stored (NUL or half a character).")
            return value
        case Mapping():
            return {str(as_text(key)): as_text(item, depth + 1) for key, item in value.items()}
        case list() | tuple():
            return [as_text(item, depth + 1) for item in value]
        case int() | float() | Decimal():
            return format(value, "f") if isinstance(value, Decimal) else repr(value)
    raise Unreadable(f"A {type(value).__name__} cannot stand in a shop file.")


def given(row: Row) -> Iterator[tuple[str, Any]]:
    """The members that the row names."""
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if value is not UNSET:
            yield name, value


def _plainly(message: str) -> str:
    """msgspec's sentence in words a planner knows."""
    what, _, where = message.partition(" - at `$")
    what = (
        what.replace("Object contains unknown field", "There is no member called")
        .replace("Object missing required field", "A member is missing:")
        .replace("Expected `object`", "Expected members and values")
        .replace("`", "")
    )
    if "[A-Za-z0-9._-]{0,59}" in what:
        what = "Expected letters, digits, dots, dashes and underscores, at most 60, the first no sign"
    place = where.removesuffix("`").lstrip(".")
    return f"{place}: {what}." if place else f"{what}."
