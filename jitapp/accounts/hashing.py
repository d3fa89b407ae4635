"""Hashing of passwords and PINs: what one costs, and how many at once.

Checking a password takes time on purpose. Whoever guesses must not take the threads that scans are served with, so
one is checked at a time in each process, and the next one waits a moment at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.contrib.auth.hashers import Argon2PasswordHasher

_slot = BoundedSemaphore(1)


class Busy(Exception):
    """Somebody else's password is being checked in this process; nothing was checked."""


class OneThreadArgon2(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes and one thread, as OWASP recommends: about 25 ms of one core.

    Django's own takes 100 MiB and eight threads a check, all the cores of a small server.
    """

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1


@contextmanager
def one_at_a_time(patience_s: float) -> Iterator[None]:
    """The right to hash. Raises Busy if nobody gives it back within `patience_s` seconds."""
    if not _slot.acquire(timeout=patience_s):
        raise Busy
    try:
        yield
    finally:
        _slot.release()
