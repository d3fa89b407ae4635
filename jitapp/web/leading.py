"""The plants in which the viewer leads or administers: what pages about devices and people ask before they change."""

from __future__ import annotations

from collections.abc import Collection

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from jitapp.accounts.models import Person
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Plant
from jitapp.web.visit import viewer_of

LEADERS = frozenset({Role.LEADER, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})


def led_plants(request: HttpRequest, roles: Collection[Role] = LEADERS) -> list[Plant]:
    """The plants where the viewer has one of the roles, by code; for a superuser all."""
    viewer, person = viewer_of(request), request.user
    rows = Plant.objects.order_by("code")
    if isinstance(person, Person) and person.is_superuser:
        return list(rows)
    return list(
        rows.filter(pk__in=[plant for plant, has in viewer.roles.items() if not has.isdisjoint(roles)])
    )


def led_plant(request: HttpRequest, code: str, roles: Collection[Role] = LEADERS) -> Plant:
    """The plant of this code, or the only one. Raises PermissionDenied if the viewer does not lead it."""
    plants = led_plants(request, roles)
    found = next((plant for plant in plants if plant.code == code), None)
    if found is None and not code and len(plants) == 1:
        found = plants[0]
    if found is None:
        raise PermissionDenied
    return found
