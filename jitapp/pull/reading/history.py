"""The newest turns of loops, from which their rate of use and their refill time are learned; reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from jitapp.pull.reading.board_statements import HISTORY_OF
from jitapp.pull.reading.projections import A_WEEK, bunched
from jitapp.pull.reading.records import Record, read_rows

HISTORY = 8  # newest released turns of a loop
LONG_HISTORY = 64  # of a loop whose cards are emptied in bunches


def by_loop(rows: Iterable[Record]) -> dict[int, list[Record]]:
    """Rows by their `loop_id`; a loop without any has an empty list."""
    grouped: dict[int, list[Record]] = defaultdict(list)
    for row in rows:
        grouped[row.loop_id].append(row)
    return grouped


def history_of(loop_ids: Sequence[int]) -> dict[int, list[Record]]:
    """The newest released turns of each loop, newest first; more of those whose cards are emptied in bunches."""
    found = by_loop(read_rows(HISTORY_OF, [loop_ids, HISTORY]))
    more = [loop for loop in loop_ids if len(found[loop]) == HISTORY and bunched(found[loop])]
    if more:
        found.update(by_loop(read_rows(HISTORY_OF, [more, LONG_HISTORY])))
    return found


def learned_from(newest: Sequence[Record]) -> list[Record]:
    """Of a loop's released turns, newest first, those that `history_of` reads."""
    few = list(newest[:HISTORY])
    return list(newest[:LONG_HISTORY]) if len(few) == HISTORY and bunched(few) else few


def idle_since(cards: Sequence[Record], history: Sequence[Record], now: datetime) -> datetime | None:
    """Since when nothing was used, if that is more than a week: no container was ever emptied, and none was touched."""
    touched = [card.moved_at for card in cards if card.moved_at is not None]
    if history or not touched or now - max(touched) < A_WEEK:
        return None
    found: datetime = max(touched)
    return found
