"""Who looks: a person with the plants they belong to, or a guest of the demonstration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import update_wrapper
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import get_language

from jitapp.accounts.models import Person
from jitapp.plant.belonging import roles_of
from jitapp.plant.models import Area, Plant
from jitapp.plant.shown import is_shown, shown_plants

# What every page tells the list of addresses (`manage.py routes`): who may use it.
WHO = "who"
ANYBODY = "anybody"
READERS = "people of the plant; of the demonstration's plant everybody"
PEOPLE = "people of the plant"
PRINTERS = "people of the plant; leaders, planners and administrators print"
P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Viewer:
    """What a request may see. A guest of the demonstration reads all of its plant, no other, and changes nothing."""

    person_id: int | None
    name: str
    plant_ids: frozenset[int]
    roles: Mapping[int, frozenset[str]]  # by plant
    language: str

    @property
    def is_guest(self) -> bool:
        return self.person_id is None


def guests_may_read() -> bool:
    """In the demonstration the boards of its plant are open to whoever comes by."""
    return is_shown()


def viewer_of(request: HttpRequest) -> Viewer:
    """The viewer; a superuser belongs to every plant."""
    language = get_language() or "en"
    person = request.user
    if not isinstance(person, Person):
        asked = settings.DEMO in ("live", "1")
        return Viewer(None, "", shown_plants() if asked else frozenset(), {}, language)
    roles = roles_of(person.pk)
    plant_ids = frozenset(roles)
    if person.is_superuser:
        plant_ids = frozenset(Plant.objects.values_list("id", flat=True))
    return Viewer(person.pk, str(person), plant_ids, roles, language)


def areas_of(viewer: Viewer) -> list[Area]:
    """The areas the viewer may see, by plant and name."""
    return list(
        Area.objects.filter(plant_id__in=viewer.plant_ids)
        .select_related("plant")
        .order_by("plant__code", "name")
    )


def declared(who: str) -> Callable[[Page[P]], Page[P]]:
    """Says who may use a page that asks by itself who it is, or nobody at all."""

    def declare(page: Page[P]) -> Page[P]:
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            names_something(kwargs)
            return page(request, *args, **kwargs)

        update_wrapper(guarded, page)
        setattr(guarded, WHO, who)
        return guarded

    return declare


def names_something(places: Mapping[str, object]) -> None:
    """Raises Http404 for a NUL in an address: no table can hold it, so nothing has that name."""
    if any("\0" in place for place in places.values() if isinstance(place, str)):
        raise Http404


def posted_name(request: HttpRequest, name: str) -> str:
    """A code that a form names, without a NUL, which no table can hold."""
    return request.POST.get(name, "").replace("\0", "")


def readers(page: Page[P]) -> Page[P]:
    """People who are logged in; of the demonstration's plant everybody."""

    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        names_something(kwargs)
        if request.user.is_authenticated or guests_may_read():
            return page(request, *args, **kwargs)
        return redirect_to_login(request.get_full_path())

    update_wrapper(guarded, page)
    setattr(guarded, WHO, READERS)
    return guarded


def people(page: Page[P]) -> Page[P]:
    """People who are logged in."""

    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        names_something(kwargs)
        if request.user.is_authenticated:
            return page(request, *args, **kwargs)
        return redirect_to_login(request.get_full_path())

    update_wrapper(guarded, page)
    setattr(guarded, WHO, PEOPLE)
    return guarded
