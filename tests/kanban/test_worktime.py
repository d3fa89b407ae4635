"""Working minutes: against a calculation minute by minute, and on the nights when the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitapp.kanban.worktime import DAYS, HORIZON_DAYS, BadCalendar, WorkCalendar

BERLIN = ZoneInfo("Europe/Berlin")
DAY_SHIFT = {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "06:00", "end": "14:00"}
PAUSED = DAY_SHIFT | {"breaks": [["09:00", "09:15"], ["12:00", "12:30"]]}
EVERY_NIGHT = {"days": list(DAYS), "start": "22:00", "end": "06:00"}

ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"]
)
# Around both changes of the clocks in Europe, America and Australia, and ordinary days.
WEEKS = ((2026, 3, 5), (2026, 3, 25), (2026, 10, 1), (2026, 10, 21), (2026, 10, 28), (2018, 11, 1))
INSTANTS = st.builds(
    lambda week, seconds: datetime(week[0], week[1], week[2], tzinfo=UTC) + timedelta(seconds=seconds),
    st.sampled_from(WEEKS),
    st.integers(0, 9 * 86_400),
)


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def shifts(draw: st.DrawFn) -> dict[str, Any]:
    start = draw(st.integers(0, 1439))
    length = draw(st.integers(10, 1440))
    marks = sorted(draw(st.lists(st.integers(1, length - 1), unique=True, max_size=4)))
    breaks = [
        [clock((start + a) % 1440), clock((start + b) % 1440)]
        for a, b in zip(marks[::2], marks[1::2], strict=False)
    ]
    days = draw(st.lists(st.sampled_from(DAYS), min_size=1, unique=True))
    return {"days": days, "start": clock(start), "end": clock((start + length) % 1440), "breaks": breaks}


@st.composite
def calendars(draw: st.DrawFn) -> WorkCalendar:
    holidays = draw(st.lists(st.dates(date(2026, 3, 1), date(2026, 11, 30)), max_size=3))
    return WorkCalendar(
        draw(ZONES), draw(st.lists(shifts(), max_size=3)), [day.isoformat() for day in holidays]
    )


@given(calendars(), INSTANTS, st.integers(0, 6_000))
def test_adding_minutes_and_counting_them_agree(
    calendar: WorkCalendar, start: datetime, minutes: int
) -> None:
    end = calendar.add_working_minutes(start, minutes)
    assert end.utcoffset() == timedelta(0)
    if end - start > timedelta(days=HORIZON_DAYS - 8):
        # A few minutes a week do not make up the time before the horizon: the last of them is the answer.
        assert calendar.working_minutes_between(start, end) <= minutes
        return
    assert calendar.working_minutes_between(start, end) == minutes
    # And it is the first such instant: a moment earlier the time was not yet over.
    if minutes:
        assert calendar.working_minutes_between(start, end - timedelta(seconds=1)) < minutes


@given(calendars(), INSTANTS, st.integers(0, 3 * 1440))
def test_counting_agrees_with_looking_at_every_minute(
    calendar: WorkCalendar, start: datetime, span: int
) -> None:
    start = start.replace(second=0, microsecond=0)
    looked = sum(calendar.is_working(start + timedelta(minutes=minute)) for minute in range(span))
    assert calendar.working_minutes_between(start, start + timedelta(minutes=span)) == looked


@given(calendars(), INSTANTS, st.integers(0, 4_000), st.integers(0, 4_000))
def test_time_adds_up_over_any_instant_between(
    calendar: WorkCalendar, start: datetime, one: int, two: int
) -> None:
    middle, end = start + timedelta(minutes=one), start + timedelta(minutes=one + two)
    whole = calendar.working_minutes_between(start, end)
    halves = calendar.working_minutes_between(start, middle) + calendar.working_minutes_between(middle, end)
    assert whole == pytest.approx(halves)
    assert 0 <= whole <= one + two


def test_without_shifts_every_minute_counts() -> None:
    start = datetime(2026, 3, 28, 23, 30, 15, tzinfo=UTC)
    assert WorkCalendar("Europe/Berlin").add_working_minutes(start, 240) == start + timedelta(hours=4)
    assert WorkCalendar().is_working(start)


def test_without_shifts_a_holiday_is_still_free() -> None:
    calendar = WorkCalendar("Europe/Berlin", [], ["2026-12-25"])
    start = datetime(2026, 12, 24, 23, 30, tzinfo=BERLIN)
    assert calendar.add_working_minutes(start, 60) == datetime(2026, 12, 26, 0, 30, tzinfo=BERLIN)


def test_breaks_nights_and_weekends_are_skipped() -> None:
    calendar = WorkCalendar("Europe/Berlin", [PAUSED])
    friday = datetime(2026, 7, 3, 13, 30, tzinfo=BERLIN)
    assert calendar.add_working_minutes(friday, 240) == datetime(2026, 7, 6, 9, 45, tzinfo=BERLIN)
    assert calendar.working_minutes_between(friday, datetime(2026, 7, 6, 9, 10, tzinfo=BERLIN)) == 210


@pytest.mark.parametrize(
    ("day", "minutes"), [((2026, 3, 28), 420), ((2026, 10, 24), 540), ((2026, 7, 4), 480)]
)
def test_a_night_shift_is_as_long_as_the_night_really_was(day: tuple[int, int, int], minutes: int) -> None:
    evening = datetime(*day, 22, 0, tzinfo=BERLIN)
    morning = (evening + timedelta(days=1)).replace(hour=6)
    calendar = WorkCalendar("Europe/Berlin", [EVERY_NIGHT])
    assert calendar.working_minutes_between(evening, morning) == minutes
    assert calendar.add_working_minutes(evening, minutes) == morning


def test_a_holiday_takes_the_night_shift_that_begins_on_it() -> None:
    calendar = WorkCalendar("Europe/Berlin", [EVERY_NIGHT], ["2026-12-24"])
    assert calendar.is_working(datetime(2026, 12, 24, 3, tzinfo=BERLIN))  # began on the 23rd
    assert not calendar.is_working(datetime(2026, 12, 25, 3, tzinfo=BERLIN))
    assert calendar.is_working(datetime(2026, 12, 25, 23, tzinfo=BERLIN))


def test_a_due_date_beyond_the_horizon_is_its_end() -> None:
    calendar = WorkCalendar("UTC", [{"days": ["mon"], "start": "06:00", "end": "06:01"}])
    assert calendar.add_working_minutes(datetime(2026, 1, 1, tzinfo=UTC), 500_000).year == 2046


@pytest.mark.parametrize(
    ("shift", "says"),
    [
        ({"days": ["monday"], "start": "06:00", "end": "14:00"}, "Shift 1: days must be some of mon"),
        ({"days": [], "start": "06:00", "end": "14:00"}, "days must be"),
        ({"days": "mon", "start": "06:00", "end": "14:00"}, "days must be"),
        ({"days": ["mon"], "start": "6", "end": "14:00"}, "'6' is not a time of day"),
        ({"days": ["mon"], "start": "06:00", "end": "25:00"}, "'25:00' is not a time of day"),
        ({"days": ["mon"], "start": "06:00"}, "None is not a time of day"),
        ({"days": ["mon"], "start": "24:00", "end": "06:00"}, "begins before 24:00"),
        (DAY_SHIFT | {"breaks": [["15:00", "15:10"]]}, "outside the shift"),
        (DAY_SHIFT | {"breaks": [["09:00", "09:10"], ["09:05", "09:20"]]}, "in another break"),
        (DAY_SHIFT | {"breaks": [["09:00"]]}, "a start and an end"),
        (DAY_SHIFT | {"breaks": [["06:00", "14:00"]]}, "no working minute"),
    ],
)
def test_a_calendar_that_cannot_be_read_says_why(shift: dict[str, Any], says: str) -> None:
    with pytest.raises(BadCalendar, match=says):
        WorkCalendar("UTC", [shift])


def test_unknown_zones_and_holidays_say_why() -> None:
    with pytest.raises(BadCalendar, match="no time zone 'Mars/Olympus'"):
        WorkCalendar("Mars/Olympus")
    with pytest.raises(BadCalendar, match=r"no time zone '\.\./etc/passwd'"):
        WorkCalendar("../etc/passwd")
    with pytest.raises(BadCalendar, match="'Christmas' is not a date"):
        WorkCalendar("UTC", [], ["Christmas"])
