"""What other pages take from the calls room: a station's buttons, the board's number, links to standard work."""

from __future__ import annotations

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from jitapp.accounts.models import new_uuid
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Station
from jitapp.pull.reading.calls import waiting
from jitapp.web.calls import number_html, panel_context
from jitapp.web.changeovers import changeover_context
from jitapp.web.visit import viewer_of

register = template.Library()
HOLDERS = frozenset({Role.QUALITY, Role.PLANNER, Role.LEADER, Role.ADMIN})


@register.inclusion_tag("calls/panel.html", takes_context=True)
def call_panel(context: Context, station: Station, page: str = "scan") -> dict[str, object]:
    """The buttons that call for help from this station, and what is open here."""
    return _with_page(context, panel_context(station, [station.plant_id])) | {"page": page}


@register.inclusion_tag("calls/changeover.html", takes_context=True)
def changeover_panel(context: Context, station: Station) -> dict[str, object]:
    """Begin or finish a changeover here, with the times per part family."""
    return _with_page(context, changeover_context(station))


@register.inclusion_tag("calls/hold.html", takes_context=True)
def hold_form(context: Context, code: str, plant_id: int) -> dict[str, object]:
    """For those who may hold a container; a held one stands on the page of calls, to be decided."""
    viewer = viewer_of(context["request"])
    own = {
        "code": code,
        "fresh_id": str(new_uuid()),
        "may_hold": bool(HOLDERS & viewer.roles.get(plant_id, frozenset())),
    }
    return _with_page(context, own)


@register.simple_tag
def calls_number(area: str) -> SafeString:
    """The band's number of open calls."""
    now = timezone.now()
    html = number_html(area, waiting([area], now=now)[area], now, get_language() or "en")
    return mark_safe(html)  # noqa: S308 (escaped there)


@register.simple_tag
def work_link(known: dict[str, str], part: str) -> SafeString:
    """A link to a part's standard work; nothing where none is known."""
    if part not in known:
        return SafeString("")
    return format_html(
        '<a class="work" href="{}" target="_blank" rel="noopener noreferrer">{}</a>',
        known[part],
        gettext("Standard work"),
    )


def _with_page(context: Context, own: dict[str, object]) -> dict[str, object]:
    """A part of a page has forms: it needs the page's person and token."""
    return own | {name: context.get(name) for name in ("csrf_token", "user", "request")}
