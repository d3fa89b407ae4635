"""What the form of a new loop says: read, checked as far as a form can, and computed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext

from jitapp.kanban.names import tidy
from jitapp.kanban.quantity import NotAQuantity, in_ascii, read_quantity
from jitapp.kanban.resizing import MOST_CARDS
from jitapp.kanban.sizing import Size, cards_needed, stock_of
from jitapp.kanban.vocabulary import LoopKind, StationKind
from jitapp.kanban.worktime import BadCalendar, WorkCalendar
from jitapp.plant.models import Calendar, Loop, Part, Plant, Station, Supplier
from jitapp.plant.rows import MOST_MINUTES

UNITS = {"minutes": 1, "hours": 60}  # of working time; days are those of the supply side's calendar
USUAL_LEAD_HOURS = Decimal(4)
SUPPLIER = "supplier:"  # a supplier that no station stands for yet: one is made
_NO_CODE = re.compile(r"[^A-Za-z0-9._-]+")
_COMMA = re.compile(r"\d+,(\d{1,2}|\d{4,6})")
FIRST = ("", "FULL", "EMPTY")  # not there yet: the first scan of each card says how its container is
# Which kind fits a place that fills.
USUAL_KIND = {
    StationKind.SUPPLIER: LoopKind.SUPPLIER,
    StationKind.SUPERMARKET: LoopKind.WITHDRAWAL,
    StationKind.PROCESS: LoopKind.TWO_BIN,
}


@dataclass(slots=True)
class Wanted:
    """A loop to be made. `problems` say by field what cannot be read or is missing; figures are None until they can
    be read. `size` is what the formula gives, `chosen` the same with the number of cards that was chosen."""

    plant: Plant
    typed: Mapping[str, str]
    part: Part | None = None
    supply: Station | None = None
    supplier: Supplier | None = None
    demand: Station | None = None
    kind: LoopKind = LoopKind.TWO_BIN
    quantity: Decimal | None = None
    lead_minutes: int | None = None
    day_minutes: Decimal = Decimal(480)
    price: Decimal | None = None
    code: str = ""
    size: Size | None = None
    chosen: Size | None = None
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def part_number(self) -> str:
        """The part's number as it is kept."""
        return self.part.number if self.part is not None else tidy(self.typed.get("part", ""))

    @property
    def unit(self) -> str:
        """What its quantities are counted in."""
        return self.part.unit if self.part is not None else self.typed.get("unit", "").strip() or "pcs"

    @property
    def supply_name(self) -> str:
        """Who fills it."""
        if self.supplier is not None:
            return self.supplier.name
        return self.supply.name if self.supply is not None else "…"

    @property
    def cards(self) -> int | None:
        """How many cards are made."""
        return self.chosen.cards if self.chosen is not None else None

    def document_rows(self) -> dict[str, list[dict[str, object]]]:
        """The rows of a shop file: the loop, and with it the part and the supplier's place where they are new."""
        rows: dict[str, list[dict[str, object]]] = {"parts": [], "stations": [], "loops": []}
        if self.part is None:
            new: dict[str, object] = {"number": self.part_number, "unit": self.unit}
            if words := self.typed.get("description", "").strip():
                new["description"] = words
            rows["parts"].append(new)
        supply = self.supply.code if self.supply is not None else ""
        if self.supplier is not None:
            supply = self.supplier.code
            rows["stations"].append(
                {
                    "code": supply,
                    "name": self.supplier.name,
                    "kind": "SUPPLIER",
                    "supplier": self.supplier.code,
                }
            )
        rows["loops"].append(
            {
                "code": self.code,
                "part": self.part_number,
                "demand": self.demand.code if self.demand is not None else "",
                "supply": supply,
                "kind": str(self.kind),
                "quantity": str(self.quantity),
                "lead_time_minutes": str(self.lead_minutes),
            }
        )
        return rows


def wanted(plant: Plant, sent: Mapping[str, str]) -> Wanted:
    """What the form says so far."""
    typed = {name: str(value).replace("\0", "") for name, value in sent.items()}
    found = Wanted(plant, typed)
    _places(found)
    chosen = typed.get("kind", "")
    if chosen in set(LoopKind):
        found.kind = LoopKind(chosen)
    elif found.supplier is not None:
        found.kind = LoopKind.SUPPLIER
    elif found.supply is not None:
        found.kind = USUAL_KIND.get(StationKind(found.supply.kind), LoopKind.TWO_BIN)
    _figures(found)
    found.code = typed.get("code", "").strip() or free_code(found.part_number, found.demand)
    return found


def _places(found: Wanted) -> None:
    typed, plant = found.typed, found.plant
    number = tidy(typed.get("part", ""))
    parts = Part.objects.filter(plant=plant)
    found.part = parts.filter(number=number).first() or (
        parts.filter(number__iexact=number).first() if number else None
    )
    if not number:
        found.problems["part"] = gettext("Which part does the loop bring?")
    supply = typed.get("supply", "")
    if supply.startswith(SUPPLIER):
        found.supplier = Supplier.objects.filter(plant=plant, code=supply.removeprefix(SUPPLIER)).first()
    else:
        found.supply = Station.objects.filter(plant=plant, code=supply).select_related("supplier").first()
    if found.supply is None and found.supplier is None:
        found.problems["supply"] = gettext("Choose who fills the containers.")
    found.demand = Station.objects.filter(plant=plant, code=typed.get("demand", "")).first()
    if found.demand is None:
        found.problems["demand"] = gettext("Choose where the containers are used.")
    elif found.supply is not None and found.demand.pk == found.supply.pk:
        found.problems["demand"] = gettext("A loop goes from one station to another. Choose another one.")
    found.day_minutes = minutes_a_day(plant, found.supply, found.supplier)


def _figures(found: Wanted) -> None:
    found.quantity = _number(
        found, "quantity", gettext("How many go into a container? Write a number like 12 or 0.5.")
    )
    if found.quantity is not None and found.quantity <= 0:
        found.problems["quantity"] = gettext("A container holds more than nothing.")
        found.quantity = None
    said = gettext("Write a whole number of cards, or leave it empty.")
    cards = _number(found, "cards", said, needed=False)
    if cards is not None and (cards != int(cards) or not 1 <= cards <= MOST_CARDS):
        said = gettext("Write a whole number from {least} to {most}.")
        found.problems["cards"] = said.format(least=1, most=MOST_CARDS)
        cards = None
    # Whoever says how many cards there are need not say what they are computed from.
    computes = cards is None
    said = gettext("How many are used on a working day? Write a number like 40.")
    use = _number(found, "use", said, usual=None if computes else Decimal(0))
    said = gettext("How long does a refill take? Write a number like 4.")
    lead = _number(found, "lead", said, usual=None if computes else USUAL_LEAD_HOURS)
    safety = _number(found, "safety", gettext("Write a percentage like 20."), usual=Decimal(20))
    said = gettext("Write a price like 0.35, or leave it empty.")
    found.price = _number(found, "price", said, needed=False)
    if lead is not None:
        per = UNITS.get(found.typed.get("lead_unit", "hours"))
        minutes = lead * (Decimal(per) if per else found.day_minutes)
        found.lead_minutes = max(1, round(minutes))
        if found.lead_minutes > MOST_MINUTES:
            found.problems["lead"] = gettext("A lead time is at most a year.")
            found.lead_minutes = None
    if found.quantity is None or use is None or found.lead_minutes is None or safety is None:
        return
    days = Decimal(found.lead_minutes) / found.day_minutes
    found.size = cards_needed(use_per_day=use, lead_days=days, safety=safety / 100, quantity=found.quantity)
    if found.size.cards > MOST_CARDS and cards is None:
        found.problems["quantity"] = gettext(
            "That would be {} cards; a loop has at most {}. Take larger containers."
        ).format(found.size.cards, MOST_CARDS)
        return
    found.chosen = stock_of(found.size, int(cards)) if cards is not None else found.size


def _number(
    found: Wanted, name: str, problem: str, *, usual: Decimal | None = None, needed: bool = True
) -> Decimal | None:
    text = in_ascii(found.typed.get(name, "").strip())
    if not text:
        if usual is None and needed:
            found.problems[name] = problem
        return usual
    if _COMMA.fullmatch(text):  # 2,5 can mean one thing only; 1,000 may mean two
        text = text.replace(",", ".")
    try:
        value = read_quantity(text)
    except NotAQuantity:
        found.problems[name] = problem
        return None
    if value < 0:
        found.problems[name] = problem
        return None
    return value


def minutes_a_day(plant: Plant, supply: Station | None, supplier: Supplier | None) -> Decimal:
    """Working minutes of a day where the containers are filled: by its calendar, else by the plant's."""
    supplier = supplier or (supply.supplier if supply is not None else None)
    named: Any = (supply.calendar_id if supply is not None else None) or (
        supplier.calendar_id if supplier is not None else None
    )
    calendars = Calendar.objects.filter(plant=plant)
    calendar = calendars.filter(pk=named).first() if named else calendars.filter(is_default=True).first()
    if calendar is None:
        return Decimal(1440)
    try:
        minutes = WorkCalendar(plant.time_zone, calendar.shifts, calendar.holidays).minutes_a_day()
    except (BadCalendar, AttributeError, TypeError):
        return Decimal(1440)
    return Decimal(minutes).quantize(Decimal("0.01"))


def free_code(part: str, demand: Station | None) -> str:
    """A code for the loop that nothing has yet: the part and where it goes."""
    if not part:
        return ""
    stem = (
        _NO_CODE.sub("-", f"{part}-{demand.code}" if demand is not None else part).strip("-._")[:52] or "LOOP"
    )
    code, at = stem, 1
    while Loop.objects.filter(code__iexact=code).exists():
        at += 1
        code = f"{stem}-{at}"
    return code
