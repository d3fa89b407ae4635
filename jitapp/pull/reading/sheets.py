"""What a single page shows of one loop, one card, one station, and what machines measure; reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, QuerySet

from jitapp.kanban.conditions import MAY_FILL, NO_LABEL, room
from jitapp.kanban.vocabulary import CardStatus
from jitapp.plant.models import Station
from jitapp.pull.models import Card, Event, Receipt, Runout, Turn
from jitapp.pull.reading.board import tile_word
from jitapp.pull.reading.lists import usable_at
from jitapp.pull.reading.tasks import TurnName, broken, named

NEWEST = 20  # events on a page
NEWEST_RECEIPTS = 20_000  # read from the end of the table, so that its growth costs nothing


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """An event of the ledger in the words a page needs."""

    type: str
    occurred_at: datetime
    recorded_at: datetime
    late: bool
    card: str
    card_number: int | None
    from_status: str
    to_status: str
    station: str
    by: str


@dataclass(frozen=True, slots=True)
class CardSheet:
    """A card, its loop and its open turn."""

    code: str
    number: int
    of: int
    plant_id: int
    loop_id: int
    loop: str
    part: str
    description: str
    unit: str
    quantity: Decimal
    contents: Decimal
    demand: str
    demand_area: str
    supply: str
    word: str
    reason: str  # why it is held, blocked or lost
    since: datetime | None
    turn_number: int | None
    turn: UUID | None
    failed: str  # why the turn stands in ERROR
    phase: str
    owner: str
    due_at: datetime | None
    promised_at: datetime | None
    promise_late: bool  # promised for after the due time
    answer_late: bool  # the supplier has not answered in time
    gone: TurnName | None  # the turn whose demand was cancelled: the owner decides whether this one goes on
    label_stale: bool
    time_zone: str


@dataclass(frozen=True, slots=True)
class Job:
    """A turn that a station has been asked to make."""

    turn: str
    card: str
    card_number: int
    part: str
    description: str
    quantity: Decimal
    unit: str
    demand: str
    signal_state: str
    step: str
    phase: str
    released_at: datetime | None
    due_at: datetime | None
    late: bool
    promised_at: datetime | None
    promise_late: bool
    turn_number: int
    gone: TurnName | None  # the turn whose demand was cancelled: decide whether this one goes on
    dry: bool
    no_room: bool  # the receiver has as many full containers as it may


@dataclass(frozen=True, slots=True)
class StaleLabel:
    """A card whose label is to be printed: it has none yet, or what stands on it is no longer true."""

    code: str
    number: int
    replaces: int | None  # the number of the lost card whose place it takes; it has no label yet


def card_sheet(code: str) -> CardSheet | None:
    """The card of a code; None if it is not known."""
    card = (
        Card.objects.select_related("loop__part", "loop__plant", "loop__demand__area", "loop__supply")
        .filter(code=code)
        .first()
    )
    if card is None:
        return None
    loop = card.loop
    turn = Turn.objects.filter(card=card, closed_at__isnull=True).first()
    return CardSheet(
        code=card.code,
        number=card.number,
        of=Card.objects.filter(loop=loop, card_status="IN_CIRCULATION").count(),
        plant_id=loop.plant_id,
        loop_id=loop.pk,
        loop=loop.code,
        part=loop.part.number,
        description=loop.part.description,
        unit=loop.part.unit,
        quantity=card.quantity,
        contents=card.contents,
        demand=loop.demand.name,
        demand_area=loop.demand.area.code if loop.demand.area else "",
        supply=loop.supply.name,
        word=tile_word(card.card_status, card.supply_status, card.blocked),
        reason=card.note if card.blocked or card.card_status != CardStatus.IN_CIRCULATION else "",
        since=card.moved_at,
        turn_number=turn.number if turn else None,
        turn=turn.uuid if turn else None,
        failed=turn.failed if turn else "",
        phase=turn.standing if turn else "",
        owner=turn.owner if turn else "",
        due_at=turn.due_at if turn else None,
        promised_at=turn.promised_at if turn else None,
        promise_late=turn is not None and broken(turn.promised_at, turn.due_at),
        answer_late=turn is not None and turn.answer_late,
        gone=named([turn.demand_cancelled]).get(turn.demand_cancelled) if turn else None,
        label_stale=card.label_stale,
        time_zone=loop.plant.time_zone,
    )


def history_of_loop(loop_id: int) -> list[HistoryLine]:
    """The newest events of a loop, newest first."""
    return _history(Event.objects.filter(loop_id=loop_id).order_by("-loop_seq"))


def history_of_card(code: str) -> list[HistoryLine]:
    """The newest events of a card, newest first."""
    return _history(Event.objects.filter(card__code=code).order_by("-id"))


def _history(found: QuerySet[Event]) -> list[HistoryLine]:
    events = found.select_related("card", "station", "person", "device")
    return [
        HistoryLine(
            type=event.type,
            occurred_at=event.occurred_at,
            recorded_at=event.recorded_at,
            late=event.late,
            card=event.card.code if event.card else "",
            card_number=event.card.number if event.card else None,
            from_status=event.from_status,
            to_status=event.to_status,
            station=event.station.name if event.station else "",
            by=str(event.person or event.device or ""),
        )
        for event in events[:NEWEST]
    ]


def stale_labels_of(loop_id: int) -> list[StaleLabel]:
    """Labels of a loop that are to be printed: first those of new cards in the place of lost ones, whose containers
    wait for them; then those that are no longer true."""
    cards = Card.objects.filter(loop_id=loop_id, label_stale=True).exclude(card_status__in=NO_LABEL)
    found = [
        StaleLabel(card.code, card.number, card.replaces if card.card_status == CardStatus.NEW else None)
        for card in cards
    ]
    return sorted(found, key=lambda label: (label.replaces is None, label.number))


def runouts_of(loop_id: int) -> list[Runout]:
    """The newest runouts of a loop, newest first."""
    return list(Runout.objects.filter(loop_id=loop_id).order_by("-opened_at")[:NEWEST])


def jobs_of(station_id: int, *, now: datetime) -> list[Job]:
    """Released turns that the station has still to fill, dry loops first, then by due time (requirement F1)."""
    turns = (
        Turn.objects.filter(
            supply_id=station_id,
            closed_at__isnull=True,
            signal_state__in=MAY_FILL,
            failed="",
            step__in=["", "IN_PROCESS"],
        )
        .select_related("card", "loop__part", "loop__demand", "supply")
        .annotate(dry=Count("loop__runouts", filter=Q(loop__runouts__closed_at__isnull=True)))
    )
    found = list(turns)
    full = _without_room({turn.loop.demand_id for turn in found})
    gone = named(turn.demand_cancelled for turn in found)
    made = [
        Job(
            turn=str(turn.uuid),
            card=turn.card.code,
            card_number=turn.card.number,
            part=turn.loop.part.number,
            description=turn.loop.part.description,
            quantity=turn.asked,
            unit=turn.loop.part.unit,
            demand=turn.loop.demand.name,
            signal_state=turn.signal_state,
            step=turn.step,
            phase=turn.standing,
            released_at=turn.released_at,
            due_at=turn.due_at,
            late=turn.due_at is not None and turn.due_at < now,
            promised_at=turn.promised_at,
            promise_late=broken(turn.promised_at, turn.due_at),
            turn_number=turn.number,
            gone=gone.get(turn.demand_cancelled),
            dry=bool(turn.dry),
            no_room=turn.loop.demand_id in full,
        )
        for turn in found
    ]
    made.sort(key=lambda job: (job.step == "", not job.dry, job.due_at or now, job.released_at or now))
    return made


def _without_room(station_ids: set[int]) -> set[int]:
    """Those of the stations that have reached their receiving limit."""
    limits = dict(
        Station.objects.filter(pk__in=station_ids, receiving_limit__isnull=False).values_list(
            "pk", "receiving_limit"
        )
    )
    at_hand = usable_at(limits)
    return {station for station, limit in limits.items() if not room(limit, at_hand[station])}


def measures(*, now: datetime) -> dict[str, Any]:
    """Figures for machines: the outbox's backlog and age, open runouts, scans of the last five minutes by outcome."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(extract(epoch FROM %s - min(due_at)), 0),"
            " (SELECT count(*) FROM outbox_message WHERE dead_at IS NOT NULL)"
            " FROM outbox_message WHERE done_at IS NULL AND dead_at IS NULL AND due_at <= %s",
            [now, now],
        )
        backlog, oldest, dead = cursor.fetchone()
        cursor.execute(
            "SELECT outcome, count(*) FROM (SELECT outcome, recorded_at FROM pull_receipt ORDER BY id DESC LIMIT %s) r"
            " WHERE recorded_at > %s GROUP BY outcome",
            [NEWEST_RECEIPTS, now - timedelta(minutes=5)],
        )
        outcomes = dict(cursor.fetchall())
    return {
        "outbox_backlog": backlog,
        "outbox_oldest_seconds": float(oldest),
        "outbox_dead": dead,
        "runouts_open": Runout.objects.filter(closed_at__isnull=True).count(),
        "turns_open": Turn.objects.filter(closed_at__isnull=True).count(),
        "scans_by_outcome": outcomes,
        "last_scan_at": Receipt.objects.order_by("-id").values_list("recorded_at", flat=True).first(),
    }
