"""What the room of tags asks of cards: which card a code names, and which cards were scanned at a place."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from uuid import UUID

import msgspec

from jitapp.kanban.conditions import GONE
from jitapp.pull.models import Card, Receipt
from jitapp.pull.store import resolve
from jitapp.symbology.cardcode import find_card_code

LONGEST_CODE = 128
MOST_RECEIPTS = 2_000  # no index finds receipts by station; a minute of a busy plant has fewer


class TaggedCard(msgspec.Struct, frozen=True):
    """A card as a list of tags shows it."""

    id: int
    code: str
    part: str
    number: int
    loop: str
    plant_id: int
    gone: bool  # takes part no more


class ScannedCard(msgspec.Struct, frozen=True):
    """A scan that named a card, whatever became of it."""

    scan: UUID
    card: TaggedCard
    at: datetime


def card_named(text: str, *, plant_ids: Iterable[int]) -> TaggedCard | None:
    """The card whose own code, or whose identifier, the text is; None if there is none in these plants."""
    code = find_card_code(text) or text.strip()
    if not code or len(code) > LONGEST_CODE or not code.isprintable():
        return None
    return cards_named([code], plant_ids=plant_ids).get(code)


def cards_named(codes: list[str], *, plant_ids: Iterable[int]) -> dict[str, TaggedCard]:
    """The cards that these codes stand for, of these plants; other codes are left out."""
    targets = {code: each.id for code, each in resolve(codes).items() if each.kind == "card"} if codes else {}
    cards = cards_by_id(targets.values(), plant_ids=plant_ids)
    return {code: cards[card_id] for code, card_id in targets.items() if card_id in cards}


def cards_by_id(ids: Iterable[int], *, plant_ids: Iterable[int] | None = None) -> dict[int, TaggedCard]:
    """Cards by their ids; only of these plants, where they are named."""
    rows = Card.objects.filter(pk__in=list(ids)).select_related("loop__part")
    if plant_ids is not None:
        rows = rows.filter(loop__plant_id__in=list(plant_ids))
    return {row.pk: _tagged(row) for row in rows}


def cards_scanned_at(station_id: int, *, since: datetime, until: datetime) -> list[ScannedCard]:
    """Scans of cards at a station in this time, in their order, among the newest receipts; whatever became of them."""
    newest = (
        Receipt.objects.filter(card__isnull=False)
        .order_by("-pk")
        .values_list("scan_id", "station_id", "card_id", "recorded_at")
        .iterator(chunk_size=500)
    )
    found: list[tuple[UUID, int, datetime]] = []
    for scan, station, card, at in islice(newest, MOST_RECEIPTS):
        if station == station_id and card and since <= at <= until:
            found.append((scan, card, at))
    cards = cards_by_id({card for _, card, _ in found})
    return [ScannedCard(scan, cards[card], at) for scan, card, at in reversed(found) if card in cards]


def _tagged(card: Card) -> TaggedCard:
    loop = card.loop
    return TaggedCard(
        card.pk, card.code, loop.part.number, card.number, loop.code, loop.plant_id, card.card_status in GONE
    )
