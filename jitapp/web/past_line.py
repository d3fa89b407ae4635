"""The time line of a board of the past as SVG: hours, runouts and calls over a window, and where one stands in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape

from jitapp.plant.configs import zone
from jitapp.plant.shifts import Shift
from jitapp.pull.reading.past_marks import CallMark, RunoutMark
from jitapp.web.phrases import from_the_right, words_of

SPANS = ("shift", "day", "week")
# Ticks: (longest window that has them, hours from one to the next).
_TICKS = ((timedelta(hours=13), 1), (timedelta(hours=26), 2), (timedelta(days=8), 24))


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of time that the slider moves over."""

    span: str
    begin: datetime
    end: datetime

    def place(self, at: datetime) -> float:
        """Where an instant lies, in percent of the window; never outside it."""
        share = (at - self.begin).total_seconds() / (self.end - self.begin).total_seconds()
        return round(100 * min(1.0, max(0.0, share)), 3)


def window_of(span: str, at: datetime, time_zone: str, shifts: Sequence[Shift]) -> Window:
    """The window that holds an instant: its shift (the newest of `shifts`, if it has not ended), its day or its week by
    the plant's clock."""
    if span == "shift" and shifts and at <= shifts[0].ends_at:
        return Window(span, shifts[0].begins_at, shifts[0].ends_at)
    local = at.astimezone(zone(time_zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    days = 1
    if span == "week":
        midnight, days = midnight - timedelta(days=local.weekday()), 7
    end = midnight + timedelta(days=days)
    return Window("week" if span == "week" else "day", midnight.astimezone(UTC), end.astimezone(UTC))


def draw(
    window: Window,
    at: datetime,
    now: datetime,
    runouts: Sequence[RunoutMark],
    calls: Sequence[CallMark],
    *,
    time_zone: str,
    language: str,
) -> str:
    """The picture; what it shows stands beside it as a list, so that it says nothing to screen readers."""
    mirrored = from_the_right(language)

    def x(instant: datetime) -> float:
        place = window.place(instant)
        return 100 - place if mirrored else place

    parts = ['<svg class="line" width="100%" height="76" aria-hidden="true">']
    for instant, label in _ticks(window, time_zone, language):
        parts.append(f'<line class="tick" x1="{x(instant)}%" x2="{x(instant)}%" y1="0" y2="56"/>')
        parts.append(f'<text class="hour" x="{x(instant)}%" y="72">{escape(label)}</text>')
    for place, mark in enumerate(runouts):
        parts.append(_bar(x, mark, now, 6 + 6 * (place % 4)))
    for call in calls:
        at_x = x(call.began_at)
        stops = " stops" if call.stops_line else ""
        parts.append(
            f'<svg x="{at_x}%" y="34" width="18" height="18" viewBox="0 0 24 24" class="bell{stops}"'
            ' overflow="visible">'
            '<path transform="translate(-12 0)" d="M12 1l10 20H2z"/></svg>'
        )
    if window.begin < now < window.end:
        rest = sorted((x(now), x(window.end)))
        width = round(rest[1] - rest[0], 3)
        parts.append(f'<rect class="ahead" x="{rest[0]}%" y="0" width="{width}%" height="56"/>')
    parts.append(f'<line class="cursor" id="cursor" x1="{x(at)}%" x2="{x(at)}%" y1="0" y2="56"/></svg>')
    return "".join(parts)


def _bar(x: Callable[[datetime], float], mark: RunoutMark, now: datetime, y: int) -> str:
    ends = sorted((x(mark.began_at), x(mark.ended_at or now)))
    width = max(round(ends[1] - ends[0], 3), 0.15)
    return f'<rect class="dry" x="{ends[0]}%" y="{y}" width="{width}%" height="5"/>'


def _ticks(window: Window, time_zone: str, language: str) -> Iterator[tuple[datetime, str]]:
    """Full hours, or midnights, by the plant's clock, without the ends of the window."""
    length = window.end - window.begin
    hours = next((hours for longest, hours in _TICKS if length <= longest), 24)
    at = window.begin.astimezone(zone(time_zone)).replace(minute=0, second=0, microsecond=0)
    while at.astimezone(UTC) < window.end:
        if at.astimezone(UTC) > window.begin and at.hour % hours == 0:
            label = words_of(language).days[at.weekday()] if hours == 24 else f"{at:%H:%M}"
            yield at.astimezone(UTC), label
        at = (at.astimezone(UTC) + timedelta(hours=1)).astimezone(zone(time_zone))
