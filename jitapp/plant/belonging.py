"""Who works in which plant: by the roles a person has there."""

from __future__ import annotations

from jitapp.plant.models import Membership


def roles_of(person_id: int) -> dict[int, frozenset[str]]:
    """A person's roles by plant."""
    found: dict[int, set[str]] = {}
    for plant, role in Membership.objects.filter(person_id=person_id).values_list("plant_id", "role"):
        found.setdefault(plant, set()).add(role)
    return {plant: frozenset(roles) for plant, roles in found.items()}


def foreigners(usernames: set[str], plant_id: int) -> set[str]:
    """Those of these people who work in other plants only."""
    elsewhere = Membership.objects.filter(person__username__in=usernames, person__is_superuser=False)
    here = set(elsewhere.filter(plant_id=plant_id).values_list("person__username", flat=True))
    return set(elsewhere.values_list("person__username", flat=True)) - here
