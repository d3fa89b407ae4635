"""Entries of the ledger read in bulk, and the snapshots of its fold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from jitapp.kanban.book import decode_event
from jitapp.kanban.events.base import Entry

STEP = 64  # a snapshot stands after so many events of a loop
# What `entry_of` reads of an event; `{e}` is its table.
COLUMNS = """e.loop_seq, e.type, e.occurred_at, e.card_id, e.turn_number, e.turn, e.from_status, e.to_status,
    e.data::text, e.scan_id, e.device_id, e.person_id"""

# Loops that lack a snapshot, those that lack most first: (loop, number and knowledge of its newest one).
LACKING = f"""
    SELECT s.loop_id, coalesce(p.seq, 0), p.known_at, p.state
      FROM pull_loopstate s
      LEFT JOIN LATERAL (SELECT seq, known_at, state FROM pull_loopsnapshot
            WHERE loop_id = s.loop_id AND shape = %(shape)s ORDER BY seq DESC LIMIT 1) p ON true
     WHERE s.seq - coalesce(p.seq, 0) >= {STEP}
     ORDER BY s.seq - coalesce(p.seq, 0) DESC LIMIT %(most)s"""  # noqa: S608 (a number of ours)
AFTER = f"""
    SELECT e.recorded_at, {COLUMNS} FROM pull_event e
     WHERE e.loop_id = %s AND e.loop_seq > %s ORDER BY e.loop_seq LIMIT %s"""  # noqa: S608 (names of ours)
KEEP = """
    INSERT INTO pull_loopsnapshot (loop_id, shape, seq, after, known_at, earliest_at, latest_at, changes, state)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""


def entry_of(row: tuple[Any, ...]) -> Entry | None:
    """An entry of a row that begins with COLUMNS; None for an event that cannot be read, which `verify` tells."""
    try:
        event = decode_event(row[1], row[8])
    except (KeyError, msgspec.ValidationError):
        return None
    return Entry(
        event=event,
        occurred_at=row[2],
        card_id=row[3],
        turn_number=row[4],
        turn=row[5],
        frm=row[6],
        to=row[7],
        seq=row[0],
        scan_id=row[9],
        device=row[10] if row[9] else None,
        person=row[11] if row[9] else None,
    )


def stretches(
    rows: list[tuple[Any, ...]], after: int
) -> Iterator[tuple[int, list[tuple[datetime, tuple[Any, ...]]]]]:
    """Whole stretches of the ledger behind `after`: (number of its last event, when each was recorded and its row).
    Ends where a number is missing."""
    found: list[tuple[datetime, tuple[Any, ...]]] = []
    for recorded_at, *row in rows:
        seq = row[0]
        if seq != after + 1:
            return
        after = seq
        found.append((recorded_at, tuple(row)))
        if seq % STEP == 0:
            yield seq, found
            found = []
