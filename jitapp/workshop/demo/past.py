"""The demonstration's past: fifteen working days, made in seconds by the true rules.

The people of the demonstration work through them on a floor in memory; what they do there is then recorded in order
through the real scan path and its drain, each at its own time. So the past has the same pace as the present, and
everything that looks back or learns from it has something true to look at.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction

from jitapp.accounts.models import Device, Person, new_uuid
from jitapp.kanban.vocabulary import Consumption, DeviceKind, Outcome
from jitapp.outbox import relay
from jitapp.plant.devices import place_device
from jitapp.plant.models import BillOfMaterials, Loop, Plant, Station
from jitapp.pull import actions, store
from jitapp.pull.models import AndonCall, Card, Receipt
from jitapp.pull.scan_request import Answer, ScanRequest, Source
from jitapp.switchboard import Switchboard
from jitapp.workshop.demo.crew import Crew
from jitapp.workshop.demo.floor import (
    Bin,
    Call,
    Deed,
    Floor,
    Job,
    Promise,
    Resume,
    Route,
    Scan,
    Solve,
    Stop,
    Take,
)

DAYS = 15
SHIFT_SECONDS = 10 * 60  # of a day in the past: more than one of the shop's own
# Of the last shift, which goes on: eight turns of the slowest loop, so that its rate is learned from one stretch.
TODAY_SECONDS = 130 * 60
REST_SECONDS = 15 * 60  # at most, until everything that was begun is finished
STEP_SECONDS = 2.0
SHIFT_BEGINS = time(9, 0)
TOGETHER = 100  # things done that are recorded in one transaction
SEED = 20_261_128  # the same past for everybody


class RefusedPast(AssertionError):
    """The rules refused what the people of the demonstration did: floor and rules no longer agree."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done at an instant."""

    at: datetime
    deed: Deed


def first_instant(now: datetime, days: int, zone: str) -> datetime:
    """When the past begins: with the first of so many shifts before today."""
    return _shifts(now, days, zone)[0][0]


def make_past(plant: Plant, *, now: datetime, days: int, goes_on: bool) -> int:
    """Records the past of the demonstration's plant until `now`; returns how many things were done.

    `goes_on`: the last shift ends in the middle of its work, for operators who go on; else it ends at rest. The shop
    must be loaded, its cards FULL since `first_instant`. Raises RefusedPast.
    """
    lived = list(_live(plant, now, days, goes_on))
    recorder = _Recorder(plant)
    # In order; what follows from each thing is drained before the next. Some hundred to a transaction: each commit
    # waits for the disk, and rows leave versions behind in a transaction that every later statement passes by.
    for start in range(0, len(lived), TOGETHER):
        with transaction.atomic(), store.by_the_clock_of_a_log():
            for done in lived[start : start + TOGETHER]:
                recorder.record(done)
    here = Receipt.objects.filter(plant=plant)
    if refused := here.exclude(outcome=Outcome.APPLIED).values_list("code", flat=True)[:5]:
        raise RefusedPast(f"of {len(lived)} deeds the rules refused some: {', '.join(refused)}")
    actions.sweep(now=now)
    return len(lived)


def _shifts(now: datetime, days: int, zone: str) -> list[tuple[datetime, float]]:
    """Beginnings and lengths in seconds: the working days before today, and the one that goes on."""
    place = ZoneInfo(zone)
    today = now.astimezone(place).date()
    before: list[date] = []
    day = today
    while len(before) < days:
        day -= timedelta(days=1)
        if day.weekday() < 5:
            before.append(day)
    past = [(datetime.combine(each, SHIFT_BEGINS, tzinfo=place), SHIFT_SECONDS) for each in reversed(before)]
    return [*past, (now - timedelta(seconds=TODAY_SECONDS), TODAY_SECONDS)]


def _live(plant: Plant, now: datetime, days: int, goes_on: bool) -> Iterator[Done]:
    """The people work through all shifts on a floor in memory."""
    floor = ImaginedFloor(plant)
    crew = Crew(floor, random.Random(SEED))  # noqa: S311 - a past that is the same for everybody is no secret
    clock = 0.0
    shifts = _shifts(now, days, plant.time_zone)
    for number, (begins, length) in enumerate(shifts):
        start = clock
        crew.resume()
        is_last = number == len(shifts) - 1
        working = length - REST_SECONDS if is_last and not goes_on else length
        latest = length if is_last else length + REST_SECONDS
        while clock - start < latest and not crew.at_rest:
            if clock - start >= working and not (is_last and goes_on):
                crew.rest()
            at = begins + timedelta(seconds=clock - start)
            yield from (Done(at, deed) for deed in crew.step(clock))
            clock += STEP_SECONDS


class ImaginedFloor(Floor):
    """The shop in memory, as the rules keep it: two bins a loop, parts taken at the start of a turn."""

    def __init__(self, plant: Plant) -> None:
        super().__init__()
        stations = list(Station.objects.filter(plant=plant))
        self.stations = {station.code: station.kind for station in stations}
        self._backflush = {each.code for each in stations if each.consumption == Consumption.BACKFLUSH}
        self._bills: dict[str, list[tuple[str, Decimal]]] = {}
        for line in BillOfMaterials.objects.filter(parent__plant=plant).select_related("parent", "component"):
            self._bills.setdefault(line.parent.number, []).append((line.component.number, line.quantity))
        self._quantity: dict[str, Decimal] = {}
        for loop in Loop.objects.filter(plant=plant).select_related("part", "demand", "supply"):
            code = loop.code
            self.routes[code] = Route(
                code, loop.part.number, loop.demand.code, loop.supply.code, 60.0 * loop.lead_time_minutes
            )
            self._quantity[code] = loop.quantity
            self.bins[code] = [
                Bin(card.code, code, "FULL", loop.quantity, float(card.number), usable=True)
                for card in Card.objects.filter(loop=loop).order_by("number")
            ]
        self.jobs = {station: [] for station in self.stations}
        self._turns = 0
        self._seconds = 0.0
        self._opened: dict[str, float] = {}

    def look(self, seconds: float) -> None:
        """Time passes; everything else happens in `do`."""
        self._seconds = seconds

    def components(self, part: str) -> list[tuple[str, Decimal]]:
        """From the document."""
        return self._bills.get(part, [])

    def do(self, deed: Deed) -> bool:
        """A scan moves its card; answers, calls and promises move nothing."""
        if isinstance(deed, Scan) and deed.intent != "acknowledge":
            if deed.intent == "empty":
                self._empty(
                    next(each for bins in self.bins.values() for each in bins if each.card == deed.card)
                )
            else:
                self._move(next(job for job in self.all_jobs() if job.card == deed.card), deed.intent)
        return True

    def _move(self, job: Job, intent: str) -> None:
        if intent == "start":
            job.step = "IN_PROCESS"
            if job.supply in self._backflush:
                self._take_components(job)
        elif intent == "complete":
            job.step = "COMPLETED"
        elif intent == "load":
            job.step = "IN_TRANSIT"
        else:
            self.jobs[job.supply].remove(job)
            full = next(each for each in self.bins[job.loop] if each.card == job.card)
            full.status, full.contents, full.since = "FULL", self._quantity[job.loop], self._seconds

    def _take_components(self, job: Job) -> None:
        for part, per_piece in self.components(job.part):
            for loop in self.feeding(job.supply, part):
                needed = job.asked * per_piece
                for each in self.usable(loop):
                    taken = min(needed, each.contents)
                    each.contents -= taken
                    needed -= taken
                    each.status = "IN_USE"
                    if not each.contents:
                        self._empty(each)
                    if not needed:
                        break

    def _empty(self, emptied: Bin) -> None:
        route = self.routes[emptied.loop]
        emptied.status, emptied.contents = "EMPTY", Decimal(0)
        self._turns += 1
        turn = str(self._turns)
        self._opened[turn] = self._seconds + route.lead_seconds
        self.jobs[route.supply].append(
            Job(
                turn,
                emptied.card,
                route.code,
                route.part,
                route.demand,
                route.supply,
                self._quantity[route.code],
                "",
            )
        )
        self.jobs[route.supply].sort(key=lambda job: self._opened[job.turn])


class _Recorder:
    """Records what was done, each thing with the clock of its time."""

    def __init__(self, plant: Plant) -> None:
        self._plants = frozenset({plant.pk})
        stations = dict(Station.objects.filter(plant=plant).values_list("code", "pk"))
        for code in stations:
            place_device(f"Demo {code}", DeviceKind.TABLET, station=code)
        devices = dict(Device.objects.values_list("name", "pk"))
        self._sources = {
            code: Source(
                device_id=devices[f"Demo {code}"],
                station_id=station,
                plant_ids=self._plants,
                name=f"Demo {code}",
            )
            for code, station in stations.items()
        }
        self._people = dict(Person.objects.exclude(badge=None).values_list("badge", "pk"))

    def record(self, done: Done) -> None:
        """One deed, and all that follows from it."""
        deed, now = done.deed, done.at
        source = self._sources[deed.station]
        if isinstance(deed, Scan | Promise):
            self._scan(deed, source, now)
        else:
            who = replace(source, person_id=self._people.get(deed.by))
            self._act(deed, who, now)
        switchboard = Switchboard()
        while relay.drain_once(switchboard.handle, decode=store.decode):
            pass

    def _scan(self, deed: Scan | Promise, source: Source, now: datetime) -> None:
        is_promise = isinstance(deed, Promise)
        asked = ScanRequest(
            id=new_uuid(),
            code=deed.card,
            intent="promise" if isinstance(deed, Promise) else deed.intent,
            by=None if is_promise else deed.by or None,
            promised_at=now + timedelta(seconds=deed.seconds) if isinstance(deed, Promise) else None,
        )
        answer = actions.scan(asked, source=source, now=now)
        assert isinstance(answer, Answer), answer

    def _act(self, deed: Deed, source: Source, now: datetime) -> None:
        match deed:
            case Call():
                actions.call_for_help(
                    station=deed.station,
                    kind=deed.kind,
                    stops_line=True,
                    note=deed.note,
                    now=now,
                    source=source,
                    id=new_uuid(),
                )
            case Take():
                if call := _open_call(deed.station, deed.kind, deed.loop):
                    actions.take_call(call_id=call.uuid, person_id=source.person_id, now=now, source=source)
            case Solve():
                if call := _open_call(deed.station, deed.kind, ""):
                    actions.solve_call(
                        call_id=call.uuid,
                        reason=deed.reason,
                        countermeasure=deed.countermeasure,
                        now=now,
                        source=source,
                    )
            case Stop():
                actions.begin_state(
                    station=deed.station, kind=deed.kind, note=deed.note, now=now, source=source
                )
            case Resume():
                actions.end_state(station=deed.station, kind=deed.kind, now=now, source=source)


def _open_call(station: str, kind: str, loop: str) -> AndonCall | None:
    found = AndonCall.objects.filter(station__code=station, kind=kind, solved_at__isnull=True)
    if loop:
        found = found.filter(loop__code=loop)
    return found.first()
