"""recall: the demand side takes a signal back; the empty card waits (4.2 row 7)."""

from __future__ import annotations

from datetime import timedelta

from jitapp.kanban.answers import CARD, Sentence, already, applied, refused
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.guards import DECIDING, out_of_circulation
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import withhold
from jitapp.kanban.step import Reply, Situation, Step, no, register
from jitapp.kanban.vocabulary import CardStatus, Intent, Role, ScanClass, SignalState, SupplyStatus

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "recalled": applied(CARD + ": the signal is taken back.", "It goes out again once it is released."),
    "already_recalled": already(
        CARD + ": its signal is withheld already.",
        "It goes out once it is released.",
        kind=ScanClass.REPEATED_SIGNAL,
    ),
    "recall_needs_leader": refused(
        CARD + ": its signal went out more than {window} seconds ago.",
        "Ask the leader of {supply}: signed in, or with badge and PIN, they can still take it back.",
    ),
}


class Recalled(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="recall"):
    """The signal was taken back."""


def _can_recall(s: Situation) -> Reply | None:
    card, turn, scan = s.card, s.card.turn, s.scan
    if card.card_status is not CardStatus.IN_CIRCULATION:
        return no(out_of_circulation(card))
    if turn is None:
        return no("no_open_turn")
    if turn.signal_state is SignalState.UNRELEASED:
        return no("already_recalled") if card.supply_status is not S.EMPTY else None
    if turn.step:
        return no("too_late_to_cancel")
    if scan.is_leader or scan.is_placeless:
        return None
    if turn.signal_state is SignalState.ACKNOWLEDGED:
        return no("cancel_needs_consent")
    window = s.loop.config.undo_window_s
    if turn.released_at is not None and s.at - turn.released_at > timedelta(seconds=window):
        return no("recall_needs_leader", window=window)
    return None


def _recall(ledger: Ledger, s: Situation) -> Reply:
    """Once the signal is out, the demand side agrees with the cell's leader first."""
    scan = s.scan
    recalled = Recalled(reason=scan.reason, said=scan.said, settles=scan.settles)
    ledger.write(recalled, s.card, turn=s.card.turn)
    withhold(ledger, s.card)
    return Reply("recalled")


STEP = register(
    Step(
        Intent.RECALL,
        label="Signal is taken back",
        says="Takes a signal back before anybody has acted on it; the card waits.",
        answers=ANSWERS,
        effect=_recall,
        guards=DECIDING,
        check=_can_recall,
        side="demand",
        roles=frozenset({Role.PLANNER}),
    )
)
