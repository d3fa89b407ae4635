"""When a loop runs out and when it is full again, projected from its newest turns in working time."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from jitapp.kanban.worktime import BadCalendar, WorkCalendar
from jitapp.pull.reading.board_statements import CALENDARS
from jitapp.pull.reading.records import Record, read_rows

LEARNED_FROM = 3  # fewer turns than this say nothing


def runs_out_at(
    usable: list[Record], history: list[Record], calendar: WorkCalendar, now: datetime
) -> datetime | None:
    """Now + what is left / the rate of use. A container half used since the last emptying counts by the clock.

    The rate is pieces per working minute between the oldest and the newest of the last turns; a pause longer than
    usual slows it, so that a stopped line does not look as if it ran out.
    """
    if len(history) < LEARNED_FROM or not usable:
        return None
    newest, oldest = history[0].opened_at, history[-1].opened_at
    minutes = calendar.working_minutes_between(oldest, newest)
    pieces = float(sum(turn.asked for turn in history[:-1]))
    if minutes <= 0 or pieces <= 0:
        return None
    usual = minutes / (len(history) - 1)
    elapsed = calendar.working_minutes_between(newest, now)
    rate = pieces / (minutes + max(elapsed - usual, 0.0))
    left = float(sum(card.contents for card in usable))
    partly_used = any(card.contents < card.quantity for card in usable)
    # Contents that fall with each draw are the truth of now; else they are the truth of the last emptying. Whatever
    # the clock says, only the container in use can be used up unseen: the others are still full.
    begin, gone = (now, 0.0) if partly_used else (newest, elapsed)
    unseen = (left - float(max(card.contents for card in usable))) / rate if gone else 0.0
    ahead = left / rate
    if ahead - gone <= unseen:
        return calendar.add_working_minutes(now, round(unseen)) if unseen else now
    return max(calendar.add_working_minutes(begin, round(ahead)), now)


def refill_at(
    turns: list[Record], history: list[Record], calendar: WorkCalendar, now: datetime
) -> datetime | None:
    """The first of the open turns to come back: by the learned time (its 80th percentile), else by its due time."""
    if not turns:
        return None
    taken = sorted(
        calendar.working_minutes_between(turn.released_at, turn.closed_at)
        for turn in history
        if turn.closed_at is not None
    )
    usual = taken[int(0.8 * (len(taken) - 1) + 0.5)] if len(taken) >= LEARNED_FROM else None
    expected: list[datetime] = []
    for turn in turns:
        learned = (
            calendar.add_working_minutes(turn.released_at, round(usual))
            if usual is not None and turn.released_at is not None
            else None
        )
        if learned is not None and (learned > now or turn.due_at is None):
            expected.append(learned)
        elif turn.due_at is not None:
            expected.append(turn.due_at)
    return min(expected, default=None)


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


def in_force(calendar: WorkCalendar, history: list[Record]) -> WorkCalendar:
    """The clock instead of the calendar while people evidently work outside it, as on an extra shift."""
    return calendar if not history or calendar.is_working(history[0].opened_at) else _ALWAYS


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@lru_cache(maxsize=256)
def _calendar(time_zone: str, shifts: str, holidays: str) -> WorkCalendar:
    """Built once per content: a calendar keeps the days it has computed."""
    try:
        return WorkCalendar(time_zone, json.loads(shifts), json.loads(holidays))
    except (BadCalendar, TypeError, AttributeError):  # what no check of ours let through
        return _ALWAYS
