"""How fast one token may knock at a door: a bucket per token in each web process.

At the scan doors the bound is far above any shop floor: a device that loops must not take the line from the others.
One request is one drop, a batch of 500 scans too. The arithmetic is two multiplications and a dictionary; no lock and
no store.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings

MOST_TOKENS = 10_000
BURST_SECONDS = 5  # of the sustained rate fit at once


class Buckets:
    """`rate` drops a second flow into each bucket, `burst` fit. A rate of 0 bounds nothing.

    Two threads of one token may take the same drop: it is a bound against floods, not a meter.
    """

    def __init__(self, rate: float, burst: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.burst = burst
        self._clock = clock
        self._levels: dict[int, tuple[float, float]] = {}

    def allows(self, device_id: int | None) -> bool:
        """Takes a drop out of the device's bucket; False if there is none."""
        if device_id is None or not self.rate:
            return True
        now = self._clock()
        level, at = self._levels.get(device_id, (self.burst, now))
        level = min(self.burst, level + (now - at) * self.rate)
        if level < 1:
            return False
        if len(self._levels) >= MOST_TOKENS and device_id not in self._levels:
            self._levels.clear()
        self._levels[device_id] = (level - 1, now)
        return True


SCANS = Buckets(settings.SCANS_A_SECOND, settings.SCANS_A_SECOND * BURST_SECONDS)
