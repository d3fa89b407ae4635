"""The pages of docs/rules."""

from __future__ import annotations

from jitapp.workshop.rulebook.answers import answers
from jitapp.workshop.rulebook.events import events
from jitapp.workshop.rulebook.invariants import invariants
from jitapp.workshop.rulebook.reading import ROOT
from jitapp.workshop.rulebook.settings import settings
from jitapp.workshop.rulebook.states import states

FOLDER = ROOT / "docs" / "rules"


def pages() -> dict[str, str]:
    """Name and text of each page; Django must be set up."""
    return {
        "states.md": states(),
        "answers.md": answers(),
        "events.md": events(),
        "settings.md": settings(),
        "invariants.md": invariants(),
    }
