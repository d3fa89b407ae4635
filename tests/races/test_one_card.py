"""Two people, one card, one moment: the race is shown first, on a version without the lock, and then its cure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest
from django.db import Error as DatabaseError
from django.db import connection

from jitapp.accounts.models import new_uuid
from jitapp.pull import store
from jitapp.pull.models import Event, Receipt, Turn
from jitapp.pull.scan_request import Answer, Conflict, ScanRequest, Source
from tests.floor import Floor
from tests.races.crowd import at_once, rounds
from tests.races.devices import ROUNDS, WAY, a_floor, now_scan, outcomes, scanners, scanning, wrong
from tests.superuser import superuser

pytestmark = pytest.mark.django_db(transaction=True)

# -- the mutants: one thing taken away from the way of a scan ------------------------------------------
WITHOUT_LOCK = "(bigint[]) AS SELECT loop_id FROM pull_loopstate WHERE loop_id = ANY($1) ORDER BY loop_id"
LAST_LINES = {  # what PostgreSQL itself still refuses when the code does not look
    "pull_event": ("event_loop_seq_once", "event_scan_once"),
    "pull_receipt": ("pull_receipt_scan_id_key",),
}


@pytest.fixture
def floor() -> Floor:
    floor = a_floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    return floor


@pytest.fixture
def pair(floor: Floor) -> list[Source]:
    return scanners(floor, 2)


@pytest.fixture
def no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: the loop is read without its lock, and both readers have read before either writes."""
    monkeypatch.setitem(store.PREPARED, "pull_lock_loops", WITHOUT_LOCK)
    both_have_read = threading.Barrier(2)
    load = store.load

    def load_and_wait(loop_ids: Iterable[int], **more: Any) -> store.UnitOfWork:
        world = load(loop_ids, **more)
        both_have_read.wait(10)
        return world

    monkeypatch.setattr(store, "load", load_and_wait)


@contextmanager
def last_lines_taken_away() -> Iterator[None]:
    """Mutant: the unique constraints are gone too; they come back with the tables emptied of what they forbid."""
    definitions: list[tuple[str, str, str]] = []
    with superuser(), connection.cursor() as cursor:
        for table, names in LAST_LINES.items():
            for name in names:
                cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", (name,))
                definitions.append((table, name, cursor.fetchone()[0]))
                cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", (name,))
                if cursor.fetchone():
                    cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
                else:
                    cursor.execute(f"DROP INDEX {name}")
    try:
        yield
    finally:
        with superuser(), connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            for table in LAST_LINES:
                cursor.execute(f"TRUNCATE {table} CASCADE")
            cursor.execute("SET session_replication_role = DEFAULT")
            for table, name, definition in definitions:
                cursor.execute(definition)
                if "WHERE" not in definition:
                    cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")


def both_empty(floor: Floor, pair: list[Source]) -> list[Callable[[], Answer | Conflict]]:
    code = floor.card("L1", 1).code
    return [scanning(code, "TEST", "empty", source) for source in pair]


def test_without_the_lock_two_devices_ask_upstream_twice(
    floor: Floor, pair: list[Source], no_lock: None
) -> None:
    with last_lines_taken_away():
        assert outcomes(at_once(*both_empty(floor, pair))) == ["applied", "applied"]
        assert Event.objects.filter(type="turn.released").count() == 2
        said = " ".join(wrong(settled=False))
        assert "gap, a double" in said
        assert "(C4)" in said
        assert "(C2, C8)" in said


def test_without_the_lock_the_database_still_refuses_the_second_but_nobody_is_answered_already(
    floor: Floor, pair: list[Source], no_lock: None
) -> None:
    assert outcomes(at_once(*both_empty(floor, pair))) == ["UniqueViolation", "applied"]
    assert wrong(settled=False) == []


@pytest.mark.timeout(600)
def test_with_the_lock_one_is_applied_and_the_other_told_already_every_time(
    floor: Floor, pair: list[Source]
) -> None:
    card = floor.card("L1", 1)
    step = {source.device_id: 0 for source in pair}

    def next_step(source: Source) -> Answer | Conflict:
        """Round after round along the card's way, so that every kind of move is raced for."""
        intent = WAY[step[source.device_id] % len(WAY)]
        step[source.device_id] += 1
        station = "TEST" if intent in ("empty", "receive") else "SMT"
        return now_scan(ScanRequest(new_uuid(), card.code, station, intent), source)

    deeds = [lambda source=source: next_step(source) for source in pair]
    for answers in rounds(deeds, ROUNDS):
        assert outcomes(answers) == ["already", "applied"], answers
    assert Event.objects.filter(type="scan.applied").count() == ROUNDS
    assert Turn.objects.count() == -(-ROUNDS // len(WAY))
    assert wrong(settled=False) == []


def test_without_the_key_a_scan_sent_twice_is_two_scans(
    floor: Floor, pair: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ScanRequest(new_uuid(), floor.card("L1", 1).code, "TEST", "empty")
    with last_lines_taken_away():
        answers = at_once(lambda: now_scan(request, pair[0]), lambda: now_scan(request, pair[0]))
        assert outcomes(answers) == ["applied", "bounced"]  # the second answer is not the first one
        assert "scan ids with more than one receipt" in " ".join(wrong(settled=False))


def test_the_same_scan_sent_twice_at_once_is_applied_once_and_both_get_the_same_answer(
    floor: Floor, pair: list[Source]
) -> None:
    card = floor.card("L1", 1)
    intents = [WAY[place % len(WAY)] for place in range(ROUNDS)]
    for intent in intents:
        station = "TEST" if intent in ("empty", "receive") else "SMT"
        request = ScanRequest(new_uuid(), card.code, station, intent)
        answers = at_once(*[lambda request=request: now_scan(request, pair[0])] * 2)
        assert outcomes(answers) == ["applied", "applied"], answers
        assert {answer.replayed for answer in answers if isinstance(answer, Answer)} == {True, False}
        bodies = [answer.body | {"replayed": False} for answer in answers if isinstance(answer, Answer)]
        assert bodies[0] == bodies[1]
    assert Event.objects.filter(type="scan.applied").count() == ROUNDS
    assert Receipt.objects.count() == ROUNDS
    assert wrong(settled=False) == []


def test_one_id_for_two_scans_at_once_is_one_scan_and_one_conflict(floor: Floor, pair: list[Source]) -> None:
    codes = [floor.card("L1", number).code for number in (1, 2)]
    for _ in range(10):
        id = new_uuid()
        requests = [ScanRequest(id, code, "TEST", "empty") for code in codes]
        answers = at_once(*(lambda request=request: now_scan(request, pair[0]) for request in requests))
        assert sum(isinstance(answer, Conflict) for answer in answers) == 1, answers
        assert sum(isinstance(answer, Answer) for answer in answers) == 1, answers
        assert Receipt.objects.filter(scan_id=id).count() == 1


def test_a_connection_that_ends_in_the_middle_changes_nothing(
    floor: Floor, pair: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The holder of the lock dies; the one who waits goes on as if nothing had been."""
    holding = threading.Event()
    write = store.UnitOfWork.write

    def die(world: store.UnitOfWork, *, last: bool = False) -> None:
        if threading.current_thread().name == "victim":
            holding.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        write(world, last=last)

    monkeypatch.setattr(store.UnitOfWork, "write", die)
    code = floor.card("L1", 1).code

    def victim() -> Answer | Conflict:
        threading.current_thread().name = "victim"
        return scanning(code, "TEST", "empty", pair[0])()

    def survivor() -> Answer | Conflict:
        assert holding.wait(10)
        return scanning(code, "TEST", "empty", pair[1])()

    dead, alive = at_once(victim, survivor)
    assert isinstance(dead, psycopg2.OperationalError | psycopg2.InterfaceError | DatabaseError), dead
    assert isinstance(alive, Answer)
    assert alive.body["outcome"] == "applied"
    assert wrong(settled=False) == []
