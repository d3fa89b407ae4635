"""Draining the outbox: one function for the Celery task, the relay and the tests.

Claiming a row is a row lock, the effect and `done_at` share its transaction: a kill at any point leaves all or
nothing. Messages of one key are handled in order; different keys in parallel by as many drains as there are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from jitapp.outages.store import Trouble, trouble_of

logger = logging.getLogger(__name__)

BATCH = 50
MAX_ATTEMPTS = 8
# Not so a database that is busy, or lacks a table: a row whose handling never ends well must make way for the others.
NO_FAULT_OF_A_ROW = (Trouble.AWAY, Trouble.UNWRITABLE)

# The oldest waiting message of each key that nobody else is handling, and what waits behind it, marked as done: all of
# it is undone with the transaction if the handling fails. Prepared, because planning it costs more than running it;
# and planned by the indexes, because a plan made while the outbox is empty would read all of a backlog for ever.
CLAIM = """
    WITH heads AS MATERIALIZED (
        SELECT m.key FROM outbox_message m
        WHERE m.done_at IS NULL AND m.dead_at IS NULL AND m.due_at <= clock_timestamp()
          AND NOT EXISTS (SELECT 1 FROM outbox_message e WHERE e.key = m.key AND e.id < m.id
                          AND e.done_at IS NULL AND e.dead_at IS NULL)
        ORDER BY m.id LIMIT {batch} FOR UPDATE SKIP LOCKED
    ), claimed AS MATERIALIZED (
        SELECT m.id FROM outbox_message m
        WHERE m.key IN (SELECT key FROM heads) AND m.done_at IS NULL AND m.dead_at IS NULL
        ORDER BY m.id LIMIT {batch} FOR UPDATE SKIP LOCKED
    )
    UPDATE outbox_message m SET done_at = clock_timestamp() FROM claimed WHERE m.id = claimed.id
    RETURNING m.id, m.topic, m.key, m.payload, m.attempts, m.created_at
"""
_OTHER_WAYS = ("seqscan", "hashjoin", "mergejoin", "sort")
BY_INDEX = "; ".join(f"SET enable_{way} = off" for way in _OTHER_WAYS)
BY_COST = "; ".join(f"RESET enable_{way}" for way in _OTHER_WAYS)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed message."""

    id: int
    topic: str
    key: int
    payload: dict[str, Any]
    attempts: int
    created_at: datetime


Handler = Callable[[Sequence[Job]], None]


def drain_once(handle: Handler, *, decode: Callable[[str], dict[str, Any]], batch: int = BATCH) -> int:
    """Claims a batch, handles it and marks it as done, in one transaction; answers how many rows were claimed.

    If the batch fails, its rows are tried one by one: a poison row is put off with growing pauses, and dead after
    eight attempts, while the others go on. A database that is away is no fault of a row: what it raises is raised, and
    the rows stay as they were.
    """
    claimed: list[Job] = []
    try:
        with transaction.atomic():
            claimed = _claim(batch, decode)
            if claimed:
                handle(claimed)
        return len(claimed)
    except Exception as error:
        if trouble_of(error) in NO_FAULT_OF_A_ROW:
            raise
        if len(claimed) <= 1:
            if not claimed:
                raise
            _put_off(claimed[0], error)
            return 1
        logger.warning("A batch of %d outbox rows failed (%s); trying them one by one.", len(claimed), error)
    for job in claimed:
        _alone(job, handle)
    return len(claimed)


def _alone(job: Job, handle: Handler) -> None:
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT 1 FROM outbox_message m WHERE id = %s AND done_at IS NULL AND dead_at IS NULL"
                    " AND due_at <= clock_timestamp() AND NOT EXISTS (SELECT 1 FROM outbox_message e"
                    " WHERE e.key = m.key AND e.id < m.id AND e.done_at IS NULL AND e.dead_at IS NULL)"
                    " FOR UPDATE SKIP LOCKED",
                    (job.id,),
                )
                if cursor.fetchone() is None:
                    return
            handle([job])
            _done([job.id])
    except Exception as error:
        if trouble_of(error) in NO_FAULT_OF_A_ROW:
            raise
        _put_off(job, error)


def _claim(batch: int, decode: Callable[[str], dict[str, Any]]) -> list[Job]:
    with connection.cursor() as cursor:
        statement = f"outbox_claim_{batch:d}"
        if getattr(connection, "jitapp_claim", None) != (connection.connection, statement):
            cursor.execute("SELECT 1 FROM pg_prepared_statements WHERE name = %s", (statement,))
            if cursor.fetchone() is None:
                cursor.execute(
                    f"PREPARE {statement} AS {CLAIM.format(batch=batch)};"
                    f"{BY_INDEX}; EXPLAIN EXECUTE {statement}; {BY_COST}"
                )
            connection.jitapp_claim = (connection.connection, statement)  # type: ignore[attr-defined]
        cursor.execute(f"EXECUTE {statement}")
        rows = cursor.fetchall()
    jobs = [
        Job(row[0], row[1], row[2], decode(row[3]) if isinstance(row[3], str) else row[3], row[4], row[5])
        for row in rows
    ]
    return sorted(jobs, key=lambda job: job.id)


def _done(ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE outbox_message SET done_at = clock_timestamp() WHERE id = ANY(%s)", (ids,))


def _put_off(job: Job, error: Exception) -> None:
    """Counts the attempt; the next one waits 1, 2, 4 ... seconds; after eight the row is dead and says why."""
    logger.error("Outbox row %d (%s) failed, attempt %d", job.id, job.topic, job.attempts + 1, exc_info=error)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outbox_message SET attempts = attempts + 1, last_error = %s,"
            " due_at = now() + make_interval(secs => power(2, least(attempts, 6))),"
            " dead_at = CASE WHEN attempts + 1 >= %s THEN now() END WHERE id = %s AND done_at IS NULL",
            (repr(error)[:2000], MAX_ATTEMPTS, job.id),
        )


def prune(*, keep_hours: int = 24, most: int = 10_000) -> int:
    """Forgets rows done long ago: the ledger has what happened."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM outbox_message WHERE id IN (SELECT id FROM outbox_message"
            " WHERE done_at < now() - make_interval(hours => %s) ORDER BY id LIMIT %s)",
            (keep_hours, most),
        )
        return int(cursor.rowcount)
