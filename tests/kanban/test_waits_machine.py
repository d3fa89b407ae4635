"""Whatever happens at the shop of all kinds: the waits that were followed are those that the turns' states say."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant

from jitapp.kanban.events.base import Entry
from jitapp.kanban.state import Loop, Turn
from jitapp.kanban.waits import TurnWaits, due_of
from tests.kanban.loops import new_uuid
from tests.kanban.test_machine import DEPTH, MOVES, Shop


class Waiting(Shop):
    """The same shop; every turn's waits are followed from its first entry on, as a worker would, a move a message."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: dict[UUID, Turn] = {}
        self.waits: dict[UUID, TurnWaits] = defaultdict(TurnWaits)

    def _follow(self, loop: Loop, entries: list[Entry]) -> None:
        open_ones = [card.turn for card in loop.cards.values() if card.turn is not None]
        self.turns |= {turn.uuid: turn for turn in [*open_ones, *(turn for _, turn in loop.ended)]}
        for uuid in {entry.turn for entry in entries if entry.turn is not None}:
            assert uuid in self.turns, "a turn that nobody saw begin"
        for card_id in {entry.card_id for entry in entries}:
            card = loop.cards.get(card_id or 0)
            if card is not None and card.turn is not None:
                self.waits[card.turn.uuid].take(card.turn.stretches, new_uuid)
        for _, turn in loop.ended:
            self.waits[turn.uuid].take(turn.stretches, new_uuid)

    @invariant()
    def waits_are_what_the_state_says(self) -> None:
        """One open wait for each open turn that stands still, none for any other; none of them backwards."""
        open_turns: set[UUID] = set()
        for loop in self.loops:
            for card in loop.cards.values():
                if card.turn is None:
                    continue
                open_turns.add(card.turn.uuid)
                waits = self.waits[card.turn.uuid]
                found = (waits.open.reason, waits.open.owner) if waits.open else None
                assert found == due_of(card.turn), (card, found)
        for uuid, waits in self.waits.items():
            assert waits.open is None or uuid in open_turns
            ended = [wait for wait in waits.changed if wait.closed_at is not None]
            assert all(wait.closed_at >= wait.opened_at for wait in ended if wait.closed_at)
            assert all(
                one.closed_at <= other.opened_at for one, other in pairwise(waits.changed) if one.closed_at
            )
            assert len(waits.changed) - len(ended) == (waits.open is not None)


# A failure prints its story and the blob that has it again (@reproduce_failure).
Waiting.TestCase.settings = settings(
    max_examples=max(1, MOVES // DEPTH // 4),
    stateful_step_count=DEPTH,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
TestWaiting = Waiting.TestCase
