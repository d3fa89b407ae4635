"""The papers: what is printed piece by piece, and sheets with several cards and marks where to cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jitapp.printing.drawing import Drawing, Line
from jitapp.printing.layouts.card import card
from jitapp.printing.layouts.label import label
from jitapp.printing.layouts.parts import Copy

Layout = Callable[[Copy, float, float], Drawing]
MARK = 3.0  # mm: length of a cut mark on either side of a corner


@dataclass(frozen=True, slots=True)
class Paper:
    """How cards come out: each of `piece` mm, alone or `columns` by `rows` on a sheet of `sheet` mm.

    Sheets that are cut have their pieces side by side, in the middle; `offset` and `pitch` are those of sheets of
    labels that are cut already.
    """

    name: str
    piece: tuple[float, float]
    layout: Layout
    sheet: tuple[float, float] | None = None
    columns: int = 1
    rows: int = 1
    offset: tuple[float, float] | None = None
    pitch: tuple[float, float] | None = None

    @property
    def per_page(self) -> int:
        """Cards on a page."""
        return self.columns * self.rows

    @property
    def page(self) -> tuple[float, float]:
        """Width and height of a page, in mm."""
        return self.sheet or self.piece


A4, A4_LANDSCAPE = (210.0, 297.0), (297.0, 210.0)
LETTER, LETTER_LANDSCAPE = (215.9, 279.4), (279.4, 215.9)
PAPERS: dict[str, Paper] = {
    paper.name: paper
    for paper in (
        Paper("a4-4", (105.0, 148.5), card, A4, 2, 2),
        Paper("a4-8", (74.0, 105.0), card, A4_LANDSCAPE, 4, 2),
        Paper("a4-16", (99.1, 33.9), label, A4, 2, 8, (4.65, 12.9), (101.6, 33.9)),
        Paper("letter-4", (107.95, 139.7), card, LETTER, 2, 2),
        Paper("letter-8", (69.85, 107.95), card, LETTER_LANDSCAPE, 4, 2),
        Paper("a6", (105.0, 148.0), card),
        Paper("a7", (74.0, 105.0), card),
        Paper("100x50", (100.0, 50.0), label),
        Paper("85x54", (85.6, 54.0), label),
        Paper("100x150", (100.0, 150.0), card),
    )
}


def pages(paper: Paper, copies: Sequence[Copy]) -> list[Drawing]:
    """The pages of these cards, in their order."""
    return imposed(paper, [paper.layout(copy, *paper.piece) for copy in copies])


def imposed(paper: Paper, pieces: Sequence[Drawing]) -> list[Drawing]:
    """Pieces on the pages of a paper, row by row, with marks where they are cut."""
    if paper.sheet is None:
        return list(pieces)
    found = []
    for first in range(0, len(pieces), paper.per_page):
        page = Drawing(*paper.sheet)
        for place, piece in enumerate(pieces[first : first + paper.per_page]):
            row, column = divmod(place, paper.columns)
            page.place(piece, *corner(paper, column, row))
        if paper.pitch is None:
            page.add(*_cut_marks(paper))
        found.append(page)
    return found


def corner(paper: Paper, column: int, row: int) -> tuple[float, float]:
    """The top left corner of a piece on its sheet."""
    (w, h), sheet = paper.pitch or paper.piece, paper.page
    x, y = paper.offset or (
        (sheet[0] - paper.columns * paper.piece[0]) / 2,
        (sheet[1] - paper.rows * paper.piece[1]) / 2,
    )
    return x + column * w, y + row * h


def _cut_marks(paper: Paper) -> list[Line]:
    """A cross wherever corners of pieces meet; what would lie outside the sheet is left out."""
    found = []
    width, height = paper.page
    for column in range(paper.columns + 1):
        for row in range(paper.rows + 1):
            x, y = corner(paper, column, row)
            left, right = max(0.0, x - MARK), min(width, x + MARK)
            top, bottom = max(0.0, y - MARK), min(height, y + MARK)
            found.append(Line(left, y, right, y, 0.12, 0.35))
            found.append(Line(x, top, x, bottom, 0.12, 0.35))
    return found
