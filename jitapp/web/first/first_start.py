"""The first start without a demonstration: the site asks who administers it, once, while it knows nobody.

A stranger on the network must not be faster, so the code that `make run` prints (`manage.py first_code`) is asked for.
It follows from the installation's secret key, and is good for nothing as soon as there is a person.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from jitapp.accounts.backend import address_of
from jitapp.accounts.first import first_code, knows_nobody
from jitapp.accounts.models import Person
from jitapp.accounts.tries import Gate
from jitapp.web.first.asked import Asked, asked_of, make_administrator, make_plant, zones
from jitapp.web.people import welcome
from jitapp.web.visit import ANYBODY, declared

BACKEND = "jitapp.accounts.backend.GuardedBackend"
GATE = Gate("first start", 5, timedelta(seconds=30), timedelta(minutes=15), timedelta(hours=1))
# Two who are faster than each other: the second waits here, and then finds somebody.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('jitapp.first-start'))"


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "password_again", "first_code")
@never_cache
@declared(ANYBODY)
def first_start(request: HttpRequest) -> HttpResponseBase:
    """GET asks, POST makes the plant and its administrator; both lead to the login once there is a person."""
    if not knows_nobody():
        return redirect("login")
    if request.method != "POST":
        typed = dict.fromkeys(("plant", "code", "name", "username"), "")
        fresh = {"language": translation.get_language() or "en", "time_zone": "UTC"}
        return _page(request, Asked(typed | fresh))
    asked = asked_of(request.POST.dict(), actor=None)
    _check_code(request, asked)
    made = None if asked.problems else _make(asked)
    if made is None:
        return _page(request, asked) if asked.problems else redirect("login")
    login(request, made, backend=BACKEND)
    response = redirect("first-steps")
    welcome(response, made)
    messages.success(request, gettext("This is your shop; it is empty yet."))
    return response


def _check_code(request: HttpRequest, asked: Asked) -> None:
    client, now = address_of(request), timezone.now()
    if GATE.enter(client, now) is not None:
        asked.problems["first_code"] = gettext("Too many wrong codes. Try again in a while.")
        return
    typed = "".join(request.POST.get("first_code", "").upper().split()).replace("-", "")
    if constant_time_compare(typed, first_code().replace("-", "")):
        GATE.right(client, all_of=True)
    else:
        asked.problems["first_code"] = gettext(
            "This is not the code. It stands where the program was started."
        )


def _make(asked: Asked) -> Person | None:
    """The plant and its administrator; None if somebody was faster, or with what is wrong in `asked.problems`."""
    with transaction.atomic():
        with connection.cursor() as database:
            database.execute(ONE_AT_A_TIME)
        if not knows_nobody():
            return None
        plant = make_plant(asked, now=timezone.now())
        return make_administrator(asked, plant) if plant is not None else None


def _page(request: HttpRequest, asked: Asked) -> HttpResponseBase:
    context = {
        "asked": asked,
        "typed": asked.typed,
        "problems": asked.problems,
        "zones": zones(),
        "languages": settings.LANGUAGES,
        "fresh": request.method != "POST",
        "first_code": request.POST.get("first_code", "")[:40],
    }
    return render(request, "first/first_start.html", context, status=422 if asked.problems else 200)
