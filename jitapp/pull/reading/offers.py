"""The cards of a station that its usual scan would move now; reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from jitapp.kanban.conditions import MAY_FILL
from jitapp.kanban.guards import DOUBLE_SCAN
from jitapp.kanban.steps.all import STEPS
from jitapp.kanban.vocabulary import CardStatus, Intent, LoopStatus, SupplyStatus
from jitapp.plant.models import Station
from jitapp.pull.models import Card, Turn

S = SupplyStatus
_USED = (S.FULL, S.IN_USE)
_BROUGHT = (S.COMPLETED, S.IN_TRANSIT)


@dataclass(frozen=True, slots=True)
class Offer:
    """A card and what stands on it: the part, and its number in the loop."""

    code: str
    part: str
    number: int


def offers(station: Station, *, now: datetime, most: int) -> list[Offer]:
    """First what is to be filled there, then what was brought, then what is used up: as the defaults of a scan go.

    Cards that were moved there within the last minute are left out, because a default would not move them again.
    """
    here = Card.objects.filter(
        card_status=CardStatus.IN_CIRCULATION, blocked=False, loop__status=LoopStatus.ACTIVE
    ).select_related("loop__part")
    used = here.filter(loop__demand=station, supply_status__in=(*_USED, *_BROUGHT))
    filled = _to_fill(station)
    found = [
        *((card, "supply") for card in here.filter(pk__in=filled)),
        *((card, "demand") for card in used if card.supply_status in _BROUGHT),
        *((card, "demand") for card in used if card.supply_status in _USED),
    ]
    return [
        Offer(card.code, card.loop.part.number, card.number)
        for card, side in found
        if not _moved_just_now(card, side, now)
    ][:most]


def _to_fill(station: Station) -> list[int]:
    """What is in process; where the station has room for more, also the first that waits."""
    turns = Turn.objects.filter(supply=station, closed_at__isnull=True, signal_state__in=MAY_FILL, failed="")
    begun = list(turns.filter(step=S.IN_PROCESS).values_list("card_id", flat=True))
    if station.wip_limit is not None and len(begun) >= station.wip_limit:
        return begun
    waiting = turns.filter(Q(step="")).order_by("due_at", "released_at", "pk")
    return begun + list(waiting.values_list("card_id", flat=True)[:1])


def _moved_just_now(card: Card, side: str, now: datetime) -> bool:
    last = STEPS.get(Intent(card.last_intent)) if card.last_intent else None
    same = last is not None and bool(last.moves) and last.side == side
    return same and card.moved_at is not None and now - card.moved_at < DOUBLE_SCAN
