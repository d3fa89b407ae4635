"""The people of a plant, as leaders and administrators keep them: who they are, their badge and PIN, what they may do.

A PIN gives the rights of its person, so nobody may set one for somebody who may do more than they themselves: leaders
for operators and handlers of the plants that they lead, administrators for people who work in no plant but theirs.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from jitapp.accounts.models import Person, called
from jitapp.accounts.pins import BadPin, set_pin
from jitapp.kanban.names import tidy
from jitapp.kanban.vocabulary import Role
from jitapp.plant.belonging import roles_of
from jitapp.plant.models import Membership, Plant, UnknownBadge

BY_LEADERS = frozenset({Role.OPERATOR, Role.HANDLER})
USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.@+_-]{0,59}")
LONGEST = {"name": 120, "badge": 64}


class StaffRefused(ValueError):
    """Why not: not_yours, name_missing, username_bad, username_taken, badge_taken, badge_long, language_unknown,
    pin_bad, roles_missing or own_role."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody may change of a person: the language, badge and PIN, the account, and the roles in which plants."""

    language: bool = False
    badge: bool = False
    account: bool = False
    roles: frozenset[int] = frozenset()


def rights_over(actor: Person, person: Person) -> Rights:
    """What `actor` may change of `person`."""
    if actor.is_superuser:
        return Rights(True, True, True, frozenset(Plant.objects.values_list("pk", flat=True)))
    mine, theirs = roles_of(actor.pk), roles_of(person.pk)
    administers = frozenset(plant for plant, roles in mine.items() if Role.ADMIN in roles)
    leads = administers | {plant for plant, roles in mine.items() if Role.LEADER in roles}
    if not leads & theirs.keys():
        return Rights()
    if person.is_superuser or person.is_staff:
        return Rights(language=True)
    account = administers >= theirs.keys()
    below = leads >= theirs.keys() and all(roles <= BY_LEADERS for roles in theirs.values())
    own = actor.pk == person.pk
    return Rights(True, account or below or own, account, administers)


def change(actor: Person, person: Person, *, language: str, badge: str, name: str, active: bool) -> None:
    """Saves what a form says, as far as the actor may change it; the rest must be as it is. Raises StaffRefused."""
    rights = rights_over(actor, person)
    wanted = {"language": language, "badge": _badge(badge, person), "name": tidy(name), "is_active": active}
    needs = {
        "language": rights.language,
        "badge": rights.badge,
        "name": rights.account,
        "is_active": rights.account,
    }
    changed = [field for field, value in wanted.items() if value != getattr(person, field)]
    if not all(needs[field] for field in changed):
        raise StaffRefused("not_yours")
    if language not in dict(settings.LANGUAGES):
        raise StaffRefused("language_unknown")
    if not wanted["name"] or len(str(wanted["name"])) > LONGEST["name"]:
        raise StaffRefused("name_missing")
    if not active and actor.pk == person.pk:
        raise StaffRefused("own_role")
    for field in changed:
        setattr(person, field, wanted[field])
    if changed:
        try:
            with transaction.atomic():
                person.save(update_fields=changed)
        except IntegrityError:  # somebody else was given it at the same moment
            raise StaffRefused("badge_taken") from None
        UnknownBadge.objects.filter(badge__iexact=person.badge or "").delete()


def give_pin(actor: Person, person: Person, pin: str) -> None:
    """Sets a PIN, or takes it away with an empty one. Raises StaffRefused."""
    if not rights_over(actor, person).badge:
        raise StaffRefused("not_yours")
    try:
        set_pin(person, pin)
    except BadPin:
        raise StaffRefused("pin_bad") from None


def give_roles(actor: Person, person: Person, plant: Plant, roles: Collection[str]) -> None:
    """The roles in one plant, and no others there. Raises StaffRefused."""
    if plant.pk not in rights_over(actor, person).roles:
        raise StaffRefused("not_yours")
    wanted = {role for role in Role if role in roles}
    if actor.pk == person.pk and not actor.is_superuser and Role.ADMIN not in wanted:
        raise StaffRefused("own_role")
    with transaction.atomic():
        rows = Membership.objects.filter(person=person, plant=plant)
        rows.exclude(role__in=wanted).delete()
        have = set(rows.values_list("role", flat=True))
        Membership.objects.bulk_create(
            Membership(person=person, plant=plant, role=role) for role in sorted(wanted - have)
        )


def add(
    actor: Person,
    plant: Plant,
    *,
    username: str,
    name: str,
    badge: str,
    language: str,
    roles: Collection[str],
) -> Person:
    """A new person of a plant, with a badge and no password. Raises StaffRefused."""
    administers = actor.is_superuser or Role.ADMIN in roles_of(actor.pk).get(plant.pk, frozenset())
    if not administers:
        raise StaffRefused("not_yours")
    username, name = tidy(username), tidy(name)
    wanted = {role for role in Role if role in roles}
    if not USERNAME.fullmatch(username):
        raise StaffRefused("username_bad")
    if not name or len(name) > LONGEST["name"]:
        raise StaffRefused("name_missing")
    if called(username):
        raise StaffRefused("username_taken")
    if language not in dict(settings.LANGUAGES):
        raise StaffRefused("language_unknown")
    if not wanted:
        raise StaffRefused("roles_missing")
    with transaction.atomic():
        made = Person.objects.create(
            username=username,
            name=name,
            badge=_badge(badge, None),
            language=language,
            password=make_password(None),
        )
        Membership.objects.bulk_create(Membership(person=made, plant=plant, role=role) for role in wanted)
        UnknownBadge.objects.filter(plant=plant, badge__iexact=made.badge or "").delete()
    return made


def forget_badge(badge_id: int, plants: Collection[Plant]) -> bool:
    """A badge that nobody has is no matter any more; False if there is none such in these plants."""
    return bool(UnknownBadge.objects.filter(pk=badge_id, plant__in=plants).delete()[0])


def _badge(badge: str, person: Person | None) -> str | None:
    """The badge as it is kept; None for nobody's. Raises StaffRefused if somebody else is found by it."""
    kept = tidy(badge)
    if len(kept) > LONGEST["badge"]:
        raise StaffRefused("badge_long")
    if kept and any(other.pk != (person.pk if person else None) for other in called(kept)):
        raise StaffRefused("badge_taken")
    return kept or None
