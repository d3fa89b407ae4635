"""promise: the supply source says when it will come (4.4 row 5)."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, already, applied, refused
from jitapp.kanban.conditions import MAY_FILL
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.events.turns import TurnPromised
from jitapp.kanban.guards import DECIDING
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.promises import not_out, promise_refused, promise_said, too_late
from jitapp.kanban.step import Reply, Situation, Step, no, register
from jitapp.kanban.vocabulary import Intent, Role

ANSWERS: dict[str, Sentence] = {
    "promised": applied(CARD + ": promised for {promised}.", "Keep the promise, or change it in time."),
    "already_promised": already(CARD + " is already promised for {promised}.", "Nothing to do."),
    "promise_past": refused("{promised} is past: nothing can be promised for it.", "Enter a date to come."),
}


class Promised(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="promise"):
    """A date was promised."""


def _can_promise(s: Situation) -> Reply | None:
    turn = s.card.turn
    if turn is not None and s.scan.promised_at is None:
        return no("promise_missing")
    if withheld := not_out(s):
        return withheld
    if turn is None or turn.signal_state not in MAY_FILL:
        return too_late(s)
    return promise_refused(s)


def _promise(ledger: Ledger, s: Situation) -> Reply:
    scan, card = s.scan, s.card
    assert scan.promised_at is not None
    ledger.write(Promised(said=scan.said, settles=scan.settles), card, turn=card.turn)
    ledger.write(TurnPromised(promised_at=scan.promised_at), card, turn=card.turn)
    return promise_said(s, "promised")


STEP = register(
    Step(
        Intent.PROMISE,
        label="Promised",
        says="Says when the container will come.",
        answers=ANSWERS,
        effect=_promise,
        guards=DECIDING,
        check=_can_promise,
        side="supply",
        roles=frozenset({Role.SUPPLIER, Role.BUYER}),
        by_turn=True,
    )
)
