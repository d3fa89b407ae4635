"""hold: a card is taken out of circulation for a time (requirement A5)."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, already, applied
from jitapp.kanban.events.cards import CardHeld
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.guards import DECIDING, out_of_circulation
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.recalling import recall_signal
from jitapp.kanban.step import Reply, Situation, Step, no, register
from jitapp.kanban.vocabulary import CardStatus, Intent, Role, ScanClass

ANSWERS: dict[str, Sentence] = {
    "held": applied(CARD + " is on hold: {given}.", "Leave the container where it is."),
    "already_held": already(CARD + " is already on hold.", "Nothing to do.", kind=ScanClass.REPEATED_SIGNAL),
}


class Held(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="hold"):
    """The card was held, for `reason`."""


def _can_hold(s: Situation) -> Reply | None:
    if s.card.held:
        return no("already_held")
    if s.card.card_status is not CardStatus.IN_CIRCULATION:
        return no(out_of_circulation(s.card))
    return None if s.scan.reason else no("reason_missing")


def _hold(ledger: Ledger, s: Situation) -> Reply:
    scan = s.scan
    ledger.write(Held(reason=scan.reason, said=scan.said, settles=scan.settles), s.card)
    ledger.write(CardHeld(reason=scan.reason), s.card)
    recall_signal(ledger, s.card)
    return Reply("held")


STEP = register(
    Step(
        Intent.HOLD,
        label="Put on hold",
        says="Takes a card out of circulation for a time.",
        answers=ANSWERS,
        effect=_hold,
        guards=DECIDING,
        check=_can_hold,
        roles=frozenset({Role.QUALITY, Role.PLANNER}),
        acceptable=True,
        in_error=True,
    )
)
