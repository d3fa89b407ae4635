"""A supermarket that is empty and full again: withdrawals wait for the next full container, the oldest first (4.3, W4
and W5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from jitapp.kanban.conditions import MAY_FILL, ready_to_fetch
from jitapp.kanban.events.turns import TurnShort
from jitapp.kanban.ledger import Ledger, NewUuid
from jitapp.kanban.signals import dispatch
from jitapp.kanban.state import Card, Loop
from jitapp.kanban.vocabulary import CardStatus, LoopStatus, SupplyStatus

S = SupplyStatus


def short(ledger: Ledger, card: Card) -> None:
    """W4: there is no full container to fetch; the card waits, and nobody upstream is asked twice."""
    ledger.write(TurnShort(), card, turn=card.turn, to=S.WAIT)


def full(productions: Sequence[Loop]) -> int:
    """Full containers that may be fetched."""
    return sum(ready_to_fetch(card) for loop in productions for card in loop.cards.values())


def balance(withdrawals: Sequence[Ledger], productions: Sequence[Loop], new_uuid: NewUuid) -> None:
    """W5: as many of the waiting cards as there are full containers are released, urgent, the oldest first. Without
    any, cards whose containers software takes (`auto_detach`) wait like those that somebody scanned in vain (W4).
    """
    there = full(productions)
    serving = [ledger for ledger in withdrawals if ledger.loop.config.status is LoopStatus.ACTIVE]
    waiting = [
        (ledger, card)
        for ledger, card in _empty(serving, S.WAIT)
        if card.out_of_stock and card.turn is not None
    ]
    asked = [
        (ledger, card)
        for ledger, card in _empty(serving, S.EMPTY)
        if card.turn is not None and card.turn.signal_state in MAY_FILL
    ]
    promised = sum(card.urgent for _, card in asked)
    waiting.sort(key=_order)
    for ledger, card in waiting[: max(0, there - promised)]:
        dispatch(ledger, card, new_uuid(), why="supplied", urgent=True)
    if not there:
        for ledger, card in asked:
            if ledger.loop.config.auto_detach:
                short(ledger, card)


def _order(pair: tuple[Ledger, Card]) -> tuple[datetime, int]:
    """Whoever was empty first is served first."""
    ledger, card = pair
    return (card.turn.opened_at if card.turn else ledger.at, card.id)


def _empty(ledgers: Sequence[Ledger], status: SupplyStatus) -> Iterator[tuple[Ledger, Card]]:
    for ledger in ledgers:
        for card in list(ledger.loop.cards.values()):
            takes_part = card.card_status is CardStatus.IN_CIRCULATION and not (
                card.turn and card.turn.failed
            )
            if takes_part and card.supply_status is status:
                yield ledger, card
