"""WAIT: an empty card that asks nobody, until it is released; and the supermarket that is empty (4.1, 4.2, 4.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jitapp.kanban.vocabulary import Role
from jitapp.pull import actions
from jitapp.pull.models import Event, Runout, Wait
from jitapp.pull.scan_request import Source
from tests.floor import Floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=3, quantity=4)
    return floor


def acting(floor: Floor, role: Role) -> Source:
    return replace(floor.source, roles={floor.plant.pk: frozenset({role})})


# -- put to WAIT, and out of it --------------------------------------------------------------------------
def test_the_demand_side_takes_a_signal_back_and_the_card_waits(floor: Floor) -> None:
    floor.scan("L1", 1, "empty")
    assert floor.scan("L1", 1, "recall", at="SMT")["code"] == "not_allowed"
    assert floor.scan("L1", 1, "recall", reason="order was cut")["code"] == "recalled"
    turn = floor.turn("L1", 1)
    assert (floor.status("L1")[0], turn.signal_state, turn.owner) == ("WAIT", "UNRELEASED", "station")
    assert floor.scan("L1", 1, "start")["code"] == "not_released"
    assert floor.scan("L1", 1, "recall")["code"] == "already_recalled"
    before = Event.objects.count()
    actions.sweep(now=floor.now)
    assert Event.objects.count() == before  # it waits until somebody releases it
    assert floor.scan("L1", 1, "release", at="SMT")["code"] == "released"
    turn = floor.turn("L1", 1)
    assert (floor.status("L1")[0], turn.signal_state, turn.number) == ("EMPTY", "RELEASED", 1)


def test_after_the_window_a_leader_must_agree_and_after_the_start_nobody_can(floor: Floor) -> None:
    floor.scan("L1", 1, "empty")
    assert floor.scan("L1", 1, "recall", after=10)["code"] == "recall_needs_leader"
    assert floor.scan("L1", 1, "recall", source=acting(floor, Role.LEADER))["code"] == "recalled"
    floor.scan("L1", 2, "empty")
    floor.scan("L1", 2, "start")
    assert floor.scan("L1", 2, "recall")["code"] == "too_late_to_cancel"


def test_an_independent_supply_source_releases_by_itself(floor: Floor) -> None:
    floor.loop("L2", part="LID", supply="SMT", demand="TEST", independent_supply=True)
    assert floor.scan("L2", 1, "empty")["code"] == "emptied_waits"
    assert floor.status("L2")[0] == "WAIT"
    actions.sweep(now=floor.now)
    assert floor.turn("L2", 1).signal_state == "UNRELEASED"
    assert floor.scan("L2", 1, "release", at="SMT")["code"] == "released"
    assert floor.status("L2")[0] == "EMPTY"


def test_with_the_one_card_trigger_an_emptied_card_waits_and_releases_the_one_that_waited(
    floor: Floor,
) -> None:
    floor.loop("L2", part="LID", supply="SMT", demand="TEST", trigger="ON_SIBLING_WAIT", kind="PRODUCTION")
    floor.scan("L2", 1, "empty")
    assert floor.status("L2")[0] == "WAIT"
    floor.scan("L2", 2, "empty")
    assert floor.status("L2") == ["EMPTY", "WAIT"]
    assert floor.turn("L2", 1).signal_state == "RELEASED"


def test_a_held_signal_waits_and_goes_out_when_the_hold_ends(floor: Floor) -> None:
    leader = acting(floor, Role.LEADER)
    floor.scan("L1", 1, "empty")
    floor.scan("L1", 1, "hold", source=leader, reason="scratches")
    assert floor.status("L1")[0] == "WAIT"
    actions.hold_loop(loop_id=floor.card("L1", 1).loop_id, reason="tool broken", now=floor.now)
    assert floor.scan("L1", 1, "release", source=leader)["code"] == "hold_released"
    assert floor.turn("L1", 1).signal_state == "UNRELEASED"
    actions.resume_loop(loop_id=floor.card("L1", 1).loop_id, now=floor.now)
    assert (floor.status("L1")[0], floor.turn("L1", 1).signal_state) == ("EMPTY", "RELEASED")


def test_what_waited_before_it_was_held_waits_on(floor: Floor) -> None:
    leader = acting(floor, Role.LEADER)
    floor.loop("L2", part="LID", supply="SMT", demand="TEST", independent_supply=True)
    floor.scan("L2", 1, "empty")
    floor.scan("L2", 1, "hold", source=leader, reason="check")
    assert floor.scan("L2", 1, "release", source=leader)["code"] == "hold_released"
    assert floor.status("L2")[0] == "WAIT"


def test_a_card_is_activated_to_wait_and_corrected_to_wait(floor: Floor) -> None:
    leader = acting(floor, Role.LEADER)
    floor.loop("L2", part="LID", supply="SMT", demand="TEST", first=None)
    assert floor.scan("L2", 1, "activate", status="WAIT")["code"] == "activated"
    assert (floor.status("L2")[0], floor.turn("L2", 1).signal_state) == ("WAIT", "UNRELEASED")
    assert floor.scan("L2", 2, "activate", status="EMPTY")["code"] == "activated"
    floor.scan("L2", 2, "start")
    answer = floor.scan("L2", 2, "correct", status="WAIT", reason="no steel", source=leader)
    assert answer["code"] == "corrected"
    turn = floor.turn("L2", 2)
    assert (floor.status("L2")[1], turn.signal_state, turn.step) == ("WAIT", "UNRELEASED", "")


# -- holds: what may still be done ---------------------------------------------------------------------------
def test_a_held_container_is_not_used_and_says_why_and_whom_to_ask(floor: Floor) -> None:
    leader = acting(floor, Role.LEADER)
    floor.scan("L1", 1, "hold", source=leader, reason="cracked")
    for intent in ("empty", "open", None):
        answer = floor.scan("L1", 1, intent, after=2)
        assert (answer["outcome"], answer["code"]) == ("refused", "card_held")
        assert "cracked" in answer["message"]
        assert "quality" in answer["next"]


def test_what_is_under_way_to_a_held_card_comes_in_and_no_signal_goes_out(floor: Floor) -> None:
    leader = acting(floor, Role.LEADER)
    floor.scan("L1", 1, "empty")
    floor.scan("L1", 1, "start")
    floor.scan("L1", 1, "hold", source=leader, reason="cracked")
    assert floor.turn("L1", 1).to_recall
    assert floor.scan("L1", 1, "receive")["code"] == "received"
    assert floor.scan("L1", 1, "empty")["code"] == "card_held"


def test_where_there_are_too_many_cards_only_an_emptied_one_goes_out(floor: Floor) -> None:
    loop = floor.card("L1", 1).loop_id
    leader = acting(floor, Role.LEADER)
    floor.scan("L1", 1, "lost")
    actions.resize_loop(loop_id=loop, cards=1, now=floor.now)
    assert floor.scan("L1", 1, "found", quantity=0, source=leader)["code"] == "found"
    assert floor.card("L1", 1).card_status == "IN_CIRCULATION"
    assert floor.turn("L1", 1).signal_state == "RELEASED"
    assert floor.scan("L1", 2, "empty")["code"] == "emptied_surplus"


def test_a_lost_card_is_not_moved_by_the_buyer_who_cancels_its_order(floor: Floor) -> None:
    floor.station("ACME", "SUPPLIER")
    floor.loop("S1", part="SCREW", supply="ACME", demand="TEST", kind="SUPPLIER")
    floor.scan("S1", 1, "empty")
    floor.scan("S1", 1, "acknowledge", at="ACME")
    floor.scan("S1", 1, "lost")
    leader = acting(floor, Role.LEADER)
    assert floor.scan("S1", 1, "cancel", source=leader, reason="replaced")["code"] == "cancelled_lost"
    card = floor.card("S1", 1)
    assert (card.card_status, card.supply_status) == ("LOST", "EMPTY")
    assert floor.turn("S1", 1).signal_state == "CANCELLED"


# -- the empty supermarket --------------------------------------------------------------------------------------
def market(*, auto_detach: bool = False, cards: int = 2) -> Floor:
    floor = Floor()
    floor.station("CELL")
    floor.station("MARKET", "SUPERMARKET")
    floor.station("LINE")
    floor.loop("P", part="GEAR", supply="CELL", demand="MARKET", kind="PRODUCTION", cards=1, quantity=10)
    floor.loop(
        "W",
        part="GEAR",
        supply="MARKET",
        demand="LINE",
        kind="WITHDRAWAL",
        cards=cards,
        quantity=10,
        auto_detach=auto_detach,
    )
    return floor


@pytest.mark.parametrize("intent", ["load", "start", None])
def test_a_withdrawal_without_a_full_container_waits_and_gets_the_next_one(intent: str | None) -> None:
    floor = market(cards=3)
    floor.scan("W", 1, "empty")
    assert floor.scan("W", 1, "load", pair=floor.card("P", 1).code)["code"] == "swapped"
    floor.scan("W", 2, "empty")
    floor.scan("W", 3, "empty")
    floor.propagate()
    answer = floor.scan("W", 2, intent, at="MARKET")
    assert (answer["outcome"], answer["code"]) == ("applied", "supply_short")
    assert floor.scan("W", 2, "load", after=5)["code"] == "already_short"
    turn = floor.turn("W", 2)
    assert (floor.status("W")[1], turn.signal_state, turn.owner) == ("WAIT", "UNRELEASED", "station")
    assert floor.card("W", 2).out_of_stock
    assert floor.scan("W", 2, "undo", after=0.1, at="MARKET")["code"] == "undo_nothing"
    floor.scan("W", 3, "load")
    floor.propagate()
    wait = Wait.objects.get(turn=turn, closed_at=None)
    assert (wait.reason, wait.owner) == ("supply_short", "station")
    assert floor.open_runout("P") is not None
    floor.cycle("P", 1)
    assert floor.open_runout("P") is None
    floor.propagate()
    assert floor.status("W")[1:] == ["EMPTY", "WAIT"]  # the oldest first, and one container serves one
    card = floor.card("W", 2)
    assert (card.urgent, card.out_of_stock, floor.turn("W", 2).signal_state) == (True, False, "RELEASED")
    assert floor.scan("W", 2, "load", pair=floor.card("P", 1).code)["code"] == "swapped"
    assert floor.scan("W", 2, "receive")["code"] == "received"
    assert not floor.card("W", 2).urgent


def test_the_consumers_runout_points_to_that_of_the_supermarket() -> None:
    floor = market(cards=1)
    floor.scan("P", 1, "count", quantity=0)
    floor.scan("W", 1, "empty")
    floor.scan("W", 1, "load")
    floor.propagate()
    dry = Runout.objects.get(loop__code="W", closed_at=None)
    assert dry.upstream is not None
    assert dry.upstream.loop.code == "P"


def test_where_software_detaches_it_also_sees_that_the_supermarket_is_empty() -> None:
    floor = market(auto_detach=True)
    floor.scan("W", 1, "empty")
    floor.propagate()
    assert floor.status("W")[0] == "EMPTY"  # there is one for it
    floor.scan("W", 1, "start")
    floor.propagate()
    floor.scan("W", 2, "empty")
    floor.propagate()
    assert floor.status("W")[1] == "WAIT"
    assert floor.turn("W", 2).signal_state == "UNRELEASED"
    floor.cycle("P", 1)
    floor.propagate()
    assert (floor.status("W")[1], floor.card("W", 2).urgent) == ("EMPTY", True)
    assert floor.scan("W", 2, "start")["code"] == "started"
    floor.propagate()
    assert floor.status("P") == ["EMPTY"]


def test_the_sweeper_finds_whoever_was_told_to_wait_in_vain() -> None:
    floor = market()
    floor.scan("P", 1, "count", quantity=0)
    floor.scan("W", 1, "empty")
    floor.scan("W", 1, "load")
    floor.propagate()
    leader = acting(floor, Role.LEADER)
    floor.cycle("P", 1)
    floor.scan("P", 1, "hold", source=leader, reason="check")
    floor.propagate()
    assert floor.status("W")[0] == "WAIT"
    floor.scan("P", 1, "release", source=leader)
    actions.sweep(now=floor.now)
    assert floor.status("W")[0] == "EMPTY"
