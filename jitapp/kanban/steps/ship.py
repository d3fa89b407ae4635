"""ship: a supplier sends the container (4.4 row 8)."""

from __future__ import annotations

from jitapp.kanban.answers import Sentence
from jitapp.kanban.filling import FillingScan, filling
from jitapp.kanban.guards import MOVING
from jitapp.kanban.step import Step, register
from jitapp.kanban.vocabulary import Intent, SupplyStatus

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {}


class Shipped(FillingScan, frozen=True, kw_only=True, tag_field="intent", tag="ship"):
    """The supplier sent the container."""


STEP = register(
    Step(
        Intent.SHIP,
        label="Sent",
        says="Sends the container, as a supplier does.",
        answers=ANSWERS,
        effect=filling(Shipped, S.IN_TRANSIT, "loaded"),
        guards=MOVING,
        moves={
            S.EMPTY: S.IN_TRANSIT,
            S.IN_PROCESS: S.IN_TRANSIT,
            S.COMPLETED: S.IN_TRANSIT,
        },
        side="supply",
        fills=True,
        measures=True,
        undoable=True,
        acceptable=True,
        by_turn=True,
        usual=frozenset({S.EMPTY, S.IN_PROCESS, S.COMPLETED}),
    )
)
