"""What stations tell of themselves; these events belong to no loop and change no state of one."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from jitapp.kanban.events.base import Event


class ChangeoverBegan(Event, frozen=True, kw_only=True):
    """A station began to change over to another part family."""

    type: ClassVar[str] = "station.changeover_began"

    from_family: str  # empty: not said
    to_family: str


class StandsStill(Event, frozen=True):
    """A station stands still from now on: `state` is down, no_operator or planned_stop."""

    type: ClassVar[str] = "station.stands_still"

    state: str
    note: str = ""


class StationSpan(Event, frozen=True, kw_only=True):
    """A stretch of time at a station, told when it is over. `began` is the event that told of its beginning."""

    started_at: datetime
    ended_at: datetime
    minutes: float
    began: str = ""
    note: str = ""
    id: str = ""  # of the line of a log that it was read from
    part: str = ""


class Changeover(StationSpan, frozen=True, kw_only=True):
    """A station changed over to another part family in so many `minutes`."""

    type: ClassVar[str] = "station.changeover"

    from_family: str  # empty: not said
    to_family: str


class Breakdown(StationSpan, frozen=True):
    """A station was down for so many `minutes`."""

    type: ClassVar[str] = "station.breakdown"


class NoOperator(StationSpan, frozen=True):
    """Nobody worked at a station for so many `minutes`."""

    type: ClassVar[str] = "station.no_operator"


class PlannedStop(StationSpan, frozen=True):
    """A station was stopped on purpose for so many `minutes`."""

    type: ClassVar[str] = "station.planned_stop"


class StationReport(StationSpan, frozen=True):
    """A station reported something else."""

    type: ClassVar[str] = "station.report"


SPANS: dict[str, type[StationSpan]] = {
    each.type.removeprefix("station."): each
    for each in (Changeover, Breakdown, NoOperator, PlannedStop, StationReport)
}
