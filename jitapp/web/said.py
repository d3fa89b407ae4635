"""What a page of the handlers says after a scan that it made: the stored answer as every page shows it."""

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
        look=str(body["look"]),
        headline=str(body["headline"]),
        message=str(body.get("detail", body["message"])),
        next=str(body["next"]),
        applied=body["outcome"] == Outcome.APPLIED,
        code=str(body["code"]),
    )
