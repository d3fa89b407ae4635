"""Working time: when people work, and how long a span of the clock is in working minutes.

Calendars are written in the plant's local time and asked in instants; nights on which the clocks change are as long
as they really are. A shift belongs to the day on which it begins: a holiday takes the night shift that begins on it,
not the one that began the evening before. Shifts that overlap count once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jitapp.kanban.stated import Stated, stated

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Nothing is due later than this: a calendar with one minute a week would otherwise be walked for centuries.
HORIZON_DAYS = 7_320
_DAY_MINUTES = 24 * 60
_MICROSECONDS = 60_000_000  # in a minute
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_CACHED_DAYS = 2_000

# Minutes after the local midnight of the day a shift begins on; the end may lie on the next day.
_Span = tuple[int, int]


class BadCalendar(ValueError):
    """A calendar that cannot be read; one sentence (`Stated`) for the person who wrote it."""


class WorkCalendar:
    """The working time of a plant, a station or a supplier; never changes once built.

    `shifts` and `holidays` are written as in a shop file: [{"days": ["mon"], "start": "06:00", "end": "14:00",
    "breaks": [["09:00", "09:15"]]}] and ["2026-12-25"]. An end that is not after the start lies on the next day.
    Without shifts every minute of every day that is no holiday is a working minute. Raises BadCalendar.
    """

    __slots__ = ("_always", "_days", "_holidays", "_weekdays", "_zone")

    def __init__(
        self,
        time_zone: str = "UTC",
        shifts: Sequence[Mapping[str, Any]] = (),
        holidays: Sequence[str | date] = (),
    ) -> None:
        self._zone = _zone(time_zone)
        self._holidays = frozenset(_holiday(day) for day in holidays)
        weekdays: list[list[_Span]] = [[] for _ in DAYS]
        for number, shift in enumerate(shifts, start=1):
            for day, spans in _shift(shift, stated("Shift {n}", n=number)).items():
                weekdays[day].extend(spans)
        if shifts and not any(weekdays):
            raise BadCalendar(
                stated("The shifts have no working minute. Leave the shifts out to work around the clock.")
            )
        if not shifts:
            weekdays = [[(0, _DAY_MINUTES)] for _ in DAYS]
        self._weekdays = tuple(tuple(spans) for spans in weekdays)
        self._always = not shifts and not self._holidays
        self._days: dict[date, tuple[_Span, ...]] = {}

    def add_working_minutes(self, start: datetime, minutes: float) -> datetime:
        """The first instant by which `minutes` working minutes have passed since `start`; aware, in UTC.

        Zero minutes is `start` itself, also outside working time. What does not fit before the horizon ends with the
        last working minute there.
        """
        if minutes < 0:
            raise ValueError("minutes must not be negative")
        at = _ticks(start)
        left = round(minutes * _MICROSECONDS)
        if not left:
            return _instant(at)
        if self._always:
            return _instant(min(at + left, at + HORIZON_DAYS * _DAY_MINUTES * _MICROSECONDS))
        end = at
        for begin, end in self._spans_from(start):
            begin = max(begin, at)
            if end - begin >= left:
                return _instant(begin + left)
            left -= max(end - begin, 0)
        return _instant(end)

    def minutes_a_day(self) -> float:
        """Working minutes of a day on which there is work, on average over the week; holidays do not count."""
        days = [_covered(spans) for spans in self._weekdays if spans]
        return sum(days) / len(days)

    def working_minutes_between(self, start: datetime, end: datetime) -> float:
        """Working minutes from `start` to `end`; 0.0 when `end` is not after `start`."""
        first, last = _ticks(start), _ticks(end)
        if last <= first:
            return 0.0
        if self._always:
            return (last - first) / _MICROSECONDS
        total = 0
        day = start.astimezone(self._zone).date()
        final = end.astimezone(self._zone).date()
        while day <= final:
            for begin, stop in self._spans(day):
                total += max(min(stop, last) - max(begin, first), 0)
            day += timedelta(days=1)
        return total / _MICROSECONDS

    def next_day_of(self, at: datetime, days: Sequence[str]) -> datetime:
        """`at` if its local day is one of `days` ("mon" ...); else the first working instant of the next such day.

        A named day without working time counts from its midnight; `at` itself if no named day lies in the horizon.
        """
        wanted = {DAYS.index(day) for day in days if day in DAYS}
        local = at.astimezone(self._zone)
        if not wanted or local.weekday() in wanted:
            return at
        for ahead in range(1, 8):
            day = local.date() + timedelta(days=ahead)
            if day.weekday() in wanted:
                spans = self._spans(day)
                return _instant(spans[0][0]) if spans else _instant(self._at(day, 0))
        return at

    def next_working(self, at: datetime) -> datetime | None:
        """The first working instant from `at` on, in UTC; None if there is none in the horizon."""
        instant = _ticks(at)
        for begin, end in self._spans_from(at):
            if end > instant:
                return _instant(max(begin, instant))
        return None

    def is_working(self, at: datetime) -> bool:
        """Whether the instant lies in working time; the first instant of a shift does, its end does not."""
        if self._always:
            return True
        instant = _ticks(at)
        spans = self._spans(at.astimezone(self._zone).date())
        place = bisect_right(spans, (instant, 1 << 62)) - 1
        return place >= 0 and spans[place][0] <= instant < spans[place][1]

    def idle_spans(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """The stretches of [start, end) in which nobody works, in order and apart; in UTC."""
        first, last = _ticks(start), _ticks(end)
        if self._always or last <= first:
            return []
        found: list[_Span] = []
        at, day = first, start.astimezone(self._zone).date()
        final = end.astimezone(self._zone).date()
        while day <= final:
            for begin, stop in self._spans(day):
                if at < min(begin, last):
                    found.append((at, min(begin, last)))
                at = max(at, stop)
            day += timedelta(days=1)
        if at < last:
            found.append((at, last))
        return [(_instant(begin), _instant(stop)) for begin, stop in found]

    def _spans_from(self, start: datetime) -> Iterator[_Span]:
        """Working spans of the local day of `start` and of the days after it, up to the horizon."""
        day = start.astimezone(self._zone).date()
        for _ in range(HORIZON_DAYS):
            yield from self._spans(day)
            day += timedelta(days=1)

    def _spans(self, day: date) -> tuple[_Span, ...]:
        """The working spans of a local day as microseconds since 1970: in order, apart, within that day."""
        known = self._days.get(day)
        if known is None:
            if len(self._days) >= _CACHED_DAYS:
                self._days.clear()
            known = self._days[day] = self._reckon(day)
        return known

    def _reckon(self, day: date) -> tuple[_Span, ...]:
        midnight, next_midnight = self._at(day, 0), self._at(day, _DAY_MINUTES)
        spans = sorted(
            (max(self._at(owner, begin), midnight), min(self._at(owner, end), next_midnight))
            for owner in (day - timedelta(days=1), day)
            if owner not in self._holidays
            for begin, end in self._weekdays[owner.weekday()]
            if owner == day or end > _DAY_MINUTES
        )
        merged: list[_Span] = []
        for begin, end in spans:
            if end <= begin:
                continue  # swallowed by a clock that went forward, or on the other side of midnight
            if merged and begin <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            else:
                merged.append((begin, end))
        return tuple(merged)

    def _at(self, day: date, minutes: int) -> int:
        """What the wall clock calls `minutes` after midnight; the first of the two where it strikes twice."""
        ahead, minutes = divmod(minutes, _DAY_MINUTES)
        wall = datetime.combine(day + timedelta(days=ahead), time(*divmod(minutes, 60)), tzinfo=self._zone)
        return (wall - _EPOCH) // _TICK


def _ticks(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return (at - _EPOCH) // _TICK


def _instant(ticks: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ticks)


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        said = stated("There is no time zone {name}. Write it like Europe/Berlin.", name=repr(name))
        raise BadCalendar(said) from None


def _holiday(day: str | date) -> date:
    if isinstance(day, date) and not isinstance(day, datetime):
        return day
    try:
        return date.fromisoformat(str(day))
    except ValueError:
        said = stated("Holiday {day} is not a date. Write it like 2026-12-25.", day=repr(day))
        raise BadCalendar(said) from None


def _clock(text: object, where: Stated) -> int:
    """Minutes after midnight of "06:00"; 24:00 is the end of the day."""
    hours, _, minutes = str(text).partition(":")
    if hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit() and len(minutes) == 2:
        total = int(hours) * 60 + int(minutes) if len(hours) <= 2 and int(minutes) < 60 else -1
        if 0 <= total <= _DAY_MINUTES:
            return total
    raise BadCalendar(
        stated("{where}: {text} is not a time of day. Write it like 06:00.", where=where, text=repr(text))
    )


def _shift(shift: Mapping[str, Any], where: Stated) -> dict[int, list[_Span]]:
    """The working spans of one shift, breaks taken out, for each weekday it begins on."""
    days = shift.get("days") or ()
    if isinstance(days, str) or not days or not all(day in DAYS for day in days):
        raise BadCalendar(stated("{where}: days must be some of {days}.", where=where, days=tuple(DAYS)))
    start, end = _clock(shift.get("start"), where), _clock(shift.get("end"), where)
    if end <= start:
        end += _DAY_MINUTES
    if start == _DAY_MINUTES:
        raise BadCalendar(
            stated("{where}: a shift begins before 24:00; write 00:00 on the next day.", where=where)
        )
    spans: list[_Span] = []
    at = start
    for pause in sorted(_pauses(shift.get("breaks") or (), start, where)):
        if not at <= pause[0] < pause[1] <= end:
            raise BadCalendar(
                stated("{where}: a break lies outside the shift or in another break.", where=where)
            )
        if pause[0] > at:
            spans.append((at, pause[0]))
        at = pause[1]
    if at < end:
        spans.append((at, end))
    return {DAYS.index(day): spans for day in days}


def _pauses(breaks: Sequence[Sequence[str]], start: int, where: Stated) -> Iterator[_Span]:
    for pause in breaks:
        if isinstance(pause, str) or len(pause) != 2:
            raise BadCalendar(
                stated("{where}: a break has a start and an end, like [09:00, 09:15].", where=where)
            )
        begin, end = (_clock(text, where) for text in pause)
        begin += _DAY_MINUTES if begin < start else 0
        end += _DAY_MINUTES if end < begin else 0
        yield begin, end


def _covered(spans: Sequence[_Span]) -> int:
    """Minutes that at least one of the spans covers."""
    total, until = 0, 0
    for begin, end in sorted(spans):
        total += max(0, end - max(begin, until))
        until = max(until, end)
    return total
