"""From rows to the rules' state and back: one locking read, one writing statement.

A `UnitOfWork` is a set of loops whose locks are held until the transaction ends (order: stations, then loops by id).
What the rules write onto it is collected and sent to the database as one JSON document, taken apart by a prepared
statement. There are no rules here, and no model instances: every scan goes through this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec

from jitapp.accounts.models import new_uuid, new_uuid_text
from jitapp.kanban.conditions import all_withdrawn
from jitapp.kanban.events.base import Entry
from jitapp.kanban.events.cards import CardHeld, CardLost, CardObsolete, CardRemoved, CardUnheld
from jitapp.kanban.events.loops import RunoutClosed, RunoutOpened, RunoutRevised, WaitClosed, WaitOpened
from jitapp.kanban.state import Card, Loop, OpenRunout, Turn
from jitapp.plant.configs import Configs, configs
from jitapp.pull.store.codec import encode
from jitapp.pull.store.columns import CARD, COUNTERS, TURN
from jitapp.pull.store.messages import message
from jitapp.pull.store.past import StoredPast
from jitapp.pull.store.rows import EventRow
from jitapp.pull.store.session import begin, cursor, execute

Row = dict[str, object]
# The parameters of the writing statement, in order.
SECTIONS = ("receipts", "events", "cards", "turns", "loops", "messages")
# They change neither card nor turn, and nothing follows from them: no message either, or a drain would never end.
WAITS = frozenset({WaitOpened, WaitClosed})
RUNOUTS = (RunoutOpened, RunoutClosed, RunoutRevised)
HOLDS = (CardHeld, CardUnheld, CardLost, CardRemoved, CardObsolete)
_BESIDE = frozenset({*RUNOUTS, *HOLDS})  # they write a row of a table of their own

# A held card has an open hold beside it, whichever way it was held: who, why, and how it ended (requirement A5).
_HELD = """INSERT INTO pull_qualityhold (uuid, card_id, reason, held_by_id, held_at, decision)
    VALUES (%(uuid)s, %(card)s, %(reason)s, %(person)s, %(at)s, '') ON CONFLICT DO NOTHING"""
_HOLD_ENDED = """UPDATE pull_qualityhold SET released_by_id = %(person)s, released_at = %(at)s
    WHERE card_id = %(card)s AND released_at IS NULL"""


@dataclass(slots=True)
class UnitOfWork:
    """Loops whose locks are held, and what has been written onto them since."""

    configs: Configs
    loops: dict[int, Loop]
    in_process: dict[int, int] = field(default_factory=dict)
    stopped: dict[int, str] = field(default_factory=dict)  # loop -> why its supply station stands still
    document: dict[str, list[object]] = field(default_factory=dict)
    written: dict[int, Loop] = field(default_factory=dict)  # loops whose counters have changed
    runouts: dict[str, list[Row]] = field(default_factory=dict)
    touched_cards: dict[int, Card] = field(default_factory=dict)
    touched_turns: dict[tuple[int, int], tuple[int, int, Turn]] = field(default_factory=dict)
    holds: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    waits: dict[str, list[Row]] = field(default_factory=dict)  # only a drain writes them

    def add(self, kind: str, row: object) -> None:
        """One more row for the writing statement."""
        self.document.setdefault(kind, []).append(row)

    def record(
        self,
        loop: Loop,
        entries: Sequence[Entry],
        *,
        now: datetime,
        station_id: int | None = None,
        person_id: int | None = None,
        device_id: int | None = None,
        turns: Iterable[tuple[Card, Turn]] = (),
    ) -> None:
        """Takes over what the rules wrote onto a loop: ledger rows, touched cards and turns, runouts, one message.

        `turns` are those that the entries closed: the cards no longer know them.
        """
        if not entries:
            return
        config = loop.config
        self.written[config.id] = loop
        rows = self.document.setdefault("events", [])
        followed = False
        for entry in entries:
            event, at = entry.event, entry.occurred_at
            rows.append(
                EventRow(
                    uuid=new_uuid_text(),
                    type=event.type,
                    plant_id=config.plant_id,
                    loop_id=config.id,
                    loop_seq=entry.seq,
                    card_id=entry.card_id,
                    turn_number=entry.turn_number,
                    turn=entry.turn,
                    station_id=station_id,
                    person_id=person_id,
                    device_id=device_id,
                    scan_id=entry.scan_id,
                    ordinal=entry.ordinal,
                    from_status=entry.frm,
                    to_status=entry.to,
                    occurred_at=at,
                    # A scan is never recorded before it occurred, even after waiting for the lock.
                    recorded_at=now if now > at else at,
                    late=entry.late,
                    data=event,
                )
            )
            if type(event) in WAITS:
                continue
            followed = True
            if entry.card_id is not None:
                card = self.touched_cards[entry.card_id] = loop.cards[entry.card_id]
                if card.turn is not None:
                    self._touch_turn(loop, card, card.turn)
            if type(event) in _BESIDE:
                self._beside(config.id, entry, person_id)
        for card, turn in turns:
            self._touch_turn(loop, card, turn)
        if followed:
            self.add("messages", message(config.id, entries, now, loop.cards))

    def _beside(self, loop_id: int, entry: Entry, person_id: int | None) -> None:
        """What an event writes into a table of its own."""
        if isinstance(entry.event, RUNOUTS):
            self._runout(loop_id, entry, entry.event)
        elif isinstance(entry.event, HOLDS):
            self._hold(entry, entry.event, person_id)

    def _touch_turn(self, loop: Loop, card: Card, turn: Turn) -> None:
        self.touched_turns[card.id, turn.number] = (loop.config.id, loop.config.supply_id, turn)

    def _hold(
        self,
        entry: Entry,
        event: CardHeld | CardUnheld | CardLost | CardRemoved | CardObsolete,
        person_id: int | None,
    ) -> None:
        values: dict[str, object] = {
            "uuid": new_uuid(),
            "card": entry.card_id,
            "person": person_id,
            "at": entry.occurred_at,
        }
        if isinstance(event, CardHeld):
            self.holds.append((_HELD, values | {"reason": event.reason}))
        else:
            self.holds.append((_HOLD_ENDED, values))

    def _runout(self, loop_id: int, entry: Entry, event: RunoutOpened | RunoutClosed | RunoutRevised) -> None:
        row: Row = {
            "loop_id": loop_id,
            "cause": event.cause,
            "owner": event.owner,
            "cause_facts": event.facts,
        }
        if isinstance(event, RunoutOpened):
            opened: Row = {"uuid": new_uuid(), "opened_at": entry.occurred_at, "opened_seq": entry.seq}
            self.runouts.setdefault("opened", []).append(
                row | opened | {"closed_at": None, "closed_seq": None}
            )
            return
        ends = entry.occurred_at if isinstance(event, RunoutClosed) else event.closed_at
        row |= {
            "opened_seq": event.opened_seq,
            "opened_at": event.opened_at,
            "closed_at": max(ends, event.opened_at) if ends is not None else None,
            "closed_seq": entry.seq if ends is not None else None,
        }
        for known in (each for rows in self.runouts.values() for each in rows):
            if (known["loop_id"], known["opened_seq"]) == (loop_id, event.opened_seq):
                known.update(row)  # opened or changed in the same transaction
                return
        self.runouts.setdefault("changed", []).append(row)

    def write(self, *, last: bool = False) -> None:
        """Sends everything in one statement; the caller's transaction commits it.

        `last`: nothing else follows, so that a short transaction is committed by the same message.
        """
        self._collect()
        if not self.document:
            return
        for sql, values in self.holds:
            execute(sql, dict(values))
        self.holds = []
        statement, parameters = "", list[str | None]()
        # Mostly there are none, and a statement that writes nothing still opens every table it might write.
        if self.runouts:
            statement += "EXECUTE pull_write_runouts(%s, %s); "
            parameters += [_json(self.runouts.get(kind)) for kind in ("changed", "opened")]
            self.runouts = {}
        if self.waits:
            statement += "EXECUTE pull_keep_waits(%s); "
            parameters.append(encode(self.waits).decode())
            self.waits = {}
        statement += "EXECUTE pull_write(%s, %s, %s, %s, %s, %s)"
        parameters += [_json(self.document.get(section)) for section in SECTIONS]
        execute(statement, tuple(parameters), last=last)
        self.document = {}
        self.written = {}
        self.touched_cards = {}
        self.touched_turns = {}

    def _collect(self) -> None:
        """The rows of what was touched."""
        if self.touched_cards:
            self.document["cards"] = [CARD.row(card) for card in self.touched_cards.values()]
        if self.written:
            self.document["loops"] = [COUNTERS.row(loop, loop_id) for loop_id, loop in self.written.items()]
        if self.touched_turns:
            # In turn order: turn k closes before turn k+1 opens (rule C2 is checked row by row).
            self.document["turns"] = [
                TURN.row(turn, card_id, loop_id, supply_id)
                for (card_id, _), (loop_id, supply_id, turn) in sorted(
                    self.touched_turns.items(), key=lambda item: item[0]
                )
            ]


def _json(rows: Sequence[object] | None) -> str | None:
    """A part of the document; None for one that is not there."""
    return encode(rows).decode() if rows else None


class _LoopRead(msgspec.Struct, array_like=True, gc=False):
    """What `pull_read` says of a loop."""

    loop_id: int
    counters: COUNTERS.shape  # type: ignore[name-defined]
    epoch: int | None
    stopped: str | None  # why the supply station's line stands still
    runout: tuple[datetime, int] | None
    cards: list[Card] | None


_decode_read = msgspec.json.Decoder(_LoopRead).decode


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
    read = [_decode_read(text) for (text,) in rows]
    settings = configs(read[0].epoch if read else None)
    loops: dict[int, Loop] = {}
    stopped: dict[int, str] = {}
    for state in read:
        loop = loops[state.loop_id] = Loop(
            *state.counters,
            config=settings.loops[state.loop_id],
            cards={card.id: card for card in state.cards or ()},
            past=StoredPast(state.loop_id),
        )
        if state.stopped:
            stopped[state.loop_id] = state.stopped
        if state.runout is not None:
            loop.runout = OpenRunout(*state.runout, quality=all_withdrawn(loop.cards.values()))
    return UnitOfWork(settings, loops, counts, stopped)


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
    """What codes stand for; a code that is not known is left out."""
    with cursor() as to_database:
        to_database.execute("EXECUTE pull_resolve(%s)", (list(codes),))
        return {row[0]: Target(*row[1:]) for row in to_database.fetchall()}


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The first answer to a scan id, and the fingerprint of what was asked."""

    fingerprint: str
    plant_id: int | None
    answer: dict[str, object]


def stored_answers(scan_ids: Sequence[UUID]) -> dict[UUID, StoredAnswer]:
    """The answers already given to these scan ids."""
    with cursor() as to_database:
        to_database.execute("EXECUTE pull_receipts(%s::uuid[])", (list(scan_ids),))
        rows = to_database.fetchall()
    return {row[0]: StoredAnswer(row[1], row[2], msgspec.json.decode(row[3])) for row in rows}
