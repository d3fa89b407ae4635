"""open: the first piece is taken out of a full container (4.1 row 2)."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, applied
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.guards import MOVING
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import opened
from jitapp.kanban.step import Reply, Situation, Step, register
from jitapp.kanban.vocabulary import Intent, SupplyStatus

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "opened": applied(CARD + " is IN USE.", "Take from this container until it is empty.", headline="IN USE"),
}


class Opened(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="open"):
    """The container is in use."""


def _open(ledger: Ledger, s: Situation) -> Reply:
    """One container is used up before the next is opened; another one IN_USE is not refused, but said."""
    in_use = [other.number for other in s.loop.siblings(s.card) if other.supply_status is S.IN_USE]
    ledger.write(Opened(said=s.scan.said, settles=s.scan.settles), s.card, to=S.IN_USE)
    opened(ledger, s.card, s.scan.new_uuid)
    if in_use:
        return Reply("opened", {"open": in_use[0]}, ("another_open",))
    return Reply("opened")


STEP = register(
    Step(
        Intent.OPEN,
        label="Container is opened",
        says="Takes the first piece out of a full container.",
        answers=ANSWERS,
        effect=_open,
        guards=MOVING,
        moves={S.FULL: S.IN_USE},
        side="demand",
        undoable=True,
        acceptable=True,
        usual=frozenset({S.FULL}),
    )
)
