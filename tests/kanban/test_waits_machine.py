"""Whatever happens at the shop of all kinds: what a turn's events say it waits for is what its state says."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant

from jitapp.kanban.events import Event
from jitapp.kanban.vocabulary import StationKind
from jitapp.kanban.waits import TurnWaits, due_of
from tests.kanban.loops import new_uuid
from tests.kanban.test_machine import MOVES, STEPS, Shop


class Waiting(Shop):
    """The same shop; every turn's waits are followed as a drain would, a move a message."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: dict[UUID, TurnWaits] = defaultdict(TurnWaits)
        self.at_suppliers: set[UUID] = set()

    def _after(self, events: list[Event]) -> None:
        super()._after(events)
        for loop in self.loops:
            if loop.config.supply_kind is StationKind.SUPPLIER:
                turns = [card.turn for card in loop.cards.values() if card.turn is not None]
                self.at_suppliers |= {turn.uuid for turn in turns}
        told: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
        for event in events:
            if event.turn is not None and event.type.startswith("turn."):
                at = event.occurred_at.isoformat()
                told[event.turn].append({**event.data, "type": event.type, "at": at, "seq": event.seq})
        for turn, of_turn in told.items():
            self.waits[turn].take(turn in self.at_suppliers, of_turn, new_uuid)

    @invariant()
    def waits_are_what_the_state_says(self) -> None:
        """One open wait for each open turn that stands still, none for any other."""
        open_turns: set[UUID] = set()
        for loop in self.loops:
            for card in loop.cards.values():
                turn = card.turn
                if turn is None:
                    continue
                open_turns.add(turn.uuid)
                waits = self.waits.get(turn.uuid)
                if waits is None:
                    continue  # it was open before the story began
                found = (waits.open.reason, waits.open.owner) if waits.open else None
                assert found == due_of(loop.config.supply_kind is StationKind.SUPPLIER, turn), (card, found)
        for uuid, waits in self.waits.items():
            assert waits.open is None or uuid in open_turns
            spans = [wait for wait in waits.changed if wait.closed_at is not None]
            assert all(wait.closed_at >= wait.opened_at for wait in spans if wait.closed_at)
            assert len(waits.changed) - len(spans) == (waits.open is not None)


Waiting.TestCase.settings = settings(
    max_examples=max(1, MOVES // STEPS // 4),
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
TestWaiting = Waiting.TestCase
