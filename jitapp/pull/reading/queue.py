"""What a station makes next: the cards that wait for it, in the order in which they are needed, what they wait for, and
when the next one is to be expected; reads only."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Max

from jitapp.kanban.conditions import MAY_FILL, room
from jitapp.kanban.vocabulary import Accumulate, SignalState
from jitapp.kanban.waits import Halt
from jitapp.plant.models import Loop, Station
from jitapp.pull.models import Event, Runout, Turn
from jitapp.pull.reading.board import board_rows
from jitapp.pull.reading.board_row import BoardRow
from jitapp.pull.reading.changeovers import DONE, NEWEST, StationChangeovers, changeovers_of
from jitapp.pull.reading.flow_stations import halts_now
from jitapp.pull.reading.lists import usable_at
from jitapp.pull.reading.tasks import TurnName, broken, named


@dataclass(frozen=True, slots=True)
class Job:
    """A turn that a station has been asked to make."""

    turn: str
    loop_id: int
    card: str
    card_number: int
    part: str
    description: str
    quantity: Decimal
    unit: str
    demand: str
    signal_state: str
    step: str
    phase: str
    released_at: datetime | None
    due_at: datetime | None
    late: bool
    promised_at: datetime | None
    promise_late: bool
    turn_number: int
    gone: TurnName | None  # the turn whose demand was cancelled: decide whether this one goes on
    dry: bool
    no_room: bool  # the receiver has as many full containers as it may


@dataclass(frozen=True, slots=True)
class Placed:
    """A job at its place in the order. `consumer` is its loop as its board shows it; `is_first` says that it is the
    first of its loop's cards here, which the consumer's end waits for. `group` is the part family that the station was
    set up for when the part was last begun here; `sets_up` that it has to be changed over before this card.
    `out_of_order` is why it was begun out of order."""

    job: Job
    consumer: BoardRow | None
    is_first: bool
    group: str
    sets_up: bool
    asks_reason: bool  # begun now it would be out of the order that the station keeps
    out_of_order: str


@dataclass(frozen=True, slots=True)
class Gathering:
    """Cards of a loop that wait until they are released together: `cards` or `pieces` of so many, or at the `times`."""

    loop_id: int
    part: str
    by: str  # how they gather (vocabulary.Accumulate)
    have: Decimal
    want: Decimal | None
    times: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class Missing:
    """A component that has run out at the station."""

    part: str
    loop_id: int
    since: datetime
    supply: str


@dataclass(frozen=True, slots=True)
class Queue:
    """All that a station's board says. `halt` is what it stands still for; `next_dry` the loop that will ask next, by
    the use that was measured."""

    jobs: tuple[Placed, ...]
    gathering: tuple[Gathering, ...]
    missing: tuple[Missing, ...]
    changeovers: StationChangeovers
    in_work: int
    halt: str
    halt_since: datetime | None
    next_dry: BoardRow | None


def queue_of(station: Station, *, now: datetime) -> Queue:
    """The queue of a station."""
    loop_ids = list(
        Loop.objects.filter(supply=station, status__in=["ACTIVE", "ON_HOLD"]).values_list("pk", flat=True)
    )
    rows = {row.loop_id: row for row in board_rows(loop_ids, now=now)}
    changeovers = changeovers_of(station.pk)
    jobs = in_order(jobs_of(station.pk, now=now), rows, keeps_sequence=station.keeps_sequence)
    halt = halts_now([station.pk], now).get(station.pk)
    asked = {placed.job.loop_id for placed in jobs}
    ahead = [
        row
        for row in rows.values()
        if row.runs_out_at is not None and row.state != "held" and row.loop_id not in asked
    ]
    return Queue(
        jobs=tuple(_set_up(station, jobs, changeovers)),
        gathering=tuple(_gathering(station)),
        missing=tuple(_missing(station)) if halt is not None and halt[0] == Halt.STARVED else (),
        changeovers=changeovers,
        in_work=sum(1 for placed in jobs if placed.job.step),
        halt=halt[0] if halt else "",
        halt_since=halt[1] if halt else None,
        next_dry=min(ahead, key=lambda row: row.runs_out_at or now, default=None),
    )


def jobs_of(station_id: int, *, now: datetime) -> list[Job]:
    """Released turns that the station has still to fill, as they were released."""
    turns = (
        Turn.objects.filter(
            supply_id=station_id,
            closed_at__isnull=True,
            signal_state__in=MAY_FILL,
            failed="",
            step__in=["", "IN_PROCESS"],
        )
        .select_related("card", "loop__part", "loop__demand", "supply")
        .order_by("released_at", "pk")
    )
    found = list(turns)
    full = _without_room({turn.loop.demand_id for turn in found})
    gone = named(turn.demand_cancelled for turn in found)
    dry = set(
        Runout.objects.filter(loop__in={turn.loop_id for turn in found}, closed_at__isnull=True).values_list(
            "loop_id", flat=True
        )
    )
    return [
        Job(
            turn=str(turn.uuid),
            loop_id=turn.loop_id,
            card=turn.card.code,
            card_number=turn.card.number,
            part=turn.loop.part.number,
            description=turn.loop.part.description,
            quantity=turn.asked,
            unit=turn.loop.part.unit,
            demand=turn.loop.demand.name,
            signal_state=turn.signal_state,
            step=turn.step,
            phase=turn.standing,
            released_at=turn.released_at,
            due_at=turn.due_at,
            late=turn.due_at is not None and turn.due_at < now,
            promised_at=turn.promised_at,
            promise_late=broken(turn.promised_at, turn.due_at),
            turn_number=turn.number,
            gone=gone.get(turn.demand_cancelled),
            dry=turn.loop_id in dry,
            no_room=turn.loop.demand_id in full,
        )
        for turn in found
    ]


def in_order(jobs: Sequence[Job], rows: dict[int, BoardRow], *, keeps_sequence: bool) -> list[Placed]:
    """Begun cards first. Then where the station keeps the sequence as the signals came, since another order needs a
    reason (F7); else dry loops first, then whichever is needed first (F1): the first card of a loop when its consumer
    runs dry by the measured use, the others and all of unmeasured loops by their due time."""
    seen: set[int] = set()
    firsts: set[str] = set()
    for job in sorted(jobs, key=lambda job: (job.step == "", job.due_at or job.released_at)):
        if job.loop_id not in seen:
            seen.add(job.loop_id)
            firsts.add(job.turn)

    def place(job: Job) -> tuple[object, ...]:
        begun = job.released_at.timestamp() if job.released_at else 0.0
        if job.step or keeps_sequence:
            return job.step == "", True, begun, job.turn
        row = rows.get(job.loop_id)
        needed = [at for at in (job.due_at, row.runs_out_at if row and job.turn in firsts else None) if at]
        at = min(needed).timestamp() if needed else begun
        return True, not (job.dry and job.turn in firsts), at, job.turn

    order = sorted(jobs, key=place)
    next_ = next((job.turn for job in order if not job.step), "")
    reasons = _reasons([job for job in order if job.step]) if keeps_sequence else {}
    return [
        Placed(
            job=job,
            consumer=rows.get(job.loop_id),
            is_first=job.turn in firsts,
            group="",
            sets_up=False,
            asks_reason=keeps_sequence and not job.step and job.turn != next_,
            out_of_order=reasons.get(job.turn, ""),
        )
        for job in order
    ]


def _reasons(begun: Iterable[Job]) -> dict[str, str]:
    """Why cards were begun out of order, by the turn."""
    jobs = list(begun)
    if not jobs:
        return {}
    of_cards = Event.objects.filter(card__code__in=[job.card for job in jobs])
    starts = of_cards.filter(turn__in=[job.turn for job in jobs], data__intent="start")
    found = starts.order_by("id").values_list("turn", "data")
    return {str(turn): str(data["reason"]) for turn, data in found if data.get("reason")}


def _set_up(station: Station, jobs: Sequence[Placed], changeovers: StationChangeovers) -> Iterable[Placed]:
    """Notes each job's part family, and the first one that needs another set-up than the one before."""
    groups = _groups(station, {placed.job.part for placed in jobs})
    current = changeovers.running.to_family if changeovers.running else changeovers.newest
    for placed in jobs:
        group = groups.get(placed.job.part, "")
        sets_up = bool(group and current and group != current and not placed.job.step)
        current = group or current
        yield Placed(
            job=placed.job,
            consumer=placed.consumer,
            is_first=placed.is_first,
            group=group,
            sets_up=sets_up,
            asks_reason=placed.asks_reason,
            out_of_order=placed.out_of_order,
        )


def _groups(station: Station, parts: set[str]) -> dict[str, str]:
    """The family that the station was set up for when each part was last begun here; parts that never were, or before
    the first changeover, have none."""
    done = list(
        Event.objects.filter(station=station, loop__isnull=True, type=DONE)
        .order_by("-id")
        .values_list("occurred_at", "data")[:NEWEST]
    )
    if not done:
        return {}
    done.sort(key=lambda item: item[0])
    begun = dict(
        Turn.objects.filter(supply=station, loop__in=station.loops_out.filter(part__number__in=parts))
        .filter(started_at__isnull=False, released_at__gte=done[0][0])
        .values_list("loop__part__number")
        .annotate(Max("started_at"))
    )
    times = [at for at, _ in done]
    families = {}
    for part, at in begun.items():
        place = bisect_right(times, at) - 1
        if place >= 0:
            families[part] = str(done[place][1].get("to_family", ""))
    return families


def _gathering(station: Station) -> Iterable[Gathering]:
    """What waits for its batch here, the longest wait first."""
    turns = (
        Turn.objects.filter(supply=station, closed_at__isnull=True, signal_state=SignalState.ACCUMULATING)
        .select_related("loop__part")
        .order_by("opened_at")
    )
    by_loop: dict[int, list[Turn]] = defaultdict(list)
    for turn in turns:
        by_loop[turn.loop_id].append(turn)
    for waiting in by_loop.values():
        loop = waiting[0].loop
        pieces = loop.accumulate == Accumulate.QUANTITY
        times = loop.accumulate_times if isinstance(loop.accumulate_times, list) else []
        yield Gathering(
            loop_id=loop.pk,
            part=loop.part.number,
            by=loop.accumulate,
            have=sum((turn.asked for turn in waiting), Decimal(0)) if pieces else Decimal(len(waiting)),
            want=loop.lot_quantity
            if pieces
            else Decimal(loop.accumulate_cards)
            if loop.accumulate_cards
            else None,
            times=tuple(str(at) for at in times),
            since=waiting[0].opened_at,
        )


def _missing(station: Station) -> Iterable[Missing]:
    """Components of which there are none here."""
    open_ = Runout.objects.filter(loop__demand=station, closed_at__isnull=True).order_by("opened_at")
    for runout in open_.select_related("loop__part", "loop__supply"):
        loop = runout.loop
        yield Missing(loop.part.number, loop.pk, runout.opened_at, loop.supply.name)


def _without_room(station_ids: set[int]) -> set[int]:
    """Those of the stations that have reached their receiving limit."""
    limits = dict(
        Station.objects.filter(pk__in=station_ids, receiving_limit__isnull=False).values_list(
            "pk", "receiving_limit"
        )
    )
    at_hand = usable_at(limits)
    return {station for station, limit in limits.items() if not room(limit, at_hand[station])}
