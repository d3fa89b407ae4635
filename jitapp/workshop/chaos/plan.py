"""What a run is to do, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen. `seconds` is the time over which the scans are spread, so that accidents find them at work."""

    scans: int
    clients: int
    kills: int
    repeat: float
    seed: int
    seconds: float
    redis_stop: float
    redis_how: str  # gone: the process is killed and started again; frozen: SIGSTOP and SIGCONT
    signal_goal: float = 2.0  # seconds that a signal may take while Redis is away


@dataclass
class Result:
    """The figures, and what is wrong: an empty `wrong` is a passed run."""

    figures: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Course:
    """How the run went: seconds it lasted, seconds until no outbox row waited, and when Redis was away."""

    lasted: float
    waited: float
    away: tuple[datetime, datetime] | None
