"""S9: settings are written again and again while somebody scans; no scan fails for it, and each goes by the newest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from jitapp.plant import configs as settings_in_memory
from jitapp.plant.configs import configs
from jitapp.plant.models import Part, Station
from jitapp.pull import actions, store
from jitapp.pull.actions import scanning
from jitapp.pull.actions.stages import read
from jitapp.pull.scan_request import Answer, ScanRequest
from tests.floor import Floor

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_S = 30.0


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=3, quantity=4)
    return floor


class Between:
    """Commits a change on another connection each time a scan has read the settings and holds no lock yet."""

    def __init__(self, pool: ThreadPoolExecutor, changes: Iterator[Callable[[], object]]) -> None:
        self._pool = pool
        self._changes = changes
        self.times = 0

    def __call__(self, requests: Sequence[ScanRequest]) -> Any:
        self.times += 1
        found = read(requests)
        if (change := next(self._changes, None)) is not None:
            self._pool.submit(change).result(PATIENCE_S)
        return found


@contextmanager
def between(monkeypatch: pytest.MonkeyPatch, changes: Iterator[Callable[[], object]]) -> Iterator[Between]:
    with ThreadPoolExecutor(1) as pool:
        made = Between(pool, changes)
        monkeypatch.setattr(scanning, "read", made)
        try:
            yield made
        finally:
            monkeypatch.undo()
            pool.submit(let_go).result(PATIENCE_S)


def let_go() -> None:
    """The connection of the thread that calls."""
    connection.close()


def rename(number: int) -> None:
    """A write of master data that has nothing to do with the loop."""
    Part.objects.filter(number="BOARD").update(description=f"written {number} times")


def test_s09_a_scan_is_applied_however_often_the_settings_change_before_its_lock(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time it came to its lock, the settings were others; after seven times it was answered 503."""
    configs()
    changes = iter([lambda number=number: rename(number) for number in range(50)])
    with between(monkeypatch, changes) as happened:
        answer = actions.scan(floor.request("L1", 1, "empty"), source=floor.source, now=floor.now)
    assert isinstance(answer, Answer)
    assert answer.body["outcome"] == "applied"
    assert happened.times <= 2  # the settings are read again under the lock; nothing is begun anew


def test_s09_a_batch_likewise(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    configs()
    changes = iter([lambda number=number: rename(number) for number in range(50)])
    requests = [floor.request("L1", number, "empty") for number in (1, 2, 3)]
    with between(monkeypatch, changes):
        answers = actions.scan_batch(requests, source=floor.source, now=floor.now)
    assert [answer.body["outcome"] for answer in answers if isinstance(answer, Answer)] == ["applied"] * 3


def test_s09_a_limit_that_comes_before_the_lock_is_kept(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new settings ask for another lock: the scan is begun again with it, and counts by the new limit."""
    for number in (1, 2):
        floor.scan("L1", number, "empty")
    floor.scan("L1", 1, "start", at="SMT")
    configs()

    def limit() -> None:
        Station.objects.filter(code="SMT").update(wip_limit=1)

    locked: list[set[int]] = []
    load = store.load

    def noting(loop_ids: Any, *, lock_stations: Any = ()) -> Any:
        locked.append(set(lock_stations))
        return load(loop_ids, lock_stations=lock_stations)

    monkeypatch.setattr(store, "load", noting)
    request = floor.request("L1", 2, "start", at="SMT")
    with between(monkeypatch, iter([limit])):
        answer = actions.scan(request, source=floor.source, now=floor.now)
    assert isinstance(answer, Answer)
    assert (answer.body["outcome"], answer.body["code"]) == ("refused", "wip_limit")
    assert locked == [set(), {Station.objects.get(code="SMT").pk}]


def test_s09_threads_that_find_the_settings_old_read_them_once(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs()
    rename(1)
    loads: list[int] = []
    load = settings_in_memory._load
    barrier = threading.Barrier(6)

    def counted() -> Any:
        loads.append(1)
        return load()

    def ask() -> int:
        try:
            barrier.wait(PATIENCE_S)
            return configs().epoch
        finally:
            connection.close()

    monkeypatch.setattr(settings_in_memory, "_load", counted)
    with ThreadPoolExecutor(6) as pool:
        found = {future.result(PATIENCE_S) for future in [pool.submit(ask) for _ in range(6)]}
    assert len(found) == 1
    assert len(loads) == 1
