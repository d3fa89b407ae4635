"""One `decide` for every scan: the guards in their order, then the move, then the runout.

It takes a loop whose lock is held, one of its cards and a scan, and answers with a code and facts; if the scan is
applied, also with the events it wrote (already folded into the loop). The guards G1-G3 and G13 belong to the doors
and the workers.
"""

from __future__ import annotations

from typing import Any

from jitapp.kanban.acts import ACTS, act_guard
from jitapp.kanban.classify import look, tell
from jitapp.kanban.guards import GUARDS, SPECIAL_GUARDS, bounce, late_act, quantity_readable, side_of
from jitapp.kanban.ledger import Decision, Ledger, Scan
from jitapp.kanban.moves import MOVES
from jitapp.kanban.signals import settle
from jitapp.kanban.state import Card, Loop
from jitapp.kanban.vocabulary import CardStatus, Intent, SignalState, SupplyStatus

S = SupplyStatus


def decide(loop: Loop, card: Card, scan: Scan) -> Decision:
    """The answer to a scan (guards G4 to G12 in order, then the transition).

    Refusals change nothing. `facts["expected"]` names the step that would fit now.
    """
    intent = scan.intent or default_intent(loop, card, scan)
    before = look(loop, card, intent)
    decision = _decided(loop, card, scan, intent)
    tell(loop, card, scan, before, decision)
    return decision


def _decided(loop: Loop, card: Card, scan: Scan, intent: Intent | None) -> Decision:
    act = ACTS.get(intent)
    guards = (bounce, late_act, quantity_readable, act_guard) if act else SPECIAL_GUARDS.get(intent, GUARDS)
    decision = Decision("", facts(loop, card, scan, intent), intent=intent, turn=card.turn)
    for guard in guards:
        code = guard(loop, card, scan, intent, decision)
        if code:
            decision.code = code
            return decision
    ledger = Ledger(loop, at=scan.occurred_at, scan=scan)
    effect = act.effect if act else MOVES[intent]
    decision.code = effect(ledger, card, scan, decision)
    settle(ledger, scan.new_uuid)
    decision.events = ledger.events
    decision.closed = ledger.closed
    decision.turn = card.turn or decision.turn
    decision.facts["status"] = shown(card)
    return decision


def shown(card: Card) -> str:
    """A card's status as people see it."""
    return str(card.supply_status).replace("_", " ")


def facts(loop: Loop, card: Card, scan: Scan, intent: Intent | None) -> dict[str, Any]:
    """What a sentence about this card may name."""
    config = loop.config
    return {
        "part": config.part,
        "number": card.number,
        "of": max(loop.circulating, card.number),
        "status": shown(card),
        "supply": config.supply_name,
        "demand": config.demand_name,
        "quantity": card.turn.asked if card.turn else config.quantity,
        "since": card.moved_at,
        "by": card.moved_by,
        "due": card.turn.due_at if card.turn else None,
        "reason": config.hold_reason or "loop on hold",
        "occurred": scan.occurred_at,
        "given": scan.reason,
        "held": card.note or "-",
        "problem": card.turn.failed if card.turn else "",
        "gathered": sum(1 for other in loop.cards.values() if _gathers(other)) + 1,
        "batch": config.accumulate_cards or config.lot_quantity or "the batch",
        "intent": str(intent) if intent else "",
        "expected": expected(card),
    }


def _gathers(card: Card) -> bool:
    return card.turn is not None and card.turn.signal_state is SignalState.ACCUMULATING


def expected(card: Card) -> str:
    """The step that fits the card now, in words."""
    if card.card_status is CardStatus.NEW:
        return "activate"
    return {
        S.FULL: "empty it",
        S.IN_USE: "empty it",
        S.WAIT: "release",
        S.EMPTY: "start",
        S.IN_PROCESS: "complete",
        S.COMPLETED: "load, or receive",
        S.IN_TRANSIT: "receive",
    }.get(card.position if card.turn else card.supply_status, "ask your leader")


def default_intent(loop: Loop, card: Card, scan: Scan) -> Intent | None:
    """What a scan without an intent means: the station's setting, else by the side and the card's state."""
    if card.card_status is CardStatus.NEW:
        return Intent.ACTIVATE
    side = side_of(loop, scan.station_id)
    if side is None:
        return None
    setting = loop.config.demand_intent if side == "demand" else loop.config.supply_intent
    if setting:
        return Intent(setting)
    if side == "supply":
        by_position = {S.IN_PROCESS: Intent.COMPLETE, S.COMPLETED: Intent.LOAD, S.IN_TRANSIT: Intent.LOAD}
        return by_position.get(card.position, Intent.START)
    return Intent.RECEIVE if card.supply_status in (S.COMPLETED, S.IN_TRANSIT) else Intent.EMPTY
