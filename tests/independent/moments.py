"""A loop at an instant, from its ledger by the calculation of this folder, beside what the board of the past shows.

The calculation shares nothing with the product's fold: it asks for each fact what was told of it last, and what was
known when.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from jitapp.plant.models import Loop
from jitapp.pull.models import Event, Runout
from jitapp.pull.reading.board_row import BoardRow
from jitapp.pull.reading.past import BoardThen
from tests.independent.adapters import Entry, first_status
from tests.independent.calculation import History, TurnStory, dry_spells

GONE = ("NEW", "REMOVED", "OBSOLETE")


@dataclass(frozen=True)
class Told:
    """An entry, and when it was recorded."""

    entry: Entry
    recorded_at: datetime


@dataclass
class Ledger:
    """A loop's ledger, read once for many instants."""

    loop: Loop
    told: list[Told]
    _whole: History | None = None

    @classmethod
    def of(cls, loop: Loop) -> Ledger:
        rows = Event.objects.filter(loop=loop).order_by("loop_seq")
        names = (
            "type",
            "occurred_at",
            "loop_seq",
            "card_id",
            "turn_number",
            "to_status",
            "data",
            "recorded_at",
        )
        return cls(
            loop,
            [Told(Entry(row[0], row[1], row[2] or 0, *row[3:7]), row[7]) for row in rows.values_list(*names)],
        )

    def history(self, at: datetime, *, known_then: bool) -> History | None:
        """What is known of the loop; None if nothing had happened to it by then."""
        if not any(told.entry.occurred_at <= at for told in self.told):
            return None
        if known_then:
            known = [told.entry for told in self.told if told.recorded_at <= at]
            return self._of(known) if known else None
        self._whole = self._whole or self._of([told.entry for told in self.told])
        return self._whole

    def _of(self, entries: list[Entry]) -> History:
        return History.of(
            entries,
            kind=self.loop.kind,
            supply_kind=self.loop.supply.kind,
            first_status=first_status([told.entry for told in self.told], self.loop.status),
        )


def differences(
    ledgers: Sequence[Ledger], board: BoardThen, at: datetime, *, known_then: bool
) -> Iterator[str]:
    """Where a board of the past is not what the ledgers of its loops say."""
    shown = {row.loop_id: row for row in board.rows}
    for ledger in ledgers:
        history = ledger.history(at, known_then=known_then)
        row = shown.get(ledger.loop.pk)
        expected = history is not None and history.status.at(at) in ("ACTIVE", "ON_HOLD")
        if expected != (row is not None):
            yield f"{ledger.loop.code} at {at}: shown {row is not None}, expected {expected}"
        elif row is not None and history is not None:
            for what, should, is_ in _compared(history, row, at):
                if should != is_:
                    yield f"{ledger.loop.code} at {at}: {what}: expected {should}, shown {is_}"


def _compared(history: History, row: BoardRow, at: datetime) -> Iterator[tuple[str, object, object]]:
    turns = {turn.card.id: turn for turn in history.turns if turn.is_open(at)}
    cards = [card for card in history.cards.values() if card.card_status.at(at) not in GONE and card.number]
    expected = []
    for card in sorted(cards, key=lambda card: card.number):
        status, turn = card.card_status.at(at), turns.get(card.id)
        blocked = card.blocked.at(at) == "blocked"
        word = status if status != "IN_CIRCULATION" else "BLOCKED" if blocked else card.supply_status.at(at)
        expected.append((card.number, word, *_of_turn(turn, at)))
    yield (
        "cards",
        expected,
        [(tile.number, tile.word, tile.turn_number, tile.signal_state, tile.due_at) for tile in row.tiles],
    )
    yield "usable", len(history.usable(at)), row.usable
    dry = next(
        (
            spell.opened_at
            for spell in dry_spells(history)
            if spell.opened_at <= at and (spell.closed_at is None or spell.closed_at > at)
        ),
        None,
    )
    yield "dry since", dry, _since(row)
    first = next(iter(turns.values())) if len(turns) == 1 else None  # else the row chooses
    if first is not None and row.state != "held" and row.why_code not in HALTS and not row.upstream:
        held = first.card.card_status.at(at) == "HELD"
        stands = first.position(at).waits_for(held=held, supplier=history.supply_kind == "SUPPLIER")
        yield "why and who", stands, (row.why_code, row.owner_party)


# What keeps a station from its work stands elsewhere than in the loop's ledger.
HALTS = ("down", "setup", "no_operator", "planned_stop", "quality", "starved", "receiver_not_ready")


def _since(row: BoardRow) -> datetime | None:
    """Since when the row says that the loop is dry; runouts that touch are one."""
    since, closed = row.runout_since, True
    while since is not None and closed:
        before = Runout.objects.filter(loop=row.loop_id, closed_at=since, opened_at__lt=since).first()
        closed = before is not None
        since = before.opened_at if before is not None else since
    return since


def _of_turn(turn: TurnStory | None, at: datetime) -> tuple[object, ...]:
    if turn is None:
        return None, "", None
    stands = turn.position(at)
    due = stands.due_at if stands.signal != "UNRELEASED" else None
    return turn.number, stands.signal, due
