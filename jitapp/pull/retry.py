"""Again, whole: a transaction that lost a race for locks is run once more (SQLSTATE 40001, 40P01, 55P03)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg2.errors
from django.db import OperationalError, connection

T = TypeVar("T")
TRIES = 7  # a start passes six statements that may each lose a race
LOST_RACE = (
    psycopg2.errors.SerializationFailure,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.LockNotAvailable,
)


def retried(work: Callable[[], T]) -> T:
    """`work` opens its own transaction; inside another one there is nothing to repeat, so it runs once."""
    for attempt in range(TRIES):
        try:
            return work()
        except (*LOST_RACE, OperationalError) as error:
            lost = isinstance(error, LOST_RACE) or isinstance(error.__cause__, LOST_RACE)
            if not lost or attempt == TRIES - 1 or connection.in_atomic_block:
                raise
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  (jitter, no secret)
    raise AssertionError("unreachable")
