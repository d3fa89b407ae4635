"""The scan page: choose a station once, then every scan is a whole sentence.

The same address answers a form (a page comes back) and `fetch` (JSON comes back), so the page works without
JavaScript too. The scan itself is the API's: the client's id makes a second sending harmless.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_http_methods, require_POST

from jitapp.accounts.models import new_uuid
from jitapp.kanban.answers import ANSWERS, feedback
from jitapp.kanban.steps.all import STEPS
from jitapp.kanban.vocabulary import Intent, Outcome, ScreenState, Sound
from jitapp.plant.models import Station
from jitapp.plant.work import checks_of, standard_work_of
from jitapp.pull.actions import scan
from jitapp.pull.scan_request import Conflict, ScanRequest, Source
from jitapp.web.demo import give_back, leave_to_people, offers_of
from jitapp.web.phrases import words_of
from jitapp.web.visit import PEOPLE, Viewer, declared, people, posted_name, viewer_of

BODY_LIMIT = 16_384
CODE_LIMIT = 4_096
MOST_CHECKS = 50
LONGEST_ID = 64

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
# What stands there instead where something else was probably meant.
STATE_HEADLINES = {
    ScreenState.WRONG_CARD: mark("Another card?"),
    ScreenState.STALE_LABEL: mark("Label out of date"),
}
TITLES = {
    "applied": mark("RECORDED"),
    "already": mark("Already done"),
    "bounced": mark("Already counted"),
    "refused": mark("NOT RECORDED"),
    "parked": mark("Kept for your leader"),
}
# The colour follows the sound: an answer that sounds recorded looks recorded.
LOOKS = {Sound.RISING: "ok", Sound.LEVEL: "amber", Sound.FALLING: "red", Sound.TICK: "calm"}


@dataclass(frozen=True, slots=True)
class BadScan(Exception):
    """A scan that cannot be read; the text says what is wrong with it."""

    sentence: str


@require_http_methods(["GET", "HEAD", "POST"])
@declared(PEOPLE)
def scan_page(request: HttpRequest) -> HttpResponseBase:
    """GET shows the page, POST records one scan; anything a page needs is behind a login."""
    if request.method == "POST" and request.content_type == "application/json":
        if not request.user.is_authenticated:
            sentence = gettext("You are logged out. Log in again; the scan is kept.")
            return JsonResponse({"code": "logged_out", "message": sentence}, status=401)
        return _answer_json(request)
    return _page(request)


@people
def _page(request: HttpRequest) -> HttpResponseBase:
    viewer = viewer_of(request)
    station = chosen_station(request, viewer)
    if station is None:
        return render(request, "stations.html", {"groups": _stations(viewer), "next": _next(request)})
    leave_to_people(station)
    context: dict[str, object] = {
        "station": station,
        "intent": request.session.get("intent", ""),
        "intents": [(intent.value, gettext(STEPS[intent].label)) for intent in CHOICES],
        "code": request.GET.get("code", "")[:CODE_LIMIT],
        "fresh_id": str(new_uuid()),
        "words": _words_for_script(viewer.language),
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
    return render(request, "scan.html", context)


@require_POST
@people
def choose_station(request: HttpRequest) -> HttpResponseBase:
    """Keeps the station and what a scan means there in the session; an empty station asks again."""
    viewer = viewer_of(request)
    code = posted_name(request, "station")
    found = Station.objects.filter(code=code, plant_id__in=viewer.plant_ids).first() if code else None
    if found is not None:
        request.session["station"] = found.code
        leave_to_people(found)
    elif "station" in request.POST:
        left = request.session.pop("station", None)
        if left:
            give_back(left)
    intent = request.POST.get("intent", "")
    request.session["intent"] = intent if intent in CHOICES else ""
    return redirect(_next(request))


def chosen_station(request: HttpRequest, viewer: Viewer) -> Station | None:
    """The station of this session, if the viewer may still stand there."""
    code = request.session.get("station")
    return Station.objects.filter(code=code, plant_id__in=viewer.plant_ids).first() if code else None


def _answer_json(request: HttpRequest) -> HttpResponse:
    viewer = viewer_of(request)
    station = chosen_station(request, viewer)
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
    answer = scan(asked, source=source, now=timezone.now())
    if isinstance(answer, Conflict):
        refused = {"id": str(answer.id), "outcome": "refused", "code": answer.code, "message": answer.message}
        shown = {"headline": gettext("NOT RECORDED"), "look": "red", "next": ""}
        return 409, {**refused, **shown, "sound": Sound.FALLING, "state": ScreenState.REFUSED}
    body = dict(answer.body)
    if "sound" not in body:  # an answer stored before sounds were part of it
        signal = feedback(body["code"])
        body |= {"sound": signal.sound, "state": signal.state}
    code, state = body["code"], body["state"]
    title = (ANSWERS[code].headline if code in ANSWERS else "") or TITLES[body["outcome"]]
    if body["outcome"] != Outcome.APPLIED:
        title = STATE_HEADLINES.get(state, title)
    headline = gettext(title)
    detail = _without(headline, body["message"])
    body |= _at_the_place(body, station)
    return 200, {**body, "headline": headline, "detail": detail, "look": LOOKS[body["sound"]]}


def _at_the_place(body: dict[str, Any], station: Station | None) -> dict[str, object]:
    """What the one who fills needs beside the answer: the checks to tick, or how the work is done (requirement A5)."""
    if station is None or not body["card"]:
        return {}
    if body["code"] == "not_ready":
        return {"checks": checks_of(station)}
    if body["code"] == "started":
        part = body["card"]["part"]
        return {"work": standard_work_of(station.pk, [part]).get(part, "")}
    return {}


def _without(headline: str, message: str) -> str:
    """The sentence without the words that stand above it in big letters already."""
    if not message.startswith(f"{headline}: "):
        return message
    rest = message[len(headline) + 2 :]
    return rest[:1].upper() + rest[1:]


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
    return ScanRequest(
        id=scan_id,
        code=code,
        intent=str(intent) if intent else None,
        occurred_at=_instant(body.get("occurred_at")),
        sent_at=_instant(body.get("sent_at")),
        checks=tuple(str(check)[:120] for check in checks),
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


def _words_for_script(language: str) -> dict[str, str]:
    words = words_of(language)
    return {
        **{name: words[name] for name in ("ago", "min", "h", "d", "s")},
        "ready": gettext("Ready. Scan a card."),
        "read": gettext("Read"),
        "sending": gettext("sending"),
        "live": gettext("LIVE"),
        "slow": gettext("SLOW"),
        "offline": gettext("OFFLINE – {} waiting"),
        "waiting": gettext("{} WAITING"),
        "offline_head": gettext("SAVED HERE"),
        "offline_next": gettext("No connection. Keep scanning: it is sent as soon as the server answers."),
        "logged_out": gettext("Log in again – {} waiting"),
        "bad_head": gettext("Bad read"),
        "bad_next": gettext("Scan again."),
        "foreign_head": gettext("Not a kanban code"),
        "foreign_next": gettext("Scan the kanban code, not the maker's label."),
        "undo": gettext("Undo"),
        "undo_of": gettext("Undo {}"),
        "nothing": gettext("Not recorded"),
        "look": gettext("Set aside on this device: {} Show it to your leader."),
        "fault": gettext("The server has a fault. The scan waits here and is sent again by itself."),
        "aside": gettext("{} NOT TAKEN"),
        "sound_off": gettext("Sound is off: press to switch it on"),
        "sound_on": gettext("Sound is on"),
        "no_suffix": gettext("Your scanner does not send Enter after a code. Set its suffix to Enter."),
    }
