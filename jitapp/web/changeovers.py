"""Changing a station over: begin and finish from its own page, where the times per part family stand."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from jitapp.plant.models import Station
from jitapp.pull import actions
from jitapp.pull.reading.changeovers import changeovers_of
from jitapp.web.calls import members, said, source_of
from jitapp.web.visit import viewer_of


@require_POST
@members
def changeover(request: HttpRequest, station: str) -> HttpResponseBase:
    """`step` is begin or finish."""
    source, now = source_of(viewer_of(request)), timezone.now()
    try:
        if request.POST.get("step") == "finish":
            actions.finish_changeover(station=station, now=now, source=source)
        else:
            actions.begin_changeover(
                station=station,
                from_family=request.POST.get("from_family", "")[:400],
                to_family=request.POST.get("to_family", "")[:400],
                now=now,
                source=source,
            )
    except actions.ChangeoverRefused as refused:
        messages.error(request, said(refused.code))
    return redirect("supply", station)


def changeover_context(station: Station) -> dict[str, object]:
    """What the station's page shows: the one under way, the times, and the families that may be chosen."""
    found = changeovers_of(station.pk)
    known = [times.family for times in found.families]
    parts = station.loops_out.values_list("part__number", flat=True).distinct()
    return {
        "station": station,
        "running": found.running,
        "families": found.families,
        "choices": list(dict.fromkeys([*known, *sorted(parts)])),
        "current": found.newest,
    }
