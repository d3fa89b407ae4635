"""Each page speaks with the words of its place: an area's, a station's, a loop's, else those of the viewer's plant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from django import db
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from jitapp.plant.models import Station
from jitapp.plant.spoken import speak, spoken
from jitapp.plant.wording.kept import HOUSE_WORDS, Wording
from jitapp.plant.wordings import Wordings, known_wordings, wordings
from jitapp.pull.reading.places import place_of_card
from jitapp.pull.scan_request import Source
from jitapp.web.visit import ANYBODY, WHO, viewer_of

P = ParamSpec("P")
T = TypeVar("T")
AREA_COOKIE = "area"  # whose words a tablet's page speaks, for what it asks without the database
_MONTH = 30 * 86_400


class Worded:
    """Before a page: the words of its place. Whatever was spoken before it is spoken again after it.

    Pages that anybody may open speak with the house's words or choose by themselves, because some of them work without
    the database; but not the page of a card, which its people open too. The administration's sentences are Django's.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with spoken(wording=HOUSE_WORDS):
            return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: object, places: Mapping[str, object]
    ) -> None:
        """Called by Django when it knows which page it is."""
        if getattr(view, WHO, ANYBODY) != ANYBODY or "code" in places:
            speak(wording=wording_at(request, places))


def wording_at(request: HttpRequest, places: Mapping[str, object]) -> Wording:
    """The words of the place that an address names, if the viewer may see it."""
    known = wordings()
    if not known:
        return HOUSE_WORDS
    viewer = viewer_of(request)
    area, plant = _area_of(places, known)
    if area is None:
        return known.of_plants(viewer.plant_ids)
    return known.of_area(area) if plant in viewer.plant_ids else HOUSE_WORDS


def _area_of(places: Mapping[str, object], known: Wordings) -> tuple[str | None, int]:
    """The area of an address by its code, and its plant; None where the address names no place of an area."""
    area, station, loop, code = (places.get(name) for name in ("area", "station", "loop_id", "code"))
    found: tuple[str | None, int] | None = None
    if isinstance(area, str):
        return area, known.plant_of.get(area, 0)
    if "\0" in f"{station}{code}":
        return None, 0
    if isinstance(station, str):
        found = Station.objects.filter(code=station).values_list("area__code", "plant_id").first()
    elif isinstance(loop, int):
        loops = Station.objects.filter(loops_in__pk=loop)
        found = loops.values_list("area__code", "plant_id").first()
    elif isinstance(code, str):
        found = place_of_card(code)
    return found or (None, 0)


def speak_at(station: Station | None, source: Source | None = None) -> None:
    """From now on the words of a station, or of a device where it stands."""
    known = wordings()
    if station is not None:
        speak(wording=known.of_place(station.pk, {station.plant_id}))
    elif source is not None:
        speak(wording=known.of_place(source.station_id, source.plant_ids))


def in_area(code: str | None, say: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What is said with the words of an area, on a page of several."""
    with spoken(wording=known_wordings().of_area(code)):
        return say(*args, **kwargs)


def remember_area(response: HttpResponse, station: Station) -> None:
    """A tablet's page keeps whose words it speaks."""
    code = station.area.code if station.area else ""
    response.set_signed_cookie(AREA_COOKIE, code, max_age=_MONTH, httponly=True, samesite="Lax")


def remembered_wording(request: HttpRequest) -> Wording:
    """The words of a tablet's area as it was remembered; without the database those that were last read."""
    code = request.get_signed_cookie(AREA_COOKIE, default="", max_age=_MONTH)
    if not code:
        return HOUSE_WORDS
    try:
        return wordings().of_area(str(code))
    except db.Error:
        return known_wordings().of_area(str(code))
