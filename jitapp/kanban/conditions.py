"""Conditions that several rules share, each stated once: usable, taking part, dry, has room.

The database states the same ones in the views of pull/migrations (`pull_container`, `pull_buffer`), for queries over
many loops; tests/pull/test_conditions.py holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from jitapp.kanban.kinds import KINDS
from jitapp.kanban.state import AT_HAND, Card, Loop
from jitapp.kanban.vocabulary import CardStatus, LoopStatus, SignalState, SupplyStatus

# A signal in one of these states has gone upstream: what it asks for may be filled (rule C5).
MAY_FILL = frozenset({SignalState.RELEASED, SignalState.ACKNOWLEDGED})
# A turn in one of these states has not gone upstream yet.
WITHHELD = frozenset({SignalState.UNRELEASED, SignalState.ACCUMULATING, SignalState.PENDING_DOC})
# A card in one of these states takes part no more, for good.
GONE = frozenset({CardStatus.REMOVED, CardStatus.OBSOLETE})
NO_LABEL = GONE | {CardStatus.LOST}  # nobody has the card whose label would be printed again
PARTICIPATING = frozenset({CardStatus.IN_CIRCULATION, CardStatus.HELD})


class Container(Protocol):
    """What decides whether a container can be used: a card of now, or as history shows it."""

    card_status: CardStatus
    supply_status: SupplyStatus
    blocked: bool


def usable(card: Container) -> bool:
    """Whether the demand source can take from the card's container (rule C9)."""
    return (
        card.card_status is CardStatus.IN_CIRCULATION and not card.blocked and card.supply_status in AT_HAND
    )


def ready_to_fetch(card: Card) -> bool:
    """Whether a supermarket may hand the container out: usable, and not opened."""
    return usable(card) and card.supply_status is SupplyStatus.FULL


def longest_full(card: Card, at: datetime) -> tuple[datetime, int]:
    """Sorts containers by how long they have been full; `at` stands for one that nobody has seen filled."""
    return card.full_since or at, card.number


def label_quantity(loop: Loop, card: Card) -> Decimal:
    """What a label says of a container: the loop's quantity, with which it is filled from now on; of a card of orders
    its own, because every order has another."""
    return card.quantity if KINDS[loop.config.kind].ordered else loop.config.quantity


def participates(card: Container) -> bool:
    """Whether the card counts when a loop is asked whether it is dry."""
    return card.card_status in PARTICIPATING


def taking_part(cards: Iterable[Card]) -> frozenset[int]:
    """The ids of the cards that take part."""
    return frozenset(card.id for card in cards if participates(card))


def withdrawn_by_quality(card: Container) -> bool:
    """Whether the card's container is out of use because somebody held or blocked it."""
    return card.blocked or card.card_status is CardStatus.HELD


def room(limit: int | None, at_hand: int) -> bool:
    """Whether a station with so many usable containers takes another one (`receiving_limit`)."""
    return limit is None or at_hand < limit


def order_due(cards: Iterable[Card], at: datetime) -> bool:
    """Whether an order has been due at `at` and is not filled."""
    return any(
        card.turn is not None and card.turn.due_at is not None and card.turn.due_at <= at
        for card in cards
        if participates(card)
    )


def nothing_usable(cards: Iterable[Container]) -> bool:
    """Whether cards take part and none of them is usable."""
    any_takes_part = False
    for card in cards:
        if usable(card):
            return False
        any_takes_part = any_takes_part or participates(card)
    return any_takes_part


def is_dry(loop: Loop, at: datetime) -> bool:
    """Rule C9 at `at`: ACTIVE, has been FULL before, cards take part, and none of them is usable.

    A loop of orders (EVENT) holds nothing between them: it is dry only while an order is due.
    """
    if loop.config.status is not LoopStatus.ACTIVE or not loop.been_full:
        return False
    if not nothing_usable(loop.cards.values()):
        return False
    return not KINDS[loop.config.kind].ordered or order_due(loop.cards.values(), at)


def all_withdrawn(cards: Iterable[Container]) -> bool:
    """Whether every card that takes part is held or blocked: the loop is dry for the sake of quality."""
    taking_part = [card for card in cards if participates(card)]
    return bool(taking_part) and all(withdrawn_by_quality(card) for card in taking_part)
