"""When a round is walked: the departures of a route, the round that is under way, and the next one. Pure.

A round begins at its departure and not before: whoever is early waits, so that every stop can count on the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from jitapp.kanban.worktime import WorkCalendar

DAY_MINUTES = 24 * 60
# How far a departure is looked for: longer than any plant is closed.
HORIZON_DAYS = 40


@dataclass(frozen=True, slots=True)
class Round:
    """The round of this moment. `departed_at` is None before the departure; `leaves_at` is the next departure, and
    `after` the one after it; None where the timetable has none."""

    departed_at: datetime | None
    ends_at: datetime | None
    leaves_at: datetime | None
    after: datetime | None

    @property
    def under_way(self) -> bool:
        """Whether somebody should be walking now."""
        return self.departed_at is not None


@dataclass(frozen=True, slots=True)
class Timetable:
    """Departures in the plant's time: every so many minutes from midnight on, or at the named times ("06:40"), as far
    as they lie in working time. A round takes `length` minutes; the next departure ends it in any case."""

    time_zone: str
    calendar: WorkCalendar | None
    every_minutes: int | None = None
    departures: Sequence[str] = ()
    length: int = 0

    def round_at(self, now: datetime) -> Round:
        """Which round it is at `now`."""
        last, ahead = self._last(now), self._from(now + timedelta(microseconds=1))
        leaves_at, after = next(ahead, None), next(ahead, None)
        ends_at = None
        if last is not None:
            ends_at = last + timedelta(minutes=max(self.length, 1))
            ends_at = min(ends_at, leaves_at) if leaves_at else ends_at
        if ends_at is None or now >= ends_at:
            return Round(None, None, leaves_at, after)
        return Round(last, ends_at, leaves_at, after)

    def today(self, now: datetime) -> list[datetime]:
        """The departures of the plant's day, in UTC."""
        return list(self._of_day(now.astimezone(ZoneInfo(self.time_zone)).date()))

    def _last(self, now: datetime) -> datetime | None:
        """The departure that is at most a day old; an older round is over."""
        day = now.astimezone(ZoneInfo(self.time_zone)).date()
        gone = [at for back in (1, 0) for at in self._of_day(day - timedelta(days=back)) if at <= now]
        return gone[-1] if gone else None

    def _from(self, start: datetime) -> Iterator[datetime]:
        day = start.astimezone(ZoneInfo(self.time_zone)).date()
        for ahead in range(HORIZON_DAYS):
            for at in self._of_day(day + timedelta(days=ahead)):
                if at >= start:
                    yield at

    def _of_day(self, day: date) -> Iterator[datetime]:
        zone = ZoneInfo(self.time_zone)
        seen: datetime | None = None
        for minute in self._minutes():
            clock = time(minute // 60, minute % 60)
            at = datetime.combine(day, clock, zone).astimezone(UTC)
            # An hour that the clocks skip would name the same instants twice.
            if (seen is None or at > seen) and (self.calendar is None or self.calendar.is_working(at)):
                seen = at
                yield at

    def _minutes(self) -> Sequence[int]:
        if self.departures:
            return sorted({_minute(text) for text in self.departures})
        return range(0, DAY_MINUTES, self.every_minutes) if self.every_minutes else ()


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return (int(hours) * 60 + int(minutes)) % DAY_MINUTES
