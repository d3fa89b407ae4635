"""From rows to the rules' state and back: one locking read, one writing statement.

A `UnitOfWork` is a set of loops whose locks are held until the transaction ends (order: stations, then loops by id).
What the rules write onto it is collected and sent to the database as one JSON document, taken apart by a prepared
statement. There are no rules here, and no model instances: every scan goes through this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, get_type_hints
from uuid import UUID

import msgspec

from jitapp.accounts.models import new_uuid
from jitapp.kanban.events import Event
from jitapp.kanban.state import Card, Loop, OpenRunout, Turn
from jitapp.plant.configs import Configs, configs
from jitapp.pull.store.session import begin, cursor, execute

encode = msgspec.json.Encoder(decimal_format="string").encode
decode = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(slots=True)
class UnitOfWork:
    """Loops whose locks are held, and what has been written onto them since."""

    configs: Configs
    loops: dict[int, Loop]
    in_process: dict[int, int] = field(default_factory=dict)
    stopped: dict[int, str] = field(default_factory=dict)  # loop -> why its supply station stands still
    document: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    touched_cards: dict[int, Card] = field(default_factory=dict)
    touched_turns: dict[tuple[int, int], tuple[int, int, Turn]] = field(default_factory=dict)
    holds: list[tuple[str, tuple[str, int | None, datetime, int | None]]] = field(default_factory=list)
    waits: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # only a drain writes them

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
            if event.card_id is not None and event.type not in WAITS:
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
        if any(event.type not in WAITS for event in events):
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

    def _sections(self, *names: str) -> tuple[str | None, ...]:
        """Parts of the document as JSON; None for a part that is not there."""
        return tuple(encode(rows).decode() if (rows := self.document.get(name)) else None for name in names)

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
                    "failed": turn.failed,
                }
                for (card_id, _), (loop_id, supply_id, turn) in sorted(self.touched_turns.items())
            ]
        if not self.document:
            return
        for sql, (reason, person_id, at, card_id) in self.holds:
            execute(
                sql, {"uuid": new_uuid(), "reason": reason, "person": person_id, "at": at, "card": card_id}
            )
        self.holds = []
        statement, values = "", list[str | None]()
        # Mostly there are none, and a statement that writes nothing still opens every table it might write.
        if "runouts_closed" in self.document or "runouts_opened" in self.document:
            statement += "EXECUTE pull_write_runouts(%s, %s); "
            values += self._sections("runouts_closed", "runouts_opened")
        if self.waits:
            statement += "EXECUTE pull_keep_waits(%s); "
            values.append(encode(self.waits).decode())
            self.waits = {}
        statement += "EXECUTE pull_write(%s, %s, %s, %s, %s, %s)"
        execute(statement, (*values, *self._sections(*SECTIONS)), last=last)
        self.document = {}
        self.touched_cards = {}
        self.touched_turns = {}


# The parameters of the writing statement, in order.
SECTIONS = ("receipts", "events", "cards", "turns", "loops", "messages")

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

# They change neither card nor turn, and nothing follows from them: no message either, or a drain would never end.
WAITS = frozenset({"wait.opened", "wait.closed"})

# What a message says of each event that something else follows from.
FOLLOWED = frozenset({"runout.opened"})
TOLD = ("state", "step", "withheld", "owner", "failed", "short")


def message(loop_id: int, events: Sequence[Event]) -> dict[str, Any]:
    """The outbox row of a change: what upstream, boards and listeners have to hear of this loop."""
    follow = [
        {
            "type": event.type,
            "turn": event.turn,
            "at": event.occurred_at,
            "seq": event.seq,
            **{name: event.data[name] for name in TOLD if name in event.data},
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


def load(loop_ids: Iterable[int], *, lock_stations: Iterable[int] = ()) -> UnitOfWork:
    """Locks and reads loops, inside a transaction. Unknown ids are left out.

    The locks are taken by a statement of their own: the read after it has a newer snapshot, which shows what the
    holder of the lock before us committed.
    """
    ids = sorted(set(loop_ids))
    stations = sorted(set(lock_stations))
    locks = "EXECUTE pull_lock_stations(%s); " if stations else ""
    rows = execute(
        f"{locks}EXECUTE pull_lock_loops(%s); EXECUTE pull_read(%s)",
        (stations, ids, ids) if stations else (ids, ids),
    )
    counts = {station: execute("EXECUTE pull_in_process(%s)", (station,))[0][0] for station in stations}
    read = decode_read(f"[{','.join(row[0] for row in rows)}]")
    settings = configs(read[0][0].epoch if read else None)
    loops: dict[int, Loop] = {}
    stopped: dict[int, str] = {}
    for state, card, turn in read:
        loop = loops.get(state.loop_id)
        if loop is None:
            if state.stopped:
                stopped[state.loop_id] = state.stopped
            config = settings.loops[state.loop_id]
            loop = Loop(config, state.seq, state.suppressed, state.surplus_due)
            if state.runout_at is not None:
                loop.runout = OpenRunout(state.runout_at, state.runout_seq, state.runout_cause)
            loops[state.loop_id] = loop
        if card is not None:
            made = loop.cards[card[0]] = Card(*card)
            if turn is not None:
                made.turn = Turn(*turn)
    return UnitOfWork(settings, loops, counts, stopped)


class _LoopRead(msgspec.Struct, array_like=True, gc=False):
    """A loop's own state, as `pull_read` says it with each card."""

    loop_id: int
    seq: int
    suppressed: int
    surplus_due: int
    epoch: int | None
    stopped: str | None  # why the supply station's line stands still
    runout_at: datetime | None
    runout_seq: Any
    runout_cause: Any


def _members(of: type, *, without: str = "") -> Any:
    """The types of a dataclass's members in their order, as an array has them."""
    types = get_type_hints(of)
    return tuple.__class_getitem__(tuple(types[each.name] for each in fields(of) if each.name != without))


decode_read = msgspec.json.Decoder(
    list[tuple[_LoopRead, _members(Card, without="turn") | None, _members(Turn) | None]]  # type: ignore[misc]
).decode


def nothing() -> UnitOfWork:
    """No loop at all, with the settings of now: for scans of what is no card."""
    begin()
    return UnitOfWork(configs(), {})


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
