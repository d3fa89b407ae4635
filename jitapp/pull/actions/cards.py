"""Cards come into a loop by being added; the first load says what is in their containers."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from jitapp.accounts.models import new_uuid
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import settle, signal
from jitapp.kanban.state import text
from jitapp.kanban.words import SupplyStatus
from jitapp.outbox.publish import nudge_on_commit
from jitapp.plant.models import Identifier, Loop
from jitapp.pull import store
from jitapp.pull.models import Card, LoopState
from jitapp.pull.requests import Source
from jitapp.symbology.cardcode import COMBINATIONS, make_code

NOBODY = Source()


def add_cards(
    *, loop_id: int, count: int, first: str | Sequence[str] | None, now: datetime, source: Source = NOBODY
) -> list[str]:
    """Makes `count` cards; with `first` (FULL or EMPTY, one for all or one each) they are activated at once.

    Without `first` they stay NEW until a scan activates them. An EMPTY card releases its signal. Answers the codes.
    """
    if first is not None and not isinstance(first, str) and len(first) != count:
        raise ValueError(f"{len(first)} first states for {count} cards: name one for all, or one each.")
    states = [first] * count if first is None or isinstance(first, str) else list(first)
    if any(state not in (None, SupplyStatus.FULL, SupplyStatus.EMPTY) for state in states):
        raise ValueError("A first state is FULL or EMPTY.")
    with transaction.atomic():
        loop = Loop.objects.get(pk=loop_id)
        LoopState.objects.get_or_create(loop=loop)
        LoopState.objects.select_for_update().get(pk=loop_id)
        newest = (
            Card.objects.filter(loop=loop).order_by("-number").values_list("number", flat=True).first() or 0
        )
        cards = Card.objects.bulk_create(
            Card(
                loop=loop,
                code=make_code(secrets.randbelow(COMBINATIONS)),
                number=newest + 1 + place,
                quantity=loop.quantity,
            )
            for place in range(count)
        )
        Identifier.objects.bulk_create(
            Identifier(code=card.code, kind=Identifier.Kind.CARD, target_id=card.pk) for card in cards
        )
        world = store.load([loop_id])
        state = world.loops[loop_id]
        ledger = Ledger(state, at=now)
        for row, first_state in zip(cards, states, strict=True):
            card = state.cards[row.pk]
            ledger.write("card.added", card, code=card.code, number=card.number, quantity=text(card.quantity))
            card = state.cards[row.pk]
            if first_state is None:
                continue
            contents = text(card.quantity) if first_state == SupplyStatus.FULL else "0"
            ledger.write("card.activated", card, frm=SupplyStatus.EMPTY, to=first_state, contents=contents)
            if first_state == SupplyStatus.EMPTY:
                signal(ledger, card, new_uuid)
        settle(ledger, new_uuid)
        world.record(state, ledger.events, now=now, person_id=source.person_id, device_id=source.device_id)
        world.write()
        nudge_on_commit()
    return [card.code for card in cards]
