"""Handing a shift over: what changed, what is open, the leaving leader's notes, and two signatures.

The page reads; signing posts. Whoever signs proves it there, by badge or by name and PIN, or by being logged in: the
leader who arrives signs in the browser of the one who leaves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_POST

from jitapp.accounts.models import Person, new_uuid
from jitapp.kanban.steps.all import STEPS
from jitapp.kanban.vocabulary import Intent
from jitapp.plant.models import Area
from jitapp.plant.shifts import shifts_before
from jitapp.pull import actions
from jitapp.pull.reading.handover import Facts, HandedOver, Signature, facts_now, handover_of, handovers_of
from jitapp.pull.reading.past_marks import begins_at, loops_of
from jitapp.pull.scan_request import Source
from jitapp.pull.signing import NotSignedIn
from jitapp.web.past import area_of
from jitapp.web.past_changes import Comparison, first_instant
from jitapp.web.past_instants import BadInstant, for_a_field, write_instant
from jitapp.web.phrases import clock
from jitapp.web.visit import Viewer, areas_of, people, posted_name, readers, viewer_of

HOW_WORDS = {"login": mark("logged in"), "badge": mark("by badge"), "pin": mark("by PIN")}
# Why nobody signed; the codes are those of jitapp/pull/actions/handovers.py and jitapp/pull/signing.py.
REFUSAL_TEXT = {
    "notes_long": mark("The notes are too long: at most 4,000 characters. Shorten them and sign again."),
    "remark_long": mark("The remark is too long: at most 400 characters. Shorten it and sign again."),
    "arrived_already": mark("Somebody has signed for the arriving side already. Load the page again."),
    "same_person": mark("Two people sign a handover. Let the leader who arrives sign."),
    "unknown_handover": mark("There is no such handover here. Load the page again."),
    "badge_unknown": mark("Nobody here has this badge. Scan yours again, or type your name and your PIN."),
    "person_unknown": mark("Nobody here has this name. Type it as you log in with it, or scan your badge."),
    "pin_missing": mark("Scan your badge, or type your name and your PIN."),
    "pin_wrong": mark("That PIN is wrong. Type it again, or scan your badge."),
    "pin_waits": mark("Too many wrong PINs. The next one counts in {} min; your badge works meanwhile."),
    "pin_busy": mark("Another PIN is being checked. Press again."),
    "pin_none": mark("{} has no PIN yet. Scan the badge instead, or log in."),
    "no_leader": mark("{} may not sign a handover: leaders and administrators do."),
}


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature in words."""

    name: str
    how: str
    at: str
    remark: str


class Page:
    """The facts of a handover in the words of a page."""

    def __init__(self, facts: Facts, time_zone: str, language: str) -> None:
        self.found = Comparison(facts.changes, time_zone, language)
        told = self.found.clock
        self.holds = [
            {
                "part": each.part,
                "card": each.card,
                "reason": each.reason,
                "at": told(each.held_at),
                "by": each.held_by,
            }
            for each in facts.holds
        ]
        self.parked = [
            {"part": each.part, "card": each.card, "what": _step(each.intent), "at": told(each.occurred_at)}
            for each in facts.parked
        ]
        self.unsent = [
            {"device": each.device, "waiting": each.waiting, "at": told(each.oldest_at)}
            for each in facts.unsent
        ]


def _step(intent: str) -> str:
    return gettext(STEPS[Intent(intent)].label) if intent in set(Intent) else gettext("Scan")


@require_GET
@readers
def shifts_page(request: HttpRequest) -> HttpResponseBase:
    """The areas, each with its newest handover. With one area it is that area's page."""
    viewer, now = viewer_of(request), timezone.now()
    areas = areas_of(viewer)
    if len(areas) == 1:
        return _page(request, viewer, areas[0])
    context = {
        "areas": [
            (area, [_line(each, viewer, now) for each in handovers_of([area.pk], most=1)]) for area in areas
        ]
    }
    return render(request, "shift/areas.html", context)


@require_GET
@readers
def shift_page(request: HttpRequest, area: str) -> HttpResponseBase:
    """What would be handed over now, the form, and the handovers before."""
    viewer = viewer_of(request)
    return _page(request, viewer, area_of(viewer, area))


def _page(
    request: HttpRequest, viewer: Viewer, area: Area, *, problem: str = "", status: int = 200
) -> HttpResponse:
    now, zone = timezone.now(), area.plant.time_zone
    told = request.POST if request.method == "POST" else request.GET
    shifts = shifts_before(area.plant_id, zone, now)
    context: dict[str, object] = {
        "area": area,
        "problem": problem,
        "id": _uuid(told.get("id", "")) or new_uuid(),
        "notes": request.POST.get("notes", ""),
        "name": request.POST.get("name", ""),
        "typed": told.get("since", ""),
        "most": for_a_field(now, zone),
        "starts": [
            (write_instant(shift.begins_at, zone), clock(shift.begins_at, zone, now, viewer.language))
            for shift in shifts
        ],
        "handovers": [_line(each, viewer, now) for each in handovers_of([area.pk])],
        "leads": _leads(request, area),
    }
    try:
        since = _since(request, area, now, viewer)
    except BadInstant as bad:
        return render(request, "shift/page.html", {**context, "why": str(bad)}, status=400)
    facts = facts_now(area.code, area.plant_id, since, now)
    context |= {"page": Page(facts, zone, viewer.language), "since": write_instant(since, zone)}
    return render(request, "shift/page.html", context, status=status)


def _since(request: HttpRequest, area: Area, now: datetime, viewer: Viewer) -> datetime:
    """Since when is handed over: as chosen, else since the newest shift began. Raises BadInstant."""
    zone = area.plant.time_zone
    typed = (request.POST if request.method == "POST" else request.GET).get("since", "")
    shifts = shifts_before(area.plant_id, zone, now, most=1)
    begins = begins_at(loops_of(area.code))
    return first_instant(typed, zone, now, begins, viewer.language, shifts[0].begins_at if shifts else now)


@require_POST
@people
def shift_leave(request: HttpRequest, area: str) -> HttpResponseBase:
    """The leaving leader signs; what was typed stays if that is refused."""
    viewer, now = viewer_of(request), timezone.now()
    found = area_of(viewer, area)
    handover = _uuid(request.POST.get("id", "")) or new_uuid()
    try:
        since = _since(request, found, now, viewer)
        actions.leave(
            id=handover,
            area=found,
            since=since,
            notes=request.POST.get("notes", ""),
            by=_signer(request, found, now),
            now=now,
        )
    except BadInstant:
        return _page(request, viewer, found)
    except (NotSignedIn, actions.HandoverRefused) as why:
        return _page(request, viewer, found, problem=_said(why), status=422)
    messages.success(request, gettext("Handed over. Now the leader who arrives signs."))
    return redirect("handover", found.code, handover)


@require_GET
@readers
def handover_page(request: HttpRequest, area: str, handover: UUID) -> HttpResponseBase:
    """A handover as it was signed, for paper too."""
    viewer = viewer_of(request)
    return _stored(request, viewer, _found(viewer, area, handover))


def _found(viewer: Viewer, area: str, handover: UUID) -> HandedOver:
    found = handover_of(area_of(viewer, area).pk, handover)
    if found is None:
        raise Http404(gettext("There is no such handover here."))
    return found


def _stored(
    request: HttpRequest, viewer: Viewer, handover: HandedOver, *, problem: str = "", status: int = 200
) -> HttpResponse:
    zone = handover.area.plant.time_zone
    context = {
        "area": handover.area,
        "handover": handover,
        "page": Page(handover.facts, zone, viewer.language),
        "left": _signature(handover.left, viewer, zone),
        "arrived": _signature(handover.arrived, viewer, zone),
        "problem": problem,
        "remark": request.POST.get("remark", ""),
        "name": request.POST.get("name", ""),
        "leads": _arriving(request, handover),
        "at": write_instant(handover.until, zone),
    }
    return render(request, "shift/stored.html", context, status=status)


@require_POST
@people
def shift_arrive(request: HttpRequest, area: str, handover: UUID) -> HttpResponseBase:
    """The arriving leader has read it."""
    viewer, now = viewer_of(request), timezone.now()
    found = _found(viewer, area, handover)
    try:
        by = _signer(request, found.area, now)
        actions.arrive(id=found.uuid, area=found.area, remark=request.POST.get("remark", ""), by=by, now=now)
    except (NotSignedIn, actions.HandoverRefused) as why:
        return _stored(request, viewer, found, problem=_said(why), status=422)
    messages.success(request, gettext("Signed. The shift is handed over."))
    return redirect("handover", found.area.code, found.uuid)


def _signer(request: HttpRequest, area: Area, now: datetime) -> actions.Signer:
    """Whoever signs here: by badge, by name and PIN, else whoever is logged in. Raises NotSignedIn."""
    person = request.user
    return actions.signer(
        logged_in=person if isinstance(person, Person) else None,
        badge=posted_name(request, "badge")[:64],
        name=posted_name(request, "name")[:64].strip(),
        pin=posted_name(request, "pin")[:20],
        source=Source(plant_ids=frozenset({area.plant_id})),
        now=now,
    )


def _leads(request: HttpRequest, area: Area) -> str:
    """The name of whoever is logged in and may sign; empty: somebody else must prove who they are."""
    person = request.user
    if not isinstance(person, Person):
        return ""
    try:
        actions.signer(
            logged_in=person,
            badge="",
            name="",
            pin="",
            source=Source(plant_ids=frozenset({area.plant_id})),
            now=timezone.now(),
        )
    except NotSignedIn:
        return ""
    return str(person)


def _arriving(request: HttpRequest, handover: HandedOver) -> str:
    """As `_leads`, without whoever left: two people sign."""
    name = _leads(request, handover.area)
    return name if handover.left is None or name != handover.left.name else ""


def _said(why: NotSignedIn | actions.HandoverRefused) -> str:
    sentence = gettext(REFUSAL_TEXT[why.code])
    if isinstance(why, NotSignedIn):
        minutes = math.ceil((why.until - timezone.now()).total_seconds() / 60) if why.until else 0
        return sentence.format(max(1, minutes) if why.until else why.name)
    return sentence


def _line(handover: HandedOver, viewer: Viewer, now: datetime) -> dict[str, object]:
    zone = handover.area.plant.time_zone
    return {
        "uuid": handover.uuid,
        "area": handover.area.code,
        "at": clock(handover.until, zone, now, viewer.language, exact=True),
        "left": _signature(handover.left, viewer, zone),
        "arrived": _signature(handover.arrived, viewer, zone),
        "notes": handover.notes,
    }


def _signature(signature: Signature | None, viewer: Viewer, zone: str) -> Signed | None:
    if signature is None:
        return None
    at = clock(signature.signed_at, zone, timezone.now(), viewer.language, exact=True)
    return Signed(signature.name, gettext(HOW_WORDS[signature.how]), at, signature.remark)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
