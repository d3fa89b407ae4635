"""empty: a container is used up, and its card asks for one more (4.1 rows 1 and 3)."""

from __future__ import annotations

from decimal import Decimal

from jitapp.kanban.answers import CARD, Sentence, applied
from jitapp.kanban.events.base import Entry
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.guards import MOVING
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import open_sibling, signal
from jitapp.kanban.state import ZERO, Card, Loop, exact
from jitapp.kanban.step import Reply, Situation, Step, register
from jitapp.kanban.vocabulary import Consumption, Intent, SupplyStatus

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "emptied": applied(
        CARD + " is EMPTY. Asked {supply} to make {quantity}.",
        "Put the bin on the return rack.",
        headline="EMPTY recorded",
    ),
    "emptied_sent": applied(
        CARD + " is EMPTY. Asked {supply} to send {quantity}.",
        "Put the bin on the return rack.",
        headline="EMPTY recorded",
    ),
    "emptied_ordered": applied(
        CARD + " is EMPTY. Ordered {quantity} from {supply}.",
        "Put the bin on the return rack.",
        headline="EMPTY recorded",
    ),
    "emptied_under_way": applied(
        CARD + " is EMPTY. {supply} is already filling it again.",
        "Put the bin on the return rack.",
        headline="EMPTY recorded",
    ),
    "emptied_gathers": applied(
        CARD + " is EMPTY. {gathered} of {batch} gathered; the signal goes out with the batch.",
        "Put the bin on the return rack.",
    ),
    "emptied_until": applied(
        CARD + " is EMPTY. Its signal goes out at {goes_at}, with {gathered} gathered in all.",
        "Put the bin on the return rack.",
    ),
    "emptied_pending_doc": applied(
        CARD + " is EMPTY. The order waits for its document number.", "Put the bin on the return rack."
    ),
    "emptied_in_error": applied(
        CARD + " is EMPTY, but it stands in ERROR: {problem}.", "Put the bin aside; the buyer puts it right."
    ),
    "emptied_waits": applied(
        CARD + " is EMPTY and waits until {supply} releases it.", "Put the bin on the return rack."
    ),
    "emptied_enough": applied(
        CARD + " is EMPTY. There is enough stock: nothing was asked.", "Put the bin on the return rack."
    ),
    "emptied_surplus": applied(
        CARD + " is EMPTY and no longer needed: no signal went out.", "Put this card in the red box."
    ),
    "emptied_last": applied(CARD + " is EMPTY. It was its last turn.", "Put this card in the red box."),
    "emptied_on_hold": applied(
        CARD + " is EMPTY. No signal went out: {reason}.",
        "Put the bin aside and tell your leader.",
        headline="EMPTY recorded",
    ),
}


class Emptied(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="empty"):
    """The container is empty; `left` pieces were still counted in it, `booked` of them promised, and `difference` posts
    them where software counts the pieces."""

    left: Decimal
    booked: Decimal = ZERO
    difference: Decimal | None = None

    def change(self, loop: Loop, card: Card, entry: Entry) -> None:
        """Nothing is in it."""
        card.contents = ZERO
        card.booked = ZERO


def _empty(ledger: Ledger, s: Situation) -> Reply:
    card = s.card
    # At a BACKFLUSH station the worker counts the pieces; a hand scan is a count of zero, its rest a difference.
    counted = card.contents and s.loop.config.demand_consumption is Consumption.BACKFLUSH
    emptied = Emptied(
        left=exact(card.contents),
        booked=exact(card.booked) or ZERO,
        difference=exact(-card.contents) if counted else None,
        said=s.scan.said,
        settles=s.scan.settles,
    )
    ledger.write(emptied, card, to=card.emptied_to)
    code = signal(ledger, card, s.scan.new_uuid)
    if card.turn is not None and card.turn.failed:
        code = "emptied_in_error"
    open_sibling(ledger, card, s.scan.new_uuid)
    if code == "emptied_waits" and card.turn is not None and card.turn.released_at is not None:
        code = "emptied"  # opening the sibling released it within the same scan (ON_SIBLING_IN_USE)
    return Reply(code, {"due": card.turn.due_at if card.turn else None})


STEP = register(
    Step(
        Intent.EMPTY,
        label="Container is empty",
        says="Says that a container is used up; its card asks for one more.",
        answers=ANSWERS,
        effect=_empty,
        guards=MOVING,
        moves={S.FULL: S.EMPTY, S.IN_USE: S.EMPTY},
        side="demand",
        undoable=True,
        acceptable=True,
        usual=frozenset({S.IN_USE, S.FULL}),
    )
)
