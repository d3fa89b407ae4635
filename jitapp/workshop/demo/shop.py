"""The demonstration shop: fills an empty database, once."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jitapp.plant.models import Loop, Plant
from jitapp.plant.reading import read_document
from jitapp.pull.reading.lists import cards_per_loop
from jitapp.pull.setup import set_up_shop
from jitapp.workshop.demo.past import first_instant, make_past

FILE = Path(__file__).with_name("shop.yaml")


class CannotStand(ValueError):
    """The demonstration cannot stand beside what is there: a code or a user name is taken. Why, in one sentence."""


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The shop file as it lies beside this module."""
    return read_document(FILE.read_bytes(), FILE.name).content


def plant_rows() -> dict[str, Any]:
    """The one plant of the file."""
    plant: dict[str, Any] = document()["plants"][0]
    return plant


def fill(now: datetime, *, days: int = 0, goes_on: bool = False, beside: bool = False) -> bool:
    """Fills an empty database, and completes a filling that was cut off. False where another shop lives, unless it is
    to stand `beside` that; then it raises CannotStand if a name is taken there.

    With `days` the shop has worked on so many working days before `now`; `goes_on` says that operators will go on with
    what is under way. A past that was cut off stays as it is: the shop goes on from there.
    """
    plant = plant_rows()
    if not beside and Plant.objects.exclude(code=plant["code"]).exists():
        return Plant.objects.filter(code=plant["code"]).exists()
    loops = list(Loop.objects.filter(plant__code=plant["code"]).values_list("pk", flat=True))
    if not loops or len(cards_per_loop(loops)) < len(loops):
        begins = first_instant(now, days, plant["time_zone"]) if days else now
        report = set_up_shop({**document(), "first_at": begins.isoformat()}, now=now).report
        if report.errors and beside:
            raise CannotStand("; ".join(error.message for error in report.errors[:3]))
        assert not report.errors, report.errors
        if days:
            make_past(Plant.objects.get(code=plant["code"]), now=now, days=days, goes_on=goes_on)
    return True


def is_whole(plant: Plant) -> bool:
    """Whether the plant is the demonstration's own and not one that somebody made under its code."""
    wanted = {row["code"] for row in plant_rows()["loops"]}
    return plant.code == plant_rows()["code"] and wanted <= set(
        Loop.objects.filter(plant=plant).values_list("code", flat=True)
    )
