"""What is printed beside cards: command cards, badges, signs of stations, and the page that tests a printer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jitapp.printing.drawing import Box, Code, Drawing, Line, set_text
from jitapp.printing.layouts.parts import with_quiet_zone
from jitapp.printing.layouts.sheets import A4, A4_LANDSCAPE, LETTER, Paper, imposed
from jitapp.printing.symbols import Symbol
from jitapp.symbology.commandcode import Command, CommandName

EDGE = 5.0
QUANTITIES = (1, 2, 5, 10, 20, 50, 100)
RULER = 100.0  # mm


@dataclass(frozen=True, slots=True)
class Sign:
    """A title, what is said below it, and the code in both forms."""

    title: str
    line: str
    small: str
    square: Symbol
    linear: Symbol | None  # None: the text is none that Code 128 can hold


def _no_card(*_: object) -> Drawing:
    raise TypeError("Signs are drawn by this module.")


COMMAND_PAPERS = {
    "a4": Paper("a4", (105.0, 74.25), _no_card, A4, 2, 4),
    "letter": Paper("letter", (107.95, 69.85), _no_card, LETTER, 2, 4),
}
BADGE_PAPERS = {
    "a4": Paper("a4", (85.6, 54.0), _no_card, A4, 2, 5),
    "letter": Paper("letter", (85.6, 54.0), _no_card, LETTER, 2, 5),
}
STATION_PAPERS = {
    "a4": Paper("a4", (148.5, 105.0), _no_card, A4_LANDSCAPE, 2, 2),
    "letter": Paper("letter", (139.7, 107.95), _no_card, LETTER[::-1], 2, 2),
}


def commands() -> list[Command]:
    """The commands of a sheet, in the order in which they are needed."""
    found = [Command(name) for name in CommandName if name is not CommandName.QTY]
    return found[:2] + [Command(CommandName.QTY, number) for number in QUANTITIES] + found[2:]


def sheet(paper: Paper, signs: Sequence[Sign]) -> list[Drawing]:
    """The pages of these signs."""
    return imposed(paper, [sign(one, *paper.piece) for one in signs])


def sign(shown: Sign, width: float, height: float) -> Drawing:
    """One of them: the square code left, what it says right, the linear code below."""
    drawing = Drawing(width, height)
    bars = 18.0 if height > 90 else 12.0 if height > 60 else 8.0
    side = min(height - 2 * EDGE - bars - 9, width * 0.36)
    quiet = side / shown.square.columns * 4
    drawing.add(with_quiet_zone(shown.square, x=EDGE, y=EDGE + 1, side=side))
    x = EDGE + side + quiet
    w = width - EDGE - x
    below = set_text(
        drawing,
        shown.title,
        x=x,
        y=EDGE + 2,
        w=w,
        h=side * 0.5,
        largest=34,
        smallest=9,
        face="bold",
        lines=2,
        whole=True,
    )
    below = set_text(
        drawing,
        shown.line,
        x=x,
        y=below + 3.5,
        w=w,
        h=max(3.0, side - (below + 3.5 - EDGE) - 4),
        largest=13,
        smallest=7,
        lines=3,
    )
    set_text(drawing, shown.small, x=x, y=below + 3, w=w, h=2.4, largest=8, smallest=5, grey=0.35)
    _bars(drawing, shown, height - EDGE - bars - 4.6, width - 2 * EDGE, bars)
    return drawing


def _bars(drawing: Drawing, shown: Sign, y: float, room: float, high: float) -> None:
    """The linear code, and what both codes say, in letters."""
    if shown.linear is not None:
        module = min(high * 0.035, room / (shown.linear.columns + 2 * shown.linear.quiet))
        x = (drawing.width - shown.linear.columns * module) / 2
        drawing.add(Code(x, y, shown.linear, module, high))
    set_text(
        drawing,
        shown.square.text,
        x=EDGE,
        y=y + high + 1.2,
        w=room,
        h=2.9,
        largest=10,
        smallest=5,
        face="mono",
        align="center",
        whole=True,
    )


def test_page(
    paper: str, words: Mapping[str, str], name: str, square: Symbol, linear: Symbol, date: str
) -> Drawing:
    """A ruler of 100 mm both ways, and codes from fine to coarse of which the two large ones are scanned back."""
    width, height = LETTER if paper == "letter" else A4
    drawing, left = Drawing(width, height), (width - RULER) / 2
    title = f"{words['test']} · {name}" if name else words["test"]
    set_text(drawing, title, x=20, y=22, w=width - 40, h=8, largest=26, smallest=10, face="bold")
    set_text(
        drawing, words["printed"].format(date), x=20, y=34, w=width - 40, h=3, largest=9, smallest=6, grey=0.3
    )
    _ruler(drawing, left, 60.0)
    set_text(
        drawing,
        words["ruler"],
        x=20,
        y=72,
        w=width - 40,
        h=9,
        largest=11,
        smallest=7,
        align="center",
        lines=2,
    )
    drawing.add(Box(left, 92, RULER, RULER, stroke=0.2))
    drawing.add(with_quiet_zone(square, x=left + 27.5, y=104, side=45))
    module = min(0.44, 88.0 / (linear.columns + 2 * linear.quiet))
    drawing.add(Code((width - linear.columns * module) / 2, 160, linear, module, 14))
    set_text(
        drawing, linear.text, x=left, y=177, w=RULER, h=4, largest=14, smallest=8, face="mono", align="center"
    )
    set_text(
        drawing,
        words["scan_back"],
        x=20,
        y=202,
        w=width - 40,
        h=9,
        largest=11,
        smallest=7,
        align="center",
        lines=2,
    )
    return drawing


def _ruler(drawing: Drawing, x: float, y: float) -> None:
    """Exactly 100 mm from the middle of the first stroke to the middle of the last."""
    drawing.add(Line(x, y, x + RULER, y, 0.25))
    for millimetre in range(int(RULER) + 1):
        high = 6.0 if millimetre % 10 == 0 else 4.0 if millimetre % 5 == 0 else 2.2
        drawing.add(Line(x + millimetre, y - high, x + millimetre, y, 0.15))
        if millimetre % 10 == 0:
            set_text(
                drawing,
                str(millimetre),
                x=x + millimetre - 5,
                y=y + 1.6,
                w=10,
                h=3,
                largest=8,
                smallest=6,
                align="center",
            )
