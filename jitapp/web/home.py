"""The home page: each area with what is worst in it, its calls and its last 24 hours, alive over one stream.

The server draws the cards once; from then on the browser keeps them true by the rows of the boards (sections.py).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from jitapp.live.ticket import channel_of, make_ticket
from jitapp.plant.models import Area, Station
from jitapp.pull.reading.firsts import first_scan
from jitapp.pull.reading.strip import HOURS, Strip, strips
from jitapp.web import sections
from jitapp.web.board import chip, runs_dry, who
from jitapp.web.headers import live_base
from jitapp.web.leading import led_plants
from jitapp.web.masters.pages import PLANNERS
from jitapp.web.phrases import Words, clock, words_of
from jitapp.web.sections import SHOWN, Section
from jitapp.web.visit import READERS, Viewer, areas_of, declared, readers, viewer_of

YOUNG = 3  # loops, up to which a shop is told what comes after its first scan
KNOWN_ROWS = 12  # of an area, the worst: the next one is there when the worst goes
BAND = (*SHOWN, "late")
BAR, GAP, TALL = 10, 2, 40  # of the strip, in units of its picture


@dataclass(frozen=True, slots=True)
class AreaCard:
    """What the home page says of an area."""

    section: Section
    band: list[dict[str, object]]
    worst: dict[str, str] | None
    strip: str
    stations: list[Station]

    @property
    def area(self) -> Area:
        """Which it is."""
        return self.section.area

    @property
    def oldest(self) -> datetime | None:
        """Since when the oldest open call waits."""
        return min((call.called_at for call in self.section.calls), default=None)

    @property
    def red(self) -> bool:
        """Whether a call has nobody after its window."""
        return any(call.red for call in self.section.calls)


@require_GET
@readers
def home(request: HttpRequest) -> HttpResponseBase:
    """The areas of the viewer's plants, each with what is worst in it."""
    viewer, now = viewer_of(request), timezone.now()
    areas = areas_of(viewer)
    words = words_of(viewer.language)
    drawn = sections.draw(areas, [viewer.language], now, known=KNOWN_ROWS)
    past = strips([area.code for area in areas], now=now)
    makers = _makers(areas)
    cards = [
        AreaCard(
            section=one,
            band=_band(one, words),
            worst=_worst(one, words, now),
            strip=mark_safe(strip_svg(past[one.area.code], one, now, words)),  # noqa: S308 (of our own numbers)
            stations=makers[one.area.pk],
        )
        for one in drawn
    ]
    cards.sort(
        key=lambda card: not card.section.rows
    )  # what is empty stands last, all else where it always does
    channels = _channels(areas, viewer)
    loops = sum(card.section.loops for card in cards)
    plans = bool(led_plants(request, PLANNERS))
    context: dict[str, object] = {
        "areas": cards,
        "loops": loops,
        "scan": first_scan(viewer.plant_ids) if plans and 0 < loops <= YOUNG else None,
        "viewer": viewer,
        "plans": plans,
        "live": live_base(request) + "/live/board",
        "ticket": make_ticket(channels, request.session.session_key) if channels else "",
        "channel": _shared(channels),
        "now_ms": int(now.timestamp() * 1000),
        "zone": areas[0].plant.time_zone if areas else "UTC",
        "words": _script_words(words),
    }
    return render(request, "home.html", context)


@require_GET
@declared(READERS)
def home_areas(request: HttpRequest) -> HttpResponseBase:
    """The worst rows of all areas, their calls and strips, for a browser that may have missed some."""
    viewer, now = viewer_of(request), timezone.now()
    if not viewer.plant_ids:
        return HttpResponse(status=401)
    areas = areas_of(viewer)
    words = words_of(viewer.language)
    drawn = sections.draw(areas, [viewer.language], now, known=KNOWN_ROWS)
    past = strips([area.code for area in areas], now=now)
    with_strips = [_with_strip(one, past[one.area.code], now, words) for one in drawn]
    response = sections.answer(request, with_strips, now)
    if areas:
        response["X-Ticket"] = make_ticket(_channels(areas, viewer), request.session.session_key)
    return response


def _with_strip(one: Section, strip: Strip, now: datetime, words: Words) -> Section:
    drawn = strip_svg(strip, one, now, words)
    html = one.html + f'<figure data-area="{escape(one.area.code)}">{drawn}</figure>'.encode()
    return replace(one, html=html, mark=f"{one.mark}{strip}")


def _channels(areas: Sequence[Area], viewer: Viewer) -> list[str]:
    return [channel_of(area.code, viewer.language) for area in areas]


def _shared(channels: Sequence[str]) -> str:
    """The name under which the tabs of a browser that follow the same areas share one stream."""
    return f"home:{hashlib.sha256(repr(channels).encode()).hexdigest()[:12]}"


def _makers(areas: Sequence[Area]) -> dict[int | None, list[Station]]:
    """By area, the stations that fill containers for others."""
    found: dict[int | None, list[Station]] = defaultdict(list)
    rows = Station.objects.filter(area__in=areas, loops_out__isnull=False).distinct()
    for station in rows.order_by("position"):
        found[station.area_id].append(station)
    return found


def _band(one: Section, words: Words) -> list[dict[str, object]]:
    numbers = one.numbers
    named = {**words.states, "late": words["late"].upper()}
    return [{"state": state, "count": numbers[state], "word": named[state]} for state in BAND]


def _worst(one: Section, words: Words, now: datetime) -> dict[str, str] | None:
    """The first row, if somebody must know of it, in the pieces that its board draws."""
    row = next(iter(one.rows), None)
    if row is None or (row.state not in SHOWN and not row.late):
        return None
    pieces = {
        "chip": chip(row.state, words),
        "dry": runs_dry(row, words, now),
        "who": who(row, words, now),
    }
    return {
        **{name: mark_safe(html) for name, html in pieces.items()},  # noqa: S308 (escaped there)
        "part": row.part,
        "loop": str(row.loop_id),
    }


# -- the last 24 hours ----------------------------------------------------------------------------------
def strip_svg(strip: Strip, one: Section, now: datetime, words: Words) -> str:
    """A bar for each hour, as high as loops were out in it; what it shows is also said in a sentence."""
    most = max(strip.counts, default=0)
    bars = []
    for place, count in enumerate(strip.counts):
        x = place * (BAR + GAP)
        bars.append(f'<rect class="hour" x="{x}" y="{TALL - 2}" width="{BAR}" height="2"/>')
        if count:
            height = max(6, round((TALL - 2) * count / max(most, 4)))
            bars.append(
                f'<rect class="out" x="{x}" y="{TALL - 2 - height}" width="{BAR}" height="{height}"><title>'
                f"{_at(strip, one, place, now, words)}: {count}</title></rect>"
            )
    width = HOURS * (BAR + GAP) - GAP
    return (
        f'<svg class="strip" viewBox="0 0 {width} {TALL}" preserveAspectRatio="none" role="img"'
        f' aria-label="{escape(strip_text(strip, one, now, words))}">{"".join(bars)}</svg>'
    )


def strip_text(strip: Strip, one: Section, now: datetime, words: Words) -> str:
    """`Out in the last 24 hours: 14:00: 2, 15:00: 1; otherwise none.`"""
    if not any(strip.counts):
        return gettext("No loop was out in the last 24 hours.")
    hours = ", ".join(
        f"{_at(strip, one, place, now, words)}: {count}" for place, count in enumerate(strip.counts) if count
    )
    return gettext("Loops that were out in the last 24 hours, by the hour: {}. None in the others.").format(
        hours
    )


def _at(strip: Strip, one: Section, place: int, now: datetime, words: Words) -> str:
    return clock(strip.hour(place), one.area.plant.time_zone, now, words.language)


def _script_words(words: Words) -> dict[str, str]:
    return {
        **sections.script_words(words),
        "quiet": gettext("Nothing here needs anybody."),
        "none": gettext("No loops here yet."),
        "call_one": gettext("CALL"),
    }
