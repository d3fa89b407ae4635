"""What every page is given."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from jitapp.pull.history import Era, set_back_lately
from jitapp.web.demo import operators_rest

THEMES = ("auto", "day", "dim", "sun")


def page(request: HttpRequest) -> dict[str, object]:
    """The chosen theme (a cookie of the device, not of the person) and whether this is the demonstration."""
    theme = request.COOKIES.get("theme", "auto")
    return {
        "theme": theme if theme in THEMES else "auto",
        "themes": THEMES,
        "demo": settings.DEMO in ("live", "1"),
        "demo_lives": settings.DEMO == "live",
        "set_back": _set_back,
        "demo_rests": operators_rest,  # asked only where the banner is drawn
    }


def _set_back() -> Era | None:
    """The era that a restore began, for a day."""
    try:
        return set_back_lately(timezone.now())
    except LookupError:
        return None
