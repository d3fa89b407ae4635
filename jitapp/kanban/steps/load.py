"""load: the container leaves the supply source (4.1 row 7)."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, applied
from jitapp.kanban.filling import FillingScan, filling
from jitapp.kanban.guards import MOVING
from jitapp.kanban.step import Step, register
from jitapp.kanban.vocabulary import Intent, SupplyStatus

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "loaded": applied(
        CARD + " is on its way to {demand}.", "Bring it to {demand} and scan it there.", headline="ON ITS WAY"
    ),
}


class Loaded(FillingScan, frozen=True, kw_only=True, tag_field="intent", tag="load"):
    """The container is on its way."""


STEP = register(
    Step(
        Intent.LOAD,
        label="On its way",
        says="Sends the container on its way.",
        answers=ANSWERS,
        effect=filling(Loaded, S.IN_TRANSIT, "loaded"),
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
        usual=frozenset({S.IN_PROCESS, S.COMPLETED}),
    )
)
