"""Signing in at a tablet: a badge, or a name with its PIN, says who scans there from now on.

It is a name for the record. A badge can be copied, so what needs a right asks for the PIN at the act itself; here it is
asked for only where somebody who has one is named without a badge.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from jitapp.accounts.models import Person
from jitapp.accounts.pins import check_pin
from jitapp.kanban.names import tidy
from jitapp.kanban.vocabulary import Role
from jitapp.plant.belonging import roles_of
from jitapp.plant.configs import configs
from jitapp.plant.models import UnknownBadge
from jitapp.pull.scan_request import Source, escaped

LONGEST_BADGE = 80
LEADERS = frozenset({Role.LEADER, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who it is, with the roles in the device's plants; `proved` by a PIN, or only named."""

    person: Person
    roles: frozenset[str]
    proved: bool


class NotSignedIn(Exception):
    """Why not: badge_unknown, person_unknown, pin_missing, pin_wrong, pin_waits (`until` says how long), pin_busy or,
    of somebody who is to allow a scan, pin_none or no_leader."""

    def __init__(self, code: str, *, until: datetime | None = None, name: str = "") -> None:
        super().__init__(code)
        self.code, self.until, self.name = code, until, name


def sign_in(*, badge: str, name: str, pin: str, source: Source, now: datetime) -> SignedIn:
    """The person with this badge, or of this user name or uuid. Raises NotSignedIn; a badge that nobody has is kept."""
    person = _named(badge, name, source, now)
    if pin or (not badge and person.pin_hash):
        _prove(person, pin, source, now)
    return SignedIn(person, roles_at(person, source), bool(pin))


def leader_of(*, badge: str, name: str, pin: str, source: Source, now: datetime) -> Person:
    """A leader who proves it at the device by badge or name and PIN. Raises NotSignedIn; whoever has no PIN cannot."""
    person = _named(badge, name, source, now)
    if not person.pin_hash:
        raise NotSignedIn("pin_none", name=str(person))
    _prove(person, pin, source, now)
    if not LEADERS & roles_at(person, source):
        raise NotSignedIn("no_leader", name=str(person))
    return person


def _named(badge: str, name: str, source: Source, now: datetime) -> Person:
    """Whoever works in the device's plants and has this badge, user name or uuid. A user name is no badge: it would
    sign in without the PIN. Raises NotSignedIn."""
    known = configs()
    person_id = known.badges.find(badge) if badge else known.people.find(name) or _by_uuid(name)
    if person_id is None or not known.works_in(person_id, source.plant_ids):
        if badge:
            keep_unknown(badge, source, now)
        raise NotSignedIn("badge_unknown" if badge else "person_unknown")
    return Person.objects.get(pk=person_id)


def _prove(person: Person, pin: str, source: Source, now: datetime) -> None:
    """Raises NotSignedIn if the PIN is not the person's, is missing, or cannot be checked now."""
    if not pin:
        raise NotSignedIn("pin_missing", name=str(person))
    checked = check_pin(person.pk, pin, device_id=source.device_id, now=now)
    if not checked.right:
        code = "pin_busy" if checked.busy else "pin_waits" if checked.until else "pin_wrong"
        raise NotSignedIn(code, until=checked.until, name=str(person))


def roles_at(person: Person, source: Source) -> frozenset[str]:
    """The roles that a person has in the plants of a device, or of a page."""
    roles = roles_of(person.pk)
    return frozenset().union(*(roles.get(plant, frozenset()) for plant in source.plant_ids))


def keep_unknown(badge: str, source: Source, now: datetime) -> None:
    """A badge that nobody has, for the leaders of the device's plants; counted where it comes again."""
    read = escaped(tidy(badge))[:LONGEST_BADGE]
    if source.device_id is None:
        return
    for plant in source.plant_ids:
        with transaction.atomic():
            row, made = UnknownBadge.objects.get_or_create(
                plant_id=plant,
                badge=read,
                defaults={"device_id": source.device_id, "first_at": now, "last_at": now},
            )
            if not made:
                UnknownBadge.objects.filter(pk=row.pk).update(
                    times=F("times") + 1, last_at=now, device_id=source.device_id
                )


def _by_uuid(name: str) -> int | None:
    try:
        return Person.objects.filter(uuid=name, is_active=True).values_list("pk", flat=True).first()
    except ValidationError:
        return None
