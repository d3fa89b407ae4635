"""The stock of one loop at its point of use over a stretch of time, from the ledger; reads only.

What is read does not grow with the loop's history: where the stretch begins in the ledger is found by halving, because
within a loop events are recorded in the order of their numbers, and nothing occurs after it is recorded. An event told
late is therefore among those recorded since.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from jitapp.kanban.book import TYPES, decode_event
from jitapp.kanban.filling import FillingScan
from jitapp.kanban.state import STATUSES, ZERO
from jitapp.kanban.stockline import Container, Happened, Level, before, levels, unsure
from jitapp.kanban.vocabulary import CardStatus, SupplyStatus
from jitapp.pull.models import AndonCall, Card, History, Runout
from jitapp.pull.reading.records import read_rows

MOST_EVENTS = 20_000  # of a stretch; what lies before them is left out, and the line says so
# Scans of one moment may be numbered in another order than they are recorded.
SLACK = timedelta(hours=1)
_LIVES = {
    name: types[0].life for name, types in TYPES.items() if len(types) == 1 and types[0].life is not None
}
# Beside what moves a container: what changes contents or the life of a card.
_TOLD = sorted({*_LIVES, "card.drawn", "card.blocked", "card.unblocked", "card.detached", "scan.applied"})

_SINCE = """
WITH RECURSIVE found(lo, hi) AS (
    SELECT 0::bigint, coalesce((SELECT max(loop_seq) FROM pull_event WHERE loop_id = %(loop)s), 0)
    UNION ALL
    SELECT CASE WHEN p.loop_seq > f.lo AND p.recorded_at >= %(since)s THEN f.lo ELSE (f.lo + f.hi + 1) / 2 END,
           CASE WHEN p.loop_seq > f.lo AND p.recorded_at >= %(since)s THEN p.loop_seq - 1 ELSE f.hi END
      FROM found f
      LEFT JOIN LATERAL (
           SELECT loop_seq, recorded_at FROM pull_event
            WHERE loop_id = %(loop)s AND loop_seq <= (f.lo + f.hi + 1) / 2
            ORDER BY loop_seq DESC LIMIT 1) p ON true
     WHERE f.lo < f.hi
)
SELECT loop_seq, occurred_at, card_id, type, from_status, to_status, data
  FROM pull_event
 WHERE loop_id = %(loop)s AND loop_seq > (SELECT max(lo) FROM found) AND card_id IS NOT NULL
   AND (to_status <> '' OR type = ANY(%(types)s))
 ORDER BY loop_seq DESC LIMIT %(most)s
"""
# The last change of a card's life before a number: one look per card that needs it.
_LIFE = """
SELECT c.id AS card_id, e.type, e.data ->> 'intent' AS intent
  FROM unnest(%(cards)s::bigint[], %(before)s::bigint[]) AS c(id, seq)
 CROSS JOIN LATERAL (
       SELECT type, data FROM pull_event
        WHERE card_id = c.id AND loop_seq < c.seq AND (type = ANY(%(types)s) OR data ->> 'intent' = 'activate')
        ORDER BY id DESC LIMIT 1) e
"""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time of which nothing is known, and why: `set_back`, a restored database has lost it; `before`, it lies before
    the loop's first event; `many`, more happened than is read."""

    begin: datetime
    end: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that is marked on the line: a runout, a refill, a call. `end` is None while it goes on, and for what
    has no length. `seq` is the event's number, 0 where it has none."""

    at: datetime
    kind: str
    end: datetime | None = None
    seq: int = 0
    what: str = ""  # the cause of a runout, the kind of a call


@dataclass(frozen=True, slots=True)
class Stock:
    """The line from `begin` to `end`; `most` is what the loop holds when every container is full."""

    begin: datetime
    end: datetime
    levels: list[Level]
    runouts: list[Moment]
    refills: list[Moment]
    calls: list[Moment]
    gaps: list[Gap]
    most: Decimal


def stock(loop_id: int, begin: datetime, end: datetime) -> Stock:
    """How many pieces stood usable at the point of use from `begin` to `end`, which is now."""
    cards = {
        card.pk: Container(
            STATUSES[card.supply_status],
            CardStatus(card.card_status),
            card.blocked,
            card.contents,
            card.quantity,
        )
        for card in Card.objects.filter(loop_id=loop_id)
    }
    rows = read_rows(
        _SINCE,
        {"loop": loop_id, "since": begin - SLACK, "types": _TOLD, "most": MOST_EVENTS + 1},
    )
    is_cut = len(rows) > MOST_EVENTS
    happened = [
        Happened(
            row.occurred_at,
            row.loop_seq,
            row.card_id,
            decode_event(row.type, row.data if isinstance(row.data, str) else json.dumps(row.data)),
            row.from_status,
            row.to_status,
        )
        for row in reversed(rows[:MOST_EVENTS])
    ]
    started = max(happened[0].at, begin) if is_cut else begin
    line = levels(before(cards, happened, _lives(unsure(happened))), happened, started)
    first = _first_event(loop_id)
    gaps = _gaps(begin, end, started, first)
    return Stock(
        begin,
        end,
        [level for level in line if level.at <= end] if first is not None else [],
        _runouts(loop_id, begin, end),
        [
            Moment(each.at, "refill", seq=each.seq)
            for each in happened
            if isinstance(each.event, FillingScan)
            and each.to == SupplyStatus.FULL
            and begin <= each.at <= end
        ],
        _calls(loop_id, begin, end),
        gaps,
        sum(
            (max(each.quantity, each.contents) for each in cards.values() if _circulates(each)),
            ZERO,
        ),
    )


def _circulates(container: Container) -> bool:
    return container.card_status is CardStatus.IN_CIRCULATION


def _lives(wanted: dict[int, int]) -> dict[int, CardStatus]:
    if not wanted:
        return {}
    given = {"cards": list(wanted), "before": list(wanted.values()), "types": sorted(_LIVES)}
    rows = read_rows(_LIFE, given)
    return {row.card_id: _LIVES.get(row.type) or CardStatus.IN_CIRCULATION for row in rows}


def _first_event(loop_id: int) -> datetime | None:
    rows = read_rows(
        "SELECT occurred_at FROM pull_event WHERE loop_id = %s ORDER BY loop_seq LIMIT 1", [loop_id]
    )
    return rows[0].occurred_at if rows else None


def _gaps(begin: datetime, end: datetime, started: datetime, first: datetime | None) -> list[Gap]:
    found = []
    if first is None or first > begin:
        found.append(Gap(begin, min(first or end, end), "before"))
    elif started > begin:
        found.append(Gap(begin, started, "many"))
    for era in History.objects.filter(kept_until__isnull=False, began_at__gt=begin).order_by("began_at"):
        if era.kept_until is not None and era.kept_until < end:
            found.append(Gap(max(era.kept_until, begin), min(era.began_at, end), "set_back"))
    return found


def _runouts(loop_id: int, begin: datetime, end: datetime) -> list[Moment]:
    within = Runout.objects.filter(loop_id=loop_id, opened_at__gte=begin, opened_at__lte=end)
    reaching = Runout.objects.filter(loop_id=loop_id, opened_at__lt=begin).order_by("-opened_at")[:1]
    rows: Collection[Runout] = [*within, *(r for r in reaching if r.closed_at is None or r.closed_at > begin)]
    return sorted(
        (Moment(row.opened_at, "runout", row.closed_at, row.opened_seq, row.cause) for row in rows),
        key=lambda each: each.at,
    )


def _calls(loop_id: int, begin: datetime, end: datetime) -> list[Moment]:
    rows = AndonCall.objects.filter(loop_id=loop_id, called_at__gte=begin, called_at__lte=end)
    return [Moment(row.called_at, "call", row.solved_at, what=row.kind) for row in rows.order_by("called_at")]
