"""Attempts to make, move or take in what nobody has asked for: refused, kept, and shown so that somebody asks why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from jitapp.kanban.vocabulary import Outcome
from jitapp.pull.models import Receipt

CODES = ("overproduction", "not_released")  # of the refusals of rule C5
COUNTED = timedelta(days=1)  # what a station and a machine see as a figure; the list has all of them


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """A refused attempt: `station` is where it was scanned, or else where the card would be filled; `code` says whether
    nothing had been asked for (overproduction) or the signal had not gone out yet (not_released)."""

    card: str
    loop: str
    part: str
    station: str
    intent: str
    code: str
    at: datetime
    by: str


def attempts(
    *, plant_ids: Iterable[int], station: str | None, after: int, limit: int
) -> tuple[list[AttemptFacts], int | None]:
    """A page of attempts in the order in which they came in, and where the next one goes on (None after the last);
    `station` is a code, None: all."""
    rows = _attempts().filter(plant__in=list(plant_ids), pk__gt=after).order_by("pk")
    if station is not None:
        rows = rows.filter(_at(station__code=station))
    found = list(
        rows.select_related("card", "loop__part", "loop__supply", "station", "person", "device")[: limit + 1]
    )
    shown = found[:limit]
    return [_facts(row) for row in shown], shown[-1].pk if len(found) > limit else None


def attempts_at(station_id: int, *, now: datetime) -> int:
    """How many there were at a station within a day."""
    return _recent(now).filter(_at(station=station_id)).count()


def attempts_everywhere(*, now: datetime) -> int:
    """How many there were within a day, in all plants: a figure for machines."""
    return _recent(now).count()


def _attempts() -> QuerySet[Receipt]:
    return Receipt.objects.filter(
        outcome=Outcome.REFUSED, code__in=CODES, card__isnull=False, loop__isnull=False
    )


def _recent(now: datetime) -> QuerySet[Receipt]:
    return _attempts().filter(recorded_at__gt=now - COUNTED)


def _at(**station: object) -> Q:
    """Scanned there, or nowhere and meant for it."""
    meant = {name.replace("station", "loop__supply", 1): value for name, value in station.items()}
    return Q(**station) | Q(station__isnull=True, **meant)


def _facts(row: Receipt) -> AttemptFacts:
    assert row.card is not None
    assert row.loop is not None
    return AttemptFacts(
        card=row.card.code,
        loop=row.loop.code,
        part=row.loop.part.number,
        station=(row.station or row.loop.supply).code,
        intent=row.intent,
        code=row.code,
        at=row.occurred_at,
        by=str(row.person or row.device or ""),
    )
