"""ERROR: what a turn needs beside the floor failed for good, and how it gets out of it (domain 4.5, G13).

No scan enters ERROR. The system does, when a call that must succeed was refused finally, and the ERP, when it closed
or cancelled the order. It is left by a correction, or by `recover_turn` once the same thing has succeeded.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import fail, recover
from jitapp.kanban.state import Card
from jitapp.pull import store
from jitapp.pull.actions.saving import NOBODY, Refused, save
from jitapp.pull.models import Turn
from jitapp.pull.retry import retried
from jitapp.pull.scan_request import Source

LONGEST = 200


def fail_turn(turn: UUID | str, *, reason: str, now: datetime, source: Source = NOBODY) -> bool:
    """Puts an open turn into ERROR, owned by the buyer; returns whether anything changed.

    The same reason again changes nothing, another one takes its place. Refused without a reason, and for a turn that
    is not there or closed.
    """
    why = " ".join(reason.split())[:LONGEST]
    if not why:
        raise Refused("An error needs a reason. Say what failed, so that the buyer can put it right.")

    def act(ledger: Ledger, card: Card) -> None:
        if card.turn is not None and card.turn.failed != why:
            fail(ledger, card, why)

    return _on_open_turn(turn, act, now, source)


def recover_turn(turn: UUID | str, *, now: datetime, why: str = "", source: Source = NOBODY) -> bool:
    """Lets a turn go on from where it stood before it failed; returns whether it stood in ERROR.

    Refused for a turn that is not there or closed.
    """

    def act(ledger: Ledger, card: Card) -> None:
        if card.turn is not None and card.turn.failed:
            recover(ledger, card, why=why[:LONGEST])

    return _on_open_turn(turn, act, now, source)


def _on_open_turn(
    turn: UUID | str, act: Callable[[Ledger, Card], None], now: datetime, source: Source
) -> bool:
    row = Turn.objects.filter(uuid=turn).values_list("loop_id", "card_id", "number").first()
    if row is None:
        raise Refused("There is no such turn. Ask for the open turns.")
    loop_id, card_id, number = row

    def once() -> bool:
        with transaction.atomic():
            unit = store.load([loop_id])
            loop = unit.loops[loop_id]
            card = loop.cards.get(card_id)
            if card is None or card.turn is None or card.turn.number != number:
                raise Refused("That turn is closed: nothing is asked of it any more.")
            ledger = Ledger(loop, at=max(now, card.moved_at or now))
            act(ledger, card)
            if not ledger.entries:
                return False
            save(unit, ledger, now, source)
            return True

    return retried(once)
