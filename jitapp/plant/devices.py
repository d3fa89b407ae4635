"""Devices and where they stand."""

from __future__ import annotations

from django.db import transaction

from jitapp.accounts.models import Device, new_token, token_hash
from jitapp.kanban.names import folded
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.models import Placement, Plant, Station
from jitapp.plant.spelling import meant


class CannotPlace(ValueError):
    """Why the device cannot be placed; one sentence for whoever asked."""


def place_device(name: str, kind: DeviceKind, *, station: str | None = None, plant: str | None = None) -> str:
    """A new token for the device of this name, made and placed if needed. Raises CannotPlace.

    The token is returned once and stored as a hash; a token that the device had before ends at once.
    """
    if not name.strip() or len(name) > 80:
        raise CannotPlace("A device has a name of at most 80 characters.")
    where = meant(Station.objects.select_related("plant"), "code", station) if station else None
    if station and where is None:
        raise CannotPlace(f"There is no station {station!r}.")
    site = _plant(plant, where)
    token = new_token()
    with transaction.atomic():
        device, _ = Device.objects.update_or_create(
            name=name, defaults={"kind": kind, "token_hash": token_hash(token), "active": True}
        )
        Placement.objects.update_or_create(device=device, defaults={"plant": site, "station": where})
    return token


def _plant(code: str | None, station: Station | None) -> Plant:
    if station is not None:
        if code is not None and folded(code) != folded(station.plant.code):
            raise CannotPlace(f"Station {station.code} belongs to plant {station.plant.code}, not to {code}.")
        return station.plant
    if code is not None:
        found = meant(Plant.objects.all(), "code", code)
        if found is None:
            raise CannotPlace(f"There is no plant {code!r}.")
        return found
    plants = list(Plant.objects.order_by("code")[:2])
    if not plants:
        raise CannotPlace("There is no plant yet. Load one: manage.py load_shop FILE.")
    if len(plants) > 1:
        raise CannotPlace("There are several plants. Name one: --plant CODE.")
    return plants[0]
