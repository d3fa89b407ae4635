"""Several areas at once, for pages that follow them over one stream: the wall board and the home page.

Of each area come the worst rows, drawn as on its board (jitapp/web/board.py), the others as numbers, the open calls,
and what is expected next. A browser keeps them true by itself: rows come over the boards' channels, and
static/js/wall/store.js counts them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from jitapp.live.ticket import channel_of
from jitapp.plant.models import Area
from jitapp.plant.spoken import spoken
from jitapp.plant.wording.kept import Wording
from jitapp.plant.wordings import known_wordings
from jitapp.pull.reading.board import board_rows_of_areas
from jitapp.pull.reading.board_row import BoardRow
from jitapp.pull.reading.calls import CallFacts, open_calls
from jitapp.pull.reading.standstill import watch
from jitapp.pull.reading.window import Asked, wide_areas, window
from jitapp.web import calls, stands
from jitapp.web.board import counts, expected_next, render_row, tick
from jitapp.web.phrases import Words, words_of

SHOWN = ("out", "act", "soon")  # states that somebody must know of; the others are quiet


@dataclass(frozen=True, slots=True)
class Section:
    """An area in one language: its rows, worst first (of a wide area those of its first page), how many loops it has
    and how many are in each state, its open calls, rows and calls as HTML, and a mark that changes when they must be
    sent again."""

    area: Area
    language: str
    rows: list[BoardRow]
    loops: int
    numbers: dict[str, int]
    calls: list[CallFacts]
    html: bytes
    mark: str


def draw(areas: Sequence[Area], languages: Sequence[str], now: datetime, *, known: int) -> list[Section]:
    """The areas in each of the languages, with the `known` worst rows of each. The number of queries does not grow with
    the areas, but with those that are too wide to be measured whole."""
    found = _found([area.code for area in areas], now)
    called: dict[str | None, list[CallFacts]] = defaultdict(list)
    for call in open_calls(plant_ids={area.plant_id for area in areas}, now=now):
        called[call.area].append(call)
    return [
        _section(area, language, found[area.code], called[area.code], now, known)
        for area in areas
        for language in languages
    ]


def _found(codes: Sequence[str], now: datetime) -> dict[str, tuple[list[BoardRow], int, dict[str, int]]]:
    """By area: rows, how many loops there are, and how many are in each state."""
    wide = wide_areas() & set(codes)
    rows: dict[str, list[BoardRow]] = defaultdict(list)
    for row in board_rows_of_areas([code for code in codes if code not in wide], now=now):
        rows[row.area].append(row)
    pages = {code: window(code, Asked(), now=now) for code in wide}
    return {
        code: (list(page.rows), page.total, page.counts)
        if (page := pages.get(code))
        else (rows[code], len(rows[code]), counts(rows[code]))
        for code in codes
    }


def script_words(words: Words) -> dict[str, str]:
    """What scripts of such a page say, in the language that is spoken now."""
    return {
        **{name: words[name] for name in ("in", "any", "overdue", "min", "h", "d", "s", "ago")},
        **{f"state_{state}": words.states[state] for state in SHOWN},
        "state_late": words["late"].upper(),
        "state_call": gettext("CALLS"),
        "days": " ".join(words.days),
        "oldest": gettext("oldest"),
        "live": gettext("LIVE"),
        "polling": gettext("POLLING"),
        "connecting": gettext("CONNECTING"),
        "stale": gettext("STALE"),
        "dead": gettext("NO DATA SINCE {}"),
        **stands.board_words(),
    }


def well_words() -> dict[str, str]:
    """What is said where nothing needs anybody: that, and what comes next."""
    return {
        "well": gettext("Every buffer is filled in time."),
        "well_back": gettext("Next: {part} comes back at {time}."),
        "well_dry": gettext("Next: {part} is used up about {time}."),
    }


def answer(request: HttpRequest, drawn: Sequence[Section], now: datetime) -> HttpResponse:
    """The sections, or 304 where the browser has them; the ETag leaves the instant of drawing out."""
    tag = f'"{hashlib.sha256("".join(one.mark for one in drawn).encode()).hexdigest()[:24]}"'
    response: HttpResponse
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        html = b"\n".join(one.html for one in drawn)
        response = HttpResponse(html, content_type="text/html; charset=utf-8")
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    response["X-Stands"] = stands.header(watch.latest())
    response["X-Now"] = str(int(now.timestamp() * 1000))
    return response


def _section(
    area: Area,
    language: str,
    found: tuple[list[BoardRow], int, dict[str, int]],
    called: list[CallFacts],
    now: datetime,
    most: int,
) -> Section:
    wording = known_wordings().of_area(area.code)
    words = words_of(language, wording)
    rows, loops, numbers = found
    known = rows[:most]
    shown = counts(known)
    rest = {state: max(number - shown[state], 0) for state, number in numbers.items()}
    left = "".join(f' data-{state}="{rest[state]}"' for state in (*SHOWN, "late"))
    drawn = b"".join(render_row(row, now, language) for row in known).decode()
    html = (
        f'<section data-channel="{escape(channel_of(area.code, language))}" data-language="{language}"'
        f' data-area="{escape(area.code)}" data-name="{escape(area.name)}" data-loops="{loops}"{left}{_next(rows)}>'
        f"<table><tbody>{drawn}</tbody></table>"
        f'<ul class="calls">{"".join(_call(call, words, now, wording) for call in called)}</ul></section>'
    )
    told = ([_fingerprint(row) for row in known], sorted(rest.items()), [_of_call(call) for call in called])
    return Section(
        area,
        language,
        rows,
        loops,
        numbers,
        called,
        html.encode(),
        repr((area.code, language, area.name, wording.key, told)),
    )


def _fingerprint(row: BoardRow) -> tuple[object, ...]:
    """What decides whether a row is sent again; forecasts are rounded to a minute."""
    ahead = tuple(when and int(when.timestamp() // 60) for when in (row.runs_out_at, row.refill_at))
    told = (row.state, row.late, row.owner, row.why_code, row.upstream)
    return row.loop_id, row.era, row.version, *told, *ahead


def _of_call(call: CallFacts) -> tuple[object, ...]:
    return call.id, call.red, call.owner, call.must_come, call.note, call.times


def _next(rows: Sequence[BoardRow]) -> str:
    found = expected_next(rows)
    if found is None:
        return ""
    name, at, part = found
    return f' data-next="{name}" data-next-at="{int(at.timestamp())}" data-next-part="{escape(part)}"'


def _call(call: CallFacts, words: Words, now: datetime, wording: Wording) -> str:
    """A call has a shape of its own: the bell, where, what, since when, and who must come."""
    with spoken(words.language, wording):
        told = calls.shown(call)
    what = " · ".join(str(part) for part in (told["kind"], call.station_name, told["note"]) if part)
    name = f" · {escape(str(told['name']))}" if told["name"] else ""
    return (
        f'<li class="wall-call s-{told["state"]}" data-id="{call.id}" data-t="{int(call.called_at.timestamp())}"'
        f' data-red="{int(call.red)}">'
        f'<svg class="shape" aria-hidden="true"><use href="#sh-call"/></svg>'
        f'<b class="word">{escape(str(told["word"]))}</b>'
        f'<b class="big">{tick("since", call.called_at, now, words)}</b>'
        f'<b class="what">{escape(what)}</b><span class="who">{escape(str(told["who"]))}{name}</span></li>'
    )
