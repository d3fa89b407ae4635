"""The state sheet of an area: how every card stands, its code, and boxes to write into while nothing can be scanned.

A card has one line: its code as QR and in clear, its state, and a box for each thing that may happen to it, into which
the time is written. Two cards stand side by side, those of a loop under its heading. What does not fit into the boxes
goes into the free lines at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Unpack

from jitapp.printing.drawing import Box, Drawing, Line, Setting, set_text
from jitapp.printing.layouts.parts import with_quiet_zone
from jitapp.printing.layouts.sheets import A4, LETTER
from jitapp.printing.symbols import Symbol

SIZES = {"a4": A4, "letter": LETTER}
EDGE, GAP = 8.0, 4.0  # mm
HEAD, FOOT = 20.0, 8.0
LOOP, STRIP = 5.4, 10.8  # heading of a loop, line of a card
QR_SIDE, QR_QUIET = 7.5, 1.6
TIME_BOX, SMALL_BOX = 10.6, 9.4
HAPPENED = ("emptied", "started", "done", "full")  # the boxes, from left to right
FREE = 7.4  # a free line
LEAST_FREE = 6  # free lines that every sheet has at its end


@dataclass(frozen=True, slots=True)
class SheetCard:
    """A card's line: `title` names it, `state` is how it stands, `detail` what is under way."""

    code: str
    symbol: Symbol
    title: str
    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SheetLoop:
    """A loop's heading: `size` is N x Q, `who` says who must act and why; empty if nobody must."""

    part: str
    description: str
    way: str
    size: str
    state: str
    who: str
    urgent: bool
    cards: tuple[SheetCard, ...]


@dataclass(frozen=True, slots=True)
class SheetHead:
    """What stands on every page; `sheet` is its number, `enter` where to enter what was written, `page` a pattern with
    the page's number and the last one's."""

    area: str
    plant: str
    printed: str
    valid: str
    sheet: str
    page: str
    enter: str


def state_sheet(
    loops: Sequence[SheetLoop], head: SheetHead, words: Mapping[str, str], paper: str
) -> list[Drawing]:
    """The pages, A4 or Letter upright. `words`: `how` is the sentence above the boxes; the captions of HAPPENED,
    `quantity`, `by`, `code`, `time`, `what`; `free` heads the free lines; `again` is said of a loop that goes on."""
    width, height = SIZES[paper]
    pages: list[Drawing] = []
    y = height
    for loop in loops:
        for number, pair in enumerate(_pairs(loop.cards)):
            fresh = y + (LOOP if number == 0 else 0) + STRIP > height - EDGE - FOOT
            if fresh:
                pages.append(_page(width, height, head, words))
                y = EDGE + HEAD
            if number == 0 or fresh:
                _loop(pages[-1], loop, y, words["again"] if number else "")
                y += LOOP
            for side, card in enumerate(pair):
                _card(pages[-1], card, EDGE + side * (_column(width) + GAP), y, _column(width), words)
            y += STRIP
    y += 2.0
    if y + 5 + LEAST_FREE * FREE > height - EDGE - FOOT:
        pages.append(_page(width, height, head, words))
        y = EDGE + HEAD
    _free_lines(pages[-1], y, words)
    for number, page in enumerate(pages, start=1):
        text = head.page.format(number, len(pages))
        where = width - EDGE - 50, height - EDGE - 3.4, 50.0, 3.4
        _put(page, text, where, 9, 6, align="right")
    return pages


def _column(width: float) -> float:
    return (width - 2 * EDGE - GAP) / 2


def _pairs(cards: Sequence[SheetCard]) -> Iterator[Sequence[SheetCard]]:
    """Two by two; a loop without cards has one empty line."""
    if not cards:
        yield ()
    for first in range(0, len(cards), 2):
        yield cards[first : first + 2]


def _page(width: float, height: float, head: SheetHead, words: Mapping[str, str]) -> Drawing:
    page = Drawing(width, height)
    half, middle = width / 2 - EDGE, width / 2
    _put(page, head.area, (EDGE, EDGE, half, 7), 20, 10, face="bold")
    _put(page, head.plant, (EDGE, EDGE + 8, half, 3.4), 9, 6, grey=0.25)
    _put(page, head.sheet, (middle, EDGE, half, 3.8), 11, 7, face="bold", align="right")
    _put(page, head.printed, (middle, EDGE + 4.6, half, 3.8), 10, 6, align="right")
    _put(page, head.valid, (middle, EDGE + 9, half, 3.8), 10, 6, face="bold", align="right")
    _put(page, words["how"], (EDGE, EDGE + 13.4, width - 2 * EDGE, 5.0), 8.5, 5.5, lines=2)
    foot = height - EDGE - FOOT + 2
    page.add(Line(EDGE, foot, width - EDGE, foot, 0.2, 0.4))
    _put(page, head.enter, (EDGE, foot + 2.4, width - 2 * EDGE - 54, 3.6), 9, 5, face="bold")
    return page


def _put(
    page: Drawing,
    text: str,
    at: tuple[float, float, float, float],
    largest: float,
    smallest: float,
    **how: Unpack[Setting],
) -> float:
    """A text in the box (x, y, w, h); the y below it."""
    x, y, w, h = at
    return set_text(page, text, x=x, y=y, w=w, h=h, largest=largest, smallest=smallest, **how)


def _loop(page: Drawing, loop: SheetLoop, y: float, again: str) -> None:
    """The heading: a band, its state in white on black where somebody must act at once."""
    width = page.width - 2 * EDGE
    page.add(Box(EDGE, y, width, LOOP - 0.7, grey=0.9))
    page.add(Box(EDGE, y, 19, LOOP - 0.7, grey=0.0 if loop.urgent else 0.75))
    base, high = y + 1.15, LOOP - 2.6
    ink = 1.0 if loop.urgent else 0.0
    state = EDGE + 0.8, base, 17.4, high
    _put(page, loop.state, state, 8.5, 5, face="bold", align="center", grey=ink)
    _put(page, f"{loop.part}  {again}".rstrip(), (EDGE + 20.4, base, 36, high), 9.5, 5, face="bold")
    middle = " · ".join(text for text in (loop.way, loop.size, loop.description) if text)
    _put(page, middle, (EDGE + 58, base, 78, high), 8, 4.5)
    rest = EDGE + 137.6, base, width - 138.4, high
    _put(page, loop.who, rest, 8, 4.5, face="bold", align="right")


def _card(page: Drawing, card: SheetCard, x: float, y: float, width: float, words: Mapping[str, str]) -> None:
    """QR, what is known, and the boxes with their captions."""
    page.add(with_quiet_zone(card.symbol, x=x + QR_QUIET, y=y + QR_QUIET - 0.1, side=QR_SIDE))
    boxes = len(HAPPENED) * TIME_BOX + 2 * SMALL_BOX
    known = x + QR_SIDE + 2 * QR_QUIET
    room = width - QR_SIDE - 2 * QR_QUIET - boxes - 0.8
    below = _put(page, card.title, (known, y + 0.6, room, 2.4), 7.5, 5, face="bold")
    below = _put(page, card.state, (known, below + 0.7, room, 2.4), 7.5, 4.5)
    _put(page, card.detail, (known, below + 0.6, room, 1.9), 6, 4, grey=0.2)
    _put(page, card.code, (known, y + 8.3, room, 1.9), 7, 4, face="mono")
    edge = x + width - boxes
    for name in (*HAPPENED, "quantity", "by"):
        wide = TIME_BOX if name in HAPPENED else SMALL_BOX
        page.add(Box(edge, y + 0.2, wide, STRIP - 0.8, stroke=0.2, grey=0.2))
        _put(page, words[name], (edge + 0.5, y + 0.8, wide - 1, 1.7), 5.5, 3.5, grey=0.3)
        edge += wide


def _free_lines(page: Drawing, y: float, words: Mapping[str, str]) -> None:
    """For what happened to a card a second time, and for cards of other areas."""
    width = page.width - 2 * EDGE
    _put(page, words["free"], (EDGE, y, width, 2.6), 8.5, 5.5, face="bold")
    y += 5
    columns = (("code", 0.27), ("time", 0.17), ("what", 0.30), ("quantity", 0.12), ("by", 0.14))
    while y + FREE <= page.height - EDGE - FOOT:
        edge = EDGE
        for name, share in columns:
            page.add(Box(edge, y, width * share, FREE, stroke=0.2, grey=0.2))
            shown = " / ".join(words[each] for each in HAPPENED) if name == "what" else words[name]
            _put(page, shown, (edge + 0.6, y + 0.7, width * share - 1.2, 1.8), 5.5, 3.5, grey=0.3)
            edge += width * share
        y += FREE
