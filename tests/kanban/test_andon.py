"""The clock of a call: amber, red after two minutes, higher up after five and ten, until somebody has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jitapp.kanban import andon
from jitapp.kanban.worktime import WorkCalendar

CALLED = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return CALLED + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("minutes", "level", "who"),
    [
        (-1, 0, "team_leader"),
        (0, 0, "team_leader"),
        (1.99, 0, "team_leader"),
        (2, 1, "team_leader"),
        (4.99, 1, "team_leader"),
        (5, 2, "area_leader"),
        (10, 3, "plant_leader"),
        (600, 3, "plant_leader"),
    ],
)
def test_a_call_climbs_while_nobody_has_it(minutes: float, level: int, who: str) -> None:
    reached = andon.level(CALLED, None, after(minutes))
    assert (reached, andon.must_come(reached, None)) == (level, who)


def test_whoever_takes_it_stops_the_climbing_and_must_act() -> None:
    taken = after(6)
    assert andon.level(CALLED, taken, after(90)) == 2
    assert andon.must_come(2, taken) == "owner"
    assert andon.climbs_at(CALLED, taken, after(7)) is None


def test_the_next_step_is_told_until_the_top() -> None:
    assert andon.climbs_at(CALLED, None, after(0)) == after(2)
    assert andon.climbs_at(CALLED, None, after(2)) == after(5)
    assert andon.climbs_at(CALLED, None, after(9)) == after(10)
    assert andon.climbs_at(CALLED, None, after(10)) is None


def policy(*written: tuple[int, str], calendar: WorkCalendar | None = None) -> andon.Policy:
    return andon.Policy(andon.steps_of([{"after": at, "who": who} for at, who in written]), calendar)


def test_an_area_may_have_steps_of_its_own() -> None:
    slow = policy((0, "team_leader"), (20, "plant_leader"), (30, "ines"))
    assert andon.level(CALLED, None, after(19), slow) == 0
    assert andon.must_come(andon.level(CALLED, None, after(21), slow), None, slow) == "plant_leader"
    assert andon.must_come(andon.level(CALLED, None, after(31), slow), None, slow) == "ines"
    assert andon.climbs_at(CALLED, None, after(21), slow) == after(30)


def test_without_steps_the_usual_ones_count_and_somebody_always_comes_at_once() -> None:
    assert andon.steps_of([]) == andon.STEPS
    assert policy((5, "ines")).steps[0] == andon.Step(timedelta(0), "team_leader")


@pytest.mark.parametrize(
    "written",
    [
        [{"after": 5, "who": "a"}, {"after": 5, "who": "b"}],
        [{"after": 5, "who": "a"}, {"after": 2, "who": "b"}],
        [{"after": 0, "who": "a"}],
        [{"after": minutes, "who": "a"} for minutes in range(11)],
    ],
)
def test_steps_that_do_not_climb_are_refused(written: list[dict[str, Any]]) -> None:
    with pytest.raises(andon.BadSteps):
        andon.steps_of(written)


DAY = WorkCalendar(
    "Europe/Berlin",
    [
        {
            "days": ["mon", "tue", "wed", "thu", "fri"],
            "start": "06:00",
            "end": "14:00",
            "breaks": [["09:00", "09:15"]],
        }
    ],
)


def test_the_clock_stands_still_over_a_break_and_over_the_night() -> None:
    by_day = policy((0, "team_leader"), (10, "area_leader"), calendar=DAY)
    before_break = datetime(2026, 11, 16, 7, 55, tzinfo=UTC)  # 08:55 in Berlin
    assert andon.level(before_break, None, before_break + timedelta(minutes=24), by_day) == 0
    assert andon.level(before_break, None, before_break + timedelta(minutes=25), by_day) == 1
    assert andon.climbs_at(before_break, None, before_break, by_day) == before_break + timedelta(minutes=25)
    evening = datetime(2026, 11, 16, 12, 58, tzinfo=UTC)  # 13:58; the shift ends at 14:00
    assert andon.climbs_at(evening, None, evening, by_day) == datetime(2026, 11, 17, 5, 8, tzinfo=UTC)
    assert andon.level(evening, None, datetime(2026, 11, 17, 5, 7, tzinfo=UTC), by_day) == 0


def test_who_calls_outside_working_time_is_at_work_and_waits_by_the_wall() -> None:
    at_night = datetime(2026, 11, 16, 20, 0, tzinfo=UTC)
    usual = andon.Policy(andon.STEPS, DAY)
    assert andon.level(at_night, None, at_night + timedelta(minutes=5), usual) == 2
    assert andon.climbs_at(at_night, None, at_night, usual) == at_night + timedelta(minutes=2)


def test_what_calls_by_itself_outside_working_time_waits_for_it() -> None:
    at_night = datetime(2026, 11, 16, 20, 0, tzinfo=UTC)
    morning = datetime(2026, 11, 17, 5, 0, tzinfo=UTC)  # 06:00 in Berlin
    usual = andon.Policy(andon.STEPS, DAY)
    assert andon.level(at_night, None, morning, usual, by_itself=True) == 0
    assert andon.climbs_at(at_night, None, at_night, usual, by_itself=True) == morning + timedelta(minutes=2)
    assert andon.level(at_night, None, morning + timedelta(minutes=5), usual, by_itself=True) == 2


def test_the_night_on_which_the_clocks_change_is_as_long_as_it_is() -> None:
    night = WorkCalendar("Europe/Berlin", [{"days": ["sat"], "start": "22:00", "end": "06:00"}])
    called = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)  # 02:50, and in ten minutes it is 02:00 again
    by_night = policy((0, "team_leader"), (30, "area_leader"), calendar=night)
    assert andon.climbs_at(called, None, called, by_night) == called + timedelta(minutes=30)
