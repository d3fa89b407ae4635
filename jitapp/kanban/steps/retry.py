"""retry: what had failed was done again, and succeeded; the turn leaves ERROR (4.5)."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, applied, refused
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.guards import DECIDING
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import recover
from jitapp.kanban.step import Reply, Situation, Step, no, register
from jitapp.kanban.vocabulary import Intent, Role

ANSWERS: dict[str, Sentence] = {
    "recovered": applied(CARD + ": put right; it goes on as {status}.", "Go on with the next step."),
    "not_in_error": refused(CARD + " does not stand in ERROR.", "Go on with the next step."),
}


class Retried(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="retry"):
    """What had failed was put right."""


def _can_retry(s: Situation) -> Reply | None:
    return None if s.card.turn is not None and s.card.turn.failed else no("not_in_error")


def _retry(ledger: Ledger, s: Situation) -> Reply:
    scan, card = s.scan, s.card
    retried = Retried(reason=scan.reason, said=scan.said, settles=scan.settles)
    ledger.write(retried, card, turn=card.turn)
    recover(ledger, card, why=scan.reason)
    return Reply("recovered")


STEP = register(
    Step(
        Intent.RETRY,
        label="Put right",
        says="Says that what had failed succeeded.",
        answers=ANSWERS,
        effect=_retry,
        guards=DECIDING,
        check=_can_retry,
        roles=frozenset({Role.BUYER}),
        in_error=True,
        by_turn=True,
    )
)
