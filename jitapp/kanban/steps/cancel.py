"""cancel: a signal is taken back for good, before anybody has begun (4.4 row 11)."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, applied, refused
from jitapp.kanban.events.cards import CardRemoved
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.events.turns import TurnCancelled
from jitapp.kanban.guards import DECIDING
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.state import AT_HAND
from jitapp.kanban.step import Reply, Situation, Step, no, register
from jitapp.kanban.vocabulary import CardStatus, Intent, Role, SignalState, SupplyStatus

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "cancelled": applied(
        CARD + ": the signal is taken back: {given}.", "Keep the card until it is released again."
    ),
    "cancelled_in_use": applied(
        CARD + ": the signal is taken back: {given}.", "Leave the card on its container."
    ),
    "cancelled_last": applied(CARD + ": the signal is taken back: {given}.", "Put this card in the red box."),
    "cancelled_lost": applied(
        CARD + ": the signal is taken back: {given}.", "Nothing to do until the card is found."
    ),
    "too_late_to_cancel": refused(CARD + ": {supply} has begun to fill it.", "Call {supply}, or receive it."),
    "cancel_needs_consent": refused(
        CARD + ": {supply} has promised it.", "Ask {supply}; a leader can cancel it then."
    ),
}


class Cancelled(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="cancel"):
    """The signal was taken back, for `reason`."""


def _can_cancel(s: Situation) -> Reply | None:
    turn = s.card.turn
    if turn is None:
        return no("no_open_turn")
    if not s.scan.reason:
        return no("reason_missing")
    if turn.step:
        return no("too_late_to_cancel")
    needs_consent = turn.signal_state is SignalState.ACKNOWLEDGED and not s.scan.is_leader
    return no("cancel_needs_consent") if needs_consent else None


def _cancel(ledger: Ledger, s: Situation) -> Reply:
    scan, card = s.scan, s.card
    # A lost card is nowhere: what it waits for is asked when it is found.
    waits = card.supply_status is S.EMPTY and card.card_status is not CardStatus.LOST
    cancelled = Cancelled(reason=scan.reason, said=scan.said, settles=scan.settles)
    ledger.write(cancelled, card, turn=card.turn, to=S.WAIT if waits else card.supply_status)
    ledger.write(TurnCancelled(reason=scan.reason), card, turn=card.turn)
    if card.turns_left == 0:
        ledger.write(CardRemoved(note="its order was cancelled"), card)
        return Reply("cancelled_last")
    if card.card_status is CardStatus.LOST:
        return Reply("cancelled_lost")
    return Reply("cancelled_in_use" if card.supply_status in AT_HAND else "cancelled")


STEP = register(
    Step(
        Intent.CANCEL,
        label="Signal is cancelled",
        says="Takes a signal back for good, before anybody has begun.",
        answers=ANSWERS,
        effect=_cancel,
        guards=DECIDING,
        check=_can_cancel,
        roles=frozenset({Role.BUYER, Role.PLANNER}),
        by_turn=True,
    )
)
