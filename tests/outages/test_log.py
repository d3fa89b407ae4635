"""S14: an outage is two lines in the log and a count between them, in every process."""

from __future__ import annotations

import logging
import re
import threading
from typing import Any

import pytest
from django.test import Client
from psycopg2.errors import DiskFull

from jitapp import switchboard
from jitapp.live import push
from jitapp.live.push import Publisher
from jitapp.outages import store
from jitapp.outages.outage import QUIET_SECONDS, Outage
from jitapp.outbox.models import Message
from jitapp.pulse.beats import Work
from jitapp.workshop.embedded import free_port
from jitapp.workshop.management.commands import relay
from tests.floor import Floor
from tests.outages.conftest import Away
from tests.workshop.test_relay import Rounds

pytestmark = pytest.mark.django_db(transaction=True)
Log = pytest.LogCaptureFixture


def lines(caplog: Log) -> list[str]:
    """What was logged as a warning or worse; nothing of it may be a traceback."""
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not any(record.exc_info for record in told), caplog.text
    return [record.getMessage() for record in told]


def test_s14_three_hundred_failed_requests_are_two_lines(away: Away, clock: Any, caplog: Log) -> None:
    floor = Floor()
    device = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {floor.token}"})
    browser = Client(raise_request_exception=False)
    browser.cookies["sessionid"] = "x" * 32
    with away():
        for _ in range(100):
            assert device.post("/api/v1/scans", "{}", content_type="application/json").status_code == 503
            assert device.get("/api/v1/loops").status_code == 503
            assert browser.get("/").status_code == 503
    clock.now += 45
    assert device.get("/api/v1/loops").status_code == 200
    clock.now += QUIET_SECONDS
    assert device.get("/api/v1/loops").status_code == 200
    began, over = lines(caplog)
    assert re.fullmatch(
        r"The database cannot be reached: connection .* refused.* \(.+\)\. Said once; .*", began
    )
    assert over == "The database answers again after 45 s; requests answered 503: 300."


def test_s14_the_scan_door_alone_sees_the_end_too(away: Away, clock: Any, caplog: Log) -> None:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    device = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {floor.token}"})
    body = {"id": "0198c0de-0000-7000-8000-000000000001", "code": floor.card("L1", 1).code}
    with away():
        assert device.post("/api/v1/scans", body, content_type="application/json").status_code == 503
    clock.now += 9
    for _ in range(2):
        assert device.post("/api/v1/scans", body, content_type="application/json").status_code == 200
        clock.now += QUIET_SECONDS
    assert lines(caplog)[1:] == ["The database answers again after 9 s; requests answered 503: 1."]


def test_s14_the_relay_says_it_once_and_leaves_the_rows_as_they_were(
    away: Away, clock: Any, caplog: Log
) -> None:
    floor = Floor()
    floor.station("PRESS")
    floor.station("CELL")
    floor.loop("L", part="DOOR", supply="PRESS", demand="CELL")
    floor.scan("L", 1, "empty")
    with away():
        relay.drain_until(Rounds(10), Work(60))
    clock.now += 3
    relay.drain_until(Rounds(1), Work(60))
    clock.now += QUIET_SECONDS
    relay.drain_until(Rounds(1), Work(60))
    began, over = lines(caplog)
    assert began.startswith("The database cannot be reached: ")
    assert re.fullmatch(r"The database answers again after 3 s; rounds of the relay put off: \d+\.", over)
    assert set(Message.objects.values_list("attempts", "dead_at")) == {(0, None)}


def test_s14_a_database_that_goes_while_a_row_is_handled_is_no_attempt_at_the_row(
    monkeypatch: pytest.MonkeyPatch, caplog: Log
) -> None:
    """Before, each such row was counted and, after eight outages, given up."""
    from django.db import OperationalError

    floor = Floor()
    floor.station("PRESS")
    floor.station("CELL")
    floor.loop("L", part="DOOR", supply="PRESS", demand="CELL")
    floor.scan("L", 1, "empty")

    def gone(*_: object, **__: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("jitapp.pull.actions.propagate", gone)
    for _ in range(9):
        with pytest.raises(OperationalError):
            switchboard.drain()
    assert set(Message.objects.values_list("attempts", "dead_at", "done_at")) == {(0, None, None)}
    monkeypatch.undo()
    switchboard.drain()
    assert not Message.objects.filter(done_at=None).exists()
    assert lines(caplog) == []


def test_s14_the_workers_tasks_end_well_and_leave_it_to_the_relay(away: Away, caplog: Log) -> None:
    with away():
        for task in (switchboard.drain_task, switchboard.call_task, switchboard.sweep_task):
            task()
    assert len(lines(caplog)) == 1


def test_s14_a_fault_of_ours_is_still_a_traceback(monkeypatch: pytest.MonkeyPatch, caplog: Log) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a fault")

    browser = Client(raise_request_exception=False)
    monkeypatch.setattr("jitapp.web.home.viewer_of", broken)
    monkeypatch.setattr("jitapp.web.visit.guests_may_read", lambda: True)
    assert browser.get("/").status_code == 500
    assert any(record.exc_info for record in caplog.records)


def test_s14_boards_without_redis_are_told_of_once(caplog: Log) -> None:
    now = [100.0]
    publisher = Publisher(f"redis://127.0.0.1:{free_port()}/0", clock=lambda: now[0])
    for _ in range(20):
        assert not publisher.publish([("x", b"1")])
        now[0] += push.LONGEST_PAUSE_SECONDS
    assert len(lines(caplog)) == 1


# -- the line itself -----------------------------------------------------------------------------------
class Book(logging.Handler):
    """What was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def book() -> Any:
    made = Book()
    logging.getLogger("jitapp.outages").addHandler(made)
    yield made
    logging.getLogger("jitapp.outages").removeHandler(made)


def test_s14_a_server_that_comes_and_goes_is_one_outage(book: Book) -> None:
    now = [0.0]
    outage = Outage("It is gone", "It is back", clock=lambda: now[0])
    outage.answered()
    for _ in range(5):
        outage.failed("refused", "tries failed")
        now[0] += QUIET_SECONDS / 2
        outage.answered()
    outage.failed("refused", "requests lost")
    now[0] += 10
    outage.answered()
    outage.answered()
    assert book.lines == [
        "It is gone: refused. Said once; from here on it is counted.",
        "It is back after 15 s; requests lost: 1, tries failed: 5.",
    ]
    outage.failed("refused", "tries failed")
    assert len(book.lines) == 3


def test_s14_threads_that_fail_together_say_it_once(book: Book) -> None:
    outage = Outage("It is gone", "It is back")
    barrier = threading.Barrier(8)

    def fail() -> None:
        barrier.wait(30)
        outage.failed("refused", "tries failed")

    threads = [threading.Thread(target=fail) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(book.lines) == 1


def test_s14_a_reading_is_no_sign_that_the_database_writes_again(clock: Any, caplog: Log) -> None:
    """Boards go on polling while a disk is full: each poll would have ended the outage, and the next scan begun it."""
    store.told(DiskFull("could not extend file"))
    clock.now += QUIET_SECONDS
    Client().get("/readyz")
    store.answered(wrote=False)
    assert store.lasts()
    store.answered()
    began, over = lines(caplog)
    assert began.startswith("The database cannot write: ")
    assert over.startswith("The database writes again after ")
