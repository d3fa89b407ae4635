"""The wiring, whole, on one screen: which message sets off what, and which process does it.

A scan writes an outbox row in its transaction. `drain` handles rows; it is called by the Celery task (fast, nudged on
commit), by the relay process (always, twice a second) and by the tests. `sweep` is what the clock brings about.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from celery import shared_task
from django.db import close_old_connections
from django.utils import timezone

from jitapp.erp import calling, documents
from jitapp.live import push
from jitapp.live.panels import tell_stations
from jitapp.outages import store as outages
from jitapp.outbox import relay
from jitapp.pull import actions, store
from jitapp.tags import watching
from jitapp.web import board, calls

logger = logging.getLogger(__name__)

CALLING_SECONDS = 5.0  # no call to an ERP is begun after so long; the next round sees what came meanwhile
PUSH_EVERY_SECONDS = 0.1  # boards hear of changes at least so often while a backlog is drained


class Switchboard:
    """Handlers by topic, and the boards that wait to be told after the commit."""

    def __init__(self) -> None:
        self.changed: set[int] = set()
        self.calling: set[str] = set()

    def pull_changed(self, jobs: Sequence[relay.Job]) -> None:
        """A loop changed: consumption goes upstream, waits and links follow, documents are asked for."""
        for clock, of_clock in groupby(jobs, key=lambda job: store.clock_of(job.payload)):
            now = clock or timezone.now()
            messages = [(job.key, job.payload) for job in of_clock]
            with store.by_the_clock_of_a_log(clock is not None):
                self.changed |= actions.propagate(messages, now=now)
            documents.follow(messages, now=now)

    def calls_changed(self, jobs: Sequence[relay.Job]) -> None:
        """Somebody called for help, took a call or solved it, or it climbed: the area's number is drawn again."""
        self.calling |= {job.payload["area"] for job in jobs}

    def handle(self, jobs: Sequence[relay.Job]) -> None:
        """One claimed batch, inside its transaction."""
        by_topic: dict[str, list[relay.Job]] = {}
        for job in jobs:
            by_topic.setdefault(job.topic, []).append(job)
        for topic, of_topic in by_topic.items():
            self.handlers[topic](self, of_topic)

    handlers = {"pull.changed": pull_changed, actions.CALLS_TOPIC: calls_changed}


def drain(*, most: int = 10_000, until: float | None = None) -> int:
    """Handles waiting rows until none is due (or `most` are done, or the monotonic clock passes `until`)."""
    switchboard = Switchboard()
    handled = 0
    pushed_at = time.monotonic()
    while handled < most and (until is None or time.monotonic() < until):
        count = relay.drain_once(switchboard.handle, decode=store.decode)
        handled += count
        if not count:
            break
        if time.monotonic() - pushed_at >= PUSH_EVERY_SECONDS:
            tell_boards(switchboard.changed, switchboard.calling)
            switchboard.changed, switchboard.calling = set(), set()
            pushed_at = time.monotonic()
    tell_boards(switchboard.changed, switchboard.calling)
    return handled


def tell_boards(loop_ids: Iterable[int], calling: Iterable[str] = ()) -> None:
    """Draws changed rows, and the number of calls of areas, once, and hands them to the streams; a board that misses
    one heals by itself."""
    ids, areas = sorted(set(loop_ids)), sorted(set(calling))
    if not ids and not areas:
        return
    try:
        now = timezone.now()
        drawn = board.render_rows(ids, now=now) if ids else []
        push.rows_changed(drawn + (calls.render_numbers(areas, now=now) if areas else []))
    except Exception as error:  # a picture must never stop the pull
        if outages.told(error, cost="boards not told of a change") is None:
            logger.exception(
                "The boards could not be told of loops %s; they heal with their next reading.", ids
            )


def sweep() -> None:
    """Runouts, near-runouts, withheld signals, calls and presences of tags that only the clock moves; scans of devices
    that never came in; old outbox rows go."""
    tell_boards(actions.sweep(now=timezone.now()))
    actions.escalate_calls(now=timezone.now())
    documents.sweep(now=timezone.now())
    tell_stations(watching.sweep(now=timezone.now()))
    actions.follow_sequences(now=timezone.now())
    relay.prune()


@shared_task(name="jitapp.drain")
def drain_task(**_ignored: Any) -> None:
    """The fast way: nudged by a commit."""
    close_old_connections()
    with outages.outlived("drains left to the relay"):
        drain(until=time.monotonic() + 15)


def call_erp(*, hurried: bool = False) -> int:
    """Asks the ERPs for the documents that are due; returns how many calls were made."""
    return calling.call_due(now=timezone.now(), hurried=hurried, until=time.monotonic() + CALLING_SECONDS)


@shared_task(name=documents.CALL_TASK)
def call_task(**_ignored: Any) -> None:
    """The fast way to the ERP: nudged by the commit that asked for a document. Slow ERPs are the relay's."""
    close_old_connections()
    with outages.outlived("calls to ERPs left to the relay"):
        call_erp(hurried=True)


@shared_task(name="jitapp.sweep")
def sweep_task(**_ignored: Any) -> None:
    """Called by beat; the relay does the same without it."""
    close_old_connections()
    with outages.outlived("sweeps put off"):
        sweep()
