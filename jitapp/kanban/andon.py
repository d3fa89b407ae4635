"""A call for help and its clock: how far it has climbed, and who must come. The table below is the whole policy.

The clock is the wall's: a call is made by somebody who stands there now. It climbs while nobody has taken it; whoever
takes it is its owner, the climbing stops, and the owner's own clock begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Kind = Literal["material", "quality", "machine", "help"]
KINDS: tuple[Kind, ...] = ("material", "quality", "machine", "help")
Who = Literal["team_leader", "area_leader", "plant_leader", "owner"]


@dataclass(frozen=True, slots=True)
class Step:
    """From `after` on the call is at this step, and `who` must come."""

    after: timedelta
    who: Who


# Step 0 is amber. Two minutes are the response window: from step 1 on the call is red.
STEPS: tuple[Step, ...] = (
    Step(timedelta(0), "team_leader"),
    Step(timedelta(minutes=2), "team_leader"),
    Step(timedelta(minutes=5), "area_leader"),
    Step(timedelta(minutes=10), "plant_leader"),
)


def level(
    called_at: datetime, owned_at: datetime | None, now: datetime, steps: Sequence[Step] = STEPS
) -> int:
    """The step that the clock has reached: at `now`, or when somebody took the call."""
    waited = (owned_at if owned_at is not None else now) - called_at
    return max((number for number, step in enumerate(steps) if step.after <= waited), default=0)


def must_come(reached: int, owned_at: datetime | None, steps: Sequence[Step] = STEPS) -> Who:
    """Who must act on a call at the step `reached`: its owner once somebody has taken it."""
    return "owner" if owned_at is not None else steps[min(reached, len(steps) - 1)].who


def climbs_at(
    called_at: datetime, owned_at: datetime | None, now: datetime, steps: Sequence[Step] = STEPS
) -> datetime | None:
    """When the next step is due; None for a call that is taken or at the top."""
    if owned_at is not None:
        return None
    ahead = [called_at + step.after for step in steps if called_at + step.after > now]
    return min(ahead, default=None)
