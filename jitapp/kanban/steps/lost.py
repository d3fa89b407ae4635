"""lost: nobody finds a card; its turn is kept if material is on its way."""

from __future__ import annotations

from jitapp.kanban.answers import CARD, Sentence, already, applied
from jitapp.kanban.conditions import PARTICIPATING
from jitapp.kanban.events.cards import CardLost
from jitapp.kanban.events.scans import ScanApplied
from jitapp.kanban.events.turns import TurnCancelled
from jitapp.kanban.guards import DECIDING, out_of_circulation
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.recalling import recall_signal, unhold
from jitapp.kanban.step import Reply, Situation, Step, no, register
from jitapp.kanban.vocabulary import CardStatus, Intent, ScanClass

ANSWERS: dict[str, Sentence] = {
    "lost": applied(CARD + " is reported lost.", "Print its replacement and put it on the container."),
    "already_lost": already(
        CARD + " is already reported lost.", "Nothing to do.", kind=ScanClass.REPEATED_SIGNAL
    ),
}


class ReportedLost(ScanApplied, frozen=True, kw_only=True, tag_field="intent", tag="lost"):
    """The card was reported lost."""


def _can_lose(s: Situation) -> Reply | None:
    if s.card.card_status is CardStatus.LOST:
        return no("already_lost")
    return None if s.card.card_status in PARTICIPATING else no(out_of_circulation(s.card))


def _lose(ledger: Ledger, s: Situation) -> Reply:
    """The open turn is kept if material is on its way, else cancelled."""
    scan, card, turn = s.scan, s.card, s.card.turn
    ledger.write(ReportedLost(reason=scan.reason, said=scan.said, settles=scan.settles), card)
    if turn is not None and not turn.under_way:
        ledger.write(TurnCancelled(reason="the card was reported lost"), card, turn=turn)
    elif turn is not None:
        if card.held:
            unhold(ledger, card)
        recall_signal(ledger, card)
    ledger.write(CardLost(reason=scan.reason), card)
    return Reply("lost")


STEP = register(
    Step(
        Intent.LOST,
        label="Card is lost",
        says="Reports a card lost; its replacement is made at once.",
        answers=ANSWERS,
        effect=_lose,
        guards=DECIDING,
        check=_can_lose,
        everybody=True,
        asserts=True,
        acceptable=True,
        in_error=True,
    )
)
