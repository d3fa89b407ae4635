"""The pages that show the state of the loops: an area's board and its rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import TypedDict
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from jitapp.live.ticket import channel_of, make_ticket
from jitapp.plant.shifts import ends_after
from jitapp.pull.reading.board import UnknownArea
from jitapp.pull.reading.board_row import STATES, BoardRow
from jitapp.pull.reading.standstill import watch
from jitapp.pull.reading.window import FILTERS, LATE, PAGE, Asked, Window, window
from jitapp.web import past, stands, trying
from jitapp.web.board import FEW_BINS, expected_next, render_row
from jitapp.web.headers import live_base
from jitapp.web.leading import LEADERS
from jitapp.web.phrases import Words, clock, words_of
from jitapp.web.sections import SHOWN, well_words
from jitapp.web.visit import READERS, Viewer, declared, readers, viewer_of

MOST_TEXT = 80  # letters that are looked for


class Number(TypedDict):
    """One number of a band: how many rows are in a state, the state's word, and what it means."""

    state: str
    count: int
    word: str
    help: str


@require_GET
@readers
def board_page(request: HttpRequest, area: str) -> HttpResponseBase:
    """The live board of an area: all its rows, or a page of a wide area, or those that are asked for (`state`, `q`);
    with `?at=` as it was then."""
    if "at" in request.GET:
        return past.board_page_then(request, area)
    viewer, now = viewer_of(request), timezone.now()
    asked = _asked(request)
    shown = _visible_window(viewer, area, asked, now)
    words = words_of(viewer.language)
    channel = channel_of(area, viewer.language)
    part = "" if shown.whole and asked.all else "top" if shown.page == 1 and asked.all else "part"
    context = {
        "board": shown,
        "asked": asked,
        "part": part,
        "well": _well(shown, part, now, viewer.language),
        "band": _links(_band(shown.counts, words), asked),
        "pager": _pager(shown, asked),
        "about": _about(shown),
        "tag": _tag(shown),
        "most_rows": PAGE,
        "rows": mark_safe(_rows_html(shown.rows, now, viewer.language).decode()),  # noqa: S308 (escaped there)
        "query": _query(asked, page=shown.page),
        "live": live_base(request) + "/live/board",
        "ticket": make_ticket(channel, request.session.session_key),
        "channel": channel,
        "most_bins": _most_bins(list(shown.rows)),
        "now_ms": int(now.timestamp() * 1000),
        "clock": clock(now, shown.time_zone, now),
        "words": _words_for_script(words),
        "trying": trying.panel(request, viewer, shown),
        "shift_ends": _shift_ends(viewer, shown, now),
    }
    return render(request, "board.html", context)


@require_GET
@declared(READERS)
def rows(request: HttpRequest, area: str) -> HttpResponseBase:
    """The rows of a board that the page shows as HTML, for a browser that may have missed some, after one that says
    what stands on other pages; a fresh ticket comes in the head.

    An unchanged board costs 304 and no bytes.
    """
    viewer, now = viewer_of(request), timezone.now()
    if not viewer.plant_ids:
        return HttpResponse(status=401)
    try:
        shown = _visible_window(viewer, area, _asked(request), now)
    except Http404:
        return HttpResponse(status=404)
    tag = _tag(shown)
    response: HttpResponse
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        first = f'<tr class="about" data-about="{escape(_about(shown))}"></tr>\n'
        drawn = _rows_html(shown.rows, now, viewer.language)
        response = HttpResponse(first.encode() + drawn, content_type="text/html; charset=utf-8")
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    response["X-Stands"] = stands.header(watch.latest())
    response["X-Now"] = str(int(now.timestamp() * 1000))
    response["X-Ticket"] = make_ticket(channel_of(area, viewer.language), request.session.session_key)
    return response


def _shift_ends(viewer: Viewer, shown: Window, now: datetime) -> str:
    """To whom leads there, when the shifts end (ms, with blanks between): the handover opens by itself before."""
    if viewer.roles.get(shown.plant_id, frozenset()).isdisjoint(LEADERS):
        return ""
    return " ".join(
        str(int(end.timestamp() * 1000)) for end in ends_after(shown.plant_id, shown.time_zone, now)
    )


# -- which rows ----------------------------------------------------------------------------------------


def _asked(request: HttpRequest) -> Asked:
    """What the address asks for; what it asks wrongly is the whole board."""
    state, page = request.GET.get("state", ""), request.GET.get("page", "")
    return Asked(
        page=int(page) if page.isascii() and page.isdecimal() and len(page) < 7 else 1,
        state=state if state in FILTERS else "",
        text=request.GET.get("q", "").strip()[:MOST_TEXT],
    )


def _query(asked: Asked, **other: object) -> str:
    """The address of what is asked, or of something else beside it; "?" for the whole board."""
    named = {"state": asked.state, "q": asked.text, "page": 1} | other
    return "?" + urlencode(
        {name: value for name, value in named.items() if value and (name, value) != ("page", 1)}
    )


def _links(band: list[Number], asked: Asked) -> list[dict[str, object]]:
    """The numbers of the band; each leads to the rows that it counts, and that of the rows that are shown back."""
    return [
        {
            **number,
            "query": _query(asked, state="" if asked.state == number["state"] else number["state"]),
            "current": asked.state == number["state"],
        }
        for number in band
    ]


def _pager(shown: Window, asked: Asked) -> dict[str, object]:
    """Where the page stands among the others, and the ways to them."""
    first = shown.first if shown.rows else 0
    return {
        "first": first,
        "last": first + len(shown.rows) - 1 if shown.rows else 0,
        "fitting": shown.fitting,
        "previous": _query(asked, page=shown.page - 1) if shown.page > 1 else "",
        "next": _query(asked, page=shown.page + 1) if shown.page < shown.pages else "",
        "to_first": _query(asked, page=1) if shown.page > 1 else "",
    }


def _about(shown: Window) -> str:
    """What a page cannot count itself, as JSON."""
    numbers = {
        "counts": shown.counts,
        "fitting": shown.fitting,
        "first": shown.first,
        "total": shown.total,
        "unmeasured": shown.unmeasured,
    }
    return json.dumps(numbers, separators=(",", ":"))


def _tag(shown: Window) -> str:
    """The ETag of the rows; it leaves the instant of drawing out."""
    state = hashlib.sha256(repr([_about(shown), *(_fingerprint(row) for row in shown.rows)]).encode())
    return f'"{state.hexdigest()[:24]}"'


def _fingerprint(row: BoardRow) -> tuple[object, ...]:
    """What decides whether the page is drawn again; forecasts are rounded to a minute."""
    ahead = tuple(at and int(at.timestamp() // 60) for at in (row.runs_out_at, row.refill_at))
    return row.loop_id, row.version, row.state, row.late, row.owner, row.why_code, row.upstream, ahead


def _visible_window(viewer: Viewer, area: str, asked: Asked, now: datetime) -> Window:
    """The rows, if the area lies in one of the viewer's plants. Raises Http404."""
    try:
        shown = window(area, asked, now=now)
    except UnknownArea:
        shown = None
    if shown is None or shown.plant_id not in viewer.plant_ids:
        raise Http404(gettext("There is no such board, or it belongs to a plant you are not a member of."))
    return shown


def _most_bins(shown: list[BoardRow]) -> str:
    """How much room the bins of a row need: of the loop that has most."""
    most = max((len(row.tiles) for row in shown), default=0)
    return "few" if most <= FEW_BINS else "some" if most <= 6 else "many"


def _rows_html(shown: Sequence[BoardRow], now: datetime, language: str) -> bytes:
    return b"\n".join(render_row(row, now, language) for row in shown)


def _band(numbers: Mapping[str, int], words: Words) -> list[Number]:
    band: list[Number] = [
        {
            "state": state,
            "count": numbers[state],
            "word": words.states[state],
            "help": words.states_help[state],
        }
        for state in STATES
    ]
    late: Number = {
        "state": LATE,
        "count": numbers[LATE],
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
        "rows_of": gettext("Rows {first} to {last} of {all}"),
        "unmeasured": gettext("{} more loops are being measured; they stand here in a moment."),
        "days": " ".join(words.days),
        **well_words(),
        **stands.board_words(),
    }


def _well(shown: Window, part: str, now: datetime, language: str) -> dict[str, str]:
    """The sentence for when nothing needs anybody, and what comes next; empty while something does."""
    if part == "part" or not shown.rows or any(shown.counts[state] for state in (*SHOWN, LATE)):
        return {}
    said, coming = well_words(), expected_next(shown.rows)
    if coming is None:
        return {"said": said["well"], "next": ""}
    kind, at, what = coming
    time = clock(at, shown.time_zone, now, language)
    return {"said": said["well"], "next": said[f"well_{kind}"].format(part=what, time=time)}
