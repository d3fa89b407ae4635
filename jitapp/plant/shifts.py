"""When shifts begin, by a plant's calendar: what a handover and the changes since the shift began count from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from jitapp.kanban.worktime import DAYS
from jitapp.plant.configs import zone
from jitapp.plant.models import Calendar

AHEAD_DAYS = 8  # a board that stays open is made anew within a week
BACK_DAYS = 15  # so far back a shift is looked for: over a plant's holidays


@dataclass(frozen=True, slots=True)
class Shift:
    """A stretch of work of one crew, in UTC; breaks belong to it."""

    begins_at: datetime
    ends_at: datetime


def shifts_before(plant_id: int, time_zone: str, at: datetime, *, most: int = 8) -> list[Shift]:
    """The newest shifts that had begun at `at`, newest first, by the plant's own calendar. A plant that works around
    the clock has none: its days count."""
    calendar = Calendar.objects.filter(plant_id=plant_id, is_default=True).first()
    return begun(calendar.shifts if calendar else (), calendar.holidays if calendar else (), time_zone, at)[
        :most
    ]


def ends_after(plant_id: int, time_zone: str, at: datetime) -> list[datetime]:
    """When the shifts of the plant's own calendar end that go on at `at` or begin within a week, in order; none for a
    plant that works around the clock."""
    calendar = Calendar.objects.filter(plant_id=plant_id, is_default=True).first()
    if calendar is None or not calendar.shifts:
        return []
    today = at.astimezone(zone(time_zone)).date()
    days = [today + timedelta(days=ahead) for ahead in range(-1, AHEAD_DAYS)]
    found = _of_days(days, calendar.shifts, calendar.holidays, time_zone)
    return sorted({ends_at for ends_at in found.values() if ends_at > at})


def begun(
    shifts: Sequence[Mapping[str, Any]], holidays: Sequence[str], time_zone: str, at: datetime
) -> list[Shift]:
    """The shifts that had begun at `at`, newest first, of the days before; of two that begin together the longer."""
    today = at.astimezone(zone(time_zone)).date()
    days = [today - timedelta(days=back) for back in range(BACK_DAYS)]
    found = _of_days(days, shifts, holidays, time_zone)
    return [Shift(begin, found[begin]) for begin in sorted(found, reverse=True) if begin <= at]


def _of_days(
    days: Iterable[date], shifts: Sequence[Mapping[str, Any]], holidays: Sequence[str], time_zone: str
) -> dict[datetime, datetime]:
    """When the shifts of these days end, by when they begin; without shifts the days themselves."""
    if not shifts:
        found = {_on(day, 0, time_zone): _on(day, 24 * 60, time_zone) for day in days}
    else:
        found = {}
        for day in days:
            if day.isoformat() in {str(holiday) for holiday in holidays}:
                continue
            for shift in shifts:
                if DAYS[day.weekday()] in shift["days"]:
                    begin, end = _minutes(shift["start"]), _minutes(shift["end"])
                    begins_at = _on(day, begin, time_zone)
                    ends_at = _on(day, end if end > begin else end + 24 * 60, time_zone)
                    found[begins_at] = max(found.get(begins_at, ends_at), ends_at)
    return found


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _on(day: date, minutes: int, time_zone: str) -> datetime:
    """What the wall clock calls so many minutes after the midnight of a day."""
    ahead, minutes = divmod(minutes, 24 * 60)
    local = datetime(day.year, day.month, day.day, *divmod(minutes, 60), tzinfo=zone(time_zone))
    return (local + timedelta(days=ahead)).astimezone(UTC)
