"""Late scans as stories of the floor: the ledger stays true, and nothing asks twice (the table: tests/kanban)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jitapp.pull.models import Draw, Event, Receipt, Runout, Turn
from tests.floor import Floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT", consumption="BACKFLUSH")
    floor.station("TEST")
    floor.station("STORE", kind="SUPERMARKET")
    floor.bill("BOARD", PCB=1)
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    floor.loop("PCBS", part="PCB", supply="STORE", demand="SMT", cards=2, quantity=10)
    return floor


def test_a_missed_empty_scan_is_inferred_and_what_filling_used_is_drawn_once(floor: Floor) -> None:
    floor.scan("L1", 1, "open")
    at = floor.now + timedelta(minutes=20)
    answer = floor.scan("L1", 1, "receive", after=60, occurred_at=at)
    assert (answer["code"], answer["state"]) == ("received", "flagged")
    assert "Nobody scanned it empty" in answer["message"]
    turn = floor.turn("L1", 1)
    assert (turn.signal_state, turn.released_at, turn.closed_at) == ("CLOSED", at, at)
    floor.propagate()
    floor.propagate()
    assert [(draw.turn, draw.drawn) for draw in Draw.objects.all()] == [(turn, 4)]
    again = floor.scan("L1", 1, "receive", occurred_at=at + timedelta(minutes=1))
    assert again["outcome"] == "already"
    assert Turn.objects.filter(card=floor.card("L1", 1)).count() == 1


def test_a_late_empty_of_the_last_container_begins_its_runout_when_it_was_empty(floor: Floor) -> None:
    floor.scan("L1", 2, "empty")
    at = floor.now + timedelta(minutes=5)
    floor.scan("L1", 1, "count", after=30, quantity=4, source=floor.leader())
    answer = floor.scan("L1", 1, "empty", occurred_at=at)
    assert answer["code"] == "emptied"
    runout = Runout.objects.get(loop__code="L1")
    assert (runout.opened_at, floor.turn("L1", 1).released_at) == (at, at)
    assert Event.objects.filter(late=True, type="scan.applied").count() == 1


def test_a_late_empty_of_a_cycle_that_is_on_its_way_asks_for_nothing_more(floor: Floor) -> None:
    at = floor.now + timedelta(minutes=5)
    floor.scan("L1", 1, "empty", after=10)
    for intent in ("start", "complete", "load"):
        floor.scan("L1", 1, intent)
        assert floor.scan("L1", 1, "empty", occurred_at=at)["outcome"] == "already"
    floor.scan("L1", 1, "receive")
    assert floor.scan("L1", 1, "empty", occurred_at=at)["code"] == "late_history"
    assert Turn.objects.filter(card=floor.card("L1", 1)).count() == 1


def test_what_is_older_than_the_loop_waits_for_is_parked_by_every_door(floor: Floor) -> None:
    floor.now += timedelta(days=5)
    answer = floor.scan("L1", 1, "empty", occurred_at=floor.now - timedelta(hours=73))
    assert (answer["outcome"], answer["code"], answer["state"]) == ("parked", "late_too_old", "parked")
    assert Receipt.objects.get(code="late_too_old").card == floor.card("L1", 1)
    assert floor.status("L1") == ["FULL", "FULL"]
