"""Cards, turns, runouts and waits as other programs read them; page by page, in a stable order.

Every function takes the plants that the reader may see. Quantities are decimal strings, codes stand for rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models

from jitapp.kanban.conditions import MAY_FILL
from jitapp.kanban.resizing import COUNTED
from jitapp.kanban.state import text
from jitapp.kanban.vocabulary import CardStatus
from jitapp.plant.models import Identifier, Loop, Station
from jitapp.plant.work import checks_of, standard_work_of
from jitapp.pull.models import AndonCall, Card, LoopState, Runout, Turn
from jitapp.pull.reading import waits as cuts
from jitapp.pull.reading.attempts import attempts_at


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """One circulation of a card: what was asked, how far it is, and who must act next."""

    id: UUID
    card: str
    card_number: int
    loop: str
    part: str
    unit: str
    number: int
    supply: str
    demand: str
    signal_state: str
    step: str
    asked: str
    made: str | None
    received: str | None
    reason: str
    opened_at: datetime
    released_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    loaded_at: datetime | None
    closed_at: datetime | None
    due_at: datetime | None
    late: bool
    owner: str
    owner_since: datetime | None
    failed: str  # why it stands in ERROR; nothing is done for it until that is put right
    document: str  # number of the ERP's document; empty: none, or none yet
    standing: str  # what it waits for, or what is done to it
    promised_at: datetime | None
    docked_at: datetime | None
    answer_late: bool  # the supplier has not answered in time
    demand_cancelled: bool  # what it was asked for is no longer needed: decide whether it goes on
    cancelled_by: UUID | None  # the turn that no longer needs it


@dataclass(frozen=True, slots=True)
class CardFacts:
    """A card and its container; `turn` is the open turn."""

    code: str
    loop: str
    part: str
    description: str
    unit: str
    number: int
    of: int
    demand: str
    supply: str
    card_status: str
    supply_status: str
    quantity: str
    contents: str
    booked: str
    blocked: bool
    label_stale: bool  # what is printed on it is no longer true, or nothing is printed yet: print its label
    replaces: int | None  # the number of the lost card whose place it takes
    full_since: datetime | None
    moved_at: datetime | None
    turn: TurnFacts | None


@dataclass(frozen=True, slots=True)
class RunoutFacts:
    """A loop without a usable container; the cause is a candidate until the runout is closed."""

    id: UUID
    loop: str
    part: str
    demand: str
    supply: str
    opened_at: datetime
    closed_at: datetime | None
    cause: str
    cause_facts: dict[str, Any]
    owner: str
    upstream: UUID | None


@dataclass(frozen=True, slots=True)
class StationFacts:
    """What a station must do next: `to_fill` are its open turns, oldest due first, `to_use` its own cards.

    With as many `full` (usable) containers as its `receiving_limit`, nothing is sent to it. `readiness_checks` must be
    ticked before each start, `standard_work` is an address per part number; nothing is started while `line_stopped`.
    """

    station: str
    name: str
    kind: str
    wip_limit: int | None
    in_process: int
    receiving_limit: int | None
    full: int
    readiness_checks: list[str]
    standard_work: dict[str, str]
    line_stopped: bool
    attempts: int
    as_of: datetime
    to_fill: list[TurnFacts]
    to_use: list[CardFacts]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list; `last_id` is where the next one goes on, None after the last."""

    rows: list[Any]
    last_id: int | None


_OF_LOOP = ("loop__part", "loop__demand", "loop__supply")


def card(code: str, *, plant_ids: Iterable[int], now: datetime) -> CardFacts | None:
    """The card behind its own code or behind any identifier of it or of its bin; None if there is none to see."""
    rows = _cards(plant_ids).filter(code=code)[:1] or _cards(plant_ids).filter(pk__in=_carried_by(code))[:1]
    found = _card_facts(rows, now)
    return found[0] if found else None


def _carried_by(code: str) -> list[int]:
    named = (
        Identifier.objects.filter(code=code, kind__in=["card", "bin"])
        .values_list("kind", "target_id")
        .first()
    )
    if named is None:
        return []
    if named[0] == "card":
        return [named[1]]
    return list(Card.objects.filter(bin__pk=named[1]).values_list("pk", flat=True))


def cards(*, plant_ids: Iterable[int], loop: str | None, after: int, limit: int, now: datetime) -> Page:
    """Cards in the order of their making."""
    rows = _cards(plant_ids).filter(pk__gt=after).order_by("pk")
    if loop is not None:
        rows = rows.filter(loop__code=loop)
    return _page(list(rows[: limit + 1]), limit, lambda found: _card_facts(found, now))


def cards_per_loop(loop_ids: Iterable[int]) -> dict[int, int]:
    """Cards that a loop has, removed ones not counted; loops without cards are left out."""
    counted = (
        Card.objects.filter(loop__in=list(loop_ids))
        .exclude(card_status=CardStatus.REMOVED)
        .values_list("loop_id")
        .annotate(models.Count("pk"))
    )
    return dict(counted)


def sizes_of(loop_ids: Iterable[int]) -> dict[int, int]:
    """How many cards a loop is to have, as `kanban.resizing` counts them; loops without cards are left out."""
    there = cards_per_loop(loop_ids)
    counted = dict(
        Card.objects.filter(loop__in=there, card_status__in=COUNTED, turns_left__isnull=True)
        .values_list("loop_id")
        .annotate(models.Count("pk"))
    )
    due = dict(LoopState.objects.filter(pk__in=there).values_list("pk", "surplus_due"))
    return {loop_id: counted.get(loop_id, 0) - due.get(loop_id, 0) for loop_id in there}


def usable_at(station_ids: Iterable[int]) -> dict[int, int]:
    """Usable containers per demand station, as the receiving limit counts them."""
    ids = list(station_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.demand_id, count(*) FROM pull_container c JOIN plant_loop l ON l.id = c.loop_id"
            " WHERE l.demand_id = ANY(%s) AND c.usable GROUP BY 1",
            [ids],
        )
        return dict.fromkeys(ids, 0) | dict(cursor.fetchall())


def turns(
    *, plant_ids: Iterable[int], open_only: bool, station: str | None, after: int, limit: int, now: datetime
) -> Page:
    """Turns in the order of their opening; `station` is the supply source."""
    rows = _turns(plant_ids).filter(pk__gt=after).order_by("pk")
    if open_only:
        rows = rows.filter(closed_at__isnull=True)
    if station is not None:
        rows = rows.filter(supply__code=station)
    return _page(list(rows[: limit + 1]), limit, lambda found: [turn_facts(row, now) for row in found])


def turn(uuid: UUID, *, plant_ids: Iterable[int], now: datetime) -> TurnFacts | None:
    """One turn by its outside id; None if there is none to see."""
    row = _turns(plant_ids).filter(uuid=uuid).first()
    return turn_facts(row, now) if row else None


def loop_id(code: str, *, plant_ids: Iterable[int]) -> int | None:
    """The inside id of a loop that these plants may see."""
    return Loop.objects.filter(code=code, plant_id__in=list(plant_ids)).values_list("pk", flat=True).first()


def card_id(code: str, *, plant_ids: Iterable[int]) -> int | None:
    """The inside id of a card of a loop that these plants may see."""
    found = Card.objects.filter(code=code, loop__plant_id__in=list(plant_ids))
    return found.values_list("pk", flat=True).first()


def runouts(*, plant_ids: Iterable[int], open_only: bool, after: int, limit: int) -> Page:
    """Runouts in the order of their opening."""
    rows = (
        Runout.objects.filter(loop__plant__in=list(plant_ids), pk__gt=after)
        .select_related(*_OF_LOOP, "upstream")
        .order_by("pk")
    )
    if open_only:
        rows = rows.filter(closed_at__isnull=True)

    def facts(found: list[Runout]) -> list[RunoutFacts]:
        return [
            RunoutFacts(
                id=row.uuid,
                loop=row.loop.code,
                part=row.loop.part.number,
                demand=row.loop.demand.code,
                supply=row.loop.supply.code,
                opened_at=row.opened_at,
                closed_at=row.closed_at,
                cause=row.cause,
                cause_facts=row.cause_facts,
                owner=row.owner,
                upstream=row.upstream.uuid if row.upstream else None,
            )
            for row in found
        ]

    return _page(list(rows[: limit + 1]), limit, facts)


def waits(*, plant_ids: Iterable[int], open_only: bool, after: int, limit: int, now: datetime) -> Page:
    """Waits in the order of their opening, each cut among its station's states."""
    rows = cuts.waits(plant_ids=plant_ids, open_only=open_only, after=after, limit=limit + 1)
    return _page(rows, limit, lambda found: cuts.facts(found, now))


def station_board(code: str, *, plant_ids: Iterable[int], now: datetime) -> StationFacts | None:
    """Everything a station has to know; None if there is no such station to see."""
    station = Station.objects.filter(code=code, plant__in=list(plant_ids)).first()
    if station is None:
        return None
    released = (
        _turns(plant_ids)
        .filter(supply=station, closed_at__isnull=True, signal_state__in=MAY_FILL, failed="")
        .order_by(models.F("due_at").asc(nulls_last=True), "released_at", "pk")
    )
    to_fill = [turn_facts(row, now) for row in released]
    own = list(_cards(plant_ids).filter(loop__demand=station).order_by("loop__code", "number"))
    return StationFacts(
        station=station.code,
        name=station.name,
        kind=station.kind,
        wip_limit=station.wip_limit,
        in_process=sum(turn.step == "IN_PROCESS" for turn in to_fill),
        receiving_limit=station.receiving_limit,
        full=usable_at([station.pk])[station.pk],
        readiness_checks=checks_of(station),
        standard_work=standard_work_of(station.pk, {turn.part for turn in to_fill}),
        line_stopped=AndonCall.objects.filter(
            station=station, stops_line=True, solved_at__isnull=True
        ).exists(),
        attempts=attempts_at(station.pk, now=now),
        as_of=now,
        to_fill=to_fill,
        to_use=_card_facts(own, now),
    )


def turn_facts(row: Turn, now: datetime) -> TurnFacts:
    """A turn read with its card, loop, part and stations."""
    return TurnFacts(
        id=row.uuid,
        card=row.card.code,
        card_number=row.card.number,
        loop=row.loop.code,
        part=row.loop.part.number,
        unit=row.loop.part.unit,
        number=row.number,
        supply=row.supply.code,
        demand=row.loop.demand.code,
        signal_state=row.signal_state,
        step=row.step,
        asked=text(row.asked),
        made=None if row.made is None else text(row.made),
        received=None if row.received is None else text(row.received),
        reason=row.reason,
        opened_at=row.opened_at,
        released_at=row.released_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
        loaded_at=row.loaded_at,
        closed_at=row.closed_at,
        due_at=row.due_at,
        late=row.due_at is not None and (row.closed_at or now) > row.due_at,
        owner=row.owner,
        owner_since=row.owner_since,
        failed=row.failed,
        document=row.document,
        standing=row.standing,
        promised_at=row.promised_at,
        docked_at=row.docked_at,
        answer_late=row.answer_late,
        demand_cancelled=row.demand_cancelled is not None,
        cancelled_by=row.demand_cancelled,
    )


def _cards(plant_ids: Iterable[int]) -> models.QuerySet[Card]:
    return Card.objects.filter(loop__plant__in=list(plant_ids)).select_related(*_OF_LOOP)


def _turns(plant_ids: Iterable[int]) -> models.QuerySet[Turn]:
    return Turn.objects.filter(loop__plant__in=list(plant_ids)).select_related("card", "supply", *_OF_LOOP)


def _card_facts(rows: Iterable[Card], now: datetime) -> list[CardFacts]:
    """Three queries whatever the number of cards."""
    found = list(rows)
    open_turns = {
        turn.card_id: turn
        for turn in Turn.objects.filter(
            card__in=[row.pk for row in found], closed_at__isnull=True
        ).select_related("card", "supply", *_OF_LOOP)
    }
    of = cards_per_loop({row.loop_id for row in found})
    return [
        CardFacts(
            code=row.code,
            loop=row.loop.code,
            part=row.loop.part.number,
            description=row.loop.part.description,
            unit=row.loop.part.unit,
            number=row.number,
            of=of.get(row.loop_id, 0),
            demand=row.loop.demand.code,
            supply=row.loop.supply.code,
            card_status=row.card_status,
            supply_status=row.supply_status,
            quantity=text(row.quantity),
            contents=text(row.contents),
            booked=text(row.booked),
            blocked=row.blocked,
            label_stale=row.label_stale,
            replaces=row.replaces,
            full_since=row.full_since,
            moved_at=row.moved_at,
            turn=turn_facts(open_turns[row.pk], now) if row.pk in open_turns else None,
        )
        for row in found
    ]


def _page(found: list[Any], limit: int, facts: Any) -> Page:
    """One row more than asked was read: if it is there, so is another page."""
    rows = found[:limit]
    return Page(facts(rows), rows[-1].pk if len(found) > limit else None)
