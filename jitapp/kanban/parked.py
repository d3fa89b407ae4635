"""What a person may do with a parked scan: each choice is tried on a copy of the loop, so that its consequence is what
the rules will really do, word for word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec.structs import fields

from jitapp.kanban.answers import asked_code
from jitapp.kanban.ledger import Facts, Scan
from jitapp.kanban.lifecycle import decide
from jitapp.kanban.state import Card, Loop, LoopCounters
from jitapp.kanban.steps.all import STEPS
from jitapp.kanban.vocabulary import CardStatus, Intent, Outcome, Role, SupplyStatus

S = SupplyStatus
SETTLERS = frozenset({Role.LEADER, Role.PLANNER, Role.ADMIN})
# What an acceptance may mean; the rest (promises, documents, undo) belongs to whoever said it.
ACCEPTABLE = frozenset(intent for intent, step in STEPS.items() if step.acceptable)
_REASON = "settled by a person"


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to accept a parked scan now; `code`, `facts` and `warnings` say what it would do."""

    intent: Intent
    status: SupplyStatus | None
    needs_quantity: bool
    code: str
    facts: Facts
    warnings: tuple[str, ...]

    @property
    def name(self) -> str:
        """As forms and clients send it: `empty`, `correct:FULL`."""
        return f"{self.intent}:{self.status}" if self.status else str(self.intent)


def read_choice(name: str) -> tuple[Intent, SupplyStatus | None] | None:
    """The intent and the status of a choice's name; None for a name that no choice has."""
    intent, _, status = name.partition(":")
    if intent not in ACCEPTABLE or (status and status not in set(SupplyStatus)):
        return None
    return Intent(intent), SupplyStatus(status) if status else None


def choices(
    loop: Loop,
    card: Card,
    intent: Intent | None,
    *,
    now: datetime,
    station_id: int | None,
    new_uuid: Callable[[], UUID],
) -> list[Choice]:
    """What can be done with a parked scan of `card` now, the scan's own meaning first. Changes nothing."""
    found: list[Choice] = []
    shown: set[tuple[str, str]] = set()
    for wanted, status in _candidates(card, intent):
        trial, of = _copied(loop, card)
        quantity = of.contents if wanted is Intent.COUNT else None
        decision = decide(
            trial,
            of,
            Scan(
                occurred_at=now,
                recorded_at=now,
                new_uuid=new_uuid,
                intent=wanted,
                station_id=station_id,
                quantity=quantity,
                reason=_REASON,
                is_leader=True,
                roles=frozenset({Role.LEADER}),
                target=status,
            ),
        )
        end = (str(of.card_status), str(of.supply_status))
        if decision.outcome is not Outcome.APPLIED or end in shown:
            continue
        if wanted is not Intent.COUNT:
            shown.add(end)
        found.append(
            Choice(
                wanted,
                status,
                wanted is Intent.COUNT,
                asked_code(decision.code, loop.config.supply_kind),
                decision.facts,
                tuple(decision.warnings),
            )
        )
    return found


def _candidates(card: Card, intent: Intent | None) -> Iterator[tuple[Intent, SupplyStatus | None]]:
    if intent in ACCEPTABLE and intent is not Intent.CORRECT:
        yield Intent(intent), None
    if card.card_status is CardStatus.LOST:
        yield Intent.FOUND, None
    if card.card_status is CardStatus.HELD:
        yield Intent.RELEASE, None
    for status in (S.FULL, S.EMPTY):
        if card.supply_status is not status:
            yield Intent.CORRECT, status


def _copied(loop: Loop, card: Card) -> tuple[Loop, Card]:
    """The loop with cards and turns of its own, to be tried on."""
    counters = {each.name: getattr(loop, each.name) for each in fields(LoopCounters)}
    trial = Loop(**counters, config=loop.config, runout=copy(loop.runout), past=loop.past)
    trial.fresh, trial.register = list(loop.fresh), dict(loop.register)
    for other in loop.cards.values():
        twin = trial.cards[other.id] = copy(other)
        twin.turn = copy(other.turn)
    return trial, trial.cards[card.id]
