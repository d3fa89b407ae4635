"""Cards come into a loop by being added; the first load says what is in their containers."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from jitapp.accounts.models import new_uuid
from jitapp.kanban import state
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import settle, signal
from jitapp.kanban.state import text
from jitapp.kanban.vocabulary import CardStatus, SupplyStatus
from jitapp.outbox.publish import nudge_on_commit
from jitapp.plant.models import Identifier, Loop
from jitapp.pull import store
from jitapp.pull.models import Card, LoopState
from jitapp.pull.scan_request import Source
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
        world, cards = make(loop_id, count)
        ledger = Ledger(world.loops[loop_id], at=now)
        for card, first_state in zip(added(ledger, cards), states, strict=True):
            if first_state is None:
                continue
            contents = text(card.quantity) if first_state == SupplyStatus.FULL else "0"
            ledger.write("card.activated", card, frm=SupplyStatus.EMPTY, to=first_state, contents=contents)
            if first_state == SupplyStatus.EMPTY:
                signal(ledger, card, new_uuid)
        _keep(world, ledger, now, source)
    return [card.code for card in cards]


def add_extra_card(
    *, loop_id: int, turns: int, now: datetime, source: Source = NOBODY, note: str = ""
) -> str:
    """A limited-use card: it asks at once, does `turns` turns and then goes into the red box."""
    with transaction.atomic():
        world, cards = make(loop_id, 1)
        ledger = Ledger(world.loops[loop_id], at=now)
        card = added(ledger, cards, turns=turns, note=note)[0]
        ledger.write("card.activated", card, frm=SupplyStatus.EMPTY, to=SupplyStatus.EMPTY, contents="0")
        signal(ledger, card, new_uuid)
        _keep(world, ledger, now, source)
    return cards[0].code


def replace_card(*, card_id: int, now: datetime, source: Source = NOBODY) -> str:
    """The NEW card that takes a lost card's place; answers its code. ValueError if the card is not lost."""
    with transaction.atomic():
        lost = Card.objects.get(pk=card_id)
        if lost.card_status != CardStatus.LOST:
            raise ValueError(f"Card {lost.code} is not reported lost. Report it first.")
        world, cards = make(lost.loop_id, 1)
        ledger = Ledger(world.loops[lost.loop_id], at=now)
        added(ledger, cards, note=f"replaces {lost.number}")
        _keep(world, ledger, now, source)
    return cards[0].code


def make(loop_id: int, count: int) -> tuple[store.UnitOfWork, list[Card]]:
    """New rows of cards with their codes, and the loop locked and read with them; inside a transaction."""
    loop = Loop.objects.get(pk=loop_id)
    LoopState.objects.get_or_create(loop=loop)
    LoopState.objects.select_for_update().get(pk=loop_id)
    newest = Card.objects.filter(loop=loop).order_by("-number").values_list("number", flat=True).first() or 0
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
    return store.load([loop_id]), cards


def added(
    ledger: Ledger, cards: Sequence[Card], *, turns: int | None = None, note: str = ""
) -> list[state.Card]:
    """Writes that the cards exist; answers them as the rules know them."""
    found: list[state.Card] = []
    more: dict[str, object] = {"turns": turns} if turns is not None else {}
    if note:
        more["note"] = note
    for row in cards:
        card = ledger.loop.cards[row.pk]
        ledger.write(
            "card.added", card, code=card.code, number=card.number, quantity=text(card.quantity), more=more
        )
        found.append(ledger.loop.cards[row.pk])
    return found


def _keep(world: store.UnitOfWork, ledger: Ledger, now: datetime, source: Source) -> None:
    settle(ledger, new_uuid)
    world.record(
        ledger.loop,
        ledger.events,
        now=now,
        person_id=source.person_id,
        device_id=source.device_id,
        turns=ledger.closed,
    )
    world.write()
    nudge_on_commit()
