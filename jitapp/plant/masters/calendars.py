"""Calendars: when people work, and when deliveries are taken in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from jitapp.kanban.stated import stated
from jitapp.kanban.worktime import BadCalendar, WorkCalendar
from jitapp.plant.exactjson import Path
from jitapp.plant.masters.master import Load, Master, Rows, Values
from jitapp.plant.masters.wrong import Wrong
from jitapp.plant.models import Calendar, Plant
from jitapp.plant.rows import Code, Day, Row, Unreadable


class ShiftRow(Row):
    """Working hours that begin on each of `days`; an end that is not after the start lies on the next day."""

    days: list[Day]
    start: str
    end: str
    breaks: list[list[str]] = []


class CalendarRow(Row):
    """Working time; without shifts every minute works."""

    code: Code
    name: Annotated[str, Meta(max_length=120)] | UnsetType = UNSET
    default: bool | UnsetType = UNSET
    receiving: bool | UnsetType = UNSET
    shifts: Annotated[list[ShiftRow], Meta(max_length=100)] | UnsetType = UNSET
    holidays: Annotated[list[str], Meta(max_length=1_000)] | UnsetType = UNSET


class Calendars(Master[CalendarRow, Calendar]):
    """A code counts within its plant; at most one calendar is the plant's own, and one the dock's."""

    kind, word, row, model = "calendars", "calendar", CalendarRow, Calendar
    renamed = {"default": "is_default", "receiving": "is_receiving"}
    in_several_plants = codes_per_plant = True

    def reader(
        self, load: Load, plant: Plant, rows: Rows[CalendarRow]
    ) -> Callable[[CalendarRow, Calendar | None], Values]:
        """Raises Unreadable for a file that names two calendars for one use."""
        for member in ("default", "receiving"):
            chosen = [row.code for _, row in rows if getattr(row, member) is True]
            if len(chosen) > 1:
                raise Unreadable(
                    f"Plant {plant.code} has more than one {member} calendar: {', '.join(chosen)}."
                )
            if chosen:
                # Before the new one is written: the database holds that there is only one.
                former = Calendar.objects.filter(plant=plant, **{f"is_{member}": True})
                former.exclude(code=chosen[0]).update(**{f"is_{member}": False})
        return super().reader(load, plant, rows)

    def values(self, load: Load, plant: Plant, row: CalendarRow, before: Calendar | None) -> Values:
        """Shifts as they are kept: plain members."""
        wanted = super().values(load, plant, row, before)
        if isinstance(row.shifts, list):
            wanted["shifts"] = [
                {"days": list(shift.days), "start": shift.start, "end": shift.end, "breaks": shift.breaks}
                for shift in row.shifts
            ]
        return wanted

    def check(self, after: Calendar, before: Calendar | None) -> None:
        """Shifts and holidays can be read, also those that were typed by hand."""
        if not isinstance(after.shifts, list) or not isinstance(after.holidays, list):
            raise Wrong("malformed", stated("The shifts or holidays are not a list."))
        try:
            WorkCalendar(after.plant.time_zone, after.shifts, after.holidays)
        except BadCalendar as error:
            raise Wrong("malformed", error.args[0], _to_blame(after)) from None
        except (AttributeError, TypeError):
            example = '[{"days": ["mon"], "start": "06:00", "end": "14:00"}]'
            said = stated("Write the shifts like {example}.", example=example)
            raise Wrong("malformed", said, _to_blame(after)) from None

    def mend(self, entry: Calendar) -> list[str]:
        """A calendar that cannot be read counts as none: every minute works."""
        try:
            self.check(entry, None)
        except Wrong as wrong:
            entry.shifts, entry.holidays = [], []
            return [str(wrong)]
        return []


def _to_blame(calendar: Calendar) -> Path:
    """The first holiday, else the first shift, that cannot be read by itself; nothing where they cannot together."""
    for name, rows in (("holidays", calendar.holidays), ("shifts", calendar.shifts)):
        for at, row in enumerate(rows):
            try:
                WorkCalendar("UTC", **{name: [row]})
            except (BadCalendar, AttributeError, TypeError):
                return name, at
    return ()


CALENDARS = Calendars()
