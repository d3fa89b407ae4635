"""receive: the full container stands at its place (4.1 row 8, 4.4 row 10)."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, applied
from jitapp.kanban.filling import FillingScan, filling
from jitapp.kanban.guards import MOVING
from jitapp.kanban.step import Step, register
from jitapp.kanban.vocabulary import Intent, SupplyStatus

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "received": applied(
        CARD + " is FULL at {demand} with {quantity}.",
        "Put the container in its place.",
        headline="FULL recorded",
    ),
}


class Received(FillingScan, frozen=True, kw_only=True, tag_field="intent", tag="receive"):
    """The full container stands at the demand source."""


STEP = register(
    Step(
        Intent.RECEIVE,
        label="Received, full",
        says="Takes the full container in.",
        answers=ANSWERS,
        effect=filling(Received, S.FULL, "received"),
        guards=MOVING,
        moves={
            S.EMPTY: S.FULL,
            S.IN_PROCESS: S.FULL,
            S.COMPLETED: S.FULL,
            S.IN_TRANSIT: S.FULL,
        },
        side="demand",
        fills=True,
        measures=True,
        acceptable=True,
        by_turn=True,
        usual=frozenset({S.COMPLETED, S.IN_TRANSIT}),
    )
)
