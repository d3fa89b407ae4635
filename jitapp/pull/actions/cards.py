"""Adds cards to a loop, with the first contents of their containers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from jitapp.accounts.models import new_uuid
from jitapp.kanban.conditions import GONE
from jitapp.kanban.events.cards import CardActivated
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import signal
from jitapp.kanban.state import ZERO, exact
from jitapp.kanban.vocabulary import CardStatus, SupplyStatus
from jitapp.plant.models import Identifier
from jitapp.pull import store
from jitapp.pull.actions.making import add_replacement, added, make, not_retired
from jitapp.pull.actions.saving import NOBODY, Refused, save
from jitapp.pull.models import Bin, Card
from jitapp.pull.scan_request import Source
from jitapp.symbology.cardcode import find_card_code

_BIN_CODE = 60  # as long as the column


def add_cards(
    *, loop_id: int, count: int, first: str | Sequence[str] | None, now: datetime, source: Source = NOBODY
) -> list[str]:
    """Makes `count` cards; with `first` (FULL or EMPTY, one for all or one each) they are activated at once.

    Without `first` they stay NEW until a scan activates them. An EMPTY card releases its signal. Returns the codes.
    Refused for a retired loop.
    """
    if first is not None and not isinstance(first, str) and len(first) != count:
        raise ValueError(f"{len(first)} first states for {count} cards: name one for all, or one each.")
    states = [first] * count if first is None or isinstance(first, str) else list(first)
    if any(state not in (None, SupplyStatus.FULL, SupplyStatus.EMPTY) for state in states):
        raise ValueError("A first state is FULL or EMPTY.")
    with transaction.atomic():
        unit, cards = make(loop_id, count)
        ledger = Ledger(unit.loops[loop_id], at=now)
        for card, first_state in zip(added(ledger, cards), states, strict=True):
            if first_state is None:
                continue
            contents = exact(card.quantity) if first_state == SupplyStatus.FULL else ZERO
            ledger.write(CardActivated(contents=contents), card, to=first_state)
            if first_state == SupplyStatus.EMPTY:
                signal(ledger, card, new_uuid)
        save(unit, ledger, now, source)
    return [card.code for card in cards]


def add_extra_card(
    *, loop_id: int, turns: int, now: datetime, source: Source = NOBODY, note: str = ""
) -> str:
    """A limited-use card: it asks at once, does `turns` turns and then goes into the red box.

    Refused for a retired loop.
    """
    with transaction.atomic():
        unit, cards = make(loop_id, 1)
        ledger = Ledger(unit.loops[loop_id], at=now)
        card = added(ledger, cards, turns=turns, note=note)[0]
        ledger.write(CardActivated(contents=ZERO), card)
        signal(ledger, card, new_uuid)
        save(unit, ledger, now, source)
    return cards[0].code


def replace_card(*, card_id: int, now: datetime, source: Source = NOBODY) -> str:
    """The code of the NEW card that takes a lost card's place; it is made when the loss is reported, or now.

    ValueError if the card is not lost. Refused for a retired loop.
    """
    with transaction.atomic():
        loop_id = Card.objects.values_list("loop_id", flat=True).get(pk=card_id)
        unit = store.load([loop_id])
        loop = unit.loops[loop_id]
        lost = loop.cards.get(card_id)  # removed cards are not read
        not_retired(loop.config.code, loop.config.status)
        if lost is None or lost.card_status is not CardStatus.LOST:
            code = Card.objects.values_list("code", flat=True).get(pk=card_id)
            raise ValueError(f"Card {code} is not reported lost. Report it first.")
        for other in loop.cards.values():
            if other.replaces == lost.number:
                return other.code
        ledger = Ledger(loop, at=now)
        code = add_replacement(ledger, lost).code
        save(unit, ledger, now, source)
    return code


def bind_bin(*, code: str, card_id: int) -> None:
    """From now on the code of a bin stands for this card: in a two-bin loop the bin carries it (`Bin`).

    A bin that stood for another card stands for this one. Refused for a card that takes part no more, and for a code
    that is the code of something else, that reads like a card's own, or that no scanner would send as it is.
    """
    if not code or len(code) > _BIN_CODE or code != code.strip() or not code.isprintable():
        raise Refused(
            f"The code of a bin has 1 to {_BIN_CODE} printable characters without blanks at its ends."
            " Give the bin another code."
        )
    if find_card_code(code):
        # It would be read as the card code inside it, whatever it is bound to.
        raise Refused(f"{code} reads like the code of a card. Give the bin a code of its own.")
    with transaction.atomic():
        card = Card.objects.select_for_update(of=("self",)).select_related("loop").get(pk=card_id)
        if card.card_status in GONE:
            raise Refused(f"Card {card.code} takes part no more. Choose a card that takes part.")
        known = Identifier.objects.filter(code=code).first()
        if known is not None and known.kind != Identifier.Kind.BIN:
            raise Refused(f"{code} is the code of a {known.kind} already. Give the bin a code of its own.")
        if Bin.objects.filter(code=code).exclude(plant=card.loop.plant_id).exists():
            raise Refused(f"{code} is a bin of another plant. Give the bin a code of its own.")
        Bin.objects.filter(card=card).exclude(code=code).update(card=None)
        bound, _ = Bin.objects.update_or_create(code=code, defaults={"card": card, "plant": card.loop.plant})
        Identifier.objects.get_or_create(
            code=code, defaults={"kind": Identifier.Kind.BIN, "target_id": bound.pk}
        )
