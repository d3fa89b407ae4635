"""What a wall screen shows, how large, and when it may begin anew: settings that stand with its place.

They are kept as JSON in `Placement.wall` and `Enrolment.wall`; what cannot be read there any more is the usual value,
so that a screen never stays dark for the sake of a setting.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from django.conf import settings

from jitapp.kanban.worktime import BadCalendar, WorkCalendar
from jitapp.plant.models import Area, Calendar, Plant

SECONDS = (5, 600)  # how long an area may stay
METRES = (Decimal("0.5"), Decimal(30))
INCHES = (Decimal(7), Decimal(200))
THEMES = ("day", "dim", "sun")
MOST_AREAS = 24
MOST_LANGUAGES = 2
# The nightly start lies in a break of the plant between these hours, or where there is none at the middle of them.
NIGHT, MORNING = time(2), time(5)


class WrongWall(ValueError):
    """Why not: area_unknown, area_missing, seconds_wrong, metres_wrong, inches_wrong, language_wrong or theme_wrong."""


@dataclass(frozen=True, slots=True)
class WallSettings:
    """`areas` are ids in the order of the playlist, none: all of the plant by name. Each stays for `seconds`. `metres`
    from the screen to its readers and `inches` across give the size of its type. Two languages take turns."""

    areas: tuple[int, ...] = ()
    seconds: int = 20
    metres: str = "5"
    inches: str = "55"
    languages: tuple[str, ...] = ()
    theme: str = "day"

    @property
    def saved(self) -> dict[str, object]:
        """As it stands in the database."""
        return {**asdict(self), "areas": list(self.areas), "languages": list(self.languages)}

    @property
    def mark(self) -> str:
        """Another one with every change."""
        return hashlib.sha256(json.dumps(self.saved, sort_keys=True).encode()).hexdigest()[:12]


def checked(
    plant: Plant,
    *,
    places: Mapping[str, str],
    seconds: str,
    metres: str,
    inches: str,
    languages: Sequence[str],
    theme: str,
) -> WallSettings:
    """What a form says. `places` gives by area code its place in the playlist, empty or 0: not shown. Raises
    WrongWall."""
    asked = {code: text.strip() for code, text in places.items() if text.strip() not in ("", "0")}
    known = dict(Area.objects.filter(plant=plant, code__in=asked).values_list("code", "pk"))
    if set(asked) - set(known):
        raise WrongWall("area_unknown")
    if len(asked) > MOST_AREAS or any(not text.isascii() or not text.isdecimal() for text in asked.values()):
        raise WrongWall("area_missing")
    order = sorted(asked, key=lambda code: (int(asked[code]), code))
    stays = _within(seconds, (Decimal(SECONDS[0]), Decimal(SECONDS[1])), "seconds_wrong")
    if stays != stays.to_integral():
        raise WrongWall("seconds_wrong")
    named = tuple(dict.fromkeys(language for language in languages if language))
    if not 1 <= len(named) <= MOST_LANGUAGES or set(named) - {code for code, _ in settings.LANGUAGES}:
        raise WrongWall("language_wrong")
    if theme not in THEMES:
        raise WrongWall("theme_wrong")
    return WallSettings(
        areas=tuple(known[code] for code in order),
        seconds=int(stays),
        metres=format(_within(metres, METRES, "metres_wrong"), "f"),
        inches=format(_within(inches, INCHES, "inches_wrong"), "f"),
        languages=named,
        theme=theme,
    )


def _within(text: str, bounds: tuple[Decimal, Decimal], code: str) -> Decimal:
    try:
        number = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        raise WrongWall(code) from None
    if not number.is_finite() or not bounds[0] <= number <= bounds[1]:
        raise WrongWall(code)
    return number.normalize() if number != number.to_integral() else number.quantize(Decimal(1))


def read(saved: object) -> WallSettings:
    """The settings as they were saved."""
    if not isinstance(saved, dict):
        return WallSettings()
    usual = WallSettings()
    areas, languages = saved.get("areas"), saved.get("languages")
    spoken = {code for code, _ in settings.LANGUAGES}
    theme = saved.get("theme")
    return WallSettings(
        areas=tuple(each for each in areas if isinstance(each, int)) if isinstance(areas, list) else (),
        seconds=int(Decimal(_number(saved.get("seconds"), (Decimal(SECONDS[0]), Decimal(SECONDS[1])), "20"))),
        metres=_number(saved.get("metres"), METRES, usual.metres),
        inches=_number(saved.get("inches"), INCHES, usual.inches),
        languages=tuple(each for each in languages if each in spoken) if isinstance(languages, list) else (),
        theme=str(theme) if theme in THEMES else usual.theme,
    )


def _number(saved: object, bounds: tuple[Decimal, Decimal], usual: str) -> str:
    try:
        return format(_within(str(saved), bounds, ""), "f")
    except WrongWall:
        return usual


def areas_of(plant: Plant, wall: WallSettings) -> list[Area]:
    """The areas that a wall shows, in the order of its playlist; those that are gone are left out."""
    if not wall.areas:
        return list(Area.objects.filter(plant=plant).order_by("name", "code")[:MOST_AREAS])
    found = Area.objects.filter(plant=plant).in_bulk(wall.areas)
    return [found[area] for area in dict.fromkeys(wall.areas) if area in found]


def starts_anew_at(plant: Plant, now: datetime) -> datetime:
    """When a screen that runs now should load itself again: in a break of the coming night, nobody misses it then."""
    zone = ZoneInfo(plant.time_zone)
    local = now.astimezone(zone)
    begin = datetime.combine(local.date(), NIGHT, tzinfo=zone)
    if begin <= local:
        begin = datetime.combine(local.date() + timedelta(days=1), NIGHT, tzinfo=zone)
    end = datetime.combine(begin.date(), MORNING, tzinfo=zone)
    row = Calendar.objects.filter(plant=plant, is_default=True).first()
    try:
        calendar = WorkCalendar(plant.time_zone, row.shifts, row.holidays) if row else WorkCalendar()
    except BadCalendar:
        calendar = WorkCalendar()
    idle = calendar.idle_spans(begin, end)
    return idle[0][0] + timedelta(minutes=1) if idle else begin + (end - begin) / 2
