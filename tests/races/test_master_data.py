"""Master data is changed while somebody scans: either the scan counts by the old data and is seen, or by the new."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection, transaction

from jitapp.plant.models import Loop, Station
from jitapp.pull.models import LoopState
from jitapp.pull.proof.verify import verify
from jitapp.pull.scan_request import Answer
from jitapp.pull.setup import SetUp, set_up_shop
from tests.floor import Floor
from tests.races.crowd import at_once
from tests.superuser import superuser

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 6


def change_kind(floor: Floor, station: str, kind: str) -> SetUp:
    row = {"code": station, "kind": kind}
    return set_up_shop({"shop": 1, "plants": [{"code": floor.plant_code, "stations": [row]}]}, now=floor.now)


def test_a_station_changes_or_a_turn_is_opened_there_and_never_both_unseen() -> None:
    floor = Floor()
    floor.station("CELL")
    for number in range(ROUNDS):
        floor.station(f"ST-{number}")
        floor.loop(f"L-{number}", part=f"P-{number}", supply=f"ST-{number}", demand="CELL")
    for number in range(ROUNDS):
        request = floor.request(f"L-{number}", 1, "empty")
        deeds: list[Callable[[], object]] = [
            partial(floor.send, request),
            partial(change_kind, floor, f"ST-{number}", "SUPERMARKET"),
        ]
        scanned, changed = at_once(*deeds)
        assert isinstance(scanned, Answer), scanned
        assert scanned.body["outcome"] == "applied"
        assert isinstance(changed, SetUp), changed
        assert [error.code for error in changed.report.errors] in ([], ["in_use"])
        if changed.report.errors:
            assert Station.objects.get(code=f"ST-{number}").kind == "PROCESS"
    assert verify().differences == []


def test_a_change_waits_for_the_scan_that_holds_the_loop_and_then_sees_its_turn() -> None:
    floor = Floor()
    floor.station("PRESS")
    floor.station("CELL")
    loop = floor.loop("L1", part="DOOR", supply="PRESS", demand="CELL")
    held, go_on = threading.Event(), threading.Event()
    found: list[SetUp] = []

    def scan_slowly() -> None:
        try:
            with transaction.atomic():
                LoopState.objects.select_for_update().get(pk=loop.pk)
                held.set()
                assert go_on.wait(30)
                floor.scan("L1", 1, "empty")
        finally:
            connection.close()

    def change() -> None:
        try:
            found.append(change_kind(floor, "PRESS", "SUPERMARKET"))
        finally:
            connection.close()

    scanning = threading.Thread(target=scan_slowly)
    scanning.start()
    assert held.wait(30)
    changing = threading.Thread(target=change)
    changing.start()
    while not _somebody_waits():
        assert changing.is_alive(), "the change did not wait for the loop"
    go_on.set()
    scanning.join(30)
    changing.join(30)
    assert [error.code for error in found[0].report.errors] == ["in_use"]
    assert Loop.objects.get().supply.kind == "PROCESS"


def _somebody_waits() -> bool:
    with superuser(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND query ILIKE '%pull_loopstate%'"
        )
        return bool(cursor.fetchone()[0])
