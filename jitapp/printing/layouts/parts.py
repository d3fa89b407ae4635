"""What every layout of a card needs: what is to be shown, codes with their quiet zones, the arrow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jitapp.printing.drawing import Code, Line
from jitapp.printing.facts import Printed
from jitapp.printing.symbols import Symbol


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of a part: JPEG bytes and its size in pixels."""

    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Copy:
    """One card that is to be printed: its facts, words and codes."""

    facts: Printed
    words: Mapping[str, str]
    revision: int
    date: str
    main: Symbol  # the QR code that any phone opens, or its GS1 form
    linear: Symbol  # the card's code for scanners
    second: Symbol | None = None  # a further code by choice
    work: Symbol | None = None  # the way to the standard work
    picture: Shown | None = None

    @property
    def which(self) -> str:
        """Card n of N; without N where a replacement has a higher number."""
        if self.facts.number > self.facts.of:
            return self.words["card"].format(self.facts.number)
        return self.words["card_of"].format(self.facts.number, self.facts.of)

    @property
    def stamp(self) -> str:
        """When it was printed, and the how many-th state of the facts it shows."""
        return f"{self.words['printed'].format(self.date)} · {self.words['revision'].format(self.revision)}"


def with_quiet_zone(symbol: Symbol, *, x: float, y: float, side: float, centred: bool = True) -> Code:
    """A code as large as a square of `side` mm at (x, y); its quiet zone reaches beyond that square, where the layout
    leaves room. A narrow one stands in the middle of the square."""
    module = side / max(symbol.columns, len(symbol.rows))
    made = Code(x, y, symbol, module)
    if not centred:
        return made
    return Code(x + (side - made.w) / 2, y + (side - made.h) / 2, symbol, module)


def arrow(x: float, y: float, length: float) -> list[Line]:
    """An arrow to the right whose shaft begins at (x, y)."""
    tip, wing, stroke = x + length, length * 0.32, length * 0.11
    return [
        Line(x, y, tip, y, stroke),
        Line(tip - wing, y - wing, tip, y, stroke),
        Line(tip - wing, y + wing, tip, y, stroke),
    ]
