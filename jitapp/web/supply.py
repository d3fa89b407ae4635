"""What a station makes next: its queue as a board, live, with the next card very large. It shows; only scans change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from jitapp.accounts.models import new_uuid
from jitapp.kanban.vocabulary import Accumulate
from jitapp.plant.models import Station
from jitapp.plant.work import checks_of, standard_work_of
from jitapp.pull.reading.attempts import attempts_at
from jitapp.pull.reading.queue import Gathering, Placed, Queue, queue_of
from jitapp.pull.reading.standstill import watch
from jitapp.web import stands
from jitapp.web.board import chip, tick
from jitapp.web.phrases import Words, clock, plain, promise, words_of
from jitapp.web.scan import chosen_station
from jitapp.web.truth import truth_words
from jitapp.web.visit import READERS, Viewer, declared, readers, viewer_of

UNCHANGED_S = 60  # what is late by the clock alone is told once a minute


@dataclass(frozen=True, slots=True)
class Shown:
    """A job in the words of the page. `fresh_id` is the id of the scan that its button makes."""

    placed: Placed
    fresh_id: str
    chip: str  # how its consumer stands
    dry: str  # how long the consumer's stock lasts, ticking
    promised: str
    task: str
    work: str  # address of the standard work
    sets_up: str


@require_GET
@readers
def supply_page(request: HttpRequest, station: str) -> HttpResponseBase:
    """What a station has been asked to make, in the order in which it is needed."""
    viewer, now = viewer_of(request), timezone.now()
    found = _station(viewer, station)
    queue = queue_of(found, now=now)
    context = _shown(request, viewer, found, queue, now) | {
        "now_ms": int(now.timestamp() * 1000),
        "clock": clock(now, found.plant.time_zone, now),
        "script_words": truth_words(words_of(viewer.language)),
    }
    return render(request, "supply.html", context)


@require_GET
@declared(READERS)
def supply_now(request: HttpRequest, station: str) -> HttpResponseBase:
    """The list alone, for a page that is open; 304 while nothing of it has changed."""
    viewer, now = viewer_of(request), timezone.now()
    if not viewer.plant_ids:
        return HttpResponse(status=401)
    found = _station(viewer, station)
    queue = queue_of(found, now=now)
    tag = _tag(request, viewer, found, queue, now)
    response: HttpResponse
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(
            render_to_string("supply/now.html", _shown(request, viewer, found, queue, now), request)
        )
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    response["X-Stands"] = stands.header(watch.latest())
    response["X-Now"] = str(int(now.timestamp() * 1000))
    return response


def _station(viewer: Viewer, code: str) -> Station:
    found = (
        Station.objects.select_related("plant", "area")
        .filter(code=code, plant_id__in=viewer.plant_ids)
        .first()
    )
    if found is None:
        raise Http404(gettext("There is no such station, or it belongs to a plant you are not a member of."))
    return found


def _tag(request: HttpRequest, viewer: Viewer, station: Station, queue: Queue, now: datetime) -> str:
    """The same as long as the page would look the same but for its ticking times."""
    jobs = [
        (
            placed.job,
            placed.group,
            placed.sets_up,
            placed.asks_reason,
            placed.consumer and (placed.consumer.version, placed.consumer.state),
        )
        for placed in queue.jobs
    ]
    rest = (queue.gathering, queue.missing, queue.in_work, queue.halt, queue.halt_since, station.version)
    setup = (queue.changeovers.newest, queue.changeovers.running, queue.next_dry and queue.next_dry.loop_id)
    here = chosen_station(request, viewer) if request.user.is_authenticated else None
    whole = (jobs, rest, setup, viewer.language, here and here.pk, int(now.timestamp() // UNCHANGED_S))
    return f'"{hashlib.sha256(repr(whole).encode()).hexdigest()[:24]}"'


def _shown(
    request: HttpRequest, viewer: Viewer, station: Station, queue: Queue, now: datetime
) -> dict[str, object]:
    """What the list needs."""
    words = words_of(viewer.language)
    here = chosen_station(request, viewer) if request.user.is_authenticated else None
    work = standard_work_of(station.pk, {placed.job.part for placed in queue.jobs})
    jobs = [_job(placed, queue, station, work, words, now) for placed in queue.jobs]
    limit = station.wip_limit
    return {
        "station": station,
        "queue": queue,
        "begun": [job for job in jobs if job.placed.job.step],
        "waiting": [job for job in jobs if not job.placed.job.step],
        "checks": checks_of(station),
        "over": max(queue.in_work - limit, 0) if limit else 0,
        "is_full": limit is not None and queue.in_work >= limit,
        "halt": words.whys.get(queue.halt, ""),
        "gathering": [(each, _gathered(each, station, now, words)) for each in queue.gathering],
        "changing": _next_set_up(queue, words),
        "expected": _expected(queue, station, now, words),
        "attempts": attempts_at(station.pk, now=now),
        "may_scan": here is not None and here.pk == station.pk,
        "words": words,
        "now": now,
    }


def _job(
    placed: Placed, queue: Queue, station: Station, work: dict[str, str], words: Words, now: datetime
) -> Shown:
    job, row = placed.job, placed.consumer
    dry = ""
    if row is not None and row.runout_since is not None:
        dry = gettext("Dry for {}").format(tick("since", row.runout_since, now, words))
    elif row is not None and row.runs_out_at is not None and placed.is_first:
        dry = gettext("Runs dry in {}").format(tick("out", row.runs_out_at, now, words))
    promised = (
        promise(job.promised_at, job.promise_late, station.plant.time_zone, now, words)
        if job.promised_at
        else ""
    )
    return Shown(
        placed=placed,
        fresh_id=str(new_uuid()),
        chip=mark_safe(chip(row.state, words)) if row is not None else "",  # noqa: S308 (made of our own words)
        dry=mark_safe(dry),  # noqa: S308 (our own words around a number)
        promised=promised,
        task=words.demand_cancelled(job.card_number, job.turn_number, job.gone) if job.gone else "",
        work=work.get(job.part, ""),
        sets_up=_set_up(placed.group, queue, words) if placed.sets_up else "",
    )


def _set_up(group: str, queue: Queue, words: Words) -> str:
    """That the station has to be changed over, and how long that usually takes."""
    usual = next((each.median for each in queue.changeovers.families if each.family == group), None)
    if usual is None:
        return gettext("change over to {} first").format(group)
    return gettext("change over to {group} first, usually {time}").format(
        group=group, time=words.span(usual * 60)
    )


def _next_set_up(queue: Queue, words: Words) -> str:
    """When the next changeover comes, in one sentence; empty where none is in sight."""
    ahead = [placed for placed in queue.jobs if not placed.job.step]
    for place, placed in enumerate(ahead):
        if placed.sets_up:
            if place == 0:
                return gettext("Before the next card: {}").format(_set_up(placed.group, queue, words))
            return gettext("After {count} more: {what}").format(
                count=place, what=_set_up(placed.group, queue, words)
            )
    return ""


def _gathered(batch: Gathering, station: Station, now: datetime, words: Words) -> str:
    """How much of a batch is there, and since when it waits."""
    since = words["since"].format(clock(batch.since, station.plant.time_zone, now, words.language))
    if batch.by == Accumulate.QUANTITY and batch.want is not None:
        said = gettext("{have} of {want} pieces").format(have=plain(batch.have), want=plain(batch.want))
    elif batch.by == Accumulate.CARDS and batch.want is not None:
        said = gettext("{have} of {want} cards").format(have=plain(batch.have), want=plain(batch.want))
    else:
        said = gettext("{} cards").format(plain(batch.have or Decimal(0)))
        if batch.times:
            said = f"{said}, {gettext('released at {}').format(', '.join(batch.times))}"
    return f"{said}, {since}"


def _expected(queue: Queue, station: Station, now: datetime, words: Words) -> str:
    """What will be asked for next by the measured use; empty while none is known."""
    row = queue.next_dry
    if row is None or row.runs_out_at is None:
        return ""
    at = clock(row.runs_out_at, station.plant.time_zone, now, words.language)
    return gettext("Next: {part} is used up about {time}.").format(part=row.part, time=at)
