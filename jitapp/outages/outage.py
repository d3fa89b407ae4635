"""An outage in the log: one line when it begins, one when it is over, and between them a count.

A database that is away for a minute fails hundreds of requests, each for the same reason. A traceback for each of them
hides the one line that says what happened.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from threading import Lock

logger = logging.getLogger("jitapp.outages")

# It is over once something has succeeded and nothing has failed for so long: while a server comes back, or a disk is
# full, some attempts succeed and others fail.
QUIET_SECONDS = 2.0


class Outage:
    """One thing that may be lacking. `what` is the beginning of a sentence: "The database cannot be reached".

    Safe for threads; `clock` gives monotonic seconds.
    """

    def __init__(self, what: str, over: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.lasts = False
        self.what = what
        self.over = over
        self._clock = clock
        self._lock = Lock()
        self._began_at = 0.0
        self._failed_at = 0.0
        self._answered_at: float | None = None
        self._counts: Counter[str] = Counter()

    def failed(self, reason: str, cost: str) -> None:
        """Something failed because of it: `cost` says what, in the plural ("requests answered 503")."""
        with self._lock:
            now = self._clock()
            if not self.lasts:
                self.lasts = True
                self._began_at = now
                self._counts.clear()
                logger.warning("%s: %s. Said once; from here on it is counted.", self.what, reason)
            self._counts[cost] += 1
            self._failed_at = now
            self._answered_at = None

    def answered(self) -> None:
        """Something succeeded; costs nothing while there is no outage."""
        if self.lasts:
            self._end()

    def _end(self) -> None:
        with self._lock:
            now = self._clock()
            if not self.lasts:
                return  # another thread was faster
            if self._answered_at is None:
                self._answered_at = now
            if now - self._failed_at < QUIET_SECONDS:
                return
            self.lasts = False
            counted = ", ".join(f"{cost}: {number}" for cost, number in sorted(self._counts.items()))
            logger.warning("%s after %.0f s; %s.", self.over, self._answered_at - self._began_at, counted)
