"""What every page is given."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone

from jitapp.plant.demonstrations import Demonstration
from jitapp.plant.shown import is_shown, last_ended
from jitapp.pull.history import Era, set_back_lately
from jitapp.web.demo import operators_rest

THEMES = ("auto", "day", "dim", "sun")
DENSITIES = ("roomy", "compact")
TOLD_FOR = timedelta(days=3)


def page(request: HttpRequest) -> dict[str, object]:
    """The chosen theme and density (cookies of the device, not of the person) and whether this is the demonstration."""
    theme, density = request.COOKIES.get("theme"), request.COOKIES.get("density")
    return {
        "density": density if density in DENSITIES else DENSITIES[0],
        "theme": theme if theme in THEMES else THEMES[0],
        "themes": THEMES,
        "demo": _demo,
        "demo_lives": settings.DEMO == "live",
        "set_back": _set_back,
        "demo_ended": _ended,  # asked only by the page "not here"
        "demo_rests": operators_rest,  # asked only where the banner is drawn
    }


def _demo() -> bool:
    """Whether the demonstration is there. While the database is away, what was asked for."""
    try:
        return is_shown()
    except DatabaseError:
        return settings.DEMO in ("live", "1")


def _ended() -> Demonstration | None:
    """The demonstration that was ended within the last days, where none is shown any more: whoever comes for a page
    of it is told."""
    try:
        found = None if is_shown() else last_ended()
        recent = (
            found is not None and found.ended_at is not None and timezone.now() - found.ended_at < TOLD_FOR
        )
        return found if recent else None
    except DatabaseError:
        return None


def _set_back() -> Era | None:
    """The era that a restore began, for a day."""
    try:
        return set_back_lately(timezone.now())
    except LookupError:
        return None
