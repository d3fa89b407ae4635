"""The tables held against the state that the ledger leads to, loop by loop, in constant memory per loop.

Every table comes through a server-side cursor ordered by loop, so that memory grows with the largest loop and not
with the ledger. The history's own rules are judged by `kanban.audit`. Reads only.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from jitapp.kanban.audit import Audit, Finding, Span
from jitapp.kanban.book import decode_event
from jitapp.kanban.events.base import Entry
from jitapp.kanban.standing import NOT_READY
from jitapp.kanban.state import ZERO, Card, LoopCounters, Turn, text
from jitapp.kanban.vocabulary import SignalState
from jitapp.kanban.waits import due_of
from jitapp.plant.configs import Configs
from jitapp.pull.proof.differences import Difference, Report, said
from jitapp.pull.proof.snapshots import SNAPSHOTS, SnapshotProof
from jitapp.pull.store.columns import CARD, COUNTERS, TURN, Columns, read_card, read_state, read_turn

EVENTS = """
    SELECT e.loop_id, e.type, e.occurred_at, e.card_id, e.turn_number, e.turn, e.from_status, e.to_status, e.data::text,
        e.loop_seq, e.scan_id, e.ordinal, e.device_id, e.person_id, e.station_id, e.xid::text,
        e.recorded_at
    FROM pull_event e WHERE e.loop_id IS NOT NULL ORDER BY e.loop_id, e.loop_seq"""
# The columns are the fields of the rules' own types: every one there is is compared.
CARDS = f"SELECT c.loop_id, json_build_array({CARD:c})::text FROM pull_card c ORDER BY c.loop_id, c.id"  # noqa: S608
TURNS = f"""
    SELECT t.loop_id, t.card_id, json_build_array({TURN:t})::text
    FROM pull_turn t ORDER BY t.loop_id, t.card_id, t.number"""  # noqa: S608
STATES = f"SELECT s.loop_id, json_build_array({COUNTERS:s})::text FROM pull_loopstate s ORDER BY s.loop_id"  # noqa: S608
RUNOUTS = """
    SELECT loop_id, opened_seq, opened_at, closed_at, closed_seq, cause, owner
    FROM pull_runout ORDER BY loop_id, opened_seq"""
WAITS = """
    SELECT w.loop_id, w.uuid, t.uuid, w.reason, w.owner, w.opened_at, w.opened_seq, w.closed_at, w.closed_seq, t.card_id
    FROM pull_wait w JOIN pull_turn t ON t.id = w.turn_id ORDER BY w.loop_id"""
LINKS = """
    SELECT c.loop_id, t.uuid, k.upstream_card_id, k.upstream_number, k.quantity, k.booked, t.signal_state
    FROM pull_turnlink k JOIN pull_turn t ON t.id = k.downstream_id JOIN pull_card c ON c.id = k.upstream_card_id
    WHERE k.kind = 'DRAW' ORDER BY c.loop_id"""
DRAWS = """
    SELECT d.loop_id, t.uuid, d.drawn, d.booked, d.short, t.signal_state
    FROM pull_draw d JOIN pull_turn t ON t.id = d.turn_id ORDER BY d.loop_id"""
USES = """
    SELECT t.loop_id, t.uuid, d.loop_id, d.needed, d.drawn, d.booked, d.short
    FROM pull_draw d JOIN pull_turn t ON t.id = d.turn_id ORDER BY t.loop_id"""


class ByLoop:
    """The rows of a query that is ordered by its first column, a loop's id; asked for loop by loop, upwards."""

    def __init__(self, stack: contextlib.ExitStack, name: str, sql: str) -> None:
        cursor = connection.connection.cursor(name=f"verify_{name}")
        stack.callback(cursor.close)
        cursor.itersize = 2_000
        cursor.execute(sql)
        self._rows: Iterator[tuple[Any, ...]] = iter(cursor)
        self._next = next(self._rows, None)

    def of(self, loop_id: int) -> Iterator[tuple[Any, ...]]:
        """The loop's rows, without the id."""
        while self._next is not None and self._next[0] <= loop_id:
            row, self._next = self._next, next(self._rows, None)
            if row[0] == loop_id:
                yield row[1:]


class Tables:
    """Everything that is compared, each through a cursor of its own in the same snapshot."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.events = ByLoop(stack, "events", EVENTS)
        self.cards = ByLoop(stack, "cards", CARDS)
        self.turns = ByLoop(stack, "turns", TURNS)
        self.states = ByLoop(stack, "states", STATES)
        self.runouts = ByLoop(stack, "runouts", RUNOUTS)
        self.waits = ByLoop(stack, "waits", WAITS)
        self.links = ByLoop(stack, "links", LINKS)
        self.draws = ByLoop(stack, "draws", DRAWS)
        self.uses = ByLoop(stack, "uses", USES)
        self.snapshots = ByLoop(stack, "snapshots", SNAPSHOTS)


def refold(report: Report, settings: Configs) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT key FROM outbox_message WHERE done_at IS NULL")
        pending = {row[0] for row in cursor.fetchall()}
    with contextlib.ExitStack() as stack:
        tables = Tables(stack)
        for loop_id in sorted(settings.loops):
            _Comparison(report, settings, loop_id).run(tables, settled=loop_id not in pending)


class _Comparison:
    """One loop: its history folded, and the tables held against the outcome."""

    def __init__(self, report: Report, settings: Configs, loop_id: int) -> None:
        self.report = report
        self.settings = settings
        self.config = settings.loops[loop_id]
        self.audit = Audit(self.config, self._found)
        self.codes: dict[int, str] = {}

    def run(self, tables: Tables, *, settled: bool) -> None:
        """`settled`: every message of the loop has been handled, so what follows from it must be there."""
        loop_id = self.config.id
        cards = [Card(*read_card(row[0])) for row in tables.cards.of(loop_id)]
        self.codes = {card.id: card.code for card in cards}
        snapshots = SnapshotProof(tables.snapshots.of(loop_id), partial(self._add, "C11", None))
        for row in tables.events.of(loop_id):
            self._take(row)
            snapshots.pass_by(self.audit, row[8], row[15])
        snapshots.end()
        self.audit.end()
        self._cards(cards)
        self._turns(tables.turns.of(loop_id))
        self._state(list(tables.states.of(loop_id)))
        self._runouts(tables.runouts.of(loop_id))
        self._waits(tables.waits.of(loop_id), settled)
        self._links(tables.links.of(loop_id))
        self._draws(tables.draws.of(loop_id))
        self._uses(tables.uses.of(loop_id), settled)

    def _add(self, rule: str, card_id: int | None, what: str, expected: object, found: object) -> None:
        code = "" if card_id is None else self.codes.get(card_id, f"#{card_id}")
        self.report.add(Difference(rule, self.config.code, code, what, said(expected), said(found)))

    def _found(self, finding: Finding) -> None:
        self._add(finding.rule, finding.card_id, finding.what, finding.expected, finding.found)

    def _take(self, row: tuple[Any, ...]) -> None:
        scan_id, device_id, person_id, station_id, xid, recorded_at = row[9], *row[11:16]
        try:
            event = decode_event(row[0], row[7])
        except (KeyError, msgspec.ValidationError) as error:
            self.audit.unreadable(row[8], row[2], row[0], str(error))
            return
        entry = Entry(
            event=event,
            occurred_at=row[1],
            card_id=row[2],
            turn_number=row[3],
            turn=row[4],
            frm=row[5],
            to=row[6],
            seq=row[8],
            scan_id=scan_id,
            ordinal=row[10],
            device=device_id if scan_id else None,
            person=person_id if scan_id else None,
        )
        self.audit.take(entry, station_id=station_id, group=(xid, scan_id, recorded_at))

    def _compare(
        self, rule: str, card_id: int, what: str, expected: Sequence[Any], found: Sequence[Any], names: Any
    ) -> None:
        for name, should, is_ in zip(names, expected, found, strict=True):
            if should != is_:
                self._add(rule, card_id, f"{what}{name}", should, is_)

    def _columns(
        self, rule: str, card_id: int | None, what: str, columns: Columns, expected: object, found: object
    ) -> None:
        """Every column of a row against the same field of the folded state."""
        for column in columns.all:
            should, is_ = getattr(expected, column.name), getattr(found, column.name)
            if should != is_:
                self._add(rule, card_id, f"{what}{column.name.replace('_', ' ')}", should, is_)

    def _cards(self, rows: Sequence[Card]) -> None:
        expected = dict(self.audit.loop.cards)
        for row in rows:
            self.report.cards += 1
            card = expected.pop(row.id, None)
            if card is None:
                self._add("C1", row.id, "card", "an event that added it", "none")
            else:
                self._columns("C11", row.id, "", CARD, card, row)
        for card in expected.values():
            self._add("C1", card.id, "card", f"card {card.number} ({card.code}) in the table", "none")

    def _turns(self, rows: Iterator[tuple[Any, ...]]) -> None:
        expected = self.audit.turns
        for card_id, raw in rows:
            row = Turn(*read_turn(raw))
            self.report.turns += 1
            turn = expected.pop((card_id, row.number), None)
            if turn is None:
                self._add("C11", card_id, f"turn {row.number}", "an event that opened it", "none")
            else:
                self._columns("C11", card_id, f"turn {row.number}: ", TURN, turn, row)
        for card_id, number in expected:
            self._add("C11", card_id, f"turn {number}", "in the table", "none")

    def _state(self, rows: Sequence[tuple[Any, ...]]) -> None:
        found = LoopCounters(*read_state(rows[0][0])) if rows else LoopCounters()
        self._columns("C11", None, "", COUNTERS, self.audit.loop, found)

    def _runouts(self, rows: Iterator[tuple[Any, ...]]) -> None:
        expected = dict(self.audit.runouts)
        for row in rows:
            span = expected.pop(row[0], None)
            if span is None:
                self._add("C9", None, f"runout (event {row[0]})", "an event that opened it", "none")
                continue
            what = f"runout since {row[1].isoformat()}: "
            for name, should, is_ in zip(RUNOUT_FIELDS, _runout_values(span), row, strict=True):
                # The cause of an open runout is a candidate that follows the clock.
                if should != is_ and (span.closed_at is not None or name not in ("cause", "owner")):
                    self._add("C9", None, what + name, should, is_)
        for span in expected.values():
            self._add("C9", None, f"runout of {span.opened_at.isoformat()}", "in the table", "none")

    def _waits(self, rows: Iterator[tuple[Any, ...]], settled: bool) -> None:
        """The table is the fold of the events; and every open turn waits for what its own state says, or moves."""
        expected = dict(self.audit.waits)
        waiting: dict[UUID, tuple[str, str]] = {}
        untold: set[UUID] = set()  # turns whose open wait is from before waits were events
        for wait, *row, card_id in rows:
            span = expected.pop(wait, None)
            turn, reason, owner, opened_at, opened_seq, closed_at, _ = row
            if closed_at is None:
                waiting[turn] = (reason, owner)
            if opened_seq is None:
                untold.add(turn)
                continue
            if span is None or span.opened_at is None:
                self._add(
                    "C11", card_id, f"wait of {opened_at.isoformat()}", "an event that opened it", "none"
                )
                continue
            should = (span.turn, span.reason, span.owner, span.opened_at, span.opened_seq, span.closed_at)
            what = f"wait of {opened_at.isoformat()}: "
            self._compare("C11", card_id, what, (*should, span.closed_seq), row, WAIT_FIELDS)
        for span in expected.values():
            self._add("C11", None, f"wait of turn {span.turn}", "in the table", "none")
        if settled:
            self._stands(waiting, untold)

    def _stands(self, waiting: dict[UUID, tuple[str, str]], untold: set[UUID]) -> None:
        for card in self.audit.loop.cards.values():
            turn = card.turn
            if turn is None or turn.uuid in untold:
                continue
            should, found = due_of(turn), waiting.get(turn.uuid)
            if should != found and found != NOT_READY:
                self._add("C10", card.id, f"what turn {turn.number} waits for", _wait(should), _wait(found))

    def _links(self, rows: Iterator[tuple[Any, ...]]) -> None:
        expected = self.audit.links
        for turn, card_id, number, quantity, booked, signal_state in rows:
            link = expected.pop((turn, card_id, number), None)
            what = f"link from turn {turn} to its filling {number}"
            # A cancelled turn gives its promises back, also those that the container no longer held.
            freed = signal_state == SignalState.CANCELLED and quantity == booked == ZERO
            if link is None:
                if not freed:
                    self._add("C8", card_id, what, "an event that drew or booked", "none")
            elif (link.quantity, link.booked) != (quantity, booked) and not freed:
                should = f"{text(link.quantity)} ({text(link.booked)} booked)"
                self._add("C8", card_id, what, should, f"{text(quantity)} ({text(booked)} booked)")
        for (turn, card_id, number), link in expected.items():
            if link.quantity or link.booked:
                self._add(
                    "C8",
                    card_id,
                    f"link from turn {turn} to its filling {number}",
                    text(link.quantity),
                    "none",
                )

    def _draws(self, rows: Iterator[tuple[Any, ...]]) -> None:
        expected = self.audit.draws
        for turn, drawn, booked, short, signal_state in rows:
            total = expected.pop(turn, None)
            what = f"pieces drawn for turn {turn}"
            freed = signal_state == SignalState.CANCELLED and booked == short == ZERO
            if total is None:
                self._add("C8", None, what, "events that drew, booked or fell short", "none")
            elif total.drawn != drawn or ((total.booked, total.short) != (booked, short) and not freed):
                should = f"{text(total.drawn)}, {text(total.booked)} booked, {text(total.short)} short"
                self._add(
                    "C8", None, what, should, f"{text(drawn)}, {text(booked)} booked, {text(short)} short"
                )
        for turn, total in expected.items():
            if total.drawn or total.booked or total.short:
                self._add("C8", None, f"pieces drawn for turn {turn}", text(total.drawn), "none")

    def _uses(self, rows: Iterator[tuple[Any, ...]], settled: bool) -> None:
        """Every turn that used components by software has drawn each of them, or has the shortage on record."""
        used = self.audit.used
        drawn: dict[UUID, dict[int, tuple[Decimal, ...]]] = defaultdict(dict)
        for turn, loop_id, *amounts in rows:
            drawn[turn][loop_id] = tuple(amounts)
        if not settled or not used:
            return
        for loops, _ in self.settings.components(self.config):
            names = ", ".join(self.settings.loops[loop].code for loop in loops)
            # Bills and stations change, and say not when: only what came after a first draw must have drawn.
            first = min(
                (at for turn, (at, _) in used.items() if any(loop in drawn[turn] for loop in loops)),
                default=None,
            )
            if first is None:
                what = f"what {len(used)} turns used of {names}"
                self.report.warnings.append(
                    Difference("C8", self.config.code, "", what, "draws, unless the bill is younger", "none")
                )
                continue
            for turn, (at, taken) in used.items():
                of_turn = [drawn[turn][loop] for loop in loops if loop in drawn[turn]]
                need = max((row[0] for row in of_turn), default=None)
                have = sum((row[1] + row[3] + (ZERO if taken else row[2]) for row in of_turn), ZERO)
                if need is None and at > first:
                    self._add(
                        "C8", None, f"what turn {turn} used of {names}", "drawn, or a shortage", "neither"
                    )
                elif need is not None and have < need:
                    self._add("C8", None, f"what turn {turn} used of {names}", text(need), text(have))


WAIT_FIELDS = ("turn", "reason", "owner", "opened at", "opened by event", "closed at", "closed by event")
RUNOUT_FIELDS = ("opened by event", "opened at", "closed at", "closed by event", "cause", "owner")


def _wait(what: tuple[str, str] | None) -> str:
    return f"{what[0]} ({what[1]})" if what else "nothing: it moves"


def _runout_values(span: Span) -> tuple[Any, ...]:
    return (span.opened_seq, span.opened_at, span.closed_at, span.closed_seq, span.cause, span.owner)
