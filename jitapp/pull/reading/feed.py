"""The ledger as the outside sees it, behind a cursor that never misses an event and never shows one twice.

Ids are given out before a commit, so that a reader in id order would pass over a slow writer's events. The order is
(era, transaction, id), and of the present era only transactions are shown below which no other is still running: what
comes later sorts later. An event never stands before the one before it in its loop (store/sql/write), so
that a loop's events come in the order of their numbers.

A cursor names its era. After a restore the events that were kept have the places they had, so that a reader of the
history from which they were restored may go on from where he was; what he has read beyond is no longer true, and he is
told so first.
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

from jitapp.pull.history import Era, former, present

Place = tuple[int, int, int]  # era, transaction, id
BEGINNING: Place = (0, 0, 0)
NOW = "now"  # a cursor for readers who want only what comes
_CURSOR = re.compile(r"2\.([0-9a-f]{1,16})\.(\d{1,19})\.(\d{1,20})\.(\d{1,19})")
_MOST = 2**63 - 1

_PAGE = """
SELECT e.uuid, e.type, plant.code, loop.code, e.loop_seq, card.code, e.turn, station.code, person.uuid, device.uuid,
       e.occurred_at, e.recorded_at, e.late, e.scan_id, e.data, e.from_status, e.to_status, e.era,
       e.place::text, e.id
FROM pull_event e
JOIN plant_plant plant ON plant.id = e.plant_id
LEFT JOIN plant_loop loop ON loop.id = e.loop_id
LEFT JOIN pull_card card ON card.id = e.card_id
LEFT JOIN plant_station station ON station.id = e.station_id
LEFT JOIN accounts_person person ON person.id = e.person_id
LEFT JOIN accounts_device device ON device.id = e.device_id
WHERE (e.era, e.place, e.id) > (%(era)s, %(xid)s::text::xid8, %(id)s)
  AND (e.era < %(present)s OR e.place < pg_snapshot_xmin(pg_current_snapshot()))
  AND e.plant_id = ANY(%(plants)s)
ORDER BY e.era, e.place, e.id
LIMIT %(limit)s
"""


class BadCursor(ValueError):
    """A cursor that no page gave out."""


class SetBack(Exception):
    """The cursor is of an era before the last restore. `cursor` is where its reader may go on; empty: from the
    beginning, because what he has read is not what was restored."""

    def __init__(self, era: Era, cursor: str) -> None:
        super().__init__(era.epoch)
        self.era = era
        self.cursor = cursor


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
    """Events in their order, and the cursor behind the last of them; `more` if another page waits. `epoch` names the
    present history."""

    events: list[FeedEvent]
    cursor: str
    more: bool
    epoch: str


def read_feed(*, plant_ids: Iterable[int], cursor: str, limit: int) -> FeedPage:
    """Events after the cursor: from the beginning with "", what is yet to come with NOW. Raises BadCursor; SetBack for
    a cursor of another era."""
    era = present()
    if cursor == NOW:
        return FeedPage([], _text(era.epoch, (era.number, _oldest_running(), 0)), False, era.epoch)
    place = _place(cursor, era)
    with connection.cursor() as database:
        database.execute(
            _PAGE,
            {
                "present": era.number,
                "era": place[0],
                "xid": str(place[1]),
                "id": place[2],
                "plants": list(plant_ids),
                "limit": limit + 1,
            },
        )
        rows = database.fetchall()
    shown = rows[:limit]
    if shown:
        last = shown[-1]
        place = (last[17], int(last[18]), last[19])
    cursor = _text(era.epoch, place)
    return FeedPage([_event(row) for row in shown], cursor, len(rows) > limit, era.epoch)


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


def _text(epoch: str, place: Place) -> str:
    plain = f"2.{epoch}.{place[0]}.{place[1]}.{place[2]}"
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _place(cursor: str, era: Era) -> Place:
    """The place after which to go on. Raises BadCursor, SetBack."""
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
    place = (int(found[2]), int(found[3]), int(found[4]))
    if max(place) > _MOST:
        raise BadCursor
    if found[1] != era.epoch:
        raise SetBack(era, _text(era.epoch, place) if former(found[1]) else "")
    return place
