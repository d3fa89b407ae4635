"""The feed through restores and beside slow transactions: nothing is missed, nothing comes out of its loop's order."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection, connections, transaction

from jitapp.pull import history
from jitapp.pull.proof.verify import verify
from tests.api.test_reading import Reader, floor, reader
from tests.floor import Floor, wait_for_the_feed
from tests.superuser import superuser

__all__ = ["floor", "reader"]


def set_back() -> None:
    """What a restore leaves behind: the database does not know itself any more."""
    with superuser(), connection.cursor() as cursor:
        cursor.execute("UPDATE pull_history SET identity = ''")
    history.notice(connection)


@pytest.mark.django_db(transaction=True)
def test_a03_a_loops_events_come_in_the_order_of_their_numbers(floor: Floor, reader: Reader) -> None:
    """A transaction that is older than the loop's last event, as a worker's is that claimed its rows first."""
    begun, go_on = threading.Event(), threading.Event()

    def old() -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_current_xact_id()")
            begun.set()
            go_on.wait(20)
            floor.scan("DOORS", 2, "empty")
        connections.close_all()

    writer = threading.Thread(target=old)
    writer.start()
    assert begun.wait(20)
    floor.scan("DOORS", 1, "empty")
    go_on.set()
    writer.join()
    wait_for_the_feed()
    events = [event for event in reader.everything("/events") if event["loop"] == "DOORS"]
    scanned = [event["loop_seq"] for event in events if event["type"] == "scan.applied"]
    assert len(scanned) >= 2
    assert [event["loop_seq"] for event in events] == list(range(1, len(events) + 1))
    assert verify().counts["I6"] == 0


@pytest.mark.django_db(transaction=True)
def test_s02_a_reader_is_told_that_history_was_set_back_and_goes_on(floor: Floor, reader: Reader) -> None:
    floor.scan("DOORS", 1, "empty")
    wait_for_the_feed()
    first = reader.get("/events?limit=3")
    end = reader.get("/events?limit=500")
    whole = reader.everything("/events")
    set_back()
    told = reader.get(f"/events?cursor={first['cursor']}", 410)
    assert told["code"] == "history_was_set_back"
    assert told["epoch"] != first["epoch"]
    newest = datetime.fromisoformat(whole[-1]["recorded_at"])
    assert datetime.fromisoformat(told["kept_until"]) == newest - timedelta(minutes=1)
    rest = reader.everything(f"/events?cursor={told['cursor']}")
    assert [*first["results"], *rest] == whole
    at_the_end = reader.get(f"/events?cursor={end['cursor']}", 410)["cursor"]
    assert reader.get(f"/events?cursor={at_the_end}")["results"] == []
    # The new era's transactions sort behind the old ones, whatever their numbers.
    floor.scan("DOORS", 1, "start")
    wait_for_the_feed()
    fresh = reader.get(f"/events?cursor={at_the_end}")["results"]
    assert {event["type"] for event in fresh} >= {"scan.applied", "turn.started"}
    assert reader.everything("/events") == [*whole, *fresh]
    assert reader.get("/events?cursor=now")["epoch"] == told["epoch"]
    assert verify().counts["I6"] == 0


@pytest.mark.django_db(transaction=True)
def test_s02_a_reader_of_a_history_that_never_was_begins_again(floor: Floor, reader: Reader) -> None:
    floor.scan("DOORS", 1, "empty")
    set_back()
    lost = reader.get("/events?cursor=now")["cursor"]
    with (
        superuser(),
        connection.cursor() as cursor,
    ):  # a second restore, of a backup from before the first one
        cursor.execute("DELETE FROM pull_history WHERE era = (SELECT max(era) FROM pull_history)")
    set_back()
    told = reader.get(f"/events?cursor={lost}", 410)
    assert told["cursor"] is None
    assert "Begin again without a cursor" in told["detail"]


@pytest.mark.django_db(transaction=True)
def test_s02_events_that_a_plain_copy_would_hide_are_shown(floor: Floor, reader: Reader) -> None:
    """A copy in a young cluster has transaction numbers that are yet to come there."""
    floor.scan("DOORS", 1, "empty")
    with superuser(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE pull_event DISABLE TRIGGER event_grows_only")
        cursor.execute("UPDATE pull_event SET place = (place::text::bigint + 1000000000)::text::xid8")
        cursor.execute("UPDATE pull_loopstate SET place = '9000000000'")
        cursor.execute("ALTER TABLE pull_event ENABLE TRIGGER event_grows_only")
        cursor.execute("SELECT count(*) FROM pull_event")
        count = cursor.fetchone()[0]
    assert reader.everything("/events") == []
    assert verify().counts["I6"] == count
    set_back()
    assert len(reader.everything("/events")) == count
    floor.scan("DOORS", 1, "start")
    wait_for_the_feed()
    assert len(reader.everything("/events")) > count
    assert verify().counts["I6"] == 0


@pytest.mark.django_db(transaction=True)
def test_processes_read_their_settings_again_after_a_restore(floor: Floor) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM plant_epoch")
        before = cursor.fetchone()[0]
        set_back()
        cursor.execute("SELECT number FROM plant_epoch")
        assert cursor.fetchone()[0] > before
    assert floor.scan("DOORS", 1, "empty")["outcome"] == "applied"
