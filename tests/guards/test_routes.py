"""Who may use an address stands beside it; what is open to anybody is named here, with the reason."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client

from jitapp.api.operations import ANYBODY
from jitapp.workshop.management.commands.routes import TICKET, routes

OPEN = {
    "/login/": "the door itself",
    "/admin/login/": "shows the way to the door",
    "/logout/": "leaving needs no permission",
    "/language/": "a cookie of the browser",
    "/k/<str:code>": "a stranger who finds a card learns that it is one, nothing else",
    "/s/words/<str:language>": "sentences of the scan page",
    "/s/sw.js": "the code of the scan page's worker",
    "/s/manifest.webmanifest": "the name and the picture of the app",
    "/s/who": "a page without facts; the last names stand in the browser",
    "/device/enrol": "a field for a code; whoever has one may become a device",
    "/device/enrol/<str:code>": "a code is good once and for ten minutes; it tells the name of the device it makes",
    "/s/camera.js": "no facts of a plant",
    "/start/first": "asks for the code that is printed at the start; leads to the login once anybody is known",
    "/demo/try/<str:word>/<str:code>": "a board of the demonstration gives the word for one card and 15 minutes",
    "/healthz": "machines ask it",
    "/readyz": "machines ask it",
    "/metrics": "machines ask it; the proxy keeps it inside",
    "/api/v1/docs": "no facts of a plant",
    "/api/v1/openapi.json": "no facts of a plant",
}
WORDS = {"uuid": str(uuid4()), "int": "1", "str": "X", "path": "X/Y"}


def test_every_address_says_who_may_use_it_and_few_are_open() -> None:
    found = {address: who for address, _, who in routes()}
    assert all(found.values())
    assert {address for address, who in found.items() if who == ANYBODY} == set(OPEN)


def test_the_command_prints_every_address() -> None:
    out = StringIO()
    call_command("routes", stdout=out)
    for address, _, who in routes():
        assert address in out.getvalue()
        assert who in out.getvalue()


@pytest.mark.django_db
def test_what_is_not_open_turns_strangers_away(settings: Any) -> None:
    """Each address is asked by somebody unknown, with the method it has: 401, 403, or the way to the login."""
    settings.DEMO = "0"
    for address, methods, who in routes():
        if who in (ANYBODY, TICKET) or "..." in address:
            continue
        path = re.sub(r"<(\w+):\w+>", lambda found: WORDS[found[1]], address)
        path = re.sub(r"\{(\w+)\}", lambda found: WORDS["uuid"] if found[1] == "id" else "X", path)
        for method in methods.split(", "):
            answer = Client().generic(method, path, "{}", content_type="application/json")
            turned_away = answer.status_code in (401, 403) or "/login/" in (
                answer.headers.get("Location", "") + answer.headers.get("HX-Redirect", "")
            )
            assert turned_away, f"{method} {path} answered {answer.status_code}"
