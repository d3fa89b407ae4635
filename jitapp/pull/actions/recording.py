"""What a decided scan leaves in the unit of work: entries, the replacement of a lost card, and a refused handoff."""

from __future__ import annotations

from jitapp.kanban.events.turns import TurnAborted, TurnCompleted, TurnStarted
from jitapp.kanban.ledger import Decision, Ledger
from jitapp.kanban.resizing import needs_replacement
from jitapp.kanban.state import Card, Loop
from jitapp.pull import store
from jitapp.pull.actions.making import add_replacement
from jitapp.pull.actions.stages import Decided, Situated
from jitapp.pull.scan_request import Source
from jitapp.pull.store.messages import refused


def record(unit: store.UnitOfWork, decided: Decided, source: Source) -> None:
    """Takes over what the rules wrote; a refused handoff is a wait of its own kind (F3), opened by the worker."""
    situated, decision = decided.situated, decided.decision
    located = situated.located
    loop, card = located.loop, located.card
    if loop is None or card is None:
        return
    if decision.code == "lost" and needs_replacement(loop, card):
        _replace(loop, card, situated, decision)
    if decision.entries:
        unit.record(
            loop,
            decision.entries,
            now=located.recorded_at,
            station_id=situated.station.id if situated.station else None,
            person_id=situated.person_id,
            device_id=source.device_id,
            turns=decision.closed,
        )
        _count_start(unit, loop, decision)
    if decision.code == "receiver_not_ready" and card.turn is not None:
        at = decision.at or located.occurred_at
        message = refused(loop.config.id, card.turn.uuid, at, loop.seq, located.recorded_at)
        unit.add("messages", message)


def _replace(loop: Loop, lost: Card, situated: Situated, decision: Decision) -> None:
    assert situated.scan is not None
    at = decision.at or situated.located.occurred_at
    ledger = Ledger(loop, at=at, scan=situated.scan, first_ordinal=len(decision.entries))
    add_replacement(ledger, lost)
    decision.entries += ledger.entries


def _count_start(unit: store.UnitOfWork, loop: Loop, decision: Decision) -> None:
    """Keeps the count of cards in process right for the rest of the batch (rule C7)."""
    supply = loop.config.supply_id
    if supply not in unit.in_process:
        return
    for entry in decision.entries:
        if isinstance(entry.event, TurnStarted):
            unit.in_process[supply] += 1
        elif isinstance(entry.event, TurnCompleted | TurnAborted):
            unit.in_process[supply] -= 1
