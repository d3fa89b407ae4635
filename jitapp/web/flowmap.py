"""The flow map: a value stream map that draws itself from the loops and the bills, with the states of now and the times
that were measured (jitapp/web/flowpicture.py draws it). It shows; only scans change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from jitapp.kanban.vocabulary import StationKind
from jitapp.plant.models import Loop, Plant
from jitapp.pull.reading.flow import (
    MAKE,
    MOVE,
    QUEUE,
    STAND,
    Flow,
    FlowLoop,
    UnknownPart,
    flow_of,
    version_of,
)
from jitapp.pull.reading.past_ledger import neighbours
from jitapp.pull.reading.past_marks import begins_at
from jitapp.pull.reading.standstill import watch
from jitapp.web import stands
from jitapp.web.board import chip
from jitapp.web.flowpicture import Labels, draw
from jitapp.web.past import Asked, no_such_instant
from jitapp.web.past_instants import NOW, BadInstant, checked, for_a_field, named, write_instant
from jitapp.web.phrases import Words, clock, words_of
from jitapp.web.truth import truth_words
from jitapp.web.visit import READERS, Viewer, declared, readers, viewer_of

STEPS = (-60, -15, 15, 60)  # minutes, in the past
SAME_FOR_S = 20  # states change with time alone too: a map is drawn again so often at least


@dataclass(frozen=True, slots=True)
class ListedLoop:
    """A loop in the list beside the map."""

    loop_id: int
    part: str
    supply: str
    demand: str
    chip: str
    usable: int
    circulating: int
    who: str
    times: tuple[str, str, str, str]  # until it is begun, made, moved, standing full


@require_GET
@readers
def map_page(request: HttpRequest, number: str = "") -> HttpResponseBase:
    """The map of a plant, or with a part number what that part is made of and what is made of it."""
    viewer, now = viewer_of(request), timezone.now()
    plants = list(Plant.objects.filter(pk__in=viewer.plant_ids).order_by("code"))
    plant = _plant(plants, request.GET.get("plant", ""), number)
    if plant is not None and "at" in request.GET:
        return _map_then(request, plant, number, viewer, now)
    context: dict[str, object] = {"plants": plants, "plant": plant, "part": number}
    if plant is not None:
        flow = _flow(plant, number, now)
        context |= _drawn(flow, plant, viewer, now) | {
            "flow": flow,
            "now_ms": int(now.timestamp() * 1000),
            "clock": clock(now, plant.time_zone, now),
            "words": truth_words(words_of(viewer.language)),
        }
    return render(request, "map/page.html", context)


def _map_then(
    request: HttpRequest, plant: Plant, number: str, viewer: Viewer, now: datetime
) -> HttpResponseBase:
    """The map at `?at=`, by what is known of that instant today; it stands still, and its links stay there."""
    zone, asked = plant.time_zone, Asked.of(request)
    here = f"{request.path}?{urlencode({'plant': plant.code})}"
    loops = list(Loop.objects.filter(plant=plant).values_list("pk", flat=True))
    try:
        at = checked(asked.text, zone, now=now, begins=begins_at(loops), language=viewer.language)
    except BadInstant as bad:
        return no_such_instant(request, str(bad), gettext("Flow map"), here, zone, now)
    if asked.step in ("next", "back"):
        back, ahead = neighbours(loops, at)
        at = min((ahead if asked.step == "next" else back) or at, now)
    if asked.step or asked.text == NOW:
        return redirect(f"{here}&{_at(at, zone)}")
    flow = _flow(plant, number, at, past=True)
    drawn = _drawn(flow, plant, viewer, at, query=f"?{_at(at, zone)}")
    return render(
        request,
        "map/page.html",
        {
            **drawn,
            "plants": [],
            "part": number,
            "then": _at(at, zone),
            "named": named(at, zone, viewer.language),
            "clock": named(at, zone, viewer.language),
            "now_ms": int(at.timestamp() * 1000),
            "back_to_now": here,
            "field": for_a_field(at, zone),
            "most": for_a_field(now, zone),
            "steps": [
                (f"{minutes:+}".replace("-", "−"), f"{here}&{_at(at + timedelta(minutes=minutes), zone)}")
                for minutes in STEPS
            ],
            "next": f"{here}&{_at(at, zone)}&step=next",
            "back": f"{here}&{_at(at, zone)}&step=back",
        },
    )


def _at(at: datetime, zone: str) -> str:
    return urlencode({"at": write_instant(at, zone)}, safe=":")


@require_GET
@declared(READERS)
def map_now(request: HttpRequest, number: str = "") -> HttpResponseBase:
    """Picture and list alone, for a page that is open. While nothing has happened the answer is 304 and has cost three
    statements."""
    viewer, now = viewer_of(request), timezone.now()
    if not viewer.plant_ids:
        return HttpResponse(status=401)
    plants = list(Plant.objects.filter(pk__in=viewer.plant_ids).order_by("code"))
    plant = _plant(plants, request.GET.get("plant", ""), number)
    if plant is None:
        return HttpResponse(status=404)
    tag = _tag(plant, number, viewer.language, now)
    response: HttpResponse
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        flow = _flow(plant, number, now)
        response = HttpResponse(render_to_string("map/drawn.html", _drawn(flow, plant, viewer, now), request))
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    response["X-Stands"] = stands.header(watch.latest())
    response["X-Now"] = str(int(now.timestamp() * 1000))
    return response


def _tag(plant: Plant, number: str, language: str, now: datetime) -> str:
    same = int(now.timestamp() // SAME_FOR_S)
    state = f"{plant.pk} {version_of(plant)} {number} {language} {same}"
    return f'"{hashlib.sha256(state.encode()).hexdigest()[:24]}"'


def _plant(plants: list[Plant], code: str, number: str) -> Plant | None:
    """The named plant, else the one that has the part, else the first. Raises Http404 for one that is not theirs."""
    if code:
        found = next((plant for plant in plants if plant.code == code), None)
        if found is None:
            raise Http404(gettext("There is no such plant, or you are not a member of it."))
        return found
    if number:
        having = Plant.objects.filter(pk__in=[plant.pk for plant in plants], parts__number=number).first()
        if having is None:
            raise Http404(_no_part())
        return having
    return plants[0] if plants else None


def _flow(plant: Plant, number: str, now: datetime, *, past: bool = False) -> Flow:
    try:
        return flow_of(plant, part=number, now=now, past=past)
    except UnknownPart:
        raise Http404(_no_part()) from None


def _no_part() -> str:
    return gettext("There is no loop of such a part, or it belongs to a plant you are not a member of.")


def _drawn(flow: Flow, plant: Plant, viewer: Viewer, now: datetime, *, query: str = "") -> dict[str, object]:
    """What the picture and the list beside it need."""
    words = words_of(viewer.language)
    urgent = next(
        (
            loop.row.loop_id
            for state in ("out", "act", "soon")
            for loop in flow.loops
            if loop.row.state == state
        ),
        0,
    )
    return {
        "flow": flow,
        "plant": plant,
        "picture": mark_safe(draw(flow, _labels(flow, plant), words, plant.time_zone, query=query)),  # noqa: S308 (escaped there)
        "listed": [_listed(loop, flow, words) for loop in flow.loops],
        "urgent": urgent,
        "at": int(now.timestamp() * 1000),
    }


def _listed(loop: FlowLoop, flow: Flow, words: Words) -> ListedLoop:
    row = loop.row
    made_here = {station.code: station.kind for station in flow.stations}[loop.supply] == StationKind.PROCESS
    steps = (QUEUE, MAKE if made_here else "", MOVE, STAND)
    times = [
        f"{words.span(loop.times[step].minutes * 60)} ({loop.times[step].turns})"
        if step in loop.times
        else ""
        for step in steps
    ]
    return ListedLoop(
        row.loop_id,
        row.part,
        row.supply_name,
        row.demand_name,
        mark_safe(chip(row.state, words)),  # noqa: S308 (made of our own words)
        row.usable,
        row.circulating,
        f"{row.owner_name or words.parties.get(row.owner_party, '')} {words.does.get(row.why_code, '')}".strip(),
        (times[0], times[1], times[2], times[3]),
    )


def _labels(flow: Flow, plant: Plant) -> Labels:
    title = gettext("Flow of {}").format(flow.part or plant.name)
    desc = gettext(
        "{loops} loops between {stations} stations, from the suppliers to the customer; below the same as a list."
    ).format(loops=len(flow.loops), stations=len(flow.stations))
    return Labels(
        title=title,
        desc=desc,
        customer=gettext("Customer"),
        supplier=gettext("Supplier"),
        supermarket=gettext("Supermarket"),
        in_work=gettext("In work: {}"),
        in_work_of=gettext("In work: {} of {}"),
        queue=gettext("Waiting: {}"),
        makes=gettext("Made in {}"),
        delivers=gettext("Delivered in {}"),
        not_measured=gettext("not measured yet"),
        turns=gettext("of {} turns"),
        cards=gettext("{} of {} full"),
        dry=gettext("Runs dry in {}"),
        dry_since=gettext("Dry for {}"),
        full="{} / {}",
        feedback=gettext("goes back"),
        way=gettext("The longest measured way, of {}: above it waits, below it is worked on"),
        lead=gettext("Lead time of the whole way"),
        adding=gettext("Value added in"),
        share=gettext("Share of it"),
        partly=gettext("{} of {} steps measured"),
    )
