"""Every statement of a scan and of a propagation fails once, before and after it ran: nothing is ever half done.

The failing is done at the lowest place, in psycopg2's cursor and at the commit, so that the plain cursors of the scan
path and Django's own are met alike. After each failure the ledger must be sound, and what was sent again must succeed
as if nothing had been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import psycopg2
import psycopg2.extensions
import pytest
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone

from jitapp import switchboard
from jitapp.accounts.models import new_uuid
from jitapp.outbox.models import Message
from jitapp.pull import actions
from jitapp.pull.models import Card, Draw, Event, Receipt, TurnLink
from jitapp.pull.scan_request import Answer, ScanRequest
from jitapp.workshop.soundness import troubles
from tests.floor import Floor

pytestmark = pytest.mark.django_db(transaction=True)

# A scan's transaction: BEGIN comes with the lock, COMMIT with the write.
WAYPOINTS = {"BEGIN", "pull_lock_loops", "pull_read", "pull_write", "COMMIT"}
MOST = 200  # statements: more means that the count never ended
T = TypeVar("T")
ERRORS = (
    psycopg2.OperationalError,  # the connection broke
    psycopg2.errors.DeadlockDetected,  # tried again by itself
    psycopg2.errors.QueryCanceled,  # the statement took too long
)


@dataclass
class Saboteur:
    """Counts statements and commits of this connection; the n-th fails, before it ran or right after."""

    at: int = 0
    after: bool = False
    error: type[psycopg2.Error] = psycopg2.OperationalError
    count: int = 0
    struck: str = ""
    seen: list[str] = field(default_factory=list)

    def strike(self, what: str, deed: Callable[[], Any]) -> Any:
        """Does the deed, or fails it."""
        self.count += 1
        self.seen.append(what)
        if self.count != self.at:
            return deed()
        self.struck = what
        if self.after:
            deed()
        raise self.error("made to fail")


@contextmanager
def sabotage(saboteur: Saboteur) -> Iterator[Saboteur]:
    """From here on, on this thread's connection."""
    wrapper: Any = connection
    wrapper.ensure_connection()
    session = wrapper.connection

    class Cursor(psycopg2.extensions.cursor):
        def execute(self, query: Any, variables: Any = None) -> None:
            text = query.decode() if isinstance(query, bytes) else str(query)
            run = super().execute
            # What travels in one message can still be cut in two: written, and not yet committed.
            written = text.removesuffix("; COMMIT")
            saboteur.strike(written, lambda: run(written, variables))
            if written != text:
                saboteur.strike("COMMIT", lambda: run("COMMIT"))

    commit = wrapper._commit

    def failing_commit() -> None:
        with wrapper.wrap_database_errors:
            saboteur.strike("COMMIT", commit)

    session.cursor_factory = Cursor
    wrapper._commit = failing_commit
    try:
        yield saboteur
    finally:
        del wrapper._commit
        session.cursor_factory = psycopg2.extensions.cursor


def met(struck: Iterable[str]) -> set[str]:
    """The waypoints of a scan that were struck."""
    return {point for point in WAYPOINTS for statement in struck if point in statement}


def attempt(deed: Callable[[], T]) -> T | None:
    """What the deed gives, or None if it raised what a store raises; nothing else may come out of it."""
    try:
        return deed()
    except (psycopg2.Error, DatabaseError):
        return None


@pytest.fixture
def floor() -> Floor:
    """Two levels of stations that draw by software, and a station with a limit."""
    floor = Floor(now=timezone.now() - timedelta(days=1))
    floor.station("SUP", "SUPPLIER")
    floor.station("SMT", consumption="BACKFLUSH", wip_limit=5)
    floor.station("TEST", consumption="BACKFLUSH")
    floor.station("SHIP", "SHIPPING")
    floor.bill("UNIT", BOARD=2)
    floor.bill("BOARD", REEL="0.5")
    floor.loop("L1", part="UNIT", supply="TEST", demand="SHIP", cards=2, quantity=2)
    floor.loop("L2", part="BOARD", supply="SMT", demand="TEST", cards=3, quantity=4)
    floor.loop("L3", part="REEL", supply="SUP", demand="SMT", kind="SUPPLIER", cards=2, quantity=2)
    floor.propagate()
    return floor


def state() -> tuple[Any, ...]:
    """Everything a scan or a drain may change, without what differs from run to run."""
    return (
        Event.objects.count(),
        Receipt.objects.count(),
        Draw.objects.count(),
        TurnLink.objects.count(),
        list(
            Card.objects.order_by("pk").values_list("supply_status", "contents", "turn_number", "last_scan")
        ),
        Message.objects.filter(done_at=None).count(),
    )


def wrong(*, settled: bool) -> list[str]:
    with connection.cursor() as cursor:
        return troubles(cursor, settled=settled)


def ways(floor: Floor) -> list[Callable[[], ScanRequest]]:
    """Scans of every kind of effect, in an order in which each applies."""
    return [
        lambda: floor.request("L1", 1, "empty"),
        lambda: floor.request("L1", 2, "empty"),  # a runout opens
        lambda: floor.request("L1", 1, "start"),
        lambda: floor.request("L1", 1, "receive"),  # steps are implied, the runout closes
        lambda: floor.request("L2", 1, "empty"),
        lambda: floor.request("L2", 1, "start"),  # under the station's lock
        lambda: floor.request("L2", 1, "undo", at="SMT"),
    ]


@pytest.mark.parametrize("after", [False, True], ids=["before it ran", "after it ran"])
@pytest.mark.parametrize("error", [ERRORS[0], ERRORS[2]], ids=lambda error: error.__name__)
def test_a_scan_whose_nth_statement_fails_changed_nothing_or_everything_and_sent_again_is_applied_once(
    floor: Floor, error: type[psycopg2.Error], after: bool
) -> None:
    struck: set[str] = set()
    for way in ways(floor):
        request = way()
        floor.now += timedelta(minutes=1) if request.intent != "undo" else timedelta(seconds=20)
        answer = None
        for at in range(1, MOST):
            before = state()
            with sabotage(Saboteur(at, after, error)) as saboteur:
                answer = attempt(partial(actions.scan, request, source=floor.source, now=floor.now))
            struck.add(saboteur.struck)
            assert wrong(settled=False) == []
            if answer is not None:
                assert not saboteur.struck or error is psycopg2.errors.DeadlockDetected, (
                    "only a lost race is hidden"
                )
            if answer is not None and not saboteur.struck:
                break
            if state() != before:
                # It happened, though the answer was lost: sent again, it brings the first answer.
                assert after
                assert saboteur.struck.endswith("COMMIT")
                answer = actions.scan(request, source=floor.source, now=floor.now)
                assert isinstance(answer, Answer)
                assert answer.replayed
                break
        assert isinstance(answer, Answer)
        assert answer.body["outcome"] == "applied", answer.body
        assert Event.objects.filter(scan_id=request.id, type="scan.applied").count() == 1
    assert met(struck) == WAYPOINTS, struck


@pytest.mark.parametrize("after", [False, True], ids=["before it ran", "after it ran"])
def test_a_scan_that_loses_a_race_for_locks_at_its_nth_statement_is_tried_again_and_nobody_notices(
    floor: Floor, after: bool
) -> None:
    struck: list[str] = []
    for at in range(1, MOST):
        struck_now: list[str] = []
        for intent in ("empty", "start", "complete", "load", "receive"):
            request = floor.request("L1", 1, intent)
            floor.now += timedelta(minutes=1)
            with sabotage(Saboteur(at, after, psycopg2.errors.DeadlockDetected)) as saboteur:
                answer = attempt(partial(actions.scan, request, source=floor.source, now=floor.now))
            assert isinstance(answer, Answer)
            assert answer.body["outcome"] == "applied", answer.body
            assert Event.objects.filter(scan_id=request.id, type="scan.applied").count() == 1
            if saboteur.struck:
                struck_now.append(saboteur.struck)
        assert wrong(settled=False) == []
        if not struck_now:
            break
        struck += struck_now
    assert met(struck) == WAYPOINTS, struck


@pytest.mark.parametrize("after", [False, True], ids=["before it ran", "after it ran"])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_a_drain_whose_nth_statement_fails_is_done_once_by_the_next(
    floor: Floor, error: type[psycopg2.Error], after: bool
) -> None:
    for way in ways(floor)[:6]:
        answer = floor.send(way())
        assert isinstance(answer, Answer)
        assert answer.body["outcome"] == "applied"
    for at in range(1, MOST):
        with sabotage(Saboteur(at, after, error)) as saboteur:
            attempt(switchboard.drain)
        assert wrong(settled=False) == []
        with connection.cursor() as cursor:  # a row that was put off is due at once
            cursor.execute("UPDATE outbox_message SET due_at = now(), attempts = 0 WHERE done_at IS NULL")
        if not saboteur.struck:
            break
        if not Message.objects.filter(done_at=None).exists():
            # Committed before the failure, or done in a second try: the next round needs something to do.
            round_trip(floor)
    else:
        pytest.fail(f"a drain of more than {MOST} statements")
    switchboard.drain()
    assert at > 10
    assert not Message.objects.exclude(dead_at=None).exists()
    assert wrong(settled=True) == []


def round_trip(floor: Floor) -> None:
    """A turn of the first loop, which draws at both levels."""
    for intent in ("empty", "start", "receive"):
        answer = floor.send(floor.request("L1", 1, intent))
        assert isinstance(answer, Answer)
        assert answer.body["outcome"] == "applied", answer.body


@pytest.mark.parametrize("after", [False, True], ids=["before it ran", "after it ran"])
def test_a_batch_whose_nth_statement_fails_is_taken_whole_when_sent_again(floor: Floor, after: bool) -> None:
    requests = [way() for way in ways(floor)[:2]] + [
        ScanRequest(new_uuid(), "nonsense"),
        floor.request("L2", 1, "empty"),
    ]
    for at in range(1, MOST):
        before = state()
        with sabotage(Saboteur(at, after)) as saboteur:
            answers = attempt(partial(actions.scan_batch, requests, source=floor.source, now=floor.now))
        if answers is not None:
            break
        assert wrong(settled=False) == []
        if after and saboteur.struck.endswith("COMMIT"):
            answers = actions.scan_batch(requests, source=floor.source, now=floor.now)
            assert all(isinstance(answer, Answer) and answer.replayed for answer in answers)
            break
        assert state() == before
    assert answers is not None
    assert [answer.body["outcome"] for answer in answers if isinstance(answer, Answer)] == [
        "applied",
        "applied",
        "refused",
        "applied",
    ]
    assert wrong(settled=False) == []


def test_a_nudge_that_cannot_be_published_changes_nothing(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is the job: whatever happens after the commit, the answer stands and the relay finds the row."""

    def broken() -> None:
        raise ConnectionError("made to fail")

    monkeypatch.setattr("jitapp.outbox.publish._nudger.nudge", broken)
    answer = floor.send(floor.request("L1", 1, "empty"))
    assert isinstance(answer, Answer)
    floor.send(floor.request("L1", 1, "start"))
    switchboard.drain()
    assert Draw.objects.count() == 1
    assert wrong(settled=True) == []
