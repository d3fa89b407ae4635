"""The ledger as the outside sees it, behind a cursor that never misses an event and never shows one twice.

Ids are given out before a commit, so that a reader in id order would pass over a slow writer's events. The cursor is
(transaction, id), and only transactions are shown below which no other is still running: what comes later sorts later.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

BEGINNING = (0, 0)
NOW = "now"  # a cursor for readers who want only what comes
_CURSOR = re.compile(r"1\.(\d{1,20})\.(\d{1,19})")
_MOST = 2**63 - 1

_PAGE = """
SELECT e.uuid, e.type, plant.code, loop.code, e.loop_seq, card.code, e.turn, station.code, person.uuid, device.uuid,
       e.occurred_at, e.recorded_at, e.late, e.scan_id, e.data, e.from_status, e.to_status, e.xid::text, e.id
FROM pull_event e
JOIN plant_plant plant ON plant.id = e.plant_id
LEFT JOIN plant_loop loop ON loop.id = e.loop_id
LEFT JOIN pull_card card ON card.id = e.card_id
LEFT JOIN plant_station station ON station.id = e.station_id
LEFT JOIN accounts_person person ON person.id = e.person_id
LEFT JOIN accounts_device device ON device.id = e.device_id
WHERE (e.xid, e.id) > (%(xid)s::text::xid8, %(id)s)
  AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
  AND e.plant_id = ANY(%(plants)s)
ORDER BY e.xid, e.id
LIMIT %(limit)s
"""


class BadCursor(ValueError):
    """A cursor that no page gave out."""


@dataclass(frozen=True, slots=True)
class By:
    """Who did it, by id only: names are no part of the ledger."""

    person: UUID | None
    device: UUID | None


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """The envelope of an event; members are only ever added."""

    id: UUID
    type: str
    version: int
    plant: str
    loop: str | None
    loop_seq: int | None
    card: str | None
    turn: UUID | None
    station: str | None
    by: By
    occurred_at: datetime
    recorded_at: datetime
    late: bool
    scan: UUID | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Events in their order, and the cursor behind the last of them; `more` if another page waits."""

    events: list[FeedEvent]
    cursor: str
    more: bool


def read_feed(*, plant_ids: Iterable[int], cursor: str, limit: int) -> FeedPage:
    """Events after the cursor: from the beginning with "", what is yet to come with NOW. Raises BadCursor."""
    if cursor == NOW:
        return FeedPage([], _text(_oldest_running(), 0), False)
    xid, last_id = _position(cursor)
    with connection.cursor() as database:
        database.execute(
            _PAGE, {"xid": str(xid), "id": last_id, "plants": list(plant_ids), "limit": limit + 1}
        )
        rows = database.fetchall()
    shown = rows[:limit]
    if shown:
        xid, last_id = int(shown[-1][17]), shown[-1][18]
    return FeedPage([_event(row) for row in shown], _text(xid, last_id), len(rows) > limit)


def _oldest_running() -> int:
    """What commits from now on is of this transaction or a later one."""
    with connection.cursor() as database:
        database.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        return int(database.fetchone()[0])


def _event(row: tuple[Any, ...]) -> FeedEvent:
    data: dict[str, Any] = json.loads(row[14])  # Django's connection hands jsonb over as text
    if row[16]:  # the card's supply status moved
        data = {"from": row[15], "to": row[16]} | data
    return FeedEvent(
        id=row[0],
        type=row[1],
        version=1,
        plant=row[2],
        loop=row[3],
        loop_seq=row[4],
        card=row[5],
        turn=row[6],
        station=row[7],
        by=By(row[8], row[9]),
        occurred_at=row[10],
        recorded_at=row[11],
        late=row[12],
        scan=row[13],
        data=data,
    )


def _text(xid: int, last_id: int) -> str:
    return base64.urlsafe_b64encode(f"1.{xid}.{last_id}".encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[int, int]:
    if not cursor:
        return BEGINNING
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        plain = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise BadCursor from None
    found = _CURSOR.fullmatch(plain)
    if found is None:
        raise BadCursor
    xid, last_id = int(found[1]), int(found[2])
    if xid > _MOST or last_id > _MOST:
        raise BadCursor
    return xid, last_id
