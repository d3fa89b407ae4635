"""What a turn waits for in each of its states, and whose the minutes of a wait are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitapp.kanban.events.base import Event, Inconsistent
from jitapp.kanban.events.cards import CardHeld, CardUnheld
from jitapp.kanban.events.loops import WaitClosed, WaitOpened
from jitapp.kanban.events.turns import (
    TurnAborted,
    TurnAcknowledged,
    TurnCancelled,
    TurnCompleted,
    TurnCorrected,
    TurnDocAsked,
    TurnDocked,
    TurnDocumented,
    TurnFailed,
    TurnOpened,
    TurnRecalled,
    TurnReceived,
    TurnRecovered,
    TurnRejected,
    TurnReleased,
    TurnResumed,
    TurnReverted,
    TurnShipped,
    TurnShort,
    TurnStarted,
)
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.standing import (
    AT_A_SUPPLIER,
    MOVING,
    REASONS,
    UNDER_WAY,
    WAIT_REASONS,
    WAITING,
    standing_of,
)
from jitapp.kanban.state import Turn
from jitapp.kanban.vocabulary import SignalState, StationKind, SupplyStatus
from jitapp.kanban.waits import (
    TurnWaits,
    closed,
    due_of,
    opened,
)
from jitapp.kanban.worktime import WorkCalendar
from tests.kanban.loops import make_loop

NINE = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
FOUR = Decimal(4)


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


class Story:
    """The only card of a loop, whose turn lives through events as they are told; its waits are followed."""

    def __init__(self, kind: StationKind = StationKind.PROCESS) -> None:
        self.loop = make_loop(("FULL",), supply_kind=kind)
        self.card = self.loop.cards[1]
        self.turn = Turn(uuid4(), 1, FOUR, NINE)
        self.waits = TurnWaits()

    def tell(self, *events: Event, minutes: float = 0, follow: bool = True) -> Story:
        for event in events:
            ledger = Ledger(self.loop, at=at(minutes), subject=self.card, moves=True)
            of_turn = event.type.startswith("turn.")
            ledger.write(event, self.card, turn=self.turn if of_turn else None)
            self.turn = self.card.turn or self.turn
        if follow:
            self.follow()
        return self

    def follow(self) -> None:
        self.waits.take(self.turn.stretches, uuid4)

    def refuse(self, minutes: float) -> None:
        self.waits.refuse(at(minutes), self.loop.seq, uuid4)

    @property
    def told(self) -> list[tuple[str, str, datetime, datetime | None]]:
        return [(wait.reason, wait.owner, wait.opened_at, wait.closed_at) for wait in self.waits.changed]

    @property
    def waits_for(self) -> tuple[str, str] | None:
        """By the waits that were followed."""
        found = self.waits.open
        return (found.reason, found.owner) if found is not None else None


def withheld(state: SignalState) -> TurnOpened:
    return TurnOpened(state=state, opens=True, asked=FOUR)


RELEASED = TurnReleased(due_at=at(60), opens=True, asked=FOUR)
DONE = TurnCompleted(quantity=FOUR)


# -- the table -----------------------------------------------------------------------------------------
def test_every_state_and_every_step_of_an_open_turn_has_a_line() -> None:
    assert set(WAITING) == set(SignalState) - {SignalState.CANCELLED, SignalState.CLOSED}
    assert set(AT_A_SUPPLIER) < set(WAITING)
    assert set(UNDER_WAY) == {SupplyStatus.IN_PROCESS, SupplyStatus.COMPLETED, SupplyStatus.IN_TRANSIT}
    assert set(WAIT_REASONS) == set(REASONS) - MOVING


@pytest.mark.parametrize(
    ("events", "at_a_station", "at_a_supplier"),
    [
        ([withheld(SignalState.UNRELEASED)], ("withheld", "station"), None),
        ([withheld(SignalState.ACCUMULATING)], ("accumulate", "planner"), None),
        ([withheld(SignalState.PENDING_DOC)], ("doc", "buyer"), None),
        ([withheld(SignalState.PENDING_DOC), TurnDocAsked()], ("doc", "erp"), None),
        (
            [withheld(SignalState.PENDING_DOC), TurnDocAsked(), CardHeld(reason="x")],
            ("doc", "erp"),
            None,
        ),
        (
            [withheld(SignalState.PENDING_DOC), TurnDocAsked(), TurnDocumented(document="45")],
            ("doc", "buyer"),
            None,
        ),
        ([RELEASED], ("queue", "station"), ("ack", "supplier")),
        ([RELEASED, TurnAcknowledged()], ("queue", "station"), ("supplier", "supplier")),
        ([RELEASED, TurnRejected(reason="no steel")], ("rejected", "buyer"), None),
        ([RELEASED, TurnStarted()], None, None),
        ([RELEASED, TurnStarted(), TurnAborted()], ("queue", "station"), ("ack", "supplier")),
        (
            [RELEASED, TurnAcknowledged(), TurnStarted(), TurnAborted()],
            ("queue", "station"),
            ("supplier", "supplier"),
        ),
        ([RELEASED, TurnStarted(), DONE], ("collect", "handler"), None),
        ([RELEASED, TurnStarted(), DONE, TurnShipped()], None, None),
        ([RELEASED, DONE, TurnShipped(), TurnDocked(quantity=FOUR)], ("put_away", "receiving"), None),
        (
            [RELEASED, TurnShipped(), CardHeld(reason="x"), TurnDocked(quantity=FOUR)],
            ("held", "person"),
            None,
        ),
        ([RELEASED, TurnShort()], ("supply_short", "station"), None),
        ([RELEASED, CardHeld(reason="x"), TurnRecalled(withheld=True)], ("held", "person"), None),
        ([RELEASED, DONE, TurnRecalled()], ("collect", "handler"), None),
        ([RELEASED, TurnStarted(), CardHeld(reason="x"), TurnRecalled()], ("held", "person"), None),
        (
            [
                RELEASED,
                TurnStarted(),
                CardHeld(reason="x"),
                TurnRecalled(),
                CardUnheld(),
                TurnResumed(),
            ],
            None,
            None,
        ),
        (
            [withheld(SignalState.UNRELEASED), CardHeld(reason="x"), CardUnheld()],
            ("withheld", "station"),
            None,
        ),
        ([RELEASED, TurnCorrected(step="COMPLETED")], ("collect", "handler"), None),
        (
            [RELEASED, TurnAcknowledged(), TurnStarted(), TurnReverted(step="")],
            ("queue", "station"),
            ("supplier", "supplier"),
        ),
        ([RELEASED, TurnFailed(reason="x")], ("error", "buyer"), None),
        ([RELEASED, TurnFailed(reason="x"), CardHeld(reason="x"), TurnRecalled()], ("error", "buyer"), None),
        ([RELEASED, TurnFailed(reason="x"), TurnRecovered()], ("queue", "station"), ("ack", "supplier")),
    ],
    ids=lambda found: found[-1].type if isinstance(found, list) else "",
)
def test_what_a_turn_waits_for_after_its_last_event(
    events: list[Event], at_a_station: tuple[str, str] | None, at_a_supplier: tuple[str, str] | None
) -> None:
    for kind, expected in (
        (StationKind.PROCESS, at_a_station),
        (StationKind.SUPPLIER, at_a_supplier or at_a_station),
    ):
        story = Story(kind)
        for minute, event in enumerate(events):
            story.tell(event, minutes=minute)
        assert due_of(story.turn) == story.waits_for == expected
        assert standing_of(story.loop.config, story.card, story.turn)[0] == story.turn.standing
        assert expected is None or expected[0] in WAIT_REASONS


@pytest.mark.parametrize("step", [SupplyStatus.IN_PROCESS, SupplyStatus.IN_TRANSIT])
def test_what_is_being_done_has_somebody_who_does_it(step: SupplyStatus) -> None:
    found = {}
    for kind in (StationKind.PROCESS, StationKind.SUPPLIER):
        story = Story(kind).tell(RELEASED, TurnCorrected(step=str(step)))
        found[kind] = (story.turn.standing, story.turn.owner)
    made = step is SupplyStatus.IN_PROCESS
    assert found == {
        StationKind.PROCESS: ("process", "station") if made else ("transit", "handler"),
        StationKind.SUPPLIER: ("process", "supplier") if made else ("transit", "handler"),
    }


@pytest.mark.parametrize("end", [TurnReceived(quantity=FOUR, asked=FOUR), TurnCancelled(reason="x")])
def test_nobody_must_act_on_a_closed_turn(end: Event) -> None:
    story = Story().tell(RELEASED).tell(end, minutes=7)
    assert (story.turn.owner, story.turn.owner_since, story.waits.open) == ("", None, None)
    assert story.told == [("queue", "station", at(0), at(7))]


def test_an_owner_has_his_turn_since_he_got_it() -> None:
    story = Story(StationKind.SUPPLIER).tell(RELEASED).tell(TurnAcknowledged(), minutes=5)
    assert story.turn.owner_since == at(0)  # the supplier's before and after
    story.tell(DONE, minutes=9)
    assert story.turn.owner_since == at(9)


def test_a_stretch_begins_where_the_reason_or_the_owner_changes() -> None:
    story = Story().tell(withheld(SignalState.PENDING_DOC)).tell(TurnDocAsked(), minutes=3)
    story.tell(TurnReleased(due_at=at(60)), minutes=8)
    assert [(each.reason, each.owner, each.since) for each in story.turn.stretches] == [
        ("doc", "buyer", at(0)),
        ("doc", "erp", at(3)),
        ("queue", "station", at(8)),
    ]


_EVENTS = st.sampled_from(
    [
        TurnReleased(due_at=at(60)),
        TurnAcknowledged(),
        TurnRejected(reason="x"),
        TurnDocAsked(),
        TurnStarted(),
        DONE,
        TurnShipped(),
        TurnDocked(quantity=FOUR),
        TurnAborted(),
        TurnShort(),
        TurnRecalled(),
        TurnRecalled(withheld=True),
        TurnResumed(),
        TurnFailed(reason="x"),
        TurnRecovered(),
        TurnCorrected(step=""),
        TurnCorrected(step="COMPLETED"),
        TurnReverted(step="IN_PROCESS"),
        CardHeld(reason="x"),
        CardUnheld(),
    ]
)


@given(
    kind=st.sampled_from([StationKind.PROCESS, StationKind.SUPPLIER]),
    state=st.sampled_from([SignalState.UNRELEASED, SignalState.ACCUMULATING, SignalState.PENDING_DOC]),
    drawn=st.lists(st.tuples(_EVENTS, st.sampled_from([-3, 0, 0, 1, 9]), st.booleans()), max_size=15),
)
def test_the_waits_that_were_followed_are_those_of_the_state(
    kind: StationKind, state: SignalState, drawn: Sequence[tuple[Event, int, bool]]
) -> None:
    """However rarely one looks: a wait a stretch, in order, none of them backwards, the open one by the state."""
    story, now = Story(kind).tell(withheld(state)), 0
    for event, minutes, follow in drawn:
        try:
            story.tell(event, minutes=now + minutes, follow=follow)
        except Inconsistent:
            continue  # a second release
        now = max(now, now + minutes)
    story.follow()
    assert story.waits_for == due_of(story.turn)
    assert all(one.since < other.since for one, other in pairwise(story.turn.stretches))
    assert all(
        (one.reason, one.owner) != (other.reason, other.owner)
        for one, other in pairwise(story.turn.stretches)
    )
    waits = story.waits.changed
    assert all(wait.closed_at is not None and wait.closed_at >= wait.opened_at for wait in waits[:-1])
    assert all(one.closed_at <= other.opened_at for one, other in pairwise(waits) if one.closed_at)


# -- along the events ----------------------------------------------------------------------------------
def lived() -> Story:
    """A whole life: gathered, asked for, filled in one scan, refused at the door, sent, received."""
    story = Story().tell(withheld(SignalState.ACCUMULATING))
    story.tell(TurnReleased(due_at=at(60)), minutes=30)
    story.tell(TurnStarted(), DONE, minutes=50)
    story.refuse(60)
    story.tell(TurnShipped(), minutes=70)
    return story.tell(TurnReceived(quantity=FOUR, asked=FOUR), minutes=90)


def test_a_turns_life_is_cut_into_waits() -> None:
    story = lived()
    assert story.told == [
        ("accumulate", "planner", at(0), at(30)),
        ("queue", "station", at(30), at(50)),
        ("collect", "handler", at(50), at(60)),
        ("receiver_not_ready", "receiving", at(60), at(70)),
    ]
    assert story.waits.open is None


def test_a_turn_that_was_seldom_looked_at_has_the_same_waits() -> None:
    story = Story()
    story.tell(withheld(SignalState.ACCUMULATING), follow=False)
    story.tell(TurnReleased(due_at=at(60)), minutes=30, follow=False)
    story.tell(TurnStarted(), DONE, minutes=50)
    assert story.told == [
        ("accumulate", "planner", at(0), at(30)),
        ("queue", "station", at(30), at(50)),
        ("collect", "handler", at(50), None),
    ]


def test_the_receiver_that_has_no_room_is_told_once() -> None:
    story = Story().tell(RELEASED, DONE)
    story.refuse(4)
    story.refuse(6)
    assert story.told == [
        ("collect", "handler", at(0), at(4)),
        ("receiver_not_ready", "receiving", at(4), None),
    ]


def test_steps_implied_by_one_scan_are_no_waits() -> None:
    story = Story().tell(RELEASED)
    story.tell(TurnStarted(), DONE, TurnReceived(quantity=FOUR, asked=FOUR), minutes=9)
    assert story.told == [("queue", "station", at(0), at(9))]


def test_the_same_reason_goes_on_as_one_wait() -> None:
    story = Story().tell(RELEASED).tell(TurnAcknowledged(), minutes=5)
    assert story.told == [("queue", "station", at(0), None)]


def test_a_late_event_ends_no_wait_before_it_began() -> None:
    story = Story().tell(RELEASED, minutes=10).tell(TurnStarted(), minutes=4)
    assert story.told == [("queue", "station", at(10), at(10))]


@given(again=st.lists(st.integers(1, 6), max_size=12))
def test_stretches_taken_again_change_nothing(again: list[int]) -> None:
    story = lived()
    before = story.told
    for many in again:
        story.waits.take(story.turn.stretches[:many], uuid4)
    assert story.told == before
    assert story.waits.open is None


def test_the_events_carry_what_a_reader_needs() -> None:
    story = Story().tell(withheld(SignalState.ACCUMULATING)).tell(TurnReleased(due_at=at(60)), minutes=30)
    because = story.loop.seq
    story.tell(TurnStarted(), DONE, minutes=50)
    wait = story.waits.changed[1]
    turn = uuid4()
    begun = opened(wait, card_id=3, number=7, turn=turn, seq=20)
    assert (begun.type, begun.occurred_at, begun.card_id, begun.turn_number) == ("wait.opened", at(30), 3, 7)
    assert begun.event == WaitOpened(wait=wait.id, reason="queue", owner="station", because=because)
    pause: list[dict[str, Any]] = [
        {"days": ["mon"], "start": "08:00", "end": "17:00", "breaks": [["09:35", "09:45"]]}
    ]
    ended = closed(wait, WorkCalendar("UTC", pause), card_id=3, number=7, turn=turn, seq=21)
    assert ended.occurred_at == at(50)
    assert isinstance(ended.event, WaitClosed)
    assert (ended.event.minutes, ended.event.working_minutes) == (20.0, 10.0)
    assert ended.event.opened_at == at(30)


def test_an_id_is_given_to_each_wait() -> None:
    waits = lived().waits
    assert len({wait.id for wait in waits.changed}) == 4
    assert all(isinstance(wait.id, UUID) for wait in waits.changed)
