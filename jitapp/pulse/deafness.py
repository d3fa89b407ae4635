"""Whether a worker still hears its queue: messages wait, and it begins none.

A worker whose broker went away again and again may hold a connection on which nothing comes any more, and look well
(celery 8030 and its kin). The rows of the outbox are safe, and the relay handles them; but the worker must not stay so.
"""

from __future__ import annotations

from jitapp.pulse.silence import Observer

SAY_AFTER_S = 4.0  # no beat is given from then on
END_AFTER_S = 30.0  # the process ends, and is started again


class Deafness:
    """What a worker's own looks at its queue add up to; a look counts for `most` seconds (silence.Observer)."""

    def __init__(self, most: float = 4.0) -> None:
        self._silence = Observer(most)

    def look(self, now: float, *, waiting: int | None, begun: int, at_work: bool) -> float:
        """For how many seconds messages have waited in vain. `waiting` is None while the broker cannot be asked,
        `begun` counts the tasks begun so far, `at_work` says whether one is at hand."""
        self._silence.look({"queue": begun} if waiting and not at_work else {}, now)
        return self._silence.silent().get("queue", 0.0)
