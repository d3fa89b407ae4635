"""What the people of the demonstration see of their shop, and what they can do there.

The same people work on two floors: the running shop, which they see through the API (`live`), and one in memory, on
which the past is worked out before the true rules are asked to record it (`past`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

USABLE = ("FULL", "IN_USE")


@dataclass(frozen=True, slots=True)
class Route:
    """A loop: what it brings from where to where, and the lead time that was promised, in seconds."""

    code: str
    part: str
    demand: str
    supply: str
    lead_seconds: float
    active: bool = True


@dataclass(slots=True)
class Bin:
    """A container of a loop at its demand station; the smallest `since` stands there longest."""

    card: str
    loop: str
    status: str
    contents: Decimal
    since: str | float
    usable: bool


@dataclass(slots=True)
class Job:
    """A turn that a station was asked for; `step` is empty while it waits."""

    turn: str
    card: str
    loop: str
    part: str
    demand: str
    supply: str
    asked: Decimal
    step: str


# -- what people do ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that somebody would now do at a station. `about` names it for the next time it comes up."""

    station: str
    by: str  # badge
    about: str


@dataclass(frozen=True, slots=True)
class Scan(Deed):
    """A card is scanned."""

    card: str
    intent: str


@dataclass(frozen=True, slots=True)
class Promise(Deed):
    """The supplier says in how many seconds the container will be there."""

    card: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Stop(Deed):
    """The station stands still from now on; `kind` is down, no_operator or planned_stop."""

    kind: str
    note: str


@dataclass(frozen=True, slots=True)
class Resume(Deed):
    """It works again."""

    kind: str


@dataclass(frozen=True, slots=True)
class Call(Deed):
    """Somebody calls for help; nothing is started at the station until it is solved."""

    kind: str
    note: str


@dataclass(frozen=True, slots=True)
class Take(Deed):
    """A leader has the open call of that kind at the station; of a runout's own call `loop` says of which."""

    kind: str
    loop: str


@dataclass(frozen=True, slots=True)
class Solve(Deed):
    """The leader has put it right."""

    kind: str
    reason: str
    countermeasure: str


# -- the floor -----------------------------------------------------------------------------------


class Floor:
    """Stations with their kind, loops, the bins of each loop and the jobs of each station in the order in which they
    are due. Subclasses keep them true."""

    def __init__(self) -> None:
        self.stations: dict[str, str] = {}
        self.routes: dict[str, Route] = {}
        self.bins: dict[str, list[Bin]] = {}
        self.jobs: dict[str, list[Job]] = {}
        self.taken: frozenset[str] = frozenset()  # stations that people have to themselves

    def look(self, seconds: float) -> None:
        """Sees what has happened since the last look; `seconds` is the crew's own clock."""
        raise NotImplementedError

    def do(self, deed: Deed) -> bool:
        """Whether it was done."""
        raise NotImplementedError

    def components(self, part: str) -> list[tuple[str, Decimal]]:
        """What goes into one piece of the part."""
        raise NotImplementedError

    def left_alone(self, _station: str, _seconds: float) -> bool:
        """Whether somebody scans there by hand."""
        return False

    def all_jobs(self) -> Iterator[Job]:
        """The open jobs of all stations."""
        for jobs in list(self.jobs.values()):
            yield from list(jobs)

    def usable(self, loop: str) -> list[Bin]:
        """Containers to take from: the open one first, then the one that stands longest."""
        found = [each for each in self.bins.get(loop, ()) if each.usable and each.status in USABLE]
        return sorted(found, key=lambda each: (each.status != "IN_USE", each.since))

    def feeding(self, station: str, part: str) -> list[str]:
        """The loops that bring a part to a station."""
        return [
            route.code
            for route in self.routes.values()
            if route.demand == station and route.part == part and route.active
        ]

    def has_material(self, job: Job) -> bool:
        """Whether everything that the job needs stands at its station."""
        for part, per_piece in self.components(job.part):
            loops = self.feeding(job.supply, part)
            there = sum((each.contents for loop in loops for each in self.usable(loop)), Decimal(0))
            if loops and there < job.asked * per_piece:
                return False
        return True
