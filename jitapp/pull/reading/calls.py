"""Calls for help as pages and other programs read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Count, QuerySet

from jitapp.accounts.models import Person
from jitapp.kanban import andon
from jitapp.plant.configs import configs
from jitapp.pull.models import AndonCall, QualityHold
from jitapp.pull.reading.lists import Page


@dataclass(frozen=True, slots=True)
class CallFacts:
    """A call. `times` says how often it was called for, `last_called_at` when last; `note` holds what was said each
    time. `level` is the step its clock has reached, out of `top`; `must_come` who must act: team_leader, area_leader,
    plant_leader, person or, once somebody has it, owner; `red` once the response window has passed unanswered. `runout`
    is the one that made the call by itself: nobody called then, and `called_by` is empty."""

    id: UUID
    plant: str
    area: str | None
    station: str
    station_name: str
    loop: str | None
    part: str | None
    card: str | None
    runout: UUID | None
    kind: str
    stops_line: bool
    note: str
    called_at: datetime
    called_by: str
    times: int
    last_called_at: datetime
    level: int
    top: int
    red: bool
    must_come: str
    must_come_name: str
    climbs_at: datetime | None
    owner: str
    owned_at: datetime | None
    solved_at: datetime | None
    reason: str
    countermeasure: str
    countermeasure_due: date | None
    time_zone: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many calls of an area are open, since when the oldest, and whether one has nobody after the window."""

    count: int
    oldest: datetime | None
    red: bool


def open_calls(*, plant_ids: Iterable[int], now: datetime, station: str | None = None) -> list[CallFacts]:
    """What is open now, of one station or of all: stopped lines first, then what nobody has, then the oldest."""
    rows = _calls(plant_ids).filter(solved_at__isnull=True).order_by("called_at", "pk")
    if station is not None:
        rows = rows.filter(station__code=station)
    found = _facts(rows, now)
    found.sort(key=lambda call: (not call.stops_line, call.owned_at is not None, call.called_at))
    return found


def solved_calls(*, plant_ids: Iterable[int], now: datetime, hours: int = 24) -> list[CallFacts]:
    """What was solved lately, newest first."""
    since = now - timedelta(hours=hours)
    rows = _calls(plant_ids).filter(solved_at__gte=since).order_by("-solved_at")[:50]
    return _facts(rows, now)


def calls(
    *, plant_ids: Iterable[int], open_only: bool, station: str | None, after: int, limit: int, now: datetime
) -> Page:
    """Calls in the order of their making."""
    rows = _calls(plant_ids).filter(pk__gt=after).order_by("pk")
    if open_only:
        rows = rows.filter(solved_at__isnull=True)
    if station is not None:
        rows = rows.filter(station__code=station)
    found = list(rows[: limit + 1])
    shown = found[:limit]
    return Page(_facts(shown, now), shown[-1].pk if len(found) > limit else None)


def one_call(call_id: UUID, *, plant_ids: Iterable[int], now: datetime) -> CallFacts | None:
    """One call; None if there is none to see."""
    found = _calls(plant_ids)
    row = found.filter(uuid=call_id).first() or found.filter(repeats__uuid=call_id).first()
    return call_facts(row, now) if row else None


def call_facts(row: AndonCall, now: datetime) -> CallFacts:
    """A call read with its station, area, card and people."""
    return _facts([row], now)[0]


def _facts(rows: Iterable[AndonCall], now: datetime) -> list[CallFacts]:
    """Calls read with their stations, areas, cards and people; who is named in the steps is asked for at once."""
    reached = [(row, *_reached(row, now)) for row in rows]
    named = {who for _, _, who in reached if who not in (*andon.ROLES, "owner")}
    people = Person.objects.filter(username__in=named) if named else ()
    names = {person.username: str(person) for person in people}
    return [_call_facts(row, level, who, names, now) for row, level, who in reached]


def _reached(row: AndonCall, now: datetime) -> tuple[int, str]:
    """The step that a call's clock has reached, and who must come: a role, `owner`, or somebody's user name."""
    policy = configs().policy(row.station_id)
    reached = row.level
    if row.solved_at is None:
        by_itself = row.runout_id is not None
        reached = max(reached, andon.level(row.called_at, row.owned_at, now, policy, by_itself=by_itself))
    return reached, andon.must_come(reached, row.owned_at, policy)


def waiting(areas: Iterable[str], *, now: datetime) -> dict[str, Waiting]:
    """Per area; areas without a call too."""
    wanted = list(areas)
    rows = list(
        AndonCall.objects.filter(solved_at__isnull=True, station__area__code__in=wanted).values_list(
            "station__area__code", "station_id", "called_at", "owned_at", "runout_id"
        )
    )
    known = configs() if rows else None
    found = {area: Waiting(0, None, red=False) for area in wanted}
    for area, station_id, called_at, owned_at, runout_id in rows:
        assert known is not None
        sofar = found[area]
        reached = andon.level(
            called_at, owned_at, now, known.policy(station_id), by_itself=runout_id is not None
        )
        climbed = owned_at is None and reached > 0
        oldest = called_at if sofar.oldest is None else min(sofar.oldest, called_at)
        found[area] = Waiting(sofar.count + 1, oldest, red=sofar.red or climbed)
    return found


def _call_facts(
    row: AndonCall, reached: int, who: str, people: Mapping[str, str], now: datetime
) -> CallFacts:
    area = row.station.area
    is_open = row.solved_at is None
    policy = configs().policy(row.station_id)
    by_itself = row.runout_id is not None
    again = row.repeats.all()
    names = {"area_leader": str(area.leader) if area and area.leader else "", "owner": str(row.owner or "")}
    if who not in (*andon.ROLES, "owner"):
        names["person"] = people.get(who, who)
        who = "person"
    return CallFacts(
        id=row.uuid,
        plant=row.station.plant.code,
        area=area.code if area else None,
        station=row.station.code,
        station_name=row.station.name,
        loop=row.loop.code if row.loop else None,
        part=row.loop.part.number if row.loop else None,
        card=row.card.code if row.card else None,
        runout=row.runout.uuid if row.runout else None,
        kind=row.kind,
        stops_line=row.stops_line,
        note=" · ".join(dict.fromkeys(note for note in (row.note, *(each.note for each in again)) if note)),
        called_at=row.called_at,
        called_by=str(row.called_by or row.device or ""),
        times=1 + len(again),
        last_called_at=max((each.called_at for each in again), default=row.called_at),
        level=reached,
        top=len(policy.steps) - 1,
        red=is_open and row.owned_at is None and reached > 0,
        must_come=who,
        must_come_name=names.get(who, ""),
        climbs_at=andon.climbs_at(row.called_at, row.owned_at, now, policy, by_itself=by_itself)
        if is_open
        else None,
        owner=str(row.owner or ""),
        owned_at=row.owned_at,
        solved_at=row.solved_at,
        reason=row.reason,
        countermeasure=row.countermeasure,
        countermeasure_due=row.countermeasure_due,
        time_zone=row.station.plant.time_zone,
    )


def _calls(plant_ids: Iterable[int]) -> QuerySet[AndonCall]:
    return (
        AndonCall.objects.filter(station__plant_id__in=list(plant_ids))
        .select_related(
            "station__area__leader",
            "station__plant",
            "loop__part",
            "card",
            "runout",
            "called_by",
            "device",
            "owner",
        )
        .prefetch_related("repeats")
    )


@dataclass(frozen=True, slots=True)
class HoldFacts:
    """A container that must not be used until quality says what becomes of it."""

    card: str
    number: int
    part: str
    where: str
    reason: str
    held_at: datetime
    held_by: str
    time_zone: str


def open_holds(plant_ids: Iterable[int]) -> list[HoldFacts]:
    """What is on hold now, oldest first."""
    rows = (
        QualityHold.objects.filter(released_at__isnull=True, card__loop__plant_id__in=list(plant_ids))
        .select_related("card__loop__part", "card__loop__demand", "card__loop__plant", "held_by")
        .order_by("held_at", "pk")
    )
    return [
        HoldFacts(
            card=row.card.code,
            number=row.card.number,
            part=row.card.loop.part.number,
            where=row.card.loop.demand.name,
            reason=row.reason,
            held_at=row.held_at,
            held_by=str(row.held_by or ""),
            time_zone=row.card.loop.plant.time_zone,
        )
        for row in rows
    ]


def reasons_of(plant_ids: Iterable[int]) -> list[str]:
    """The reasons that people solved calls with, most frequent first: offered, so that the same thing has one name."""
    rows = (
        AndonCall.objects.filter(station__plant_id__in=list(plant_ids), solved_at__isnull=False)
        .exclude(runout__isnull=False, reason__in=andon.SOLVED_BY_ITSELF)
        .exclude(reason=andon.NOT_NEEDED)
        .values_list("reason")
        .annotate(count=Count("pk"))
        .order_by("-count", "reason")[:30]
    )
    return [reason for reason, _ in rows]
