"""What goes wrong in the demonstration, and who puts it right.

Calm is normal. About once a minute something holds one turn up until its row asks somebody to act; every sixth time it
takes so long that the buffer runs dry. Each is mended where everybody sees it: a call is taken and solved, a station
is staffed again, a promise is kept, a handler comes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from jitapp.workshop.demo.floor import Call, Deed, Floor, Job, Promise, Resume, Solve, Stop, Take

Kind = Literal["machine", "operator", "supplier", "handler"]
# Seconds.
EVERY = (35, 58)
FIRST_AFTER = 30
LINGERS = (28, 50)  # after the turn has become late: so long somebody is asked to act
DRY_FOR = (35, 60)
TAKEN_AFTER = (8, 16)
SOLVING = 6  # from the last touch of the wrench to the solved call
UNLOADING = 20
NEVER_LONGER = 900
MOST_AT_ONCE = 3
RUNS_DRY_EVERY = 6  # so many troubles
# What it was, and what keeps it from coming back.
MACHINE = (
    ("Feeder 3 jams", "Feeder cleaned", "Clean feeders at each shift start"),
    ("Oven does not reach its temperature", "Thermocouple changed", "Spare thermocouple kept at the oven"),
    ("Tester loses contact", "Test pins changed", "Count the strokes of the pins"),
)
AWAY = ("Fetching labels", "Helping at the next station", "Short briefing")
LEADERS = {
    "PASTE": "BW-06",
    "REFLOW": "BW-06",
    "TEST": "BW-07",
    "SHIP": "BW-07",
    "CABINET": "BW-08",
}


@dataclass(slots=True)
class Trouble:
    """One turn is held up: by what, until it is late for `lingers` seconds, or until its buffer has been dry so long.

    `station` is where it is held up; a machine that is down and an absent operator hold up the whole station.
    """

    kind: Kind
    turn: str
    loop: str
    station: str
    by: str
    runs_dry: bool
    lingers: float
    text: tuple[str, ...]
    said: bool = False
    take_at: float | None = None
    taken: bool = False
    dry_since: float | None = None
    over: bool = False


class Troubles:
    """Chooses what goes wrong next, and sees each through to its end."""

    def __init__(self, floor: Floor, chance: random.Random, badges: dict[str, str]) -> None:
        self._floor = floor
        self._chance = chance
        self._badges = badges
        self._open: list[Trouble] = []
        self._next = float(FIRST_AFTER)
        self._begun = 0
        self.resting = False  # nothing new goes wrong: the shift ends

    def __len__(self) -> int:
        return len(self._open)

    def hold(self, job: Job, intent: str) -> bool:
        """Whether what the crew would do with the job does not happen yet."""
        for trouble in self._open:
            if trouble.kind in ("machine", "operator"):
                if job.supply == trouble.station and intent in ("start", "complete"):
                    return True
            elif job.turn == trouble.turn:
                return intent == ("receive" if trouble.kind == "handler" else "load")
        return False

    def deeds(self, now: float, age: Callable[[Job], float]) -> Iterator[Deed]:
        """What people do about the troubles; `age` is for how many seconds a turn has been open."""
        jobs = {job.turn: job for job in self._floor.all_jobs()}
        for trouble in list(self._open):
            yield from self._see_through(trouble, jobs.get(trouble.turn), now, age)
        self._open = [trouble for trouble in self._open if not trouble.over]
        if now >= self._next and not self.resting and len(self._open) < MOST_AT_ONCE:
            self._begin(list(jobs.values()), now, age)

    # -- one trouble -----------------------------------------------------------------------------

    def _see_through(
        self, it: Trouble, job: Job | None, now: float, age: Callable[[Job], float]
    ) -> Iterator[Deed]:
        if not it.said:
            it.said = True
            yield from self._tell(it, job, age)
            if it.kind == "machine":
                it.take_at = now + self._chance.uniform(*TAKEN_AFTER)
        dry = not self._floor.usable(it.loop)
        if dry and it.dry_since is None:
            it.dry_since = now
        if it.take_at is not None and now >= it.take_at and not it.taken:
            it.taken = True
            yield Take(it.station, LEADERS[it.station], f"take {it.turn}", "machine", "")
        if job is None or self._is_over(it, dry, now, age(job)):
            it.over = True
            yield from self._mend(it)

    def _is_over(self, it: Trouble, dry: bool, now: float, old: float) -> bool:
        late = old - self._floor.routes[it.loop].lead_seconds
        if late > NEVER_LONGER:
            return True
        if it.runs_dry and not self.resting:  # without pulls nothing more runs dry
            return it.dry_since is not None and now - it.dry_since >= it.lingers
        return late >= it.lingers or dry

    def _tell(self, it: Trouble, job: Job | None, age: Callable[[Job], float]) -> Iterator[Deed]:
        about = f"{it.kind} {it.turn}"
        if it.kind == "machine":
            yield Call(it.station, it.by, about, "machine", it.text[0])
        elif it.kind == "operator":
            yield Stop(it.station, it.by, about, "no_operator", it.text[0])
        elif it.kind == "supplier" and job is not None and not it.runs_dry:
            left = self._floor.routes[it.loop].lead_seconds - age(job) + it.lingers + UNLOADING
            yield Promise(it.station, it.by, about, job.card, left)

    def _mend(self, it: Trouble) -> Iterator[Deed]:
        about = f"mend {it.turn}"
        if it.kind == "machine":
            yield Solve(it.station, LEADERS[it.station], about, "machine", it.text[1], it.text[2])
        elif it.kind == "operator":
            yield Resume(it.station, it.by, about, "no_operator")

    # -- the next one ----------------------------------------------------------------------------

    def _begin(self, jobs: list[Job], now: float, age: Callable[[Job], float]) -> None:
        runs_dry = self._begun % RUNS_DRY_EVERY == RUNS_DRY_EVERY - 1
        found = [
            (kind, job)
            for job in jobs
            if (kind := self._may_be(job, age(job), runs_dry)) and not self._left_alone(job, now)
        ]
        if not found:
            return
        weights = [
            1 if runs_dry and self._is_slow(job) else 2 if self._is_slow(job) else 8 for _, job in found
        ]
        kind, job = self._chance.choices(found, weights)[0]
        self._begun += 1
        self._next = now + self._chance.uniform(*EVERY)
        text = self._chance.choice(MACHINE) if kind == "machine" else (self._chance.choice(AWAY),)
        lingers = self._chance.uniform(*(DRY_FOR if runs_dry else LINGERS))
        by = self._badges.get(job.supply, "")
        self._open.append(Trouble(kind, job.turn, job.loop, job.supply, by, runs_dry, lingers, text))

    def _may_be(self, job: Job, old: float, runs_dry: bool) -> Kind | None:
        """What could hold this job up: it is young, its loop has one container left, and nothing else is wrong."""
        route = self._floor.routes.get(job.loop)
        if route is None or route.demand not in LEADERS or len(self._floor.usable(job.loop)) != 1:
            return None
        if old > route.lead_seconds / 2 or any(job.loop == each.loop for each in self._open):
            return None
        kind = self._floor.stations.get(job.supply)
        if kind == "SUPPLIER":
            return "supplier" if job.step == "" else None
        if kind == "SUPERMARKET":
            return "handler" if job.step == "" and not runs_dry else None
        if any(each.station == job.supply for each in self._open):
            return None
        if job.step == "" and not runs_dry:
            return self._chance.choice(("machine", "operator", "handler"))
        return "handler"

    def _is_slow(self, job: Job) -> bool:
        """Bought parts and supplies last long: a trouble there takes a quarter of an hour."""
        return self._floor.stations.get(job.supply) in ("SUPPLIER", "SUPERMARKET")

    def _left_alone(self, job: Job, now: float) -> bool:
        return any(self._floor.left_alone(station, now) for station in (job.supply, job.demand))
