"""A card as marks on paper, whatever draws it: millimetres from the top left corner, y downwards."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, TypedDict, Unpack

from jitapp.printing.fonts import CAP, MM_PER_POINT, Face, visual, width
from jitapp.printing.symbols import Kind, Symbol

Align = Literal["left", "center", "right"]
_BREAKS = " -/_.,+#:;"  # a line may end after one of these


@dataclass(frozen=True, slots=True)
class Text:
    """One line; (x, y) is where its base line begins, ends or has its middle. `size` in points; `grey` 0 is black."""

    x: float
    y: float
    text: str
    size: float
    face: Face = "regular"
    align: Align = "left"
    grey: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    stroke: float = 0.2
    grey: float = 0.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: filled with `grey`, or framed with a line of `stroke` if that is not 0."""

    x: float
    y: float
    w: float
    h: float
    stroke: float = 0.0
    grey: float = 0.0


@dataclass(frozen=True, slots=True)
class Code:
    """A code whose modules begin at (x, y), each `module` wide; a linear one is `height` high."""

    x: float
    y: float
    symbol: Symbol
    module: float
    height: float = 0.0

    @property
    def w(self) -> float:
        """Without the quiet zone."""
        return self.symbol.columns * self.module

    @property
    def h(self) -> float:
        """Without the quiet zone."""
        if self.symbol.kind is Kind.CODE128:
            return self.height
        return len(self.symbol.rows) * self.module


@dataclass(frozen=True, slots=True)
class Picture:
    """A photograph (JPEG bytes) in a rectangle that has its proportions."""

    x: float
    y: float
    w: float
    h: float
    data: bytes


Item = Text | Line | Box | Code | Picture


@dataclass(slots=True)
class Drawing:
    """A page or a label of an exact size, and what stands on it. `shortened` are texts that did not fit and end in an
    ellipsis: whoever prints is told."""

    width: float
    height: float
    items: list[Item] = field(default_factory=list)
    shortened: list[str] = field(default_factory=list)

    def add(self, *items: Item) -> None:
        """More marks, drawn over the others."""
        self.items.extend(items)

    def place(self, other: Drawing, x: float, y: float) -> None:
        """Another drawing as a part of this one, its corner at (x, y)."""
        self.items.extend(moved(item, x, y) for item in other.items)
        self.shortened.extend(other.shortened)

    @property
    def codes(self) -> list[Code]:
        """What a reader must find."""
        return [item for item in self.items if isinstance(item, Code)]

    @property
    def pictures(self) -> list[Picture]:
        """Where a reader may find what is none of ours."""
        return [item for item in self.items if isinstance(item, Picture)]


def moved(item: Item, x: float, y: float) -> Item:
    """The same mark elsewhere."""
    if isinstance(item, Line):
        return replace(item, x1=item.x1 + x, y1=item.y1 + y, x2=item.x2 + x, y2=item.y2 + y)
    return replace(item, x=item.x + x, y=item.y + y)


@dataclass(frozen=True, slots=True)
class Fit:
    """A text set into a box: its lines, their size in points, and whether it had to end in an ellipsis."""

    lines: tuple[str, ...]
    size: float
    short: bool = False

    @property
    def leading(self) -> float:
        """From one base line to the next, in mm."""
        return self.size * MM_PER_POINT * 1.15

    @property
    def cap(self) -> float:
        """Height of a capital letter, in mm."""
        return self.size * MM_PER_POINT * CAP

    @property
    def height(self) -> float:
        """From the top of the first line's capitals to the last base line, in mm."""
        return self.cap + self.leading * (len(self.lines) - 1)


def fitted(
    text: str,
    face: Face,
    *,
    w: float,
    h: float,
    largest: float,
    smallest: float,
    lines: int = 1,
    whole: bool = False,
) -> Fit:
    """The text as large as it fits into w by h mm, in at most `lines` lines between two sizes in points.

    Where even the smallest size does not fit, the text ends in an ellipsis, and `short` says so; `whole` rather goes
    on shrinking, in more lines: for part numbers, of which every character counts.
    """
    text = " ".join(text.split())
    size = largest
    while size >= smallest or whole:
        allowed = lines if size >= smallest else lines + 3
        found = Fit(tuple(wrapped(text, face, size, w)), size)
        if len(found.lines) <= allowed and found.height <= h + 0.01:
            return found
        if size < 2:
            return found  # finer than any printer: drawn over its box rather than cut
        size -= 0.25 if size <= 12 else 0.5 if size <= 24 else 1
    return _shortened(text, face, smallest, w, h, lines)


def _shortened(text: str, face: Face, size: float, w: float, h: float, lines: int) -> Fit:
    room = next((n for n in range(lines, 1, -1) if Fit(("",) * n, size).height <= h + 0.01), 1)
    kept = wrapped(text, face, size, w)[:room]
    last = kept[-1] if kept else ""
    while last and width(face, size, last + "…") > w:
        last = last[:-1]
    return Fit((*kept[:-1], last.rstrip() + "…"), size, short=True)


def wrapped(text: str, face: Face, size: float, w: float) -> list[str]:
    """The lines of a text: broken after blanks, hyphens and the like, elsewhere only in words wider than a line."""
    found: list[str] = []
    line = ""
    for word in _words(text):
        if width(face, size, (line + word).rstrip()) <= w:
            line += word
            continue
        if line:
            found.append(line.rstrip())
            line = ""
        while width(face, size, word.rstrip()) > w and len(word) > 1:
            count = len(word) - 1
            while count > 1 and width(face, size, word[:count]) > w:
                count -= 1
            found.append(word[:count])
            word = word[count:]
        line = word
    found.append(line.rstrip())
    return found


def _words(text: str) -> list[str]:
    found, word = [], ""
    for letter in text:
        word += letter
        if letter in _BREAKS:
            found.append(word)
            word = ""
    return [*found, word] if word else found


class Setting(TypedDict, total=False):
    """How a text is set beside its size: in one line, regular, left and black unless said; `whole` as in `fitted`."""

    face: Face
    lines: int
    align: Align
    grey: float
    whole: bool


def set_text(
    drawing: Drawing,
    text: str,
    *,
    x: float,
    y: float,
    w: float,
    h: float,
    largest: float,
    smallest: float,
    **how: Unpack[Setting],
) -> float:
    """Draws a text as large as it fits into a box whose top left corner is (x, y); returns the y below it, in mm."""
    if not text.strip():
        return y
    face, align = how.get("face", "regular"), how.get("align", "left")
    fit = fitted(
        text,
        face,
        w=w,
        h=h,
        largest=largest,
        smallest=smallest,
        lines=how.get("lines", 1),
        whole=how.get("whole", False),
    )
    if fit.short:
        drawing.shortened.append(text)
    at = {"left": x, "center": x + w / 2, "right": x + w}[align]
    base = y + fit.cap
    for line in fit.lines:
        drawing.add(Text(at, base, visual(line), fit.size, face, align, how.get("grey", 0.0)))
        base += fit.leading
    return y + fit.height
