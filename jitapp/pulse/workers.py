"""The signs of life of Celery's processes: the worker hears its queue, the scheduler's clock ticks."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import time
from typing import Any

import redis
from celery.beat import PersistentScheduler
from celery.signals import beat_init, worker_ready, worker_shutdown
from celery.worker import state

from jitapp.pulse import deafness
from jitapp.pulse.beats import Pulse, Work, connection
from jitapp.pulse.deafness import Deafness

logger = logging.getLogger(__name__)

DEAF_EXIT_CODE = 70
TICK_PATIENCE_S = 8.0  # the scheduler ticks every five seconds at least (beat_max_loop_interval)
_ticks = Work(TICK_PATIENCE_S)
_pulses: list[Pulse] = []


class Ears:
    """Asks the broker how many messages wait, and the worker what it has begun; ends a worker that is deaf."""

    def __init__(self, queue: str, client: redis.Redis) -> None:
        self._queue = queue
        self._client = client
        self._deafness = Deafness()

    def hear(self) -> bool:
        """The proof for a beat of the worker."""
        waiting: int | None = None
        with contextlib.suppress(redis.RedisError, OSError):
            waiting = int(self._client.llen(self._queue))
        deaf_for = self._deafness.look(
            time.monotonic(),
            waiting=waiting,
            begun=state.all_total_count[0],
            at_work=bool(state.active_requests),
        )
        if deaf_for >= deafness.END_AFTER_S:
            logger.error(
                "The worker hears its queue no more: %s messages have waited for %.0f s. It ends and is to be started"
                " again; nothing is lost.",
                waiting,
                deaf_for,
            )
            os._exit(DEAF_EXIT_CODE)
        return deaf_for < deafness.SAY_AFTER_S


class CountingScheduler(PersistentScheduler):
    """Celery's scheduler, whose ticks are its signs of life."""

    def tick(self, *arguments: Any, **named: Any) -> float:
        """Sends what is due; returns the seconds until the next tick."""
        _ticks.done()
        seconds: float = super().tick(*arguments, **named)
        return seconds


@worker_ready.connect
def worker_begins(sender: Any, **_: Any) -> None:
    """The worker takes tasks from now on."""
    _begin(Pulse("worker", Ears(sender.app.conf.task_default_queue, connection()).hear))


@beat_init.connect
def scheduler_begins(**_: Any) -> None:
    """The scheduler's clock ticks from now on."""
    _begin(Pulse("scheduler", _ticks.fresh))
    atexit.register(process_ends)  # Celery does not tell that the scheduler ends


@worker_shutdown.connect
def process_ends(**_: Any) -> None:
    """An orderly end."""
    for pulse in _pulses:
        pulse.end()


def _begin(pulse: Pulse) -> None:
    _pulses.append(pulse)
    pulse.start()
