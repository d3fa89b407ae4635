"""Health for programs and for people: alive, ready, figures, status."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from jitapp.erp import queries
from jitapp.kanban.vocabulary import Outcome
from jitapp.live.push import redis_answers
from jitapp.live.ticket import channel_of, make_ticket
from jitapp.outages import store
from jitapp.pull.reading.attempts import attempts_everywhere
from jitapp.pull.reading.devices import scans_on_devices
from jitapp.pull.reading.sheets import measures
from jitapp.pull.reading.standstill import watch
from jitapp.web import paper_words, stands, status_report
from jitapp.web.headers import live_base
from jitapp.web.phrases import words_of
from jitapp.web.shell import version
from jitapp.web.visit import ANYBODY, areas_of, declared, readers, viewer_of

_known: set[str] = set()  # "migrated" once seen: migrations are never reverted under a running server


@require_safe
@declared(ANYBODY)
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return HttpResponse("alive\n", content_type="text/plain")


@require_safe
@never_cache
@declared(ANYBODY)
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether scans can be taken, what is lacking, and which processes give no sign of life. Without Redis they can:
    signals only go a little slower."""
    seen = watch.latest()
    lacks = _lacks(request.path) or stands.lacking(seen)
    frozen = stands.frozen(seen)
    degraded = ([] if redis_answers() else ["redis"]) + stands.degraded(seen)
    status = "lacking" if lacks or frozen else "degraded" if degraded else "ready"
    return JsonResponse(
        {"status": status, "lacks": lacks, "frozen": frozen, "degraded": degraded},
        status=503 if lacks or frozen else 200,
    )


@require_safe
@never_cache
@declared(ANYBODY)
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures in Prometheus's text form; no names of people or things. 200 also while the database is away: a scrape
    that fails would tell less than `jitapp_store_up 0` does."""
    registry = CollectorRegistry()

    def gauge(name: str, text: str, value: float) -> None:
        Gauge(f"jitapp_{name}", text, registry=registry).set(value)

    stands.gauges(registry, gauge, watch.latest())
    gauge("redis_up", "Whether Redis answers.", float(redis_answers()))
    try:
        _figures_of_the_store(registry, gauge)
        up = True
    except store.ERRORS as error:
        if store.told(error, at=request.path) is None:
            raise
        up = False
    gauge("store_up", "Whether the database answers; without it only what needs none is told.", float(up))
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")


def _figures_of_the_store(registry: CollectorRegistry, gauge: Callable[[str, str, float], None]) -> None:
    """Asks everything before it says anything, so that a scrape has all of these figures or none."""
    found = measures(now=timezone.now())
    attempts = attempts_everywhere(now=timezone.now())
    documents = queries.measures(now=timezone.now())
    gauge("outbox_backlog", "Outbox messages that are due and not done.", found["outbox_backlog"])
    gauge(
        "outbox_oldest_seconds", "How long the oldest of them has been due.", found["outbox_oldest_seconds"]
    )
    gauge("outbox_dead", "Outbox messages given up.", found["outbox_dead"])
    gauge("runouts_open", "Loops without a usable container.", found["runouts_open"])
    gauge("turns_open", "Cards on their way from empty to full.", found["turns_open"])
    gauge(
        "overproduction_attempts",
        "Attempts of the last day to make what nobody had asked for.",
        attempts,
    )
    gauge("documents_pending", "Documents that the ERP has not given yet.", documents.pending)
    gauge("documents_oldest_seconds", "How long the oldest of them is waited for.", documents.oldest_seconds)
    gauge("documents_withdrawing", "Documents to be taken back.", documents.withdrawing)
    gauge("documents_failing", "Documents asked for in vain, and asked for again.", documents.failing)
    gauge("documents_failed", "Documents that the ERP refused for good.", documents.failed)
    gauge("erps_down", "ERPs that do not answer.", documents.erps_down)
    scans = Gauge(
        "jitapp_scans_last_five_minutes", "Scans of the last five minutes.", ["outcome"], registry=registry
    )
    for outcome in Outcome:
        scans.labels(outcome=outcome.value).set(found["scans_by_outcome"].get(outcome.value, 0))


@require_safe
@never_cache
@readers
def status(request: HttpRequest) -> HttpResponseBase:
    """The same for people: is it the server, or the network? With `?plain` as text."""
    viewer, now = viewer_of(request), timezone.now()
    begun = time.perf_counter()
    lacks = _lacks(request.path)
    seen = watch.latest()
    database_ms = (time.perf_counter() - begun) * 1000
    told = list(
        status_report.lines(
            lacks=lacks or stands.lacking(seen),
            database_ms=database_ms,
            redis_up=redis_answers(),
            seen=seen,
            found={} if lacks else measures(now=now),
            documents=None if lacks else queries.measures(now=now),
            papers=[] if lacks else paper_words.faults(viewer.plant_ids),
            on_devices=0 if lacks else scans_on_devices(viewer.plant_ids),
            words=words_of(viewer.language),
            now=now,
        )
    )
    plain = status_report.as_text(told, version=version(), now=now)
    if "plain" in request.GET:
        return HttpResponse(plain, content_type="text/plain; charset=utf-8")
    areas = [] if lacks else areas_of(viewer)
    channel = channel_of(areas[0].code, viewer.language) if areas else ""
    context = {
        "lines": told,
        "plain": plain,
        "version": version(),
        "now": now,
        "now_ms": int(now.timestamp() * 1000),
        "live": live_base(request) + "/live/board",
        "channel": channel,
        "ticket": make_ticket(channel, request.session.session_key) if channel else "",
        "words": status_report.script_words(),
    }
    return render(request, "status.html", context)


def _lacks(at: str) -> list[str]:
    """Why the database is of no use now; `at` is the page that asks."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if "migrated" not in _known:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return ["migrations"]
            _known.add("migrated")
    except store.ERRORS as error:
        store.told(error, at=at)
        connection.close()
        return ["database"]
    return []
