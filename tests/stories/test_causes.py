"""R5: why a loop was dry, and who had to act, is what its turn waited for, minute by minute: one vocabulary."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Loop
from jitapp.pull import actions
from tests.floor import Floor
from tests.stories.shops import last_runout, supermarket, supplied, two_bins, with_roles

HOUR = 60


def closed_with(floor: Floor, loop: str, cause: str, owner: str) -> None:
    """The runout is over, and stays with this cause."""
    assert floor.open_runout(loop) is None
    assert (last_runout(loop).cause, last_runout(loop).owner) == (cause, owner)


def open_with(floor: Floor, loop: str, cause: str, owner: str) -> None:
    """The runout is open, and its candidate is this after the sweeper's round."""
    floor.propagate()
    actions.sweep(now=floor.now)
    runout = floor.open_runout(loop)
    assert runout is not None
    assert (runout.cause, runout.owner) == (cause, owner)


def bring_in(floor: Floor, loop: str, number: int = 1) -> None:
    """The rest of a turn, in four minutes."""
    for intent in ("start", "complete", "load", "receive"):
        floor.scan(loop, number, intent)


def test_r05_a_loop_of_one_card_is_dry_for_want_of_its_station_from_the_first_minute() -> None:
    floor = two_bins(cards=1)
    floor.scan("L", 1, "empty")
    runout = floor.open_runout("L")
    assert runout is not None
    assert (runout.cause, runout.owner) == ("queue", "station")
    floor.now += timedelta(minutes=2)
    bring_in(floor, "L")
    closed_with(floor, "L", "queue", "station")


def test_r05_nothing_is_accumulated_in_a_loop_that_gathers_nothing() -> None:
    floor = two_bins()
    floor.scan("L", 1, "empty")
    floor.scan("L", 1, "hold", reason="look", source=floor.leader())
    floor.scan("L", 1, "release", reason="fine", source=floor.leader(), after=HOUR)
    floor.scan("L", 2, "empty")
    open_with(floor, "L", "held", "person")
    bring_in(floor, "L")
    closed_with(floor, "L", "held", "person")


def test_r05_a_document_that_did_not_come_is_the_buyers() -> None:
    floor = supplied(cards=1, doc_policy="WAIT_FOR_DOC_NUMBER")
    floor.scan("S", 1, "empty")
    floor.now += timedelta(minutes=HOUR)
    open_with(floor, "S", "doc", "buyer")
    actions.give_document(turn=str(floor.turn("S", 1).uuid), document="4500017", now=floor.now)
    bring_in(floor, "S")
    closed_with(floor, "S", "doc", "buyer")


def test_r05_a_document_that_was_asked_for_is_the_erps() -> None:
    floor = supplied(cards=1, doc_policy="WAIT_FOR_DOC_NUMBER")
    floor.scan("S", 1, "empty")
    floor.now += timedelta(minutes=1)
    actions.ask_for_documents([floor.turn("S", 1).uuid], now=floor.now)
    floor.now += timedelta(minutes=HOUR)
    open_with(floor, "S", "doc", "erp")
    actions.give_document(turn=str(floor.turn("S", 1).uuid), document="4500017", now=floor.now)
    bring_in(floor, "S")
    closed_with(floor, "S", "doc", "erp")


def test_r05_a_silent_supplier_is_the_cause_until_he_answers() -> None:
    floor = supplied(cards=1)
    floor.scan("S", 1, "empty")
    floor.now += timedelta(minutes=HOUR)
    open_with(floor, "S", "ack", "supplier")
    floor.scan("S", 1, "acknowledge", at="ACME")
    bring_in(floor, "S")
    closed_with(floor, "S", "ack", "supplier")


def test_r05_a_supplier_who_answered_and_sends_nothing_is_another_cause() -> None:
    floor = supplied(cards=1)
    floor.scan("S", 1, "empty")
    floor.scan("S", 1, "acknowledge", at="ACME")
    floor.now += timedelta(minutes=HOUR)
    open_with(floor, "S", "supplier", "supplier")
    bring_in(floor, "S")
    closed_with(floor, "S", "supplier", "supplier")


def test_r05_a_rejected_order_is_the_buyers() -> None:
    floor = supplied(cards=1)
    floor.scan("S", 1, "empty")
    floor.scan("S", 1, "reject", at="ACME", reason="no steel")
    floor.now += timedelta(minutes=HOUR)
    open_with(floor, "S", "rejected", "buyer")
    buyer = with_roles(floor, "bea", Role.BUYER)
    floor.scan("S", 1, "release", reason="second source", source=buyer)
    bring_in(floor, "S")
    closed_with(floor, "S", "rejected", "buyer")


def test_r05_a_batch_that_waited_for_its_last_card_is_the_planners() -> None:
    floor = two_bins(cards=3, kind="PRODUCTION", accumulate="CARDS", accumulate_cards=2)
    floor.scan("L", 1, "empty")
    floor.scan("L", 2, "empty", after=HOUR)
    floor.scan("L", 3, "empty")
    open_with(floor, "L", "accumulate", "planner")
    bring_in(floor, "L")
    closed_with(floor, "L", "accumulate", "planner")


def test_r05_a_card_that_its_supply_source_must_authorise_is_withheld_by_the_station() -> None:
    floor = two_bins(cards=1, independent_supply=True)
    floor.scan("L", 1, "empty")
    floor.now += timedelta(minutes=HOUR)
    open_with(floor, "L", "withheld", "station")
    floor.scan("L", 1, "release", at="CELL")
    bring_in(floor, "L")
    closed_with(floor, "L", "withheld", "station")


def test_r05_an_order_that_failed_in_the_erp_is_the_buyers_error() -> None:
    floor = supplied(cards=1)
    floor.scan("S", 1, "empty")
    floor.now += timedelta(minutes=1)
    actions.fail_turn(floor.turn("S", 1).uuid, reason="4500017 is closed", now=floor.now)
    floor.now += timedelta(minutes=HOUR)
    open_with(floor, "S", "error", "buyer")
    actions.recover_turn(floor.turn("S", 1).uuid, now=floor.now)
    bring_in(floor, "S")
    closed_with(floor, "S", "error", "buyer")


def test_r05_an_empty_supermarket_is_the_cause_for_those_who_wait_at_it() -> None:
    floor = supermarket(withdrawals=1, productions=1)
    floor.scan("P", 1, "correct", status="EMPTY", reason="spilt", source=floor.leader())
    floor.scan("W", 1, "empty")
    assert floor.scan("W", 1, None, at="SM")["code"] == "supply_short"
    floor.now += timedelta(minutes=HOUR)
    open_with(floor, "W", "supply_short", "station")
    bring_in(floor, "P")
    floor.propagate()
    floor.scan("W", 1, None, at="SM")
    assert floor.scan("P", 1, None, at="SM", after=0.5)["code"] == "swapped"
    floor.scan("W", 1, "receive")
    closed_with(floor, "W", "supply_short", "station")


STEPS: list[tuple[str, Callable[[], Floor], str, str, str]] = [
    ("before start", lambda: two_bins(cards=1), "start", "queue", "station"),
    ("before complete", lambda: two_bins(cards=1), "complete", "process", "station"),
    ("before load", lambda: two_bins(cards=1), "load", "collect", "handler"),
    ("before receive", lambda: two_bins(cards=1), "receive", "transit", "handler"),
    ("making at a supplier", lambda: supplied(cards=1), "complete", "process", "supplier"),
    ("transport from a supplier", lambda: supplied(cards=1), "receive", "transit", "handler"),
]


@pytest.mark.parametrize(
    ("shop", "slow", "cause", "owner"), [row[1:] for row in STEPS], ids=[row[0] for row in STEPS]
)
def test_r05_the_slowest_step_of_the_way_is_the_cause(
    shop: Callable[[], Floor], slow: str, cause: str, owner: str
) -> None:
    floor = shop()
    loop = Loop.objects.get().code
    floor.scan(loop, 1, "empty")
    for intent in ("start", "complete", "load", "receive"):
        if intent == slow:
            floor.now += timedelta(minutes=HOUR)
            open_with(floor, loop, cause, owner)
        floor.scan(loop, 1, intent)
    closed_with(floor, loop, cause, owner)


def test_r05_a_container_that_stands_at_the_dock_is_receivings() -> None:
    floor = supplied(cards=1, gr_policy="SEPARATE")
    floor.scan("S", 1, "empty")
    floor.scan("S", 1, "load")
    floor.scan("S", 1, "dock", at="LINE")
    floor.now += timedelta(minutes=HOUR)
    open_with(floor, "S", "put_away", "receiving")
    floor.scan("S", 1, "receive")
    closed_with(floor, "S", "put_away", "receiving")


def test_r05_two_short_waits_for_one_reason_weigh_more_than_one_longer_stretch() -> None:
    floor = two_bins(cards=1)
    floor.scan("L", 1, "empty")
    floor.scan("L", 1, "start", after=20)
    floor.scan("L", 1, "abort", reason="tool", after=30)
    floor.scan("L", 1, "start", after=20)
    floor.scan("L", 1, "complete", after=1)
    floor.scan("L", 1, "load", after=1)
    floor.scan("L", 1, "receive", after=1)
    closed_with(floor, "L", "queue", "station")


def test_r05_the_turn_that_was_opened_first_should_have_come_back_first() -> None:
    floor = two_bins()
    floor.scan("L", 1, "empty")
    floor.scan("L", 1, "start")
    floor.scan("L", 2, "empty", after=30)
    floor.now += timedelta(minutes=HOUR)
    open_with(floor, "L", "process", "station")
    bring_in(floor, "L", 2)
    closed_with(floor, "L", "process", "station")


def test_r05_a_loop_put_on_hold_ends_its_runout_with_that_reason() -> None:
    floor = two_bins(cards=1)
    floor.scan("L", 1, "empty")
    floor.now += timedelta(minutes=HOUR)
    actions.hold_loop(loop_id=Loop.objects.get().pk, reason="audit", now=floor.now)
    closed_with(floor, "L", "loop_on_hold", "planner")


def test_r05_an_order_taken_back_leaves_nobody_asked() -> None:
    floor = two_bins(cards=1)
    floor.scan("L", 1, "empty")
    floor.scan("L", 1, "cancel", reason="not needed", source=floor.leader())
    floor.now += timedelta(minutes=HOUR)
    open_with(floor, "L", "no_signal", "planner")
