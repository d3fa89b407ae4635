"""For how long a process has shown no sign of life, as seen by one who was awake meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

SAY_AFTER_S = 8.0  # with beats and looks every two seconds, silence is said within fifteen


class Observer:
    """Adds up silence over its own looks.

    A look counts for `most` seconds, however long ago the last one was: when the machine slept, when all was starved of
    CPU time or when the beats could not be read, the observer was away too, and nobody is blamed for that.
    """

    def __init__(self, most: float = 4.0) -> None:
        self._most = most
        self._looked_at: float | None = None
        self._counts: dict[str, int] = {}
        self._silent: dict[str, float] = {}

    def look(self, counts: Mapping[str, int], now: float) -> None:
        """What each name has counted so far, at the monotonic second `now`. Names that are not there are forgotten."""
        passed = 0.0 if self._looked_at is None else min(max(0.0, now - self._looked_at), self._most)
        self._looked_at = now
        self._silent = {
            name: self._silent[name] + passed if self._counts.get(name) == count else 0.0
            for name, count in counts.items()
        }
        self._counts = dict(counts)

    def away(self) -> None:
        """The beats could not be read: the time until the next look counts for nobody."""
        self._looked_at = None

    def silent(self) -> dict[str, float]:
        """Seconds of silence by name; 0 for whoever has just given a sign."""
        return dict(self._silent)
