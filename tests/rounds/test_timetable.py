"""Departures by the clock of the plant: waited for, never early."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jitapp.kanban.worktime import WorkCalendar
from jitapp.rounds.timetable import Timetable

SHIFT = WorkCalendar(
    "Europe/Berlin", [{"days": ["mon", "tue", "wed", "thu", "fri"], "start": "06:00", "end": "14:00"}]
)
# A Monday in winter: Berlin is an hour ahead of UTC.
MONDAY = datetime(2026, 11, 16, tzinfo=UTC)


def at(hour: int, minute: int = 0, day: int = 0) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


EVERY_40 = Timetable("Europe/Berlin", SHIFT, every_minutes=40, length=25)
NAMED = Timetable("Europe/Berlin", SHIFT, departures=["10:40", "06:00", "10:40"], length=25)


def test_a_round_is_under_way_from_its_departure_to_its_last_stop() -> None:
    going = EVERY_40.round_at(at(5, 10))  # 06:10 in Berlin
    assert going.under_way
    assert (going.departed_at, going.ends_at, going.leaves_at) == (at(5), at(5, 25), at(5, 40))
    waiting = EVERY_40.round_at(at(5, 30))
    assert not waiting.under_way
    assert (waiting.departed_at, waiting.leaves_at, waiting.after) == (None, at(5, 40), at(6, 20))


@pytest.mark.parametrize(("second", "under_way"), [(-1, False), (0, True), (1, True)])
def test_the_departure_itself_begins_the_round(second: int, under_way: bool) -> None:
    assert EVERY_40.round_at(at(5, 40) + timedelta(seconds=second)).under_way is under_way


def test_named_times_are_sorted_and_count_once() -> None:
    assert NAMED.today(at(5)) == [at(5), at(9, 40)]
    assert NAMED.round_at(at(5, 30)).leaves_at == at(9, 40)


def test_nobody_walks_after_the_shift_nor_on_a_sunday() -> None:
    evening = EVERY_40.round_at(at(14))
    assert not evening.under_way
    assert evening.leaves_at == at(5, day=1)
    friday_night = EVERY_40.round_at(at(20, day=4))
    assert friday_night.leaves_at == at(5, day=7)


def test_the_next_departure_ends_a_round_that_takes_longer() -> None:
    long = Timetable("Europe/Berlin", SHIFT, every_minutes=20, length=50)
    assert long.round_at(at(5, 5)).ends_at == at(5, 20)


def test_without_a_timetable_nothing_is_waited_for() -> None:
    none = Timetable("Europe/Berlin", None).round_at(at(8))
    assert (none.departed_at, none.leaves_at, none.after) == (None, None, None)
    closed = Timetable(
        "UTC", WorkCalendar("UTC", [], [str((MONDAY + timedelta(days=n)).date()) for n in range(-2, 60)]), 30
    )
    assert closed.round_at(at(8)).leaves_at is None


def test_the_hour_that_the_clocks_skip_names_no_instant_twice() -> None:
    always = Timetable("Europe/Berlin", None, every_minutes=30)
    night = datetime(2027, 3, 28, 0, 0, tzinfo=UTC)
    found = always.today(night)
    assert len(found) == len(set(found)) == 46
    assert found == sorted(found)
    assert len(always.today(datetime(2026, 10, 25, 12, tzinfo=UTC))) == 48
