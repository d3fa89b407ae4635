"""What waits for a person: parked scans with both stories and the ways to settle them, and codes that nobody knew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from jitapp.accounts.models import new_uuid
from jitapp.kanban.answers import say
from jitapp.kanban.parked import Choice, choices
from jitapp.kanban.vocabulary import CardStatus, Intent, Outcome
from jitapp.plant.configs import zone
from jitapp.plant.models import Membership, Placement
from jitapp.pull import store
from jitapp.pull.models import Card, Event, Receipt
from jitapp.pull.reading.lists import Page
from jitapp.symbology.cardcode import find_card_code

UNKNOWN = "unknown_card"
AROUND = 4  # events of a card's story before, and as many after the scan
MOST = 100  # scans on one page
MOST_COUNTED = 1_000
# What belongs to a card's story beside its movements.
TOLD = (
    "card.held",
    "card.unheld",
    "card.lost",
    "card.found",
    "card.removed",
    "card.surplus",
    "turn.released",
)
_INTENTS = {intent.value: intent for intent in Intent}


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of a card's story: an event of the ledger, or the parked scan itself (`type` is `scan.parked`)."""

    type: str
    occurred_at: datetime
    recorded_at: datetime
    to_status: str
    intent: str
    station: str
    by: str


@dataclass(frozen=True, slots=True)
class Way:
    """A way to accept the scan now, and what that would do (empty where it depends on the quantity)."""

    choice: str
    needs_quantity: bool
    consequence: str


@dataclass(frozen=True, slots=True)
class ParkedScan:
    """A scan that waits. `code` says why, `message` is what its sender was told; `times` counts the scans of the same
    unknown code, `first_at` is the first of them."""

    id: UUID
    kind: str  # parked, or unknown
    code: str
    raw: str
    card: str | None
    card_status: str | None
    supply_status: str | None
    number: int | None
    loop: str | None
    part: str | None
    plant: str
    intent: str
    station: str
    by: str
    occurred_at: datetime
    recorded_at: datetime
    message: str
    time_zone: str
    times: int = 1
    first_at: datetime | None = None
    story: list[HistoryEntry] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)


def waiting_scans(plant_ids: Iterable[int]) -> int:
    """How many wait for a person in these plants; an unknown code counts once however often it was read."""
    rows = _waiting(plant_ids).values_list("code", "raw", "pk")[:MOST_COUNTED]
    return len({(raw if code == UNKNOWN else "", pk if code != UNKNOWN else 0) for code, raw, pk in rows})


def parked_scans(*, plant_ids: Iterable[int], now: datetime) -> list[ParkedScan]:
    """All that wait, oldest first, at most MOST; for people: with the ways to settle each."""
    return _told(_rows(plant_ids)[:MOST], now)


def parked_page(*, plant_ids: Iterable[int], after: int, limit: int, now: datetime) -> Page:
    """The same page by page; an unknown code stands where it was read first on the page."""
    rows = list(_rows(plant_ids).filter(pk__gt=after)[: limit + 1])
    shown = rows[:limit]
    return Page(_told(shown, now), shown[-1].pk if len(rows) > limit else None)


def one_parked(scan_id: UUID, *, plant_ids: Iterable[int], now: datetime) -> ParkedScan | None:
    """One that waits; None if there is none to see."""
    found = _told(_rows(plant_ids).filter(scan_id=scan_id), now)
    return found[0] if found else None


def _waiting(plant_ids: Iterable[int]) -> QuerySet[Receipt]:
    """An unknown code has no plant of its own: it belongs where it was read."""
    plants = list(plant_ids)
    placed = Placement.objects.filter(plant__in=plants).values("device")
    members = Membership.objects.filter(plant__in=plants).values("person")
    here = (
        Q(plant__in=plants)
        | Q(plant__isnull=True, station__plant__in=plants)
        | Q(plant__isnull=True, station__isnull=True, device__in=placed)
        | Q(plant__isnull=True, station__isnull=True, device__isnull=True, person__in=members)
    )
    return Receipt.objects.filter(Q(outcome=Outcome.PARKED) | Q(code=UNKNOWN), here, settled_at__isnull=True)


def _rows(plant_ids: Iterable[int]) -> QuerySet[Receipt]:
    return (
        _waiting(plant_ids)
        .select_related("card", "loop__part", "plant", "station__plant", "person", "device__placement__plant")
        .order_by("pk")
    )


def _told(rows: Iterable[Receipt], now: datetime) -> list[ParkedScan]:
    found: list[ParkedScan] = []
    unknown: dict[str, list[Receipt]] = {}
    for row in rows:
        if row.code == UNKNOWN:
            unknown.setdefault(row.raw, []).append(row)
        else:
            found.append(_parked(row, now))
    for alike in unknown.values():
        newest = alike[-1]
        found.append(_scan(newest, None, times=len(alike), first_at=alike[0].occurred_at))
    return sorted(found, key=lambda scan: scan.recorded_at)


def _parked(row: Receipt, now: datetime) -> ParkedScan:
    card = row.card or Card.objects.filter(code=find_card_code(row.raw) or "").first()
    story = _story(row, card) if card is not None else []
    return _scan(row, card, story=story, ways=_ways(row, card, now) if card is not None else [])


def _scan(row: Receipt, card: Card | None, **more: Any) -> ParkedScan:
    loop = row.loop
    placement = getattr(row.device, "placement", None)
    plant = row.plant or (row.station.plant if row.station else placement.plant if placement else None)
    return ParkedScan(
        id=row.scan_id,
        kind="unknown" if row.code == UNKNOWN else "parked",
        code=row.code,
        raw=row.raw,
        card=card.code if card else None,
        card_status=card.card_status if card else None,
        supply_status=card.supply_status if card else None,
        number=card.number if card else None,
        loop=loop.code if loop else None,
        part=loop.part.number if loop else None,
        plant=plant.code if plant else "",
        intent=row.intent,
        station=row.station.name if row.station else "",
        by=str(row.person or row.device or ""),
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        message=row.answer.get("message", ""),
        time_zone=plant.time_zone if plant else "UTC",
        **more,
    )


def _story(row: Receipt, card: Card) -> list[HistoryEntry]:
    """What the ledger knows of the card around the instant of the scan, and the scan itself at its place."""
    events = (
        Event.objects.filter(card=card)
        .filter(~Q(to_status="") | Q(type__in=TOLD))
        .select_related("station", "person", "device")
    )
    before = list(events.filter(occurred_at__lte=row.occurred_at).order_by("-occurred_at", "-id")[:AROUND])
    after = list(events.filter(occurred_at__gt=row.occurred_at).order_by("occurred_at", "id")[:AROUND])
    lines = [
        HistoryEntry(
            type=event.type,
            occurred_at=event.occurred_at,
            recorded_at=event.recorded_at,
            to_status=event.to_status,
            intent=event.data.get("intent", ""),
            station=event.station.name if event.station else "",
            by=str(event.person or event.device or ""),
        )
        for event in (*reversed(before), *after)
    ]
    itself = HistoryEntry(
        "scan.parked",
        row.occurred_at,
        row.recorded_at,
        "",
        row.intent,
        row.station.name if row.station else "",
        str(row.person or row.device or ""),
    )
    return [*lines[: len(before)], itself, *lines[len(before) :]]


def _ways(row: Receipt, card: Card, now: datetime) -> list[Way]:
    """Tried on the loop as it is at this moment; whoever presses is answered by the loop of that moment."""
    if card.card_status in (CardStatus.REMOVED, CardStatus.SURPLUS, CardStatus.OBSOLETE):
        return []
    with transaction.atomic():
        loop = store.load([card.loop_id]).loops[card.loop_id]
    found = choices(
        loop,
        loop.cards[card.pk],
        _INTENTS.get(row.intent),
        now=now,
        station_id=row.station_id,
        new_uuid=new_uuid,
    )
    return [
        Way(
            choice.name,
            choice.needs_quantity,
            "" if choice.needs_quantity else _consequence(choice, zone(loop.config.time_zone), now),
        )
        for choice in found
    ]


def _consequence(choice: Choice, time_zone: ZoneInfo, now: datetime) -> str:
    warnings = tuple(gettext(warning) for warning in choice.warnings)
    message, _ = say(
        choice.code, choice.facts, time_zone=time_zone, now=now, translate=gettext, warnings=warnings
    )
    return message
