"""What happened to a loop or a card, in sentences: one for each type of event."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark

from jitapp.kanban.step import STEPS
from jitapp.kanban.vocabulary import Intent, LoopKind
from jitapp.pull.reading.sheets import HistoryLine
from jitapp.web.phrases import Words

# The card, the place and the person stand beside it.
SENTENCES = {
    "andon.called": mark("Called for help"),
    "andon.repeated": mark("Called again"),
    "andon.answered": mark("The call was taken"),
    "andon.escalated": mark("Nobody took the call: the next one was called"),
    "andon.solved": mark("The call was solved"),
    "card.added": mark("The card was made"),
    "card.activated": mark("The card came into circulation"),
    "card.opened": mark("The next container was opened"),
    "card.unopened": mark("The opening of the next container was taken back"),
    "card.drawn": mark("Pieces were taken out"),
    "card.booked": mark("Pieces were promised to a turn"),
    "card.unbooked": mark("Pieces that were promised are free again"),
    "card.emptied": mark("The last piece was taken out"),
    "card.held": mark("The card was put on hold"),
    "card.unheld": mark("The card takes part again"),
    "card.lost": mark("The card was reported lost"),
    "card.found": mark("The lost card was found"),
    "card.removed": mark("The card was withdrawn for good"),
    "card.surplus": mark("The card is no longer needed"),
    "card.restored": mark("The card is needed again"),
    "card.obsolete": mark("The card belongs to a loop that has ended"),
    "card.blocked": mark("The container was blocked"),
    "card.unblocked": mark("The container may be used again"),
    "card.relabelled": mark("The state of its label changed"),
    "card.waits": mark("The empty card waits until it is released"),
    "card.authorised": mark("The waiting card may be filled"),
    "card.detached": mark("Its container was taken: the card goes to the post"),
    "loop.changed": mark("The settings of the loop were changed"),
    "demand.suppressed": mark("Emptied while the loop was on hold: nothing was asked for"),
    "draw.short": mark("A turn needed pieces that nobody had"),
    "draw.rounded": mark("A turn needed a fraction of a piece"),
    "runout.opened": mark("Nothing was left"),
    "runout.closed": mark("There was stock again"),
    "runout.revised": mark("A late scan changed when nothing was left"),
    "wait.opened": mark("It stands still"),
    "wait.closed": mark("It goes on"),
    "scan.applied": mark("Scanned"),
    "station.changeover_began": mark("The station began to change over"),
    "station.stands_still": mark("The station stands still"),
    "station.changeover": mark("The station had changed over"),
    "station.breakdown": mark("The station had been down"),
    "station.no_operator": mark("Nobody had been at the station"),
    "station.planned_stop": mark("The station had been stopped on purpose"),
    "station.report": mark("The station reported something"),
    "turn.opened": mark("It is to be filled, and not released yet"),
    "turn.released": mark("The signal went out"),
    "turn.acknowledged": mark("The signal was seen"),
    "turn.answer_late": mark("The supplier has not answered in time"),
    "turn.promised": mark("The supplier promised a date"),
    "turn.rejected": mark("The supplier said no"),
    "turn.doc_asked": mark("The ERP was asked for its document"),
    "turn.documented": mark("The ERP gave its document"),
    "turn.docked": mark("The container arrived at the dock"),
    "turn.recalled": mark("The signal was taken back"),
    "turn.resumed": mark("The turn goes on"),
    "turn.short": mark("The supermarket has no full container"),
    "turn.failed": mark("Something went wrong: it stands in ERROR"),
    "turn.recovered": mark("What went wrong was put right"),
    "turn.corrected": mark("A person corrected where it stands"),
    "turn.started": mark("Filling began"),
    "turn.completed": mark("The container was filled"),
    "turn.aborted": mark("Filling was broken off"),
    "turn.reverted": mark("The last step was taken back"),
    "turn.shipped": mark("The container was sent"),
    "turn.received": mark("The full container arrived"),
    "turn.cancelled": mark("The turn ended without a delivery"),
    "turn.demand_cancelled": mark("What it was asked for is no longer needed"),
}
KINDS = {
    LoopKind.TWO_BIN: mark("Two bins"),
    LoopKind.PRODUCTION: mark("Production"),
    LoopKind.WITHDRAWAL: mark("Withdrawal"),
    LoopKind.SUPPLIER: mark("Supplier"),
    LoopKind.TRANSFER: mark("Transfer"),
    LoopKind.EVENT: mark("By order"),
}


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of the ledger with its sentence; `detail` says why, as far as it is known."""

    line: HistoryLine
    sentence: str
    detail: str


def told(lines: list[HistoryLine], words: Words) -> list[Happening]:
    """The lines in the language of `words`, which must be the active one."""
    return [Happening(line, gettext(_sentence(line)), _detail(line, words)) for line in lines]


def kind_word(kind: str) -> str:
    """The kind of a loop in the person's language."""
    return gettext(KINDS[LoopKind(kind)])


def _sentence(line: HistoryLine) -> str:
    """A scan is told by the step that it was."""
    return STEPS[Intent(line.intent)].label if line.intent else SENTENCES[line.type]


def _detail(line: HistoryLine, words: Words) -> str:
    if line.type.startswith("runout."):
        return words.causes.get(line.reason, "")
    if line.type.startswith("wait."):
        return words.whys.get(line.reason, "").format("")
    return line.reason
