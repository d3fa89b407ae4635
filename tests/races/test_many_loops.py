"""Several loops at once: whatever order people scan in, nobody waits for somebody who waits for them."""

from __future__ import annotations

import random
import threading
from functools import partial

import psycopg2.errors
import pytest
from django.db import transaction
from django.utils import timezone

from jitapp.accounts.models import new_uuid
from jitapp.plant.models import Station
from jitapp.pull import actions, store
from jitapp.pull.models import Receipt, Turn
from jitapp.pull.scan_request import Answer, Conflict, ScanRequest, Source
from tests.floor import Floor
from tests.races.crowd import at_once, rounds
from tests.races.devices import ROUNDS, WAY, a_floor, now_scan, outcomes, scanners, wrong

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def floor() -> Floor:
    floor = a_floor()
    floor.station("SMT", wip_limit=3)
    floor.station("TEST")
    for number in range(1, 5):
        floor.loop(f"L{number}", part=f"P{number}", supply="SMT", demand="TEST", cards=2, quantity=4)
    return floor


def batch(requests: list[ScanRequest], source: Source) -> list[Answer | Conflict]:
    return actions.scan_batch(requests, source=source, now=timezone.now())


def scans(floor: Floor, loops: list[str], intent: str) -> list[ScanRequest]:
    station = "TEST" if intent in ("empty", "receive") else "SMT"
    return [ScanRequest(new_uuid(), floor.card(loop, 1).code, station, intent) for loop in loops]


def test_taken_one_by_one_in_the_order_of_the_scans_two_loops_would_be_a_deadlock(floor: Floor) -> None:
    """The race itself: each holds its first loop and wants the other's."""
    first, second = (floor.card(loop, 1).loop_id for loop in ("L1", "L2"))
    both_hold_one = threading.Barrier(2)

    def lock(mine: int, other: int) -> str:
        with transaction.atomic():
            store.load([mine])
            both_hold_one.wait(10)
            store.load([other])
        return "through"

    done = at_once(lambda: lock(first, second), lambda: lock(second, first))
    assert sorted(str(one) if one == "through" else type(one).__name__ for one in done) == [
        psycopg2.errors.DeadlockDetected.__name__,
        "through",
    ]


def test_two_batches_in_opposite_orders_both_go_through(floor: Floor) -> None:
    Station.objects.filter(code="SMT").update(wip_limit=4)
    pair = scanners(floor, 2)
    loops = ["L1", "L2", "L3", "L4"]
    for step in range(ROUNDS // 2):
        intent = WAY[step % len(WAY)]
        there, back = scans(floor, loops, intent), scans(floor, loops[::-1], intent)
        answers = at_once(partial(batch, there, pair[0]), partial(batch, back, pair[1]))
        given: list[Answer | Conflict | Exception] = []
        for one in answers:
            assert isinstance(one, list), one
            given += one
        assert outcomes(given) == ["already"] * 4 + ["applied"] * 4
    assert wrong(settled=False) == []


def test_many_people_on_many_loops_get_an_answer_each_and_the_ledger_stays_whole(floor: Floor) -> None:
    sources = scanners(floor, 6)
    chance = random.Random(7)
    cards = [floor.card(f"L{loop}", number).code for loop in range(1, 5) for number in (1, 2)]
    plans = [random.Random(chance.random()) for _ in sources]

    def anything(source: Source, plan: random.Random) -> list[Answer | Conflict]:
        requests = []
        for code in plan.sample(cards, plan.randint(1, 4)):
            intent = plan.choice([*WAY, "abort", "undo", None])
            station = "TEST" if intent in ("empty", "receive") else plan.choice(["SMT", "SMT", "TEST"])
            requests.append(ScanRequest(new_uuid(), code, station, intent))
        return batch(requests, source) if len(requests) > 1 else [now_scan(requests[0], source)]

    deeds = [
        lambda source=source, plan=plan: anything(source, plan)
        for source, plan in zip(sources, plans, strict=True)
    ]
    sent = 0
    for answers in rounds(deeds, max(10, ROUNDS // 3)):
        for one in answers:
            assert not isinstance(one, Exception), one
            sent += len(one)
    assert Receipt.objects.count() == sent
    assert wrong(settled=False) == []


def test_more_people_start_at_once_than_the_station_may_have_in_process(floor: Floor) -> None:
    """Rule C7, raced for: eight cards are asked for, the limit is three, eight people start."""
    sources = scanners(floor, 8)
    cards = [floor.card(f"L{loop}", number).code for loop in range(1, 5) for number in (1, 2)]
    for code in cards:
        now_scan(ScanRequest(new_uuid(), code, "TEST", "empty"), sources[0])
    for round_ in range(max(3, ROUNDS // 20)):
        # In the first round every second scan leaves it to the default, which means a start as well.
        intents = ["start", None] * 4 if round_ == 0 else ["start"] * 8
        starts = [
            lambda code=code, source=source, intent=intent: now_scan(
                ScanRequest(new_uuid(), code, "SMT", intent), source
            )
            for code, source, intent in zip(cards, sources, intents, strict=True)
        ]
        answers = at_once(*starts)
        assert outcomes(answers) == ["applied"] * 3 + ["refused"] * 5, answers
        assert Turn.objects.filter(step="IN_PROCESS", closed_at=None).count() == 3
        assert wrong(settled=False) == []
        for code in cards:
            now_scan(ScanRequest(new_uuid(), code, "SMT", "abort"), sources[0])


def test_without_the_stations_lock_the_limit_is_overrun(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: the loops are locked, the station that counts for all of them is not."""
    sources = scanners(floor, 4)
    cards = [floor.card(f"L{loop}", 1).code for loop in range(1, 5)]
    for code in cards:
        now_scan(ScanRequest(new_uuid(), code, "TEST", "empty"), sources[0])
    monkeypatch.setitem(
        store.PREPARED,
        "pull_lock_stations",
        "(bigint[]) AS SELECT id FROM plant_station WHERE id = ANY($1) ORDER BY id",
    )
    all_have_counted = threading.Barrier(4)
    load = store.load

    def load_and_wait(*given: object, **more: object) -> store.UnitOfWork:
        world = load(*given, **more)  # type: ignore[arg-type]
        all_have_counted.wait(10)
        return world

    monkeypatch.setattr(store, "load", load_and_wait)
    answers = at_once(
        *(
            lambda code=code, source=source: now_scan(ScanRequest(new_uuid(), code, "SMT", "start"), source)
            for code, source in zip(cards, sources, strict=True)
        )
    )
    assert outcomes(answers) == ["applied"] * 4
    assert "(C7)" in " ".join(wrong(settled=False))
