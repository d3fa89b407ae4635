"""The swap at the supermarket: a withdrawal card takes the place of the production card on a full container (4.3, W3).

One atomic move on two loops: the container leaves under the withdrawal card, the production card is detached and asks
its cell for exactly one container more. Every full container keeps exactly one card.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from jitapp.kanban.conditions import longest_full, ready_to_fetch
from jitapp.kanban.events.base import Entry
from jitapp.kanban.events.cards import CardDetached
from jitapp.kanban.ledger import Decision, Ledger, Scan
from jitapp.kanban.lifecycle import judge, refuse, situation_of, write
from jitapp.kanban.signals import GOES_OUT, finish, signal
from jitapp.kanban.state import Card, Loop
from jitapp.kanban.step import Reply, Situation, no, words
from jitapp.kanban.vocabulary import Intent, SupplyStatus

S = SupplyStatus


@dataclass(slots=True)
class Swap:
    """How a swap ended: the withdrawal card's decision, and the entries of the production loop's ledger."""

    decision: Decision
    detached: list[Entry] = field(default_factory=list)
    number: int = 0  # of the turn that refills the detached card's place


def swap(w_loop: Loop, w_card: Card, p_loop: Loop, p_card: Card, scan: Scan) -> Swap:
    """The guards of the withdrawal card and the conditions of the production card, then both moves; a refusal changes
    neither."""
    scan = replace(scan, intent=Intent.LOAD)
    situation = situation_of(w_loop, w_card, scan)
    facts: dict[str, object] = {
        "other": p_card.number,
        "other_part": p_loop.config.part,
        "other_status": words(p_card.supply_status),
    }
    verdict = judge(situation)
    misfit = None if verdict.code else _fits(situation, p_loop, p_card)
    if misfit is not None:
        verdict = Reply(misfit.code, dict(verdict.facts) | dict(misfit.facts), verdict.warnings)
    if verdict.code:
        decision = refuse(situation, verdict)
        decision.facts |= facts
        return Swap(decision)
    decision = write(situation, verdict)
    other = Ledger(p_loop, at=situation.at, scan=scan, first_ordinal=len(decision.entries))
    number = p_card.container
    other.write(CardDetached(by_card=w_card.code), p_card, to=S.EMPTY)
    asks = signal(other, p_card, scan.new_uuid)
    finish(other, scan.new_uuid)
    decision.code = "swapped_out" if asks in GOES_OUT else "swapped"
    decision.facts |= facts
    return Swap(decision, other.entries, number)


def _fits(s: Situation, p_loop: Loop, p_card: Card) -> Reply | None:
    """The other card hangs on the oldest full container of the same part and quantity in this supermarket."""
    w_card, w_config = s.card, s.loop.config
    if w_card.supply_status is not S.EMPTY:
        return no("wrong_step")  # asked early, but the card still hangs on the container at the line
    asked = w_card.turn.asked if w_card.turn else w_card.quantity
    if p_loop.config.part_id != w_config.part_id or p_loop.config.demand_id != w_config.supply_id:
        return no("swap_other_part")
    if not ready_to_fetch(p_card) or p_card.contents != asked:
        return no("swap_not_full")
    waiting = [card for card in p_loop.cards.values() if ready_to_fetch(card)]
    oldest = min(waiting, key=lambda card: longest_full(card, s.at))
    if oldest is not p_card and not s.scan.reason:
        return no("swap_not_oldest", oldest=oldest.number)
    return None
