"""What one leader hands over to the next: the changes since the shift began, and what is left open; reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from jitapp.kanban.vocabulary import Outcome
from jitapp.plant.models import Area
from jitapp.pull.models import Handover, HandoverSignature, QualityHold, Receipt
from jitapp.pull.reading.devices import devices_of
from jitapp.pull.reading.past_changes import Changes, changes

MOST = 50  # lines of one kind
NEWEST = 30  # handovers in a list


class Hold(msgspec.Struct, frozen=True):
    """A container that must not be used until quality says so."""

    part: str
    card: int
    reason: str
    held_at: datetime
    held_by: str


class Parked(msgspec.Struct, frozen=True):
    """A scan that waits for a person's decision."""

    part: str
    card: int
    intent: str
    occurred_at: datetime


class Unsent(msgspec.Struct, frozen=True):
    """A device that still holds scans."""

    device: str
    waiting: int
    oldest_at: datetime | None


class Facts(msgspec.Struct, frozen=True):
    """Everything that a handover says beside the notes."""

    changes: Changes
    holds: tuple[Hold, ...]
    parked: tuple[Parked, ...]
    unsent: tuple[Unsent, ...]


def facts_now(area: str, plant_id: int, since: datetime, now: datetime) -> Facts:
    """What would be handed over now. Holds and parked scans are those of the area, devices those of its plant."""
    holds = QualityHold.objects.filter(released_at__isnull=True, card__loop__demand__area__code=area)
    parked = Receipt.objects.filter(
        outcome=Outcome.PARKED, settled_at__isnull=True, loop__demand__area__code=area, card__isnull=False
    )
    return Facts(
        changes=changes(area, since, now, is_now=True),
        holds=tuple(
            Hold(row.card.loop.part.number, row.card.number, row.reason, row.held_at, str(row.held_by or ""))
            for row in holds.select_related("card__loop__part", "held_by").order_by("held_at", "pk")[:MOST]
        ),
        parked=tuple(
            Parked(part, card, intent, occurred_at)
            for part, card, intent, occurred_at in parked.order_by("recorded_at", "pk").values_list(
                "loop__part__number", "card__number", "intent", "occurred_at"
            )[:MOST]
        ),
        unsent=tuple(
            Unsent(device.name, device.waiting, device.oldest_waiting_at)
            for device in devices_of([plant_id], now=now)
            if device.active and device.waiting
        ),
    )


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed one side of a handover, when, and how they proved who they are: login, badge or pin."""

    name: str
    how: str
    signed_at: datetime
    remark: str


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A handover. `facts` are those of `until`, as they were signed; `arrived` None: nobody has signed yet."""

    uuid: UUID
    area: Area
    since: datetime
    until: datetime
    notes: str
    facts: Facts
    left: Signature | None
    arrived: Signature | None


def handovers_of(areas: Sequence[int], *, most: int = NEWEST) -> list[HandedOver]:
    """The newest handovers of some areas, newest first."""
    return [_told(row) for row in _rows().filter(area_id__in=areas).order_by("-until", "-pk")[:most]]


def handover_of(area: int, uuid: UUID) -> HandedOver | None:
    """One handover of an area; None if it has none of that id."""
    row = _rows().filter(area_id=area, uuid=uuid).first()
    return _told(row) if row is not None else None


def _rows() -> QuerySet[Handover]:
    return Handover.objects.select_related("area__plant").prefetch_related("signatures__person")


def _told(row: Handover) -> HandedOver:
    signed = {
        each.side: Signature(str(each.person), each.how, each.signed_at, each.remark)
        for each in row.signatures.all()
    }
    return HandedOver(
        uuid=row.uuid,
        area=row.area,
        since=row.since,
        until=row.until,
        notes=row.notes,
        facts=msgspec.convert(row.facts, Facts, strict=False),
        left=signed.get(HandoverSignature.Side.LEAVING),
        arrived=signed.get(HandoverSignature.Side.ARRIVING),
    )
