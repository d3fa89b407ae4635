"""A call for help and its clock: how far it has climbed, and who must come.

The steps below are the policy of an area that has none of its own. The clock counts working minutes of the station: it
stands still over breaks and nights. A person who calls outside working time is at work all the same, and that call
counts by the wall; a runout that calls by itself (`by_itself`) waits for working time. A call climbs while nobody has
taken it; whoever takes it is its owner, the climbing stops, and the owner's own clock begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from jitapp.kanban.stated import stated
from jitapp.kanban.worktime import WorkCalendar

Kind = Literal["material", "quality", "machine", "help"]
KINDS: tuple[Kind, ...] = ("material", "quality", "machine", "help")
# Why a call that a runout made by itself was solved by itself.
ARRIVED = "material is there"
ON_HOLD = "the loop was put on hold"
RETIRED = "the loop was retired"
NOT_WANTED = "nobody waits for it any more"
NEVER_DRY = "the buffer had not run out"
# Why a person's call was taken back by whoever stands at the station.
NOT_NEEDED = "not needed any more"
SOLVED_BY_ITSELF = (ARRIVED, ON_HOLD, RETIRED, NOT_WANTED, NEVER_DRY)
ROLES = ("team_leader", "area_leader", "plant_leader")
MOST_STEPS = 10


@dataclass(frozen=True, slots=True)
class Step:
    """From `after` on the call is at this step, and `who` must come: a role of ROLES, or a person's user name."""

    after: timedelta
    who: str


@dataclass(frozen=True, slots=True)
class Policy:
    """How calls of a station climb: the steps of its area, and the working time their minutes are counted in (None:
    every minute)."""

    steps: tuple[Step, ...]
    calendar: WorkCalendar | None = None


# Step 0 is amber. Two minutes are the response window: from step 1 on the call is red.
STEPS: tuple[Step, ...] = (
    Step(timedelta(0), "team_leader"),
    Step(timedelta(minutes=2), "team_leader"),
    Step(timedelta(minutes=5), "area_leader"),
    Step(timedelta(minutes=10), "plant_leader"),
)
USUAL = Policy(STEPS)


class BadSteps(ValueError):
    """Steps that do not climb; one sentence (`Stated`) for the person who wrote them."""


def steps_of(written: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """The steps as an area has them written: [{"after": 5, "who": "area_leader"}], minutes rising from 0.

    None written: STEPS. Whoever comes first comes at once, so that a missing step 0 is the team leader's. Raises
    BadSteps.
    """
    if not written:
        return STEPS
    if len(written) > MOST_STEPS:
        raise BadSteps(stated("A call climbs at most {n} steps.", n=MOST_STEPS))
    found = [Step(timedelta(minutes=int(line["after"])), str(line["who"])) for line in written]
    if found[0].after:
        found.insert(0, Step(timedelta(0), "team_leader"))
    if any(later.after <= earlier.after for earlier, later in pairwise(found)):
        raise BadSteps(stated("The minutes of the steps must rise: each step comes after the one before it."))
    if len(found) < 2:
        raise BadSteps(stated("One step does not climb: say after how many minutes who must come next."))
    return tuple(found)


def level(
    called_at: datetime,
    owned_at: datetime | None,
    now: datetime,
    policy: Policy = USUAL,
    *,
    by_itself: bool = False,
) -> int:
    """The step that the clock has reached: at `now`, or when somebody took the call."""
    until = owned_at if owned_at is not None else now
    calendar = _counted_in(policy, called_at, by_itself)
    if calendar is None:
        waited = until - called_at
    else:
        waited = timedelta(minutes=calendar.working_minutes_between(called_at, until))
    return max((number for number, step in enumerate(policy.steps) if step.after <= waited), default=0)


def must_come(reached: int, owned_at: datetime | None, policy: Policy = USUAL) -> str:
    """Who must act on a call at the step `reached`: its owner once somebody has taken it."""
    return "owner" if owned_at is not None else policy.steps[min(reached, len(policy.steps) - 1)].who


def climbs_at(
    called_at: datetime,
    owned_at: datetime | None,
    now: datetime,
    policy: Policy = USUAL,
    *,
    by_itself: bool = False,
) -> datetime | None:
    """When the next step is due; None for a call that is taken or at the top."""
    if owned_at is not None:
        return None
    calendar = _counted_in(policy, called_at, by_itself)
    ahead = (
        called_at + step.after
        if calendar is None
        else calendar.add_working_minutes(called_at, int(step.after.total_seconds() // 60))
        for step in policy.steps
    )
    return min((at for at in ahead if at > now), default=None)


def _counted_in(policy: Policy, called_at: datetime, by_itself: bool) -> WorkCalendar | None:
    calendar = policy.calendar
    if calendar is None or by_itself or calendar.is_working(called_at):
        return calendar
    return None
