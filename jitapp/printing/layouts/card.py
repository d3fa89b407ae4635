"""The card of a container in portrait: A6 and everything of about its proportions, down to an eighth of a sheet.

Measures are those of a card 105 mm wide; another width scales them all, and what the height leaves over or lacks goes
to the space for notes and to the part number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from jitapp.printing.drawing import Align, Box, Code, Drawing, Line, Picture, Setting, set_text
from jitapp.printing.layouts.parts import Copy, arrow, with_quiet_zone

WIDTH = 105.0
EDGE = 6.0
INNER = WIDTH - 2 * EDGE
LEAST_QR = 25.0  # mm: what a phone and a worn scanner still read at arm's length
USUAL = 148.0  # height of an A6 card


@dataclass(slots=True)
class _Page:
    """A drawing in scaled units."""

    drawing: Drawing
    scale: float

    def text(
        self,
        text: str,
        x: float,
        y: float,
        w: float,
        h: float,
        largest: float,
        smallest: float,
        **how: Unpack[Setting],
    ) -> float:
        """`set_text` with everything scaled; returns the y below, in these units."""
        s = self.scale
        below = set_text(
            self.drawing,
            text,
            x=x * s,
            y=y * s,
            w=w * s,
            h=h * s,
            largest=largest * s,
            smallest=smallest * s,
            **how,
        )
        return below / s

    def caption(self, text: str, x: float, y: float, w: float, align: Align = "left") -> float:
        """A small grey word above a value."""
        return self.text(text, x, y, w, 2.4, 7.5, 4.5, grey=0.35, align=align)

    def line(
        self, x1: float, y1: float, x2: float, y2: float, stroke: float = 0.25, grey: float = 0.0
    ) -> None:
        """A line."""
        s = self.scale
        self.drawing.add(Line(x1 * s, y1 * s, x2 * s, y2 * s, stroke * s, grey))


def card(copy: Copy, width: float, height: float) -> Drawing:
    """The card, width by height mm."""
    page = _Page(Drawing(width, height), width / WIDTH)
    low = min(0.0, height / page.scale - USUAL)  # how much lower it is than an A6 card
    y = _head(page, copy, EDGE)
    y = page.text(copy.facts.part, EDGE, y, INNER, 14.5, 44 + low, 14, face="bold", lines=2, whole=True) + 3.2
    y = page.text(copy.facts.description, EDGE, y, INNER, 8.6, 12, 8, lines=2, grey=0.15) + 4.2
    y = _middle(page, copy, y, max(33.0 + low * 0.45, LEAST_QR / page.scale))
    y = _way(page, copy, y)
    y = _small_facts(page, copy, y)
    foot = height / page.scale - EDGE - 22.6
    _notes(page, copy, y, foot - 2.0)
    _foot(page, copy, foot)
    return page.drawing


def _head(page: _Page, copy: Copy, y: float) -> float:
    """The loop, and which of its cards this is."""
    s, height = page.scale, 10.5
    page.drawing.add(Box(EDGE * s, y * s, INNER * s, height * s))
    page.text(copy.facts.loop, EDGE + 3, y + 3.6, INNER * 0.56, 3.4, 13, 6, face="bold", grey=1.0)
    left, w = EDGE + INNER * 0.6, INNER * 0.4 - 3
    page.text(copy.which, left, y + 3.2, w, 4.1, 16, 8, face="bold", align="right", grey=1.0)
    return y + height + 4.0


def _middle(page: _Page, copy: Copy, y: float, side: float) -> float:
    """The code that phones read, the quantity, the picture."""
    s = page.scale
    page.drawing.add(with_quiet_zone(copy.main, x=EDGE * s, y=y * s, side=side * s))
    left = EDGE + side + 6.0
    w = WIDTH - EDGE - left
    page.caption(copy.words["quantity"], left, y, w)
    amount = f"{copy.facts.quantity} {copy.facts.unit}".strip()
    largest = 34 if copy.picture is not None or copy.second is not None else 48
    below = page.text(amount, left, y + 4.6, w, 14, largest, 12, face="bold", whole=True)
    _picture(page, copy, left, below + 3.5, w, y + side - below - 3.5)
    if copy.second is not None:
        wide = min(15.0, y + side - below - 2.5) * s
        second = with_quiet_zone(copy.second, x=0, y=0, side=wide, centred=False)
        x, top = (WIDTH - EDGE) * s - second.w, (y + side) * s - second.h
        page.drawing.add(Code(x, top, second.symbol, second.module))
    return y + side + 4.5


def _picture(page: _Page, copy: Copy, x: float, y: float, w: float, h: float) -> None:
    if copy.picture is None:
        return
    w -= 0.0 if copy.second is None else 18.0  # the second code stands to the right of it
    shown = copy.picture
    s, by = page.scale, min(w / shown.width, h / shown.height)
    page.drawing.add(Picture(x * s, y * s, shown.width * by * s, shown.height * by * s, shown.data))


def _way(page: _Page, copy: Copy, y: float) -> float:
    """From whom, to whom."""
    s, half = page.scale, INNER / 2
    page.line(EDGE, y, WIDTH - EDGE, y, 0.35)
    page.caption(copy.words["from"], EDGE, y + 2.2, half - 9)
    left = page.text(copy.facts.supply, EDGE, y + 6.0, half - 9, 8.6, 14, 7, face="bold", lines=2)
    x = EDGE + half + 2
    page.caption(copy.words["to"], x, y + 2.2, half - 2)
    right = page.text(copy.facts.demand, x, y + 6.0, half - 2, 8.6, 14, 7, face="bold", lines=2)
    page.drawing.add(*arrow(EDGE * s + (half - 6.5) * s, (y + 7.8) * s, 6.0 * s))
    return max(left, right) + 2.8


def _small_facts(page: _Page, copy: Copy, y: float) -> float:
    """Supplier, lead time, container, route: what there is of them, side by side."""
    facts, words = copy.facts, copy.words
    pairs = [  # a name needs more room than a number
        (words["supplier"], facts.supplier, 2.0),
        (words["route"], facts.route, 1.2),
        (words["lead_time"], facts.lead_time, 1.0),
        (words["container"], facts.container, 1.2),
    ]
    shown = [pair for pair in pairs if pair[1]]
    page.line(EDGE, y, WIDTH - EDGE, y, 0.2, 0.6)
    x, total = EDGE, sum(share for _, _, share in shown)
    for name, value, share in shown:
        w = INNER * share / total
        page.caption(name, x, y + 2.0, w - 2)
        page.text(value, x, y + 5.6, w - 2, 3.4, 10, 5, face="bold")
        x += w
    return y + (10.6 if shown else 0.0)


def _notes(page: _Page, copy: Copy, y: float, until: float) -> None:
    """As many lines for a pen as there is room for."""
    page.line(EDGE, y, WIDTH - EDGE, y, 0.2, 0.6)
    if until - y > 4.5:
        page.caption(copy.words["notes"], EDGE, y + 2.0, 30)
    for number in range(1, int((until - y - 1.5) / 7.5) + 1):
        page.line(EDGE, y + 7.5 * number, WIDTH - EDGE, y + 7.5 * number, 0.15, 0.7)


def _foot(page: _Page, copy: Copy, y: float) -> None:
    """The linear code with its text, the way to the standard work, what to do, and of when the print is."""
    s, side = page.scale, 14.0
    page.line(EDGE, y - 2.0, WIDTH - EDGE, y - 2.0, 0.35)
    room = INNER - (side + 4.0 if copy.work is not None else 0.0)
    module = min(0.44 * s, room * s / (copy.linear.columns + copy.linear.quiet))
    bars = Code(EDGE * s, y * s, copy.linear, module, 10.0 * s)
    page.drawing.add(bars)
    page.text(copy.facts.code, EDGE, y + 11.4, bars.w / s, 3.6, 14, 7, face="mono")
    if copy.work is not None:
        page.drawing.add(with_quiet_zone(copy.work, x=(WIDTH - EDGE - side) * s, y=y * s, side=side * s))
        left = WIDTH - EDGE - side - 14
        page.caption(copy.words["standard_work"], left, y + side + 1.6, side + 14, "right")
    page.text(copy.words["scan"].upper(), EDGE, y + 19.2, INNER * 0.6, 3.4, 12.5, 7, face="bold")
    page.text(copy.stamp, EDGE + INNER * 0.5, y + 20.4, INNER * 0.5, 2.4, 7.5, 5, align="right", grey=0.3)
