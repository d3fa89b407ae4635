"""The pages that show the state of the loops: home, an area's board and its rows, what a station makes next."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from jitapp.live.ticket import channel_of, make_ticket
from jitapp.plant.models import Station
from jitapp.pull.reading.board import STATES, Board, BoardRow, UnknownArea, board, board_rows_of_areas
from jitapp.pull.reading.standstill import watch
from jitapp.web import stands
from jitapp.web.board import chip, counts, render_row, who_acts
from jitapp.web.headers import live_base
from jitapp.web.phrases import Words, clock, words_of
from jitapp.web.visit import READERS, Viewer, areas_of, declared, readers, viewer_of

WORST = 4  # loops named on the home page, per area


@require_GET
@readers
def home(request: HttpRequest) -> HttpResponseBase:
    """The areas with their state, worst first."""
    viewer = viewer_of(request)
    areas = areas_of(viewer)
    rows: dict[str, list[BoardRow]] = defaultdict(list)
    for row in board_rows_of_areas([area.code for area in areas], now=timezone.now()):
        rows[row.area].append(row)
    words = words_of(viewer.language)
    stations: dict[int | None, list[Station]] = defaultdict(list)
    for station in (
        Station.objects.filter(area__in=areas, loops_out__isnull=False).distinct().order_by("position")
    ):
        stations[station.area_id].append(station)
    cards = [
        {
            "area": area,
            "numbers": _band(rows[area.code], words),
            "loops": len(rows[area.code]),
            "worst": [
                _summary(row, words) for row in rows[area.code][:WORST] if row.state in ("out", "act", "soon")
            ],
            "stations": stations[area.pk],
        }
        for area in areas
    ]
    return render(request, "home.html", {"areas": cards, "viewer": viewer})


@require_GET
@readers
def board_page(request: HttpRequest, area: str) -> HttpResponseBase:
    """The live board of an area."""
    viewer, now = viewer_of(request), timezone.now()
    shown = _visible_board(viewer, area, now)
    words = words_of(viewer.language)
    channel = channel_of(area, viewer.language)
    context = {
        "board": shown,
        "band": _band(list(shown.rows), words),
        "rows": mark_safe(_rows_html(list(shown.rows), now, viewer.language).decode()),  # noqa: S308 (escaped there)
        "live": live_base(request) + "/live/board",
        "ticket": make_ticket(channel, request.session.session_key),
        "channel": channel,
        "now_ms": int(now.timestamp() * 1000),
        "clock": clock(now, shown.time_zone, now),
        "words": _words_for_script(words),
    }
    return render(request, "board.html", context)


@require_GET
@declared(READERS)
def rows(request: HttpRequest, area: str) -> HttpResponseBase:
    """All rows of a board as HTML, for a browser that may have missed some; a fresh ticket comes in the head.

    The ETag leaves the instant of drawing out, so that an unchanged board costs 304 and no bytes.
    """
    viewer, now = viewer_of(request), timezone.now()
    if not viewer.plant_ids:
        return HttpResponse(status=401)
    try:
        shown = list(_visible_board(viewer, area, now).rows)
    except Http404:
        return HttpResponse(status=404)
    state = hashlib.sha256(repr([_fingerprint(row) for row in shown]).encode())
    tag = f'"{state.hexdigest()[:24]}"'
    response: HttpResponse
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(
            _rows_html(shown, now, viewer.language), content_type="text/html; charset=utf-8"
        )
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    response["X-Stands"] = stands.header(watch.latest())
    response["X-Now"] = str(int(now.timestamp() * 1000))
    response["X-Ticket"] = make_ticket(channel_of(area, viewer.language), request.session.session_key)
    return response


def _fingerprint(row: BoardRow) -> tuple[object, ...]:
    """What decides whether the page is drawn again; forecasts are rounded to a minute."""
    ahead = tuple(at and int(at.timestamp() // 60) for at in (row.runs_out_at, row.refill_at))
    return row.loop_id, row.version, row.state, row.late, row.owner, row.why_code, row.upstream, ahead


def _summary(row: BoardRow, words: Words) -> dict[str, str]:
    """A loop in one line: its state, its part, who must do what."""
    return {
        "chip": mark_safe(chip(row.state, words)),  # noqa: S308 (made of our own words)
        "part": row.part,
        "who": " ".join(who_acts(row, words)),
    }


def _visible_board(viewer: Viewer, area: str, now: datetime) -> Board:
    """The board, if it lies in one of the viewer's plants. Raises Http404."""
    try:
        shown = board(area, now=now)
    except UnknownArea:
        shown = None
    if shown is None or shown.plant_id not in viewer.plant_ids:
        raise Http404(gettext("There is no such board, or it belongs to a plant you are not a member of."))
    return shown


def _rows_html(shown: list[BoardRow], now: datetime, language: str) -> bytes:
    return b"\n".join(render_row(row, now, language) for row in shown)


def _band(shown: list[BoardRow], words: Words) -> list[dict[str, object]]:
    numbers = counts(shown)
    band = [
        {
            "state": state,
            "count": numbers[state],
            "word": words.states[state],
            "help": words.states_help[state],
        }
        for state in STATES
    ]
    late = {
        "state": "late",
        "count": numbers["late"],
        "word": words["late"].upper(),
        "help": gettext("past due"),
    }
    return [*band, late]


def _words_for_script(words: Words) -> dict[str, str]:
    names = ("in", "any", "overdue", "min", "h", "d", "s", "ago")
    return {
        **{name: words[name] for name in names},
        **{f"state_{state}": words.states[state] for state in STATES},
        "live": gettext("LIVE"),
        "polling": gettext("POLLING"),
        "connecting": gettext("CONNECTING"),
        "stale": gettext("STALE"),
        "dead": gettext("NO DATA SINCE {}"),
        **stands.board_words(),
    }
