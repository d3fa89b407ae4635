"""What other pages take from the tray: how many parked scans wait to be resolved."""

from __future__ import annotations

from django import template
from django.template import Context
from django.utils.safestring import SafeString, mark_safe

from jitapp.web.tray import number_html
from jitapp.web.visit import viewer_of

register = template.Library()


@register.simple_tag(takes_context=True)
def needs_look(context: Context) -> SafeString:
    """A link with the number, for leaders and planners; hidden while nothing waits."""
    viewer = viewer_of(context["request"])
    return mark_safe("" if viewer.is_guest else number_html(viewer))  # noqa: S308 (escaped there)
