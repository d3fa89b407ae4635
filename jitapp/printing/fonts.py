"""The fonts of printed cards: how wide a text is, which font has which letters, and right-to-left words in the order
in which they are read. Widths are in mm, sizes in points."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FOLDER = Path(__file__).parent / "fonts"
MM_PER_POINT = 25.4 / 72
CAP = 0.727  # height of a capital letter of Inter, as a share of the size
Face = Literal["regular", "bold", "mono"]
FILES: dict[str, str] = {
    "regular": "Inter_400Regular.ttf",
    "bold": "Inter_700Bold.ttf",
    "mono": "JetBrainsMono_700Bold.ttf",
    "rest": "DejaVuSans.ttf",  # for letters that the others lack
}
UNKNOWN = "\ufffd"  # stands where no font has the letter


@cache
def font(name: str) -> TTFont:
    """The font, known to ReportLab from now on by its name here."""
    made = TTFont(name, str(FOLDER / FILES[name]))
    pdfmetrics.registerFont(made)
    return made


def _has(name: str, letter: str) -> bool:
    return ord(letter) in font(name).face.charToGlyph


@cache
def _font_of(face: str, letter: str) -> str:
    """The font in which a letter is drawn; empty if none has it."""
    names = (face, "regular", "rest") if face == "mono" else (face, "rest")
    return next((name for name in names if _has(name, letter)), "")


def runs(face: Face, text: str) -> Iterator[tuple[str, str]]:
    """(font, text) for each stretch of a line that one font draws."""
    held, name = "", ""
    for letter in text:
        found = _font_of(face, letter)
        letter, found = (letter, found) if found else (UNKNOWN, "rest")
        if held and found != name:
            yield name, held
            held = ""
        held, name = held + letter, found
    if held:
        yield name, held


def lacking(text: str) -> str:
    """The letters of a text that no font has, each once."""
    seen = dict.fromkeys(
        letter
        for letter in text
        if letter != " " and letter.isprintable() and not _font_of("regular", letter)
    )
    return "".join(seen)


def width(face: Face, size: float, text: str) -> float:
    """How wide a line is, in mm."""
    points = sum(pdfmetrics.stringWidth(run, name, size) for name, run in runs(face, text))
    return float(points) * MM_PER_POINT


def visual(text: str) -> str:
    """A line in the order in which it is drawn from left to right. Words written from right to left are turned
    around, numbers in them are not; Arabic letters are not joined."""
    kinds = [unicodedata.bidirectional(letter) for letter in text]
    if not any(kind in ("R", "AL") for kind in kinds):
        return text
    parts: list[tuple[bool, str]] = []
    for letter, kind in zip(text, kinds, strict=True):
        turned = kind in ("R", "AL", "NSM") or (
            kind not in ("L", "EN", "AN") and bool(parts) and parts[-1][0]
        )
        if parts and parts[-1][0] == turned:
            parts[-1] = (turned, parts[-1][1] + letter)
        else:
            parts.append((turned, letter))
    from_right = next(kind in ("R", "AL") for kind in kinds if kind in ("R", "AL", "L"))
    drawn = [part[::-1] if turned else part for turned, part in parts]
    return "".join(reversed(drawn) if from_right else drawn)
