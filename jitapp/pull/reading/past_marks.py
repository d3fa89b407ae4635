"""What happened in an area over a stretch of time, to be marked on its time line: runouts and calls; reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min, Q

from jitapp.plant.models import Loop
from jitapp.pull.models import AndonCall, Event, Runout


@dataclass(frozen=True, slots=True)
class RunoutMark:
    """A runout as is known of it now; `ended_at` None: it goes on."""

    loop_id: int
    part: str
    began_at: datetime
    ended_at: datetime | None
    cause: str


@dataclass(frozen=True, slots=True)
class CallMark:
    """A call; `ended_at` None: it is open."""

    station: str
    kind: str
    began_at: datetime
    ended_at: datetime | None
    stops_line: bool
    taken_by: str
    reason: str
    note: str


def loops_of(area: str) -> list[int]:
    """The loops whose demand station lies in the area, also those retired since."""
    return list(Loop.objects.filter(demand__area__code=area).values_list("pk", flat=True))


def begins_at(loop_ids: Sequence[int]) -> datetime | None:
    """When the first event of any of the loops occurred; None: there is none."""
    found: datetime | None = Event.objects.filter(loop_id__in=loop_ids, loop_seq=1).aggregate(
        first=Min("occurred_at")
    )["first"]
    return found


def runout_marks(loop_ids: Sequence[int], since: datetime, until: datetime) -> list[RunoutMark]:
    """The runouts of the loops that went on at any time between, in order; one of no length is none."""
    rows = (
        Runout.objects.filter(loop_id__in=loop_ids, opened_at__lt=until)
        .filter(Q(closed_at__isnull=True) | Q(closed_at__gt=since))
        .order_by("opened_at", "pk")
        .values_list("loop_id", "loop__part__number", "opened_at", "closed_at", "cause")
    )
    return [RunoutMark(*row) for row in rows if row[2] != row[3]]


def runouts_then(loop_id: int, at: datetime, *, most: int = 20) -> list[RunoutMark]:
    """The newest runouts of a loop that had begun at an instant, newest first; one that ended after it goes on."""
    rows = Runout.objects.filter(loop_id=loop_id, opened_at__lte=at).order_by("-opened_at", "-pk")
    return [
        RunoutMark(loop, part, began, ended if ended and ended <= at else None, cause)
        for loop, part, began, ended, cause in rows.values_list(
            "loop_id", "loop__part__number", "opened_at", "closed_at", "cause"
        )[:most]
        if began != ended
    ]


def call_marks(area: str, since: datetime, until: datetime) -> list[CallMark]:
    """The calls of the area's stations that were open at any time between, in order."""
    rows = (
        AndonCall.objects.filter(station__area__code=area, called_at__lt=until)
        .filter(Q(solved_at__isnull=True) | Q(solved_at__gt=since))
        .select_related("station", "owner")
        .order_by("called_at", "pk")
    )
    return [
        CallMark(
            station=row.station.name,
            kind=row.kind,
            began_at=row.called_at,
            ended_at=row.solved_at,
            stops_line=row.stops_line,
            taken_by=str(row.owner) if row.owner else "",
            reason=row.reason,
            note=row.note,
        )
        for row in rows
    ]
