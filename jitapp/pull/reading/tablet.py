"""What a tablet keeps to work without a network, and what it shows of its last scans."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from jitapp.accounts.models import Person
from jitapp.kanban.events.turns import TurnOpened, TurnReleased
from jitapp.kanban.lifecycle import following_intent
from jitapp.kanban.steps.undo import SETTLED, needed_only_for, undo_ends, untouched
from jitapp.kanban.vocabulary import CardStatus, LoopStatus, Outcome, SupplyStatus
from jitapp.plant.models import Loop, Station
from jitapp.pull.models import Card, Event, Receipt, Turn
from jitapp.symbology.cardcode import find_card_code

MOST_CARDS = 20_000
USUAL_IDLE_MINUTES = 10  # where no area says otherwise
LAST = 8
_FNV_OFFSET, _FNV_PRIME, _64_BITS = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1


def card_list(plant_id: int, station: Station | None) -> dict[str, Any]:
    """The cards that may come by at a station: those of the loops that begin or end in its area; without a station
    those of the plant. Positions instead of names keep it small: 1,000 cards are about 40 kB.

    `loops` are [code, part, description, supply, demand, quantity, unit], `cards` [code, index of the loop, number,
    card status, supply status, blocked], `people` [hash of the badge, uuid, name, language];
    `idle_minutes` without a touch end that somebody is signed in (null: they do not).
    """
    loops = Loop.objects.filter(
        Q(plant_id=plant_id) | Q(supply__plant_id=plant_id),
        status__in=(LoopStatus.ACTIVE, LoopStatus.ON_HOLD),
    )
    if station is not None and station.area_id is not None:
        loops = loops.filter(Q(supply__area_id=station.area_id) | Q(demand__area_id=station.area_id))
    elif station is not None:
        loops = loops.filter(Q(supply=station) | Q(demand=station))
    rows = list(
        loops.order_by("code").values_list(
            "pk",
            "code",
            "part__number",
            "part__description",
            "supply__code",
            "demand__code",
            "quantity",
            "part__unit",
        )
    )
    place = {row[0]: index for index, row in enumerate(rows)}
    cards = (
        Card.objects.filter(loop_id__in=place)
        .exclude(card_status=CardStatus.REMOVED)
        .order_by("loop_id", "number")
        .values_list("code", "loop_id", "number", "card_status", "supply_status", "blocked")[:MOST_CARDS]
    )
    return {
        "loops": [[*row[1:6], format(row[6].normalize(), "f"), row[7]] for row in rows],
        "cards": [
            [code, place[loop], number, card_status, supply_status, int(blocked)]
            for code, loop, number, card_status, supply_status, blocked in cards
        ],
        "people": people_list(plant_id),
        "idle_minutes": station.area.idle_minutes if station and station.area else USUAL_IDLE_MINUTES,
    }


def people_list(plant_id: int) -> list[list[str]]:
    """Who may sign in at this plant's tablets by a badge, also without a network."""
    found = Person.objects.filter(
        Q(memberships__plant_id=plant_id) | Q(is_superuser=True) | Q(memberships__isnull=True),
        is_active=True,
        badge__isnull=False,
    ).distinct()
    return [
        [badge_hash(badge or ""), str(uuid), name, language]
        for badge, uuid, name, language in found.order_by("name").values_list(
            "badge", "uuid", "name", "language"
        )
    ]


def badge_hash(badge: str) -> str:
    """FNV-1a, 64 bits, of a badge in small letters: it finds a badge and keeps it off the screen. It is no secret: a
    badge only names somebody, and what needs a right needs the PIN. The same in static/js/cards.js."""
    value = _FNV_OFFSET
    for byte in badge.strip().lower().encode():
        value = (value ^ byte) * _FNV_PRIME & _64_BITS
    return f"{value:016x}"


# -- the last scans --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class LastScan:
    """A scan of a device with the answer it got; `undo_until` is set only while taking it back would succeed."""

    scan_id: UUID
    raw: str
    recorded_at: datetime
    by: UUID | None  # whoever made it
    answer: dict[str, Any]
    undo_until: datetime | None


def last_scans(device_id: int, *, now: datetime, most: int = LAST) -> list[LastScan]:
    """The newest scans of a device, newest first."""
    newest = Receipt.objects.filter(device_id=device_id).order_by("-recorded_at", "-pk")
    rows = list(newest.select_related("person")[:most])
    until = undo_until([row.scan_id for row in rows if row.outcome == Outcome.APPLIED], now=now)
    return [
        LastScan(
            row.scan_id,
            row.raw,
            row.recorded_at,
            row.person.uuid if row.person else None,
            row.answer,
            until.get(row.scan_id),
        )
        for row in rows
    ]


def undo_until(scans: Collection[UUID], *, now: datetime) -> dict[UUID, datetime]:
    """Until when each of these scans can be taken back by whoever made it; left out if it cannot (any more).

    The conditions of kanban/steps/undo.py, asked of rows without a lock. tests/pull/test_tablet_reading.py holds both
    against each other.
    """
    if not scans:
        return {}
    found: dict[UUID, datetime] = {}
    for card in Card.objects.filter(last_scan__in=scans).select_related("loop"):
        until = undo_ends(card, card.loop.undo_window_s)
        if until is not None and until >= now and card.last_scan is not None:
            found[card.last_scan] = until
    for scan_id in _acted_on(found):
        found.pop(scan_id, None)
    return found


def _acted_on(scans: Collection[UUID]) -> set[UUID]:
    """Those of the scans that closed a turn or swapped, whose card's turn failed, or whose signals somebody has acted
    on."""
    events = Event.objects.filter(scan_id__in=scans)
    gone = set(events.filter(type__in=[each.type for each in SETTLED]).values_list("scan_id", flat=True))
    opening = events.filter(type__in=(TurnReleased.type, TurnOpened.type), data__opens=True)
    asked = dict(opening.values_list("turn", "scan_id"))
    turns = Turn.objects.filter(
        Q(uuid__in=[each for each in asked if each]) | Q(card__last_scan__in=scans), closed_at__isnull=True
    )
    for turn in turns.select_related("card__loop"):
        card, scan_id = turn.card, asked.get(turn.uuid)
        is_scanned = card.last_scan in scans and scan_id in (None, card.last_scan)
        if turn.failed and is_scanned:
            gone.add(card.last_scan)
        is_needed = needed_only_for(card, card.loop.trigger, is_scanned=is_scanned)
        if scan_id is not None and is_needed and not untouched(turn):
            gone.add(scan_id)
    return {each for each in gone if each is not None}


def bins_of(loop_id: int) -> list[list[Any]]:
    """The containers of a loop as they are drawn beside an answer: [card, number, supply status, is out of use]."""
    cards = Card.objects.filter(loop_id=loop_id).exclude(card_status__in=(CardStatus.REMOVED, CardStatus.NEW))
    return [
        [code, number, status, int(blocked or card_status != CardStatus.IN_CIRCULATION)]
        for code, number, status, card_status, blocked in cards.order_by("number").values_list(
            "code", "number", "supply_status", "card_status", "blocked"
        )
    ]


def codes_of(loops: Iterable[str]) -> dict[str, int]:
    """Loop ids by code."""
    return dict(Loop.objects.filter(code__in=set(loops)).values_list("code", "pk"))


def next_step(code: str, plant_ids: Collection[int]) -> str | None:
    """The intent that follows where a card stands; None for a card that is not known in these plants."""
    found = Card.objects.filter(code=find_card_code(code) or code, loop__plant_id__in=plant_ids)
    status = found.values_list("supply_status", flat=True).first()
    following = following_intent(SupplyStatus(status)) if status is not None else None
    return str(following) if following is not None else None
