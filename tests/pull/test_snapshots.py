"""Snapshots of the ledger's fold: made once, made again alike, proved by verify, and of another form never read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jitapp.kanban.moment import SHAPE
from jitapp.pull import actions
from jitapp.pull.models import LoopSnapshot
from jitapp.pull.proof.verify import verify
from jitapp.pull.reading.past import board_then
from tests.floor import Floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    for _ in range(6):
        floor.scan("L1", 1, "empty", after=30)
        floor.cycle("L1", 1)
        floor.propagate()
    return floor


def kept() -> list[tuple[object, ...]]:
    rows = LoopSnapshot.objects.order_by("loop", "seq")
    names = ("loop", "shape", "seq", "after", "known_at", "earliest_at", "latest_at", "changes", "state")
    return [
        tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in rows.values_list(*names)
    ]


def test_snapshots_are_made_once_and_again_alike(floor: Floor) -> None:
    assert actions.keep_snapshots() > 0
    first = kept()
    assert actions.keep_snapshots() == 0
    assert kept() == first
    assert actions.forget_snapshots() == len(first)
    assert actions.keep_snapshots(most=64) == 1  # a round takes no more than it may
    while actions.keep_snapshots():
        pass
    assert kept() == first
    assert verify().counts["C11"] == 0


def test_verify_finds_a_snapshot_that_is_not_the_fold(floor: Floor) -> None:
    actions.keep_snapshots()
    row = LoopSnapshot.objects.order_by("seq")[0]
    row.state = bytes(row.state).replace(b'"IN_CIRCULATION"', b'"LOST"', 1)
    row.known_at += timedelta(minutes=1)
    row.save()
    told = [str(difference) for difference in verify().differences]
    assert any(f"snapshot at event {row.seq}: card" in line for line in told)
    assert any(f"snapshot at event {row.seq}: known until" in line for line in told)


def test_verify_finds_a_snapshot_of_a_number_that_the_ledger_does_not_have(floor: Floor) -> None:
    actions.keep_snapshots()
    LoopSnapshot.objects.update(seq=64_000)
    assert any("64000: expected an event of that number" in str(each) for each in verify().differences)


def test_a_snapshot_of_another_form_is_not_read_and_goes_in_time(floor: Floor) -> None:
    at = floor.now - timedelta(minutes=1)
    shown = board_then(floor.area.code, at).rows
    actions.keep_snapshots()
    LoopSnapshot.objects.update(shape="of yesterday", state=b"nothing")
    assert board_then(floor.area.code, at).rows == shown
    assert actions.keep_snapshots() > 0
    assert LoopSnapshot.objects.filter(shape="of yesterday").exists()
    actions.keep_snapshots()
    assert set(LoopSnapshot.objects.values_list("shape", flat=True)) == {SHAPE}
    assert board_then(floor.area.code, at).rows == shown
