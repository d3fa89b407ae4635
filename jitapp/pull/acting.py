"""For whom a device acts: a person whom it only names is on record and gives no right; one who has typed the PIN has
the rights of their roles. Readers act for nobody, and nobody is named to a plant where they do not work."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime

from jitapp.accounts.pins import check_pin
from jitapp.plant.belonging import plants_of, roles_of
from jitapp.pull.scan_request import Actor, Source

REMEMBERED_SECONDS = 10.0
_MOST = 5_000
_plants: dict[int, tuple[float, frozenset[int]]] = {}


def actor_of(person_id: int | None, source: Source) -> Actor:
    """The person whom a device names, without any right; else the device alone, and why."""
    if source.acts_for_nobody:
        return Actor(doubt="by_reader")
    if person_id is None or not works_in(person_id, source.plant_ids):
        return Actor(doubt="by_unknown")
    return Actor(person_id)


def proved_actor(person_id: int | None, pin: str, source: Source, now: datetime) -> Actor:
    """The person with the roles that they have, if the PIN is right; else the device alone, and why."""
    named = actor_of(person_id, source)
    if named.person_id is None:
        return named
    checked = check_pin(named.person_id, pin, device_id=source.device_id, now=now)
    if checked.right:
        return Actor(named.person_id, roles_of(named.person_id))
    if checked.busy:
        return Actor(doubt="by_busy")
    return Actor(doubt="by_waits", until=checked.until) if checked.until else Actor(doubt="by_unproved")


def works_in(person_id: int, plant_ids: Iterable[int]) -> bool:
    """Whether an active person may be named there: by a role, as superuser, or because they have no role anywhere."""
    kept = _plants.get(person_id)
    if kept is None or time.monotonic() - kept[0] > REMEMBERED_SECONDS:
        plants = plants_of(person_id)
        if plants is None:
            return False
        if len(_plants) > _MOST:
            _plants.clear()
        kept = _plants[person_id] = (time.monotonic(), plants)
    return not kept[1] or not kept[1].isdisjoint(plant_ids)
