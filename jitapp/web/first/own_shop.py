"""From the demonstration to a shop of one's own: what goes, what stays, three questions, a typed confirmation.

The plant of the demonstration is removed whole (plant/shown.py), and the new one is made in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, OperationalError, transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from jitapp.accounts.models import Device, Person
from jitapp.kanban.vocabulary import Role
from jitapp.live import demo
from jitapp.live.push import session_ended
from jitapp.live.ticket import mark_of
from jitapp.plant import shown
from jitapp.plant.demonstrations import Demonstration
from jitapp.plant.models import Loop, Membership, Part, Plant, Station
from jitapp.pull.retry import retried
from jitapp.web.device import COOKIE
from jitapp.web.first.asked import Asked, asked_of, make_administrator, make_plant, taken, zones
from jitapp.web.leading import ADMINS, led_plants
from jitapp.web.people import welcome
from jitapp.web.visit import people

TRIES = 3
BACKEND = "jitapp.accounts.backend.GuardedBackend"
LOGIN_FILES = ("demo_logins.json", "demo_pins.json")  # jitapp/workshop/demo/logins.py


class _Undone(Exception):
    """Leaves the transaction without a trace."""


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "password_again")
@never_cache
@people
def own_shop(request: HttpRequest) -> HttpResponseBase:
    """GET says what goes and what stays, and asks; POST removes the demonstration and makes the plant."""
    found = shown.running()
    if found is None:
        return redirect("first-steps")
    person, plant = request.user, Plant.objects.filter(pk=found.plant_number).first()
    assert isinstance(person, Person)  # the page is for people
    may = plant is not None and plant in led_plants(request, ADMINS)
    if plant is None or not may:
        if request.method == "POST":
            raise PermissionDenied
        return render(
            request, "first/own_shop.html", {"may": False, "administrators": _administrators(found)}
        )
    if request.method != "POST":
        fresh = {"language": translation.get_language() or "en", "time_zone": plant.time_zone}
        typed = dict.fromkeys(("plant", "code", "name", "username"), "") | fresh | {"name": person.name}
        return _page(request, plant, person, Asked(typed, stays=None))
    asked = asked_of(request.POST.dict(), actor=person)
    if request.POST.get("confirm", "").strip().casefold() != plant.code.casefold():
        asked.problems["confirm"] = gettext("Type {} here, so that nobody ends it by mistake.").format(
            plant.code
        )
    if asked.problems:
        return _page(request, plant, person, asked)
    with suppress(demo.CannotSwitch):  # without Redis they end with their tokens
        demo.pause()
    try:
        made = _in_the_end(lambda: _exchange(asked, found, person))
    except _Undone:
        made = None
    if made is None:
        with suppress(demo.CannotSwitch):
            demo.resume()
        return _page(request, plant, person, asked)
    _tidy_up()
    return _enter(request, made)


def _in_the_end(exchange: Callable[[], Person]) -> Person:
    """Again, whole, if somebody who was at work in the demonstration was in the way."""
    for _ in range(TRIES - 1):
        with suppress(OperationalError, IntegrityError):
            return retried(exchange)
    return retried(exchange)


def _exchange(asked: Asked, found: Demonstration, actor: Person) -> Person:
    """The demonstration goes, the plant and its administrator come, all or nothing. Raises _Undone with what is wrong
    in `asked.problems`."""
    now = timezone.now()
    with transaction.atomic():
        plant = make_plant(asked, now=now)
        if plant is None:
            raise _Undone
        if asked.stays is not None:
            make_administrator(asked, plant)  # before: whoever works elsewhere too does not go with it
        shown.end(found.plant_number, by=str(actor))
        shown.look_again_later(found.plant_number, now=now)
        if asked.stays is not None:
            return asked.stays
        if taken(asked):
            raise _Undone
        return make_administrator(asked, plant)


def _tidy_up() -> None:
    """What no transaction holds: sessions of people who are gone, the switches of the operators, the files with the
    demonstration's passwords."""
    here = {str(pk) for pk in Person.objects.values_list("pk", flat=True)}
    for session in Session.objects.all():
        named = session.get_decoded().get("_auth_user_id")
        if named is not None and named not in here:
            session_ended(mark_of(session.session_key))
            session.delete()
    with suppress(demo.CannotSwitch):
        demo.resume()
        for station in demo.switches().taken:
            demo.give_back(station)
    for name in LOGIN_FILES:
        with suppress(OSError):
            (settings.DATA_DIR / name).unlink()


def _enter(request: HttpRequest, person: Person) -> HttpResponseBase:
    """Logs the administrator in, in the language that was chosen."""
    request.session.flush()
    login(request, person, backend=BACKEND)
    response = redirect("first-steps")
    welcome(response, person)
    messages.success(request, gettext("The demonstration is gone. This is your shop; it is empty yet."))
    response.delete_cookie(COOKIE)  # of the device that this browser was in the demonstration
    return response


def _page(request: HttpRequest, plant: Plant, person: Person, asked: Asked) -> HttpResponseBase:
    context = {
        "may": True,
        "plant": plant,
        "asked": asked,
        "typed": asked.typed,
        "problems": asked.problems,
        "me": person,
        "zones": zones(),
        "languages": settings.LANGUAGES,
        "fresh": request.method != "POST",
        "goes": {
            "stations": Station.objects.filter(plant=plant).count(),
            "parts": Part.objects.filter(plant=plant).count(),
            "loops": Loop.objects.filter(plant=plant).count(),
            "devices": Device.objects.filter(placement__plant=plant).count(),
        },
        "leaving": shown.people_of(plant.pk),
        "others": list(Plant.objects.exclude(pk=plant.pk).order_by("name")),
    }
    return render(request, "first/own_shop.html", context, status=422 if asked.problems else 200)


def _administrators(found: Demonstration) -> list[str]:
    rows = Membership.objects.filter(plant_id=found.plant_number, role=Role.ADMIN, person__is_active=True)
    return sorted(set(rows.values_list("person__name", flat=True)))
