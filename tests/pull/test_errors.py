"""ERROR: what a turn needs beside the floor failed for good. Entered by the system only, left by people who say why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from jitapp.kanban.vocabulary import Role
from jitapp.pull import actions
from jitapp.pull.models import Event, Wait
from jitapp.pull.scan_request import Source
from tests.floor import Floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]
WHY = "4500017 was closed by purchasing"


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("ACME", "SUPPLIER")
    floor.station("LINE")
    floor.loop("S1", part="SCREW", supply="ACME", demand="LINE", kind="SUPPLIER", cards=3, quantity=100)
    return floor


def failed(floor: Floor, number: int = 1) -> None:
    turn = floor.turn("S1", number)
    floor.now += timedelta(minutes=1)
    assert actions.fail_turn(turn.uuid, reason=WHY, now=floor.now)


def acting(floor: Floor, role: Role) -> Source:
    return replace(floor.source, roles={floor.plant.pk: frozenset({role})})


def test_a_turn_that_failed_stands_in_error_with_its_reason_and_its_owner(floor: Floor) -> None:
    floor.scan("S1", 1, "empty")
    failed(floor)
    turn = floor.turn("S1", 1)
    assert floor.status("S1")[0] == "ERROR"
    assert (turn.failed, turn.owner, turn.signal_state) == (WHY, "buyer", "RELEASED")
    answer = floor.scan("S1", 1, "ship", at="ACME")
    assert answer["code"] == "card_in_error"
    assert WHY in answer["message"]
    floor.propagate()
    wait = Wait.objects.get(turn=turn, closed_at=None)
    assert (wait.reason, wait.owner) == ("error", "buyer")


def test_the_same_failure_told_twice_is_one(floor: Floor) -> None:
    floor.scan("S1", 1, "empty")
    failed(floor)
    assert not actions.fail_turn(floor.turn("S1", 1).uuid, reason=f" {WHY} ", now=floor.now)
    assert Event.objects.filter(type="turn.failed").count() == 1
    assert actions.fail_turn(floor.turn("S1", 1).uuid, reason="another", now=floor.now)
    assert floor.turn("S1", 1).failed == "another"


def test_nobody_scans_a_card_into_error(floor: Floor) -> None:
    assert floor.scan("S1", 1, "fail")["code"] == "move_not_known"
    leader = acting(floor, Role.LEADER)
    answer = floor.scan("S1", 1, "correct", status="ERROR", reason="x", source=leader)
    assert answer["code"] == "status_missing"


@pytest.mark.parametrize("intent", ["acknowledge", "promise", "reject", "dock", "cancel", "receive", "start"])
def test_nothing_goes_on_while_a_turn_stands_in_error(floor: Floor, intent: str) -> None:
    floor.scan("S1", 1, "empty")
    failed(floor)
    erp = replace(floor.source, placeless=True)
    answer = floor.scan("S1", 1, intent, source=erp, reason="x", promised_at=floor.now)
    assert (answer["outcome"], answer["code"]) == ("refused", "card_in_error")


def test_a_leader_corrects_what_is_true(floor: Floor) -> None:
    floor.scan("S1", 1, "empty")
    failed(floor)
    leader = acting(floor, Role.LEADER)
    answer = floor.scan("S1", 1, "correct", status="EMPTY", reason="ordered by phone", source=leader)
    assert answer["code"] == "corrected"
    turn = floor.turn("S1", 1)
    assert (floor.status("S1")[0], turn.failed, turn.owner) == ("EMPTY", "", "supplier")
    assert floor.scan("S1", 1, "ship", at="ACME")["code"] == "loaded"
    failed(floor)
    answer = floor.scan("S1", 1, "correct", status="FULL", reason="it came all the same", source=leader)
    assert (floor.status("S1")[0], floor.turn("S1", 1).signal_state) == ("FULL", "CLOSED")


def test_the_buyer_says_that_it_was_done_again_and_the_turn_goes_on_from_where_it_stood(floor: Floor) -> None:
    floor.scan("S1", 1, "empty")
    floor.scan("S1", 1, "ship", at="ACME")
    failed(floor)
    assert floor.status("S1")[0] == "ERROR"
    assert floor.scan("S1", 1, "retry")["code"] == "not_allowed"
    buyer = acting(floor, Role.BUYER)
    assert floor.scan("S1", 1, "retry", source=buyer, reason="opened again")["code"] == "recovered"
    assert floor.status("S1")[0] == "IN_TRANSIT"
    assert floor.scan("S1", 1, "retry", source=buyer)["code"] == "not_in_error"
    floor.propagate()
    assert not Wait.objects.filter(turn=floor.turn("S1", 1), closed_at=None).exists()
    assert floor.scan("S1", 1, "receive")["code"] == "received"


def test_the_system_lets_it_go_on_by_itself_once_the_call_succeeds(floor: Floor) -> None:
    floor.scan("S1", 1, "empty")
    failed(floor)
    turn = floor.turn("S1", 1).uuid
    floor.now += timedelta(minutes=1)
    assert actions.recover_turn(turn, why="the ERP answered", now=floor.now)
    assert not actions.recover_turn(turn, now=floor.now)
    assert floor.status("S1")[0] == "EMPTY"
    floor.propagate()
    assert Wait.objects.get(turn__uuid=turn, closed_at=None).reason == "ack"


def test_a_loop_whose_last_container_hangs_on_an_error_is_dry(floor: Floor) -> None:
    for number in (1, 2, 3):
        floor.scan("S1", number, "empty")
        failed(floor, number)
    assert floor.open_runout("S1") is not None
    leader = acting(floor, Role.LEADER)
    floor.scan("S1", 2, "correct", status="FULL", reason="found", source=leader)
    assert floor.open_runout("S1") is None


def test_what_is_left_in_a_container_is_used_up_while_its_refill_stands_in_error(floor: Floor) -> None:
    floor.loop(
        "S2", part="NUT", supply="ACME", demand="LINE", kind="SUPPLIER", trigger="ON_IN_USE", quantity=5
    )
    floor.scan("S2", 1, "open")
    assert actions.fail_turn(floor.turn("S2", 1).uuid, reason=WHY, now=floor.now)
    assert floor.status("S2")[0] == "IN_USE"
    assert floor.scan("S2", 1, "ship", at="ACME")["code"] == "card_in_error"
    answer = floor.scan("S2", 1, "empty")
    assert (answer["code"], floor.status("S2")[0]) == ("emptied_in_error", "ERROR")
    assert actions.recover_turn(floor.turn("S2", 1).uuid, now=floor.now)
    assert floor.status("S2")[0] == "EMPTY"


def test_a_hold_and_its_end_do_not_put_an_error_right(floor: Floor) -> None:
    floor.scan("S1", 1, "empty")
    failed(floor)
    leader = acting(floor, Role.LEADER)
    assert floor.scan("S1", 1, "hold", source=leader, reason="check")["code"] == "held"
    assert floor.scan("S1", 1, "release", source=leader)["code"] == "hold_released"
    assert floor.status("S1")[0] == "ERROR"
    assert floor.scan("S1", 1, "release", source=leader, reason="again")["code"] == "card_in_error"


def test_what_has_failed_is_not_undone(floor: Floor) -> None:
    floor.scan("S1", 1, "empty")
    failed(floor)
    assert floor.scan("S1", 1, "undo", after=0.1)["code"] == "card_in_error"


def test_the_sweeper_sends_no_signal_of_a_turn_that_stands_in_error(floor: Floor) -> None:
    floor.scan("S1", 1, "empty")
    failed(floor)
    before = Event.objects.count()
    actions.sweep(now=floor.now)
    assert Event.objects.count() == before


def test_what_is_not_open_does_not_fail(floor: Floor) -> None:
    with pytest.raises(actions.Refused, match="no such turn"):
        actions.fail_turn("00000000-0000-4000-8000-000000000000", reason="x", now=floor.now)
    floor.scan("S1", 1, "empty")
    with pytest.raises(actions.Refused, match="needs a reason"):
        actions.fail_turn(floor.turn("S1", 1).uuid, reason=" ", now=floor.now)
    floor.scan("S1", 1, "receive")
    with pytest.raises(actions.Refused, match="closed"):
        actions.fail_turn(floor.turn("S1", 1).uuid, reason="x", now=floor.now)


def test_an_order_made_anew_gives_its_number_and_the_turn_goes_on(floor: Floor) -> None:
    floor.loop(
        "S2", part="NUT", supply="ACME", demand="LINE", kind="SUPPLIER", doc_policy="WAIT_FOR_DOC_NUMBER"
    )
    floor.scan("S2", 1, "empty")
    turn = str(floor.turn("S2", 1).uuid)
    actions.fail_turn(turn, reason="the ERP knows no vendor ACME", now=floor.now)
    actions.give_document(turn=turn, document="4500017", now=floor.now)
    assert (floor.status("S2")[0], floor.turn("S2", 1).signal_state) == ("EMPTY", "RELEASED")
    actions.fail_turn(turn, reason="4500017 was closed", now=floor.now)
    actions.give_document(turn=turn, document="4500018", now=floor.now)
    found = floor.turn("S2", 1)
    assert (found.document, found.failed, found.signal_state) == ("4500018", "", "RELEASED")
