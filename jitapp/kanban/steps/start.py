"""start: the supply source begins to fill (4.2 row 3)."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, applied
from jitapp.kanban.filling import FillingScan, filling
from jitapp.kanban.guards import MOVING
from jitapp.kanban.step import Step, register
from jitapp.kanban.vocabulary import Intent, SupplyStatus

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "started": applied(
        CARD + ": started. Make {quantity}.", "Scan again when the container is full.", headline="STARTED"
    ),
}


class Started(FillingScan, frozen=True, kw_only=True, tag_field="intent", tag="start"):
    """Filling began."""


STEP = register(
    Step(
        Intent.START,
        label="Start filling",
        says="Begins to fill the container.",
        answers=ANSWERS,
        effect=filling(Started, S.IN_PROCESS, "started"),
        guards=MOVING,
        moves={S.EMPTY: S.IN_PROCESS},
        side="supply",
        fills=True,
        undoable=True,
        acceptable=True,
        by_turn=True,
        usual=frozenset({S.EMPTY}),
    )
)
