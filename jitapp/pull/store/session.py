"""How the scan path uses a connection: prepared statements, and a transaction of two round trips.

Prepared statements live as long as a connection; a pooler in front of PostgreSQL must keep sessions.

In a `short_transaction` BEGIN travels with the first statement and COMMIT with the last. The two are never in one
execute, so that what fails in between is always rolled back by us.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import psycopg2
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from jitapp.pull.store.statements import PREPARED

logger = logging.getLogger(__name__)

# A plan for any argument, kept for the session: planning a read again costs more than the read. It is made by a first
# use that touches nothing, and by the indexes whatever the tables hold at that moment: a plan made while a table is
# empty reads all of it for ever.
KEPT_PLANS = "SET plan_cache_mode = force_generic_plan"
_OTHER_WAYS = ("seqscan", "hashjoin", "mergejoin", "material")
BY_INDEX = "; ".join(f"SET enable_{way} = off" for way in _OTHER_WAYS)
BY_COST = "; ".join(f"RESET enable_{way}" for way in _OTHER_WAYS)
FIRST_USES = (
    "EXECUTE pull_read('{}')",
    "EXECUTE pull_resolve('{}')",
    "EXECUTE pull_receipts('{}')",
    "EXECUTE pull_write(NULL, NULL, NULL, NULL, NULL, NULL)",
    "EXECUTE pull_write_runouts(NULL, NULL)",
    "EXECUTE pull_follow('{}')",
    "EXECUTE pull_keep_waits('{}')",
)


def cursor() -> Any:
    """A plain psycopg2 cursor of this thread's connection, its statements prepared once per session."""
    return _session(connections[DEFAULT_DB_ALIAS]).cursor()


def _session(wrapper: Any) -> Any:
    """The psycopg2 connection, checked once a request as Django's own cursors do, and prepared."""
    wrapper.close_if_health_check_failed()
    if wrapper.connection is None:
        wrapper.ensure_connection()
    session = wrapper.connection
    if getattr(wrapper, "jitapp_prepared", None) is not session:
        with session.cursor() as first:
            first.execute("SELECT name FROM pg_prepared_statements")
            known = {row[0] for row in first.fetchall()}
            missing = [f"PREPARE {name} {body}" for name, body in PREPARED.items() if name not in known]
            if missing:
                first.execute(";\n".join([KEPT_PLANS, *missing, BY_INDEX, *FIRST_USES, BY_COST]))
        wrapper.jitapp_prepared = session
    return session


@dataclass(slots=True)
class _Short:
    """A transaction on a session, and where it stands: its BEGIN has been sent, its COMMIT has been answered."""

    cursor: Any
    begun: bool = False
    done: bool = False
    after: list[Callable[[], object]] = field(default_factory=list)  # what waits for the commit


class _Here(threading.local):
    """The short transaction of this thread, as Django's connections are a thread's own."""

    short: _Short | None = None


_here = _Here()


class short_transaction:
    """One transaction whose BEGIN travels with its first `execute` and whose COMMIT with the one that says `last`.

    Django is told that it is inside an atomic block: its own atomic() makes savepoints in here, and what waits for the
    commit waits. Inside a transaction of the caller's this is a savepoint like any other.
    """

    def __enter__(self) -> bool:
        """Whether it is short; False inside a transaction of the caller's."""
        wrapper: Any = connections[DEFAULT_DB_ALIAS]
        self._wrapper = wrapper
        self._outer: transaction.Atomic | None = None
        if wrapper.in_atomic_block:
            self._outer = transaction.atomic()
            self._outer.__enter__()
            return False
        self._session = _session(wrapper)
        self._short = _Short(self._session.cursor())
        wrapper.commit_on_exit, wrapper.needs_rollback = True, False
        wrapper.in_atomic_block, wrapper.autocommit = True, False
        _here.short = self._short
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._outer is not None:
            self._outer.__exit__(kind, error, traceback)
            return
        wrapper, short = self._wrapper, self._short
        try:
            if kind is None and short.begun and not short.done:
                short.cursor.execute("COMMIT")
                short.done = True
        finally:
            _here.short = None
            wrapper.in_atomic_block, wrapper.autocommit, wrapper.needs_rollback = False, True, False
            if not short.done:
                wrapper.run_on_commit = []
                self._roll_back()
        if wrapper.run_on_commit:
            wrapper.run_and_clear_commit_hooks()
        for work in short.after:
            try:
                work()
            except Exception:  # it is committed, whatever becomes of this
                logger.exception("What waited for the commit failed.")

    def _roll_back(self) -> None:
        """Ends a transaction that failed; a connection that cannot be told so is closed."""
        wrapper, session = self._wrapper, self._session
        try:
            if session.info.transaction_status != TRANSACTION_STATUS_IDLE:
                with session.cursor() as last:
                    last.execute("ROLLBACK")
        except psycopg2.Error:
            wrapper.close()
        if wrapper.closed_in_transaction or session.closed:
            wrapper.closed_in_transaction = False
            wrapper.connection = None


def execute(
    statement: str, values: tuple[Any, ...] | dict[str, Any], *, last: bool = False
) -> list[tuple[Any, ...]]:
    """Runs statements of a scan's transaction in one round trip; the rows of the last of them.

    The first of a short transaction brings its BEGIN along; `last`, after which nothing follows, its COMMIT.
    """
    short = _here.short
    if short is None:
        to_database = cursor()
    else:
        to_database = short.cursor
        if not short.begun:
            short.begun = True
            statement = f"BEGIN; {statement}"
        if last:
            statement += "; COMMIT"
    to_database.execute(statement, values)
    if last and short is not None:
        short.done = True
        return []
    rows: list[tuple[Any, ...]] = to_database.fetchall() if to_database.description else []
    return rows


def run(name: str, *values: Any) -> list[tuple[Any, ...]]:
    """One prepared statement; its rows."""
    return execute(f"EXECUTE {name}({', '.join(['%s'] * len(values))})", values)


def begin() -> None:
    """Sends the BEGIN of a short transaction that has no statement yet to bring it along."""
    if _here.short is not None and not _here.short.begun:
        execute("SELECT 1", ())


def after_commit(work: Callable[[], object]) -> None:
    """Does `work` once the transaction is committed; if that fails, it is logged."""
    if _here.short is not None:
        _here.short.after.append(work)
    else:
        transaction.on_commit(work, robust=True)
