"""Times and quantities as the shop floor writes them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import get_language

from jitapp.web.phrases import TILE_WORDS, clock, plain, words_of

register = template.Library()


@register.filter
def at(instant: datetime | None, time_zone: str) -> str:
    """The time of day in the plant, on a 24-hour clock."""
    return clock(instant, time_zone, timezone.now(), _language()) if instant else "–"


@register.filter
def exactly(instant: datetime | None, time_zone: str) -> str:
    """As `at`, with the time of day also on a day far away."""
    return clock(instant, time_zone, timezone.now(), _language(), exact=True) if instant else "–"


@register.filter
def ago(instant: datetime | None) -> str:
    """How long ago, or how long until."""
    if instant is None:
        return "–"
    return words_of(_language()).span(abs((timezone.now() - instant).total_seconds()))


@register.filter
def lasting(pair: Any) -> str:
    """How long something with `opened_at` and `closed_at` lasted, or lasts."""
    end = pair.closed_at or timezone.now()
    return words_of(_language()).span((end - pair.opened_at).total_seconds())


@register.filter
def short(quantity: Decimal) -> str:
    """A quantity without idle zeros."""
    return plain(quantity)


@register.filter
def word(status: str) -> str:
    """A card's status in a word of the person's language."""
    return words_of(_language()).tiles.get(status, status) if status in TILE_WORDS else status


@register.filter
def cause(reason: str) -> str:
    """Why a loop ran dry, in a sentence of the person's language."""
    return words_of(_language()).causes.get(reason, reason) or "–"


@register.filter
def level(tile: Any) -> str:
    """How full a container that is in use is drawn, as the class of a bin (css/bins.css)."""
    if tile.word != "IN_USE" or tile.quantity <= 0:
        return ""
    return f" l{max(0, min(10, round(10 * float(tile.contents / tile.quantity))))}"


@register.filter
def party(owner: str) -> str:
    """Who must act, or had to, in a word of the person's language."""
    return words_of(_language()).parties.get(owner, owner) or "–"


def _language() -> str:
    return get_language() or "en"
