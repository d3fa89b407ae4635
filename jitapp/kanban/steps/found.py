"""found: a lost card turned up; it takes part again unless its replacement does."""

from __future__ import annotations

from decimal import Decimal

from jitapp.kanban.answers import CARD, Sentence, applied, refused
from jitapp.kanban.events.base import Entry, filled, holds
from jitapp.kanban.events.cards import CardFound, CardRemoved
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.events.turns import TurnCancelled
from jitapp.kanban.guards import DECIDING
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import signal
from jitapp.kanban.state import ZERO, Card, Loop, exact
from jitapp.kanban.step import Reply, Situation, Step, no, register
from jitapp.kanban.vocabulary import CardStatus, Intent, Role, SupplyStatus

S = SupplyStatus
ANSWERS: dict[str, Sentence] = {
    "found": applied(CARD + " was found and takes part again.", "Put it on its container."),
    "found_removed": applied(
        CARD + " was found, but its replacement takes part.", "Put this card in the red box."
    ),
    "found_last": applied(CARD + " was found; its last turn is over.", "Put this card in the red box."),
    "not_lost": refused(CARD + " is not reported lost.", "Scan it as usual."),
}


class Found(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="found"):
    """A lost card turned up, with `contents` pieces; `replaced`: another card has taken its place."""

    contents: Decimal | None = None
    replaced: bool = False

    def change(self, loop: Loop, card: Card, entry: Entry) -> None:
        """What is in its container is known again."""
        if self.contents is None:
            return
        if entry.to == S.FULL:
            filled(loop, card, self.contents, entry.occurred_at)
        holds(card, self.contents)


def _can_find(s: Situation) -> Reply | None:
    return None if s.card.card_status is CardStatus.LOST else no("not_lost")


def _find(ledger: Ledger, s: Situation) -> Reply:
    """A card that was replaced goes out, unless the person says that it takes part again (a quantity)."""
    scan, card = s.scan, s.card
    if _replaced(s) and scan.quantity is None:
        ledger.write(Found(replaced=True, reason=scan.reason, said=scan.said, settles=scan.settles), card)
        if card.turn is not None:
            ledger.write(TurnCancelled(reason="the card was replaced"), card, turn=card.turn)
        ledger.write(CardRemoved(note="found after its replacement"), card)
        return Reply("found_removed")
    contents = scan.quantity if scan.quantity is not None else card.contents
    full = contents > 0 and card.turn is None
    to = S.FULL if full else (card.supply_status if card.turn is not None else S.EMPTY)
    contents = exact(contents) if full else ZERO
    found = Found(contents=contents, reason=scan.reason, said=scan.said, settles=scan.settles)
    ledger.write(found, card, to=to)
    ledger.write(CardFound(), card)
    for other in _replacements(s):
        if other.card_status is CardStatus.NEW:  # nobody has put it on a container yet
            ledger.write(CardRemoved(note="the card that it replaces was found"), other)
    asks = signal(ledger, card, scan.new_uuid, begins=True) if not full and card.turn is None else ""
    return Reply("found_last" if asks == "emptied_last" else "found")


def _replaced(s: Situation) -> bool:
    """Whether another card has taken its place: is in circulation or was, and is not withdrawn."""
    gone = (CardStatus.NEW, CardStatus.REMOVED)
    return any(other.card_status not in gone for other in _replacements(s))


def _replacements(s: Situation) -> list[Card]:
    return [other for other in s.loop.siblings(s.card) if other.replaces == s.card.number]


STEP = register(
    Step(
        Intent.FOUND,
        label="Card is found",
        says="Says that a lost card turned up.",
        answers=ANSWERS,
        effect=_find,
        guards=DECIDING,
        check=_can_find,
        roles=frozenset({Role.PLANNER}),
        zero_counts=True,
        acceptable=True,
        in_error=True,
    )
)
