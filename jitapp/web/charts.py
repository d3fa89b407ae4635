"""Charts as SVG: data in, markup out. No clock, no database, no words of its own; every text is escaped.

A chart is as wide as its place, and its letters keep their size: the drawing is stretched in an inner `<svg>`, while
words and signs stand beside it at a share of the width. Colours come from static/css/charts.css by class alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import pairwise

WIDE = 1000  # units across; an inner drawing is stretched from these to the width of its place
LINE_HEIGHT = 15  # px of a line of letters
SIGN = 14  # px of a sign
NEAR = 20  # units between two signs of a kind; of nearer ones the first is drawn
DENSE = 150  # changes of a line from which on it is drawn thinner
ASIDE = 64  # px that the names of levels need
# The points of a line are thinned to so many columns, in each the first, the least, the most and the last.
MOST_COLUMNS = 600
SPARK_COLUMNS = 30
SPARK_HEIGHT = 28


@dataclass(frozen=True, slots=True)
class Band:
    """A zone across the whole chart, from `low` to `high` in the unit of the values; `kind` is its class."""

    low: float
    high: float
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time with a ground of its own; `kind` is its class (closed, gap, dry)."""

    begin: datetime
    end: datetime
    kind: str


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign above the line at an instant: `shape` is the id of a symbol of the page, `kind` its class."""

    at: datetime
    kind: str
    shape: str
    label: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A value that is marked across a histogram; `kind` is its class."""

    value: float
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Words:
    """How a chart is called for those who do not see it: a title, and what it shows in a sentence. `id` must be unique
    on its page."""

    id: str
    title: str
    description: str


def step_line(
    points: Sequence[tuple[datetime, float]],
    begin: datetime,
    end: datetime,
    *,
    top: float,
    words: Words,
    bands: Sequence[Band] = (),
    stretches: Sequence[Stretch] = (),
    signs: Sequence[Sign] = (),
    ticks: Sequence[tuple[datetime, str]] = (),
    levels: Sequence[tuple[float, str]] = (),
    height: int = 200,
) -> str:
    """A line that stays at each value until the next one, from `begin` to `end`, over zones and times.

    `points` are in order of time; the last one before `begin` says where the line starts. `top` is the value at the
    upper edge, `ticks` are written below, `levels` at the side. Before the first point there is no line.
    """
    top = max(top, 1e-9)
    head = SIGN + 4 if signs else 4
    plot = _Plot(begin, end, top, height)
    inner = "".join(
        [
            *(_band(band, plot) for band in bands if band.low < top),
            *(_stretch(each, plot) for each in stretches),
            *(_rule(plot.y(value)) for value, _ in levels),
            _path(points, plot),
        ]
    )
    outer = "".join(
        [
            *(_level(value, text, plot, head) for value, text in levels),
            *(_named_band(band, plot, head) for band in bands if band.low < top),
            *(_sign(sign, plot) for sign in _apart(signs, plot)),
            *(_tick(at, text, plot, head + height) for at, text in ticks if begin <= at <= end),
        ]
    )
    foot = LINE_HEIGHT + 4 if ticks else 2
    return _figure(words, head + height + foot, _drawing(inner, head, height) + outer, "steps")


def sparkline(
    points: Sequence[tuple[datetime, float]],
    begin: datetime,
    end: datetime,
    *,
    top: float,
    label: str,
    bands: Sequence[Band] = (),
) -> str:
    """The same line without words, for a cell of a table: at most a kilobyte or so, whatever it shows."""
    plot = _Plot(begin, end, max(top, 1e-9), SPARK_HEIGHT)
    inner = "".join(_band(band, plot) for band in bands if band.low < top) + _path(
        points, plot, SPARK_COLUMNS
    )
    return (
        f'<svg class="chart spark" viewBox="0 0 {WIDE} {SPARK_HEIGHT}" preserveAspectRatio="none" role="img"'
        f' aria-label="{escape(label)}">{inner}</svg>'
    )


def histogram(
    bins: Sequence[tuple[float, float, int]],
    *,
    words: Words,
    marks: Sequence[Mark] = (),
    ticks: Sequence[tuple[float, str]] = (),
    height: int = 140,
) -> str:
    """Bars for (from, to, how many), with marked values as lines that are named above."""
    if not bins:
        return ""
    low, high = bins[0][0], max(bins[-1][1], max((mark.value for mark in marks), default=0.0))
    most = max(count for _, _, count in bins) or 1
    head = LINE_HEIGHT * len(marks) + 6
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return WIDE * (value - low) / span

    bars = "".join(
        f'<rect class="bar" x="{_n(x(begin) + 1)}" y="{_n(height * (1 - count / most))}"'
        f' width="{_n(max(x(end) - x(begin) - 2, 1))}" height="{_n(height * count / most)}"/>'
        for begin, end, count in bins
        if count
    )
    lines = "".join(
        f'<line class="mark k-{mark.kind}" x1="{_share(x(mark.value))}" x2="{_share(x(mark.value))}"'
        f' y1="{LINE_HEIGHT * (place + 1) - 3}" y2="{head + height}"/>'
        + _text(x(mark.value), LINE_HEIGHT * (place + 1), mark.label, f"name k-{mark.kind}", aside=True)
        for place, mark in enumerate(marks)
    )
    below = "".join(
        _text(x(value), head + height + LINE_HEIGHT, text, "at", centred=True)
        for value, text in ticks
        if low <= value <= high
    )
    return _figure(
        words,
        head + height + LINE_HEIGHT + 4,
        _drawing(bars + _rule(height), head, height) + lines + below,
        "histogram",
    )


def bar(value: float, most: float, *, marks: Sequence[tuple[float, str]] = ()) -> str:
    """A bar in a cell of a table, beside the number that it repeats; `marks` are (value, class)."""
    most = max(most, 1e-9)
    width = _n(WIDE * min(max(value, 0.0) / most, 1.0))
    lines = "".join(
        f'<rect class="k-{escape(kind)}" x="{_n(WIDE * min(at / most, 1.0) - 4)}" y="0" width="8" height="10"/>'
        for at, kind in marks
        if at >= 0
    )
    return (
        f'<svg class="chart-bar" viewBox="0 0 {WIDE} 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="bar" x="0" y="2" width="{width}" height="6"/>{lines}</svg>'
    )


def binned(values: Sequence[float], count: int = 12) -> list[tuple[float, float, int]]:
    """Values sorted into at most `count` bins of one width that people can read (1, 2, 5, 10 ...), from zero on; the
    upper edge of a bin belongs to the next one."""
    if not values:
        return []
    width = step_of(max(values) / count)
    number = int(max(values) // width) + 1
    found = [0] * number
    for value in values:
        found[min(int(max(value, 0.0) // width), number - 1)] += 1
    return [(width * place, width * (place + 1), many) for place, many in enumerate(found)]


def step_of(least: float) -> float:
    """The smallest of 1, 2, 5, 10, 15, 20, 30, 60 ... that is at least so much; for minutes: quarters, hours, days."""
    for step in (1, 2, 5, 10, 15, 20, 30, 60, 120, 240, 480, 720, 1440, 2880):
        if step >= least:
            return float(step)
    days = 1440.0
    while days < least:
        days *= 2
    return days


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the sorted values lie, by the nearest rank; as boards learn a refill's time."""
    return values[int(share * (len(values) - 1) + 0.5)]


# -- parts of a drawing --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Plot:
    begin: datetime
    end: datetime
    top: float
    height: int

    def x(self, at: datetime) -> float:
        whole = (self.end - self.begin).total_seconds() or 1.0
        return WIDE * min(max((at - self.begin).total_seconds() / whole, 0.0), 1.0)

    def y(self, value: float) -> float:
        return self.height * (1 - min(max(value / self.top, 0.0), 1.0))


def _figure(words: Words, height: int, inside: str, kind: str) -> str:
    title, about = f"{words.id}-title", f"{words.id}-desc"
    return (
        f'<svg class="chart {kind}" width="100%" height="{height}" role="img" aria-labelledby="{title} {about}">'
        f'<title id="{title}">{escape(words.title)}</title><desc id="{about}">{escape(words.description)}</desc>'
        f"{inside}</svg>"
    )


def _drawing(inner: str, y: int, height: int) -> str:
    return (
        f'<svg x="0" y="{y}" width="100%" height="{height}" viewBox="0 0 {WIDE} {height}"'
        f' preserveAspectRatio="none" aria-hidden="true">{inner}</svg>'
    )


def _path(points: Sequence[tuple[datetime, float]], plot: _Plot, columns: int = MOST_COLUMNS) -> str:
    """The line and, in a picture that is more than a line, the ground below it."""
    shown = [(plot.x(at), plot.y(value)) for at, value in _from(points, plot.begin) if at <= plot.end]
    found = _thinned(shown, columns)
    if not found:
        return ""
    (x, y), parts = found[0], []
    for next_x, next_y in found[1:]:
        if next_x != x:
            parts.append(f"H{_n(next_x)}")
        if next_y != y:
            parts.append(f"V{_n(next_y)}")
        x, y = next_x, next_y
    line = f"M{_n(found[0][0])} {_n(found[0][1])}{''.join(parts)}H{WIDE}"
    if columns < MOST_COLUMNS:
        return f'<path class="line" d="{line}" vector-effect="non-scaling-stroke"/>'
    kind = "line dense" if len(found) > DENSE or _is_crowded(found) else "line"
    return (
        f'<path class="under" d="{line}V{plot.height}H{_n(found[0][0])}Z"/>'
        f'<path class="{kind}" d="{line}" vector-effect="non-scaling-stroke"/>'
    )


def _is_crowded(points: Sequence[tuple[float, float]]) -> bool:
    """Whether most changes lie so near each other that a thick line would fill the space between them."""
    near = sum(later[0] - earlier[0] < 6 for earlier, later in pairwise(points))
    return near > 12 and 2 * near > len(points)


def _from(points: Sequence[tuple[datetime, float]], begin: datetime) -> list[tuple[datetime, float]]:
    """The points from `begin` on, with the value that held there."""
    before = [point for point in points if point[0] <= begin]
    after = [point for point in points if point[0] > begin]
    return [(begin, before[-1][1]), *after] if before else after


def _thinned(points: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """No more than four points in a column: what is narrower than a line cannot be seen, but how far it went can."""
    columns: dict[int, list[tuple[float, float]]] = {}
    for x, y in points:
        columns.setdefault(round(x * most / WIDE), []).append((x, y))
    found: list[tuple[float, float]] = []
    for inside in columns.values():
        if len(inside) <= 4:
            found += inside
            continue
        x = inside[0][0]
        heights = [y for _, y in inside]
        found += [inside[0], (x, max(heights)), (x, min(heights)), (x, inside[-1][1])]
    return found


def _band(band: Band, plot: _Plot) -> str:
    upper = plot.y(min(band.high, plot.top))
    height = plot.y(band.low) - upper
    return (
        f'<rect class="band z-{escape(band.kind)}" x="0" y="{_n(upper)}" width="{WIDE}" height="{_n(height)}"/>'
        if height > 0
        else ""
    )


def _named_band(band: Band, plot: _Plot, head: int) -> str:
    """The name of a zone stands at its upper edge, beside the levels."""
    upper, lower = plot.y(min(band.high, plot.top)), plot.y(band.low)
    if not band.label or lower - upper < LINE_HEIGHT:
        return ""
    return (
        f'<text class="zone" x="0" dx="{ASIDE}" y="{_n(head + upper + LINE_HEIGHT - 3)}" aria-hidden="true">'
        f"{escape(band.label)}</text>"
    )


def _stretch(each: Stretch, plot: _Plot) -> str:
    x = plot.x(each.begin)
    width = plot.x(each.end) - x
    if width <= 0:
        return ""
    # What is very short is still seen.
    return (
        f'<rect class="time t-{escape(each.kind)}" x="{_n(x)}" y="0" width="{_n(max(width, 1.5))}"'
        f' height="{plot.height}"/>'
    )


def _rule(y: float) -> str:
    return f'<line class="rule" x1="0" x2="{WIDE}" y1="{_n(y)}" y2="{_n(y)}" vector-effect="non-scaling-stroke"/>'


def _level(value: float, text: str, plot: _Plot, head: int) -> str:
    y = head + plot.y(value)
    return (
        f'<text class="level" x="0" dx="4" y="{_n(y + LINE_HEIGHT - 3 if value else y - 4)}" aria-hidden="true">'
        f"{escape(text)}</text>"
    )


def _apart(signs: Sequence[Sign], plot: _Plot) -> list[Sign]:
    """The signs within the picture, in their order, without those that would lie on the one of their kind before."""
    found: list[Sign] = []
    last: dict[str, float] = {}
    for sign in signs:
        x = plot.x(sign.at)
        if plot.begin <= sign.at <= plot.end and x - last.get(sign.kind, -WIDE) >= NEAR:
            last[sign.kind] = x
            found.append(sign)
    return found


def _sign(sign: Sign, plot: _Plot) -> str:
    return (
        f'<svg class="sign k-{escape(sign.kind)}" x="{_share(plot.x(sign.at))}" y="0" overflow="visible"'
        f' width="{SIGN}" height="{SIGN}"><title>{escape(sign.label)}</title>'
        f'<use href="#{escape(sign.shape)}" x="-{SIGN // 2}" width="{SIGN}" height="{SIGN}"/></svg>'
    )


def _tick(at: datetime, text: str, plot: _Plot, y: int) -> str:
    x = plot.x(at)
    return f'<line class="nick" x1="{_share(x)}" x2="{_share(x)}" y1="{y}" y2="{y + 4}"/>' + _text(
        x, y + LINE_HEIGHT, text, "at", centred=True
    )


def _text(x: float, y: float, text: str, kind: str, *, centred: bool = False, aside: bool = False) -> str:
    """A word at a share of the width, never beyond the edges."""
    anchor, shift = "start", 0
    if aside:
        anchor, shift = ("end", -4) if x > 0.6 * WIDE else ("start", 4)
    elif centred:
        anchor = "start" if x < 0.04 * WIDE else "end" if x > 0.96 * WIDE else "middle"
    moved = f' dx="{shift}"' if shift else ""
    return (
        f'<text class="{kind}" x="{_share(x)}"{moved} y="{_n(y)}" text-anchor="{anchor}" aria-hidden="true">'
        f"{escape(text)}</text>"
    )


def _share(x: float) -> str:
    return f"{_n(100 * x / WIDE)}%"


def _n(value: float) -> str:
    """A number as short as it can be drawn."""
    return f"{value:.1f}".rstrip("0").rstrip(".") or "0"
