"""activate: a NEW card comes into circulation; its container is full or empty."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from jitapp.kanban.answers import CARD, Sentence, applied, refused
from jitapp.kanban.events.base import Entry
from jitapp.kanban.events.cards import activate
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.guards import addressed, bounce, out_of_circulation, place, quantity_fits
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import signal, wait
from jitapp.kanban.state import Card, Loop, exact
from jitapp.kanban.step import Reply, Situation, Step, no, register
from jitapp.kanban.vocabulary import CardStatus, Intent, ScanClass, SupplyStatus, Trigger

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "activated": applied(
        CARD + " is in circulation and {status}.", "Put the card on its container.", headline="IN CIRCULATION"
    ),
    "card_active": refused(
        CARD + " is already in circulation.",
        "Scan it when the container is empty.",
        kind=ScanClass.REPEATED_SIGNAL,
    ),
}


class Activated(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="activate"):
    """A NEW card came into circulation, with `contents` pieces in its container."""

    life: ClassVar[CardStatus | None] = CardStatus.IN_CIRCULATION

    contents: Decimal

    def change(self, loop: Loop, card: Card, entry: Entry) -> None:
        """The card takes part."""
        activate(loop, card, self.contents, entry)


def _is_new(s: Situation) -> Reply | None:
    """Only a NEW card is activated."""
    if s.card.card_status is CardStatus.NEW:
        return None
    circulates = s.card.card_status is CardStatus.IN_CIRCULATION
    return no("card_active" if circulates else out_of_circulation(s.card))


def _activate(ledger: Ledger, s: Situation) -> Reply:
    scan, card = s.scan, s.card
    empty = scan.target in (S.EMPTY, S.WAIT)
    quantity = scan.quantity if scan.quantity is not None else Decimal(0) if empty else card.quantity
    to = S.FULL if quantity else S.EMPTY
    ledger.write(
        Activated(contents=exact(quantity), reason=scan.reason, said=scan.said, settles=scan.settles),
        card,
        to=to,
    )
    if to is S.EMPTY and scan.target is S.WAIT and s.loop.config.trigger is not Trigger.ON_QTY:
        wait(ledger, card, scan.new_uuid)
    elif to is S.EMPTY:
        signal(ledger, card, scan.new_uuid, begins=True)
    return Reply("activated", {"quantity": quantity})


STEP = register(
    Step(
        Intent.ACTIVATE,
        label="Put a new card in circulation",
        says="Brings a NEW card into circulation.",
        answers=ANSWERS,
        effect=_activate,
        guards=(addressed, bounce, _is_new, place, quantity_fits),
        measures=True,
        zero_counts=True,
        acceptable=True,
    )
)
