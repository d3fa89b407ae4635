"""From rows to the rules' state and back: one locking read, one writing statement.

A `World` is a set of loops whose locks are held until the transaction ends (order: stations, then loops by id). What
the rules write onto it is collected and goes to the database as one JSON document, taken apart by a prepared
statement. There are no rules here, and no model instances: this is the way of every scan.

Prepared statements live as long as a connection; a pooler in front of PostgreSQL must keep sessions.

A scan's transaction makes two round trips (`short_transaction`): BEGIN travels with the locking read and COMMIT with
the writing statement. The two are never in one execute, so that what fails in between is always rolled back by us.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg2
from django.db import connection, transaction
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from jitapp.accounts.models import new_uuid
from jitapp.kanban.events import Event
from jitapp.kanban.state import ZERO, Card, Loop, OpenRunout, Turn
from jitapp.kanban.words import CardStatus, SignalState, SupplyStatus
from jitapp.plant.configs import Configs, configs

encode = msgspec.json.Encoder(decimal_format="string").encode
decode = msgspec.json.Decoder(dict[str, Any]).decode

# psycopg2 speaks the simple protocol: without PREPARE each statement would be planned anew on every scan.
PREPARED: dict[str, str] = {
    "pull_lock_stations": """(bigint[]) AS
        SELECT id FROM plant_station WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE""",
    "pull_lock_loops": """(bigint[]) AS
        SELECT loop_id FROM pull_loopstate WHERE loop_id = ANY($1) ORDER BY loop_id FOR UPDATE""",
    "pull_read": """(bigint[]) AS
        SELECT s.loop_id, s.seq, s.suppressed, (SELECT number FROM plant_epoch WHERE id = 1),
               r.opened_at, r.opened_seq, r.cause,
               c.id, c.code, c.number, c.quantity, c.card_status, c.supply_status, c.contents, c.booked,
               c.blocked, c.been_full, c.turn_number, c.full_since, c.moved_at, c.moved_by, c.last_intent,
               c.last_scan,
               t.uuid, t.number, t.asked, t.opened_at, t.signal_state, t.step, t.made, t.reason, t.released_at,
               t.started_at, t.completed_at, t.loaded_at, t.due_at, t.owner, t.owner_since,
               t.acknowledged_at, t.promised_at, t.docked_at, t.document, t.batch,
               c.urgent, c.out_of_stock, c.label_stale, c.note, c.turns_left, t.recall, s.surplus_due,
               a.why
        FROM pull_loopstate s
        JOIN plant_loop l ON l.id = s.loop_id
        LEFT JOIN LATERAL (
            SELECT CASE note WHEN '' THEN kind ELSE note END AS why FROM pull_andoncall
            WHERE station_id = l.supply_id AND stops_line AND solved_at IS NULL ORDER BY called_at LIMIT 1
        ) a ON true
        LEFT JOIN pull_runout r ON r.loop_id = s.loop_id AND r.closed_at IS NULL
        LEFT JOIN pull_card c ON c.loop_id = s.loop_id AND c.card_status <> 'REMOVED'
        LEFT JOIN pull_turn t ON t.card_id = c.id AND t.closed_at IS NULL
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
    "pull_receipts": """(uuid[]) AS
        SELECT scan_id, encode(fingerprint, 'hex'), plant_id, answer FROM pull_receipt WHERE scan_id = ANY($1)""",
    "pull_write": """(jsonb) AS
        WITH receipts AS (
            INSERT INTO pull_receipt (scan_id, fingerprint, plant_id, device_id, person_id, station_id, loop_id,
                card_id, raw, intent, seq, epoch, occurred_at, sent_at, recorded_at, outcome, code, answer)
            SELECT scan_id, decode(fingerprint, 'hex'), plant_id, device_id, person_id, station_id, loop_id,
                card_id, raw, intent, seq, epoch, occurred_at, sent_at, recorded_at, outcome, code, answer
            FROM jsonb_to_recordset($1->'receipts') AS r(scan_id uuid, fingerprint text, plant_id bigint,
                device_id bigint, person_id bigint, station_id bigint, loop_id bigint, card_id bigint, raw text,
                intent text, seq bigint, epoch text, occurred_at timestamptz, sent_at timestamptz,
                recorded_at timestamptz, outcome text, code text, answer jsonb)
        ), events AS (
            INSERT INTO pull_event (uuid, type, plant_id, loop_id, loop_seq, card_id, turn_number, turn, station_id,
                person_id, device_id, scan_id, ordinal, from_status, to_status, occurred_at, recorded_at, late, data)
            SELECT uuid, type, plant_id, loop_id, loop_seq, card_id, turn_number, turn, station_id, person_id,
                device_id, scan_id, ordinal, from_status, to_status, occurred_at, recorded_at, late, data
            FROM jsonb_to_recordset($1->'events') AS e(uuid uuid, type text, plant_id bigint, loop_id bigint,
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
            FROM jsonb_to_recordset($1->'cards') AS n(id bigint, quantity numeric, card_status text,
                supply_status text, contents numeric, booked numeric, been_full boolean, blocked boolean,
                urgent boolean, out_of_stock boolean, label_stale boolean, note text, turns_left int,
                turn_number int,
                full_since timestamptz, moved_at timestamptz, moved_by text, last_intent text, last_scan uuid)
            WHERE c.id = n.id
        ), turns AS (
            INSERT INTO pull_turn (uuid, card_id, loop_id, supply_id, number, signal_state, step, asked, made,
                received, reason, opened_at, released_at, started_at, completed_at, loaded_at, closed_at, due_at,
                owner, owner_since, acknowledged_at, promised_at, docked_at, document, batch, recall)
            SELECT uuid, card_id, loop_id, supply_id, number, signal_state, step, asked, made, received, reason,
                opened_at, released_at, started_at, completed_at, loaded_at, closed_at, due_at, owner, owner_since,
                acknowledged_at, promised_at, docked_at, document, batch, recall
            FROM jsonb_to_recordset($1->'turns') AS n(uuid uuid, card_id bigint, loop_id bigint, supply_id bigint,
                number int, signal_state text, step text, asked numeric, made numeric, received numeric,
                reason text, opened_at timestamptz, released_at timestamptz, started_at timestamptz,
                completed_at timestamptz, loaded_at timestamptz, closed_at timestamptz, due_at timestamptz,
                owner text, owner_since timestamptz, acknowledged_at timestamptz, promised_at timestamptz,
                docked_at timestamptz, document text, batch uuid, recall boolean)
            ON CONFLICT (card_id, number) DO UPDATE SET signal_state = excluded.signal_state,
                step = excluded.step, made = excluded.made, received = excluded.received,
                reason = excluded.reason, released_at = excluded.released_at, started_at = excluded.started_at,
                completed_at = excluded.completed_at, loaded_at = excluded.loaded_at,
                closed_at = excluded.closed_at, due_at = excluded.due_at, owner = excluded.owner,
                owner_since = excluded.owner_since, acknowledged_at = excluded.acknowledged_at,
                promised_at = excluded.promised_at, docked_at = excluded.docked_at,
                document = excluded.document, batch = excluded.batch, recall = excluded.recall, asked = excluded.asked
        ), loops AS (
            -- They exist; but a conflict is found by the index, where an UPDATE joined to a document reads the table.
            INSERT INTO pull_loopstate (loop_id, seq, suppressed, surplus_due)
            SELECT id, seq, suppressed, surplus_due
            FROM jsonb_to_recordset($1->'loops') AS n(id bigint, seq bigint, suppressed int, surplus_due int)
            ON CONFLICT (loop_id) DO UPDATE SET seq = excluded.seq, suppressed = excluded.suppressed,
                surplus_due = excluded.surplus_due
        ), closed AS (
            UPDATE pull_runout r SET closed_at = n.closed_at, closed_seq = n.closed_seq, cause = n.cause,
                cause_facts = n.cause_facts, owner = n.owner
            FROM jsonb_to_recordset($1->'runouts_closed') AS n(loop_id bigint, opened_seq bigint,
                closed_at timestamptz, closed_seq bigint, cause text, cause_facts jsonb, owner text)
            WHERE r.loop_id = n.loop_id AND r.opened_seq = n.opened_seq AND r.closed_at IS NULL
            RETURNING r.id
        ), opened AS (
            INSERT INTO pull_runout (uuid, loop_id, opened_at, opened_seq, closed_at, closed_seq, cause,
                cause_facts, owner)
            SELECT uuid, loop_id, opened_at, opened_seq, closed_at, closed_seq, cause, cause_facts, owner
            FROM jsonb_to_recordset($1->'runouts_opened') AS n(uuid uuid, loop_id bigint, opened_at timestamptz,
                opened_seq bigint, closed_at timestamptz, closed_seq bigint, cause text, cause_facts jsonb,
                owner text)
            -- After `closed`: a batch may end a loop's runout and begin the next, and one may be open at a time.
            WHERE (SELECT count(*) FROM closed) >= 0
        )
        INSERT INTO outbox_message (topic, key, payload)
        SELECT topic, key, payload
        FROM jsonb_to_recordset($1->'messages') AS m(topic text, key bigint, payload jsonb)""",
}


def cursor() -> Any:
    """A plain psycopg2 cursor of this thread's connection, its statements prepared once per session."""
    connection.close_if_health_check_failed()  # once a request; Django's own cursors do the same
    connection.ensure_connection()
    session = connection.connection
    if getattr(connection, "jitapp_prepared", None) is not session:
        with session.cursor() as first:
            first.execute("SELECT name FROM pg_prepared_statements")
            known = {row[0] for row in first.fetchall()}
            missing = [f"PREPARE {name} {body}" for name, body in PREPARED.items() if name not in known]
            if missing:
                # A plan for any argument, kept: planning a read anew costs more than the read.
                first.execute("SET plan_cache_mode = force_generic_plan;\n" + ";\n".join(missing))
        connection.jitapp_prepared = session  # type: ignore[attr-defined]
    return session.cursor()


@dataclass(slots=True)
class ShortTransaction:
    """Where a transaction of two round trips stands: its BEGIN has been sent, its COMMIT has been answered."""

    begun: bool = False
    done: bool = False


@contextlib.contextmanager
def short_transaction() -> Iterator[None]:
    """One transaction whose BEGIN travels with `load` and whose COMMIT travels with `World.write(last=True)`.

    Django is told that it is inside an atomic block: its own atomic() makes savepoints in here, and what waits for the
    commit waits. Inside a transaction of the caller's this is a savepoint like any other.
    """
    if connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    cursor().close()
    session = connection.connection
    short = ShortTransaction()
    connection.commit_on_exit, connection.needs_rollback = True, False
    connection.in_atomic_block, connection.autocommit = True, False
    connection.jitapp_short = short  # type: ignore[attr-defined]
    try:
        yield
        if short.begun and not short.done:
            with session.cursor() as last:
                last.execute("COMMIT")
            short.done = True
    finally:
        connection.jitapp_short = None  # type: ignore[attr-defined]
        connection.in_atomic_block, connection.autocommit = False, True
        connection.needs_rollback = False
        if not short.done:
            connection.run_on_commit = []
            _roll_back(session)
    connection.run_and_clear_commit_hooks()


def is_short() -> bool:
    """Whether this is a transaction of two round trips (and none of a caller's)."""
    return getattr(connection, "jitapp_short", None) is not None


def _roll_back(session: Any) -> None:
    """Ends a transaction that failed; a connection that cannot be told so is closed."""
    try:
        if session.info.transaction_status != TRANSACTION_STATUS_IDLE:
            with session.cursor() as last:
                last.execute("ROLLBACK")
    except psycopg2.Error:
        connection.close()
    if connection.closed_in_transaction or session.closed:
        connection.closed_in_transaction = False
        connection.connection = None


def _begin() -> str:
    """What the first statement of a short transaction brings along."""
    short: ShortTransaction | None = getattr(connection, "jitapp_short", None)
    if short is None or short.begun:
        return ""
    short.begun = True
    return "BEGIN; "


@dataclass(slots=True)
class World:
    """Loops whose locks are held, and what has been written onto them since."""

    configs: Configs
    loops: dict[int, Loop]
    in_process: dict[int, int] = field(default_factory=dict)
    stopped: dict[int, str] = field(default_factory=dict)  # loop -> why its supply station stands still
    document: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    touched_cards: dict[int, Card] = field(default_factory=dict)
    touched_turns: dict[tuple[int, int], tuple[int, int, Turn]] = field(default_factory=dict)
    holds: list[tuple[str, tuple[str, int | None, datetime, int | None]]] = field(default_factory=list)

    def card(self, card_id: int) -> Card | None:
        """A card of one of the loops."""
        for loop in self.loops.values():
            if card_id in loop.cards:
                return loop.cards[card_id]
        return None

    def add(self, kind: str, row: dict[str, Any]) -> None:
        """One more row for the writing statement."""
        self.document.setdefault(kind, []).append(row)

    def record(
        self,
        loop: Loop,
        events: Sequence[Event],
        *,
        now: datetime,
        station_id: int | None = None,
        person_id: int | None = None,
        device_id: int | None = None,
        turns: Iterable[tuple[Card, Turn]] = (),
    ) -> None:
        """Takes over what the rules wrote onto a loop: ledger rows, touched cards and turns, runouts, one message.

        `turns` are those that the events closed: the cards no longer know them.
        """
        if not events:
            return
        config = loop.config
        for event in events:
            self.add(
                "events",
                {
                    "uuid": new_uuid(),
                    "type": event.type,
                    "plant_id": config.plant_id,
                    "loop_id": config.id,
                    "loop_seq": event.seq,
                    "card_id": event.card_id,
                    "turn_number": event.turn_number,
                    "turn": event.turn,
                    "station_id": station_id,
                    "person_id": person_id,
                    "device_id": device_id,
                    "scan_id": event.scan_id,
                    "ordinal": event.ordinal,
                    "from_status": event.frm,
                    "to_status": event.to,
                    "occurred_at": event.occurred_at,
                    # Whoever waited for the lock has an older clock than the scan before it, and follows it.
                    "recorded_at": max(now, event.occurred_at),
                    "late": event.late,
                    "data": event.data,
                },
            )
            if event.card_id is not None:
                card = loop.cards[event.card_id]
                self.touched_cards[card.id] = card
                if card.turn is not None:
                    self._touch(loop, card, card.turn)
            if event.type == "runout.opened":
                self._runout_opened(config.id, event)
            elif event.type == "runout.closed":
                self._runout_closed(config.id, event)
            elif event.type in HOLDS:
                row = (event.data.get("reason", ""), person_id, event.occurred_at, event.card_id)
                self.holds.append((HOLDS[event.type], row))
        for card, turn in turns:
            self._touch(loop, card, turn)
        self.add("messages", message(config.id, events))

    def _touch(self, loop: Loop, card: Card, turn: Turn) -> None:
        self.touched_turns[(card.id, turn.number)] = (loop.config.id, loop.config.supply_id, turn)

    def _runout_opened(self, loop_id: int, event: Event) -> None:
        self.add(
            "runouts_opened",
            {
                "uuid": new_uuid(),
                "loop_id": loop_id,
                "opened_at": event.occurred_at,
                "opened_seq": event.seq,
                "closed_at": None,
                "closed_seq": None,
                "cause": event.data["cause"],
                "cause_facts": event.data["facts"],
                "owner": event.data["owner"],
            },
        )

    def _runout_closed(self, loop_id: int, event: Event) -> None:
        closing = {
            "closed_at": max(event.occurred_at, datetime.fromisoformat(event.data["opened_at"])),
            "closed_seq": event.seq,
            "cause": event.data["cause"],
            "cause_facts": event.data["facts"],
            "owner": event.data["owner"],
        }
        opened_seq = event.data["opened_seq"]
        for row in self.document.get("runouts_opened", []):
            if row["loop_id"] == loop_id and row["opened_seq"] == opened_seq:
                row |= closing  # opened and closed in the same transaction
                return
        self.add("runouts_closed", {"loop_id": loop_id, "opened_seq": opened_seq, **closing})

    def write(self, *, last: bool = False) -> None:
        """Sends everything in one statement; the caller's transaction commits it.

        `last`: nothing else follows, so that a short transaction is committed by the same message.
        """
        if self.touched_cards:
            self.document["cards"] = [
                {
                    "id": card.id,
                    "quantity": card.quantity,
                    "card_status": card.card_status,
                    "supply_status": card.supply_status,
                    "contents": card.contents,
                    "booked": card.booked,
                    "been_full": card.been_full,
                    "blocked": card.blocked,
                    "urgent": card.urgent,
                    "out_of_stock": card.out_of_stock,
                    "label_stale": card.label_stale,
                    "note": card.note,
                    "turns_left": card.turns_left,
                    "turn_number": card.turn_number,
                    "full_since": card.full_since,
                    "moved_at": card.moved_at,
                    "moved_by": card.moved_by,
                    "last_intent": card.last_intent,
                    "last_scan": card.last_scan,
                }
                for card in self.touched_cards.values()
            ]
        if self.document.get("events"):
            changed = dict.fromkeys(row["loop_id"] for row in self.document["events"])
            self.document["loops"] = [
                {
                    "id": loop_id,
                    "seq": self.loops[loop_id].seq,
                    "suppressed": self.loops[loop_id].suppressed,
                    "surplus_due": self.loops[loop_id].surplus_due,
                }
                for loop_id in changed
            ]
        if self.touched_turns:
            # In turn order: turn k closes before turn k+1 opens (rule C2 is checked row by row).
            self.document["turns"] = [
                {
                    "uuid": turn.uuid,
                    "card_id": card_id,
                    "loop_id": loop_id,
                    "supply_id": supply_id,
                    "number": turn.number,
                    "signal_state": turn.signal_state,
                    "step": turn.step,
                    "asked": turn.asked,
                    "made": turn.made,
                    "received": turn.received,
                    "reason": turn.reason,
                    "opened_at": turn.opened_at,
                    "released_at": turn.released_at,
                    "started_at": turn.started_at,
                    "completed_at": turn.completed_at,
                    "loaded_at": turn.loaded_at,
                    "closed_at": turn.closed_at,
                    "due_at": turn.due_at,
                    "owner": turn.owner,
                    "owner_since": turn.owner_since,
                    "acknowledged_at": turn.acknowledged_at,
                    "promised_at": turn.promised_at,
                    "docked_at": turn.docked_at,
                    "document": turn.document,
                    "batch": turn.batch,
                    "recall": turn.recall,
                }
                for (card_id, _), (loop_id, supply_id, turn) in sorted(self.touched_turns.items())
            ]
        if not self.document:
            return
        short: ShortTransaction | None = getattr(connection, "jitapp_short", None)
        ends = short is not None and last
        with cursor() as to_database:
            for sql, (reason, person_id, at, card_id) in self.holds:
                values = {
                    "uuid": new_uuid(),
                    "reason": reason,
                    "person": person_id,
                    "at": at,
                    "card": card_id,
                }
                to_database.execute(f"{_begin()}{sql}", values)
            self.holds = []
            statement = f"{_begin()}EXECUTE pull_write(%s){'; COMMIT' if ends else ''}"
            to_database.execute(statement, (encode(self.document).decode(),))
        if short is not None and ends:
            short.done = True
        self.document = {}
        self.touched_cards = {}
        self.touched_turns = {}


# A held card has an open hold beside it, whichever door it was held by: who, why, and how it ended (requirement A5).
_HELD = """INSERT INTO pull_qualityhold (uuid, card_id, reason, held_by_id, held_at, decision)
    VALUES (%(uuid)s, %(card)s, %(reason)s, %(person)s, %(at)s, '') ON CONFLICT DO NOTHING"""
_HOLD_ENDED = """UPDATE pull_qualityhold SET released_by_id = %(person)s, released_at = %(at)s
    WHERE card_id = %(card)s AND released_at IS NULL"""
HOLDS = {
    "card.held": _HELD,
    "card.unheld": _HOLD_ENDED,
    "card.lost": _HOLD_ENDED,
    "card.removed": _HOLD_ENDED,
}

# What a message says of each event that something else follows from.
FOLLOWED = frozenset({"runout.opened"})


def message(loop_id: int, events: Sequence[Event]) -> dict[str, Any]:
    """The outbox row of a change: what upstream, boards and listeners have to hear of this loop."""
    follow = [
        {
            "type": event.type,
            "turn": event.turn,
            "at": event.occurred_at,
            "seq": event.seq,
            **{name: event.data[name] for name in ("state", "step", "withheld") if name in event.data},
        }
        for event in events
        if event.type in FOLLOWED or event.type.startswith("turn.")
    ]
    emptied = [
        {
            "type": "card.emptied",
            "card": event.card_id,
            "number": _refill_number(event, events),
            "at": event.occurred_at,
        }
        for event in events
        if event.type == "scan.applied" and event.data["intent"] == "empty"
    ]
    return {"topic": "pull.changed", "key": loop_id, "payload": {"events": follow + emptied}}


def _refill_number(emptied: Event, events: Sequence[Event]) -> int | None:
    """The number of the turn that refills the emptied container."""
    for event in events:
        if event.card_id == emptied.card_id and event.type in ("turn.released", "turn.opened"):
            return event.turn_number
    return None


def load(loop_ids: Iterable[int], *, lock_stations: Iterable[int] = ()) -> World:
    """Locks and reads loops, inside a transaction. Unknown ids are left out.

    The locks are taken by a statement of their own: the read after it has a newer snapshot, which shows what the
    holder of the lock before us committed.
    """
    ids = sorted(set(loop_ids))
    stations = sorted(set(lock_stations))
    with cursor() as to_database:
        locks = "EXECUTE pull_lock_stations(%s); " if stations else ""
        to_database.execute(
            f"{_begin()}{locks}EXECUTE pull_lock_loops(%s); EXECUTE pull_read(%s)",
            (stations, ids, ids) if stations else (ids, ids),
        )
        rows = to_database.fetchall()
        counts: dict[int, int] = {}
        for station in stations:
            to_database.execute("EXECUTE pull_in_process(%s)", (station,))
            counts[station] = to_database.fetchone()[0]
    settings = configs(rows[0][3] if rows else None)
    loops: dict[int, Loop] = {}
    stopped: dict[int, str] = {}
    for row in rows:
        loop = loops.get(row[0])
        if loop is None:
            if row[50]:
                stopped[row[0]] = row[50]
            loop = Loop(config=settings.loops[row[0]], seq=row[1], suppressed=row[2], surplus_due=row[49])
            if row[4] is not None:
                loop.runout = OpenRunout(opened_at=row[4], opened_seq=row[5], cause=row[6])
            loops[row[0]] = loop
        if row[7] is not None:
            loop.cards[row[7]] = _card(row)
    return World(settings, loops, counts, stopped)


def _card(row: tuple[Any, ...]) -> Card:
    card = Card(
        id=row[7],
        code=row[8],
        number=row[9],
        quantity=row[10],
        card_status=CardStatus(row[11]),
        supply_status=SupplyStatus(row[12]),
        contents=row[13] or ZERO,
        booked=row[14] or ZERO,
        blocked=row[15],
        been_full=row[16],
        turn_number=row[17],
        full_since=row[18],
        moved_at=row[19],
        moved_by=row[20],
        last_intent=row[21],
        last_scan=row[22],
        urgent=row[43],
        out_of_stock=row[44],
        label_stale=row[45],
        note=row[46],
        turns_left=row[47],
    )
    if row[23] is not None:
        card.turn = Turn(
            uuid=row[23],
            number=row[24],
            asked=row[25],
            opened_at=row[26],
            signal_state=SignalState(row[27]),
            step=row[28],
            made=row[29],
            reason=row[30],
            released_at=row[31],
            started_at=row[32],
            completed_at=row[33],
            loaded_at=row[34],
            due_at=row[35],
            owner=row[36],
            owner_since=row[37],
            acknowledged_at=row[38],
            promised_at=row[39],
            docked_at=row[40],
            document=row[41],
            batch=row[42],
            recall=row[48],
        )
    return card


def nothing() -> World:
    """No loop at all, with the settings of now: for scans of what is no card."""
    if begin := _begin():
        with cursor() as to_database:
            to_database.execute(begin)
    return World(configs(), {})


@dataclass(frozen=True, slots=True)
class Target:
    """What a code points to."""

    kind: str
    id: int
    loop_id: int | None


def resolve(codes: Sequence[str]) -> dict[str, Target]:
    """The things behind codes; a code that is not known is left out."""
    with cursor() as to_database:
        to_database.execute("EXECUTE pull_resolve(%s)", (list(codes),))
        return {row[0]: Target(*row[1:]) for row in to_database.fetchall()}


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The first answer to a scan id, and the fingerprint of what was asked."""

    fingerprint: str
    plant_id: int | None
    answer: dict[str, Any]


def stored_answers(scan_ids: Sequence[UUID]) -> dict[UUID, StoredAnswer]:
    """The answers already given to these scan ids."""
    with cursor() as to_database:
        to_database.execute("EXECUTE pull_receipts(%s::uuid[])", (list(scan_ids),))
        rows = to_database.fetchall()
    return {row[0]: StoredAnswer(row[1], row[2], decode(row[3])) for row in rows}
