"""What is printed on a card, and the fingerprint by which a label that is out of date is found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from jitapp.pull.reading.labels import LabelFacts


class Printed(msgspec.Struct, frozen=True):
    """The facts that stand on a card in ink, as texts; kept with each print, so that a later one can say what has
    changed since. A picture of the part is none of them: a new one makes no card wrong."""

    code: str
    part: str
    description: str
    quantity: str
    unit: str
    supply: str
    demand: str
    loop: str
    number: int
    of: int
    supplier: str = ""
    lead_time: str = ""
    container: str = ""
    route: str = ""
    standard_work: str = ""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the facts; another one means that a label printed with it is out of date."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


@dataclass(frozen=True, slots=True)
class Change:
    """A fact that stands wrongly on the newest print of a card."""

    name: str
    before: str
    now: str


def printed(facts: LabelFacts, standard_work: str = "", route: str = "") -> Printed:
    """What a label of the card would say now."""
    return Printed(
        code=facts.code,
        part=facts.part,
        description=facts.description,
        quantity=plain(facts.quantity),
        unit=facts.unit,
        supply=facts.supply,
        demand=facts.demand,
        loop=facts.loop,
        number=facts.number,
        of=facts.of,
        supplier=facts.supplier,
        lead_time=lasting(facts.lead_time_minutes),
        container=facts.container,
        route=route,
        standard_work=standard_work,
    )


def changes(before: Printed, now: Printed) -> list[Change]:
    """What is printed wrongly, in the order of the fields."""
    found = []
    for name in Printed.__struct_fields__:
        old, new = str(getattr(before, name)), str(getattr(now, name))
        if old != new:
            found.append(Change(name, old, new))
    return found


def plain(quantity: Decimal) -> str:
    """A quantity without idle zeros."""
    return f"{quantity.normalize():f}"


def lasting(minutes: int) -> str:
    """A working time as people say it."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"
