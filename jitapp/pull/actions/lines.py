"""What boards of wide areas remember of their loops is written after the commit of what changed them: a scan pays
nothing for it, and a line that was not written is out of date by its `seq`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from jitapp.kanban.vocabulary import LoopStatus
from jitapp.pull.reading.board_row import BoardRow

_KEEP = """
INSERT INTO pull_boardline AS line
       (loop_id, era, seq, status, state, short, lateness, late, moves, measured_at)
SELECT u.*, %s FROM unnest(%s::bigint[], %s::int[], %s::bigint[], %s::text[], %s::text[], %s::float8[], %s::float8[],
       %s::int[], %s::bool[]) AS u
ON CONFLICT (loop_id) DO UPDATE
   SET era = excluded.era, seq = excluded.seq, status = excluded.status, state = excluded.state,
       short = excluded.short, lateness = excluded.lateness, late = excluded.late, moves = excluded.moves,
       measured_at = excluded.measured_at
 WHERE (line.era, line.seq, line.measured_at) <= (excluded.era, excluded.seq, excluded.measured_at)
"""


def keep_lines(rows: Sequence[BoardRow], *, now: datetime) -> None:
    """Remembers how these loops stand, each unless something newer of it is remembered already. In the order of the
    loops, so that two that write the same lines never wait for each other in a ring."""
    ordered = sorted(rows, key=lambda row: row.loop_id)
    if not ordered:
        return
    columns: list[list[object]] = [
        [row.loop_id for row in ordered],
        [row.era for row in ordered],
        [row.version for row in ordered],
        [LoopStatus.ON_HOLD if row.on_hold else LoopStatus.ACTIVE for row in ordered],
        [row.state for row in ordered],
        [row.urgency[1] for row in ordered],
        [row.urgency[2] for row in ordered],
        [row.late for row in ordered],
        [row.under_way for row in ordered],
    ]
    with connection.cursor() as database:
        database.execute(_KEEP, [now, *columns])
