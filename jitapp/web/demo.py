"""The demonstration's switch: whoever works in its plant stops the simulated operators, or lets them continue."""

from __future__ import annotations

from contextlib import suppress

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from jitapp.live import demo
from jitapp.plant.models import Station
from jitapp.plant.shown import shown_plants
from jitapp.pull.reading.offers import Offer, offers
from jitapp.web.visit import people, viewer_of

OFFERS = 4


def operators_rest() -> bool:
    """Whether they were stopped; False while Redis is away, because then they go on as they were."""
    try:
        return demo.switches().paused
    except demo.CannotSwitch:
        return False


def leave_to_people(station: Station) -> None:
    """Whoever stands at a station of the demonstration has it to themselves at once; the operators stay away."""
    if settings.DEMO == "live" and station.plant_id in shown_plants():
        with suppress(demo.CannotSwitch):  # then they leave with the first scan
            demo.take_over(station.code)


def offers_of(station: Station) -> list[Offer]:
    """Cards to try, for somebody who has none in their hand: in the demonstration only."""
    shown = settings.DEMO in ("live", "1") and station.plant_id in shown_plants()
    return offers(station, now=timezone.now(), most=OFFERS) if shown else []


def give_back(station: str) -> None:
    """Somebody goes to another station: the operators may work this one again."""
    if settings.DEMO == "live":
        with suppress(demo.CannotSwitch):
            demo.give_back(station)


@require_POST
@people
def switch(request: HttpRequest) -> HttpResponseBase:
    """`operators` is stop or go; back to where the button stood."""
    if settings.DEMO != "live" or shown_plants().isdisjoint(viewer_of(request).plant_ids):
        raise Http404
    try:
        if request.POST.get("operators") == "stop":
            demo.pause()
        else:
            demo.resume()
    except demo.CannotSwitch:
        messages.error(
            request, gettext("Redis cannot be reached, so nothing was switched. Try again in a moment.")
        )
    back = request.POST.get("next", "/")
    return redirect(back if url_has_allowed_host_and_scheme(back, {request.get_host()}) else "/")
