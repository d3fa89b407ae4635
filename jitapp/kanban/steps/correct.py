"""correct: a leader says which status is true; what follows from it follows openly (4.6)."""

from __future__ import annotations

from decimal import Decimal

from jitapp.kanban.answers import CARD, Sentence, applied, refused
from jitapp.kanban.conditions import MAY_FILL
from jitapp.kanban.events.base import Entry, filled, holds
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.events.turns import TurnCorrected, TurnReceived
from jitapp.kanban.guards import DECIDING, out_of_circulation, there
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import GOES_OUT, dispatch, signal, wait, waits_by_rule, withhold
from jitapp.kanban.state import AT_HAND, ZERO, Card, Loop, Turn, exact
from jitapp.kanban.step import Reply, Situation, Step, no, register, words
from jitapp.kanban.vocabulary import CardStatus, Intent, LoopStatus, SignalState, SupplyStatus

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "corrected": applied(CARD + " is {status} now, by correction.", "Check that the container is there."),
    "status_missing": refused(CARD + ": which status is true?", "Choose the status and scan again."),
    "correct_needs_signal": refused(
        CARD + " has no released signal, so it cannot be {status}.", "Correct it to EMPTY first."
    ),
}


_UNDER_WAY = (S.IN_PROCESS, S.COMPLETED, S.IN_TRANSIT)


class Corrected(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="correct"):
    """A person said which status is true, and that `contents` pieces are there where `expected` were on record."""

    expected: Decimal
    contents: Decimal

    def change(self, loop: Loop, card: Card, entry: Entry) -> None:
        """The contents are right from now on."""
        if entry.to == S.FULL:
            filled(loop, card, self.contents, entry.occurred_at)
        holds(card, self.contents)


def _can_correct(s: Situation) -> Reply | None:
    scan, card, target = s.scan, s.card, s.scan.target
    if not scan.reason:
        return no("reason_missing")
    if target is None or target is S.ERROR:
        return no("status_missing")  # nobody corrects into ERROR: only the system enters it
    if card.card_status is not CardStatus.IN_CIRCULATION:
        return no(out_of_circulation(card))
    if target in AT_HAND and scan.quantity == 0:
        return no("quantity_unreadable", quantity=scan.quantity, decimals=s.loop.config.decimals)
    if target == card.supply_status and scan.quantity in (None, card.contents):
        return there(s)
    turn = card.turn
    if target in _UNDER_WAY and turn is not None and turn.signal_state is SignalState.REJECTED:
        return no("signal_rejected")
    if target in _UNDER_WAY and (turn is None or turn.signal_state not in MAY_FILL):
        return no("correct_needs_signal", status=words(target))
    return None


def _correct(ledger: Ledger, s: Situation) -> Reply:
    scan, card, target = s.scan, s.card, s.scan.target
    assert target is not None
    before, turn = card.supply_status, card.turn
    at_hand = target in AT_HAND
    contents = scan.quantity if scan.quantity is not None else (card.contents or card.quantity)
    contents = exact(contents) if at_hand else ZERO
    corrected = Corrected(
        expected=exact(card.contents),
        contents=contents,
        reason=scan.reason,
        said=scan.said,
        settles=scan.settles,
    )
    ledger.write(corrected, card, to=target)
    if at_hand:
        if turn is not None and before not in AT_HAND:
            received = TurnReceived(quantity=contents, asked=exact(turn.asked), reason=scan.reason)
            ledger.write(received, card, turn=turn)
    elif turn is not None:
        _set_turn(ledger, s, turn, target)
    elif target is S.EMPTY:
        asks = signal(ledger, card, scan.new_uuid)
        return Reply(asks if asks in GOES_OUT else "corrected")
    elif target is S.WAIT:
        asks = wait(ledger, card, scan.new_uuid)
        return Reply(asks if asks in GOES_OUT else "corrected")
    return Reply("corrected")


def _set_turn(ledger: Ledger, s: Situation, turn: Turn, target: SupplyStatus) -> None:
    """The turn stands where the container does; its signal goes out or is taken back as the status says."""
    step = "" if target in (S.EMPTY, S.WAIT) else str(target)
    ledger.write(TurnCorrected(step=step), s.card, turn=turn)
    withheld = turn.signal_state is SignalState.UNRELEASED
    asks = s.loop.config.status is LoopStatus.ACTIVE and not waits_by_rule(s.loop)
    if target is S.WAIT and not withheld:
        withhold(ledger, s.card)
    elif target is S.EMPTY and withheld and asks:
        dispatch(ledger, s.card, s.scan.new_uuid(), why="corrected")


STEP = register(
    Step(
        Intent.CORRECT,
        label="Corrected",
        says="Sets a card to the status that is true.",
        answers=ANSWERS,
        effect=_correct,
        guards=DECIDING,
        check=_can_correct,
        zero_counts=True,
        asserts=True,
        acceptable=True,
        in_error=True,
    )
)
