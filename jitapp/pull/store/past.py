"""What the ledger and the register hold of a loop: read only when something is told late (kanban.runouts)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from jitapp.kanban.book import TYPES, decode_event
from jitapp.kanban.events.base import Entry
from jitapp.kanban.fold import COUNTING_TYPES, change_of
from jitapp.kanban.state import Change, Span, Turn
from jitapp.pull.store.columns import read_turn
from jitapp.pull.store.session import run

# The types that may change what counts for a runout, beside those that move a card.
COUNTING = sorted(
    {name for name, types in TYPES.items() if any(each.life is not None for each in types)}
    | {each.type for each in COUNTING_TYPES}
)


class StoredPast:
    """The past of a locked loop, as the database has it."""

    def __init__(self, loop_id: int) -> None:
        self._loop_id = loop_id
        self._changes: list[Change] | None = None

    def changes(self) -> Sequence[Change]:
        """All changes that count for a runout, in the order of the ledger."""
        if self._changes is None:
            found = (change_of(_entry(row)) for row in run("pull_changes", self._loop_id, COUNTING))
            self._changes = [change for change in found if change is not None]
        return self._changes

    def runouts(self) -> Sequence[Span]:
        """All runouts on record."""
        return [Span(*row) for row in run("pull_past_runouts", self._loop_id)]

    def turns(self, since: datetime) -> Sequence[tuple[int, Turn]]:
        """(number of the card, turn) of the turns that were closed after `since`."""
        rows = run("pull_past_turns", self._loop_id, since)
        return [(number, Turn(*read_turn(turn))) for number, turn in rows]


def _entry(row: tuple[str, datetime, int, int | None, str, str]) -> Entry:
    type_, at, seq, card_id, to, data = row
    return Entry(decode_event(type_, data), at, card_id=card_id, to=to, seq=seq)


def last_entries(scan_id: UUID | None, loop_id: int) -> tuple[Entry, ...]:
    """What a scan wrote onto a loop, in order, as the rules need it for an undo; of a swap also what detached the other
    card."""
    if scan_id is None:
        return ()
    return tuple(
        Entry(
            event=decode_event(row[0], row[1]),
            occurred_at=row[2],
            card_id=row[3],
            turn_number=row[4],
            turn=row[5],
            frm=row[6],
            to=row[7],
            seq=row[8],
            ordinal=row[9],
            scan_id=scan_id,
        )
        for row in run("pull_last_entries", scan_id, loop_id)
    )
