"""For whom a device acts: a person whom it only names is on record and gives no right; one who has typed the PIN has
the rights of their roles. Readers act for nobody, and nobody is named to a plant where they do not work."""

from __future__ import annotations

from datetime import datetime

from jitapp.accounts.pins import check_pin
from jitapp.plant.belonging import roles_of
from jitapp.plant.configs import Configs
from jitapp.pull.scan_request import Actor, Source


def actor_of(known: Configs, by: str, source: Source) -> Actor:
    """The person whom a device names by badge or user name, without any right; else the device alone, and why."""
    if source.acts_for_nobody:
        return Actor(doubt="by_reader")
    person_id = known.people.find(by)
    if person_id is None or not known.works_in(person_id, source.plant_ids):
        return Actor(doubt="by_unknown")
    return Actor(person_id)


def proved_actor(known: Configs, by: str, pin: str, source: Source, now: datetime) -> Actor:
    """The person with the roles that they have, if the PIN is right; else the device alone, and why."""
    named = actor_of(known, by, source)
    if named.person_id is None:
        return named
    checked = check_pin(named.person_id, pin, device_id=source.device_id, now=now)
    if checked.right:
        return Actor(named.person_id, roles_of(named.person_id))
    if checked.busy:
        return Actor(doubt="by_busy")
    return Actor(doubt="by_waits", until=checked.until) if checked.until else Actor(doubt="by_unproved")
