"""R16: each sentence is held against the state beside it."""

from __future__ import annotations

from datetime import timedelta

from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Loop, Membership
from tests.floor import Floor
from tests.stories.shops import two_bins


def test_r16_a_card_that_its_sibling_released_in_the_same_scan_is_not_said_to_wait() -> None:
    floor = two_bins(trigger="ON_SIBLING_IN_USE")
    answer = floor.scan("L", 1, "empty")
    assert floor.status("L") == ["EMPTY", "IN_USE"]
    assert floor.turn("L", 1).signal_state == "RELEASED"
    assert answer["code"] == "emptied"
    assert "waits" not in answer["message"]


def test_r16_a_card_that_does_wait_is_said_to_wait() -> None:
    floor = two_bins(cards=3, trigger="ON_SIBLING_IN_USE")
    floor.scan("L", 1, "open")
    answer = floor.scan("L", 2, "empty")
    assert floor.turn("L", 2).signal_state == "UNRELEASED"
    assert "waits until Cell" in answer["message"]


def test_r16_a_loop_without_a_start_does_not_expect_one() -> None:
    floor = two_bins(sequence={"IN_PROCESS": "PROHIBITED"})
    floor.scan("L", 1, "empty")
    answer = floor.scan("L", 1, "start")
    assert answer["code"] == "step_prohibited"
    assert "start" not in answer["next"]
    assert "complete" in answer["next"]
    assert floor.scan("L", 1, "complete")["outcome"] == "applied"


def test_r16_a_loop_without_completions_expects_what_comes_next() -> None:
    floor = two_bins(sequence={"COMPLETED": "PROHIBITED"})
    floor.scan("L", 1, "empty")
    floor.scan("L", 1, "start")
    answer = floor.scan("L", 1, "complete")
    assert answer["code"] == "step_prohibited"
    assert "complete" not in answer["next"]
    assert "load" in answer["next"]
    assert floor.scan("L", 1, "load")["outcome"] == "applied"


def test_r16_a_loop_without_any_of_them_expects_the_receipt() -> None:
    prohibited = dict.fromkeys(("IN_PROCESS", "COMPLETED", "IN_TRANSIT"), "PROHIBITED")
    floor = two_bins(sequence=prohibited)
    floor.scan("L", 1, "empty")
    answer = floor.scan("L", 1, "start")
    assert answer["code"] == "step_prohibited"
    assert "receive" in answer["next"]
    assert floor.scan("L", 1, "receive")["outcome"] == "applied"


def test_r16_an_opened_container_is_in_use_since_it_was_opened() -> None:
    floor = two_bins()
    floor.scan("L", 1, "empty", after=33)
    opened = floor.now
    assert floor.status("L")[1] == "IN_USE"
    answer = floor.scan("L", 2, "open", after=10)
    assert answer["code"] == "already_done"
    assert f"IN USE since {opened:%H:%M}" in answer["message"]


def test_r16_a_container_emptied_by_its_last_draw_is_empty_since_then() -> None:
    floor = Floor()
    floor.station("MAKER", "SUPPLIER")
    floor.station("SMT", consumption="BACKFLUSH")
    floor.station("TEST")
    floor.bill("BOARD", BLANK=1)
    floor.loop("A", part="BLANK", supply="MAKER", demand="SMT", kind="SUPPLIER", quantity=4)
    floor.loop("B", part="BOARD", supply="SMT", demand="TEST", quantity=4)
    floor.scan("B", 1, "empty", after=20)
    floor.scan("B", 1, "start", after=20)
    started = floor.now
    floor.propagate()
    answer = floor.scan("A", 1, "empty", after=10)
    assert answer["code"] == "already"
    assert f"EMPTY since {started:%H:%M}" in answer["message"]


def test_r16_who_is_sent_to_a_leader_is_told_what_the_leader_must_do() -> None:
    floor = two_bins()
    lea = floor.person("lea", badge="BW-12")
    Membership.objects.create(person=lea, plant=floor.plant, role=Role.LEADER)
    floor.scan("L", 1, "empty")
    answer = floor.scan("L", 1, "recall", after=10)
    assert answer["code"] == "recall_needs_leader"
    assert "leader" in answer["next"].lower()
    # A badge read at somebody else's device is no leader's session: so the sentence must say that he signs in.
    by_badge = floor.scan("L", 1, "recall", by="BW-12")
    signed_in = floor.scan("L", 1, "recall", source=floor.leader())
    assert signed_in["code"] == "recalled"
    if by_badge["outcome"] == "refused":
        said = answer["next"].lower()
        assert "sign in" in said or "signed in" in said or "log in" in said or "logged in" in said, said


def test_r16_a_held_loop_says_so_and_does_withhold() -> None:
    floor = two_bins()
    loop = Loop.objects.get(code="L")
    loop.status, loop.hold_reason = "ON_HOLD", "audit"
    loop.save()
    floor.now += timedelta(minutes=1)
    answer = floor.scan("L", 1, "empty")
    assert "No signal went out: audit" in answer["message"]
    assert floor.turn("L", 1).released_at is None
