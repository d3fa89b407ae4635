"""Rows of the writing statement that no type of the rules describes; a member that is None is left out."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from jitapp.kanban.events.base import Event


class ReceiptRow(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """A scan as it was received, and what it was answered; `fingerprint` in hexadecimal digits."""

    scan_id: UUID
    fingerprint: str
    plant_id: int | None = None
    device_id: int | None = None
    person_id: int | None = None
    station_id: int | None = None
    loop_id: int | None = None
    card_id: int | None = None
    raw: str
    intent: str
    seq: int | None = None
    epoch: str
    occurred_at: datetime
    sent_at: datetime | None = None
    recorded_at: datetime
    outcome: str
    code: str
    answer: dict[str, object]


class EventRow(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """An event in its place in the ledger."""

    uuid: str
    type: str
    plant_id: int
    loop_id: int
    loop_seq: int
    card_id: int | None = None
    turn_number: int | None = None
    turn: UUID | None = None
    station_id: int | None = None
    person_id: int | None = None
    device_id: int | None = None
    scan_id: UUID | None = None
    ordinal: int
    from_status: str
    to_status: str
    occurred_at: datetime
    recorded_at: datetime
    late: bool
    data: Event
