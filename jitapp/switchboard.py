"""The wiring, whole, on one screen: which message sets off what, and which process does it.

A scan writes an outbox row in its transaction. `drain` handles rows; it is called by the Celery task (fast, nudged on
commit), by the relay process (always, twice a second) and by the tests. `sweep` is what the clock brings about.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
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
from jitapp.plant import shown
from jitapp.plant.wordings import wordings
from jitapp.pull import actions, store
from jitapp.pull.reading import window
from jitapp.pull.reading.board import board_rows
from jitapp.pull.reading.board_row import BoardRow
from jitapp.tags import watching
from jitapp.web import board, calls, state_sheets

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

    def demonstration_ended(self, jobs: Sequence[relay.Job]) -> None:
        """A while after the plant of a demonstration was removed: what had been let in for it meanwhile goes too."""
        for job in jobs:
            shown.end(int(job.payload["plant"]), by="")

    def handle(self, jobs: Sequence[relay.Job]) -> None:
        """One claimed batch, inside its transaction."""
        by_topic: dict[str, list[relay.Job]] = {}
        for job in jobs:
            by_topic.setdefault(job.topic, []).append(job)
        for topic, of_topic in by_topic.items():
            self.handlers[topic](self, of_topic)

    handlers = {
        "pull.changed": pull_changed,
        actions.CALLS_TOPIC: calls_changed,
        shown.TOPIC: demonstration_ended,
    }


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
        rows = board_rows(ids, now=now)
        _show(rows, _remember(rows, now), areas, now)
    except Exception as error:  # a picture must never stop the pull
        if outages.told(error, cost="boards not told of a change") is None:
            logger.exception(
                "The boards could not be told of loops %s; they heal with their next reading.", ids
            )


def _show(
    rows: Sequence[BoardRow],
    counts: Mapping[str, Mapping[str, int]],
    calling: Sequence[str],
    now: datetime,
) -> None:
    """Rows, the numbers of wide areas and those of areas with calls, drawn once and handed to the streams."""
    wordings()  # what is drawn speaks with the words of its area as they are now
    numbers = calls.render_numbers(calling, now=now) if calling else []
    push.rows_changed(board.render_rows(rows, now) + numbers)
    push.messages_sent(board.render_counts(counts, now))


def _remember(rows: Sequence[BoardRow], now: datetime) -> dict[str, dict[str, int]]:
    """Keeps how the loops of wide areas stand; the numbers of those areas that are now known."""
    areas = window.wide_areas() & {row.area for row in rows} if rows else frozenset()
    if not areas:
        return {}
    actions.keep_lines([row for row in rows if row.area in areas], now=now)
    return window.counts_of(sorted(areas))


def look_again() -> None:
    """Measures loops of wide areas that time alone may have changed, or of which nobody was told, and tells the boards
    of those that stand otherwise now."""
    now = timezone.now()
    areas = window.wide_areas()
    if not areas:
        return
    known = window.due_lines(areas, now=now)
    rows = board_rows(list(known), now=now)
    actions.keep_lines(rows, now=now)
    changed = [row for row in rows if known[row.loop_id] != (row.state, row.late)]
    if changed:
        _show(changed, window.counts_of(sorted({row.area for row in changed})), (), now)


def sweep() -> None:
    """Runouts, near-runouts, withheld signals, calls and presences of tags that only the clock moves; scans of devices
    that never came in; snapshots of the ledger; old outbox rows go."""
    tell_boards(actions.sweep(now=timezone.now()))
    look_again()
    actions.escalate_calls(now=timezone.now())
    documents.sweep(now=timezone.now())
    tell_stations(watching.sweep(now=timezone.now()))
    actions.follow_sequences(now=timezone.now())
    actions.keep_snapshots()
    relay.prune()


def keep_papers() -> int:
    """State sheets of this hour, where they are not made yet, and those that are to be handed out; returns how many
    were made. Beside the sweep, because a large area's sheet takes seconds and signals must go on meanwhile."""
    return state_sheets.hourly(now=timezone.now())


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
