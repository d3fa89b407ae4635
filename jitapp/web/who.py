"""Who is here: signing in at a tablet by badge, by name with a PIN, or by touching one of the last names.

The doors belong to the device; who is signed in stands in the browser (static/js/actor.js) and in each scan.
"""

from __future__ import annotations

import math
from uuid import UUID

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from jitapp.plant.models import Station
from jitapp.plant.spoken import spoken
from jitapp.pull.allowing import allow as allow_scan
from jitapp.pull.reading.tablet import USUAL_IDLE_MINUTES
from jitapp.pull.scan_request import Source
from jitapp.pull.signing import NotSignedIn, SignedIn
from jitapp.pull.signing import sign_in as sign_in_at
from jitapp.web.device import TABLETS, device_source, tell_person
from jitapp.web.sent import problem, sent_json
from jitapp.web.visit import ANYBODY, declared

MOST_BYTES = 4_096
LONGEST = {"badge": 64, "name": 64, "pin": 20, "id": 36, "code": 1_000}
STATUS = {"badge_unknown": 404, "person_unknown": 404, "pin_busy": 503}
WHY = {
    "badge_unknown": mark("Nobody here has this badge. It is noted; your leader can give it to you."),
    "person_unknown": mark("Nobody here has this name. Scan your badge, or ask your leader."),
    "pin_missing": mark("Type your PIN, or scan your badge."),
    "pin_wrong": mark("That PIN is wrong. Type it again, or scan your badge."),
    "pin_waits": mark(
        "Too many wrong PINs. The next one counts in {} min; your badge and every scan work meanwhile."
    ),
    "pin_busy": mark("Another PIN is being checked. Press again."),
    "pin_none": mark("{} has no PIN yet. Another leader allows it now and sets one under People and badges."),
    "no_leader": mark("{} may not allow that: only leaders and administrators may. Ask one of them."),
}


@require_GET
@declared(ANYBODY)
def who_page(request: HttpRequest) -> HttpResponseBase:
    """The page tells nothing of its own: the last names stand in the browser."""
    return render(request, "who/page.html", {"words": _words()})


@require_POST
@csrf_exempt  # its cookie is sent with requests of our own pages only (_told)
@declared(TABLETS)
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """POST {badge}, or {name} with a PIN if the person has one: who it is, in the person's own language."""
    told = _told(request)
    if isinstance(told, HttpResponse):
        return told
    source = device_source(request)
    if source is None:
        return _no_device()
    try:
        found = sign_in_at(
            badge=told.get("badge", ""),
            name=told.get("name", ""),
            pin=told.get("pin", ""),
            source=source,
            now=timezone.now(),
        )
    except NotSignedIn as why:
        return _refused(why)
    response = JsonResponse(_person(found, source))
    tell_person(response, found.person)
    if found.person.language in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, found.person.language, max_age=31_536_000, samesite="Lax"
        )
    return response


@require_POST
@csrf_exempt
@declared(TABLETS)
def allow(request: HttpRequest) -> HttpResponseBase:
    """POST {id, code, pin} with the badge or name of a leader: what lets this one scan be taken where it was made.
    Nobody is signed in by it, and nothing is recorded before the scan comes."""
    told = _told(request)
    if isinstance(told, HttpResponse):
        return told
    source = device_source(request)
    if source is None:
        return _no_device()
    try:
        scan = UUID(told.get("id", ""))
    except ValueError:
        return problem(422, "malformed", gettext("What was sent could not be read. Send it again."))
    try:
        leader, allowed = allow_scan(
            scan=scan,
            code=told.get("code", ""),
            badge=told.get("badge", ""),
            name=told.get("name", ""),
            pin=told.get("pin", ""),
            source=source,
            now=timezone.now(),
        )
    except NotSignedIn as why:
        return _refused(why)
    return JsonResponse({"allowed": allowed, "name": str(leader)})


@require_POST
@csrf_exempt
@declared(TABLETS)
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """POST {}: nobody is signed in or logged in here any more. What waits on the device stays as it is."""
    told = _told(request)
    if isinstance(told, HttpResponse):
        return told
    if device_source(request) is None:
        return _no_device()
    logout(request)  # else the next page would name whoever is logged in as the one who scans
    response = JsonResponse(
        {"message": gettext("Signed out. The station stays; what waits is sent all the same.")}
    )
    tell_person(response, None)
    return response


def _person(found: SignedIn, source: Source) -> dict[str, object]:
    person = found.person
    station = Station.objects.select_related("area").filter(pk=source.station_id or 0).first()
    with spoken(person.language):
        message = gettext("Hello {}.").format(person.name or person.username)
    return {
        "person": str(person.uuid),
        "name": person.name or person.username,
        "badge": person.badge or "",
        "language": person.language,
        "roles": sorted(found.roles),
        "proved": found.proved,
        "idle_minutes": USUAL_IDLE_MINUTES
        if station is None or station.area is None
        else station.area.idle_minutes,
        "message": message,
    }


def _refused(why: NotSignedIn) -> JsonResponse:
    sentence, seconds = gettext(WHY[why.code]), 0
    if why.until is not None:
        seconds = max(1, math.ceil((why.until - timezone.now()).total_seconds()))
        sentence = sentence.format(math.ceil(seconds / 60))
    elif why.code in ("no_leader", "pin_none"):
        sentence = sentence.format(why.name)
    response = JsonResponse(
        {"code": why.code, "message": sentence, "name": why.name}, status=STATUS.get(why.code, 403)
    )
    if why.until is not None or why.code == "pin_busy":
        response["Retry-After"] = str(max(1, seconds))
    return response


def _told(request: HttpRequest) -> dict[str, str] | HttpResponse:
    """The members that were sent, or the refusal."""
    unread = gettext("What was sent could not be read. Send it again.")
    body = sent_json(request, MOST_BYTES, too_much=unread)
    if isinstance(body, HttpResponse):
        return body
    named = {name: body[name] for name in LONGEST if isinstance(body.get(name), str)}
    if any(len(value) > LONGEST[name] for name, value in named.items()):
        return problem(422, "malformed", unread)
    return named


def _no_device() -> HttpResponse:
    sentence = gettext("This tablet is not known, or not any more. Have it enrolled; its scans are kept.")
    return problem(401, "device_unknown", sentence)


def _words() -> dict[str, str]:
    return {
        "hello": gettext("Hello {}."),
        "out": gettext("Signed out. The station stays; what waits is sent all the same."),
        "pin_of": gettext("PIN of {}"),
        "pin_short": gettext("A PIN has at least 4 digits."),
        "scan_badge": gettext("Scan your badge."),
        "offline": gettext("No connection. Scan your badge: badges are known here without it."),
        "unknown_offline": gettext(
            "This badge is not known here without a connection. Scan on: what you scan is kept."
        ),
        "sending": gettext("One moment"),
    }
