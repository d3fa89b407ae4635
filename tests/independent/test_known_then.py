"""What a board of the past says was known at an instant is what the board really showed at that instant, though scans
came late afterwards; and what is known of it now is what the whole ledger says."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from datetime import datetime, timedelta

import pytest
from django.db.models import F

from jitapp.accounts.models import new_uuid
from jitapp.plant.models import Loop
from jitapp.pull import actions
from jitapp.pull.actions.quality import hold_card, release_card
from jitapp.pull.models import Event, LoopSnapshot
from jitapp.pull.proof.verify import verify
from jitapp.pull.reading.board import board
from jitapp.pull.reading.board_row import BoardRow
from jitapp.pull.reading.past import board_then
from tests.floor import Floor
from tests.independent.moments import Ledger, differences

pytestmark = pytest.mark.django_db

STEPS = 120
INTENTS = ("open", "empty", "start", "complete", "load", "receive", "undo")
# What usually comes next.
NEXT = {
    "FULL": ("open", "empty"),
    "IN_USE": ("empty",),
    "EMPTY": ("start", "receive"),
    "IN_PROCESS": ("complete",),
    "COMPLETED": ("load",),
    "IN_TRANSIT": ("receive",),
}


def shop(floor: Floor) -> list[str]:
    floor.station("STORE", kind="SUPERMARKET")
    floor.station("ACME", kind="SUPPLIER")
    floor.station("SMT", consumption="BACKFLUSH")
    floor.station("TEST")
    floor.bill("BOARD", PCB=1)
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4, lead_time_minutes=60)
    floor.loop("L2", part="PCB", supply="STORE", demand="SMT", cards=3, quantity=10, lead_time_minutes=90)
    floor.loop(
        "L3",
        part="SCREW",
        supply="ACME",
        demand="TEST",
        kind="SUPPLIER",
        cards=2,
        quantity=5,
        ack_required=True,
    )
    return ["L1", "L2", "L3"]


def something(floor: Floor, dice: random.Random, loops: list[str]) -> None:
    """A scan, often a late one; now and then what leaders and planners do."""
    code, chance = dice.choice(loops), dice.random()
    loop = Loop.objects.get(code=code)
    number = dice.randint(1, 2)
    floor.now += timedelta(minutes=dice.randint(1, 25))
    if chance < 0.04:
        if loop.status == "ACTIVE":
            actions.hold_loop(loop_id=loop.pk, reason="counted", now=floor.now)
        else:
            actions.resume_loop(loop_id=loop.pk, now=floor.now)
    elif chance < 0.07:
        actions.resize_loop(loop_id=loop.pk, quantity=loop.quantity + 1, now=floor.now, reason="season")
    elif chance < 0.12:
        card = floor.card(code, number)
        source, now = floor.leader(), floor.now
        if card.card_status == "HELD":
            release_card(id=new_uuid(), code=card.code, decision="use", reason="", now=now, source=source)
        else:
            hold_card(id=new_uuid(), code=card.code, reason="scratched", now=now, source=source)
    else:
        late = timedelta(minutes=dice.randint(2, 180)) if dice.random() < 0.3 else None
        at = max(floor.now - late, START) if late else None
        usual = NEXT.get(floor.card(code, number).supply_status, INTENTS)
        intent = dice.choice(usual if dice.random() < 0.85 else INTENTS)
        floor.send(floor.request(code, number, intent, occurred_at=at), after=0)
    if dice.random() < 0.7:
        floor.propagate()


START = datetime.fromisoformat("2026-11-16T08:00:30+00:00")


def without_clockwork(row: BoardRow) -> BoardRow:
    """A row without what no board shows: when the sweep first saw it near its end, and the era. Which runout stands
    behind another one is no entry of the ledger: the register has it as of today."""
    return replace(row, near_since=None, era=0, upstream="")


def unlike(shown: list[BoardRow], then: list[BoardRow]) -> list[tuple[object, ...]]:
    """What differs of two boards: loop, field, and both values."""
    if [row.loop for row in shown] != [row.loop for row in then]:
        return [("order", [row.loop for row in shown], [row.loop for row in then])]
    return [
        (one.loop, each.name, getattr(one, each.name), getattr(other, each.name))
        for one, other in zip(shown, then, strict=True)
        for each in fields(BoardRow)
        if getattr(one, each.name) != getattr(other, each.name)
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_known_then_is_what_the_board_showed(seed: int) -> None:
    floor, dice = Floor(), random.Random(seed)
    loops = shop(floor)
    shown: list[tuple[datetime, list[BoardRow]]] = []
    for _ in range(STEPS):
        something(floor, dice, loops)
        at = floor.now + timedelta(seconds=30)
        actions.sweep(now=at)
        shown.append((at, [without_clockwork(row) for row in board(floor.area.code, now=at).rows]))
    floor.propagate()
    told_late = Event.objects.filter(
        occurred_at__lt=F("recorded_at") - timedelta(minutes=1), scan_id__isnull=False
    )
    assert told_late.count() > 10
    actions.keep_snapshots()
    assert LoopSnapshot.objects.exists()
    assert verify().differences == []
    ledgers = [Ledger.of(loop) for loop in Loop.objects.select_related("supply")]
    differ = 0
    for at, rows in shown:
        then = board_then(floor.area.code, at, known_then=True)
        assert unlike(rows, [without_clockwork(row) for row in then.rows]) == []
        now = board_then(floor.area.code, at)
        assert list(differences(ledgers, now, at, known_then=False)) == []
        differ += len(now.differences)
        assert len(now.differences) == len(then.differences)
    assert differ  # scans that came late changed what is known
