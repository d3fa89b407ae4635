"""How the scan path uses a connection: prepared statements, and a transaction of two round trips.

Prepared statements live as long as a connection; a pooler in front of PostgreSQL must keep sessions.

In a `short_transaction` BEGIN travels with the first statement and COMMIT with the last. The two are never in one
execute, so that what fails in between is always rolled back by us.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any

import psycopg2
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

# psycopg2 speaks the simple protocol: without PREPARE each statement would be planned anew on every scan.
PREPARED: dict[str, str] = {
    "pull_lock_stations": """(bigint[]) AS
        SELECT id FROM plant_station WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE""",
    "pull_lock_loops": """(bigint[]) AS
        SELECT loop_id FROM pull_loopstate WHERE loop_id = ANY($1) ORDER BY loop_id FOR UPDATE""",
    "pull_read": """(bigint[]) AS
        -- One text a card, read in a fraction of the time that fifty columns take: the loop's state, then the members
        -- of kanban.state.Card and of its open Turn in their order, so that store.load makes them of it as they come.
        SELECT json_build_array(
            json_build_array(s.loop_id, s.seq, s.suppressed, s.surplus_due,
                (SELECT number FROM plant_epoch WHERE id = 1), a.why, r.opened_at, r.opened_seq, r.cause),
            CASE WHEN c.id IS NOT NULL THEN json_build_array(
                c.id, c.code, c.number, c.quantity, c.card_status, c.supply_status, c.contents, c.booked, c.blocked,
                c.urgent, c.out_of_stock, c.label_stale, c.note, c.turns_left, c.been_full, c.turn_number,
                c.full_since, c.moved_at, c.moved_by, c.last_intent, c.last_scan) END,
            CASE WHEN t.id IS NOT NULL THEN json_build_array(
                t.uuid, t.number, t.asked, t.opened_at, t.signal_state, t.step, t.made, t.received, t.reason,
                t.released_at, t.started_at, t.completed_at, t.loaded_at, t.closed_at, t.due_at, t.acknowledged_at,
                t.promised_at, t.docked_at, t.document, t.batch, t.recall, t.failed, t.owner, t.owner_since) END)::text
        FROM pull_loopstate s
        JOIN plant_loop l ON l.id = s.loop_id
        LEFT JOIN LATERAL (
            SELECT CASE note WHEN '' THEN kind ELSE note END AS why FROM pull_andoncall
            WHERE station_id = l.supply_id AND stops_line AND solved_at IS NULL ORDER BY called_at LIMIT 1
        ) a ON true
        LEFT JOIN LATERAL (
            SELECT * FROM pull_runout WHERE loop_id = s.loop_id AND closed_at IS NULL LIMIT 1
        ) r ON true
        LEFT JOIN pull_card c ON c.loop_id = s.loop_id AND c.card_status <> 'REMOVED'
        LEFT JOIN LATERAL (SELECT * FROM pull_turn WHERE card_id = c.id AND closed_at IS NULL LIMIT 1) t ON true
        WHERE s.loop_id = ANY($1)
        ORDER BY s.loop_id, c.number""",
    "pull_in_process": """(bigint) AS
        SELECT count(*) FROM pull_turn WHERE supply_id = $1 AND step = 'IN_PROCESS' AND closed_at IS NULL""",
    "pull_ahead": """(bigint, timestamptz) AS
        SELECT count(*) FROM pull_turn WHERE supply_id = $1 AND step = '' AND closed_at IS NULL
            AND signal_state IN ('RELEASED', 'ACKNOWLEDGED') AND released_at < $2""",
    "pull_full_at": """(bigint) AS
        SELECT count(*) FROM pull_card c JOIN plant_loop l ON l.id = c.loop_id
        WHERE l.demand_id = $1 AND c.supply_status IN ('FULL', 'IN_USE') AND c.card_status = 'IN_CIRCULATION'""",
    "pull_resolve": """(text[]) AS
        SELECT i.code, i.kind, i.target_id, c.loop_id FROM plant_identifier i
        LEFT JOIN pull_card c ON i.kind = 'card' AND c.id = i.target_id
        WHERE i.code = ANY($1)""",
    # -- what a drain asks and keeps for every turn it carries on --
    "pull_follow": """(uuid[]) AS
        SELECT t.id, t.uuid, t.asked, t.made, t.loop_id, t.card_id, t.number, s.seq, s.suppressed, s.surplus_due,
            w.uuid, w.reason, w.owner, w.opened_at, w.opened_seq,
            (SELECT max(greatest(opened_seq, closed_seq)) FROM pull_wait WHERE turn_id = t.id)
        FROM pull_turn t JOIN pull_loopstate s ON s.loop_id = t.loop_id
        LEFT JOIN pull_wait w ON w.turn_id = t.id AND w.closed_at IS NULL
        WHERE t.uuid = ANY($1)""",
    "pull_draws": """(bigint, boolean) AS
        SELECT loop_id FROM pull_draw WHERE turn_id = $1 AND (used OR NOT $2)""",
    "pull_links": """(bigint, bigint) AS
        SELECT l.upstream_card_id, l.upstream_number, l.quantity, l.booked FROM pull_turnlink l
        JOIN pull_card c ON c.id = l.upstream_card_id
        WHERE l.downstream_id = $1 AND c.loop_id = $2 AND l.booked > 0 ORDER BY l.id""",
    "pull_keep_link": """(bigint, bigint, int, text, numeric, numeric) AS
        INSERT INTO pull_turnlink (downstream_id, upstream_card_id, upstream_number, kind, quantity, booked)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (downstream_id, upstream_card_id, upstream_number)
        DO UPDATE SET quantity = pull_turnlink.quantity + excluded.quantity,
            booked = pull_turnlink.booked + excluded.booked""",
    "pull_keep_draw": """(bigint, bigint, numeric, numeric, numeric, numeric, boolean) AS
        INSERT INTO pull_draw (turn_id, loop_id, needed, drawn, booked, short, used)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (turn_id, loop_id)
        DO UPDATE SET drawn = pull_draw.drawn + excluded.drawn, booked = pull_draw.booked + excluded.booked,
            short = excluded.short, used = pull_draw.used OR excluded.used""",
    "pull_keep_waits": """(jsonb) AS
        WITH closed AS (
            UPDATE pull_wait w SET closed_at = n.closed_at, closed_seq = n.closed_seq
            FROM jsonb_to_recordset($1->'closed') AS n(uuid uuid, closed_at timestamptz, closed_seq bigint)
            WHERE w.uuid = n.uuid AND w.closed_at IS NULL
            RETURNING w.id
        )
        INSERT INTO pull_wait (uuid, turn_id, loop_id, reason, owner, opened_at, opened_seq, closed_at, closed_seq)
        SELECT uuid, turn_id, loop_id, reason, owner, opened_at, opened_seq, closed_at, closed_seq
        FROM jsonb_to_recordset($1->'opened') AS n(uuid uuid, turn_id bigint, loop_id bigint, reason text, owner text,
            opened_at timestamptz, opened_seq bigint, closed_at timestamptz, closed_seq bigint)
        -- After `closed`: a turn has one open wait at a time.
        WHERE (SELECT count(*) FROM closed) >= 0""",
    "pull_receipts": """(uuid[]) AS
        SELECT scan_id, encode(fingerprint, 'hex'), plant_id, answer FROM pull_receipt WHERE scan_id = ANY($1)""",
    "pull_write": """(json, json, json, json, json, json) AS
        WITH receipts AS (
            INSERT INTO pull_receipt (scan_id, fingerprint, plant_id, device_id, person_id, station_id, loop_id,
                card_id, raw, intent, seq, epoch, occurred_at, sent_at, recorded_at, outcome, code, answer)
            SELECT scan_id, decode(fingerprint, 'hex'), plant_id, device_id, person_id, station_id, loop_id,
                card_id, raw, intent, seq, epoch, occurred_at, sent_at, recorded_at, outcome, code, answer
            FROM json_to_recordset($1) AS r(scan_id uuid, fingerprint text, plant_id bigint,
                device_id bigint, person_id bigint, station_id bigint, loop_id bigint, card_id bigint, raw text,
                intent text, seq bigint, epoch text, occurred_at timestamptz, sent_at timestamptz,
                recorded_at timestamptz, outcome text, code text, answer jsonb)
        ), events AS (
            INSERT INTO pull_event (uuid, type, plant_id, loop_id, loop_seq, card_id, turn_number, turn, station_id,
                person_id, device_id, scan_id, ordinal, from_status, to_status, occurred_at, recorded_at, late, data)
            SELECT uuid, type, plant_id, loop_id, loop_seq, card_id, turn_number, turn, station_id, person_id,
                device_id, scan_id, ordinal, from_status, to_status, occurred_at, recorded_at, late, data
            FROM json_to_recordset($2) AS e(uuid uuid, type text, plant_id bigint, loop_id bigint,
                loop_seq bigint, card_id bigint, turn_number int, turn uuid, station_id bigint, person_id bigint,
                device_id bigint, scan_id uuid, ordinal smallint, from_status text, to_status text,
                occurred_at timestamptz, recorded_at timestamptz, late boolean, data jsonb)
        ), cards AS (
            UPDATE pull_card c SET quantity = n.quantity, card_status = n.card_status,
                supply_status = n.supply_status, contents = n.contents, booked = n.booked, been_full = n.been_full,
                blocked = n.blocked, urgent = n.urgent, out_of_stock = n.out_of_stock,
                label_stale = n.label_stale, note = n.note, turns_left = n.turns_left,
                turn_number = n.turn_number, full_since = n.full_since, moved_at = n.moved_at,
                moved_by = n.moved_by, last_intent = n.last_intent, last_scan = n.last_scan
            FROM json_to_recordset($3) AS n(id bigint, quantity numeric, card_status text,
                supply_status text, contents numeric, booked numeric, been_full boolean, blocked boolean,
                urgent boolean, out_of_stock boolean, label_stale boolean, note text, turns_left int,
                turn_number int,
                full_since timestamptz, moved_at timestamptz, moved_by text, last_intent text, last_scan uuid)
            WHERE c.id = n.id
        ), turns AS (
            INSERT INTO pull_turn (uuid, card_id, loop_id, supply_id, number, signal_state, step, asked, made,
                received, reason, opened_at, released_at, started_at, completed_at, loaded_at, closed_at, due_at,
                owner, owner_since, acknowledged_at, promised_at, docked_at, document, batch, recall, failed)
            SELECT uuid, card_id, loop_id, supply_id, number, signal_state, step, asked, made, received, reason,
                opened_at, released_at, started_at, completed_at, loaded_at, closed_at, due_at, owner, owner_since,
                acknowledged_at, promised_at, docked_at, document, batch, recall, failed
            FROM json_to_recordset($4) AS n(uuid uuid, card_id bigint, loop_id bigint, supply_id bigint,
                number int, signal_state text, step text, asked numeric, made numeric, received numeric,
                reason text, opened_at timestamptz, released_at timestamptz, started_at timestamptz,
                completed_at timestamptz, loaded_at timestamptz, closed_at timestamptz, due_at timestamptz,
                owner text, owner_since timestamptz, acknowledged_at timestamptz, promised_at timestamptz,
                docked_at timestamptz, document text, batch uuid, recall boolean, failed text)
            ON CONFLICT (card_id, number) DO UPDATE SET signal_state = excluded.signal_state,
                step = excluded.step, made = excluded.made, received = excluded.received,
                reason = excluded.reason, released_at = excluded.released_at, started_at = excluded.started_at,
                completed_at = excluded.completed_at, loaded_at = excluded.loaded_at,
                closed_at = excluded.closed_at, due_at = excluded.due_at, owner = excluded.owner,
                owner_since = excluded.owner_since, acknowledged_at = excluded.acknowledged_at,
                promised_at = excluded.promised_at, docked_at = excluded.docked_at,
                document = excluded.document, batch = excluded.batch, recall = excluded.recall, asked = excluded.asked,
                failed = excluded.failed
        ), loops AS (
            -- They exist; but a conflict is found by the index, where an UPDATE joined to a document reads the table.
            INSERT INTO pull_loopstate (loop_id, seq, suppressed, surplus_due)
            SELECT id, seq, suppressed, surplus_due
            FROM json_to_recordset($5) AS n(id bigint, seq bigint, suppressed int, surplus_due int)
            ON CONFLICT (loop_id) DO UPDATE SET seq = excluded.seq, suppressed = excluded.suppressed,
                surplus_due = excluded.surplus_due
        )
        INSERT INTO outbox_message (topic, key, payload)
        SELECT topic, key, payload
        FROM json_to_recordset($6) AS m(topic text, key bigint, payload jsonb)""",
    "pull_write_runouts": """(json, json) AS
        WITH closed AS (
            UPDATE pull_runout r SET closed_at = n.closed_at, closed_seq = n.closed_seq, cause = n.cause,
                cause_facts = n.cause_facts, owner = n.owner
            FROM json_to_recordset($1) AS n(loop_id bigint, opened_seq bigint,
                closed_at timestamptz, closed_seq bigint, cause text, cause_facts jsonb, owner text)
            WHERE r.loop_id = n.loop_id AND r.opened_seq = n.opened_seq AND r.closed_at IS NULL
            RETURNING r.id
        )
        INSERT INTO pull_runout (uuid, loop_id, opened_at, opened_seq, closed_at, closed_seq, cause,
            cause_facts, owner)
        SELECT uuid, loop_id, opened_at, opened_seq, closed_at, closed_seq, cause, cause_facts, owner
        FROM json_to_recordset($2) AS n(uuid uuid, loop_id bigint, opened_at timestamptz,
            opened_seq bigint, closed_at timestamptz, closed_seq bigint, cause text, cause_facts jsonb,
            owner text)
        -- After `closed`: a batch may end a loop's runout and begin the next, and one may be open at a time.
        WHERE (SELECT count(*) FROM closed) >= 0""",
}


# A plan for any argument, kept for the session: planning a read anew costs more than the read. It is made by a first
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

    session: Any
    begun: bool = False
    done: bool = False


class short_transaction:
    """One transaction whose BEGIN travels with its first `execute` and whose COMMIT with the one that says `last`.

    Django is told that it is inside an atomic block: its own atomic() makes savepoints in here, and what waits for the
    commit waits. Inside a transaction of the caller's this is a savepoint like any other.
    """

    def __enter__(self) -> None:
        wrapper: Any = connections[DEFAULT_DB_ALIAS]
        self._wrapper = wrapper
        self._outer: transaction.Atomic | None = None
        if wrapper.in_atomic_block:
            self._outer = transaction.atomic()
            self._outer.__enter__()
            return
        self._session = _session(wrapper)
        self._short = _Short(self._session)
        wrapper.commit_on_exit, wrapper.needs_rollback = True, False
        wrapper.in_atomic_block, wrapper.autocommit = True, False
        wrapper.jitapp_short = self._short

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._outer is not None:
            self._outer.__exit__(kind, error, traceback)
            return
        wrapper, short = self._wrapper, self._short
        try:
            if kind is None and short.begun and not short.done:
                with self._session.cursor() as last:
                    last.execute("COMMIT")
                short.done = True
        finally:
            wrapper.jitapp_short = None
            wrapper.in_atomic_block, wrapper.autocommit, wrapper.needs_rollback = False, True, False
            if not short.done:
                wrapper.run_on_commit = []
                self._roll_back()
        if wrapper.run_on_commit:
            wrapper.run_and_clear_commit_hooks()

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
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    short: _Short | None = getattr(wrapper, "jitapp_short", None)
    ends = last and short is not None
    if short is not None and not short.begun:
        short.begun = True
        statement = f"BEGIN; {statement}"
    session = _session(wrapper) if short is None else short.session
    with session.cursor() as to_database:
        to_database.execute(f"{statement}; COMMIT" if ends else statement, values)
        if ends:
            assert short is not None
            short.done = True
            return []
        rows: list[tuple[Any, ...]] = to_database.fetchall() if to_database.description else []
        return rows


def run(name: str, *values: Any) -> list[tuple[Any, ...]]:
    """One prepared statement; its rows."""
    return execute(f"EXECUTE {name}({', '.join(['%s'] * len(values))})", values)


def begin() -> None:
    """Sends the BEGIN of a short transaction that has no statement yet to bring it along."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    if (short := getattr(wrapper, "jitapp_short", None)) is not None and not short.begun:
        execute("SELECT 1", ())


def is_short() -> bool:
    """Whether this is a transaction of two round trips (and none of a caller's)."""
    return getattr(connections[DEFAULT_DB_ALIAS], "jitapp_short", None) is not None
