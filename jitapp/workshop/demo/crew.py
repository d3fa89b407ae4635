"""The people of the demonstration shop: who does what, and how long it takes them.

The shop lives in a time of its own, in which an hour passes in a minute: its lead times, its container sizes and what
people need for their work all fit that, so that what a board forecasts comes true (requirement A7: eight boards a day,
each bin half a day of downstream work, which is four minutes here).
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from jitapp.workshop.demo.floor import Deed, Floor, Job, Scan, Take
from jitapp.workshop.demo.troubles import LEADERS, UNLOADING, Troubles

# Seconds. Eight boards a day of 465 minutes pass each station, so that each is busy for about half of the time (A7).
BENCH_SECONDS = {"PASTE": 12, "REFLOW": 16, "TEST": 24}  # for one board
STARTING_SECONDS = 3
HANDLING_SECONDS = 10
PULL_SECONDS = 465 / 6  # six pulls a day: two of each board
CUSTOMER_RETURNS_SECONDS = 15
DELIVERY_SECONDS = {"SUPPLIER": 330, "SUPERMARKET": 40}
TAKING_SECONDS = 12  # until a leader has the call of a dry buffer
ANSWER_SECONDS = 45  # until a supplier has acknowledged
SUPPLIES_SECONDS = 75
REFUSED_AGAIN_SECONDS = 20
FIRST_PULL_SECONDS = 2.0
# Boards by name, in the levelled order of one bin each.
CUSTOMER_ORDER = ("MCB-SHIP", "DCB-SHIP", "OPB-SHIP")
# Who carries the tablet of a station; shipping is the customer's.
BADGES = {
    "PASTE": "BW-12",
    "REFLOW": "BW-13",
    "TEST": "BW-14",
    "SHIP": "BW-15",
    "CABINET": "BW-16",
    "STORES": "BW-11",
}
HANDLERS = {"REFLOW": "BW-09", "PASTE": "BW-09", "TEST": "BW-10", "SHIP": "BW-10", "CABINET": "BW-11"}


class Crew:
    """Everybody on the floor: decides what would be done now, and does it. Its clock is seconds since it began."""

    def __init__(self, floor: Floor, chance: random.Random) -> None:
        self.floor = floor
        self.troubles = Troubles(floor, chance, BADGES)
        self.resting = False  # the customer takes nothing more, and nobody takes the last glove
        self._chance = chance
        self._now = 0.0
        self._due: dict[str, float] = {}  # when something that has been noticed will be done
        self._seen: dict[str, float] = {}  # when a turn was noticed first
        self._taken: set[str] = set()  # dry loops whose call a leader has taken
        self._answered: set[str] = set()  # turns that their supplier has acknowledged
        self._next_pull = FIRST_PULL_SECONDS
        self._pulled = 0
        self._next_supplies = SUPPLIES_SECONDS / 2

    def step(self, seconds: float) -> list[Deed]:
        """One look around when so many seconds have passed; what was done."""
        self._now = seconds
        self.floor.look(seconds)
        for job in self.floor.all_jobs():
            self._seen.setdefault(job.turn, seconds)
        done = []
        for deed in list(self._deeds()):
            if self.floor.left_alone(deed.station, seconds):
                continue
            if self.floor.do(deed):
                self._due.pop(deed.about, None)
                done.append(deed)
                if isinstance(deed, Take):
                    self._taken.add(deed.loop)
            else:
                self._due[deed.about] = seconds + REFUSED_AGAIN_SECONDS
        self._forget()
        return done

    def rest(self) -> None:
        """The shift ends: what is under way is finished, and nothing new begins."""
        self.resting = self.troubles.resting = True

    def resume(self) -> None:
        """The next shift begins."""
        self.resting = self.troubles.resting = False

    @property
    def at_rest(self) -> bool:
        """Whether nothing is under way any more."""
        return self.resting and not len(self.troubles) and not any(self.floor.all_jobs())

    # -- who does what ---------------------------------------------------------------------------

    def _deeds(self) -> Iterator[Deed]:
        yield from self.troubles.deeds(self._now, lambda job: self._now - self._seen.get(job.turn, self._now))
        for station, jobs in list(self.floor.jobs.items()):
            for job in list(jobs):
                if job.step in ("COMPLETED", "IN_TRANSIT"):
                    yield from self._receive(job)
            kind = self.floor.stations.get(station, "")
            if kind == "PROCESS":
                yield from self._make(station, jobs)
            elif kind in DELIVERY_SECONDS:
                yield from self._deliver(station, kind, jobs)
        yield from self._answer_calls()
        if not self.resting:
            yield from self._pull()
            yield from self._use_supplies()

    def _answer_calls(self) -> Iterator[Deed]:
        """A leader takes the call of a buffer that has run dry."""
        for loop, route in self.floor.routes.items():
            about = f"take {loop}"
            if self.floor.usable(loop) or route.demand not in LEADERS:
                self._taken.discard(loop)
                self._due.pop(about, None)
            elif loop not in self._taken and self._is_due(about, TAKING_SECONDS):
                yield Take(route.demand, LEADERS[route.demand], about, "material", loop)

    def _receive(self, job: Job) -> Iterator[Deed]:
        """The material handler brings what is done to where it is used."""
        about = f"receive {job.turn}"
        due = self._is_due(about, UNLOADING if job.step == "IN_TRANSIT" else HANDLING_SECONDS)
        if job.demand in self.floor.stations and due and not self.troubles.hold(job, "receive"):
            yield Scan(job.demand, HANDLERS.get(job.demand, ""), about, job.card, "receive")

    def _make(self, station: str, jobs: list[Job]) -> Iterator[Deed]:
        """An operator finishes what is begun, or begins what is due first and has its material."""
        by = BADGES.get(station, "")
        begun = [job for job in jobs if job.step == "IN_PROCESS"]
        for job in begun:
            about = f"complete {job.turn}"
            due = self._is_due(about, BENCH_SECONDS.get(station, 10) * float(job.asked))
            if due and not self.troubles.hold(job, "complete"):
                yield Scan(station, by, about, job.card, "complete")
        if begun:
            return
        for job in jobs:
            about = f"start {job.turn}"
            if job.step == "" and not self.troubles.hold(job, "start") and self.floor.has_material(job):
                if self._is_due(about, STARTING_SECONDS):
                    yield Scan(station, by, about, job.card, "start")
                return

    def _deliver(self, station: str, kind: str, jobs: list[Job]) -> Iterator[Deed]:
        """A supplier answers and sends, the store room picks."""
        for job in jobs:
            if kind == "SUPPLIER" and job.step == "" and job.turn not in self._answered:
                yield from self._acknowledge(station, job)
            about = f"load {job.turn}"
            due = job.step in ("", "IN_PROCESS") and self._is_due(about, DELIVERY_SECONDS[kind])
            if due and not self.troubles.hold(job, "load"):
                yield Scan(station, BADGES.get(station, ""), about, job.card, "load")

    def _acknowledge(self, station: str, job: Job) -> Iterator[Deed]:
        about = f"acknowledge {job.turn}"
        if self._is_due(about, ANSWER_SECONDS):
            self._answered.add(job.turn)
            yield Scan(station, "", about, job.card, "acknowledge")

    def _pull(self) -> Iterator[Deed]:
        """The customer takes one bin after the other in the levelled order, or comes back for it."""
        if self._now < self._next_pull or "SHIP" not in self.floor.stations:
            return
        loop = CUSTOMER_ORDER[self._pulled % len(CUSTOMER_ORDER)]
        there = self.floor.usable(loop)
        if not there or self.floor.left_alone("SHIP", self._now):
            self._next_pull = self._now + CUSTOMER_RETURNS_SECONDS
            return
        self._next_pull = max(self._next_pull + self._around(PULL_SECONDS, 0.1), self._now)
        self._pulled += 1
        yield Scan("SHIP", BADGES["SHIP"], "pull", there[0].card, "empty")

    def _use_supplies(self) -> Iterator[Deed]:
        """Somebody takes the last glove out of a bin."""
        if self._now < self._next_supplies:
            return
        self._next_supplies = self._now + self._around(SUPPLIES_SECONDS)
        loops = [route.code for route in self.floor.routes.values() if route.demand == "CABINET"]
        full = [bins for bins in (self.floor.usable(code) for code in loops) if len(bins) > 1]
        if full:
            longest = min(full, key=lambda bins: max(each.since for each in bins))
            yield Scan("CABINET", BADGES["CABINET"], "supplies", longest[0].card, "empty")

    # -- time ------------------------------------------------------------------------------------

    def _is_due(self, about: str, seconds: float) -> bool:
        """Whether so much time has passed since this was noticed first."""
        if about not in self._due:
            self._due[about] = self._now + self._around(seconds)
        return self._now >= self._due[about]

    def _around(self, seconds: float, spread: float = 0.2) -> float:
        return seconds * self._chance.uniform(1 - spread, 1 + spread)

    def _forget(self) -> None:
        """Turns that are over need no date any more."""
        if len(self._due) + len(self._seen) > 500:
            still = {job.turn for job in self.floor.all_jobs()}
            self._due = {about: at for about, at in self._due.items() if about.rpartition(" ")[2] in still}
            self._seen = {turn: at for turn, at in self._seen.items() if turn in still}
            self._answered &= still
