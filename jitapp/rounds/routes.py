"""A route as it stands now, and what its handler does on it: scan at a stop, or say why something cannot be carried."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import structs

from jitapp.kanban.vocabulary import Intent, StationKind, SupplyStatus
from jitapp.kanban.worktime import BadCalendar, WorkCalendar
from jitapp.plant.models import Calendar, Station
from jitapp.plant.routes import Route
from jitapp.pull import actions
from jitapp.pull.reading.calls import open_calls
from jitapp.pull.reading.containers import Container, carried_between, containers, named_containers
from jitapp.pull.scan_request import Answer, Conflict, ScanRequest, Source
from jitapp.rounds.load import Cart, Doing, Errand, Halt, cart_of, errand_of, plan
from jitapp.rounds.models import Obstacle
from jitapp.rounds.timetable import Round, Timetable
from jitapp.rounds.vocabulary import Hindrance

NOTE_LIMIT = 120
DOUBLE_READ = timedelta(seconds=10)

# Which call each reason makes, so that the right leader comes.
CALL_KINDS = {
    Hindrance.NOT_THERE: "material",
    Hindrance.DAMAGED: "quality",
    Hindrance.WRONG_PART: "material",
    Hindrance.RACK_FULL: "help",
    Hindrance.BLOCKED: "help",
    Hindrance.OTHER: "help",
}


@dataclass(frozen=True, slots=True)
class Hindered:
    """What was reported of a container and is not solved yet."""

    reason: str
    note: str
    at: datetime
    taken: bool  # somebody has the call


@dataclass(frozen=True, slots=True)
class Sheet:
    """A round of this moment. `names` are the stations' names by their codes; `hindered` what was reported, by card."""

    route: Route
    round: Round
    halts: Sequence[Halt]
    cart: Cart
    names: dict[str, str]
    hindered: dict[str, Hindered]

    @property
    def picks(self) -> int:
        """Containers to take on this round."""
        return sum(len(halt.picks) for halt in self.halts)

    @property
    def drops(self) -> int:
        """Containers on the cart."""
        return sum(len(halt.drops) for halt in self.halts)

    @property
    def later(self) -> int:
        """Containers of the next round."""
        return sum(len(halt.later) for halt in self.halts)

    @property
    def late(self) -> list[Errand]:
        """What is late, the oldest due time first."""
        found = [errand for halt in self.halts for errand in (*halt.picks, *halt.drops) if errand.late]
        return sorted(found, key=lambda errand: str(errand.container.due_at))


class ObstacleRefused(ValueError):
    """A report that cannot be kept; `code` is stable: unknown_card, unknown_reason, and those of a call."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def routes_in(plant_ids: Collection[int]) -> list[Route]:
    """The routes of these plants, by plant and name."""
    found = Route.objects.filter(plant_id__in=plant_ids).select_related("plant", "calendar", "handler")
    return list(found.prefetch_related("stops__station").order_by("plant__code", "name"))


def route_in(code: str, plant_ids: Collection[int]) -> Route | None:
    """One of them."""
    return next((route for route in routes_in(plant_ids) if route.code == code), None)


def timetable_of(route: Route) -> Timetable:
    """When it is walked."""
    length = max((stop.minutes for stop in route.stops.all()), default=0)
    departures = route.departures if isinstance(route.departures, list) else []
    return Timetable(route.plant.time_zone, _calendar(route), route.every_minutes, departures, length)


def _calendar(route: Route) -> WorkCalendar | None:
    row = route.calendar or Calendar.objects.filter(plant_id=route.plant_id, is_default=True).first()
    if row is None:
        return None
    try:
        return WorkCalendar(route.plant.time_zone, row.shifts, row.holidays)
    except (BadCalendar, AttributeError, TypeError):
        return None  # one that cannot be read counts as none, as for due times


def sheet_of(route: Route, *, now: datetime) -> Sheet:
    """The round, its stops with their errands, and how full the cart becomes."""
    stops = list(route.stops.all())
    walked = timetable_of(route).round_at(now)
    found = carried_between({stop.station_id for stop in stops})
    carried = [each for each in found if not route.loops or each.loop in route.loops]
    errands = [errand for each in carried if (errand := errand_of(each, now)) is not None]
    halts = plan([(stop.station.code, stop.minutes) for stop in stops], errands, walked.departed_at)
    names = {stop.station.code: stop.station.name for stop in stops}
    hindered = _hindered(route, [errand.container.code for errand in errands], now)
    return Sheet(route, walked, halts, cart_of(halts, route.capacity), names, hindered)


def _hindered(route: Route, cards: Collection[str], now: datetime) -> dict[str, Hindered]:
    """What was reported of these cards, while the call that it made is open."""
    calls = {call.id: call for call in open_calls(plant_ids=[route.plant_id], now=now)}
    rows = Obstacle.objects.filter(card__in=cards, call__in=calls).order_by("at")
    return {
        row.card: Hindered(row.reason, row.note, row.at, calls[row.call].owned_at is not None) for row in rows
    }


# -- what the handler does -------------------------------------------------------------------------------------


def meant_on_route(stops: Collection[str], container: Container) -> tuple[str | None, Intent | None]:
    """(station, intent) of a scan on a route through these stops; (None, None) for a card that it does not carry.

    A container is taken at its supply end or left at its demand end; what stands at neither says how it stands.
    """
    if container.demand not in stops or container.supply not in stops:
        docked = container.docked_at is not None and container.demand in stops
        if docked and container.step == SupplyStatus.IN_TRANSIT:
            return container.demand, Intent.RECEIVE
        return None, None
    if container.position == SupplyStatus.IN_TRANSIT:
        return container.demand, Intent.RECEIVE
    if container.position in (SupplyStatus.COMPLETED, SupplyStatus.IN_PROCESS):
        return container.supply, Intent.LOAD
    if container.position in (SupplyStatus.EMPTY, SupplyStatus.WAIT):
        made = container.supply_kind == StationKind.PROCESS
        return (container.demand, Intent.EMPTY) if made else (container.supply, Intent.LOAD)
    return container.demand, Intent.RECEIVE


def scan_on_route(
    route: Route, request: ScanRequest, *, doing: Doing | None = None, source: Source, now: datetime
) -> tuple[Answer | Conflict, bool]:
    """One scan of the round on the usual path, and whether the card is carried here. What is not is recorded all the
    same; a container's card at a supermarket completes a swap.

    `doing` is what the handler's list said when it was scanned: somebody else may have carried it since, and then a
    pick must not count as a drop. Without it the container says how it stands. Of `request` only what the device knows
    counts; station and intent are the route's.
    """
    if (first := actions.first_answer(request.id, source=source)) is not None:
        return first, True
    stops = {stop.station.code: stop.station for stop in route.stops.all()}
    container = named_containers([request.code], plant_ids=source.plant_ids).get(request.code)
    station: str | None = None
    intent: Intent | None = None
    carried = True
    if container is not None:
        station, intent = meant_on_route(stops, container)
        if station is not None and container.supply in stops:
            again = doing is None and _was_just_taken(container, actions.happened_at(request, now))
            if doing == "pick" or again:
                station, intent = container.supply, Intent.LOAD
            elif doing == "drop":
                station, intent = container.demand, Intent.RECEIVE
        carried = station is not None
        market = stops.get(container.demand)
        if station is None and market is not None and market.kind == StationKind.SUPERMARKET:
            station, carried = market.code, True
    asked = structs.replace(request, station=station, intent=str(intent) if intent else None)
    # What the tablet's own station would do with a card is not meant here.
    return actions.scan(asked, source=replace(source, station_id=None), now=now), carried


def _was_just_taken(container: Container, at: datetime) -> bool:
    """Whether a scan at this moment is the scanner's second read of the one that took it: nobody leaves a container at
    another stop within seconds."""
    taken = container.loaded_at
    return (
        container.position == SupplyStatus.IN_TRANSIT
        and container.docked_at is None
        and taken is not None
        and abs(at - taken) < DOUBLE_READ
    )


def report_obstacle(
    route: Route,
    *,
    card: str,
    reason: str,
    note: str,
    words: str,
    doing: Doing | None = None,
    report_id: UUID,
    source: Source,
    now: datetime,
    at: datetime | None = None,
) -> Obstacle:
    """Keeps why a container is not carried, and calls the leader of the place; the same id again is the same report.
    `doing` is what the handler's list said; without it the container says how it stands. `at` is when it was found, if
    that was not now.

    `words` say the reason in the handler's language. Raises ObstacleRefused.
    """
    before = Obstacle.objects.filter(uuid=report_id, route=route, card=card).first()
    if before is not None:
        return before
    if reason not in set(Hindrance):
        raise ObstacleRefused("unknown_reason")
    container = containers([card], plant_ids=source.plant_ids).get(card)
    if container is None:
        raise ObstacleRefused("unknown_card")
    errand = errand_of(container, now)
    meant = doing or (errand.doing if errand is not None else "pick")
    there = container.demand if meant == "drop" else container.supply
    station = Station.objects.get(code=there)
    note = note.strip()[:NOTE_LIMIT]
    try:
        call = actions.call_for_help(
            station=there,
            kind=CALL_KINDS[Hindrance(reason)],
            note=": ".join(filter(None, (f"{route.name} · {words}", note))),
            card=card,
            id=report_id,
            now=now,
            source=source,
        )
    except actions.CallRefused as refused:
        raise ObstacleRefused(refused.code) from None
    kept, _ = Obstacle.objects.get_or_create(
        uuid=report_id,
        defaults={
            "route": route,
            "station": station,
            "card": card,
            "turn": container.turn,
            "reason": reason,
            "note": note,
            "person_id": source.person_id,
            "device_id": source.device_id,
            "at": at or now,
            "call": call.uuid,
        },
    )
    return kept
