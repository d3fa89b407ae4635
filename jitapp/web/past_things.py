"""The page of a loop and of a card as they were at an instant; they show, and nothing on them acts."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe

from jitapp.plant.models import Loop
from jitapp.pull.reading.past import rows_then
from jitapp.pull.reading.past_marks import begins_at, runouts_then
from jitapp.pull.reading.sheets import CardSheet, history_of_card, history_of_loop
from jitapp.web.board import chip, task_lines
from jitapp.web.happenings import kind_word, told
from jitapp.web.past import Asked, no_such_instant, past_row
from jitapp.web.past_instants import BadInstant, checked, named, write_instant
from jitapp.web.phrases import clock, words_of
from jitapp.web.visit import Viewer


def loop_page_then(request: HttpRequest, loop: Loop, viewer: Viewer) -> HttpResponseBase:
    """All about one loop, as of `?at=`."""
    zone, now, asked = loop.plant.time_zone, timezone.now(), Asked.of(request)
    here, words = reverse("loop", args=[loop.pk]), words_of(viewer.language)
    try:
        at = _instant(asked, loop.pk, zone, now, viewer)
    except BadInstant as bad:
        return no_such_instant(request, str(bad), loop.part.number, here, zone, now)
    rows = rows_then([loop.pk], at, known_then=asked.known_then).rows
    row = rows[0] if rows else None
    runouts = [
        {
            "began": clock(each.began_at, zone, at, viewer.language),
            "ended": clock(each.ended_at, zone, at, viewer.language) if each.ended_at else "",
            "lasted": words.span(((each.ended_at or at) - each.began_at).total_seconds()),
            "cause": words.causes.get(each.cause, ""),
        }
        for each in runouts_then(loop.pk, at)
    ]
    context = {
        **_common(asked, at, here, zone, viewer),
        "loop": loop,
        "row": row,
        "chip": mark_safe(chip(row.state, words)) if row else "",  # noqa: S308 (made of our own words)
        "drawn": mark_safe(past_row(row, at, asked, zone, viewer.language)) if row else "",  # noqa: S308
        "tasks": list(task_lines(row.tasks, words)) if row else [],
        "kind": kind_word(loop.kind),
        "runouts": runouts,
        "happenings": told(history_of_loop(loop.pk, **_until(asked, at)), words),
        "board": _query_of_board(loop, asked, at, zone),
    }
    return render(request, "past/loop.html", context)


def card_page_then(request: HttpRequest, sheet: CardSheet, viewer: Viewer) -> HttpResponseBase:
    """What a card was at `?at=`."""
    zone, now, asked = sheet.time_zone, timezone.now(), Asked.of(request)
    here, words = reverse("card", args=[sheet.code]), words_of(viewer.language)
    try:
        at = _instant(asked, sheet.loop_id, zone, now, viewer)
    except BadInstant as bad:
        return no_such_instant(request, str(bad), sheet.code, here, zone, now)
    rows = rows_then([sheet.loop_id], at, known_then=asked.known_then).rows
    tile = next((tile for row in rows for tile in row.tiles if tile.code == sheet.code), None)
    context = {
        **_common(asked, at, here, zone, viewer),
        "sheet": sheet,
        "tile": tile,
        "word": words.tiles.get(tile.word, tile.word) if tile else "",
        "since": clock(tile.since, zone, at, viewer.language) if tile and tile.since else "",
        "due": clock(tile.due_at, zone, at, viewer.language) if tile and tile.due_at else "",
        "loop_address": reverse("loop", args=[sheet.loop_id]) + asked.query(write_instant(at, zone)),
        "happenings": told(history_of_card(sheet.code, **_until(asked, at)), words),
    }
    return render(request, "past/card.html", context)


def _instant(asked: Asked, loop_id: int, zone: str, now: datetime, viewer: Viewer) -> datetime:
    return checked(asked.text, zone, now=now, begins=begins_at([loop_id]), language=viewer.language)


def _until(asked: Asked, at: datetime) -> dict[str, datetime]:
    return {"recorded_at__lte" if asked.known_then else "occurred_at__lte": at}


def _common(asked: Asked, at: datetime, here: str, zone: str, viewer: Viewer) -> dict[str, object]:
    return {
        "named": named(at, zone, viewer.language),
        "known_then": asked.known_then,
        "back_to_now": here,
        "other": here + asked.query(write_instant(at, zone), knew="now" if asked.known_then else "then"),
        "tz": zone,
        "at": at,
    }


def _query_of_board(loop: Loop, asked: Asked, at: datetime, zone: str) -> str:
    area = loop.demand.area
    return reverse("board", args=[area.code]) + asked.query(write_instant(at, zone)) if area else ""
