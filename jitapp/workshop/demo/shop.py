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

FILE = Path(__file__).with_name("shop.yaml")


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The shop file as it lies beside this module."""
    return read_document(FILE.read_bytes(), FILE.name).content


def plant_rows() -> dict[str, Any]:
    """The one plant of the file."""
    plant: dict[str, Any] = document()["plants"][0]
    return plant


def fill(now: datetime) -> bool:
    """Fills an empty database, and completes a filling that was cut off. False where another shop lives."""
    code = plant_rows()["code"]
    if Plant.objects.exclude(code=code).exists():
        return Plant.objects.filter(code=code).exists()
    loops = list(Loop.objects.values_list("pk", flat=True))
    if not loops or len(cards_per_loop(loops)) < len(loops):
        report = set_up_shop(document(), now=now).report
        assert not report.errors, report.errors
    return True
