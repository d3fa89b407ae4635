"""The pull chain: from a turn up to raw material, and down to the customer's pull that caused it (fact A3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from jitapp.kanban.state import text
from jitapp.pull.models import Turn
from jitapp.pull.reading.lists import TurnFacts, turn_facts

# Structures have no circles (jitapp/plant/structure.py); the bound only keeps a wrong database from spinning.
MOST_LEVELS = 64

_WALK = """
WITH RECURSIVE walk AS (
    SELECT t.id, 0 AS depth FROM pull_turn t WHERE t.id = %(turn)s
    UNION
    SELECT {next_id}, walk.depth + 1
    FROM walk {joins}
    WHERE walk.depth < %(levels)s
)
SELECT id, min(depth) FROM walk GROUP BY id
"""
_UP = _WALK.format(
    next_id="up.id",
    joins="JOIN pull_turnlink l ON l.downstream_id = walk.id"
    " JOIN pull_turn up ON up.card_id = l.upstream_card_id AND up.number = l.upstream_number",
)
_DOWN = _WALK.format(
    next_id="l.downstream_id",
    joins="JOIN pull_turn t ON t.id = walk.id"
    " JOIN pull_turnlink l ON l.upstream_card_id = t.card_id AND l.upstream_number = t.number",
)
_EDGES = """
SELECT down.uuid, up.uuid, card.code, l.upstream_number, loop.code, l.kind, l.quantity
FROM pull_turnlink l
JOIN pull_turn down ON down.id = l.downstream_id
JOIN pull_card card ON card.id = l.upstream_card_id
JOIN plant_loop loop ON loop.id = card.loop_id
LEFT JOIN pull_turn up ON up.card_id = l.upstream_card_id AND up.number = l.upstream_number
WHERE l.downstream_id = ANY(%(turns)s) AND (l.downstream_id = ANY(%(up)s) OR up.id = ANY(%(turns)s))
ORDER BY l.id
"""


@dataclass(frozen=True, slots=True)
class Link:
    """`downstream` took `quantity` from the container that `upstream` refills; None while that is not empty yet."""

    downstream: UUID
    upstream: UUID | None
    upstream_loop: str
    upstream_card: str
    upstream_number: int
    kind: str
    quantity: str


@dataclass(frozen=True, slots=True)
class ChainTurn:
    """A turn of the chain; `level` 1, 2 ... towards raw material, -1, -2 ... towards the customer."""

    level: int
    turn: TurnFacts


@dataclass(frozen=True, slots=True)
class Chain:
    """Everything that one turn caused upstream, and what caused it downstream."""

    turn: UUID
    turns: list[ChainTurn]
    links: list[Link]


def chain(turn: UUID, *, plant_ids: Iterable[int], now: datetime, direction: str = "both") -> Chain | None:
    """The chain of a turn, customer first; `direction` is up, down or both. None if there is no such turn to see."""
    plants = list(plant_ids)
    start = Turn.objects.filter(uuid=turn, loop__plant__in=plants).values_list("pk", flat=True).first()
    if start is None:
        return None
    parameters = {"turn": start, "levels": MOST_LEVELS}
    with connection.cursor() as cursor:
        up: dict[int, int] = {start: 0}
        levels: dict[int, int] = {start: 0}
        if direction in ("up", "both"):
            cursor.execute(_UP, parameters)
            up = dict(cursor.fetchall())
            levels |= up
        if direction in ("down", "both"):
            cursor.execute(_DOWN, parameters)
            levels |= {pk: -depth for pk, depth in cursor.fetchall()}
        shown_up = list(up) if direction != "down" else []
        cursor.execute(_EDGES, {"turns": list(levels), "up": shown_up})
        links = [
            Link(row[0], row[1], row[4], row[2], row[3], row[5], text(row[6])) for row in cursor.fetchall()
        ]
    rows = Turn.objects.filter(pk__in=levels, loop__plant__in=plants).select_related(
        "card", "supply", "loop__part", "loop__demand", "loop__supply"
    )
    turns = sorted((ChainTurn(levels[row.pk], turn_facts(row, now)) for row in rows), key=_place)
    return Chain(turn, turns, links)


def _place(item: ChainTurn) -> tuple[int, datetime, str]:
    return item.level, item.turn.opened_at, item.turn.card
