"""S12: a device whose clock is slow, and was never compared with ours (no `sent_at`), scans now and not in the past."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from jitapp.accounts.models import new_uuid
from jitapp.pull import actions
from jitapp.pull.models import Event, Runout
from jitapp.pull.scan_request import Answer
from tests.floor import Floor

SLOW = timedelta(seconds=30)
SECONDS = 1 / 60  # of the floor's minutes


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    return floor


def slow(floor: Floor, card: int, intent: str | None, *, seconds: float = 10, **more: Any) -> dict[str, Any]:
    """A scan by the slow device, so many seconds after what happened last."""
    told = floor.now + timedelta(seconds=seconds) - SLOW
    return floor.scan("L", card, intent, after=seconds * SECONDS, **{"occurred_at": told, **more})


def at_demand(floor: Floor) -> None:
    """Card 1 has just come in full, by a scan with the right time."""
    floor.scan("L", 1, "empty")
    floor.cycle("L", 1)


def test_s12_an_empty_signal_of_a_slow_device_asks(floor: Floor) -> None:
    at_demand(floor)
    came = floor.now
    answer = slow(floor, 1, "empty")
    assert (answer["outcome"], answer["code"], answer["turn"]["number"]) == ("applied", "emptied", 2)
    assert floor.turn("L", 1).released_at == came  # not before the container was there
    assert not Event.objects.filter(late=True).exists()


@pytest.mark.parametrize("intent", ["start", "complete", "load", "receive"])
def test_s12_each_step_of_a_slow_device_is_done_now(floor: Floor, intent: str) -> None:
    """After the step before it, or after the signal: nothing waits for a person, nothing is only history."""
    floor.scan("L", 1, "empty")
    for before in ("start", "complete", "load"):
        if before == intent:
            break
        floor.scan("L", 1, before)
    answer = slow(floor, 1, intent)
    assert answer["outcome"] == "applied", answer
    assert not Event.objects.filter(late=True).exists()


def test_s12_a_count_of_a_slow_device_counts(floor: Floor) -> None:
    floor.scan("L", 1, "open")
    answer = slow(floor, 1, "count", quantity=3, source=floor.leader())
    assert (answer["outcome"], floor.card("L", 1).contents) == ("applied", 3)


def test_s12_a_default_of_a_slow_device_moves_a_card_once(floor: Floor) -> None:
    floor.scan("L", 1, "empty")
    assert slow(floor, 1, None, at="SMT")["code"] == "started"
    assert slow(floor, 1, None, at="SMT", seconds=20)["outcome"] != "applied"
    assert floor.card("L", 1).supply_status == "IN_PROCESS"


def test_s12_a_batch_of_a_slow_device_is_judged_in_its_order(floor: Floor) -> None:
    at_demand(floor)
    floor.now += timedelta(seconds=10)
    requests = [
        floor.request("L", 1, intent, occurred_at=floor.now - SLOW + timedelta(seconds=number))
        for number, intent in enumerate(("empty", "start", "complete"))
    ]
    answers = actions.scan_batch(requests, source=floor.source, now=floor.now)
    assert [answer.body["code"] for answer in answers if isinstance(answer, Answer)] == [
        "emptied",
        "started",
        "completed",
    ]


def test_s12_a_slow_clock_makes_no_runout_that_never_was(floor: Floor) -> None:
    """Card 1 came in, then the last of card 2 was used up: never was there nothing."""
    floor.scan("L", 1, "empty")
    floor.cycle("L", 1)
    assert slow(floor, 2, "empty")["code"] == "emptied"
    assert not Runout.objects.exists()


def test_s12_a_card_that_was_just_taken_out_is_said_to_be_out(floor: Floor) -> None:
    floor.scan("L", 1, "remove", source=floor.leader(), reason="worn")
    assert slow(floor, 1, "empty")["code"] == "card_retired"


def test_s12_what_is_told_after_two_minutes_is_history(floor: Floor) -> None:
    at_demand(floor)
    told = floor.now - timedelta(seconds=3)
    answer = floor.scan("L", 1, "empty", after=2, occurred_at=told)
    assert (answer["outcome"], answer["code"]) == ("already", "late_history")


def test_s12_a_clock_that_was_compared_says_when_it_was(floor: Floor) -> None:
    """The device tells its own time beside the scan's: what lies before the container came in is history."""
    at_demand(floor)
    sent = floor.now + timedelta(seconds=10) - SLOW
    for before, code in ((timedelta(seconds=40), "late_history"), (timedelta(), "emptied")):
        answer = slow(floor, 1, "empty", occurred_at=sent - before, sent_at=sent, id=new_uuid())
        sent += timedelta(seconds=10)
        assert answer["code"] == code


@pytest.mark.parametrize("ahead", [timedelta(seconds=30), timedelta(hours=3)])
def test_s12_a_device_ahead_of_the_clock_scans_now(floor: Floor, ahead: timedelta) -> None:
    at_demand(floor)
    for intent in ("empty", "start", "complete"):
        at: datetime = floor.now + timedelta(minutes=1) + ahead
        assert floor.scan("L", 1, intent, occurred_at=at)["outcome"] == "applied"
        assert floor.card("L", 1).moved_at == floor.now
