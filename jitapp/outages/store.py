"""What an error of the database says of the database itself: the one place that decides.

Every door answers what is found here with 503; the relay and the workers try again later. Everything else that the
database complains of (a row that breaks a rule, SQL that is wrong) is a fault of ours or of what was sent.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import psycopg2
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db import Error as DatabaseError
from psycopg2 import errors

from jitapp.outages.outage import Outage

ERRORS = (DatabaseError, psycopg2.Error)  # Django's, and those of the scan path's plain cursors
ANSWERED_503 = "requests answered 503"


class Trouble(StrEnum):
    """What is the matter with the database."""

    AWAY = "away"
    BUSY = "busy"
    UNWRITABLE = "unwritable"
    CHANGING = "changing"


# A lock or an answer that did not come in time; the same may succeed a moment later.
_BUSY = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.QueryCanceled,
    errors.IdleInTransactionSessionTimeout,
    errors.OutOfMemory,
)
_UNWRITABLE = (errors.DiskFull, errors.IoError, errors.ReadOnlySqlTransaction)
# Tables that went while this process had them open: a restore, or a version that is newer or older than this one.
_CHANGING = (
    errors.UndefinedTable,
    errors.UndefinedColumn,
    errors.InvalidSchemaName,
    errors.InvalidSqlStatementName,
    errors.InternalError_,
)
_STALE_PLAN = "cached plan must not change result type"
_AWAY = (OperationalError, InterfaceError, psycopg2.OperationalError, psycopg2.InterfaceError)

_OUTAGES = {
    Trouble.AWAY: Outage("The database cannot be reached", "The database answers again"),
    Trouble.BUSY: Outage("The database did not answer in time", "The database answers in time again"),
    Trouble.UNWRITABLE: Outage("The database cannot write", "The database writes again"),
    Trouble.CHANGING: Outage("The database is being changed", "The database is whole again"),
}


def trouble_of(error: BaseException) -> Trouble | None:
    """What is the matter with the database if that is why this was raised; None for a fault of another kind."""
    cause = error.__cause__ if isinstance(error, DatabaseError) and error.__cause__ is not None else error
    if isinstance(cause, _BUSY):
        return Trouble.BUSY
    if isinstance(cause, _UNWRITABLE):
        return Trouble.UNWRITABLE
    if isinstance(cause, _CHANGING) or (isinstance(cause, ERRORS) and _STALE_PLAN in str(cause)):
        return Trouble.CHANGING
    # libpq has no better name than DatabaseError for a connection that broke in the middle of an answer.
    return Trouble.AWAY if isinstance(cause, _AWAY) or type(cause) is psycopg2.DatabaseError else None


def told(error: BaseException, *, cost: str = ANSWERED_503, at: str = "") -> Trouble | None:
    """Counts an error that the database itself is to blame for, and says the first one; returns its trouble.

    None, and nothing was said, for every other error. `at` is where it happened.
    """
    trouble = trouble_of(error)
    if trouble is not None:
        _OUTAGES[trouble].failed(f"{_reason(error)}{f' ({at})' if at else ''}", cost)
        if trouble is Trouble.CHANGING:
            _let_go()
    return trouble


def answered(*, wrote: bool = True) -> None:
    """The database has done what it was asked for; what only reads says nothing of its writing."""
    for trouble, outage in _OUTAGES.items():
        if outage.lasts and (wrote or trouble is not Trouble.UNWRITABLE):
            outage.answered()


def lasts() -> bool:
    """Whether this process knows of a trouble that is not over."""
    return any(outage.lasts for outage in _OUTAGES.values())


@contextmanager
def outlived(cost: str) -> Iterator[None]:
    """For work that is done again later: what the database is to blame for ends the block and is counted, no more."""
    try:
        yield
    except ERRORS as error:
        if told(error, cost=cost) is None:
            raise
    else:
        answered()


class NotOfTheStore(logging.Filter):
    """Keeps Django from writing a traceback for each request that was answered 503; the outage is told as one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """False for those."""
        return getattr(record, "status_code", None) != 503


def _reason(error: BaseException) -> str:
    """The first line of what the database, or the way to it, said."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def _let_go() -> None:
    """A connection whose prepared statements know tables that are gone is of no use any more."""
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    if not wrapper.in_atomic_block:
        wrapper.close()
