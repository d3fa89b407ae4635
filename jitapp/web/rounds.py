"""The round of a material handler: a timetable with a countdown, what to take and to leave at each stop, a scan box.

Every form works without JavaScript; with it, htmx swaps the round in place. Scans go the one scan path.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_POST

from jitapp.accounts.models import new_uuid
from jitapp.plant.routes import Route
from jitapp.pull.scan_request import Source
from jitapp.rounds.load import Errand, Halt
from jitapp.rounds.routes import (
    ObstacleRefused,
    Sheet,
    report_obstacle,
    route_in,
    routes_in,
    scan_on_route,
    sheet_of,
    timetable_of,
)
from jitapp.rounds.vocabulary import Hindrance
from jitapp.symbology.commandcode import read_command
from jitapp.web.calls import REFUSAL_TEXT, members, source_of
from jitapp.web.camera import camera_words
from jitapp.web.device import device_source
from jitapp.web.phrases import words_of
from jitapp.web.said import Said, said_of
from jitapp.web.visit import Viewer, posted_name, readers, viewer_of

CODE_LIMIT = 4_096

HINDRANCE_WORDS = {
    Hindrance.NOT_THERE: mark("Not there"),
    Hindrance.DAMAGED: mark("Damaged"),
    Hindrance.WRONG_PART: mark("Wrong part"),
    Hindrance.RACK_FULL: mark("Rack full"),
    Hindrance.BLOCKED: mark("Way blocked"),
    Hindrance.OTHER: mark("Something else"),
}
# Which reasons fit: what is to be taken may be missing, what is to be left may find no room.
FITTING = {
    "pick": (
        Hindrance.NOT_THERE,
        Hindrance.DAMAGED,
        Hindrance.WRONG_PART,
        Hindrance.BLOCKED,
        Hindrance.OTHER,
    ),
    "drop": (
        Hindrance.RACK_FULL,
        Hindrance.BLOCKED,
        Hindrance.DAMAGED,
        Hindrance.WRONG_PART,
        Hindrance.OTHER,
    ),
}


@require_GET
@readers
def routes_page(request: HttpRequest) -> HttpResponseBase:
    """The routes of the plant, each with its next departure."""
    viewer, now = viewer_of(request), timezone.now()
    routes = [(route, timetable_of(route).round_at(now)) for route in routes_in(viewer.plant_ids)]
    return render(
        request, "rounds/routes.html", {"routes": routes, "now": now, "script_words": script_words(viewer)}
    )


@require_GET
@readers
def route_page(request: HttpRequest, route: str) -> HttpResponseBase:
    """One round."""
    viewer = viewer_of(request)
    found = _route(viewer, route)
    context = _context(request, viewer, found) | {"script_words": script_words(viewer)}
    return render(request, "rounds/route.html", context)


@require_GET
@readers
def route_now(request: HttpRequest, route: str) -> HttpResponseBase:
    """The part of the page that renews itself."""
    viewer = viewer_of(request)
    return render(request, "rounds/route_now.html", _context(request, viewer, _route(viewer, route)))


@require_POST
@members
def route_scan(request: HttpRequest, route: str) -> HttpResponseBase:
    """A scan at a stop: taken at the supply end, left at the demand end."""
    viewer, now = viewer_of(request), timezone.now()
    found = _route(viewer, route)
    code = request.POST.get("code", "")[:CODE_LIMIT]
    if not code.strip():
        missing = gettext("There is no code. Scan the card, or type its code.")
        return _after(request, viewer, found, Said("red", gettext("Not readable"), missing))
    if command := said_of_command(code):
        return _after(request, viewer, found, command)
    answer, carried = scan_on_route(
        found, code=code, scan_id=posted_id(request), source=scanning_source(request, viewer), now=now
    )
    said = said_of(answer)
    if not carried:
        said = Said(
            "red",
            gettext("Not on this route"),
            gettext("This card is not carried on {}. Nothing was changed.").format(found.name),
            gettext("Leave the container where it stands, or take it to the right route."),
            code=said.code,
        )
    return _after(request, viewer, found, said)


@require_POST
@members
def route_obstacle(request: HttpRequest, route: str) -> HttpResponseBase:
    """Why a container was not taken or not left: kept, and the leader is called."""
    viewer, now = viewer_of(request), timezone.now()
    found = _route(viewer, route)
    reason = request.POST.get("reason", "")
    word = gettext(HINDRANCE_WORDS[Hindrance(reason)]) if reason in set(Hindrance) else ""
    try:
        report_obstacle(
            found,
            card=posted_name(request, "card")[:40],
            reason=reason,
            note=request.POST.get("note", ""),
            words=word,
            report_id=posted_id(request),
            source=scanning_source(request, viewer),
            now=now,
        )
    except ObstacleRefused as refused:
        said = Said("red", gettext("NOT RECORDED"), _why(refused.code))
    else:
        leader = gettext("The leader is called. Go on with the round.")
        said = Said("amber", gettext("Kept: {}").format(word), leader)
    return _after(request, viewer, found, said)


def _why(code: str) -> str:
    if code == "unknown_reason":
        return gettext("Say why with one of the buttons.")
    return gettext(REFUSAL_TEXT.get(code, REFUSAL_TEXT["unknown_card"]))


def _route(viewer: Viewer, code: str) -> Route:
    found = route_in(code, viewer.plant_ids)
    if found is None:
        raise Http404(gettext("There is no such route, or it belongs to a plant you are not a member of."))
    return found


def said_of_command(code: str) -> Said | None:
    """What a command card means in a box for cards and labels: nothing."""
    if read_command(code.strip()) is None:
        return None
    headline, step = gettext("Command card"), gettext("Scan it on the scan page.")
    return Said("amber", headline, gettext("It does nothing here. Nothing was changed."), step)


def scanning_source(request: HttpRequest, viewer: Viewer) -> Source:
    """The person who is signed in, at the tablet if the browser is one: two codes of a swap come from one device."""
    tablet = device_source(request)
    source = source_of(viewer)
    return replace(source, device_id=tablet.device_id) if tablet is not None else source


def posted_id(request: HttpRequest) -> UUID:
    """The id that came with the form, so that a second sending is the same; else a new one."""
    try:
        return UUID(request.POST.get("id", ""))
    except ValueError:
        return new_uuid()


def _after(request: HttpRequest, viewer: Viewer, route: Route, said: Said) -> HttpResponseBase:
    if request.headers.get("HX-Request") == "true":
        return render(
            request, "rounds/route_now.html", _context(request, viewer, route, said) | {"oob": True}
        )
    messages.info(request, " ".join(filter(None, (f"{said.headline}.", said.message, said.next))))
    return redirect("route", route.code)


def _context(
    request: HttpRequest, viewer: Viewer, route: Route, said: Said | None = None
) -> dict[str, object]:
    now = timezone.now()
    sheet = sheet_of(route, now=now)
    here = request.user.is_authenticated
    return {
        "route": route,
        "sheet": sheet,
        "halts": [_shown(halt, sheet, now) for halt in sheet.halts],
        "late": sheet.late,
        "departures": timetable_of(route).today(now),
        "said": said,
        "may_act": here,
        "camera": camera_words(),
        "fresh_id": str(new_uuid()),
        "now": now,
        "now_ms": int(now.timestamp() * 1000),
        "words": words_of(viewer.language),
    }


def _shown(halt: Halt, sheet: Sheet, now: datetime) -> dict[str, object]:
    return {
        "halt": halt,
        "name": sheet.names[halt.station],
        "errands": [_errand(errand, sheet) for errand in (*halt.drops, *halt.picks)],
    }


def _errand(errand: Errand, sheet: Sheet) -> dict[str, object]:
    hindered = sheet.hindered.get(errand.container.code)
    return {
        "errand": errand,
        "container": errand.container,
        "quantity": errand.container.made or errand.container.asked or errand.container.quantity,
        "hindered": hindered,
        "hindered_as": gettext(HINDRANCE_WORDS[Hindrance(hindered.reason)]) if hindered else "",
        "reasons": [(reason.value, gettext(HINDRANCE_WORDS[reason])) for reason in FITTING[errand.doing]],
        "scan_id": str(new_uuid()),
        "report_id": str(new_uuid()),
    }


def script_words(viewer: Viewer) -> dict[str, str]:
    """What the clocks of the handlers' pages say."""
    words = words_of(viewer.language)
    return {
        **{name: words[name] for name in ("in", "any", "overdue", "min", "h", "d", "s", "ago")},
        "live": gettext("LIVE"),
        "stale": gettext("STALE"),
        "dead": gettext("NO DATA SINCE {}"),
    }
