"""Time travel: the board of an area, a loop and a card as they were, drawn as those of now, framed as PAST.

Nothing on these pages acts. Every frame has an address of its own; the player (static/js/past.js) asks for the frames
that lie between and does without JavaScript what its links do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from jitapp.plant.models import Area
from jitapp.plant.shifts import shifts_before
from jitapp.pull.reading.board_row import STATES, BoardRow
from jitapp.pull.reading.past import BoardThen, Difference, board_then
from jitapp.pull.reading.past_ledger import neighbours
from jitapp.pull.reading.past_marks import (
    CallMark,
    RunoutMark,
    begins_at,
    call_marks,
    loops_of,
    runout_marks,
)
from jitapp.web.board import FEW_BINS, chip, counts, render_row
from jitapp.web.past_instants import NOW, BadInstant, checked, for_a_field, named, read_instant, write_instant
from jitapp.web.past_line import SPANS, draw, window_of
from jitapp.web.phrases import Words, clock, words_of
from jitapp.web.visit import READERS, Viewer, areas_of, declared, readers, viewer_of

KNOWN = ("now", "then")
STEPS = (-900, -60, 60, 900)  # seconds
SHOWN_MARKS = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address of the past asks for."""

    text: str  # the instant as it was typed
    known_then: bool
    span: str
    step: str  # "next" or "back": the event after or before the instant

    @classmethod
    def of(cls, request: HttpRequest) -> Asked:
        span = request.GET.get("span", "")
        return cls(
            text=request.GET.get("at", ""),
            known_then=request.GET.get("knew") == "then",
            span=span if span in SPANS else "day",
            step=request.GET.get("step", ""),
        )

    def query(self, at: str, **other: str) -> str:
        """The address of another frame; what is usual is left out."""
        asked = {"at": at, "knew": "then" if self.known_then else "now", "span": self.span, **other}
        usual = {"knew": "now", "span": "day"}
        return "?" + urlencode(
            {name: value for name, value in asked.items() if usual.get(name) != value}, safe=":"
        )


@dataclass(slots=True)
class Frame:
    """A board of the past, ready to be drawn."""

    area: Area
    asked: Asked
    at: datetime
    board: BoardThen
    viewer: Viewer
    words: Words
    zone: str = field(init=False)

    def __post_init__(self) -> None:
        self.zone = self.area.plant.time_zone

    @property
    def text(self) -> str:
        return write_instant(self.at, self.zone)

    @property
    def named(self) -> str:
        return named(self.at, self.zone, self.words.language)

    @property
    def epoch_ms(self) -> int:
        return int(self.at.timestamp() * 1000)

    @property
    def address(self) -> str:
        return reverse("board", args=[self.area.code]) + self.asked.query(self.text)

    @property
    def rows(self) -> SafeString:
        """The rows as the board of now draws them; their links lead to the same instant."""
        drawn = (
            past_row(row, self.at, self.asked, self.zone, self.words.language) for row in self.board.rows
        )
        return mark_safe("\n".join(drawn))  # noqa: S308 (escaped there)

    @property
    def most_bins(self) -> str:
        most = max((len(row.tiles) for row in self.board.rows), default=0)
        return "few" if most <= FEW_BINS else "some" if most <= 6 else "many"

    @property
    def band(self) -> list[dict[str, object]]:
        numbers = counts(self.board.rows)
        words = {**self.words.states, "late": self.words["late"].upper()}
        return [
            {"state": state, "count": numbers[state], "word": words[state]} for state in (*STATES, "late")
        ]

    @property
    def differences(self) -> list[dict[str, object]]:
        return [_difference(each, self) for each in self.board.differences]

    @property
    def other(self) -> str:
        """The address of the same instant with the other knowledge."""
        return reverse("board", args=[self.area.code]) + self.asked.query(
            self.text, knew="now" if self.asked.known_then else "then"
        )


def past_row(row: BoardRow, at: datetime, asked: Asked, time_zone: str, language: str) -> str:
    """A row of the board of now, at an instant; its link goes on in the past."""
    html = render_row(row, at, language).decode()
    query = asked.query(write_instant(at, time_zone)).replace("&", "&amp;")
    return html.replace(f'href="/l/{row.loop_id}"', f'href="/l/{row.loop_id}{query}"', 1)


def _difference(each: Difference, frame: Frame) -> dict[str, object]:
    row = each.now or each.then
    assert row is not None
    return {
        "part": row.part,
        "then": _seen(each.then, frame),
        "now": _seen(each.now, frame),
        "later": each.told_later,
    }


def _seen(row: BoardRow | None, frame: Frame) -> dict[str, object] | None:
    if row is None:
        return None
    dry = row.runout_since
    return {
        "chip": mark_safe(chip(row.state, frame.words)),  # noqa: S308 (made of our own words)
        "usable": row.usable,
        "of": row.circulating,
        "since": clock(dry, frame.zone, frame.at, frame.words.language) if dry else "",
    }


def area_of(viewer: Viewer, code: str) -> Area:
    """The area, if it lies in one of the viewer's plants. Raises Http404."""
    found = Area.objects.select_related("plant").filter(code=code, plant_id__in=viewer.plant_ids).first()
    if found is None:
        raise Http404(gettext("There is no such board, or it belongs to a plant you are not a member of."))
    return found


def _frame(viewer: Viewer, area: Area, asked: Asked, now: datetime) -> Frame:
    """Raises BadInstant."""
    loops = loops_of(area.code)
    begins = begins_at(loops)
    at = checked(asked.text, area.plant.time_zone, now=now, begins=begins, language=viewer.language)
    if asked.step in ("next", "back"):
        back, ahead = neighbours(loops, at)
        found = ahead if asked.step == "next" else back
        at = min(found, now) if found is not None else at
    board = board_then(area.code, at, known_then=asked.known_then)
    return Frame(area, asked, at, board, viewer, words_of(viewer.language))


def board_page_then(request: HttpRequest, code: str) -> HttpResponseBase:
    """The board of an area at `?at=`, with its player. A step to the next event leads to that event's own address."""
    viewer, now = viewer_of(request), timezone.now()
    area, asked = area_of(viewer, code), Asked.of(request)
    try:
        frame = _frame(viewer, area, asked, now)
    except BadInstant as bad:
        here = reverse("board", args=[area.code])
        return no_such_instant(request, str(bad), area.name, here, area.plant.time_zone, now)
    if asked.step or asked.text == NOW:
        return redirect(frame.address)
    return render(request, "past/board.html", {"frame": frame, **_player(frame, now)})


@require_GET
@declared(READERS)
def frame_then(request: HttpRequest, area: str) -> HttpResponse:
    """One frame for the player, without `?at=` that of now; a sentence with 400 where there is none."""
    viewer, now = viewer_of(request), timezone.now()
    if not viewer.plant_ids:
        return HttpResponse(status=401)
    found, asked = area_of(viewer, area), Asked.of(request)
    if "at" not in request.GET:
        asked = replace(asked, text=NOW)
    try:
        frame = _frame(viewer, found, asked, now)
    except BadInstant as bad:
        response = HttpResponse(str(bad), status=400, content_type="text/plain; charset=utf-8")
    else:
        response = render(request, "past/part.html", {"frame": frame})
    response["Cache-Control"] = "private, no-cache"
    return response


def no_such_instant(
    request: HttpRequest,
    why: str,
    name: str,
    back_to_now: str,
    time_zone: str,
    now: datetime,
    *,
    to: str = "",
) -> HttpResponse:
    """400 with why an instant of `name` cannot be shown, and a field for another one, which leads `to` an address, else
    to the one that was asked."""
    field = for_a_field(now, time_zone)
    context = {"why": why, "name": name, "back_to_now": back_to_now, "field": field, "most": field, "to": to}
    return render(request, "past/bad.html", context, status=400)


def _player(frame: Frame, now: datetime) -> dict[str, object]:
    zone, language, at = frame.zone, frame.words.language, frame.at
    window = window_of(frame.asked.span, at, zone, shifts_before(frame.area.plant_id, zone, at))
    until = min(window.end, now)
    runouts = runout_marks(loops_of(frame.area.code), window.begin, until)
    calls = call_marks(frame.area.code, window.begin, until)
    asked = frame.asked
    return {
        "line": mark_safe(  # noqa: S308 (drawn of numbers and times)
            draw(window, at, now, runouts, calls, time_zone=zone, language=language)
        ),
        "window": window,
        "begin_ms": int(window.begin.timestamp() * 1000),
        "end_ms": int(window.end.timestamp() * 1000),
        "until_ms": int(until.timestamp() * 1000),
        "field": for_a_field(at, zone),
        "most": for_a_field(now, zone),
        "steps": [
            {"seconds": seconds, "query": asked.query(write_instant(at + timedelta(seconds=seconds), zone))}
            for seconds in STEPS
        ],
        "next": asked.query(frame.text, step="next"),
        "back": asked.query(frame.text, step="back"),
        "earlier": asked.query(write_instant(window.begin - timedelta(seconds=60), zone)),
        "later": asked.query(write_instant(window.end, zone)) if window.end < now else "",
        "spans": [(span, asked.query(frame.text, span=span), span == window.span) for span in SPANS],
        "marks": _marks(runouts, calls, frame),
        "most_marks": SHOWN_MARKS,
        "file": urlencode(
            {"from": write_instant(window.begin, zone), "until": write_instant(window.end, zone)}, safe=":"
        ),
        "words": {
            "play": gettext("Play"),
            "pause": gettext("Pause"),
            "lost": gettext("The server did not answer. The board stands at {}."),
        },
    }


def _marks(runouts: Sequence[RunoutMark], calls: Sequence[CallMark], frame: Frame) -> list[dict[str, object]]:
    """Runouts and calls in order of time, as links to the instant at which each began."""
    words, zone, language = frame.words, frame.zone, frame.words.language
    found = [
        (each.began_at, "out", each.part, words.causes.get(each.cause, ""), each.ended_at) for each in runouts
    ]
    found += [(each.began_at, "call", each.station, each.note, each.ended_at) for each in calls]
    return [
        {
            "kind": kind,
            "what": what,
            "why": why,
            "at": clock(began, zone, frame.at, language),
            "until": clock(ended, zone, frame.at, language) if ended else "",
            "query": frame.asked.query(write_instant(began, zone)),
        }
        for began, kind, what, why, ended in sorted(found, key=lambda mark: mark[0])
    ]


@require_GET
@readers
def history(request: HttpRequest) -> HttpResponseBase:
    """`/t?at=`: the boards at an instant. With one board it is that board; else they are named."""
    viewer, asked = viewer_of(request), Asked.of(request)
    areas = areas_of(viewer)
    if len(areas) == 1 and asked.text:
        return redirect(reverse("board", args=[areas[0].code]) + asked.query(asked.text))
    why = ""
    if asked.text and areas:
        try:
            read_instant(asked.text, areas[0].plant.time_zone)
        except BadInstant as bad:
            why = str(bad)
    context = {
        "areas": [(area, reverse("board", args=[area.code]) + asked.query(asked.text)) for area in areas],
        "typed": asked.text,
        "why": why,
        "chosen": bool(asked.text) and not why,
    }
    return render(request, "past/history.html", context, status=400 if why else 200)
