"""The pictures of a loop with their words: its stock over time, and how long its refills took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from jitapp.kanban.stockline import Level
from jitapp.kanban.worktime import WorkCalendar
from jitapp.plant.configs import zone
from jitapp.pull.reading.stock import Gap, Moment, Stock
from jitapp.web import charts
from jitapp.web.calls import KIND_WORDS
from jitapp.web.phrases import Words, clock, plain

DAYS = (1, 7, 30)  # stretches that can be chosen
MOST_ROWS = 60  # of the table beside the picture
FEW_LEVELS = 6  # containers up to which each has its line


@dataclass(frozen=True, slots=True)
class Needs:
    """Pieces that are used while a refill is under way: usually (p50), and at most but one time in twenty (p95)."""

    usual: float
    slow: float


@dataclass(frozen=True, slots=True)
class StockPicture:
    """The drawing, what it says in words, and its numbers as rows."""

    svg: str
    said: str
    rows: list[tuple[str, str, int]]  # when, pieces, usable containers; newest first
    left_out: int  # rows before those
    gaps: list[str]
    has_zones: bool
    has_closed: bool
    has_refills: bool


@dataclass(frozen=True, slots=True)
class Place:
    """What of the loop a picture needs."""

    part: str
    unit: str
    quantity: Decimal
    containers: int
    time_zone: str
    calendar: WorkCalendar  # of the demand station


def stock_picture(stock: Stock, place: Place, needs: Needs | None, words: Words) -> StockPicture:
    """The stock at the point of use as a step line, over the zones in which a refill comes too late."""
    now = stock.end
    top = (
        max([float(stock.most), *(float(level.pieces) for level in stock.levels)], default=1.0) * 1.06 or 1.0
    )
    levels = _known(stock)
    points = [(level.at, float(level.pieces)) for level in levels]
    closed = place.calendar.idle_spans(stock.begin, stock.end)
    refills = [each for each in stock.refills if each.at >= stock.begin]
    said = _said(stock, levels, place, words)
    svg = charts.step_line(
        points,
        stock.begin,
        stock.end,
        top=top,
        words=charts.Words("stock", gettext("Stock of {} at the point of use").format(place.part), said),
        bands=_bands(needs, top),
        stretches=[
            *(charts.Stretch(begin, end, "closed") for begin, end in closed),
            *(charts.Stretch(each.at, each.end or now, "dry") for each in stock.runouts),
            *(charts.Stretch(gap.begin, gap.end, "gap") for gap in stock.gaps),
        ],
        signs=_signs(stock, place, words),
        ticks=_ticks(stock.begin, stock.end, place.time_zone, words),
        levels=_levels(stock.most, place),
    )
    rows = [
        (
            clock(level.at, place.time_zone, now, words.language, exact=True),
            plain(level.pieces),
            level.containers,
        )
        for level in reversed(levels)
    ]
    return StockPicture(
        svg,
        said,
        rows[:MOST_ROWS],
        max(len(rows) - MOST_ROWS, 0),
        [_gap(gap, place, now, words) for gap in stock.gaps],
        needs is not None,
        bool(closed),
        bool(refills),
    )


def _bands(needs: Needs | None, top: float) -> list[charts.Band]:
    if needs is None:
        return []
    usual, slow = min(needs.usual, top), min(needs.slow, top)
    return [
        charts.Band(0, usual, "act", gettext("a refill comes too late")),
        charts.Band(usual, slow, "soon", gettext("a slow refill comes too late")),
    ]


def _levels(most: Decimal, place: Place) -> list[tuple[float, str]]:
    """A line for each container where they are few, else for a half and the whole."""
    whole = float(most)
    if 0 < place.containers <= FEW_LEVELS:
        parts = [float(place.quantity) * number for number in range(1, place.containers)]
    else:
        parts = [whole / 2]
    named = [(value, _short(value)) for value in (0.0, *(part for part in parts if 0 < part < whole))]
    return [*named, (whole, f"{_short(whole)} {place.unit}")]


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _signs(stock: Stock, place: Place, words: Words) -> list[charts.Sign]:
    def at(when: datetime) -> str:
        return clock(when, place.time_zone, stock.end, words.language, exact=True)

    found = []
    kinds: Sequence[tuple[str, str, list[Moment]]] = (
        ("refill", "sign-refill", stock.refills),
        ("call", "sh-call", stock.calls),
        ("runout", "sh-out", stock.runouts),
    )
    for kind, shape, moments in kinds:
        for each in moments:
            label = f"{at(each.at)} · {_moment(each, words)}"
            found.append(charts.Sign(max(each.at, stock.begin), kind, shape, label))
    return found


def _moment(each: Moment, words: Words) -> str:
    if each.kind == "refill":
        return gettext("a full container came")
    if each.kind == "call":
        return gettext("call: {}").format(gettext(KIND_WORDS.get(each.what, each.what)))
    cause = words.causes.get(each.what, "")
    return gettext("nothing was left: {}").format(cause) if cause else gettext("nothing was left")


def _known(stock: Stock) -> list[Level]:
    """The levels of the time of which something is known, the first one where it begins."""
    since = max((gap.end for gap in stock.gaps if gap.why in ("before", "many")), default=stock.begin)
    held = [level for level in stock.levels if level.at <= since]
    after = [level for level in stock.levels if level.at > since]
    return [*(replace(level, at=since) for level in held[-1:]), *after]


def _said(stock: Stock, levels: Sequence[Level], place: Place, words: Words) -> str:
    """The picture in sentences, for those who do not see it and for a quick look."""
    if not levels:
        return gettext("Nothing is known of this time.")
    low = min(levels, key=lambda level: level.pieces)
    sentences = [
        gettext("Now {now} of {most} {unit} are there; at the least there were {least} ({at}).").format(
            now=plain(levels[-1].pieces),
            most=plain(stock.most),
            unit=place.unit,
            least=plain(low.pieces),
            at=clock(low.at, place.time_zone, stock.end, words.language),
        )
    ]
    if stock.runouts:
        dry = sum(
            (min(each.end or stock.end, stock.end) - max(each.at, stock.begin)).total_seconds()
            for each in stock.runouts
        )
        number = len(stock.runouts)
        sentences.append(
            ngettext(
                "Once nothing was left, for {span}.", "{n} times nothing was left, for {span} in all.", number
            ).format(n=number, span=words.span(dry))
        )
    else:
        sentences.append(gettext("It never ran dry in this time."))
    number = len(stock.refills)
    sentences.append(
        ngettext("One full container came.", "{n} full containers came.", number).format(n=number)
        if number
        else gettext("No full container came.")
    )
    return " ".join(sentences)


def _gap(gap: Gap, place: Place, now: datetime, words: Words) -> str:
    begin = clock(gap.begin, place.time_zone, now, words.language, exact=True)
    end = clock(gap.end, place.time_zone, now, words.language, exact=True)
    if gap.why == "before":
        return gettext("Before {} nothing was recorded of this loop.").format(end)
    if gap.why == "set_back":
        return gettext(
            "What was recorded between {} and {} is lost: the database was restored from a backup."
        ).format(begin, end)
    return gettext("So much happened that only what came after {} is drawn.").format(end)


def _ticks(begin: datetime, end: datetime, time_zone: str, words: Words) -> list[tuple[datetime, str]]:
    """Quarters of a day, days or Mondays, in the plant's time."""
    days = (end - begin).total_seconds() / 86_400
    local = begin.astimezone(zone(time_zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[tuple[datetime, str]] = []
    if days <= 2:
        for quarter in range(1, 4 * (int(days) + 2)):
            # By the wall clock: on the night on which it changes the quarters are not of one length.
            day, hour = divmod(6 * quarter, 24)
            at = (midnight + timedelta(days=day)).replace(hour=hour)
            found.append((at, f"{at:%H:%M}"))
        return [(at, text) for at, text in found if begin <= at <= end]
    for number in range(1, int(days) + 2):
        at = midnight + timedelta(days=number)
        if days > 8 and at.weekday() != 0:
            continue
        found.append((at, words.days[at.weekday()] if days <= 8 else date_format(at, "j M")))
    return [(at, text) for at, text in found if begin <= at <= end]


# -- how long refills took --------------------------------------------------------------------------------------
def lead_picture(lead: Sequence[float], allowed: int, words: Words) -> str:
    """How often a refill took how long, with the quantiles and the planned time; `lead` in sorted working minutes."""
    shares = (
        ("p50", 0.5, gettext("Half")),
        ("p80", 0.8, gettext("Four of five")),
        ("p95", 0.95, gettext("19 of 20")),
    )
    marks = [
        charts.Mark(
            charts.quantile(lead, share), kind, f"{said}: {length(charts.quantile(lead, share), words)}"
        )
        for kind, share, said in shares
    ]
    marks.append(charts.Mark(float(allowed), "planned", gettext("planned {}").format(length(allowed, words))))
    bins = charts.binned(lead)
    end = max(bins[-1][1], float(allowed))
    step = charts.step_of(end / 5)
    ticks = [(step * n, length(step * n, words)) for n in range(int(end // step) + 1)]
    said = gettext(
        "Of {n} refills half took up to {p50}, four of five up to {p80}; planned are {planned}."
    ).format(
        n=len(lead),
        p50=length(marks[0].value, words),
        p80=length(marks[1].value, words),
        planned=length(allowed, words),
    )
    title = gettext("How long refills took, in working time")
    return charts.histogram(bins, words=charts.Words("lead", title, said), marks=marks, ticks=ticks)


def length(minutes: float, words: Words) -> str:
    """Working time: seconds, minutes, then hours; never days, because nobody works around the clock for one."""
    if minutes < 1:
        return f"{round(minutes * 60)} {words['s']}"
    if minutes < 10:
        return f"{_short(round(minutes, 1))} {words['min']}"
    whole = round(minutes)
    if whole < 60:
        return f"{whole} {words['min']}"
    hours, rest = divmod(whole, 60)
    return f"{hours} {words['h']} {rest:02d}"


def numbers(stock: Stock, closed: Sequence[tuple[datetime, datetime]]) -> dict[str, object]:
    """The same line for a script: seconds since 1970 and pieces, stretches as pairs."""

    def seconds(at: datetime) -> int:
        return int(at.timestamp())

    levels = _known(stock)
    return {
        "at": [*(seconds(level.at) for level in levels), seconds(stock.end)],
        "pieces": [float(level.pieces) for level in [*levels, *levels[-1:]]],
        "closed": [[seconds(begin), seconds(end)] for begin, end in closed],
        "dry": [[seconds(each.at), seconds(each.end or stock.end)] for each in stock.runouts],
        "most": float(stock.most),
    }
