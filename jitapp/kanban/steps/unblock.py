"""unblock: a blocked container may be used again."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, applied, refused
from jitapp.kanban.events.cards import CardUnblocked
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.guards import DECIDING
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.step import Reply, Situation, Step, no, register
from jitapp.kanban.vocabulary import Intent, Role

ANSWERS: dict[str, Sentence] = {
    "unblocked": applied(CARD + ": its container may be used again.", "Go on."),
    "not_blocked": refused(CARD + " is not blocked.", "Scan it as usual."),
}


class Unblocked(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="unblock"):
    """The container may be used again."""


def _can_unblock(s: Situation) -> Reply | None:
    return None if s.card.blocked else no("not_blocked")


def _unblock(ledger: Ledger, s: Situation) -> Reply:
    scan = s.scan
    ledger.write(Unblocked(reason=scan.reason, said=scan.said, settles=scan.settles), s.card)
    ledger.write(CardUnblocked(), s.card)
    return Reply("unblocked")


STEP = register(
    Step(
        Intent.UNBLOCK,
        label="Container may be used",
        says="Says that a blocked container may be used again.",
        answers=ANSWERS,
        effect=_unblock,
        guards=DECIDING,
        check=_can_unblock,
        roles=frozenset({Role.QUALITY}),
        acceptable=True,
        in_error=True,
    )
)
