"""abort: filling is broken off, and the signal stands (4.2 row 8)."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, applied
from jitapp.kanban.conditions import usable
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.events.turns import TurnAborted
from jitapp.kanban.guards import MOVING
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.step import Reply, Situation, Step, register
from jitapp.kanban.vocabulary import Intent, SupplyStatus

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "aborted": applied(
        CARD + ": filling was broken off. The signal stands.",
        "Start it again when you can.",
        headline="BROKEN OFF",
    ),
}


class Aborted(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="abort"):
    """Filling was broken off."""


def _abort(ledger: Ledger, s: Situation) -> Reply:
    """Back to the top of the queue where the buffer is nearly dry."""
    card, turn = s.card, s.card.turn
    to = S.EMPTY if card.supply_status is S.IN_PROCESS else ""
    ledger.write(Aborted(said=s.scan.said, settles=s.scan.settles), card, turn=turn, to=to)
    near = sum(usable(other) for other in s.loop.cards.values()) <= 1
    ledger.write(TurnAborted(reason=s.scan.reason, urgent=near), card, turn=turn)
    return Reply("aborted")


STEP = register(
    Step(
        Intent.ABORT,
        label="Filling broken off",
        says="Breaks filling off; the signal stands.",
        answers=ANSWERS,
        effect=_abort,
        guards=MOVING,
        moves={S.IN_PROCESS: S.EMPTY},
        side="supply",
        fills=True,
        acceptable=True,
        usual=frozenset({S.IN_PROCESS}),
    )
)
