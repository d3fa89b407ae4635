"""Command cards: what hands in gloves say to a tablet by scanning a printed code instead of touching the glass.

`KC`, eight symbols and a check symbol, from the alphabet of card codes and with their check, so that a command is read
through every keyboard layout and never taken for a card. The first two symbols name the command, the other six are its
number in decimal digits (the quantity of QTY, else 0).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from jitapp.symbology.ascii import upper
from jitapp.symbology.cardcode import ALPHABET, BODY_LENGTH, check_symbol

PREFIX = "KC"
MOST = 999_999
_SHAPE = re.compile(rf"{PREFIX}([{ALPHABET}]{{2}})([0-9]{{6}})[{ALPHABET}]")


class CommandName(StrEnum):
    """What can be said; the value is the two symbols in the code."""

    UNDO = "BK"  # take the last scan back
    HELP = "HP"  # call for help at this station
    QTY = "QT"  # the next scan is about this quantity
    HOLD = "HD"  # the next card is put on hold
    OVERRIDE = "VR"  # the next card is taken here, though it belongs elsewhere
    END_SHIFT = "ES"  # sign out
    BRIGHT = "BR"  # the next theme: day, dim, sun


@dataclass(frozen=True, slots=True)
class Command:
    """One command with its number."""

    name: CommandName
    number: int = 0

    @property
    def code(self) -> str:
        """What is printed. ValueError for a number outside 0 to 999999."""
        if not 0 <= self.number <= MOST:
            raise ValueError(f"A command card holds 0 to {MOST}, not {self.number}.")
        body = f"{self.name.value}{self.number:06d}"
        return f"{PREFIX}{body}{check_symbol(body)}"


def read_command(text: str) -> Command | None:
    """The command whose code `text` is, in any case; None for everything else."""
    code = upper(text)
    found = _SHAPE.fullmatch(code)
    if found is None or check_symbol(code[2 : 2 + BODY_LENGTH]) != code[-1]:
        return None
    symbols, number = found.groups()
    names = {name.value: name for name in CommandName}
    return Command(names[symbols], int(number)) if symbols in names else None


_ANYWHERE = re.compile(rf"{PREFIX}[{ALPHABET}]{{{BODY_LENGTH + 1}}}")


def commands_in(raw: str) -> list[str]:
    """The codes of command cards inside what a scanner sent, in their order."""
    text = upper(raw)
    if PREFIX not in text:
        return []
    return [found[0] for found in _ANYWHERE.finditer(text) if read_command(found[0]) is not None]
