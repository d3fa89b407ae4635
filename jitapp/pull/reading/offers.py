"""The cards of a station that its usual scan would move now; reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db.models import QuerySet

from jitapp.kanban.conditions import MAY_FILL
from jitapp.kanban.guards import just_moved
from jitapp.kanban.vocabulary import CardStatus, LoopStatus, Outcome, SupplyStatus
from jitapp.plant.models import Station
from jitapp.pull.models import Card, Receipt, Turn

S = SupplyStatus
_USED = (S.FULL, S.IN_USE)
_BROUGHT = (S.COMPLETED, S.IN_TRANSIT)
_READ = 20  # cards at a time: few are wanted, and a station may have thousands


@dataclass(frozen=True, slots=True)
class Offer:
    """A card and what stands on it: the part, and its number in the loop."""

    code: str
    part: str
    number: int


def offers(
    station: Station, *, now: datetime, most: int, among: Collection[str] | None = None
) -> list[Offer]:
    """First what is to be filled there, then what was brought, then what is used up: as the defaults of a scan go.

    Cards that were moved there within the last minute are left out, because a default would not move them again.
    `among`: only cards with these codes.
    """
    here = Card.objects.filter(
        card_status=CardStatus.IN_CIRCULATION, blocked=False, loop__status=LoopStatus.ACTIVE
    ).select_related("loop__part")
    if among is not None:
        here = here.filter(code__in=among)
    return list(islice(_offered(station, here, now), most))


def _offered(station: Station, here: QuerySet[Card], now: datetime) -> Iterator[Offer]:
    filled = _to_fill(station)
    begun = sorted(here.filter(pk__in=filled), key=lambda card: filled.index(card.pk))
    yield from _unmoved(begun, "supply", now)
    for statuses in (_BROUGHT, _USED):
        those = here.filter(loop__demand=station, supply_status__in=statuses).order_by("loop__code", "number")
        for start in range(0, those.count(), _READ):
            yield from _unmoved(those[start : start + _READ], "demand", now)


def _unmoved(cards: Iterable[Card], side: str, now: datetime) -> Iterator[Offer]:
    for card in cards:
        if not just_moved(card.last_intent, card.moved_at, side, now):
            yield Offer(card.code, card.loop.part.number, card.number)


def _to_fill(station: Station) -> list[int]:
    """What is in process; where the station has room for more, also the first that waits."""
    turns = Turn.objects.filter(supply=station, closed_at__isnull=True, signal_state__in=MAY_FILL, failed="")
    begun = list(turns.filter(step=S.IN_PROCESS).values_list("card_id", flat=True))
    if station.wip_limit is not None and len(begun) >= station.wip_limit:
        return begun
    waiting = turns.filter(step="").order_by("due_at", "released_at", "pk")
    return begun + list(waiting.values_list("card_id", flat=True)[:1])


def scanned_by(person_id: int, code: str, *, since: datetime, plants: Collection[int]) -> bool:
    """Whether somebody's scan of a card of these plants was applied since then."""
    receipts = Receipt.objects.filter(card__code=code, person_id=person_id, outcome=Outcome.APPLIED)
    return receipts.filter(recorded_at__gt=since, plant__in=plants).exists()
