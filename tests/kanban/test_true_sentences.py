"""Sentences held against the state beside them: what is said is true, and says what to do next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jitapp.kanban.answers import say
from jitapp.kanban.ledger import Decision
from jitapp.kanban.vocabulary import LoopKind, SignalState, StationKind, SupplyStatus, Trigger
from tests.kanban.loops import SUPPLY, Bench, make_loop
from tests.kanban.test_answers import swapped_with

UTC = ZoneInfo("UTC")


def told(bench: Bench, decision: Decision) -> tuple[str, str]:
    """The sentence and the next step as a person reads them."""
    return say(decision.code, decision.facts, time_zone=UTC, now=bench.now)


@pytest.fixture
def bench() -> Bench:
    return Bench(make_loop())


@pytest.fixture
def early() -> Bench:
    """Card 1 is IN_USE and was asked for at its first piece: at 9:10."""
    bench = Bench(
        make_loop(trigger=Trigger.ON_IN_USE, kind=LoopKind.SUPPLIER, supply_kind=StationKind.SUPPLIER)
    )
    bench.scan(1, "open")
    return bench


# -- a container in use whose refill is under way ---------------------------------------------------------
def test_a_second_start_is_told_when_the_first_one_was(early: Bench) -> None:
    early.scan(1, "start", minutes=20)
    decision = early.scan(1, "start", minutes=30)
    assert told(early, decision)[0].startswith("PART card 1 of 2 is already IN PROCESS since 09:30")


def test_a_second_start_told_late_says_nothing_new(early: Bench) -> None:
    early.scan(1, "start", minutes=20)
    late = early.scan(1, "start", occurred_at=early.now - timedelta(minutes=5), device_id=8)
    assert late.code == "already"
    assert early.scan(1, "abort", minutes=20).code == "aborted"
    parked = early.scan(1, "abort", occurred_at=early.now - timedelta(minutes=5), device_id=8)
    assert parked.code == "late_conflict"


@pytest.mark.parametrize(
    ("intent", "facts", "message"),
    [
        ("load", {"minutes": 1}, "PART card 1 of 2 is already IN TRANSIT since 09:20"),
        ("start", {}, "PART card 1 of 2 is IN TRANSIT; start does not follow."),
        ("acknowledge", {}, "PART card 1 of 2 is already IN TRANSIT."),
        ("reject", {"reason": "no steel"}, "PART card 1 of 2 is already IN TRANSIT."),
    ],
)
def test_an_answer_about_the_refill_names_where_that_is(
    early: Bench, intent: str, facts: dict[str, Any], message: str
) -> None:
    early.scan(1, "load")
    assert told(early, early.scan(1, intent, at=SUPPLY, **facts))[0].startswith(message)


def test_a_dock_is_told_where_the_refill_is(early: Bench) -> None:
    early.scan(1, "start")
    assert told(early, early.scan(1, "dock"))[0] == "PART card 1 of 2 is IN PROCESS, not on its way."


# -- rejected ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("intent", ["acknowledge", "promise", "reject", "start", "ship", "receive"])
def test_nobody_is_sent_on_with_a_signal_that_was_rejected(bench: Bench, intent: str) -> None:
    bench.scan(1, "empty")
    bench.scan(1, "reject", at=SUPPLY, reason="no steel")
    tomorrow = bench.now + timedelta(days=1)
    decision = bench.scan(1, intent, reason="x", is_leader=True, promised_at=tomorrow)
    assert decision.code == "signal_rejected"
    assert told(bench, decision) == (
        "PART card 1 of 2: Maker rejected it.",
        "The buyer must release it again first.",
    )


def test_a_rejected_signal_is_not_corrected_into_work(bench: Bench) -> None:
    bench.scan(1, "empty")
    bench.scan(1, "reject", at=SUPPLY, reason="no steel")
    decision = bench.scan(1, "correct", reason="x", is_leader=True, target=SupplyStatus.IN_PROCESS)
    assert decision.code == "signal_rejected"


# -- cards that go out --------------------------------------------------------------------------------------
EMPTIES: list[tuple[str, dict[str, Any]]] = [
    ("count", {"quantity": 0}),
    ("correct", {"target": SupplyStatus.EMPTY, "reason": "gone", "is_leader": True}),
]


@pytest.mark.parametrize(("intent", "facts"), EMPTIES)
def test_a_surplus_card_goes_into_the_red_box_however_it_became_empty(
    bench: Bench, intent: str, facts: dict[str, Any]
) -> None:
    bench.loop.surplus_due = 1
    decision = bench.scan(1, intent, **facts)
    assert (decision.code, bench.loop.cards[1].card_status) == ("emptied_surplus", "SURPLUS")
    assert told(bench, decision)[1] == "Put this card in the red box."


@pytest.mark.parametrize(
    ("intent", "facts"), [*EMPTIES, ("correct", EMPTIES[1][1] | {"target": SupplyStatus.WAIT})]
)
def test_so_does_a_card_whose_last_turn_is_over(bench: Bench, intent: str, facts: dict[str, Any]) -> None:
    bench.loop.cards[1].turns_left = 0
    decision = bench.scan(1, intent, **facts)
    assert (decision.code, bench.loop.cards[1].card_status) == ("emptied_last", "REMOVED")


def test_a_surplus_card_that_was_swapped_does_not_go_back_to_the_post() -> None:
    decision = swapped_with(surplus_due=1).decision
    assert decision.code == "swapped_out"
    assert (
        "card 1 in the red box"
        in say(decision.code, decision.facts, time_zone=UTC, now=Bench(make_loop()).now)[1]
    )


# -- nothing to do ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("brought", "intent"), [("FULL", "receive"), ("IN_USE", "open")])
def test_a_container_that_nobody_asked_for_has_no_due_date(bench: Bench, brought: str, intent: str) -> None:
    bench.bring(1, brought)
    decision = bench.scan(1, intent)
    assert (decision.code, told(bench, decision)[1]) == ("already_done", "Nothing to do.")


def test_a_container_that_was_asked_for_has_one(bench: Bench) -> None:
    bench.scan(1, "empty")
    assert told(bench, bench.scan(1, "empty"))[1] == "Nothing to do. Due 10:10."


# -- taken back ----------------------------------------------------------------------------------------------
def test_the_signal_of_a_container_in_use_is_taken_back_and_its_card_does_not_wait(early: Bench) -> None:
    decision = early.scan(1, "recall", is_leader=True)
    assert decision.code == "recalled"
    assert told(early, decision)[0] == "PART card 1 of 2: the signal is taken back."
    again = early.scan(1, "recall", is_leader=True)
    assert again.code == "already_recalled"
    assert told(early, again) == (
        "PART card 1 of 2: its signal is withheld already.",
        "It goes out once it is released.",
    )


def test_the_card_of_a_container_in_use_stays_on_it_when_its_signal_is_cancelled(early: Bench) -> None:
    decision = early.scan(1, "cancel", reason="no need", is_leader=True)
    assert decision.code == "cancelled_in_use"
    assert told(early, decision)[1] == "Leave the card on its container."


def test_a_cancelled_order_leaves_its_card_for_the_red_box(bench: Bench) -> None:
    bench.scan(1, "empty")
    bench.loop.cards[1].turns_left = 0
    assert bench.scan(1, "cancel", reason="no need", is_leader=True).code == "cancelled_last"


def test_nobody_keeps_a_lost_card_whose_signal_is_cancelled() -> None:
    bench = Bench(make_loop())
    bench.bring(1, "EMPTY")
    bench.scan(1, "acknowledge", at=SUPPLY)
    bench.scan(1, "lost")
    assert bench.loop.cards[1].turn is not None
    assert bench.scan(1, "cancel", reason="no need", is_leader=True).code == "cancelled_lost"


def test_a_cancelled_card_is_kept_until_it_is_released(bench: Bench) -> None:
    bench.scan(1, "empty")
    assert bench.scan(1, "cancel", reason="no need", is_leader=True).code == "cancelled"
    assert bench.scan(1, "release", is_leader=True).code == "released"
    turn = bench.loop.cards[1].turn
    assert turn is not None
    assert turn.signal_state is SignalState.RELEASED
