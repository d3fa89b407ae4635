"""What a leader says of a wall screen: the fields of the form, at enrolment and on the page of the device."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as mark

from jitapp.accounts.models import Device
from jitapp.plant import walls
from jitapp.plant.models import Area, Placement, Plant
from jitapp.plant.walls import WallSettings, WrongWall
from jitapp.web.visit import posted_name

PLACE = "place-"
THEME_WORDS = {"day": mark("Day"), "dim": mark("Dim"), "sun": mark("Sunlight")}
# Why a wall screen cannot be set up like that; the codes are those of jitapp/plant/walls.py.
REFUSAL_TEXT = {
    "area_unknown": mark("That area is not one of this plant. Give places to areas of this plant only."),
    "area_missing": mark("A place in the playlist is a whole number: 1 for the first area, 2 for the next."),
    "seconds_wrong": mark("An area stays for 5 to 600 seconds. Write a number between these."),
    "metres_wrong": mark("The distance is 0.5 to 30 metres. Write a number between these."),
    "inches_wrong": mark("The diagonal is 7 to 200 inches. Write a number between these."),
    "language_wrong": mark("Choose one language, or two that alternate."),
    "theme_wrong": mark("Choose one of the three looks."),
}


@dataclass(frozen=True, slots=True)
class PlaylistPlace:
    """An area with its place in the playlist, as it stands in the form."""

    name: str  # of the field
    area: Area
    place: str


def asked_wall(request: HttpRequest, plant: Plant) -> WallSettings:
    """What the form says. Raises WrongWall."""
    places = {
        name.removeprefix(PLACE): value.replace("\0", "")
        for name, value in request.POST.items()
        if name.startswith(PLACE) and "\0" not in name and isinstance(value, str)
    }
    return walls.checked(
        plant,
        places=places,
        seconds=posted_name(request, "seconds"),
        metres=posted_name(request, "metres"),
        inches=posted_name(request, "inches"),
        languages=[posted_name(request, "language"), posted_name(request, "second_language")],
        theme=posted_name(request, "wall_theme"),
    )


def settings_of(device: Device) -> WallSettings:
    """How a wall screen is set up now."""
    saved = Placement.objects.filter(device=device).values_list("wall", flat=True).first()
    return walls.read(saved)


def refusal(why: WrongWall) -> str:
    """Why it cannot be set up like that, in the reader's language."""
    return gettext(REFUSAL_TEXT[str(why)])


def fields(request: HttpRequest, plants: Iterable[Plant], wall: WallSettings) -> dict[str, object]:
    """What stands in the form: what was typed, else what is."""
    typed = request.POST if request.method == "POST" and "wall_theme" in request.POST else {}
    spoken = [*wall.languages, ""] if wall.languages else [get_language() or "en", ""]
    known = {
        "seconds": str(wall.seconds),
        "metres": wall.metres,
        "inches": wall.inches,
        "language": spoken[0],
        "second_language": spoken[1],
        "wall_theme": wall.theme,
    }
    places = {pk: str(number) for number, pk in enumerate(wall.areas, start=1)}
    areas = (
        Area.objects.filter(plant__in=list(plants)).select_related("plant").order_by("plant__code", "name")
    )
    return {
        "wall": {name: typed.get(name, value) for name, value in known.items()},
        "wall_areas": [
            PlaylistPlace(
                f"{PLACE}{area.code}", area, str(typed.get(f"{PLACE}{area.code}", places.get(area.pk, "")))
            )
            for area in areas
        ],
        "wall_languages": [(code, name) for code, name in settings.LANGUAGES],
        "wall_themes": [(name, gettext(THEME_WORDS[name])) for name in walls.THEMES],
    }
