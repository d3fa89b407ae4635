"""The cards of a station that its usual scan would move now; reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jitapp.kanban.conditions import MAY_FILL
from jitapp.kanban.guards import just_moved
from jitapp.kanban.vocabulary import CardStatus, LoopStatus, SupplyStatus
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
    used = here.filter(loop__demand=station, supply_status__in=(*_USED, *_BROUGHT)).order_by(
        "loop__code", "number"
    )
    filled = _to_fill(station)
    found = [
        *(
            (card, "supply")
            for card in sorted(here.filter(pk__in=filled), key=lambda card: filled.index(card.pk))
        ),
        *((card, "demand") for card in used if card.supply_status in _BROUGHT),
        *((card, "demand") for card in used if card.supply_status in _USED),
    ]
    return [
        Offer(card.code, card.loop.part.number, card.number)
        for card, side in found
        if not just_moved(card.last_intent, card.moved_at, side, now)
    ][:most]


def _to_fill(station: Station) -> list[int]:
    """What is in process; where the station has room for more, also the first that waits."""
    turns = Turn.objects.filter(supply=station, closed_at__isnull=True, signal_state__in=MAY_FILL, failed="")
    begun = list(turns.filter(step=S.IN_PROCESS).values_list("card_id", flat=True))
    if station.wip_limit is not None and len(begun) >= station.wip_limit:
        return begun
    waiting = turns.filter(step="").order_by("due_at", "released_at", "pk")
    return begun + list(waiting.values_list("card_id", flat=True)[:1])
