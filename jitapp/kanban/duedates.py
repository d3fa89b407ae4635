"""When a refill is due: promised working time, on a day the supplier delivers, at an hour the plant receives."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from jitapp.kanban.state import LoopConfig

# Delivery days and receiving hours that have not met after so many turns of the page never will.
_MOST_STEPS = 500


def due_at(config: LoopConfig, at: datetime) -> datetime:
    """`at` plus the lead time in working minutes of the supply side, then the first instant from there on that lies on
    a delivery day of the supplier and in the receiving hours of the plant; aware, in UTC.

    Where the two never meet the delivery day counts alone.
    """
    ready = config.calendar.add_working_minutes(at, config.lead_time_minutes)
    delivered = _delivered(config, ready)
    if config.receiving is None:
        return delivered
    found = delivered
    for _ in range(_MOST_STEPS):
        taken_in = config.receiving.next_working(found)
        if taken_in is None:
            break
        found = _delivered(config, taken_in)
        if found == taken_in:
            return found
    return delivered


def next_time(config: LoopConfig, at: datetime) -> datetime | None:
    """The first of the loop's fixed times (`accumulate_times`, HH:MM in the plant's own time) that is not before `at`;
    in UTC. None: it has no fixed times."""
    place = ZoneInfo(config.time_zone)
    today = at.astimezone(place).date()
    days = (today + timedelta(days=ahead) for ahead in (0, 1))
    times = [time.fromisoformat(clock) for clock in config.accumulate_times]
    found = (datetime.combine(day, clock, tzinfo=place).astimezone(UTC) for day in days for clock in times)
    return min((instant for instant in found if instant >= at), default=None)


def _delivered(config: LoopConfig, at: datetime) -> datetime:
    return config.calendar.next_day_of(at, config.delivery_days) if config.delivery_days else at
