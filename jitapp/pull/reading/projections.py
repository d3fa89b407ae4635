"""When a loop runs out and when it is full again, projected from its newest turns in working time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from jitapp.kanban.worktime import BadCalendar, WorkCalendar
from jitapp.pull.reading.board_statements import CALENDARS
from jitapp.pull.reading.records import Record, read_rows

LEARNED_FROM = 3  # fewer turns than this say nothing, unless they are of a week
STOOD_STILL = 2  # a pause so many times as long as all other intervals together says nothing about use
A_WEEK = timedelta(days=7)  # after it what is known is told, however little
# Cards that are emptied within so much of each other are one bunch, as on a round that collects a day's cards.
BUNCH = timedelta(minutes=1)
EXTRA_HOURS = timedelta(
    hours=1
)  # at the least, an extra shift is believed for so long after its last container
KEPT_BY_NOBODY = 3  # days on which all containers were emptied outside the calendar
# The instants of a turn's way, the last one first: what it has reached says how far it still has to go.
STEPS_BACKWARDS = ("loaded_at", "completed_at", "started_at", "released_at")


@dataclass(frozen=True, slots=True)
class Use:
    """How fast a loop uses its part: `rate` in pieces per working minute of its demand station, measured over `turns`
    emptied containers since `since`; the newest of them was emptied at `newest`, `elapsed` working minutes ago."""

    rate: float
    since: datetime
    newest: datetime
    elapsed: float
    turns: int


def bunched(history: Sequence[Record]) -> bool:
    """Whether so few of the newest turns began apart from each other that more of them are needed to tell a rhythm."""
    return len(_bunches(history)) < LEARNED_FROM


def use_of(history: Sequence[Record], calendar: WorkCalendar, now: datetime) -> Use | None:
    """The rate between the oldest and the newest of the last turns, without the times in which the line evidently
    stood still; a pause longer than usual now slows it, so that a stopped line does not look as if it ran out.

    Cards that were emptied together count as one. Few of them say something only after a week: then the time since
    counts as if the next container were used up now, so that the rate is rather too high. None: no rate yet.
    """
    found = _bunches(history)
    if not found:
        return None
    if len(found) < LEARNED_FROM <= len(history):
        found = _bunches(
            history, timedelta(0)
        )  # everything was emptied within minutes: they are all there is
    if len(found) < LEARNED_FROM and now - found[-1][0] < A_WEEK:
        return None
    newest, oldest = found[0][0], found[-1][0]
    elapsed = calendar.working_minutes_between(newest, now)
    uses = [
        (calendar.working_minutes_between(older[0], newer[0]), older[1]) for newer, older in pairwise(found)
    ]
    # What was used up outside working time says nothing of working time.
    uses = [(minutes, pieces) for minutes, pieces in uses if minutes > 0]
    while len(uses) >= LEARNED_FROM:
        longest = max(uses)
        others = sum(minutes for minutes, _ in uses) - longest[0]
        if not 0 < STOOD_STILL * others < longest[0]:
            break
        uses.remove(longest)
    if uses:
        minutes, pieces = (sum(parts) for parts in zip(*uses, strict=True))
        usual = minutes / len(uses)
    else:
        minutes, pieces, usual = elapsed, found[-1][1], elapsed
    if minutes <= 0 or pieces <= 0:
        # Without a working minute between them the clock is all there is.
        return use_of(history, _ALWAYS, now) if calendar is not _ALWAYS and len(found) > 1 else None
    rate = pieces / (minutes + max(elapsed - usual, 0.0))
    return Use(rate, oldest, newest, elapsed, len(history))


def _bunches(history: Sequence[Record], apart: timedelta = BUNCH) -> list[tuple[datetime, float]]:
    """(when the first one was emptied, pieces asked for), newest first; in the order of emptying, which is not that of
    the release where a batch goes out together."""
    found: list[tuple[datetime, float]] = []
    last: datetime | None = None
    for turn in sorted(history, key=lambda each: each.opened_at):
        pieces = float(turn.asked)
        if last is not None and turn.opened_at - last < apart:
            found[-1] = (found[-1][0], found[-1][1] + pieces)
        else:
            found.append((turn.opened_at, pieces))
        last = turn.opened_at
    return found[::-1]


def runs_out_at(
    usable: list[Record], history: list[Record], calendar: WorkCalendar, now: datetime
) -> datetime | None:
    """Now + what is left / the rate of use. A container half used since the last emptying counts by the clock."""
    use = use_of(history, calendar, now) if usable else None
    if use is None:
        return None
    left = float(sum(card.contents for card in usable))
    partly_used = any(card.contents < card.quantity for card in usable)
    # Contents that fall with each draw are the truth of now; else they are the truth of the last emptying. Whatever
    # the clock says, only the container in use can be used up unseen: the others are still full.
    begin, gone = (now, 0.0) if partly_used else (use.newest, use.elapsed)
    unseen = (left - float(max(card.contents for card in usable))) / use.rate if gone else 0.0
    ahead = left / use.rate
    if ahead - gone <= unseen:
        return calendar.add_working_minutes(now, unseen) if unseen else now
    return max(calendar.add_working_minutes(begin, ahead), now)


def refill_at(
    turns: list[Record], history: list[Record], calendar: WorkCalendar, now: datetime
) -> datetime | None:
    """The first of the open turns to come back: when its supplier promised it, else by what is learned of the rest of
    its way, else by its due time."""
    return min(
        (at for turn in turns if (at := _back_at(turn, history, calendar, now)) is not None), default=None
    )


def _back_at(turn: Record, history: list[Record], calendar: WorkCalendar, now: datetime) -> datetime | None:
    """When one turn is expected back. The learned time is the 80th percentile of what the newest turns took from the
    step that this one has reached; of those only that took longer than this one has taken already, because a turn
    that is not back yet is none of the quick ones. None was that slow: its due time is all that is known."""
    if turn.promised_at is not None and turn.promised_at > now:
        promised: datetime = turn.promised_at
        return promised
    for step in STEPS_BACKWARDS:
        begin = getattr(turn, step)
        if begin is None:
            continue
        taken = sorted(
            calendar.working_minutes_between(getattr(past, step), past.closed_at)
            for past in history
            if past.closed_at is not None and getattr(past, step) is not None
        )
        if len(taken) < LEARNED_FROM:
            continue
        elapsed = calendar.working_minutes_between(begin, now)
        slower = [minutes for minutes in taken if minutes > elapsed]
        if slower or turn.due_at is None:
            usual = slower or taken
            return calendar.add_working_minutes(begin, usual[int(0.8 * (len(usual) - 1) + 0.5)])
        break
    due: datetime | None = turn.due_at
    return due


class Calendars:
    """The working time of the loops' stations: their own, else the plant's, else every minute."""

    def __init__(self, loops: list[Record]) -> None:
        wanted = {loop.demand_calendar for loop in loops} | {loop.supply_calendar for loop in loops}
        plants = list({loop.plant for loop in loops})
        self._own: dict[int, WorkCalendar] = {}
        self._of_plant: dict[int, WorkCalendar] = {}
        for row in read_rows(CALENDARS, [[number for number in wanted if number is not None], plants]):
            calendar = _calendar(row.time_zone, _text(row.shifts), _text(row.holidays))
            self._own[row.id] = calendar
            if row.is_default:
                self._of_plant[row.plant_id] = calendar

    def of_demand(self, loop: Record) -> WorkCalendar:
        return self._find(loop.demand_calendar, loop.plant)

    def of_supply(self, loop: Record) -> WorkCalendar:
        return self._find(loop.supply_calendar, loop.plant)

    def _find(self, number: int | None, plant: int) -> WorkCalendar:
        if number is not None and number in self._own:
            return self._own[number]
        return self._of_plant.get(plant, _ALWAYS)


_ALWAYS = WorkCalendar()


def in_force(calendar: WorkCalendar, history: Sequence[Record], now: datetime) -> WorkCalendar:
    """The clock instead of the calendar while people evidently work outside it, as on an extra shift: that is believed
    until twice its longest pause has gone by, so that one late scan makes no working time of a weekend. A calendar
    outside which all containers were emptied, on several days, is kept by nobody."""
    opened = sorted(turn.opened_at for turn in history)
    if not opened or calendar.is_working(opened[-1]):
        return calendar
    newest = opened[-1]
    if (
        not any(calendar.is_working(at) for at in opened)
        and len({at.date() for at in opened}) >= KEPT_BY_NOBODY
    ):
        return _ALWAYS
    same = [at for at in opened if not calendar.working_minutes_between(at, newest)]
    pause = max((later - earlier for earlier, later in pairwise(same)), default=timedelta(0))
    goes_on = not calendar.working_minutes_between(newest, now) and now - newest <= max(
        2 * pause, EXTRA_HOURS
    )
    return _ALWAYS if goes_on else calendar


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@lru_cache(maxsize=256)
def _calendar(time_zone: str, shifts: str, holidays: str) -> WorkCalendar:
    """Built once per content: a calendar keeps the days it has computed."""
    try:
        return WorkCalendar(time_zone, json.loads(shifts), json.loads(holidays))
    except (BadCalendar, TypeError, AttributeError):  # what no check of ours let through
        return _ALWAYS
