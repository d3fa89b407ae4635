"""What stands still is seen by whoever looks: in the store, and among the processes (S3, S11)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest
from django.db import connection, transaction
from django.test import Client

from jitapp.accounts.models import Person
from jitapp.api import events
from jitapp.kanban.vocabulary import Role
from jitapp.outbox.models import Message
from jitapp.plant.models import Membership
from jitapp.pull import history
from jitapp.pull.reading import standstill
from jitapp.pull.reading.standstill import Standstill, Watch
from jitapp.pulse import beats
from jitapp.web import boards, health
from tests.floor import Floor
from tests.live.served import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_S = 150.0
NOW = datetime.now(UTC)  # a while ago, when the tests run


class Clock:
    """Seconds that pass when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def status_page() -> str:
    """What an administrator reads there."""
    root, _ = Person.objects.get_or_create(username="root", is_superuser=True)
    client = Client()
    client.force_login(root)
    return client.get("/status").content.decode()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """A watch of the test's own, asked by every page."""
    client = beats.connection()
    client.delete(beats.HASH, beats.STANDS)
    made = Watch(clock)
    for module in (health, boards, events):
        monkeypatch.setattr(module, "watch", made)
    yield made
    client.delete(beats.HASH, beats.STANDS)


def look_for(watch: Watch, clock: Clock, seconds: int) -> Standstill:
    """Looks every two seconds for so long."""
    for _ in range(seconds // 2):
        clock.now += 2
        watch.look()
    return watch.latest()


def ready(*, feed: bool = False) -> tuple[int, dict[str, object]]:
    """/readyz; transactions of tests beside this one hold the feed back too, so it is left out unless asked."""
    answer = Client().get("/readyz")
    said: dict[str, object] = answer.json()
    if not feed:
        said["degraded"] = [word for word in answer.json()["degraded"] if word != "feed"]
    return answer.status_code, said


def message(**fields: object) -> Message:
    """A row of the outbox."""
    return Message.objects.create(topic="none", **({"key": 1, "due_at": NOW} | fields))


def test_all_is_well_where_nothing_stands_still(watch: Watch, clock: Clock) -> None:
    message(due_at=NOW + timedelta(days=1))
    wait_until(lambda: look_for(watch, clock, 30) == Standstill(), PATIENCE_S)
    assert ready() == (200, {"status": "ready", "lacks": [], "frozen": [], "degraded": []})


# -- the store ---------------------------------------------------------------------------------------


def test_s11_signals_that_nobody_takes_are_seen(watch: Watch) -> None:
    due = NOW - timedelta(seconds=30)
    message(due_at=due)
    assert watch.look().signals_since == due
    assert ready()[1]["degraded"] == ["signals"]


def test_s11_a_row_behind_one_that_fails_is_no_standstill(watch: Watch) -> None:
    message(due_at=NOW + timedelta(days=1), attempts=3)
    message(due_at=NOW - timedelta(minutes=5))
    assert watch.look().signals_since is None


def test_s11_rows_that_were_given_up_are_counted_and_told(watch: Watch) -> None:
    for key in (1, 2):
        message(key=key, dead_at=NOW)
    assert watch.look().given_up == 2
    assert ready()[0] == 200
    assert ready()[1]["degraded"] == ["given_up"]
    assert "2 signals were given up." in status_page()


@contextmanager
def foreign_transaction() -> Iterator[None]:
    """Somebody else's open transaction, and a later one that has ended."""
    settings = connection.get_connection_params() | {"application_name": "a forgotten psql"}
    settings.pop("cursor_factory", None), settings.pop("context", None)
    with closing(psycopg2.connect(**settings)) as other:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
        message(done_at=NOW)
        yield
        other.rollback()


def test_s11_a_transaction_that_holds_the_feed_back_is_named(watch: Watch, clock: Clock) -> None:
    def is_named() -> bool:
        seen = look_for(watch, clock, 16)
        name = r"a forgotten psql, process \d+(, idle in transaction)?$"
        return seen.feed_since is not None and re.match(name, seen.feed_holder) is not None

    with foreign_transaction():
        wait_until(is_named, PATIENCE_S)  # older transactions of tests beside this one end first
        status, said = ready(feed=True)
        assert (status, said["degraded"]) == (200, ["feed"])
        assert "a forgotten psql" in status_page()
        floor = Floor()
        page = Client().get("/api/v1/events", headers={"Authorization": f"Bearer {floor.token}"})
        assert page.json()["held_since"] is not None
    wait_until(lambda: look_for(watch, clock, 2).feed_since is None, PATIENCE_S)


def test_s11_only_one_transaction_that_lasts_holds_the_feed_back(watch: Watch) -> None:
    assert [watch._held_for(5, 9, 1000.0 + at) for at in range(0, 10, 2)] == [0, 2, 4, 6, 8]
    # Many short ones, each the oldest for a moment; and an old one that nothing waits for.
    assert [watch._held_for(9 + at, 99, 1010.0 + at) for at in range(0, 10, 2)] == [0] * 5
    assert [watch._held_for(30, 30, 1020.0 + at) for at in range(0, 20, 2)] == [0] * 10


def test_s11_the_trial_of_the_disk_goes_to_the_disk() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64kB'")
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {standstill._WRITE}")
        said = "".join(row[0] for row in cursor.fetchall())
    assert re.search(r"temp .*written=[1-9]", said), said


def test_s11_a_full_disk_is_said_by_readyz(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    full = "DO $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$"
    monkeypatch.setattr(standstill, "_WRITE", full)
    assert standstill.trouble_with_writing() == "disk"
    assert ready()[0] == 503
    assert ready()[1]["lacks"] == ["disk"]
    assert list(watch.latest().for_boards()) == ["web"]
    assert "The disk of the database is full" in status_page()
    assert "jitapp_store_writable 0.0" in Client().get("/metrics").content.decode()


def test_s11_a_store_that_is_read_only_is_said_by_readyz(watch: Watch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        assert ready()[1]["lacks"] == ["read_only"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")


# -- processes -----------------------------------------------------------------------------------------


def beat(name: str, count: int, host: str = "here", pid: int = 7) -> None:
    """A sign of life."""
    said = {"pid": pid, "count": count, "at": int(NOW.timestamp() * 1000)}
    beats.connection().hset(beats.HASH, f"{name}@{host}", json.dumps(said))


def test_s11_a_frozen_process_is_named_by_readyz_status_and_metrics(watch: Watch, clock: Clock) -> None:
    beat("web.1", 1)
    beat("relay.1", 1)
    for count in range(2, 8):
        clock.now += 2
        beat("web.1", count)
        watch.look()
    status, said = ready()
    assert (status, said["status"], said["frozen"]) == (503, "lacking", ["relay.1"])
    assert "relay.1 on here has given no sign of life" in status_page()
    figures = Client().get("/metrics").content.decode()
    assert 'jitapp_process_frozen{host="here",process="relay.1"} 1.0' in figures
    assert 'jitapp_process_frozen{host="here",process="web.1"} 0.0' in figures
    beat("relay.1", 1, pid=8)  # started again
    assert look_for(watch, clock, 2).frozen == ()


def test_s11_a_board_says_that_signals_stand_still_while_neither_relay_nor_worker_lives(
    watch: Watch, clock: Clock
) -> None:
    floor = Floor()
    floor.station("PRESS")
    floor.station("CELL")
    floor.loop("L", part="DOOR", supply="PRESS", demand="CELL")
    beat("relay.1", 1)
    beat("worker.1", 1)
    look_for(watch, clock, 12)
    watch.tell_boards()
    told = {"signals": int(NOW.timestamp() * 1000)}
    era = {"era": history.present().number}
    assert json.loads(beats.connection().get(beats.STANDS) or b"") == told | era
    client = Client()
    person = floor.person("looker")
    Membership.objects.create(person=person, plant=floor.plant, role=Role.LEADER)
    client.force_login(person)
    assert json.loads(client.get(f"/b/{floor.area.code}/rows").headers["X-Stands"]) == told
    assert "stands_signals_do" in client.get(f"/b/{floor.area.code}").content.decode()
    beat("worker.1", 2)
    clock.now += 4
    assert watch.look().signals_since is None
    assert json.loads(client.get(f"/b/{floor.area.code}/rows").headers["X-Stands"]) == {}


def test_a_process_that_was_moved_elsewhere_is_forgotten_beside_living_ones(
    watch: Watch, clock: Clock
) -> None:
    beat("relay.1", 1, host="former")
    for count in range(400):
        clock.now += 2
        beat("relay.1", count, host="present")
        watch.look()
    read = beats.read(beats.connection())
    assert read is not None
    assert list(read) == ["relay.1@present"]
    look_for(watch, clock, 1000)
    assert list(beats.read(beats.connection()) or ()) == ["relay.1@present"], (
        "the last of a role is missed for good"
    )


def test_s11_beats_that_cannot_be_read_blame_nobody(
    watch: Watch, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat("relay.1", 1)
    look_for(watch, clock, 4)
    monkeypatch.setattr(beats, "read", lambda _client: None)
    assert look_for(watch, clock, 60).frozen == ()
