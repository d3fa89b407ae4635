"""How many cards a loop has, changed while they are on the floor."""

from __future__ import annotations

from jitapp.kanban.events.cards import CardRestored
from jitapp.kanban.ledger import Ledger, NewUuid
from jitapp.kanban.signals import signal
from jitapp.kanban.state import Card, Loop
from jitapp.kanban.vocabulary import CardStatus, LoopStatus, SupplyStatus

MOST_CARDS = 1_000  # of one loop
# The states of cards that count for N; cards for a few turns do not, whatever their state.
COUNTED = frozenset({CardStatus.NEW, CardStatus.IN_CIRCULATION, CardStatus.HELD})


def most_gathered(cards: int) -> int:
    """How many of a loop's cards a batch can gather: it must be complete while one card is still in use."""
    return cards - 1


def resize(ledger: Ledger, cards: int, new_uuid: NewUuid) -> int:
    """Brings the number of cards to N with those there are; returns how many must be made.

    How many are to go out when next empty is set at once; the caller writes it as `LoopChanged`, with what else
    changed.
    """
    loop = ledger.loop
    counted = sum(card.card_status in COUNTED and card.turns_left is None for card in loop.cards.values())
    there = counted - loop.surplus_due
    if cards < there:
        loop.surplus_due += there - cards
        return 0
    wanted = cards - there
    kept = min(wanted, loop.surplus_due)
    loop.surplus_due -= kept
    wanted -= kept
    back = [card for card in loop.cards.values() if card.card_status is CardStatus.SURPLUS]
    for card in back[:wanted]:
        ledger.write(CardRestored(), card)
        if card.supply_status is SupplyStatus.EMPTY and card.turn is None:
            signal(ledger, card, new_uuid)
    return max(0, wanted - len(back))


def needs_replacement(loop: Loop, lost: Card) -> bool:
    """Whether a card is made for a lost one: a loop in use keeps its number of cards; one-off cards and cards too many
    are not replaced."""
    replaced = any(other.replaces == lost.number for other in loop.siblings(lost))
    in_use = loop.config.status in (LoopStatus.ACTIVE, LoopStatus.ON_HOLD)
    return in_use and lost.turns_left is None and not loop.surplus_due and not replaced
