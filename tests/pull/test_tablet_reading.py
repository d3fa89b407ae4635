"""What a tablet is told of undoing, held against the rule itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from jitapp.pull.models import Receipt, Turn
from jitapp.pull.reading.tablet import badge_hash, undo_until
from tests.floor import Floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    floor = Floor(now=timezone.now() - timedelta(hours=3))
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="PCB-A", supply="SMT", demand="TEST", cards=4, quantity=12)
    return floor


def offered(floor: Floor, after: timedelta = timedelta(seconds=30)) -> dict[UUID, datetime]:
    """The scans whose undo is offered."""
    applied = Receipt.objects.filter(outcome="applied").values_list("scan_id", flat=True)
    return undo_until(list(applied), now=floor.now + after)


def succeeds(floor: Floor, number: int, station: str) -> bool:
    """Whether the rules would take the card's last scan back now, by whoever made it; nothing stays of the try."""
    with transaction.atomic():
        answer = floor.scan("L1", number, "undo", at=station, after=0.5)
        transaction.set_rollback(True)
    return bool(answer["outcome"] == "applied")


STORIES = {
    "emptied": [(1, "empty", "TEST")],
    "opened": [(1, "open", "TEST")],
    "emptied and started": [(1, "empty", "TEST"), (1, "start", "SMT")],
    "made": [(1, "empty", "TEST"), (1, "start", "SMT"), (1, "complete", "SMT")],
    "sent": [(1, "empty", "TEST"), (1, "start", "SMT"), (1, "complete", "SMT"), (1, "load", "SMT")],
    "brought": [(1, "empty", "TEST"), (1, "complete", "SMT"), (1, "receive", "TEST")],
    "promised": [(1, "empty", "TEST"), (1, "acknowledge", "SMT")],
    "opened, and the container before it used up": [(1, "open", "TEST"), (2, "open", "TEST")],
    "undone": [(1, "empty", "TEST"), (1, "undo", "TEST")],
}


@pytest.mark.parametrize("story", STORIES)
def test_undo_is_offered_exactly_while_the_rules_would_allow_it(floor: Floor, story: str) -> None:
    last: dict[int, tuple[UUID, str]] = {}  # of each card: its last scan, and where it was made
    for number, intent, station in STORIES[story]:
        answer = floor.scan("L1", number, intent, at=station, after=0.5)
        assert answer["outcome"] == "applied", answer
        last[number] = UUID(answer["id"]), station
    now = offered(floor)
    for number, (scan_id, station) in last.items():
        assert (scan_id in now) == succeeds(floor, number, station)
    assert now.keys() <= {scan_id for scan_id, _ in last.values()}


def test_undo_is_not_offered_while_the_cards_turn_stands_in_error(floor: Floor) -> None:
    floor.scan("L1", 1, "empty", at="TEST")
    floor.scan("L1", 1, "start", at="SMT")
    assert len(offered(floor)) == 1
    assert succeeds(floor, 1, "SMT")
    Turn.objects.update(failed="tool broke")
    assert not offered(floor)
    assert not succeeds(floor, 1, "SMT")


def test_the_window_ends(floor: Floor) -> None:
    answer = floor.scan("L1", 1, "empty", at="TEST")
    until = offered(floor)[UUID(answer["id"])]
    assert until == floor.now + timedelta(seconds=120)
    assert not offered(floor, timedelta(seconds=121))


def test_a_badge_is_found_however_it_is_written() -> None:
    assert badge_hash("BW-12") == badge_hash(" bw-12\r") != badge_hash("BW-13")
    assert badge_hash("") == "cbf29ce484222325"
