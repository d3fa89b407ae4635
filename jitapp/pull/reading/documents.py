"""Which turns need a document of the ERP, and what an order for it says; reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from jitapp.kanban.duedates import due_at as when_due
from jitapp.kanban.state import text
from jitapp.kanban.vocabulary import SignalState
from jitapp.plant.configs import configs
from jitapp.pull import store

NEEDS = """l.doc_policy <> 'NONE' AND t.document = '' AND t.signal_state <> 'CANCELLED'
    AND (t.signal_state = 'PENDING_DOC' OR t.released_at IS NOT NULL)"""
COLUMNS = f"""
    SELECT t.id, t.uuid, t.loop_id, l.plant_id, t.signal_state, t.document, t.asked, t.opened_at, t.due_at,
        c.code, coalesce(sup.code, s.code), t.failed, {NEEDS}
    FROM pull_turn t JOIN pull_card c ON c.id = t.card_id JOIN plant_loop l ON l.id = t.loop_id
    JOIN plant_station s ON s.id = t.supply_id LEFT JOIN plant_supplier sup ON sup.id = s.supplier_id"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Documented:
    """A turn as its document sees it. `order` is what the ERP is asked for; quantities are decimal strings."""

    turn_id: int
    turn: UUID
    plant_id: int
    cancelled: bool
    document: str
    failed: str  # why it stands in ERROR
    needs: bool
    order: dict[str, Any]


def documented(turns: Iterable[UUID], *, now: datetime) -> list[Documented]:
    """Those turns as they are now, in the order of their opening; unknown ones are left out."""
    return _read(f"{COLUMNS} WHERE t.uuid = ANY(%s::uuid[]) ORDER BY t.id", (list(turns),), now)


def in_need(*, now: datetime, after: int, limit: int) -> list[Documented]:
    """Open turns that have no document and need one, in the order of their opening, behind the inside id `after`."""
    where = f"t.closed_at IS NULL AND t.id > %s AND {NEEDS}"
    return _read(f"{COLUMNS} WHERE {where} ORDER BY t.id LIMIT %s", (after, limit), now)


def _read(sql: str, values: tuple[Any, ...], now: datetime) -> list[Documented]:
    settings = configs()
    with store.cursor() as to_database:
        to_database.execute(sql, values)
        rows = to_database.fetchall()
    found: list[Documented] = []
    for turn_id, uuid, loop_id, plant_id, state, document, asked, opened_at, due_at, card, *more in rows:
        config = settings.loops[loop_id]
        supplier, failed, needs = more
        order = {
            "turn": str(uuid),
            "plant": config.plant_code,
            "loop": config.code,
            "card": card,
            "part": config.part,
            "quantity": text(asked),
            "unit": config.unit,
            "supplier": supplier,
            "deliver_to": config.demand,
            # A signal that waits for its number has no due date yet: this is what it would be, released now.
            "due": (due_at or when_due(config, now)).isoformat(),
            "opened_at": opened_at.isoformat(),
            "waits": state == SignalState.PENDING_DOC,
        }
        cancelled = state == SignalState.CANCELLED
        found.append(Documented(turn_id, uuid, plant_id, cancelled, document, failed, bool(needs), order))
    return found
