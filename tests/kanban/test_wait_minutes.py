"""Whose the minutes of a wait are: it is cut by what the station could not do meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitapp.kanban.standing import WAIT_REASONS
from jitapp.kanban.vocabulary import Party
from jitapp.kanban.waits import CUT_BY, OWNERS, PRECEDENCE, Halt, State, cut, totals, worst
from jitapp.kanban.worktime import WorkCalendar

NINE = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def span(kind: Halt, first: float, last: float | None, **more: str) -> State:
    return State(kind, at(first), None if last is None else at(last), **more)


def test_the_worked_figures() -> None:
    """planning.md section 6: queue 155, down 40, no operator 30, setup 25, starved 10; 260 in all."""
    cards = [(0, 90), (20, 115), (60, 135)]  # 90 + 95 + 75 minutes of three cards before one station
    states = [
        span(Halt.DOWN, 0, 10),  # the first card only
        span(Halt.SETUP, 60, 65),  # all three: 15
        span(Halt.DOWN, 65, 75),  # all three: 30
        span(Halt.NO_OPERATOR, 90, 105),  # the second and the third: 30
        span(Halt.SETUP, 105, 110),  # both: 10
        span(Halt.STARVED, 115, 125),  # the third: 10
    ]
    segments = [
        segment
        for first, last in cards
        for segment in cut(at(first), at(last), reason="queue", owner="station", states=states)
    ]
    minutes = {reason: length.total_seconds() / 60 for reason, length in totals(segments).items()}
    assert minutes == {"queue": 155, "down": 40, "no_operator": 30, "setup": 25, "starved": 10}
    assert sum(minutes.values()) == 260


def test_of_several_at_once_the_first_in_the_order_counts() -> None:
    states = [State(kind, at(place), None) for place, kind in enumerate(reversed(PRECEDENCE))]
    segments = cut(at(0), at(10), reason="queue", owner="station", states=states)
    assert [segment.reason for segment in segments] == [kind.value for kind in reversed(PRECEDENCE)]
    assert worst(states) == states[-1]
    assert worst([]) is None


def test_who_must_act_is_named_for_each() -> None:
    assert set(OWNERS) == set(Halt) == set(PRECEDENCE)
    upstream = span(Halt.STARVED, 0, 5, owner="supplier", who="Acme")
    segments = cut(at(0), at(20), reason="queue", owner="station", states=[upstream, span(Halt.DOWN, 5, 10)])
    assert [(segment.owner, segment.who) for segment in segments] == [
        ("supplier", "Acme"),
        (Party.MAINTAINER, ""),
        ("station", ""),
    ]


def test_only_the_queue_is_the_stations() -> None:
    states = [span(Halt.DOWN, 2, 4), span(Halt.CLOSED, 6, 8)]
    for reason in WAIT_REASONS:
        names = [part.reason for part in cut(at(0), at(9), reason=reason, owner="o", states=states)]
        if reason in CUT_BY:
            assert names == [reason, "down", reason, "closed", reason]
        else:
            assert names == [reason, "closed", reason]


def test_an_empty_wait_has_no_segments() -> None:
    assert cut(at(3), at(3), reason="queue", owner="station", states=[span(Halt.DOWN, 0, None)]) == []


@given(
    length=st.integers(1, 300),
    reason=st.sampled_from(WAIT_REASONS),
    drawn=st.lists(
        st.tuples(st.sampled_from(list(Halt)), st.integers(-50, 350), st.none() | st.integers(0, 200)),
        max_size=12,
    ),
)
def test_the_segments_are_the_wait(
    length: int, reason: str, drawn: list[tuple[Halt, int, int | None]]
) -> None:
    """No gap, no overlap, nothing unattributed: the sum is all the waiting there was."""
    states = [span(kind, first, None if more is None else first + more) for kind, first, more in drawn]
    segments = cut(at(0), at(length), reason=reason, owner="station", states=states)
    assert (segments[0].begin, segments[-1].end) == (at(0), at(length))
    assert all(one.end == other.begin for one, other in pairwise(segments))
    assert all(one.begin < one.end and one.reason and one.owner for one in segments)
    assert all((one.reason, one.owner) != (other.reason, other.owner) for one, other in pairwise(segments))
    assert sum(totals(segments).values(), timedelta(0)) == timedelta(minutes=length)
    for part in segments:  # each instant has the first of what was true then
        middle = part.begin + part.length / 2
        true_then = [
            state
            for state in states
            if state.begin <= middle
            and (state.end is None or middle < state.end)
            and (state.kind is Halt.CLOSED or reason in CUT_BY)
        ]
        found = worst(true_then)
        assert part.reason == (found.kind if found else reason)


@given(first=st.integers(0, 3000), length=st.integers(0, 4000))
def test_idle_and_working_time_are_all_the_time(first: int, length: int) -> None:
    shifts: list[dict[str, Any]] = [
        {"days": ["mon", "tue"], "start": "22:00", "end": "06:00", "breaks": [["01:00", "01:30"]]},
        {"days": ["wed"], "start": "08:00", "end": "16:00"},
    ]
    calendar = WorkCalendar("Europe/Berlin", shifts, ["2026-11-17"])
    idle = calendar.idle_spans(at(first), at(first + length))
    assert all(one[1] < other[0] for one, other in pairwise(idle))
    assert all(begin < end for begin, end in idle)
    minutes = sum(((end - begin).total_seconds() / 60 for begin, end in idle), 0.0)
    assert minutes + calendar.working_minutes_between(at(first), at(first + length)) == pytest.approx(length)
    assert WorkCalendar().idle_spans(at(first), at(first + length)) == []
