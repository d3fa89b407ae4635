"""A card that goes out of circulation, and one that comes back: what becomes of its signal (rule C12)."""

from __future__ import annotations

from jitapp.kanban.conditions import WITHHELD
from jitapp.kanban.events.cards import CardUnheld
from jitapp.kanban.events.turns import TurnRecalled, TurnResumed
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import withhold
from jitapp.kanban.state import Card
from jitapp.kanban.vocabulary import SignalState


def recall_signal(ledger: Ledger, card: Card) -> None:
    """A signal that nobody has acted on is withheld again; one under way is flagged for recall."""
    turn = card.turn
    if turn is None or turn.signal_state in WITHHELD:
        return
    if turn.signal_state is SignalState.RELEASED and not turn.step and not turn.failed:
        withhold(ledger, card)
    else:
        ledger.write(TurnRecalled(), card, turn=turn)


def unhold(ledger: Ledger, card: Card) -> None:
    """Ends the hold of a card. Who must act on its turn follows from where the turn stands."""
    ledger.write(CardUnheld(), card)
    if card.turn is not None and card.turn.to_recall:
        ledger.write(TurnResumed(), card, turn=card.turn)
