"""What stands in the outbox: rows that wait, rows that fail, rows that were given up; and another try for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models.functions import Now

from jitapp.outbox.models import Message
from jitapp.outbox.publish import nudge_on_commit


@dataclass(frozen=True, slots=True)
class Undone:
    """A row that is not done. `blocked_by` is an older row of the same key, which must be done first."""

    id: int
    topic: str
    key: int
    attempts: int
    created_at: datetime
    due_at: datetime
    dead_at: datetime | None
    blocked_by: int | None
    last_error: str

    @property
    def state(self) -> str:
        """dead: given up, only `retry` helps; fails: tried, and tried again later; blocked; waits."""
        if self.dead_at is not None:
            return "dead"
        if self.attempts:
            return "fails"
        return "blocked" if self.blocked_by is not None else "waits"


_UNDONE = """
SELECT m.id, m.topic, m.key, m.attempts, m.created_at, m.due_at, m.dead_at,
    (SELECT min(o.id) FROM outbox_message o WHERE o.key = m.key AND o.id < m.id
        AND o.done_at IS NULL AND o.dead_at IS NULL), m.last_error
FROM outbox_message m WHERE m.done_at IS NULL
ORDER BY m.dead_at IS NULL, m.attempts = 0, m.id LIMIT %s
"""
_RETRY = """
UPDATE outbox_message SET attempts = 0, dead_at = NULL, due_at = clock_timestamp()
WHERE id = ANY(%s) AND done_at IS NULL RETURNING id
"""


def undone(most: int) -> list[Undone]:
    """At most so many rows: the dead first, then those that fail, then those that wait; the oldest of each first."""
    with connection.cursor() as cursor:
        cursor.execute(_UNDONE, (most,))
        return [Undone(*row) for row in cursor.fetchall()]


def newest() -> int:
    """The number of the newest row; 0 without any."""
    return Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def waits_until(row: int) -> bool:
    """Whether any row up to this one is due and not done."""
    waiting = Message.objects.filter(done_at__isnull=True, dead_at__isnull=True)
    return waiting.filter(pk__lte=row, due_at__lte=Now()).exists()


def count_undone() -> int:
    """How many rows are not done."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM outbox_message WHERE done_at IS NULL")
        return int(cursor.fetchone()[0])


def retry(ids: Sequence[int]) -> list[int]:
    """Lets these rows be tried at once, as if never tried; the ids of those that are still to be done."""
    with connection.cursor() as cursor:
        cursor.execute(_RETRY, (list(ids),))
        found = sorted(int(row[0]) for row in cursor.fetchall())
    if found:
        nudge_on_commit()
    return found
