"""Declining is normal: limits, readiness, order and room are kept, and the refusal says what to do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jitapp.plant.models import Station
from jitapp.pull import actions
from jitapp.pull.models import AndonCall, Receipt, Wait
from jitapp.pull.scan_request import Answer
from tests.floor import Floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=3, quantity=4, kind="PRODUCTION")
    for number in (1, 2):
        floor.scan("L1", number, "empty")
    return floor


def test_a_station_over_its_limit_declines_and_the_refusal_is_kept(floor: Floor) -> None:
    Station.objects.filter(code="SMT").update(wip_limit=1)
    assert floor.scan("L1", 1, "start")["code"] == "started"
    answer = floor.scan("L1", 2, "start")
    assert answer["message"] == "Smt already has 1 of 1 cards in process."
    assert Receipt.objects.filter(code="wip_limit").count() == 1
    floor.scan("L1", 1, "complete")
    assert floor.scan("L1", 2, "start")["code"] == "started"


def test_the_limit_holds_within_one_batch(floor: Floor) -> None:
    Station.objects.filter(code="SMT").update(wip_limit=1)
    floor.now += timedelta(minutes=1)
    answers = actions.scan_batch(
        [floor.request("L1", 1, "start"), floor.request("L1", 2, "start")], source=floor.source, now=floor.now
    )
    assert [answer.body["code"] for answer in answers if isinstance(answer, Answer)] == [
        "started",
        "wip_limit",
    ]


def test_a_stations_checks_come_before_its_start(floor: Floor) -> None:
    Station.objects.filter(code="SMT").update(readiness_checks=["stencil cleaned", "first piece measured"])
    answer = floor.scan("L1", 1, "start", checks=("stencil cleaned",))
    assert (answer["code"], answer["message"]) == ("not_ready", "Smt is not ready: first piece measured.")
    assert (
        floor.scan("L1", 1, "start", checks=("stencil cleaned", "first piece measured"))["code"] == "started"
    )


def test_starting_out_of_order_needs_a_reason(floor: Floor) -> None:
    Station.objects.filter(code="SMT").update(keeps_sequence=True)
    answer = floor.scan("L1", 2, "start")
    assert (answer["code"], answer["message"]) == (
        "out_of_sequence",
        "1 signals came to Smt before this one.",
    )
    assert floor.scan("L1", 2, "start", reason="customer waits")["code"] == "started"
    assert floor.scan("L1", 1, "start")["code"] == "started"


def test_nothing_is_sent_to_a_full_receiver(floor: Floor) -> None:
    Station.objects.filter(code="TEST").update(receiving_limit=1)
    floor.scan("L1", 1, "start")
    floor.scan("L1", 1, "complete")
    answer = floor.scan("L1", 1, "load")
    assert answer["code"] == "receiver_not_ready"
    floor.propagate()
    wait = Wait.objects.get(closed_at__isnull=True, turn=floor.turn("L1", 1))
    assert (wait.reason, wait.owner) == ("receiver_not_ready", "receiving")
    floor.scan("L1", 3, "empty")
    assert floor.scan("L1", 1, "load")["code"] == "loaded"
    floor.propagate()
    wait.refresh_from_db()
    assert wait.closed_at == floor.now


def test_a_stopped_line_starts_nothing_until_the_call_is_solved(floor: Floor) -> None:
    call = AndonCall.objects.create(
        station=Station.objects.get(code="SMT"),
        kind="machine",
        stops_line=True,
        note="spindle",
        called_at=floor.now,
    )
    answer = floor.scan("L1", 1, "start")
    assert answer["message"] == "The line of Smt stands still: spindle."
    call.solved_at, call.reason = floor.now, "repaired"
    call.save()
    assert floor.scan("L1", 1, "start")["code"] == "started"


def test_every_open_turn_is_moving_or_waiting_with_a_reason_at_every_step(floor: Floor) -> None:
    reasons: list[str | None] = []
    for intent in ("start", "complete", "load", "receive"):
        floor.propagate()
        wait = Wait.objects.filter(turn=floor.turn("L1", 1), closed_at__isnull=True).first()
        reasons.append(wait.reason if wait else None)
        floor.scan("L1", 1, intent)
    floor.propagate()
    assert reasons == ["queue", None, "collect", None]
    assert not Wait.objects.filter(turn=floor.turn("L1", 1), closed_at__isnull=True).exists()
