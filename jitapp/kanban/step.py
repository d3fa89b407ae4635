"""What an intent is: one `Step` value, in a file of its own under steps/. Everything the product knows of an intent is
a field of it; tables by intent are views of `STEPS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec

from jitapp.kanban.answers import Sentence, add_answer
from jitapp.kanban.ledger import Ledger, Scan
from jitapp.kanban.state import Card, Loop
from jitapp.kanban.vocabulary import Intent, Role, SupplyStatus

Side = Literal["demand", "supply"]


class Reply(msgspec.Struct, frozen=True):
    """What a guard or an effect has to say: a code of the catalogue (a guard without one lets the scan go on), facts
    for its sentence, and warnings."""

    code: str = ""
    facts: Mapping[str, object] = msgspec.field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class Situation(msgspec.Struct, frozen=True):
    """A scan at its card, before anything is changed. `at` is when it counts as done, `side` the end of the loop where
    it was made, `position` where the container stands that the step is about: the one to be filled, or the one at hand.
    """

    loop: Loop
    card: Card
    scan: Scan
    intent: Intent | None
    step: Step | None
    at: datetime
    side: Side | None
    position: SupplyStatus


Guard = Callable[[Situation], Reply | None]
Effect = Callable[[Ledger, Situation], Reply]


@dataclass(frozen=True, slots=True)
class Step:
    """One intent.

    `moves` says from where to where it moves the container; none: it moves nothing along its way. `side` is the end of
    the loop where it is done (rule C13), `roles` may do it anywhere, and so may leaders. `fills` needs a released turn
    (rule C5). `measures`: its quantity is compared with what was asked. `zero_counts`: a quantity of 0 says something.
    `asserts` how things stand: told late it waits for a person. `undoable` by the card's next scan; `acceptable` is
    what a person may make of a parked scan; `in_error`: also done to a turn that stands in ERROR. `usual` is where its
    card usually stands. `by_turn`: POST /turns/{id}/<intent>. `label` is the word on a button, `says` one sentence for
    the documentation; `answers` are the sentences that only this step gives.
    """

    intent: Intent
    label: str
    says: str
    answers: Mapping[str, Sentence]
    effect: Effect
    guards: tuple[Guard, ...]
    moves: Mapping[SupplyStatus, SupplyStatus] = field(default_factory=dict)
    side: Side | None = None
    roles: frozenset[Role] = frozenset()
    everybody: bool = False
    check: Guard | None = None
    fills: bool = False
    measures: bool = False
    zero_counts: bool = False
    asserts: bool = False
    undoable: bool = False
    acceptable: bool = False
    in_error: bool = False
    by_turn: bool = False
    usual: frozenset[SupplyStatus] = frozenset()

    @property
    def target(self) -> SupplyStatus | None:
        """Where the container stands afterwards, for steps that move it."""
        return next(iter(self.moves.values()), None)


STEPS: dict[Intent, Step] = {}


def register(step: Step) -> Step:
    """Adds a step to the book. Raises ValueError for an intent or a code that is there."""
    if step.intent in STEPS:
        raise ValueError(f"{step.intent} has a step already.")
    STEPS[step.intent] = step
    for code, sentence in step.answers.items():
        add_answer(code, sentence)
    return step


def no(code: str, **facts: object) -> Reply:
    """The scan ends here, with this code."""
    return Reply(code, facts)


def side_of(loop: Loop, station_id: int | None) -> Side | None:
    """Which end of the loop a station is."""
    if station_id == loop.config.demand_id:
        return "demand"
    return "supply" if station_id == loop.config.supply_id else None


def words(status: SupplyStatus | str) -> str:
    """A status as people see it."""
    return str(status).replace("_", " ")
