"""A QR code as one path of an SVG, for pages; what is printed on cards has a room of its own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import segno

QUIET = 4  # modules of white around it, as ISO/IEC 18004 asks


@dataclass(frozen=True, slots=True)
class Drawn:
    """The side in modules, with the quiet zone, and the path of the dark ones."""

    side: int
    path: str


def qr(text: str) -> Drawn:
    """The code of a text; a quarter of it may be covered or dirty."""
    rows = [list(row) for row in segno.make(text, error="q", micro=False).matrix_iter(border=QUIET)]
    path: list[str] = []
    for y, row in enumerate(rows):
        x = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                path.append(f"M{x} {y}h{length}v1h-{length}z")
            x += length
    return Drawn(len(rows), "".join(path))
