"""New cards: their rows and codes, and the events that bring them into a loop."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from jitapp.kanban import state
from jitapp.kanban.events.cards import CardAdded
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.state import exact
from jitapp.kanban.stated import stated
from jitapp.kanban.vocabulary import LoopStatus
from jitapp.plant.models import Identifier, Loop
from jitapp.pull import store
from jitapp.pull.actions.saving import Refused
from jitapp.pull.models import Card, LoopState
from jitapp.symbology.cardcode import COMBINATIONS, make_code
from jitapp.symbology.layouts import is_unmistakable


def make(loop_id: int, count: int) -> tuple[store.UnitOfWork, list[Card]]:
    """New rows of cards with their codes, and the loop locked and read with them; inside a transaction.

    Refused for a retired loop.
    """
    LoopState.objects.get_or_create(loop_id=loop_id)
    LoopState.objects.select_for_update().get(pk=loop_id)
    loop = Loop.objects.get(pk=loop_id)  # read under the lock: it may have been retired while we waited
    not_retired(loop.code, loop.status)
    cards = _rows(loop, count)
    return store.load([loop_id]), cards


def loaded(loop_id: int) -> store.UnitOfWork:
    """The loop, locked and read; also one that never had a card and so has no counters yet."""
    LoopState.objects.get_or_create(loop_id=loop_id)
    return store.load([loop_id])


def not_retired(code: str, status: str) -> None:
    """Raises Refused: the cards of a retired loop are OBSOLETE, so nothing could ever move in it again."""
    if status == LoopStatus.RETIRED:
        raise Refused(
            stated("Loop {loop} was retired, for good. Make a new loop with cards of its own.", loop=code)
        )


def added(
    ledger: Ledger,
    cards: Sequence[Card],
    *,
    turns: int | None = None,
    note: str = "",
    replaces: int | None = None,
) -> list[state.Card]:
    """Writes that the cards exist; returns them as the rules know them."""
    found: list[state.Card] = []
    for row in cards:
        event = CardAdded(
            code=row.code,
            number=row.number,
            quantity=exact(row.quantity),
            turns=turns,
            note=note,
            replaces=replaces,
        )
        ledger.write(event, ledger.loop.cards[row.pk])
        found.append(ledger.loop.cards[row.pk])
    return found


def add_replacement(ledger: Ledger, lost: state.Card) -> state.Card:
    """The NEW card that takes a lost card's place; the loop is locked."""
    row = _rows(Loop.objects.get(pk=ledger.loop.config.id), 1)[0]
    ledger.loop.cards[row.pk] = state.Card(id=row.pk, code=row.code, number=row.number, quantity=row.quantity)
    return added(ledger, [row], replaces=lost.number)[0]


def _new_code() -> str:
    """A code that reads as itself through every keyboard layout that scanners are wrongly set to; 98 of 100 do."""
    while not is_unmistakable(code := make_code(secrets.randbelow(COMBINATIONS))):
        pass
    return code


def _rows(loop: Loop, count: int) -> list[Card]:
    newest = Card.objects.filter(loop=loop).order_by("-number").values_list("number", flat=True).first() or 0
    cards = Card.objects.bulk_create(
        Card(
            loop=loop,
            code=_new_code(),
            number=newest + 1 + place,
            quantity=loop.quantity,
        )
        for place in range(count)
    )
    Identifier.objects.bulk_create(
        Identifier(code=card.code, kind=Identifier.Kind.CARD, target_id=card.pk) for card in cards
    )
    return cards
