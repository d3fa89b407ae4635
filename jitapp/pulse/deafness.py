"""Whether a worker still hears its queue: messages wait, and it begins none.

A worker whose broker went away again and again may hold a connection on which nothing comes any more, and look well
(celery 8030 and its kin). The rows of the outbox are safe, and the relay handles them; but the worker must not stay so.
"""

from __future__ import annotations

SAY_AFTER_S = 4.0  # no beat is given from then on
END_AFTER_S = 30.0  # the process ends, and is started again


class Deafness:
    """What a worker's own looks at its queue add up to."""

    def __init__(self, most: float = 4.0) -> None:
        self._most = most  # seconds that one look counts for: the machine may have slept
        self._looked_at: float | None = None
        self._begun = -1
        self._for = 0.0

    def look(self, now: float, *, waiting: int | None, begun: int, at_work: bool) -> float:
        """For how many seconds messages have waited in vain. `waiting` is None while the broker cannot be asked,
        `begun` counts the tasks begun so far, `at_work` says whether one is at hand."""
        passed = 0.0 if self._looked_at is None else min(max(0.0, now - self._looked_at), self._most)
        self._looked_at = now
        heard = not waiting or at_work or begun != self._begun
        self._begun = begun
        self._for = 0.0 if heard else self._for + passed
        return self._for
