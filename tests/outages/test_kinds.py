"""S1: what PostgreSQL itself says when it is away, busy, full or being changed is told apart from faults of ours."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from django.db import DatabaseError, connection, transaction

from jitapp.outages import store
from jitapp.outages.store import Trouble, trouble_of
from tests.outages.conftest import Away
from tests.superuser import superuser

pytestmark = pytest.mark.django_db(transaction=True)


def session(**more: Any) -> Any:
    """A connection of its own beside Django's."""
    made = psycopg2.connect(**connection.get_connection_params() | {"cursor_factory": None} | more)
    made.autocommit = True
    return made


def raised(deed: Callable[[], object]) -> Exception:
    """What PostgreSQL raised."""
    with pytest.raises(store.ERRORS) as caught:
        deed()
    return caught.value


def run(*statements: str) -> None:
    """By Django's own cursor."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def signalled(code: str) -> str:
    """What PostgreSQL says with this code, without the accident that it is for."""
    return f"DO $$ BEGIN RAISE EXCEPTION 'made for a test' USING ERRCODE = '{code}'; END $$"


def test_s01_a_connection_that_was_ended_by_the_server_is_the_database_away() -> None:
    run("SELECT 1")
    with closing(session()) as other, other.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        cursor.execute("SELECT pg_terminate_backend(%s)", (connection.connection.info.backend_pid,))
        error = raised(lambda: run("SELECT pg_sleep(30)", "SELECT 1"))
    connection.close()
    assert trouble_of(error) is Trouble.AWAY


def test_s01_a_refused_connection_is_the_database_away(away: Away) -> None:
    with away():
        assert trouble_of(raised(lambda: run("SELECT 1"))) is Trouble.AWAY


def test_s01_too_many_connections_are_the_database_away() -> None:
    role = f"crowded_{os.getpid()}"  # the suite's processes share the cluster
    with superuser():
        run(f"CREATE ROLE {role} LOGIN PASSWORD 'x' CONNECTION LIMIT 0")
        try:
            error = raised(lambda: session(user=role, password="x", options=""))
        finally:
            run(f"DROP ROLE {role}")
    assert "too many connections" in str(error)
    assert trouble_of(error) is Trouble.AWAY


def test_s01_a_lock_or_an_answer_that_comes_too_late_is_the_database_busy() -> None:
    late = raised(lambda: run("SET statement_timeout = 10", "SELECT pg_sleep(30)"))
    connection.close()
    with closing(session()) as other, other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE plant_plant IN ACCESS EXCLUSIVE MODE")
        held = raised(lambda: run("SET lock_timeout = 10", "SELECT 1 FROM plant_plant"))
    connection.close()
    assert (trouble_of(late), trouble_of(held)) == (Trouble.BUSY, Trouble.BUSY)


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("57P01", Trouble.AWAY),  # admin_shutdown
        ("57P03", Trouble.AWAY),  # cannot_connect_now: starting, or recovering after a crash
        ("53300", Trouble.AWAY),  # too_many_connections
        ("08006", Trouble.AWAY),  # connection_failure
        ("40001", Trouble.BUSY),
        ("40P01", Trouble.BUSY),
        ("25P03", Trouble.BUSY),  # idle_in_transaction_session_timeout
        ("53100", Trouble.UNWRITABLE),  # disk_full
        ("58030", Trouble.UNWRITABLE),  # io_error
        ("25006", Trouble.UNWRITABLE),  # a standby
        ("42P01", Trouble.CHANGING),  # a table that a restore has replaced
        ("26000", Trouble.CHANGING),  # a prepared statement that is gone
        ("XX000", Trouble.CHANGING),  # could not open relation
        ("23505", None),
        ("22P02", None),
        ("42601", None),  # SQL of ours that is wrong
    ],
)
def test_s01_every_code_has_one_meaning_in_both_ways_to_the_database(
    code: str, trouble: Trouble | None
) -> None:
    by_django = raised(lambda: run(signalled(code)))
    with closing(session()) as plain, plain.cursor() as cursor:
        by_psycopg = raised(lambda: cursor.execute(signalled(code)))
    assert trouble_of(by_django) is trouble
    assert trouble_of(by_psycopg) is trouble


def test_s01_what_is_no_error_of_the_database_is_none_of_its_troubles() -> None:
    assert trouble_of(ConnectionRefusedError("of something else")) is None
    assert trouble_of(DatabaseError("Save with update_fields did not affect any rows.")) is None
    chained = ValueError("a fault that met it on its way")
    chained.__cause__ = psycopg2.OperationalError("gone")
    assert trouble_of(chained) is None


def test_s01_prepared_statements_of_tables_that_went_are_let_go() -> None:
    run("SELECT 1")
    store.told(raised(lambda: run(signalled("26000"))))
    assert connection.connection is None
    with transaction.atomic():
        run("SELECT 1")
        store.told(psycopg2.errors.UndefinedTable("gone"))
        assert connection.connection is not None  # its end is the caller's


def test_s01_threads_count_together() -> None:
    threads = [
        threading.Thread(target=store.told, args=(psycopg2.OperationalError("gone"),)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store._OUTAGES[Trouble.AWAY]._counts == {store.ANSWERED_503: 8}
