"""What cards say in print, read for whole loops and areas; reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet

from jitapp.kanban.conditions import NO_LABEL
from jitapp.kanban.kinds import KINDS
from jitapp.kanban.resizing import COUNTED
from jitapp.kanban.vocabulary import CardStatus, LoopKind
from jitapp.pull.models import Card


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """The facts of one card that stand on its label."""

    card_id: int
    code: str
    number: int
    of: int  # cards that the loop counts
    replaces: int | None  # the number of the lost card whose place it takes
    label_stale: bool  # the rules say: what is printed is no longer true, or nothing is printed yet
    card_status: str
    plant_id: int
    time_zone: str
    area: str  # code of the demand source's area, else of the supply source's
    loop_id: int
    loop: str
    part_id: int
    part: str
    description: str
    unit: str
    quantity: Decimal  # pieces that a container is filled with from now on
    demand: str
    supply: str
    demand_id: int
    supply_id: int
    supplier: str
    supplier_code: str
    lead_time_minutes: int
    container: str  # code of the bin that the card is bound to


def labels(
    plant_ids: Collection[int],
    *,
    codes: Collection[str] | None = None,
    loop_id: int | None = None,
    area: str = "",
    limit: int | None = None,
) -> list[LabelFacts]:
    """Cards that somebody has, by area, part, loop and number; without those that are lost or gone."""
    found = (
        Card.objects.filter(loop__plant_id__in=plant_ids)
        .exclude(card_status__in=NO_LABEL)
        .select_related(
            "bin",
            "loop__part",
            "loop__plant",
            "loop__demand__area",
            "loop__supply__area",
            "loop__supply__supplier",
        )
    )
    if codes is not None:
        found = found.filter(code__in=codes)
    if loop_id is not None:
        found = found.filter(loop_id=loop_id)
    if area:
        of_supply = Q(loop__demand__area__isnull=True, loop__supply__area__code=area)
        found = found.filter(Q(loop__demand__area__code=area) | of_supply)
    ordered = found.order_by("loop__demand__area__code", "loop__part__number", "loop__code", "number")
    return _facts(ordered[:limit] if limit is not None else ordered)


def lost_cards(plant_ids: Collection[int], codes: Iterable[str]) -> dict[str, str]:
    """The code of the card to be printed in place of each of these cards that is lost; empty where there is none."""
    lost = Card.objects.filter(
        loop__plant_id__in=plant_ids, code__in=list(codes), card_status=CardStatus.LOST
    ).values_list("code", "loop_id", "number")
    found: dict[str, str] = {}
    for code, loop_id, number in lost:
        taken = Card.objects.filter(loop_id=loop_id, replaces=number).exclude(card_status__in=NO_LABEL)
        found[code] = taken.values_list("code", flat=True).first() or ""
    return found


def _facts(cards: QuerySet[Card]) -> list[LabelFacts]:
    read = list(cards)
    counts = dict(
        Card.objects.filter(
            loop_id__in={card.loop_id for card in read}, card_status__in=COUNTED, turns_left__isnull=True
        )
        .values_list("loop_id")
        .annotate(count=Count("id"))
    )
    return [_fact(card, counts.get(card.loop_id, 0)) for card in read]


def _fact(card: Card, of: int) -> LabelFacts:
    loop = card.loop
    area = loop.demand.area or loop.supply.area
    supplier = loop.supply.supplier
    ordered = KINDS[LoopKind(loop.kind)].ordered  # each order has a quantity of its own
    return LabelFacts(
        card_id=card.pk,
        code=card.code,
        number=card.number,
        of=of,
        replaces=card.replaces if card.card_status == CardStatus.NEW else None,
        label_stale=card.label_stale,
        card_status=card.card_status,
        plant_id=loop.plant_id,
        time_zone=loop.plant.time_zone,
        area=area.code if area else "",
        loop_id=loop.pk,
        loop=loop.code,
        part_id=loop.part_id,
        part=loop.part.number,
        description=loop.part.description,
        unit=loop.part.unit,
        quantity=card.quantity if ordered else loop.quantity,
        demand=loop.demand.name,
        supply=loop.supply.name,
        demand_id=loop.demand_id,
        supply_id=loop.supply_id,
        supplier=supplier.name if supplier else "",
        supplier_code=supplier.code if supplier else "",
        lead_time_minutes=loop.lead_time_minutes,
        container=_bin_of(card),
    )


def _bin_of(card: Card) -> str:
    bound = getattr(card, "bin", None)
    return bound.code if bound is not None else ""
