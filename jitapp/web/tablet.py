"""The device behind a browser: an HttpOnly cookie holds the token of a tablet."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest, HttpResponseBase

from jitapp.accounts.models import Person
from jitapp.pull.scan_request import Source
from jitapp.pull.sources import source_of_token

DEVICES = "tablets, by their device"
COOKIE = "device"
PERSON_COOKIE = "person"  # whose scans these are; the page reads it, nothing is allowed by it
KEPT_SECONDS = 400 * 86_400  # the longest that browsers allow


def device_source(request: HttpRequest) -> Source | None:
    """The tablet that the request comes from, or None for a browser that is none, or no more."""
    token = request.COOKIES.get(COOKIE, "")
    source = source_of_token(token) if token else None
    if source is None or source.device_id is None or source.placeless or source.acts_for_nobody:
        return None
    return replace(source, fixed=False)


def remember(response: HttpResponseBase, token: str, *, secure: bool) -> None:
    """Gives the browser its device."""
    response.set_cookie(
        COOKIE, token, max_age=KEPT_SECONDS, httponly=True, samesite="Lax", secure=secure, path="/"
    )


def tell_person(response: HttpResponseBase, person: Person | None) -> None:
    """Says to the page whose scans these are: a name for the record, no right."""
    if person is None:
        response.delete_cookie(PERSON_COOKIE, samesite="Lax")
    else:
        response.set_cookie(PERSON_COOKIE, str(person.uuid), max_age=KEPT_SECONDS, samesite="Lax")
