"""The swap at the supermarket: a withdrawal card takes the place of the production card on a full container (4.3, W3).

One atomic move on two loops: the container leaves under the withdrawal card, the production card is detached and asks
its cell for exactly one container more. Every full container keeps exactly one card.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from jitapp.kanban.events import Event
from jitapp.kanban.guards import GUARDS
from jitapp.kanban.ledger import Decision, Ledger, Scan
from jitapp.kanban.lifecycle import facts, shown
from jitapp.kanban.moves import MOVES
from jitapp.kanban.signals import settle, signal
from jitapp.kanban.state import Card, Loop
from jitapp.kanban.vocabulary import Intent, SupplyStatus

S = SupplyStatus


@dataclass(slots=True)
class Swap:
    """How a swap ended: the withdrawal card's decision, and what the production loop's ledger got."""

    decision: Decision
    detached: list[Event] = field(default_factory=list)
    number: int = 0  # of the turn that refills the detached card's place


def swap(w_loop: Loop, w_card: Card, p_loop: Loop, p_card: Card, scan: Scan) -> Swap:
    """Guards of both cards, then both moves; a refusal changes neither."""
    decision = Decision("", facts(w_loop, w_card, scan, Intent.LOAD), intent=Intent.LOAD, turn=w_card.turn)
    decision.facts |= {
        "other": p_card.number,
        "other_part": p_loop.config.part,
        "other_status": shown(p_card),
    }
    for guard in GUARDS:
        code = guard(w_loop, w_card, scan, Intent.LOAD, decision)
        if code:
            decision.code = code
            return Swap(decision)
    code = _fits(w_loop, w_card, p_loop, p_card, scan, decision)
    if code:
        decision.code = code
        return Swap(decision)
    ledger = Ledger(w_loop, at=scan.occurred_at, scan=scan)
    MOVES[Intent.LOAD](ledger, w_card, scan, decision)
    settle(ledger, scan.new_uuid)
    other = Ledger(p_loop, at=scan.occurred_at, scan=scan, first_ordinal=len(ledger.events))
    number = p_card.container
    other.write("card.detached", p_card, frm=p_card.supply_status, to=S.EMPTY, by_card=w_card.code)
    signal(other, p_card, scan.new_uuid)
    settle(other, scan.new_uuid)
    decision.code = "swapped"
    decision.events = ledger.events
    decision.closed = ledger.closed
    decision.turn = w_card.turn or decision.turn
    decision.facts["status"] = shown(w_card)
    return Swap(decision, other.events, number)


def _fits(
    w_loop: Loop, w_card: Card, p_loop: Loop, p_card: Card, scan: Scan, decision: Decision
) -> str | None:
    """The other card hangs on the oldest full container of the same part and quantity in this supermarket."""
    if w_card.supply_status is not S.EMPTY:
        return "wrong_step"  # asked early, but the card still hangs on the container at the line
    asked = w_card.turn.asked if w_card.turn else w_card.quantity
    if p_loop.config.part_id != w_loop.config.part_id or p_loop.config.demand_id != w_loop.config.supply_id:
        return "swap_other_part"
    if not p_card.usable or p_card.supply_status is not S.FULL or p_card.contents != asked:
        return "swap_not_full"
    waiting = [card for card in p_loop.cards.values() if card.usable and card.supply_status is S.FULL]
    oldest = min(waiting, key=lambda card: (card.full_since or scan.occurred_at, card.number))
    if oldest is not p_card and not scan.reason:
        decision.facts["oldest"] = oldest.number
        return "swap_not_oldest"
    return None
