"""complete: the container is filled (4.2 row 5)."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, applied
from jitapp.kanban.filling import FillingScan, filling
from jitapp.kanban.guards import MOVING
from jitapp.kanban.step import Step, register
from jitapp.kanban.vocabulary import Intent, SupplyStatus

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "completed": applied(
        CARD + ": {quantity} done.", "Put the container where it is collected.", headline="DONE"
    ),
}


class Completed(FillingScan, frozen=True, kw_only=True, tag_field="intent", tag="complete"):
    """The container was filled."""


STEP = register(
    Step(
        Intent.COMPLETE,
        label="Filled",
        says="Says that the container is filled.",
        answers=ANSWERS,
        effect=filling(Completed, S.COMPLETED, "completed"),
        guards=MOVING,
        moves={S.EMPTY: S.COMPLETED, S.IN_PROCESS: S.COMPLETED},
        side="supply",
        fills=True,
        measures=True,
        undoable=True,
        acceptable=True,
        by_turn=True,
        usual=frozenset({S.IN_PROCESS}),
    )
)
