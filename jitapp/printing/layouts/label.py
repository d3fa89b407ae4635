"""The label of a container in landscape: 100 x 50, 85.6 x 54 (a bank card), 99.1 x 33.9 (16 on a sheet)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from jitapp.printing.drawing import Box, Code, Drawing, Line, Picture, Setting, set_text
from jitapp.printing.layouts.parts import Copy, arrow, with_quiet_zone
from jitapp.printing.symbols import Symbol

EDGE = 2.5
LARGEST_QR, LEAST_QR = 27.0, 25.0
BARS = 0.375  # mm: three dots of a printer with 203 dpi


def label(copy: Copy, width: float, height: float) -> Drawing:
    """The label, width by height mm; at least 80 by 33 mm."""
    drawing = Drawing(width, height)
    side = min(LARGEST_QR, max(LEAST_QR, height - 2 * EDGE - 12))
    quiet = side / copy.main.columns * copy.main.quiet
    left = max(EDGE, quiet)
    low = height < 45
    top = max(EDGE, quiet) + (0.0 if low else 0.5)
    drawing.add(with_quiet_zone(copy.main, x=left, y=top, side=side))
    x = left + side + quiet
    w = width - EDGE - x
    if low:
        _low_column(drawing, copy, x, w, height)
        return drawing
    _column(drawing, copy, x, w, height)
    _below_the_code(drawing, copy, left, top + side + quiet * 0.75, side, height)
    return drawing


def _column(drawing: Drawing, copy: Copy, x: float, w: float, height: float) -> None:
    facts, words = copy.facts, _Words(drawing, x)
    words.set(facts.part, EDGE + 0.6, w, 8.6, 26, 9, face="bold", lines=2, whole=True)
    words.set(facts.description, EDGE + 11.0, w, 2.6, 8, 5.5, grey=0.15)
    y = EDGE + 15.0
    beside = _beside(drawing, copy, x + w, y)
    _counted(drawing, copy, x, y, w - beside)
    _way(drawing, copy, x, y + 10.4, w - beside, height - EDGE - y - 24.0)
    _bars(drawing, copy, x, height - EDGE - 12.2, w, 8.4)


def _beside(drawing: Drawing, copy: Copy, right: float, y: float) -> float:
    """A further code, or the picture, at the right edge; returns how much width it takes."""
    if copy.second is not None:
        code = with_quiet_zone(copy.second, x=0, y=0, side=13.0, centred=False)
        drawing.add(Code(right - code.w, y, code.symbol, code.module))
        return code.w + 2.5
    if copy.picture is not None:
        shown = copy.picture
        by = min(17.0 / shown.width, 13.0 / shown.height)
        w, h = shown.width * by, shown.height * by
        drawing.add(Picture(right - w, y, w, h, shown.data))
        return w + 2.0
    return 0.0


def _counted(drawing: Drawing, copy: Copy, x: float, y: float, w: float) -> None:
    """The quantity, white on black, and which card it is."""
    amount = f"{copy.facts.quantity} {copy.facts.unit}".strip()
    drawing.add(Box(x, y, w * 0.52, 8.4))
    inside = _Words(drawing, x + 1.5)
    inside.set(amount, y + 1.9, w * 0.52 - 3, 4.8, 19, 6, face="bold", grey=1.0, whole=True)
    beside = _Words(drawing, x + w * 0.56)
    beside.set(copy.which, y + 0.5, w * 0.44, 3.2, 10, 5, face="bold")
    beside.set(copy.facts.loop, y + 5.6, w * 0.44, 2.6, 8, 4.5, grey=0.15)


def _way(drawing: Drawing, copy: Copy, x: float, y: float, w: float, h: float) -> None:
    """From whom to whom."""
    half = (w - 6) / 2
    _Words(drawing, x).set(copy.facts.supply, y, half, h, 9, 5, face="bold", lines=2)
    drawing.add(*arrow(x + half + 1.0, y + 1.2, 3.6))
    _Words(drawing, x + half + 6).set(copy.facts.demand, y, half, h, 9, 5, face="bold", lines=2)


@dataclass(slots=True)
class _Words:
    """Texts whose boxes begin at the same x."""

    drawing: Drawing
    x: float

    def set(
        self,
        text: str,
        y: float,
        w: float,
        h: float,
        largest: float,
        smallest: float,
        **how: Unpack[Setting],
    ) -> float:
        """`set_text` there; returns the y below."""
        return set_text(
            self.drawing,
            text,
            x=self.x,
            y=y,
            w=w,
            h=h,
            largest=largest,
            smallest=smallest,
            **how,
        )


def _bars(drawing: Drawing, copy: Copy, x: float, y: float, w: float, height: float) -> None:
    """The linear code at the right edge of its column, its text below."""
    module = bar_width(copy.linear, w)
    bars = Code(x + (w - copy.linear.columns * module) / 2, y, copy.linear, module, height)
    drawing.add(bars)
    _Words(drawing, x).set(copy.facts.code, y + height + 1.0, w, 2.7, 10, 7, face="mono", align="center")


def bar_width(symbol: Symbol, room: float) -> float:
    """The width of a linear code's modules in `room` mm, quiet zones included."""
    return min(BARS, room / (symbol.columns + 2 * symbol.quiet))


def _below_the_code(drawing: Drawing, copy: Copy, x: float, y: float, w: float, height: float) -> None:
    """What to do, and of when the print is; a line for a pen where there is room."""
    y = max(y, height - EDGE - 12.0)
    words = _Words(drawing, x)
    below = words.set(copy.words["scan"].upper(), y, w, 5.5, 8.5, 5, face="bold", lines=2)
    words.set(copy.stamp, height - EDGE - 1.9, w, 1.9, 5.5, 3.5, grey=0.2)
    if height - EDGE - 3.2 - below > 4:
        drawing.add(Line(x, height - EDGE - 3.4, x + w, height - EDGE - 3.4, 0.12, 0.6))


def _low_column(drawing: Drawing, copy: Copy, x: float, w: float, height: float) -> None:
    """Of a label too low for two lines of everything."""
    facts, words = copy.facts, _Words(drawing, x)
    words.set(facts.part, EDGE, w, 5.2, 19, 8, face="bold", lines=2, whole=True)
    words.set(facts.description, EDGE + 6.6, w, 2.2, 7, 5, grey=0.15)
    beside = 0.0
    if copy.second is not None:
        code = with_quiet_zone(copy.second, x=0, y=0, side=9.5, centred=False)
        drawing.add(Code(x + w - code.w, EDGE + 9.0, code.symbol, code.module))
        beside = code.w + 2.0
    amount = f"{facts.quantity} {facts.unit}".strip()
    half = (w - beside) / 2
    words.set(amount, EDGE + 10.1, half - 1, 3.6, 13, 6, face="bold", whole=True)
    right = _Words(drawing, x + half)
    right.set(copy.which, EDGE + 10.6, half, 2.8, 9, 5, face="bold", align="right")
    _way(drawing, copy, x, EDGE + 15.2, w - beside, 2.9)
    bars = height - EDGE - 9.4
    module = bar_width(copy.linear, w)
    drawing.add(Code(x + (w - copy.linear.columns * module) / 2, bars, copy.linear, module, 6.2))
    words.set(facts.code, bars + 7.1, w / 2, 2.2, 8, 6, face="mono")
    _Words(drawing, x + w / 2).set(copy.stamp, bars + 7.4, w / 2, 1.7, 5, 3.5, align="right", grey=0.2)
