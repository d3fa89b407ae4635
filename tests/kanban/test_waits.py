"""Which wait follows from which event, and whose its minutes are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitapp.kanban.events import EVENT_TYPES
from jitapp.kanban.state import ZERO, Turn
from jitapp.kanban.vocabulary import Party, SignalState
from jitapp.kanban.waits import (
    AFTER,
    AT_A_SUPPLIER,
    CUT_BY,
    ENDS,
    OWNERS,
    PRECEDENCE,
    REASONS,
    SILENT,
    WAITING,
    Halt,
    State,
    TurnWaits,
    after,
    closed,
    cut,
    due_of,
    opened,
    totals,
    worst,
)
from jitapp.kanban.worktime import WorkCalendar

NINE = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def event(type_: str, minutes: float = 0, seq: int = 0, **facts: Any) -> dict[str, Any]:
    return {"type": type_, "turn": "t", "at": at(minutes).isoformat(), "seq": seq, **facts}


# -- the table -----------------------------------------------------------------------------------------
def test_every_event_of_a_turn_has_a_line() -> None:
    of_turns = {name for name in EVENT_TYPES if name.startswith("turn.")}
    assert of_turns == AFTER.keys() | ENDS | SILENT
    assert set(WAITING) == set(SignalState) - {SignalState.CANCELLED, SignalState.CLOSED}
    assert set(AT_A_SUPPLIER) < set(WAITING)


@pytest.mark.parametrize(
    ("told", "at_a_station", "at_a_supplier"),
    [
        (event("turn.opened", state="UNRELEASED", owner="station"), ("withheld", "station"), None),
        (event("turn.opened", state="ACCUMULATING", owner="planner"), ("accumulate", "planner"), None),
        (event("turn.opened", state="PENDING_DOC", owner="buyer"), ("doc", "buyer"), None),
        (event("turn.doc_asked", owner="erp"), ("doc", "erp"), None),
        (event("turn.released"), ("queue", "station"), ("ack", "supplier")),
        (event("turn.acknowledged"), ("queue", "station"), ("supplier", "supplier")),
        (event("turn.rejected", owner="buyer"), ("rejected", "buyer"), None),
        (event("turn.started", owner="station"), None, None),
        (event("turn.aborted", state="RELEASED"), ("queue", "station"), ("ack", "supplier")),
        (event("turn.aborted", state="ACKNOWLEDGED"), ("queue", "station"), ("supplier", "supplier")),
        (event("turn.completed", owner="handler"), ("collect", "handler"), None),
        (event("turn.shipped", owner="handler"), None, None),
        (event("turn.docked"), ("put_away", "receiving"), None),
        (event("turn.docked", owner="person"), ("held", "person"), None),
        (event("turn.recalled", state="RELEASED", withheld=True, owner="person"), ("held", "person"), None),
        (
            event("turn.recalled", state="RELEASED", step="COMPLETED", owner="handler"),
            ("collect", "handler"),
            None,
        ),
        (event("turn.resumed", state="RELEASED", step="IN_PROCESS", owner="station"), None, None),
        (event("turn.resumed", state="UNRELEASED", step="", owner="station"), ("withheld", "station"), None),
        (event("turn.corrected", state="RELEASED", step="COMPLETED"), ("collect", "handler"), None),
        (
            event("turn.reverted", state="ACKNOWLEDGED", step=""),
            ("queue", "station"),
            ("supplier", "supplier"),
        ),
        (event("turn.failed", owner="buyer"), ("error", "buyer"), None),
        (
            event("turn.recalled", state="RELEASED", step="", failed=True, owner="buyer"),
            ("error", "buyer"),
            None,
        ),
        (event("turn.recovered", state="RELEASED", step=""), ("queue", "station"), ("ack", "supplier")),
        (event("wait.refused"), ("receiver_not_ready", "receiving"), None),
        (event("turn.received"), None, None),
        (event("turn.cancelled"), None, None),
    ],
    ids=lambda told: told["type"] if isinstance(told, dict) else None,
)
def test_what_a_turn_waits_for_after_an_event(
    told: dict[str, Any], at_a_station: tuple[str, str] | None, at_a_supplier: tuple[str, str] | None
) -> None:
    assert after(False, told) == at_a_station
    assert after(True, told) == (at_a_supplier or at_a_station)
    assert at_a_station is None or at_a_station[0] in REASONS


@given(
    state=st.sampled_from(sorted(WAITING)),
    step=st.sampled_from(["", "IN_PROCESS", "COMPLETED", "IN_TRANSIT"]),
    owner=st.sampled_from(["", "person", "receiving", "erp"]),
    supplier=st.booleans(),
    failed=st.booleans(),
)
def test_the_events_and_the_state_say_the_same(
    state: SignalState, step: str, owner: str, supplier: bool, failed: bool
) -> None:
    turn = Turn(uuid4(), 1, ZERO, NINE, signal_state=state, step=step, owner=owner, failed="x" * failed)
    told = event("turn.resumed", state=state, step=step, owner=owner, **({"failed": True} if failed else {}))
    assert after(supplier, told) == due_of(supplier, turn)


# -- along the events ----------------------------------------------------------------------------------
LIFE = (
    [event("turn.opened", 0, 2, state="ACCUMULATING", owner="planner")],
    [event("turn.released", 30, 5, owner="station")],
    [event("turn.started", 50, 9, owner="station"), event("turn.completed", 50, 10, owner="handler")],
    [event("wait.refused", 60, 12)],
    [event("turn.shipped", 70, 13, owner="handler")],
    [event("turn.received", 90, 15)],
)


def walk(*messages: list[dict[str, Any]], waits: TurnWaits | None = None) -> TurnWaits:
    waits = waits or TurnWaits()
    for message in messages:
        waits.take(False, message, uuid4)
    return waits


def told(waits: TurnWaits) -> list[tuple[str, str, datetime, datetime | None]]:
    return [(wait.reason, wait.owner, wait.opened_at, wait.closed_at) for wait in waits.changed]


def test_a_turns_life_is_cut_into_waits() -> None:
    waits = walk(*LIFE)
    assert told(waits) == [
        ("accumulate", "planner", at(0), at(30)),
        ("queue", "station", at(30), at(50)),
        ("collect", "handler", at(50), at(60)),
        ("receiver_not_ready", "receiving", at(60), at(70)),
    ]
    assert waits.open is None


def test_steps_implied_by_one_scan_are_no_waits() -> None:
    waits = walk(
        [event("turn.released", 0, 1, owner="station")],
        [
            event("turn.started", 9, 3, owner="station"),
            event("turn.completed", 9, 4, owner="handler"),
            event("turn.received", 9, 5),
        ],
    )
    assert told(waits) == [("queue", "station", at(0), at(9))]


def test_the_same_reason_goes_on_as_one_wait() -> None:
    waits = walk(
        [event("turn.released", 0, 1, owner="station")], [event("turn.acknowledged", 5, 3, owner="station")]
    )
    assert told(waits) == [("queue", "station", at(0), None)]


def test_a_late_event_ends_no_wait_before_it_began() -> None:
    waits = walk(
        [event("turn.released", 10, 1, owner="station")], [event("turn.started", 4, 3, owner="station")]
    )
    assert told(waits) == [("queue", "station", at(10), at(10))]


@given(again=st.lists(st.integers(0, len(LIFE) - 1), max_size=12))
def test_messages_taken_again_change_nothing(again: list[int]) -> None:
    waits = walk(*LIFE)
    before = told(waits)
    walk(*(LIFE[place] for place in sorted(again)), waits=waits)
    assert told(waits) == before
    assert waits.open is None


def test_the_events_carry_what_a_reader_needs() -> None:
    wait = walk(*LIFE[:3]).changed[1]
    turn = uuid4()
    begun = opened(wait, card_id=3, number=7, turn=turn, seq=20)
    assert (begun.type, begun.occurred_at, begun.card_id, begun.turn_number) == ("wait.opened", at(30), 3, 7)
    assert begun.data == {"wait": str(wait.id), "reason": "queue", "owner": "station", "because": 5}
    pause: list[dict[str, Any]] = [
        {"days": ["mon"], "start": "08:00", "end": "17:00", "breaks": [["09:35", "09:45"]]}
    ]
    ended = closed(wait, WorkCalendar("UTC", pause), card_id=3, number=7, turn=turn, seq=21)
    assert ended.occurred_at == at(50)
    assert (ended.data["minutes"], ended.data["working_minutes"]) == (20.0, 10.0)
    assert ended.data["opened_at"] == at(30).isoformat()


# -- whose the minutes are -----------------------------------------------------------------------------
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
    for reason in REASONS:
        names = [part.reason for part in cut(at(0), at(9), reason=reason, owner="o", states=states)]
        if reason in CUT_BY:
            assert names == [reason, "down", reason, "closed", reason]
        else:
            assert names == [reason, "closed", reason]


def test_an_empty_wait_has_no_segments() -> None:
    assert cut(at(3), at(3), reason="queue", owner="station", states=[span(Halt.DOWN, 0, None)]) == []


@given(
    length=st.integers(1, 300),
    reason=st.sampled_from(REASONS),
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


def test_an_id_is_given_to_each_wait() -> None:
    waits = walk(*LIFE)
    assert len({wait.id for wait in waits.changed}) == 4
    assert all(isinstance(wait.id, UUID) for wait in waits.changed)
