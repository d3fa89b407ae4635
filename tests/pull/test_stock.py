"""The stock of a loop over time, from the ledger: as it was seen at each moment, whatever stretch is asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jitapp.kanban.stockline import Level
from jitapp.plant.models import Station
from jitapp.pull.models import Card, Event, History
from jitapp.pull.reading import stock as reading
from jitapp.pull.reading.stock import stock
from tests.floor import Floor

pytestmark = pytest.mark.django_db


def at_hand(loop_id: int) -> tuple[Decimal, int]:
    """Pieces and containers that can be used now, counted in the table itself."""
    cards = Card.objects.filter(
        loop_id=loop_id, card_status="IN_CIRCULATION", blocked=False, supply_status__in=["FULL", "IN_USE"]
    )
    return sum((card.contents for card in cards), Decimal(0)), len(cards)


def value_at(levels: list[Level], at: datetime) -> tuple[Decimal, int]:
    level = [each for each in levels if each.at <= at][-1]
    return level.pieces, level.containers


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    for code in ("CELL", "LINE"):
        floor.station(code)
    floor.loop("L1", part="GEAR", supply="CELL", demand="LINE", cards=4, quantity=12)
    return floor


STORY: list[tuple[str, int, dict[str, Any]]] = [
    ("empty", 1, {}), ("start", 1, {}), ("count", 2, {"quantity": 7}),
    ("complete", 1, {}), ("block", 3, {"reason": "dust"}), ("receive", 1, {"quantity": 11, "reason": "one scrapped"}),
    ("empty", 2, {}), ("undo", 2, {}), ("empty", 2, {}), ("hold", 4, {"reason": "looked at"}),
    ("unblock", 3, {}), ("empty", 3, {}), ("release", 4, {}), ("lost", 4, {"reason": "nobody has it"}),
    ("receive", 2, {}), ("found", 4, {}), ("correct", 3, {"status": "FULL", "reason": "it is full"}),
    ("remove", 1, {"reason": "worn"}),
]  # fmt: skip


def test_the_line_is_what_was_seen_at_each_moment_whatever_stretch_is_asked_for(floor: Floor) -> None:
    loop_id = floor.card("L1", 1).loop_id
    begun = floor.now
    seen = [(floor.now, at_hand(loop_id))]
    for intent, number, more in STORY:
        answer = floor.scan(
            "L1", number, intent, source=floor.leader(), after=1 if intent == "undo" else 7, **more
        )
        assert answer["outcome"] == "applied", (intent, answer)
        floor.propagate()
        seen.append((floor.now, at_hand(loop_id)))
    assert len({value for _, value in seen}) > 8
    for begin in [begun, *(at for at, _ in seen[:-1])]:
        line = stock(loop_id, begin + timedelta(seconds=30), floor.now).levels
        for at, value in seen:
            if at > begin + timedelta(seconds=30):
                assert value_at(line, at) == value, (begin, at)


def test_what_was_told_late_stands_where_it_happened(floor: Floor) -> None:
    loop_id = floor.card("L1", 1).loop_id
    floor.scan("L1", 1, "empty", after=60)
    early = floor.now - timedelta(minutes=30)
    floor.scan("L1", 2, "empty", occurred_at=early)
    line = stock(loop_id, floor.now - timedelta(hours=1), floor.now).levels
    assert value_at(line, early - timedelta(minutes=1)) == (Decimal(48), 4)
    assert value_at(line, early) == (Decimal(36), 3)
    assert value_at(line, floor.now) == (Decimal(24), 2)


def test_pieces_that_are_drawn_lower_the_line(floor: Floor) -> None:
    floor.station("SHIP", "SHIPPING")
    floor.bill("BOX", GEAR=2)
    Station.objects.filter(code="LINE").update(consumption="BACKFLUSH")
    floor.loop("L2", part="BOX", supply="LINE", demand="SHIP", cards=2, quantity=2)
    loop_id = floor.card("L1", 1).loop_id
    begin = floor.now
    floor.scan("L2", 1, "empty")
    floor.propagate()
    floor.scan("L2", 1, "start")
    floor.propagate()
    floor.now += timedelta(minutes=1)
    assert at_hand(loop_id)[0] == Decimal(44)
    line = stock(loop_id, begin, floor.now).levels
    assert [level.pieces for level in line] == [Decimal(48), Decimal(44)]


def test_marks_and_gaps(floor: Floor) -> None:
    loop_id = floor.card("L1", 1).loop_id
    first = floor.now
    for number in (1, 2, 3, 4):
        floor.scan("L1", number, "empty", after=5)
    floor.propagate()
    dry = floor.now
    floor.cycle("L1", 1)
    floor.propagate()
    History.objects.create(
        era=2_000_000_000,
        epoch="later",
        identity="",
        began_at=floor.now + timedelta(hours=2),
        kept_until=floor.now + timedelta(hours=1),
    )
    end = floor.now + timedelta(hours=5)
    found = stock(loop_id, first - timedelta(hours=6), end)
    assert [(each.at, each.end is not None) for each in found.runouts] == [(dry, True)]
    assert [each.at for each in found.refills] == [floor.now]
    assert [(gap.why, gap.end) for gap in found.gaps] == [
        ("before", first),
        ("set_back", floor.now + timedelta(hours=2)),
    ]
    assert found.most == Decimal(48)


def test_more_than_is_read_says_so(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    loop_id = floor.card("L1", 1).loop_id
    begin = floor.now
    for _ in range(3):
        floor.scan("L1", 1, "empty", after=5)
        floor.cycle("L1", 1)
    monkeypatch.setattr(reading, "MOST_EVENTS", 4)
    found = stock(loop_id, begin + timedelta(minutes=1), floor.now)
    assert [gap.why for gap in found.gaps] == ["many"]
    assert found.levels[0].at == found.gaps[0].end
    assert value_at(found.levels, floor.now) == at_hand(loop_id)


def test_a_long_history_is_not_read(floor: Floor) -> None:
    """Only what was recorded since the stretch began is read, and finding that takes a few looks at the index."""
    loop_id = floor.card("L1", 1).loop_id
    for _ in range(6):
        floor.scan("L1", 1, "empty", after=600)
        floor.cycle("L1", 1)
    kept = Event.objects.filter(loop_id=loop_id, recorded_at__gt=floor.now - timedelta(minutes=30)).count()
    assert kept < Event.objects.filter(loop_id=loop_id).count() / 4
    with CaptureQueriesContext(
        connection,
    ) as asked:
        stock(loop_id, floor.now - timedelta(minutes=30), floor.now)
    assert len(asked) <= 8
