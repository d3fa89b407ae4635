"""What a page says after a scan that it made itself: the stored answer, its headline and look as on the scan page."""

from __future__ import annotations

from dataclasses import dataclass

from jitapp.kanban.vocabulary import Outcome
from jitapp.pull.scan_request import Answer, Conflict
from jitapp.web.answers import shown


@dataclass(frozen=True, slots=True)
class Said:
    """Headline, sentence and next step; `look` is ok, calm, amber or red, `applied` whether something was changed."""

    look: str
    headline: str
    message: str
    next: str = ""
    applied: bool = False
    code: str = ""


def said_of(answer: Answer | Conflict) -> Said:
    """In the language of whoever scanned."""
    body = shown(answer, None)
    return Said(
        str(body["look"]),
        body["headline"],
        body["message"],
        body["next"],
        applied=body["outcome"] == Outcome.APPLIED,
        code=body["code"],
    )
