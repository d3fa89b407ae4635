"""Due dates: promised working time, then a delivery day of the supplier and an hour at which the plant receives."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from jitapp.kanban.duedates import due_at
from jitapp.kanban.worktime import WorkCalendar
from tests.kanban.loops import config

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = ["mon", "tue", "wed", "thu", "fri"]
OFFICE = WorkCalendar("Europe/Berlin", [{"days": WEEK, "start": "08:00", "end": "16:00"}])
DOCK = WorkCalendar("Europe/Berlin", [{"days": ["mon", "tue", "thu"], "start": "07:00", "end": "11:00"}])


def berlin(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


def due(
    at: datetime, *, lead: int = 60, days: tuple[str, ...] = (), dock: WorkCalendar | None = DOCK
) -> datetime:
    return due_at(
        config(calendar=OFFICE, lead_time_minutes=lead, delivery_days=days, receiving=dock), at
    ).astimezone(UTC)


def test_without_days_and_dock_the_working_time_alone_counts() -> None:
    assert due(berlin(11, 16, 9), dock=None) == berlin(11, 16, 10)


def test_what_comes_while_the_dock_is_open_is_due_then() -> None:
    assert due(berlin(11, 16, 9)) == berlin(11, 16, 10)


def test_what_comes_after_the_dock_has_closed_waits_until_it_opens() -> None:
    assert due(berlin(11, 16, 11)) == berlin(11, 17, 7)  # Monday noon: the dock opens on Tuesday at 7
    assert due(berlin(11, 17, 12)) == berlin(11, 19, 7)  # Tuesday: not on Wednesday, on Thursday


def test_supplier_and_dock_must_both_have_their_day() -> None:
    assert due(berlin(11, 16, 9), days=("wed", "thu")) == berlin(11, 19, 7)  # not on Wednesday: the dock
    assert due(berlin(11, 16, 9), days=("tue",)) == berlin(11, 17, 8)
    assert due(berlin(11, 17, 15), days=("tue",)) == berlin(11, 24, 8)  # Tuesday evening: a week later


def test_a_holiday_of_the_dock_moves_it_to_the_next_common_day() -> None:
    dock = WorkCalendar(
        "Europe/Berlin", [{"days": ["mon", "tue"], "start": "07:00", "end": "11:00"}], ["2026-11-17"]
    )
    assert due(berlin(11, 16, 9), days=("tue",), dock=dock) == berlin(11, 24, 8)


def test_days_that_never_meet_leave_the_delivery_day() -> None:
    dock = WorkCalendar("Europe/Berlin", [{"days": ["mon"], "start": "07:00", "end": "11:00"}])
    assert due(berlin(11, 16, 12), days=("wed",), dock=dock) == berlin(11, 18, 8)


def test_the_dock_opens_by_the_clock_on_the_wall_in_summer_and_in_winter() -> None:
    always = WorkCalendar("Europe/Berlin")
    sunday = WorkCalendar("Europe/Berlin", [{"days": ["sun"], "start": "02:00", "end": "04:00"}])
    at = berlin(3, 28, 20)  # the evening before clocks go forward: 02:00 does not exist, 03:00 follows 01:59
    found = due_at(config(calendar=always, lead_time_minutes=0, receiving=sunday), at)
    assert found == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    at = berlin(10, 24, 20)  # the evening before they go back: 02:00 is there twice, the first of them opens
    found = due_at(config(calendar=always, lead_time_minutes=0, receiving=sunday), at)
    assert found == datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    for month, day in ((3, 27), (10, 23)):  # Friday noon, due on Monday at 7 by the clock on the wall
        assert due(berlin(month, day, 15)) == berlin(*((3, 30) if month == 3 else (10, 26)), 7)


def test_the_dock_may_lie_in_another_time_zone_than_the_supplier() -> None:
    orlando = WorkCalendar("America/New_York", [{"days": WEEK, "start": "07:00", "end": "15:00"}])
    found = due(berlin(11, 16, 9), dock=orlando)
    assert found == datetime(2026, 11, 16, 12, 0, tzinfo=UTC)  # 10:00 in Berlin is 4 in the morning there
