"""Where in the navigation a page lies."""

from __future__ import annotations

import re

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

# By the page that the navigation leads to, the addresses of its room; the first that fits counts.
_ROOMS = {
    "plan": re.compile(r"/(plan|people|print|changeovers|start)\b|/l/(new|\d+/(edit|settings|collected))\b"),
    "calls": re.compile(r"/(calls|holds)\b"),
    "shifts": re.compile(r"/shift\b"),
    "map": re.compile(r"/map\b"),
    "devices": re.compile(r"/devices?\b"),
    "tags": re.compile(r"/tags\b"),
    "status": re.compile(r"/(status|sys)\b"),
    "learn": re.compile(r"/learn\b"),
    "scan": re.compile(r"/s/"),
    "home": re.compile(r"/$|/(b|l|k|t|r|recv|walk)\b"),
}


def room_of(path: str) -> str:
    """The name of the page that stands for the path's room in the navigation; "" if none does."""
    return next((name for name, paths in _ROOMS.items() if paths.match(path)), "")


@register.simple_tag(takes_context=True)
def current(context: Context, name: str) -> SafeString:
    """The attribute of the link to the page `name`: this is the page that is open, or it lies behind it."""
    request = context.get("request")
    if request is None or room_of(request.path_info) != name:
        return SafeString()
    here = "page" if request.path == reverse(name) else "true"
    return mark_safe(f' aria-current="{here}"')  # noqa: S308 (one of our own two words)
