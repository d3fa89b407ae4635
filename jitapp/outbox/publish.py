"""Telling the workers that a row waits: best effort, after the commit, never in the way of an answer.

A thread of the process does the telling, so that no scan waits for Redis; nudges that come while one is on its way
are one nudge. A broker that fails is left alone for some seconds: the relay finds the rows without it.
"""

from __future__ import annotations

import threading
import time

from django.db import transaction

from jitapp.celery import app
from jitapp.outages.outage import Outage

DRAIN_TASK = "jitapp.drain"
PAUSE_SECONDS = 0.02  # a burst of commits makes one nudge a pause; a drain finds everything there is
BREAKER_FAILURES = 3
BREAKER_SECONDS = 10.0


class Nudger:
    """One thread per process that publishes a task when asked."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._wanted = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._failures = 0
        self._open_until = 0.0
        self._outage = Outage(
            "The broker takes no nudges; the relay goes on without them", "The broker takes nudges again"
        )

    def nudge(self) -> None:
        """Asks for the task to run soon; returns at once."""
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="nudger", daemon=True)
                    self._thread.start()
        if not self._wanted.is_set():
            self._wanted.set()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            self._publish()
            time.sleep(PAUSE_SECONDS)

    def _publish(self) -> None:
        if time.monotonic() < self._open_until:
            return
        try:
            app.send_task(self._task, expires=30, retry=False)
            self._failures = 0
            self._outage.answered()
        except Exception as error:  # whatever the broker does, the rows are safe
            self._failures += 1
            if self._failures >= BREAKER_FAILURES:
                self._open_until = time.monotonic() + BREAKER_SECONDS
            self._outage.failed(str(error), "nudges lost")


_nudger = Nudger(DRAIN_TASK)
_nudgers = {DRAIN_TASK: _nudger}


def nudge() -> None:
    """Nudges the workers now; raises nothing that a caller must know of."""
    _nudger.nudge()


def nudge_on_commit(task: str = DRAIN_TASK) -> None:
    """Nudges the workers once the surrounding transaction is committed; each task has its own nudges."""
    nudger = _nudgers.get(task) or _nudgers.setdefault(task, Nudger(task))
    transaction.on_commit(nudger.nudge, robust=True)
