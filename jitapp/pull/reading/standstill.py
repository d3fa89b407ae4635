"""What stands still: processes that give no sign of life, signals that nobody takes upstream, a feed that is held back,
rows that were given up, a store that takes no writes.

Seen by this process's own looks, every two seconds (`look`, called by the pulse of a web process); where nobody looks
so often, whoever asks looks himself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction

from jitapp.outages.store import ERRORS, Trouble, trouble_of
from jitapp.pulse import beats
from jitapp.pulse.beats import Beat
from jitapp.pulse.silence import SAY_AFTER_S, Observer

OVERDUE_S = 10.0  # a row of the outbox that was due so long ago stands still
HELD_S = 10.0  # a transaction that runs so long holds the feed back
FRESH_S = 3.0
STORE_EVERY_S = 10.0
FORGET_AFTER_S = 600.0  # of a process that is silent beside living ones of its role: it was moved or given up
DRAINING = ("relay", "worker")  # either of them takes signals upstream

_EVIDENCE = """
SELECT
    (SELECT m.due_at FROM outbox_message m
     WHERE m.done_at IS NULL AND m.dead_at IS NULL AND m.due_at <= clock_timestamp() - make_interval(secs => %s)
       AND NOT EXISTS (SELECT 1 FROM outbox_message e WHERE e.key = m.key AND e.id < m.id
                       AND e.done_at IS NULL AND e.dead_at IS NULL)
     ORDER BY m.id LIMIT 1),
    (SELECT count(*) FROM outbox_message WHERE dead_at IS NOT NULL AND done_at IS NULL),
    pg_snapshot_xmin(pg_current_snapshot())::text, pg_snapshot_xmax(pg_current_snapshot())::text,
    (SELECT coalesce(max(era), 0) FROM pull_history)
"""
# Who holds a transaction open; the state of other roles' sessions is hidden from an ordinary role.
_HOLDER = """
SELECT pid, coalesce(nullif(application_name, ''), backend_type), state FROM pg_stat_activity
WHERE backend_xid::text = %s::text::xid8::xid::text
"""
# Larger than its memory, so that it goes to a file beside the tables; nothing of it stays.
_WRITE = "SELECT count(*) FROM generate_series(1, 20000) AS written(number)"
_READ_ONLY = "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'"


@dataclass(frozen=True, slots=True)
class Frozen:
    """A process that gives no sign of life."""

    name: str
    host: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Standstill:
    """The last look. `silent` has the seconds of silence of every process by `name@host`; `store` is empty while it
    takes writes, else `disk`, `read_only` or `away`; what cannot be known without the store is as if all went well."""

    silent: Mapping[str, float] = field(default_factory=dict)
    frozen: tuple[Frozen, ...] = ()
    signals_since: datetime | None = None
    feed_since: datetime | None = None
    feed_holder: str = ""
    given_up: int = 0
    store: str = ""
    store_since: datetime | None = None  # that it takes no writes, though it answers

    def for_boards(self) -> dict[str, int]:
        """What a board must say: since when, in ms, no scan can be recorded or signals stand still; how many were given
        up."""
        said = {}
        if self.store_since is not None:
            said["web"] = int(self.store_since.timestamp() * 1000)
        if self.signals_since is not None:
            said["signals"] = int(self.signals_since.timestamp() * 1000)
        if self.given_up:
            said["given_up"] = self.given_up
        return said


class Watch:
    """Looks again and again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._client = beats.connection()
        self._lock = threading.Lock()
        self._processes = Observer()
        self._horizon = Observer()
        self._beats: dict[str, Beat] = {}
        self._looked_at = float("-inf")
        self._wrote_at = float("-inf")
        self._last = Standstill()
        self._era = 0

    def latest(self) -> Standstill:
        """What was last seen; looks if that is some seconds ago and nobody is looking now."""
        if self._clock() - self._looked_at > FRESH_S and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        return self._last

    def look(self) -> Standstill:
        """A look at processes and store. Raises nothing that either of them may raise."""
        with self._lock:
            return self._look()

    def _look(self) -> Standstill:
        now = self._clock()
        self._read_beats(now)
        silent = self._processes.silent()
        frozen = self._frozen(silent)
        seen = self._ask_the_store(now, Standstill(silent=silent, frozen=frozen))
        idle = self._nobody_drains(silent)
        if idle is not None and (seen.signals_since is None or idle < seen.signals_since):
            seen = replace(seen, signals_since=idle)
        self._last, self._looked_at = seen, self._clock()
        return seen

    def tell_boards(self) -> None:
        """Looks, and hands what boards must say to the event streams, with the era of the database, so that a board
        learns of a restore."""
        said = self.look().for_boards()
        beats.tell(self._client, {**said, "era": self._era} if self._era else said)

    # -- processes -------------------------------------------------------------------------------
    def _read_beats(self, now: float) -> None:
        found = beats.read(self._client)
        if found is None:
            self._processes.away()
            return
        self._beats = found
        self._processes.look({key: beat.sign for key, beat in found.items()}, now)
        silent = self._processes.silent()
        living = {found[key].role for key, seconds in silent.items() if seconds < SAY_AFTER_S}
        for key, seconds in silent.items():
            if seconds > FORGET_AFTER_S and found[key].role in living:
                beats.forget(self._client, key)

    def _frozen(self, silent: Mapping[str, float]) -> tuple[Frozen, ...]:
        return tuple(
            Frozen(beat.name, beat.host, beat.at)
            for key, beat in sorted(self._beats.items())
            if silent.get(key, 0.0) >= SAY_AFTER_S
        )

    def _nobody_drains(self, silent: Mapping[str, float]) -> datetime | None:
        """Since when no relay and no worker gives a sign of life; None while one does, or none was ever seen."""
        theirs = {key: beat for key, beat in self._beats.items() if beat.role in DRAINING}
        if not theirs or any(silent.get(key, 0.0) < SAY_AFTER_S for key in theirs):
            return None
        return max(beat.at for beat in theirs.values())

    # -- the store -------------------------------------------------------------------------------
    def _ask_the_store(self, now: float, seen: Standstill) -> Standstill:
        store = self._last.store
        try:
            with connection.cursor() as cursor:
                cursor.execute(_EVIDENCE, [OVERDUE_S])
                overdue, given_up, xmin, xmax, self._era = cursor.fetchone()
                held = self._held_for(int(xmin), int(xmax), now)
                holder = _holder(cursor, xmin) if held >= HELD_S else ""
            if store == "away" or now - self._wrote_at >= STORE_EVERY_S:
                store, self._wrote_at = trouble_with_writing(), now
        except ERRORS:
            connection.close()
            self._horizon.away()
            return replace(seen, store="away")
        since = datetime.now(UTC) - timedelta(seconds=held) if held >= HELD_S else None
        return replace(
            seen,
            signals_since=overdue,
            given_up=given_up,
            feed_since=since,
            feed_holder=holder,
            store=store,
            store_since=(self._last.store_since or datetime.now(UTC)) if store else None,
        )

    def _held_for(self, xmin: int, xmax: int, now: float) -> float:
        """For how long one transaction has been the oldest that runs, while later ones wait for it in the feed."""
        self._horizon.look({"oldest": xmin} if xmin < xmax else {}, now)
        return self._horizon.silent().get("oldest", 0.0)


def trouble_with_writing() -> str:
    """Whether the store takes writes now: empty, `disk` or `read_only`. A real write, of half a megabyte that does not
    stay. Raises DatabaseError while the store is away."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_READ_ONLY)
            if cursor.fetchone()[0]:
                return "read_only"
            cursor.execute("SET LOCAL work_mem = '64kB'")
            cursor.execute(_WRITE)
    except DatabaseError as error:
        if trouble_of(error) is Trouble.UNWRITABLE:
            return "disk"
        raise
    return ""


def _holder(cursor: Any, xmin: str) -> str:
    cursor.execute(_HOLDER, [xmin])
    found = cursor.fetchone()
    if not found:
        return ""
    pid, name, state = found
    return ", ".join(
        said for said in (name, f"process {pid}", state) if said
    )  # hidden of other roles' sessions


watch = Watch()
