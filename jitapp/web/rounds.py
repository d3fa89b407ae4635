"""The round of a material handler: a timetable with a countdown, what to take and to leave at each stop, a scan box.

Every form works without JavaScript. With it a device keeps what was done until the server has it (web/acts.py), and
htmx renews the round in place. Scans go the one scan path.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import cast, get_args

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_POST
from msgspec import structs

from jitapp.accounts.models import Person, new_uuid
from jitapp.plant.routes import Route
from jitapp.pull import actions
from jitapp.pull.scan_request import Source
from jitapp.rounds.load import Doing, Errand, Halt
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
from jitapp.web.act import Act, Doer, Done, kept, posted_act, refused, scanned
from jitapp.web.calls import REFUSAL_TEXT, members, source_of
from jitapp.web.camera import camera_words
from jitapp.web.device import device_source
from jitapp.web.phrases import words_of
from jitapp.web.said import Said, said_of
from jitapp.web.scan_words import scan_words
from jitapp.web.shell import version
from jitapp.web.visit import Viewer, readers, viewer_of

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
    context = {"routes": routes, "now": now} | script_data(request, viewer)
    return render(request, "rounds/routes.html", context)


@require_GET
@readers
def route_page(request: HttpRequest, route: str) -> HttpResponseBase:
    """One round."""
    viewer = viewer_of(request)
    found = _route(viewer, route)
    context = _context(request, viewer, found) | script_data(request, viewer, found.code)
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
    """A scan at a stop, of a page without JavaScript; with it a device keeps it and sends it to `/s/scans`."""
    return _after(request, route, scan_act(*_posted(request, "scan", route)))


@require_POST
@members
def route_obstacle(request: HttpRequest, route: str) -> HttpResponseBase:
    """Why a container was not taken or not left: kept, and the leader is called."""
    return _after(request, route, obstacle_act(*_posted(request, "cannot", route)))


def scan_act(act: Act, source: Source, now: datetime) -> Done:
    """A scan at a stop: taken at the supply end, left at the demand end."""
    route = route_in(act.place, source.plant_ids)
    if route is None:
        return refused(_no_route())
    if not act.code.strip():
        missing = gettext("There is no code. Scan the card, or type its code.")
        return refused(Said("red", gettext("Not readable"), missing))
    if command := said_of_command(act.code):
        return kept(command)
    asked = structs.replace(act.told, code=act.code)
    answer, carried = scan_on_route(route, asked, doing=_doing(act), source=source, now=now)
    if carried:
        return scanned(answer)
    said = Said(
        "red",
        gettext("Not on this route"),
        gettext("This card is not carried on {}. Nothing was changed.").format(route.name),
        gettext("Leave the container where it stands, or take it to the right route."),
        code=said_of(answer).code,
    )
    return scanned(answer, said)


def obstacle_act(act: Act, source: Source, now: datetime) -> Done:
    """Why a container was not taken or not left: kept, and the leader is called."""
    route = route_in(act.place, source.plant_ids)
    if route is None:
        return refused(_no_route())
    word = gettext(HINDRANCE_WORDS[Hindrance(act.reason)]) if act.reason in set(Hindrance) else ""
    try:
        report_obstacle(
            route,
            card=act.card,
            reason=act.reason,
            note=act.note,
            words=word,
            doing=_doing(act),
            report_id=act.told.id,
            source=source,
            now=now,
            at=actions.happened_at(act.told, now),
        )
    except ObstacleRefused as why:
        return refused(Said("red", gettext("NOT RECORDED"), _why(why.code), code=why.code))
    leader = gettext("The leader is called. Go on with the round.")
    return kept(Said("amber", gettext("Kept: {}").format(word), leader))


DOERS: dict[str, Doer] = {"scan": scan_act, "cannot": obstacle_act}


def _doing(act: Act) -> Doing | None:
    return cast(Doing, act.doing) if act.doing in get_args(Doing) else None


def _no_route() -> Said:
    gone = gettext("There is no such route, or it belongs to a plant you are not a member of.")
    return Said("red", gettext("NOT RECORDED"), gone, code="unknown_route")


def _posted(request: HttpRequest, do: str, place: str) -> tuple[Act, Source, datetime]:
    """The act of a form, who does it, and now."""
    return posted_act(request, do, place), scanning_source(request, viewer_of(request)), timezone.now()


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


def tell(request: HttpRequest, said: Said) -> None:
    """Says on the next page what became of a form that was sent without JavaScript."""
    messages.info(request, " ".join(filter(None, (f"{said.headline}.", said.message, said.next))))


def _after(request: HttpRequest, route: str, done: Done) -> HttpResponseBase:
    found = _route(viewer_of(request), route)
    tell(request, done.said)
    return redirect("route", found.code)


def _context(request: HttpRequest, viewer: Viewer, route: Route) -> dict[str, object]:
    now = timezone.now()
    sheet = sheet_of(route, now=now)
    here = request.user.is_authenticated
    return {
        "route": route,
        "sheet": sheet,
        "halts": [_shown(halt, sheet, now) for halt in sheet.halts],
        "late": sheet.late,
        "departures": timetable_of(route).today(now),
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


def script_data(request: HttpRequest, viewer: Viewer, place: str = "") -> dict[str, object]:
    """What the script of a handler's page needs: its sentences, those of a tablet among them, and whose page it is."""
    words = words_of(viewer.language)
    said = {
        **scan_words(viewer.language),
        **{name: words[name] for name in ("in", "any", "overdue", "min", "h", "d", "s", "ago")},
        "stale": gettext("STALE"),
        "dead": gettext("NO DATA SINCE {}"),
        "waits_first": gettext("First let this device send what waits on it."),
    }
    page = {
        "by": str(request.user.uuid) if isinstance(request.user, Person) else "",
        "language": viewer.language,
        "version": version(),
        "tablet": device_source(request) is not None,
        "place": place,
    }
    return {"script_words": said, "script_page": page}
