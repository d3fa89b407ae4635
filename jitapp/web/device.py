"""The device behind a browser: a cookie that no script can read, and where the device stands.

A browser in which somebody has logged in becomes a device at its first scan page; others are enrolled. What it sends is
authorised by the device alone.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

from jitapp.accounts.models import Device, Person, new_token, token_hash
from jitapp.kanban.vocabulary import DeviceKind, Intent
from jitapp.plant.models import Placement, Station
from jitapp.pull.scan_request import Source
from jitapp.pull.sources import source_of_token

# Who may use what only tablets need, for the list of addresses.
PEOPLE_OR_TABLET = "people of the plant, and its tablets by their device"
TABLETS = "tablets of the plant, by their device"
COOKIE = "device"
PERSON_COOKIE = "person"  # whose scans these are; the page reads it, nothing is allowed by it
KEPT_SECONDS = 400 * 86_400  # the longest that browsers allow


def device_source(request: HttpRequest) -> Source | None:
    """The tablet that the request comes from, or None for a browser that is none, or no more."""
    token = request.COOKIES.get(COOKIE, "")
    source = source_of_token(token) if token else None
    if source is None or source.device_id is None or source.placeless or source.acts_for_nobody:
        return None
    # The station of each scan is a fact of its time: the tablet may stand elsewhere now.
    return replace(source, fixed=False)


def was_revoked(request: HttpRequest) -> bool:
    """Whether this browser was a device that somebody has revoked: it becomes one again only by being enrolled."""
    token = request.COOKIES.get(COOKIE, "")
    return bool(token) and Device.objects.filter(token_hash=token_hash(token), active=False).exists()


def remember(response: HttpResponseBase, token: str, *, secure: bool) -> None:
    """Gives the browser its device; Lax, so that a code read with the phone's camera opens the page as this device."""
    response.set_cookie(
        COOKIE, token, max_age=KEPT_SECONDS, httponly=True, samesite="Lax", secure=secure, path="/"
    )


def make_known(person: Person, plant_id: int, station: Station | None) -> str:
    """A device for a browser in which somebody who works there has signed in; returns its token."""
    token = new_token()
    name = f"{str(person)[:60]} · {secrets.token_hex(4)}"
    with transaction.atomic():
        device = Device.objects.create(
            name=name, kind=DeviceKind.TABLET, token_hash=token_hash(token), enrolled_by=person
        )
        Placement.objects.create(device=device, plant_id=plant_id, station=station)
    return token


def stand_at(device_id: int, station: Station | None, intent: str) -> None:
    """Keeps where a tablet stands and what a scan means there. Without a station its plant stays."""
    where: dict[str, object] = {"station": station, "intent": intent if intent in set(Intent) else ""}
    if station is not None:
        where["plant"] = station.plant
    Placement.objects.filter(device_id=device_id).update(**where)


def tell_person(response: HttpResponseBase, person: Person | None, session: str = "") -> None:
    """Says to the page whose scans these are: a name for the record, no right. With the session's key the page tells a
    login that somebody left without a network from a new one (static/js/actor.js); the key itself is not told."""
    if person is None:
        response.delete_cookie(PERSON_COOKIE, samesite="Lax")
    else:
        mark = f".{salted_hmac('device.person', session).hexdigest()[:8]}" if session else ""
        response.set_cookie(PERSON_COOKIE, f"{person.uuid}{mark}", max_age=KEPT_SECONDS, samesite="Lax")
