"""How long the turns of a loop took: in all and step by step, in the working time of its supply station; reads only.

The steps are the stretches of a turn's life (kanban/standing): what it waited for and what was done to it, one after
the other, so that they add up to the whole.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jitapp.kanban.standing import MOVING
from jitapp.kanban.vocabulary import SignalState
from jitapp.kanban.worktime import WorkCalendar
from jitapp.pull.models import Turn

NEWEST = 100  # turns from which times are told
# The order in which a turn goes its way; what is not named here comes last.
_WAY = (
    "withheld", "accumulate", "doc", "ack", "supplier", "queue", "supply_short", "process", "collect", "transit",
    "put_away", "receiver_not_ready", "held", "error", "rejected",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StepTimes:
    """What a step took in the turns that had it, in working minutes, sorted."""

    reason: str
    minutes: list[float]
    waits: bool  # nothing was done to the turn meanwhile


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """The times of the newest finished turns; `lead` from the release to the full container, sorted, in working
    minutes. `since` and `until` are the first release and the last return among them."""

    lead: list[float]
    steps: list[StepTimes]
    since: datetime | None
    until: datetime | None


def turn_times(loop_id: int, calendar: WorkCalendar) -> TurnTimes:
    """The times of the newest turns that brought something; `calendar` is that of the supply station."""
    found_rows = (
        Turn.objects.filter(loop_id=loop_id, released_at__isnull=False, closed_at__isnull=False)
        .exclude(signal_state=SignalState.CANCELLED)
        .order_by("-released_at")
        .values_list("released_at", "closed_at", "stretches")[:NEWEST]
    )
    rows = [(begin, end, life) for begin, end, life in found_rows if begin is not None and end is not None]
    lead = sorted(calendar.working_minutes_between(begin, end) for begin, end, _ in rows)
    found: dict[str, list[float]] = defaultdict(list)
    for _, closed_at, stretches in rows:
        for reason, minutes in steps_of(stretches, closed_at, calendar).items():
            found[reason].append(minutes)
    place = {reason: number for number, reason in enumerate(_WAY)}
    return TurnTimes(
        lead,
        [
            StepTimes(reason, sorted(found[reason]), reason not in MOVING)
            for reason in sorted(found, key=lambda one: (place.get(one, len(_WAY)), one))
        ],
        min((row[0] for row in rows), default=None),
        max((row[1] for row in rows), default=None),
    )


def steps_of(stretches: list[Any], until: datetime, calendar: WorkCalendar) -> dict[str, float]:
    """Working minutes per reason of one turn, from its stretches [reason, owner, since, number] as they are saved."""
    found: dict[str, float] = defaultdict(float)
    begun = [(str(each[0]), datetime.fromisoformat(each[2])) for each in stretches]
    ends = [since for _, since in begun[1:]] + [until]
    for (reason, since), end in zip(begun, ends, strict=False):
        if reason:
            found[reason] += calendar.working_minutes_between(since, min(end, until))
    return dict(found)
