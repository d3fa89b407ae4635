"""Codes and part numbers in an address or a body, as people write them, become those that are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import models
from rest_framework.request import Request

from jitapp.kanban.names import tidy
from jitapp.plant.models import Area, Loop, Part, Station, Supplier
from jitapp.plant.spelling import meant
from jitapp.symbology.cardcode import PREFIX, find_card_code, typed_card_code

# What stands in an address behind these words, and what a place of this name means wherever it stands.
_BEHIND: dict[str, type[models.Model]] = {
    "parts": Part,
    "bills": Part,
    "areas": Area,
    "suppliers": Supplier,
    "stations": Station,
    "boards": Station,
    "loops": Loop,
}
_CALLED: dict[str, type[models.Model]] = {"station": Station, "loop": Loop, "area": Area}


def as_kept(model: type[models.Model], written: str, plant_ids: Collection[int]) -> str:
    """The code or number that somebody means; of what these plants do not know, what was written, tidied."""
    column = "number" if model is Part else "code"
    found = meant(model._default_manager.filter(plant__in=plant_ids), column, written)
    return tidy(written) if found is None else str(getattr(found, column))


def card_code(written: str) -> str:
    """The code of a card or of its bin. A code without its KB may be a bin's, and stays as it is written."""
    kept = tidy(written)
    typed = typed_card_code(kept) if kept[:2].upper() == PREFIX else None
    return find_card_code(written) or typed or kept


def places_as_kept(path: str, places: Mapping[str, Any], plant_ids: Collection[int]) -> dict[str, Any]:
    """The places of an address as they are kept."""
    kind = path.partition("/")[0]
    found = dict(places)
    for name, written in places.items():
        if kind in ("cards", "bins") and name == "code":
            found[name] = card_code(written) if kind == "cards" else tidy(written)
        elif name in ("code", "number", "part", "station") and kind in _BEHIND:
            found[name] = as_kept(_BEHIND[kind], written, plant_ids)
    return found


def asked(request: Request, name: str, plant_ids: Collection[int]) -> str | None:
    """A parameter of the query that names a station, a loop or an area; None if it is not there."""
    written = request.query_params.get(name)
    return as_kept(_CALLED[name], written, plant_ids) if written else written
