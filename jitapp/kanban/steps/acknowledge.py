"""acknowledge: the supply source has seen the signal, perhaps with a promise (4.4 row 5)."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, already, applied
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.events.turns import TurnAcknowledged
from jitapp.kanban.guards import DECIDING
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.promises import not_out, promise_refused, promise_said, too_late
from jitapp.kanban.step import Reply, Situation, Step, no, register
from jitapp.kanban.vocabulary import Intent, Role, ScanClass, SignalState

ANSWERS: dict[str, Sentence] = {
    "acknowledged": applied(CARD + ": {supply} has seen the signal.", "Fill it by {due}."),
    "already_acknowledged": already(
        CARD + " is already acknowledged.", "Nothing to do. Due {due}.", kind=ScanClass.REPEATED_SIGNAL
    ),
}


class Acknowledged(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="acknowledge"):
    """The signal was seen."""


def _can_acknowledge(s: Situation) -> Reply | None:
    turn = s.card.turn
    if turn is not None and turn.signal_state is SignalState.ACKNOWLEDGED:
        return no("already_acknowledged")
    if withheld := not_out(s):
        return withheld
    if turn is None or turn.signal_state is not SignalState.RELEASED or turn.step:
        return too_late(s)
    return promise_refused(s)


def _acknowledge(ledger: Ledger, s: Situation) -> Reply:
    scan, card = s.scan, s.card
    ledger.write(Acknowledged(said=scan.said, settles=scan.settles), card, turn=card.turn)
    ledger.write(TurnAcknowledged(promised_at=scan.promised_at), card, turn=card.turn)
    return promise_said(s, "acknowledged")


STEP = register(
    Step(
        Intent.ACKNOWLEDGE,
        label="Acknowledged",
        says="Says that the signal was seen, perhaps with a promise.",
        answers=ANSWERS,
        effect=_acknowledge,
        guards=DECIDING,
        check=_can_acknowledge,
        side="supply",
        roles=frozenset({Role.SUPPLIER, Role.BUYER, Role.HANDLER}),
        by_turn=True,
    )
)
