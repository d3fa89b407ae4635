"""Holding, losing, counting, correcting, answering: nothing is deleted and nothing asks twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from jitapp.kanban.vocabulary import Role
from jitapp.pull import actions
from jitapp.pull.models import Card, Event, LoopState, Turn, TurnLink
from jitapp.pull.scan_request import Source
from tests.floor import Floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    return floor


@pytest.fixture
def leader(floor: Floor) -> Source:
    return replace(
        floor.source,
        device_id=None,
        person_id=floor.person("lea").pk,
        roles={floor.plant.pk: frozenset({Role.LEADER})},
    )


# -- holds ---------------------------------------------------------------------------------------------
def test_a_held_card_withholds_its_signal_and_sends_it_on_release(floor: Floor, leader: Source) -> None:
    floor.scan("L1", 1, "empty")
    assert floor.scan("L1", 1, "hold", source=leader)["code"] == "reason_missing"
    assert floor.scan("L1", 1, "hold", source=leader, reason="scratches")["code"] == "held"
    assert floor.turn("L1", 1).signal_state == "UNRELEASED"
    assert floor.scan("L1", 1, "start")["code"] == "card_held"
    assert floor.scan("L1", 1, "release", source=leader)["code"] == "released"
    turn = floor.turn("L1", 1)
    assert (turn.signal_state, turn.number) == ("RELEASED", 1)


def test_a_held_container_is_not_usable_and_its_loop_runs_dry(floor: Floor, leader: Source) -> None:
    floor.scan("L1", 1, "empty")
    floor.scan("L1", 2, "hold", source=leader, reason="wrong colour")
    assert floor.open_runout("L1") is not None
    floor.scan("L1", 2, "release", source=leader)
    assert floor.open_runout("L1") is None


def test_an_operator_may_not_hold_and_is_told_so(floor: Floor) -> None:
    assert floor.scan("L1", 1, "hold", reason="x")["code"] == "not_allowed"


# -- lost and found ------------------------------------------------------------------------------------
def test_a_lost_card_takes_its_untouched_signal_back(floor: Floor) -> None:
    floor.scan("L1", 1, "empty")
    assert floor.scan("L1", 1, "lost")["code"] == "lost"
    assert floor.turn("L1", 1).signal_state == "CANCELLED"
    assert floor.scan("L1", 1, "start")["code"] == "card_lost"


def test_a_lost_card_found_after_its_replacement_sends_no_second_signal(floor: Floor, leader: Source) -> None:
    floor.scan("L1", 1, "empty")
    floor.scan("L1", 1, "lost")
    code = floor.replace_lost("L1", 1)
    assert Card.objects.get(code=code).card_status == "NEW"
    assert floor.scan("L1", 3, "activate")["code"] == "activated"
    before = Turn.objects.count()
    assert floor.scan("L1", 1, "found", source=leader)["code"] == "found_removed"
    assert Turn.objects.count() == before
    assert Event.objects.filter(type="turn.released", card__number=1).count() == 1


def test_a_lost_card_that_was_not_replaced_asks_again_when_found(floor: Floor, leader: Source) -> None:
    floor.scan("L1", 1, "empty")
    floor.scan("L1", 1, "lost")
    assert floor.scan("L1", 1, "found", source=leader)["code"] == "found"
    assert floor.turn("L1", 1).number == 2


def test_a_removed_card_says_where_it_goes(floor: Floor, leader: Source) -> None:
    assert floor.scan("L1", 1, "remove", source=leader, reason="worn")["code"] == "removed"
    answer = floor.scan("L1", 1, "empty")
    assert answer["code"] == "card_retired"
    assert answer["next"] == "Put this card in the red box."


# -- counts and corrections ------------------------------------------------------------------------------
def test_a_count_is_an_assertion_and_its_difference_is_posted(floor: Floor) -> None:
    answer = floor.scan("L1", 1, "count", quantity=3)
    assert answer["code"] == "counted"
    event = Event.objects.get(type="scan.applied", data__intent="count")
    assert (event.data["expected"], event.data["found"], event.data["difference"]) == ("4", "3", "-1")
    assert floor.card("L1", 1).contents == 3


def test_a_count_of_zero_empties_and_asks(floor: Floor) -> None:
    floor.scan("L1", 1, "count", quantity=0)
    assert floor.status("L1")[0] == "EMPTY"
    assert floor.turn("L1", 1).signal_state == "RELEASED"


def test_a_leader_corrects_to_what_is_true(floor: Floor, leader: Source) -> None:
    floor.scan("L1", 1, "empty")
    answer = floor.scan("L1", 1, "correct", source=leader, status="FULL", quantity=4, reason="was not empty")
    assert answer["code"] == "corrected"
    turn = floor.turn("L1", 1)
    assert (turn.signal_state, turn.reason) == ("CLOSED", "was not empty")
    answer = floor.scan("L1", 1, "correct", source=leader, status="EMPTY", reason="was not full")
    assert floor.turn("L1", 1).number == 2
    answer = floor.scan("L1", 1, "correct", source=leader, status="COMPLETED", reason="found at the cell")
    assert (floor.turn("L1", 1).step, floor.status("L1")[0]) == ("COMPLETED", "COMPLETED")
    assert answer["outcome"] == "applied"


# -- suppliers -------------------------------------------------------------------------------------------
def supplied(**more: Any) -> Floor:
    floor = Floor()
    floor.station("ACME", "SUPPLIER")
    floor.station("LINE")
    floor.loop(
        "S1", part="SCREW", supply="ACME", demand="LINE", kind="SUPPLIER", cards=2, quantity=100, **more
    )
    floor.scan("S1", 1, "empty")
    return floor


def test_a_supplier_acknowledges_promises_ships_and_the_dock_receives() -> None:
    floor = supplied(gr_policy="SEPARATE")
    when = floor.now + timedelta(days=2)
    assert floor.scan("S1", 1, "acknowledge", at="ACME", promised_at=when)["code"] == "acknowledged"
    turn = floor.turn("S1", 1)
    assert (turn.signal_state, turn.promised_at, turn.owner) == ("ACKNOWLEDGED", when, "supplier")
    assert floor.scan("S1", 1, "ship", at="ACME", quantity=90, reason="short")["code"] == "loaded"
    assert floor.scan("S1", 1, "dock")["code"] == "docked"
    assert floor.turn("S1", 1).owner == "receiving"
    assert floor.scan("S1", 1, "receive", reason="short")["code"] == "received"
    turn = floor.turn("S1", 1)
    assert (turn.received, turn.asked, turn.reason) == (Decimal(90), Decimal(100), "short")


def test_a_dock_receipt_may_set_the_card_full() -> None:
    floor = supplied(gr_policy="RECEIPT_SETS_FULL")
    floor.scan("S1", 1, "ship", at="ACME")
    assert floor.scan("S1", 1, "dock")["code"] == "received"
    assert floor.status("S1")[0] == "FULL"


def test_a_rejected_signal_is_the_buyers_and_can_be_released_again() -> None:
    floor = supplied()
    floor.scan("S1", 1, "reject", at="ACME", reason="no steel")
    turn = floor.turn("S1", 1)
    assert (turn.signal_state, turn.owner) == ("REJECTED", "buyer")
    assert floor.card("S1", 1).out_of_stock
    assert floor.scan("S1", 1, "release", at="ACME", reason="second source")["code"] == "released"
    assert floor.turn("S1", 1).signal_state == "RELEASED"


def test_a_cancelled_signal_waits_until_somebody_releases_it() -> None:
    floor = supplied()
    erp = replace(floor.source, placeless=True)
    assert floor.scan("S1", 1, "cancel", source=erp, reason="order changed")["code"] == "cancelled"
    assert floor.status("S1")[0] == "WAIT"
    assert floor.scan("S1", 1, "release", source=erp)["code"] == "released"
    assert floor.turn("S1", 1).number == 2


# -- gathering -------------------------------------------------------------------------------------------
def test_signals_are_gathered_and_go_out_together() -> None:
    floor = Floor()
    floor.station("PRESS")
    floor.station("LINE")
    floor.loop(
        "P1",
        part="LID",
        supply="PRESS",
        demand="LINE",
        kind="PRODUCTION",
        cards=5,
        accumulate="CARDS",
        accumulate_cards=3,
    )
    assert floor.scan("P1", 1, "empty")["code"] == "emptied_gathers"
    assert floor.scan("P1", 2, "empty")["code"] == "emptied_gathers"
    assert floor.turn("P1", 1).owner == "planner"
    assert floor.scan("P1", 3, "empty")["code"] == "emptied"
    turns = Turn.objects.filter(loop__code="P1")
    assert {turn.signal_state for turn in turns} == {"RELEASED"}
    assert len({turn.batch for turn in turns}) == 1


def test_a_dry_loop_waits_for_no_batch() -> None:
    floor = Floor()
    floor.station("PRESS")
    floor.station("LINE")
    floor.loop(
        "P1",
        part="LID",
        supply="PRESS",
        demand="LINE",
        kind="PRODUCTION",
        cards=2,
        accumulate="CARDS",
        accumulate_cards=9,
    )
    floor.scan("P1", 1, "empty")
    floor.scan("P1", 2, "empty")
    assert {turn.signal_state for turn in Turn.objects.filter(loop__code="P1")} == {"RELEASED"}
    assert Event.objects.filter(type="turn.released", data__why="runout").count() == 2


def gathering(cards: int, batch: int) -> Floor:
    floor = Floor()
    floor.station("PRESS")
    floor.station("LINE")
    floor.loop(
        "P1",
        part="LID",
        supply="PRESS",
        demand="LINE",
        kind="PRODUCTION",
        cards=cards,
        accumulate="CARDS",
        accumulate_cards=batch,
        lead_time_minutes=60,
    )
    return floor


def test_a_near_runout_waits_for_no_batch_either() -> None:
    """One that was asked for is late; one that was emptied since would wait for another."""
    floor = gathering(cards=3, batch=2)
    for number in (1, 2):
        floor.scan("P1", number, "empty")
    floor.scan("P1", 1, "receive")
    floor.scan("P1", 1, "empty")
    actions.sweep(now=floor.now)
    assert floor.turn("P1", 1).signal_state == "ACCUMULATING"
    floor.now += timedelta(hours=2)
    actions.sweep(now=floor.now)
    assert LoopState.objects.get(loop__code="P1").near_since == floor.now
    assert floor.turn("P1", 1).signal_state == "RELEASED"
    told = Event.objects.get(type="turn.released", data__why="near-runout")
    assert told.card_id == floor.card("P1", 1).pk
    assert floor.open_runout("P1") is None
    before = Event.objects.count()
    actions.sweep(now=floor.now)
    assert Event.objects.count() == before


def test_a_last_container_that_is_used_up_before_the_next_can_come_is_a_near_runout() -> None:
    """Nothing is late yet: by the pace of the last turns the container lasts shorter than a refill takes."""
    floor = gathering(cards=4, batch=3)
    for _round in range(3):
        for number in (1, 2, 3):
            floor.scan("P1", number, "empty", after=5)
        for number in (1, 2, 3):
            floor.scan("P1", number, "receive", after=1)
    floor.scan("P1", 1, "empty", after=5)
    floor.scan("P1", 2, "empty", after=5)
    assert floor.turn("P1", 2).signal_state == "ACCUMULATING"
    actions.sweep(now=floor.now)
    assert LoopState.objects.get(loop__code="P1").near_since is None  # two are left
    leader = replace(floor.source, roles={floor.plant.pk: frozenset({Role.LEADER})})
    floor.scan("P1", 4, "hold", reason="check", source=leader)
    actions.sweep(now=floor.now)
    assert LoopState.objects.get(loop__code="P1").near_since == floor.now
    assert {floor.turn("P1", number).signal_state for number in (1, 2)} == {"RELEASED"}


def test_the_triangle_releases_the_lot_when_what_is_left_reaches_it() -> None:
    floor = Floor()
    floor.station("PRESS")
    floor.station("LINE")
    floor.loop(
        "P1",
        part="LID",
        supply="PRESS",
        demand="LINE",
        kind="PRODUCTION",
        cards=5,
        quantity=10,
        accumulate="QUANTITY",
        lot_quantity=Decimal(40),
        triangle_quantity=Decimal(20),
    )
    for number in (1, 2):
        assert floor.scan("P1", number, "empty")["code"] == "emptied_gathers"
    assert floor.scan("P1", 3, "empty")["code"] == "emptied"
    assert Turn.objects.filter(loop__code="P1", signal_state="RELEASED").count() == 3


def test_stock_strictly_below_the_level_asks_once_per_crossing() -> None:
    """The worked example: 150, 200 and 80 in stock against levels 100, 150 and 50 ask for nothing."""
    floor = Floor()
    floor.station("STORE", "SUPPLIER")
    floor.station("LINE", consumption="BACKFLUSH")
    for name, stock, level in (("A", 150, 100), ("B", 200, 150), ("C", 80, 50)):
        floor.loop(
            name,
            part=f"COMPONENT-{name}",
            supply="STORE",
            demand="LINE",
            kind="SUPPLIER",
            cards=1,
            quantity=stock,
            trigger="ON_QTY",
            reorder_level=Decimal(level),
        )
    assert Turn.objects.count() == 0
    floor.scan("A", 1, "count", quantity=100, reason="used")
    assert Turn.objects.count() == 0  # at the level is not below it
    floor.scan("A", 1, "count", quantity=99)
    assert floor.turn("A", 1).signal_state == "RELEASED"
    for left in (90, 80, 101, 70):
        floor.scan("A", 1, "count", quantity=left)
    assert Turn.objects.count() == 1
    answer = floor.scan("A", 1, "receive")
    assert answer["code"] == "received", answer
    assert floor.card("A", 1).contents == 70 + 150


def test_an_order_waits_for_its_document_and_no_scan_waits_with_it() -> None:
    floor = supplied(doc_policy="WAIT_FOR_DOC_NUMBER")
    turn = floor.turn("S1", 1)
    assert (turn.signal_state, turn.owner) == ("PENDING_DOC", "buyer")
    assert floor.scan("S1", 1, "ship", at="ACME")["code"] == "not_released"


def test_the_first_piece_asks_where_the_loop_says_so() -> None:
    floor = Floor()
    floor.station("PRESS")
    floor.station("LINE")
    floor.loop("P1", part="LID", supply="PRESS", demand="LINE", trigger="ON_IN_USE", quantity=5)
    floor.scan("P1", 1, "open")
    assert floor.turn("P1", 1).signal_state == "RELEASED"
    assert floor.status("P1")[0] == "IN_USE"
    assert floor.scan("P1", 1, "empty")["code"] == "emptied_under_way"


def test_the_sibling_in_use_releases_the_card_that_waits() -> None:
    floor = Floor()
    floor.station("PRESS")
    floor.station("LINE")
    floor.loop(
        "P1",
        part="LID",
        supply="PRESS",
        demand="LINE",
        trigger="ON_SIBLING_IN_USE",
        quantity=5,
        kind="PRODUCTION",
    )
    floor.scan("P1", 2, "open")
    assert floor.scan("P1", 1, "empty")["code"] == "emptied_waits"
    assert floor.status("P1") == ["WAIT", "IN_USE"]
    floor.scan("P1", 2, "empty")
    assert Turn.objects.filter(signal_state="RELEASED").count() in (0, 2)


# -- the swap --------------------------------------------------------------------------------------------
def market(auto_detach: bool = False) -> Floor:
    floor = Floor()
    floor.station("CELL")
    floor.station("MARKET", "SUPERMARKET")
    floor.station("LINE")
    floor.loop("P", part="GEAR", supply="CELL", demand="MARKET", kind="PRODUCTION", cards=3, quantity=10)
    floor.loop(
        "W",
        part="GEAR",
        supply="MARKET",
        demand="LINE",
        kind="WITHDRAWAL",
        cards=2,
        quantity=10,
        auto_detach=auto_detach,
    )
    floor.scan("W", 1, "empty")
    return floor


def full_containers(floor: Floor) -> int:
    """C: every full container has exactly one card: those in the market plus those at or on the way to the line."""
    return Card.objects.filter(supply_status__in=["FULL", "IN_USE", "IN_TRANSIT"]).count()


def test_the_swap_takes_the_container_and_detaches_the_production_card_at_once() -> None:
    floor = market()
    before = full_containers(floor)
    answer = floor.scan("W", 1, "load", pair=floor.card("P", 1).code)
    assert answer["code"] == "swapped"
    assert floor.status("W")[0] == "IN_TRANSIT"
    assert floor.status("P")[0] == "EMPTY"
    assert floor.turn("P", 1).signal_state == "RELEASED"
    link = TurnLink.objects.get(kind="SWAP")
    assert (link.downstream, link.upstream_card) == (floor.turn("W", 1), floor.card("P", 1))
    assert full_containers(floor) == before
    assert floor.scan("W", 1, "receive")["code"] == "received"


def test_a_swap_interrupted_after_its_first_half_changes_nothing() -> None:
    floor = market()
    events = Event.objects.count()
    answer = floor.scan("W", 1, "load")
    assert (answer["outcome"], answer["code"]) == ("refused", "swap_incomplete")
    assert Event.objects.count() == events
    assert (floor.status("W")[0], floor.status("P")[0]) == ("EMPTY", "FULL")


def test_the_second_code_within_a_minute_completes_the_swap() -> None:
    floor = market()
    floor.scan("W", 1, None, at="MARKET")
    answer = floor.scan("P", 1, None, at="MARKET", after=0.5)
    assert answer["code"] == "swapped"
    assert answer["card"]["loop"] == "W"
    assert floor.status("P")[0] == "EMPTY"


def test_the_second_code_after_a_minute_is_a_scan_of_its_own() -> None:
    floor = market()
    floor.scan("W", 1, None, at="MARKET")
    answer = floor.scan("P", 1, "start", at="CELL", after=5)
    assert answer["code"] == "overproduction"
    assert floor.status("W")[0] == "EMPTY"


def test_the_oldest_container_goes_first_unless_a_reason_is_given() -> None:
    floor = market()
    assert floor.scan("W", 1, "load", pair=floor.card("P", 1).code)["code"] == "swapped"
    floor.cycle("P", 1)
    floor.scan("W", 1, "receive")
    floor.scan("W", 1, "empty")
    assert floor.scan("W", 1, "load", pair=floor.card("P", 1).code)["code"] == "swap_not_oldest"
    assert (
        floor.scan("W", 1, "load", pair=floor.card("P", 1).code, reason="damaged label")["code"] == "swapped"
    )


def test_software_detaches_the_card_where_the_loop_says_so() -> None:
    floor = market(auto_detach=True)
    floor.scan("W", 1, "load")
    floor.propagate()
    assert sorted(floor.status("P")) == ["EMPTY", "FULL", "FULL"]
    assert TurnLink.objects.get().downstream == floor.turn("W", 1)
