"""reject: the supply source cannot fill it (4.4 row 6)."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, applied
from jitapp.kanban.conditions import MAY_FILL
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.events.turns import TurnRejected
from jitapp.kanban.guards import DECIDING
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.promises import not_out, too_late
from jitapp.kanban.step import Reply, Situation, Step, no, register
from jitapp.kanban.vocabulary import Intent, Role

ANSWERS: dict[str, Sentence] = {
    "rejected": applied(CARD + ": {supply} cannot fill it: {given}.", "The buyer looks for another way."),
}


class Rejected(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="reject"):
    """It cannot be filled, for `reason`."""


def _can_reject(s: Situation) -> Reply | None:
    turn = s.card.turn
    if turn is not None and not s.scan.reason:
        return no("reason_missing")
    if withheld := not_out(s):
        return withheld
    fits = turn is not None and turn.signal_state in MAY_FILL and not turn.step
    return None if fits else too_late(s)


def _reject(ledger: Ledger, s: Situation) -> Reply:
    scan, card = s.scan, s.card
    rejected = Rejected(reason=scan.reason, said=scan.said, settles=scan.settles)
    ledger.write(rejected, card, turn=card.turn)
    ledger.write(TurnRejected(reason=scan.reason), card, turn=card.turn)
    return Reply("rejected")


STEP = register(
    Step(
        Intent.REJECT,
        label="Rejected",
        says="Says that the supply source cannot fill it.",
        answers=ANSWERS,
        effect=_reject,
        guards=DECIDING,
        check=_can_reject,
        side="supply",
        roles=frozenset({Role.SUPPLIER, Role.BUYER}),
        by_turn=True,
    )
)
