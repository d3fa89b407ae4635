"""docs/rules/answers.md: every code that a scan may be answered with."""

from __future__ import annotations

from jitapp.kanban.answers import ANSWERS, feedback
from jitapp.kanban.steps.all import STEPS
from jitapp.kanban.vocabulary import Outcome, ScanClass, ScreenState
from jitapp.kanban.warnings import WARNINGS
from jitapp.workshop.rulebook.markdown import page, table

CLASSES = {
    ScanClass.EXPECTED: "the next step of this card",
    ScanClass.BOUNCE: "the same device read the same card within the loop's bounce time",
    ScanClass.REPEATED_SIGNAL: "asked for once more; the first time stands",
    ScanClass.WRONG_CARD: "a sibling was probably meant: the answer asks `Did you mean card 3?`",
    ScanClass.STALE_LABEL: "the print on the card is no longer true: the answer says what a container holds now",
    ScanClass.RETIRED_CARD: "withdrawn, surplus, obsolete or lost",
    ScanClass.WRONG_STATION: "neither end of the loop, or the other end",
    ScanClass.LATE: "it happened before the card's last event",
    ScanClass.OTHER: "a rule said no",
}
SCREENS = {
    ScreenState.APPLIED: "recorded",
    ScreenState.FLAGGED: "recorded, with a warning",
    ScreenState.REPEAT: "read twice",
    ScreenState.ATTENTION: "nothing to do",
    ScreenState.WRONG_CARD: "another card was probably meant",
    ScreenState.STALE_LABEL: "the label is out of date",
    ScreenState.WRONG_PLACE: "not here",
    ScreenState.WITHDRAWN: "the card takes no part",
    ScreenState.FOREIGN: "some other maker's code",
    ScreenState.UNREAD: "the code was read badly",
    ScreenState.UNKNOWN: "nobody knows this card",
    ScreenState.REFUSED: "a rule said no",
    ScreenState.PARKED: "kept for a person to settle",
}


def answers() -> str:
    """The page."""
    where = {code: str(step.intent) for step in STEPS.values() for code in step.answers}
    parts = [
        "An answer is a code and facts; the sentence and the next step are made from them in the reader's language."
        " What is heard (`sound`) and shown (`state`) stands in the answer beside the sentence. `intent` names the"
        " step that gives the code, where only one does; the others come from the guards, which are asked in the order"
        " G4, G12, G5 to G11.",
    ]
    for outcome in Outcome:
        rows = [
            (
                f"`{code}`",
                sentence.message,
                sentence.next,
                feedback(code).sound,
                feedback(code).state,
                where.get(code, ""),
            )
            for code, sentence in ANSWERS.items()
            if sentence.outcome is outcome
        ]
        parts += [
            f"## {outcome}",
            table(("code", "sentence", "next step", "sound", "state", "intent"), rows),
        ]
    parts += [
        "## Warnings",
        "They stand behind the sentence of a scan; what was decided stays decided.",
        table(("warning", "sentence"), [(f"`{name}`", sentence) for name, sentence in WARNINGS.items()]),
        "## What a scan was, in its sequence",
        "Told by the clock where the code alone cannot tell (jitapp/kanban/classify.py).",
        table(("class", "means"), list(CLASSES.items())),
        "## States of a screen",
        table(("state", "means"), list(SCREENS.items())),
    ]
    return page("Answers", *parts)
