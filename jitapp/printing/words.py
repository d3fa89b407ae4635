"""The words on a printed card, in the language that whoever prints chooses."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark

from jitapp.plant.spoken import spoken
from jitapp.plant.wording.kept import Wording

CAPTIONS = {
    "quantity": mark("Quantity"),
    "from": mark("From"),
    "to": mark("To"),
    "card_of": mark("Card {} of {}"),
    "card": mark("Card {}"),
    "supplier": mark("Supplier"),
    "lead_time": mark("Lead time"),
    "container": mark("Container"),
    "route": mark("Route"),
    "scan": mark("Scan when empty"),
    "printed": mark("Printed {}"),
    "revision": mark("Rev. {}"),
    "notes": mark("Notes"),
    "standard_work": mark("Standard work"),
    "station": mark("Station"),
    "badge": mark("Badge"),
    "area": mark("Area"),
    "test": mark("Test page"),
    "ruler": mark(
        "100 mm: measure it. Shorter or longer? Print again at 100 %, without fitting to the page."
    ),
    "scan_back": mark("Scan this code on the page Print: then the printer is verified."),
    "commands": mark("Command cards: scan one instead of touching the screen."),
}
# What each command card says, and what it does.
COMMANDS = {
    "UNDO": (mark("UNDO"), mark("takes the last scan back")),
    "HELP": (mark("HELP"), mark("calls for help at this station")),
    "QTY": (mark("QUANTITY {}"), mark("the next scan is about {} pieces")),
    "HOLD": (mark("HOLD"), mark("the next card is put on hold")),
    "OVERRIDE": (mark("OVERRIDE"), mark("the next card is taken here, though it belongs elsewhere")),
    "END_SHIFT": (mark("END SHIFT"), mark("signs you out")),
    "BRIGHT": (mark("BRIGHT"), mark("the next theme of the screen: day, dim, sun")),
}


def captions(language: str, wording: Wording | None = None) -> Mapping[str, str]:
    """The words by name, as they are said somewhere; where that is not told, as they are said now."""
    with spoken(language, wording):
        return {name: gettext(text) for name, text in CAPTIONS.items()}


def command_words(language: str) -> Mapping[str, tuple[str, str]]:
    """Name and effect of each command."""
    with spoken(language):
        return {name: (gettext(title), gettext(effect)) for name, (title, effect) in COMMANDS.items()}
