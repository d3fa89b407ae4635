"""The clock of a call: amber, red after two minutes, higher up after five and ten, until somebody has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jitapp.kanban import andon

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


def test_an_area_may_have_a_table_of_its_own() -> None:
    steps = (andon.Step(timedelta(0), "team_leader"), andon.Step(timedelta(minutes=20), "plant_leader"))
    assert andon.level(CALLED, None, after(19), steps) == 0
    assert andon.must_come(andon.level(CALLED, None, after(21), steps), None, steps) == "plant_leader"
