"""block: a container must not be used until somebody has looked at it; its card goes on circulating (4, overlays)."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, already, applied, refused
from jitapp.kanban.events.cards import CardBlocked
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.guards import DECIDING, out_of_circulation
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.state import AT_HAND
from jitapp.kanban.step import Reply, Situation, Step, no, register
from jitapp.kanban.vocabulary import CardStatus, Intent, Role, ScanClass

ANSWERS: dict[str, Sentence] = {
    "blocked": applied(
        CARD + " is blocked: {given}.",
        "Leave the container where it is; quality looks at it.",
        headline="BLOCKED",
    ),
    "already_blocked": already(
        CARD + " is already blocked: {held}.", "Nothing to do.", kind=ScanClass.REPEATED_SIGNAL
    ),
    "block_not_here": refused(CARD + " is {status}: its container is not here.", "Hold the card instead."),
}


class Blocked(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="block"):
    """The container was blocked, for `reason`."""


def _can_block(s: Situation) -> Reply | None:
    card = s.card
    if card.card_status is not CardStatus.IN_CIRCULATION:
        return no(out_of_circulation(card))
    if card.blocked:
        return no("already_blocked")
    if card.supply_status not in AT_HAND:
        return no("block_not_here")
    return None if s.scan.reason else no("reason_missing")


def _block(ledger: Ledger, s: Situation) -> Reply:
    scan = s.scan
    ledger.write(Blocked(reason=scan.reason, said=scan.said, settles=scan.settles), s.card)
    ledger.write(CardBlocked(reason=scan.reason), s.card)
    return Reply("blocked")


STEP = register(
    Step(
        Intent.BLOCK,
        label="Container is blocked",
        says="Says that nobody may take from a container until it was looked at.",
        answers=ANSWERS,
        effect=_block,
        guards=DECIDING,
        check=_can_block,
        side="demand",
        roles=frozenset({Role.QUALITY, Role.HANDLER}),
        acceptable=True,
        in_error=True,
    )
)
