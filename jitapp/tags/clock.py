"""How far a reader's clock is off ours, from when its reads come in. Pure.

A read cannot come in before it was made, and some come at once: the smallest delay of the last minutes is the offset
of the clock. So a clock that was set wrong (the same delay for every read) is corrected, and a backlog kept during
an outage does not move it: of a backlog the delays become smaller from body to body, and a span in which they do says
nothing of the clock. A reader that says when it sent (`sent_at`) is believed. Delays below SLACK are the network's.
"""

from __future__ import annotations

import msgspec

SLACK_S = 2.0
SPAN_S = 60.0  # the present span and the last one that says something are remembered


class Clock(msgspec.Struct):
    """What is remembered of a reader's clock; all in seconds. `began` is when the present span began, by our clock."""

    began: float = 0.0
    least: float | None = None  # smallest delay in the present span
    before: float | None = None  # in the last one that was no backlog
    first: float | None = None  # delay of the first body of the present span

    @property
    def offset(self) -> float:
        """What must be added to the reader's instants; 0 while it is within the network's delay."""
        known = [each for each in (self.least, self.before) if each is not None]
        found = min(known, default=0.0)
        return found if abs(found) > SLACK_S else 0.0

    def told(self, delay: float, now: float) -> None:
        """One more body: `delay` is our clock at its arrival minus the instant of its newest read or its sending."""
        if self.least is None:
            self._begin(delay, now)
        elif now - self.began >= SPAN_S:
            if self.before is None or self.first is None or self.first - self.least <= SLACK_S:
                self.before = self.least
            self._begin(delay, now)
        else:
            self.least = min(self.least, delay)

    def _begin(self, delay: float, now: float) -> None:
        self.began, self.least, self.first = now, delay, delay
