"""The scan page: choose a station once, then every scan is a whole sentence.

The same address answers a form (a page comes back) and `fetch` (JSON comes back), so the page works without
JavaScript too. The scan itself is the API's: the client's id makes a second sending harmless.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_http_methods, require_POST

from jitapp.accounts.models import Person, new_uuid
from jitapp.kanban.steps.all import STEPS
from jitapp.kanban.vocabulary import Intent
from jitapp.plant.models import Placement, Station
from jitapp.pull.actions import scan
from jitapp.pull.scan_request import ScanRequest, Source
from jitapp.web.answers import shown
from jitapp.web.camera import camera_words
from jitapp.web.demo import give_back, leave_to_people, offers_of
from jitapp.web.device import (
    PEOPLE_OR_TABLET,
    device_source,
    make_known,
    remember,
    stand_at,
    tell_person,
    was_revoked,
)
from jitapp.web.scan_words import scan_words
from jitapp.web.shell import version
from jitapp.web.visit import Viewer, declared, posted_name, viewer_of
from jitapp.web.wording import remember_area, speak_at

BODY_LIMIT = 16_384
CODE_LIMIT = 4_096
MOST_CHECKS = 50
LONGEST_ID = 64
LONGEST_REASON = 200

# What may be chosen on the page; without a choice a scan means what fits the card.
CHOICES = (
    Intent.EMPTY,
    Intent.OPEN,
    Intent.START,
    Intent.COMPLETE,
    Intent.LOAD,
    Intent.RECEIVE,
    Intent.ACTIVATE,
)


@dataclass(frozen=True, slots=True)
class BadScan(Exception):
    """A scan that cannot be read; the text says what is wrong with it."""

    sentence: str


@require_http_methods(["GET", "HEAD", "POST"])
@declared(PEOPLE_OR_TABLET)
def scan_page(request: HttpRequest) -> HttpResponseBase:
    """GET shows the page, POST records one scan; for people who are logged in and for tablets that were enrolled."""
    if request.method == "POST" and request.content_type == "application/json":
        if not request.user.is_authenticated:
            sentence = gettext("You are logged out. Log in again; the scan is kept.")
            return JsonResponse({"code": "logged_out", "message": sentence}, status=401)
        return _answer_json(request)
    tablet = device_source(request)
    if tablet is None and not isinstance(request.user, Person):
        return redirect_to_login(request.get_full_path())
    response = _page(request, tablet)
    person = request.user if isinstance(request.user, Person) else None
    tell_person(response, person, request.session.session_key or "")
    return response


def _page(request: HttpRequest, tablet: Source | None) -> HttpResponseBase:
    viewer = _viewer(request, tablet)
    station = chosen_station(request, viewer)
    if station is None:
        return render(request, "stations.html", {"groups": _stations(viewer), "next": _next(request)})
    leave_to_people(station)
    speak_at(station)
    chosen = _intent(request, tablet)
    context: dict[str, object] = {
        "station": station,
        "intent": chosen,
        "intents": [(intent.value, gettext(STEPS[intent].label)) for intent in CHOICES],
        "code": request.GET.get("code", "")[:CODE_LIMIT],
        "fresh_id": str(new_uuid()),
        "words": scan_words(viewer.language),
        "camera": camera_words(),
        "page": {
            "station": station.code,
            "intent": chosen,
            "person": "" if viewer.is_guest else viewer.name,
            "person_id": str(request.user.uuid) if isinstance(request.user, Person) else "",
            "language": viewer.language,
            "version": version(),
        },
        "tablet": tablet,
    }
    if request.method == "POST":
        try:
            given = {name: value for name, value in request.POST.items() if value}
            asked = _read({**given, "checks": request.POST.getlist("checks")})
        except BadScan as bad:
            context["answer"] = {"look": "red", "headline": gettext("Not readable"), "message": bad.sentence}
        else:
            context["answer"] = _record(asked, viewer, station)[1]
    context["offers"] = offers_of(station)  # after the scan, whose card is none any more
    response = render(request, "scan.html", context)
    # The worker keeps this page and no other of the address, if it is of its own version (static/js/worker.js).
    response["X-Page"] = f"scan {version()}"
    remember_area(response, station)
    if tablet is None and isinstance(request.user, Person) and not was_revoked(request):
        token = make_known(request.user, station.plant_id, station)
        remember(response, token, secure=request.is_secure())
    return response


def _viewer(request: HttpRequest, tablet: Source | None) -> Viewer:
    """Whoever is logged in; else the tablet, which sees its plant and has no role."""
    if tablet is None or request.user.is_authenticated:
        return viewer_of(request)
    return Viewer(None, tablet.name, tablet.plant_ids, {}, get_language() or "en")


def _intent(request: HttpRequest, tablet: Source | None) -> str:
    """What a scan means here, as it was chosen on this device."""
    if tablet is None:
        return str(request.session.get("intent", ""))
    return (
        Placement.objects.filter(device_id=tablet.device_id or 0).values_list("intent", flat=True).first()
        or ""
    )


@require_POST
@declared(PEOPLE_OR_TABLET)
def choose_station(request: HttpRequest) -> HttpResponseBase:
    """Keeps the station and what a scan means there, with the device if it is one; an empty station asks again."""
    tablet = device_source(request)
    if tablet is None and not request.user.is_authenticated:
        return redirect_to_login("/s/")
    viewer = _viewer(request, tablet)
    code = posted_name(request, "station")
    found = Station.objects.filter(code=code, plant_id__in=viewer.plant_ids).first() if code else None
    before = chosen_station(request, viewer)
    if found is not None:
        request.session["station"] = found.code
        leave_to_people(found)
    elif "station" in request.POST:
        request.session.pop("station", None)
        if before is not None:
            give_back(before.code)
    intent = request.POST.get("intent", "")
    request.session["intent"] = intent if intent in CHOICES else ""
    if tablet is not None and tablet.device_id is not None:
        stays = None if "station" in request.POST else before
        stand_at(tablet.device_id, found or stays, intent)
    return redirect(_next(request))


def chosen_station(request: HttpRequest, viewer: Viewer) -> Station | None:
    """Where this device stands, else the station of this session; if the viewer may still stand there."""
    places = Station.objects.filter(plant_id__in=viewer.plant_ids)
    tablet = device_source(request)
    if tablet is not None:
        return places.filter(placement__device_id=tablet.device_id or 0).first()
    code = request.session.get("station")
    return places.filter(code=code).first() if code else None


def _answer_json(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    station = chosen_station(request, viewer)
    speak_at(station)
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    if len(request.body) > BODY_LIMIT:
        return _unread(body, 413, "too_large", gettext("The scan is too long."))
    if not isinstance(body, dict):
        return _unread(body, 400, "malformed", gettext("The scan could not be read. Load the page again."))
    try:
        asked = _read(body)
    except BadScan as bad:
        return _unread(body, 400, "malformed", bad.sentence)
    status, answer = _record(asked, viewer, station)
    return JsonResponse(answer, status=status)


def _unread(body: object, status: int, code: str, sentence: str) -> JsonResponse:
    """A scan that cannot be taken, named by its id as it came: without the id nothing was said about a scan, and the
    page keeps what it sent."""
    named = body.get("id") if isinstance(body, dict) else None
    known = named if isinstance(named, str) and len(named) <= LONGEST_ID else None
    return JsonResponse({"id": known, "code": code, "message": sentence}, status=status)


def _record(asked: ScanRequest, viewer: Viewer, station: Station | None) -> tuple[int, dict[str, object]]:
    """The stored answer with what the page needs to show it: headline, look and sound."""
    source = Source(
        person_id=viewer.person_id,
        station_id=station.pk if station else None,
        plant_ids=viewer.plant_ids,
        roles=viewer.roles,
        language=viewer.language,
        name=viewer.name,
    )
    answer = shown(scan(asked, source=source, now=timezone.now()), station)
    return answer.pop("status"), answer


def _read(body: dict[str, object]) -> ScanRequest:
    """A scan from a form or from JSON. Raises BadScan."""
    code, intent, checks = body.get("code"), body.get("intent"), body.get("checks") or []
    try:
        scan_id = UUID(str(body.get("id")))
    except ValueError:
        raise BadScan(gettext("The scan has no id. Load the page again.")) from None
    if not isinstance(code, str) or not code or len(code) > CODE_LIMIT:
        raise BadScan(gettext("There is no code. Scan the card, or type its code."))
    if intent and intent not in set(Intent):
        raise BadScan(gettext("That step is not known. Load the page again."))
    if not isinstance(checks, list) or len(checks) > MOST_CHECKS:
        raise BadScan(gettext("The scan could not be read. Load the page again."))
    reason = body.get("reason") or ""
    if not isinstance(reason, str) or len(reason) > LONGEST_REASON:
        raise BadScan(gettext("The reason is longer than 200 characters. Shorten it."))
    return ScanRequest(
        id=scan_id,
        code=code,
        intent=str(intent) if intent else None,
        occurred_at=_instant(body.get("occurred_at")),
        sent_at=_instant(body.get("sent_at")),
        checks=tuple(str(check)[:120] for check in checks),
        reason=reason.strip() or None,
    )


def _instant(text: object) -> datetime | None:
    if not isinstance(text, str) or not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadScan(gettext("The time of the scan could not be read. Load the page again."))
    return found


def _stations(viewer: Viewer) -> list[tuple[str, list[Station]]]:
    """Stations by area along the flow; suppliers' own at the end."""
    groups: dict[str, list[Station]] = defaultdict(list)
    found = Station.objects.filter(plant_id__in=viewer.plant_ids).select_related("area", "supplier")
    for station in found.order_by("area__name", "position", "name"):
        groups[station.area.name if station.area else gettext("Outside")].append(station)
    return list(groups.items())


def _next(request: HttpRequest) -> str:
    """Where to go afterwards: a page of ours, else the scan page."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return "/s/"
