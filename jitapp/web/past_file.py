"""What happened in an area over a stretch of time as a CSV file, a line for each event of the ledger, in sentences."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET

from jitapp.plant.configs import zone
from jitapp.plant.models import Area, Loop
from jitapp.plant.spoken import spoken
from jitapp.plant.wordings import wordings
from jitapp.pull.reading.past_marks import loops_of
from jitapp.pull.reading.sheets import lines_between
from jitapp.web.happenings import Happening, told
from jitapp.web.past import area_of, no_such_instant
from jitapp.web.past_instants import BadInstant, read_instant
from jitapp.web.phrases import words_of
from jitapp.web.visit import READERS, declared, viewer_of

LONGEST = timedelta(days=31)
USUAL = timedelta(days=1)  # where the address says nothing
AT_ONCE = 1_000  # events that are read at a time
# A spreadsheet takes a cell that begins so for a formula; a blank before it keeps it a text.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@require_GET
@declared(READERS)
def events_file(request: HttpRequest, area: str) -> HttpResponse | StreamingHttpResponse:
    """`?from=&until=` by the plant's clock, at most 31 days, else the last 24 hours: one line for each event of the
    area's loops that occurred then, oldest first. 400 with a sentence for a stretch that cannot be told."""
    viewer, now = viewer_of(request), timezone.now()
    if not viewer.plant_ids:
        return HttpResponse(status=401)
    found = area_of(viewer, area)
    tz = found.plant.time_zone
    try:
        until = read_instant(request.GET["until"], tz) if "until" in request.GET else now
        begin = read_instant(request.GET["from"], tz) if "from" in request.GET else until - USUAL
    except BadInstant as bad:
        return _refused(request, found, str(bad), now)
    if not begin < until <= begin + LONGEST:
        text = gettext("Ask for a stretch of up to 31 days whose end lies after its beginning.")
        return _refused(request, found, text, now)
    language = viewer.language or get_language() or "en"
    first, last = (f"{each.astimezone(zone(tz)):%Y%m%dT%H%M}" for each in (begin, until))
    lines = _lines(found, begin, until, language)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = content_disposition_header(as_attachment=True, filename=f"{found.code}_{first}_{last}.csv")
    response["Content-Disposition"] = name
    response["Cache-Control"] = "private, no-store"
    return response


def _refused(request: HttpRequest, area: Area, why: str, now: datetime) -> HttpResponse:
    board = reverse("board", args=[area.code])
    return no_such_instant(request, why, area.name, board, area.plant.time_zone, now, to=board)


def _lines(area: Area, begin: datetime, until: datetime, language: str) -> Iterator[str]:
    """The file, a piece at a time; the mark in front tells spreadsheets that it is UTF-8."""
    tz, words_here = zone(area.plant.time_zone), wordings().of_area(area.code)
    words = words_of(language, words_here)
    with spoken(language, words_here):
        head = [
            gettext("When"),
            gettext("Recorded"),
            gettext("Part"),
            gettext("Loop"),
            gettext("Card"),
            gettext("Code"),
            gettext("What happened"),
            gettext("Why"),
            gettext("Station"),
            gettext("By"),
            gettext("Told late"),
            gettext("Event"),
        ]
    yield "\ufeff" + _row(head)
    names = {
        loop_id: (part, code)
        for loop_id, part, code in Loop.objects.filter(pk__in=loops_of(area.code)).values_list(
            "pk", "part__number", "code"
        )
    }
    for piece in lines_between(list(names), begin, until, at_once=AT_ONCE):
        with spoken(language, words_here):  # for a piece at a time: other requests run between two
            rows = [_row(_cells(each, *names[each.line.loop_id or 0], tz)) for each in told(piece, words)]
        yield "".join(rows)


def _cells(each: Happening, part: str, loop: str, tz: tzinfo) -> list[str]:
    line = each.line
    return [
        line.occurred_at.astimezone(tz).isoformat(timespec="seconds"),
        line.recorded_at.astimezone(tz).isoformat(timespec="seconds"),
        part,
        loop,
        str(line.card_number or ""),
        line.card,
        each.sentence,
        each.detail,
        line.station,
        line.by,
        gettext("late") if line.late else "",
        f"{loop}.{line.seq}",
    ]


def _row(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(f" {cell}" if cell.startswith(FORMULA) else cell for cell in cells)
    return out.getvalue()
