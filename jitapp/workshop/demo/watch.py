"""Watches the boards of the running demonstration and holds their forecasts against what came true."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from jitapp.plant.models import Area
from jitapp.pull.models import Turn
from jitapp.pull.reading.board import board_rows_of_areas
from jitapp.pull.reading.board_row import BoardRow

NEWS = timedelta(seconds=5)  # a forecast that moves by less is the same forecast
ASKING = ("act", "out")


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a board said of a loop at an instant: when the first of its open turns is back."""

    loop_id: int
    said_at: datetime
    refill_at: datetime


@dataclass
class Watched:
    """What was seen. Lives are seconds; `open_at_start` were not seen to open and do not count as openings."""

    minutes: float = 0.0
    rows: int = 0
    seen: Counter[str] = field(default_factory=Counter)  # rows by state, over all looks
    looks: int = 0
    openings: Counter[str] = field(default_factory=Counter)
    lives: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    forecasts: list[Forecast] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)  # seconds, absolute
    shares: list[float] = field(default_factory=list)  # of the time that was forecast
    unknown: int = 0  # forecasts whose turn was still open at the end


def watch(
    minutes: float,
    *,
    clock: Callable[[], datetime],
    wait: Callable[[float], None] = time.sleep,
    every: float = 1.0,
) -> Watched:
    """Looks at all boards every second for so many minutes."""
    found = Watched()
    areas = list(Area.objects.order_by("code").values_list("code", flat=True))
    begun = now = clock()
    states: dict[int, tuple[str, datetime]] = {}
    said: dict[int, datetime] = {}
    while now - begun < timedelta(minutes=minutes):
        shown = board_rows_of_areas(areas, now=now)
        found.rows, found.looks = len(shown), found.looks + 1
        found.seen.update(row.state for row in shown)
        for row in shown:
            _note_state(row, now, states, found)
            _note_forecast(row, now, said, found)
        wait(every)
        now = clock()
    found.minutes = (now - begun).total_seconds() / 60
    _compare(found)
    return found


def _note_state(
    row: BoardRow, now: datetime, states: dict[int, tuple[str, datetime]], found: Watched
) -> None:
    before = states.get(row.loop_id)
    if before is not None and before[0] == row.state:
        return
    states[row.loop_id] = row.state, now if before is not None else datetime.min.replace(tzinfo=now.tzinfo)
    if before is None:
        return
    if row.state in ASKING:
        found.openings[row.state] += 1
    if before[0] in ASKING and before[1].year > 1:
        found.lives[before[0]].append((now - before[1]).total_seconds())


def _note_forecast(row: BoardRow, now: datetime, said: dict[int, datetime], found: Watched) -> None:
    if row.refill_at is None or row.refill_at <= now:
        return
    last = said.get(row.loop_id)
    if last is None or abs(row.refill_at - last) >= NEWS:
        said[row.loop_id] = row.refill_at
        found.forecasts.append(Forecast(row.loop_id, now, row.refill_at))


def _compare(found: Watched) -> None:
    """Each forecast against the first of the turns that were open then to be back."""
    turns: dict[int, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    for loop_id, opened, closed in Turn.objects.filter(
        loop_id__in={each.loop_id for each in found.forecasts}
    ).values_list("loop_id", "opened_at", "closed_at"):
        turns[loop_id].append((opened, closed))
    for each in found.forecasts:
        open_then = [
            closed
            for opened, closed in turns[each.loop_id]
            if opened <= each.said_at and (closed is None or closed > each.said_at)
        ]
        back = min((closed for closed in open_then if closed is not None), default=None)
        if back is None:
            found.unknown += 1
            continue
        error = abs((back - each.refill_at).total_seconds())
        found.errors.append(error)
        found.shares.append(error / max((each.refill_at - each.said_at).total_seconds(), 1.0))


def report(found: Watched) -> Iterator[str]:
    """The figures, a line each."""
    yield f"{found.minutes:.1f} minutes, {found.rows} rows"
    total = max(sum(found.seen.values()), 1)
    yield "rows by state: " + ", ".join(
        f"{state} {100 * count / total:.1f} %" for state, count in found.seen.most_common()
    )
    for state in ASKING:
        lives = sorted(found.lives[state])
        life = f"median life {median(lives):.0f} s" if lives else "none was seen to end"
        rate = found.openings[state] / max(found.minutes, 1e-9)
        yield f"{state.upper()}: {found.openings[state]} openings, {rate:.2f} a minute, {life}"
    if found.errors:
        errors, shares = sorted(found.errors), sorted(found.shares)
        nine = int(0.9 * (len(errors) - 1) + 0.5)
        yield (
            f"refill forecasts: {len(errors)} came true within {median(errors):.0f} s (median),"
            f" {errors[nine]:.0f} s (90 %); {100 * median(shares):.0f} % and {100 * shares[nine]:.0f} % of the time"
            f" forecast; {found.unknown} not known yet"
        )
