"""Which history the database tells. A restore sets it back, and whoever has followed it must be told.

An era is the time in which transaction numbers and what was read last go together. A new one begins when the database
is found to be another than before: another cluster, another time line of it (a recovery to a point in time, a standby
that took over), another database in it. Every new connection looks, before anything is written through it; `restore`
forgets the identity, so that the next connection begins an era even where all three are the same.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

TOLD_FOR = timedelta(days=1)  # pages say so long that history was set back
# Nothing is known on a standby: it cannot be written to.
_PRESENT = """
SELECT CASE WHEN to_regclass('pull_history') IS NOT NULL AND NOT pg_is_in_recovery() THEN
    (SELECT system_identifier FROM pg_control_system())
    || '.' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
    || '.' || (SELECT oid FROM pg_database WHERE datname = current_database()) END
"""
_NEWEST = "SELECT era, epoch, identity, began_at, kept_until FROM pull_history ORDER BY era DESC LIMIT 1"
# An era is never used again: readers of one that a second restore has made void would take it for theirs. A transaction
# that had not ended when the backup was taken is missing in it beside younger ones; none takes a minute.
_BEGIN = """
INSERT INTO pull_history (era, epoch, identity, began_at, kept_until)
SELECT greatest(coalesce(max(era), 0) + 1, extract(epoch FROM clock_timestamp())::bigint), %s, %s, clock_timestamp(),
    CASE WHEN max(era) IS NOT NULL THEN
        (SELECT recorded_at - interval '1 minute' FROM pull_event ORDER BY id DESC LIMIT 1) END
FROM pull_history
"""
# Transaction numbers of the former database say nothing here, and settings that processes remember by their number may
# be others now.
_FORGET = """
UPDATE pull_loopstate SET place = NULL WHERE place IS NOT NULL;
SELECT setval('plant_epoch_number', greatest(last_value, extract(epoch FROM clock_timestamp())::bigint))
FROM plant_epoch_number;
UPDATE plant_epoch SET number = nextval('plant_epoch_number')
"""


@dataclass(frozen=True, slots=True)
class Era:
    """An era: its number, its name outside, when it began, and until when what was recorded before is still here."""

    number: int
    epoch: str
    began_at: datetime
    kept_until: datetime | None


def present() -> Era:
    """The era of now. Raises LookupError on a database that was never written to."""
    with connection.cursor() as database:
        database.execute(_NEWEST)
        row = database.fetchone()
    if row is None:
        raise LookupError("This database has no era yet: run the migrations.")
    return Era(row[0], row[1], row[3], row[4])


def set_back_lately(now: datetime) -> Era | None:
    """The present era, if it began by a restore within the last day: people must compare shelves and screens."""
    era = present()
    return era if era.kept_until is not None and now - era.began_at < TOLD_FOR else None


def former(epoch: str) -> bool:
    """Whether an era of this name is part of the history that is told now."""
    with connection.cursor() as database:
        database.execute("SELECT 1 FROM pull_history WHERE epoch = %s", (epoch,))
        return database.fetchone() is not None


def notice(using: BaseDatabaseWrapper) -> None:
    """Begins a new era if the database is another one than the newest era knows."""
    with using.cursor() as database:
        database.execute(_PRESENT)
        identity: str | None = database.fetchone()[0]
        if identity is None or _known(database) == identity:
            return
    with transaction.atomic(using.alias), using.cursor() as database:
        # Not the table itself: to lock that, the application's role would have to be allowed to change it.
        database.execute("SELECT pg_advisory_xact_lock(hashtext('pull_history'))")
        if _known(database) != identity:  # nobody was faster
            database.execute(_BEGIN, (secrets.token_hex(6), identity))
            database.execute(_FORGET)


def _known(database: Any) -> str | None:
    database.execute(_NEWEST)
    row = database.fetchone()
    return row[2] if row is not None else None


def on_connection(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    """Django's signal of a new connection."""
    notice(connection)


def after_migrations(*, using: str, **_: object) -> None:
    """Django's signal after migrations: a new database has its first era before anything happens in it."""
    notice(connections[using])
