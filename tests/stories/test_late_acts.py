"""R15: what is told late refines the history, and never turns the card's own clock back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from jitapp.pull.models import Receipt
from tests.floor import Floor
from tests.stories.shops import supplied, two_bins


def moved_at(floor: Floor) -> datetime | None:
    return floor.card("S", 1).moved_at


def acknowledged() -> tuple[Floor, datetime]:
    """Card 1 was emptied and, an hour later, acknowledged; some minute between the two."""
    floor = supplied()
    floor.scan("S", 1, "empty")
    between = floor.now + timedelta(minutes=10)
    floor.scan("S", 1, "acknowledge", at="ACME", after=60)
    return floor, between


LATE: dict[str, Callable[[Floor], dict[str, Any]]] = {
    "promise": lambda floor: {"at": "ACME", "promised_at": floor.now + timedelta(hours=2)},
    "hold": lambda floor: {"reason": "look", "source": floor.leader()},
    "cancel": lambda floor: {"reason": "not needed", "source": floor.leader()},
    "recall": lambda floor: {"reason": "not needed", "source": floor.leader()},
}


@pytest.mark.parametrize("intent", LATE)
def test_r15_a_late_act_does_not_turn_the_cards_clock_back(intent: str) -> None:
    floor, between = acknowledged()
    before = moved_at(floor)
    answer = floor.scan("S", 1, intent, occurred_at=between, **LATE[intent](floor))
    assert answer["outcome"] == "applied", answer
    assert moved_at(floor) == before


def test_r15_a_late_promise_is_kept() -> None:
    floor, between = acknowledged()
    promised = floor.now + timedelta(hours=2)
    floor.scan("S", 1, "promise", at="ACME", promised_at=promised, occurred_at=between)
    assert floor.turn("S", 1).promised_at == promised


def test_r15_an_act_of_now_moves_the_cards_clock_on() -> None:
    floor, _ = acknowledged()
    floor.scan("S", 1, "promise", at="ACME", promised_at=floor.now + timedelta(hours=2))
    assert moved_at(floor) == floor.now


@pytest.mark.parametrize("intent", ["start", "complete", "load"])
def test_r15_a_step_told_after_the_receipt_of_its_turn_is_history(intent: str) -> None:
    floor = two_bins()
    floor.scan("L", 1, "empty")
    between = floor.now + timedelta(minutes=10)
    floor.scan("L", 1, "receive", after=60)
    answer = floor.scan("L", 1, intent, occurred_at=between)
    assert answer["outcome"] == "already", answer
    assert answer["code"] in ("already", "already_done", "late_passed")
    assert not Receipt.objects.filter(outcome="parked").exists()
    assert floor.status("L")[0] == "FULL"


def test_r15_a_step_told_after_the_next_container_was_opened_is_history() -> None:
    floor = two_bins()
    floor.scan("L", 1, "empty")
    between = floor.now + timedelta(minutes=10)
    floor.scan("L", 1, "receive", after=60)
    floor.scan("L", 1, "open")
    assert floor.scan("L", 1, "start", occurred_at=between)["outcome"] == "already"
    assert floor.status("L")[0] == "IN_USE"


def test_r15_a_step_told_when_the_next_turn_is_open_is_history_of_the_one_before() -> None:
    floor = two_bins()
    floor.scan("L", 1, "empty")
    between = floor.now + timedelta(minutes=10)
    floor.scan("L", 1, "receive", after=60)
    floor.scan("L", 1, "empty")
    assert floor.scan("L", 1, "start", occurred_at=between)["outcome"] == "already"
    assert (floor.turn("L", 1).number, floor.turn("L", 1).step) == (2, "")


def test_r15_a_start_from_before_anything_was_asked_waits_for_a_person() -> None:
    floor = two_bins()
    before = floor.now + timedelta(minutes=10)
    floor.scan("L", 1, "empty", after=60)
    floor.scan("L", 1, "receive")
    assert floor.scan("L", 1, "start", occurred_at=before)["outcome"] == "parked"
