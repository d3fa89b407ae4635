"""One `decide` for every scan: the situation, the guards in their order, then the step's effect, then the runout.

It takes a loop whose lock is held, one of its cards and a scan, and returns a code and facts; if the scan is applied,
also the entries it wrote (already folded into the loop). The guards G1-G3 belong to the doors.
"""

from __future__ import annotations

from datetime import datetime

from jitapp.kanban.classify import look, tell
from jitapp.kanban.duedates import next_time
from jitapp.kanban.guards import MOVING, slack_of, told_late
from jitapp.kanban.ledger import Decision, Ledger, Scan
from jitapp.kanban.signals import accumulating, finish, gathered
from jitapp.kanban.state import Card, Loop
from jitapp.kanban.step import Reply, Situation, side_of, words
from jitapp.kanban.steps.all import STEPS
from jitapp.kanban.vocabulary import Accumulate, CardStatus, Intent, SupplyStatus
from jitapp.kanban.warnings import WARNINGS

S = SupplyStatus
# The step that usually follows where a container stands, whatever the station.
_FOLLOWS = {
    S.FULL: Intent.EMPTY,
    S.IN_USE: Intent.EMPTY,
    S.EMPTY: Intent.START,
    S.IN_PROCESS: Intent.COMPLETE,
    S.COMPLETED: Intent.RECEIVE,
    S.IN_TRANSIT: Intent.RECEIVE,
}
_EXPECTED = {
    S.FULL: "empty it",
    S.IN_USE: "empty it",
    S.WAIT: "release",
    S.EMPTY: "start",
    S.IN_PROCESS: "complete",
    S.COMPLETED: "load, or receive",
    S.IN_TRANSIT: "receive",
}


def decide(loop: Loop, card: Card, scan: Scan) -> Decision:
    """The decision on a scan (guards G4 to G13 in order, then the step). A refusal changes nothing.

    `facts["expected"]` names the step that would fit now.
    """
    situation = situation_of(loop, card, scan)
    before = look(situation)
    verdict = judge(situation)
    decision = refuse(situation, verdict) if verdict.code else write(situation, verdict)
    tell(situation, before, decision)
    return decision


def situation_of(loop: Loop, card: Card, scan: Scan) -> Situation:
    """The scan at its card. Clocks of devices differ: what seems to lie shortly (`slack_of`) before the card's last
    event, before its signal went out, or before the loop's containers last changed, counts as at the same instant."""
    intent = scan.intent or default_intent(loop, card, scan)
    at = scan.occurred_at
    slack = slack_of(at, scan.recorded_at, compared=scan.compared)
    released = card.turn.released_at if card.turn is not None else None
    for known in (card.moved_at, released, loop.usable_changed_at):
        if known is not None and at < known <= at + slack:
            at = known
    step = STEPS[intent] if intent is not None else None
    fills = step is not None and step.fills and card.turn is not None
    position = card.position if fills else card.supply_status
    return Situation(loop, card, scan, intent, step, at, side_of(loop, scan.station_id), position)


def judge(situation: Situation) -> Reply:
    """The verdict of the guards: the code of the first that ends the scan, or none; with the facts and warnings of all
    that were asked."""
    facts: dict[str, object] = {}
    warnings: list[str] = []
    for guard in situation.step.guards if situation.step is not None else MOVING:
        reply = guard(situation)
        if reply is None:
            continue
        facts |= reply.facts
        warnings += reply.warnings
        if reply.code:
            return Reply(reply.code, facts, tuple(warnings))
    return Reply("", facts, tuple(warnings))


def write(situation: Situation, verdict: Reply) -> Decision:
    """Applies the step of a scan that every guard let through."""
    step, card, scan = situation.step, situation.card, situation.scan
    assert step is not None
    decision = refuse(situation, verdict)
    late = step.moves != {} and told_late(situation)
    ledger = Ledger(
        situation.loop, at=situation.at, scan=scan, late=late, subject=card, moves=bool(step.moves)
    )
    done = step.effect(ledger, situation)
    finish(ledger, scan.new_uuid)
    decision.code = done.code
    decision.facts |= done.facts
    decision.warnings += [WARNINGS[name] for name in done.warnings]
    decision.entries = ledger.entries
    decision.closed = ledger.closed
    decision.turn = card.turn or decision.turn
    decision.facts["status"] = words(card.supply_status)
    return decision


def refuse(situation: Situation, verdict: Reply) -> Decision:
    """The decision on a scan that ends with a guard's verdict: nothing is changed."""
    card, position = situation.card, situation.position
    facts = facts_of(situation.loop, card, situation.scan, situation.intent)
    if card.turn is not None and position is not card.supply_status:
        # The scan is about the container to be filled, while another one is in use.
        facts |= {"status": words(position), "since": card.turn.reached_at}
    return Decision(
        verdict.code,
        facts | dict(verdict.facts),
        warnings=[WARNINGS[name] for name in verdict.warnings],
        intent=situation.intent,
        turn=card.turn,
        at=situation.at,
    )


def facts_of(loop: Loop, card: Card, scan: Scan, intent: Intent | None) -> dict[str, object]:
    """What a sentence about this card may name."""
    config = loop.config
    return {
        "part": config.part,
        "number": card.number,
        "of": max(loop.circulating, card.number),
        "status": words(card.supply_status),
        "supply": config.supply_name,
        "demand": config.demand_name,
        "quantity": card.turn.asked if card.turn else config.quantity,
        "since": _since(card),
        "by": card.moved_person,
        "due": card.turn.due_at if card.turn else None,
        "reason": config.hold_reason or "loop on hold",
        "occurred": scan.occurred_at,
        "given": scan.reason,
        "held": card.note or "-",
        "problem": card.turn.failed if card.turn else "",
        "intent": str(intent) if intent else "",
        "expected": expected(card),
    } | _batch(loop, card, scan)


def _since(card: Card) -> datetime | None:
    """Since when the card stands as it does; a container that was only touched since stands there all the same."""
    return card.status_since or card.moved_at


def _batch(loop: Loop, card: Card, scan: Scan) -> dict[str, object]:
    """How much of the batch is gathered with this card (cards against cards, pieces against pieces), and when it goes
    out where that is a matter of the clock."""
    config = loop.config
    if config.accumulate is Accumulate.NONE:
        return {"gathered": 0, "batch": None, "goes_at": None}
    found = accumulating(loop)
    if config.accumulate is Accumulate.QUANTITY:
        own = 0 if card in found else config.quantity
        return {"gathered": gathered(loop) + own, "batch": config.lot_quantity, "goes_at": None}
    at = next_time(config, scan.occurred_at) if config.accumulate is Accumulate.CLOCK else None
    return {
        "gathered": len(found) + (card not in found),
        "batch": config.accumulate_cards or 1,
        "goes_at": at,
    }


def expected(card: Card) -> str:
    """The step that fits the card now, in words."""
    if card.card_status is CardStatus.NEW:
        return "activate"
    return _EXPECTED.get(card.position if card.turn else card.supply_status, "ask your leader")


def following_intent(status: SupplyStatus) -> Intent | None:
    """What a scan means for whoever does the next step of a card away from its ends; None where a person releases."""
    return _FOLLOWS.get(status)


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
