"""Pages of one thing: a loop, a card, and what a station makes next. They show; only scans change."""

from __future__ import annotations

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from jitapp.accounts.models import new_uuid
from jitapp.erp.queries import request_of
from jitapp.plant.models import Loop, Station
from jitapp.plant.work import checks_of
from jitapp.pull.reading.attempts import attempts_at
from jitapp.pull.reading.board import board_rows
from jitapp.pull.reading.sheets import (
    Job,
    card_sheet,
    history_of_card,
    history_of_loop,
    jobs_of,
    runouts_of,
    stale_labels_of,
)
from jitapp.symbology.cardcode import meant_code
from jitapp.web.board import chip, task_lines
from jitapp.web.documents import ORDER_WORDS, PROBLEM_WORDS
from jitapp.web.phrases import Words, promise, words_of
from jitapp.web.scan import chosen_station
from jitapp.web.visit import ANYBODY, declared, readers, viewer_of


@require_GET
@readers
def loop_page(request: HttpRequest, loop_id: int) -> HttpResponseBase:
    """All about one loop."""
    viewer, now = viewer_of(request), timezone.now()
    loop = (
        Loop.objects.select_related("part", "plant", "demand__area", "supply__supplier")
        .filter(pk=loop_id, plant_id__in=viewer.plant_ids)
        .first()
    )
    if loop is None:
        raise Http404(gettext("There is no such loop, or it belongs to a plant you are not a member of."))
    rows = board_rows([loop_id], now=now)
    words = words_of(viewer.language)
    context = {
        "loop": loop,
        "row": rows[0] if rows else None,
        "chip": mark_safe(chip(rows[0].state, words)) if rows else "",  # noqa: S308 (made of our own words)
        "tasks": list(task_lines(rows[0].tasks, words)) if rows else [],
        "words": words,
        "happenings": history_of_loop(loop_id),
        "runouts": runouts_of(loop_id),
        "labels": stale_labels_of(loop_id),
        "now": now,
    }
    return render(request, "loop.html", context)


@require_GET
@declared(ANYBODY)
def card_page(request: HttpRequest, code: str) -> HttpResponseBase:
    """What the QR code on a card leads to. It shows the card and never moves it.

    A stranger's phone sees that this is a kanban card and where it belongs, nothing else.
    """
    viewer, now = viewer_of(request), timezone.now()
    found = meant_code(code)
    sheet = card_sheet(found) if found else None
    if sheet is None:
        context = {"code": code[:40], "readable": found is not None}
        return render(request, "card_unknown.html", context, status=404)
    member = sheet.plant_id in viewer.plant_ids
    words = words_of(viewer.language)
    order = request_of(sheet.turn, plant_ids=viewer.plant_ids) if member and sheet.turn else None
    context = {
        "sheet": sheet,
        "order": order,
        "order_state": gettext(ORDER_WORDS[order.state]) if order else "",
        "order_problem": gettext(PROBLEM_WORDS.get(order.problem, "")) if order and order.problem else "",
        "member": member,
        "words": words,
        "word": words.tiles.get(sheet.word, sheet.word),
        "does": words.does.get(sheet.phase, ""),
        "owner": words.parties.get(sheet.owner, sheet.owner),
        "why": words.whys.get(sheet.phase, ""),
        "task": words.demand_cancelled(sheet.number, sheet.turn_number, sheet.gone) if sheet.gone else "",
        "promised": promise(sheet.promised_at, sheet.promise_late, sheet.time_zone, now, words)
        if sheet.promised_at
        else "",
        "happenings": history_of_card(sheet.code) if member else [],
        "now": now,
    }
    return render(request, "card.html", context)


@require_GET
@readers
def supply_page(request: HttpRequest, station: str) -> HttpResponseBase:
    """What a station has been asked to make, in the order in which it should."""
    viewer, now = viewer_of(request), timezone.now()
    found = (
        Station.objects.select_related("plant", "area")
        .filter(code=station, plant_id__in=viewer.plant_ids)
        .first()
    )
    if found is None:
        raise Http404(gettext("There is no such station, or it belongs to a plant you are not a member of."))
    jobs, words = jobs_of(found.pk, now=now), words_of(viewer.language)
    here = chosen_station(request, viewer) if request.user.is_authenticated else None
    context = {
        "station": found,
        "checks": checks_of(found),
        "jobs": [(job, str(new_uuid()), *_beside(job, found, now, words)) for job in jobs],
        "started": sum(1 for job in jobs if job.step),
        "attempts": attempts_at(found.pk, now=now),
        "may_scan": here is not None and here.pk == found.pk,
        "words": words,
        "now": now,
    }
    return render(request, "supply.html", context)


def _beside(job: Job, station: Station, now: datetime, words: Words) -> tuple[str, str]:
    """(when its supplier promised it, what has to be decided about it), each empty where there is nothing to say."""
    promised = job.promised_at and promise(
        job.promised_at, job.promise_late, station.plant.time_zone, now, words
    )
    task = words.demand_cancelled(job.card_number, job.turn_number, job.gone) if job.gone else ""
    return promised or "", task
