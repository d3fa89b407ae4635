"""count: somebody counted what is in a container; the difference is posted openly."""

from __future__ import annotations

from decimal import Decimal

from jitapp.kanban.answers import CARD, Sentence, applied, refused
from jitapp.kanban.conditions import PARTICIPATING
from jitapp.kanban.events.base import Entry, holds
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.guards import DECIDING, out_of_circulation
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import GOES_OUT, below, signal
from jitapp.kanban.state import AT_HAND, Card, Loop, exact
from jitapp.kanban.step import Reply, Situation, Step, no, register
from jitapp.kanban.vocabulary import Intent, Role, SupplyStatus, Trigger

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "counted": applied(
        CARD + ": counted {found}, expected {expected_quantity}; the difference of {difference} is posted.",
        "Look for the cause of the difference.",
    ),
    "counted_right": applied(CARD + ": counted {found}, as expected.", "Nothing else to do."),
    "quantity_missing": refused(CARD + ": how many are in it?", "Count them and enter the number."),
    "count_not_here": refused(
        CARD + " is {status}: its container is not here.", "Receive it first, or correct it."
    ),
}


class Counted(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="count"):
    """`found` pieces were counted where `expected` were on record."""

    expected: Decimal
    found: Decimal
    difference: Decimal

    def change(self, loop: Loop, card: Card, entry: Entry) -> None:
        """The count is right from now on."""
        holds(card, self.found)


def _can_count(s: Situation) -> Reply | None:
    card, quantity = s.card, s.scan.quantity
    if card.card_status not in PARTICIPATING:
        return no(out_of_circulation(card))
    if quantity is None:
        return no("quantity_missing")
    if quantity > 0 and card.supply_status not in AT_HAND:
        return Reply("count_not_here", {"found": quantity})
    most = card.quantity if s.loop.config.trigger is not Trigger.ON_QTY else None
    if most is not None and quantity > most and not s.scan.reason:
        return no("quantity_needs_reason", asked=most, quantity=quantity, found=quantity)
    return Reply("", {"found": quantity})


def _count(ledger: Ledger, s: Situation) -> Reply:
    scan, card = s.scan, s.card
    assert scan.quantity is not None
    expected, found = card.contents, scan.quantity
    empty = not found and card.supply_status in AT_HAND
    counted = Counted(
        expected=exact(expected),
        found=exact(found),
        difference=exact(found - expected),
        reason=scan.reason,
        said=scan.said,
        settles=scan.settles,
    )
    to = card.emptied_to if empty else ""
    ledger.write(counted, card, to=to)
    asks = signal(ledger, card, scan.new_uuid) if empty else ""
    below(ledger, scan.new_uuid)
    facts = {"expected_quantity": expected, "found": found, "difference": found - expected}
    if asks in GOES_OUT:
        return Reply(asks, facts)
    return Reply("counted" if found != expected else "counted_right", facts)


STEP = register(
    Step(
        Intent.COUNT,
        label="Counted",
        says="Says how many pieces are in a container.",
        answers=ANSWERS,
        effect=_count,
        guards=DECIDING,
        check=_can_count,
        side="demand",
        roles=frozenset({Role.PLANNER, Role.HANDLER}),
        zero_counts=True,
        asserts=True,
        acceptable=True,
        in_error=True,
    )
)
