"""Containers with their open turns, as whoever carries, receives or looks for them needs them; reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from jitapp.kanban.conditions import MAY_FILL
from jitapp.kanban.vocabulary import CardStatus, LoopStatus, StationKind
from jitapp.plant.models import Identifier
from jitapp.plant.scanners import site
from jitapp.pull.models import Bin, Card, Turn
from jitapp.symbology.meaning import meaning_of

_GONE = (CardStatus.REMOVED, CardStatus.NEW)


@dataclass(frozen=True, slots=True)
class Container:
    """A card with its loop, its two ends and its open turn. Without an open turn `turn` is None, and what is said of a
    turn is empty. `position` is where the container is that the turn fills, else where the card's own stands."""

    code: str
    number: int
    plant_id: int
    time_zone: str
    loop: str
    loop_status: str
    loop_note: str  # why the loop is on hold
    part: str
    description: str
    unit: str
    gtin: str
    demand: str
    demand_name: str
    supply: str
    supply_name: str
    supply_kind: str
    supplier: str
    gr_policy: str
    card_status: str
    supply_status: str
    blocked: bool
    out_of_stock: bool
    note: str  # why it is held, lost or removed
    contents: Decimal
    quantity: Decimal
    last_intent: str
    moved_at: datetime | None
    status_since: datetime | None
    turn: UUID | None = None
    turn_number: int = 0
    asked: Decimal | None = None
    made: Decimal | None = None
    signal_state: str = ""
    step: str = ""
    failed: str = ""
    released_at: datetime | None = None
    completed_at: datetime | None = None
    loaded_at: datetime | None = None
    due_at: datetime | None = None
    promised_at: datetime | None = None
    docked_at: datetime | None = None

    @property
    def position(self) -> str:
        """EMPTY, IN_PROCESS, COMPLETED, IN_TRANSIT while a turn is open and nothing is at hand; else the card's own."""
        return self.step or self.supply_status

    @property
    def expected(self) -> Decimal:
        """Pieces that the turn brings: what was sent, else what was asked for."""
        return self.made if self.made is not None else self.asked if self.asked is not None else self.quantity

    def late(self, now: datetime) -> bool:
        """Whether its due time has passed."""
        return self.due_at is not None and self.due_at < now


def containers(codes: Iterable[str], *, plant_ids: Collection[int]) -> dict[str, Container]:
    """Those of these cards that belong to one of the plants, whatever became of them, by their codes."""
    found = _cards().filter(code__in=set(codes), loop__plant_id__in=plant_ids)
    return {card.code: _container(card) for card in found}


def cards_behind(codes: Iterable[str]) -> dict[str, str]:
    """The card codes behind other codes and tags that name a card, or a bin that carries one."""
    named = Identifier.objects.filter(code__in=set(codes), kind__in=["card", "bin"])
    rows = list(named.values_list("code", "kind", "target_id"))
    cards = dict(
        Card.objects.filter(pk__in=[of for _, kind, of in rows if kind == "card"]).values_list("pk", "code")
    )
    bins = dict(
        Bin.objects.filter(
            pk__in=[of for _, kind, of in rows if kind == "bin"], card__isnull=False
        ).values_list("pk", "card__code")
    )
    found = {code: (cards if kind == "card" else bins).get(of) for code, kind, of in rows}
    return {code: card for code, card in found.items() if card is not None}


def named_containers(raws: Iterable[str], *, plant_ids: Collection[int]) -> dict[str, Container]:
    """The containers that these reads mean, by the reads as they came: by the code of the card, or of its bin, in
    whatever carrier a scan door would understand."""
    names = {raw: meaning_of(raw, site()).names for raw in raws}
    behind = cards_behind([name for found in names.values() for name in found])
    codes = {raw: [behind.get(name, name) for name in found] for raw, found in names.items()}
    known = containers([code for found in codes.values() for code in found], plant_ids=plant_ids)
    meant = {raw: next((code for code in found if code in known), "") for raw, found in codes.items()}
    return {raw: known[code] for raw, code in meant.items() if code}


def carried_between(stations: Collection[int]) -> list[Container]:
    """Cards whose turn may be filled and goes on now, between two of these stations, or that wait at the dock for one
    of them; by due time."""
    turns = Turn.objects.filter(closed_at__isnull=True, signal_state__in=MAY_FILL, failed="")
    own = Q(loop__supply__in=stations) | Q(
        turns__docked_at__isnull=False, loop__supply__kind=StationKind.SUPPLIER
    )
    found = (
        _cards()
        .filter(own, loop__demand__in=stations, loop__status=LoopStatus.ACTIVE, turns__in=turns)
        .filter(card_status=CardStatus.IN_CIRCULATION, blocked=False)
        .distinct()
    )
    return sorted(map(_container, found), key=_by_due)


def expected_from_suppliers(plant_ids: Collection[int]) -> list[Container]:
    """Cards that a supplier was asked to fill and that have not come in, by due time."""
    turns = Turn.objects.filter(
        closed_at__isnull=True, signal_state__in=MAY_FILL, supply__kind=StationKind.SUPPLIER
    )
    found = _cards().filter(loop__plant_id__in=plant_ids, turns__in=turns)
    return sorted(map(_container, found), key=_by_due)


def around(stations: Collection[int]) -> list[Container]:
    """All cards that take part and whose loops begin or end at one of these stations, by station and loop."""
    ends = Q(loop__demand__in=stations) | Q(loop__supply__in=stations)
    found = _cards().filter(ends).exclude(card_status__in=_GONE).exclude(loop__status=LoopStatus.RETIRED)
    return [
        _container(card)
        for card in found.order_by("loop__demand__position", "loop__demand__code", "loop__code", "number")
    ]


def _cards() -> QuerySet[Card]:
    turns = Turn.objects.filter(closed_at__isnull=True)
    return Card.objects.select_related(
        "loop__part", "loop__plant", "loop__demand", "loop__supply__supplier"
    ).prefetch_related(Prefetch("turns", queryset=turns, to_attr="open_turns"))


def _by_due(container: Container) -> tuple[bool, float, str, int]:
    due = container.due_at
    return due is None, due.timestamp() if due else 0.0, container.loop, container.number


def _container(card: Card) -> Container:
    loop = card.loop
    turns: list[Turn] = getattr(card, "open_turns", [])
    turn = turns[0] if turns else None
    supplier = loop.supply.supplier
    return Container(
        code=card.code,
        number=card.number,
        plant_id=loop.plant_id,
        time_zone=loop.plant.time_zone,
        loop=loop.code,
        loop_status=loop.status,
        loop_note=loop.hold_reason,
        part=loop.part.number,
        description=loop.part.description,
        unit=loop.part.unit,
        gtin=loop.part.gtin,
        demand=loop.demand.code,
        demand_name=loop.demand.name,
        supply=loop.supply.code,
        supply_name=loop.supply.name,
        supply_kind=loop.supply.kind,
        supplier=supplier.name if supplier else "",
        gr_policy=loop.gr_policy,
        card_status=card.card_status,
        supply_status=card.supply_status,
        blocked=card.blocked,
        out_of_stock=card.out_of_stock,
        note=card.note,
        contents=card.contents,
        quantity=card.quantity,
        last_intent=card.last_intent,
        moved_at=card.moved_at,
        status_since=card.status_since,
        turn=turn.uuid if turn else None,
        turn_number=turn.number if turn else card.turn_number,
        asked=turn.asked if turn else None,
        made=turn.made if turn else None,
        signal_state=turn.signal_state if turn else "",
        step=turn.step if turn else "",
        failed=turn.failed if turn else "",
        released_at=turn.released_at if turn else None,
        completed_at=turn.completed_at if turn else None,
        loaded_at=turn.loaded_at if turn else None,
        due_at=turn.due_at if turn else None,
        promised_at=turn.promised_at if turn else None,
        docked_at=turn.docked_at if turn else None,
    )
