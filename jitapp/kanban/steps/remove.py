"""remove: a card is withdrawn for good."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, applied, refused
from jitapp.kanban.events.cards import CardRemoved
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.events.turns import TurnCancelled
from jitapp.kanban.guards import DECIDING
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.step import Reply, Situation, Step, no, register
from jitapp.kanban.vocabulary import CardStatus, Intent, Role

ANSWERS: dict[str, Sentence] = {
    "removed": applied(CARD + " is withdrawn.", "Put this card in the red box."),
    "remove_under_way": refused(
        CARD + ": its container is under way.", "Wait until it has come in, or cancel the signal first."
    ),
}


class Removed(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="remove"):
    """The card was withdrawn."""


def _can_remove(s: Situation) -> Reply | None:
    if s.card.card_status is CardStatus.REMOVED:
        return no("card_retired")
    under_way = s.card.turn is not None and s.card.turn.under_way
    return no("remove_under_way") if under_way else None


def _remove(ledger: Ledger, s: Situation) -> Reply:
    scan, card = s.scan, s.card
    ledger.write(Removed(reason=scan.reason, said=scan.said, settles=scan.settles), card)
    if card.turn is not None:
        ledger.write(TurnCancelled(reason="the card was removed"), card, turn=card.turn)
    ledger.write(CardRemoved(note=scan.reason), card)
    return Reply("removed")


STEP = register(
    Step(
        Intent.REMOVE,
        label="Card is withdrawn",
        says="Withdraws a card for good.",
        answers=ANSWERS,
        effect=_remove,
        guards=DECIDING,
        check=_can_remove,
        roles=frozenset({Role.PLANNER}),
        in_error=True,
    )
)
