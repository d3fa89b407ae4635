"""What every page is given."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

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
        "demo_rests": operators_rest,  # asked only where the banner is drawn
    }
