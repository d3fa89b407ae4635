"""What a single page shows of one loop, one card, one station, and what machines measure; reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from jitapp.accounts.models import Person
from jitapp.kanban.conditions import NO_LABEL
from jitapp.kanban.vocabulary import CardStatus
from jitapp.pull.models import Card, Event, Receipt, Runout, Turn
from jitapp.pull.reading.board import tile_word
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
    allowed_by: str  # the leader who let `by` do it
    intent: str  # which step, where a scan was applied
    reason: str  # why, in the words of the event or of a person; empty where there is none
    loop_id: int | None = None
    seq: int | None = None  # its number in the loop, by which it has a page; None: it is no event of a loop


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
    card_id: int
    part_id: int
    status_since: datetime | None
    docked_at: datetime | None  # its container is at the dock, not yet at its place
    last_scan: UUID | None
    moved_person: int | None  # whoever was last at it


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
        card_id=card.pk,
        part_id=loop.part_id,
        status_since=card.status_since or card.moved_at,
        docked_at=turn.docked_at if turn else None,
        last_scan=card.last_scan,
        moved_person=card.moved_person,
    )


def history_of_loop(loop_id: int, **until: datetime) -> list[HistoryLine]:
    """The newest events of a loop, newest first; `occurred_at__lte` or `recorded_at__lte`: those until then."""
    return history_lines(Event.objects.filter(loop_id=loop_id, **until).order_by("-loop_seq")[:NEWEST])


def history_of_card(code: str, **until: datetime) -> list[HistoryLine]:
    """The newest events of a card, newest first; `until` as of a loop."""
    return history_lines(Event.objects.filter(card__code=code, **until).order_by("-id")[:NEWEST])


def lines_between(
    loop_ids: Sequence[int], begin: datetime, until: datetime, *, at_once: int
) -> Iterator[list[HistoryLine]]:
    """What occurred with these loops from `begin` until before `until`, oldest first, so many lines at a time."""
    order = ("occurred_at", "loop_id", "loop_seq")
    found = Event.objects.filter(loop_id__in=loop_ids, occurred_at__gte=begin, occurred_at__lt=until)
    numbers = found.order_by(*order).values_list("pk", flat=True).iterator(chunk_size=at_once)
    while piece := list(islice(numbers, at_once)):
        yield history_lines(Event.objects.filter(pk__in=piece).order_by(*order))


def history_lines(found: QuerySet[Event]) -> list[HistoryLine]:
    """Events in the words that a page needs, in the order in which they are found."""
    events = list(found.select_related("card", "station", "person", "device"))
    leaders = {event.data["allowed_by"] for event in events if "allowed_by" in event.data}
    names = (
        {str(person.uuid): str(person) for person in Person.objects.filter(uuid__in=leaders)}
        if leaders
        else {}
    )
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
            allowed_by=names.get(event.data.get("allowed_by", ""), ""),
            intent=str(event.data.get("intent", "")),
            reason=str(event.data.get("cause") or event.data.get("reason") or event.data.get("note") or ""),
            loop_id=event.loop_id,
            seq=event.loop_seq,
        )
        for event in events
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
