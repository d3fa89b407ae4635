"""What a page says after a scan that it made itself: the stored answer, its headline and look as on the scan page."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext

from jitapp.kanban.answers import ANSWERS, feedback
from jitapp.kanban.vocabulary import Outcome, ScreenState, Sound
from jitapp.pull.scan_request import Answer, Conflict
from jitapp.web.scan import LOOKS, STATE_HEADLINES, TITLES


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
    if isinstance(answer, Conflict):
        return Said(LOOKS[Sound.FALLING], gettext("NOT RECORDED"), answer.message, code=answer.code)
    body = answer.body
    code, outcome = body["code"], body["outcome"]
    signal = feedback(code)
    title = (ANSWERS[code].headline if code in ANSWERS else "") or TITLES[outcome]
    if outcome != Outcome.APPLIED:
        title = STATE_HEADLINES.get(ScreenState(body.get("state", signal.state)), title)
    look = LOOKS[Sound(body.get("sound", signal.sound))]
    return Said(
        look, gettext(title), body["message"], body["next"], applied=outcome == Outcome.APPLIED, code=code
    )
