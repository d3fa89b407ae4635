"""How long a station takes to change over to a part family: the newest time, and the median (requirement A5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from jitapp.kanban.events.stations import Changeover as Changeover_
from jitapp.kanban.events.stations import ChangeoverBegan
from jitapp.pull.models import Event

BEGAN, DONE = ChangeoverBegan.type, Changeover_.type
NEWEST = 500  # changeovers from which times are learned, per station


@dataclass(frozen=True, slots=True)
class Changeover:
    """One that is under way, or was done; `minutes` of one under way is None."""

    from_family: str
    to_family: str
    started_at: datetime
    minutes: float | None


@dataclass(frozen=True, slots=True)
class FamilyTimes:
    """Changing over to one part family: minutes of wall clock."""

    family: str
    count: int
    last: float
    median: float
    last_at: datetime


@dataclass(frozen=True, slots=True)
class StationChangeovers:
    """A station's changeovers: the one under way, what is known per part family, and which one it is set up for."""

    running: Changeover | None
    families: list[FamilyTimes]
    newest: str


def times_of(done: Iterable[Changeover]) -> list[FamilyTimes]:
    """Newest and median minutes per family, by name; `done` is in the order of happening."""
    by_family: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
    for one in done:
        if one.minutes is not None:
            by_family[one.to_family].append((one.started_at, one.minutes))
    return [
        FamilyTimes(
            family=family,
            count=len(known),
            last=known[-1][1],
            median=round(median(minutes for _, minutes in known), 1),
            last_at=known[-1][0],
        )
        for family, known in sorted(by_family.items())
    ]


def running_event(station_id: int) -> Event | None:
    """The beginning of the changeover under way; None if the station is not changing over."""
    of_station = Event.objects.filter(station_id=station_id, loop__isnull=True)
    began = of_station.filter(type=BEGAN).order_by("-id").first()
    if began is None or of_station.filter(type=DONE, data__began=str(began.uuid)).exists():
        return None
    return began


def changeovers_of(station_id: int) -> StationChangeovers:
    """Of one station, from the ledger."""
    began = running_event(station_id)
    rows = (
        Event.objects.filter(station_id=station_id, loop__isnull=True, type=DONE)
        .order_by("-id")
        .values_list("occurred_at", "data")[:NEWEST]
    )
    done = [
        Changeover(data.get("from_family", ""), data.get("to_family", ""), at, data.get("minutes"))
        for at, data in reversed(list(rows))
    ]
    return StationChangeovers(
        running=Changeover(began.data["from_family"], began.data["to_family"], began.occurred_at, None)
        if began
        else None,
        families=times_of(one for one in done if one.to_family),
        newest=done[-1].to_family if done else "",
    )
