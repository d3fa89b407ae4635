"""Routes: the rounds of the material handlers, with their timetable and their stops in walking order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from jitapp.kanban.stated import stated
from jitapp.plant.belonging import foreigners
from jitapp.plant.exactjson import Path
from jitapp.plant.masters.calendars import CALENDARS
from jitapp.plant.masters.loops import LOOPS
from jitapp.plant.masters.master import Load, Master, Rows, Values
from jitapp.plant.masters.people import PEOPLE
from jitapp.plant.masters.stations import STATIONS
from jitapp.plant.masters.wrong import Wrong
from jitapp.plant.models import Loop, Plant
from jitapp.plant.routes import Route, RouteStop
from jitapp.plant.rows import Code, Limit, Name, Row, TimeOfDay

MOST_STOPS = 200
DAY_MINUTES = 24 * 60

Pace = Annotated[int, Meta(ge=1, le=DAY_MINUTES)]


class StopRow(Row):
    """A station of the round, `minutes` after the departure."""

    station: str
    minutes: Annotated[int, Meta(ge=0, le=DAY_MINUTES)] = 0


class RouteRow(Row):
    """A round: every so many minutes, or at named times; its stops in walking order. `loops`: only what these carry."""

    code: Code
    name: Name | UnsetType = UNSET
    calendar: str | UnsetType | None = UNSET
    every_minutes: Pace | UnsetType | None = UNSET
    departures: Annotated[list[TimeOfDay], Meta(max_length=200)] | UnsetType = UNSET
    capacity: Limit | UnsetType | None = UNSET
    handler: str | UnsetType | None = UNSET
    loops: Annotated[list[str], Meta(max_length=2_000)] | UnsetType = UNSET
    stops: Annotated[list[StopRow], Meta(min_length=2, max_length=MOST_STOPS)] | UnsetType = UNSET


class Routes(Master[RouteRow, Route]):
    """The stops that a row names are all there are on its route."""

    kind, word, row, model = "routes", "route", RouteRow, Route
    refers = {"calendar": CALENDARS, "handler": PEOPLE}

    def reader(
        self, load: Load, plant: Plant, rows: Rows[RouteRow]
    ) -> Callable[[RouteRow, Route | None], Values]:
        """Every station and loop that a route names is looked up at once."""
        stops = [stop.station for _, row in rows for stop in row.stops or ()]
        load.find(STATIONS, stops, plant)
        load.find(LOOPS, [code for _, row in rows for code in row.loops or ()], plant)
        return super().reader(load, plant, rows)

    def values(self, load: Load, plant: Plant, row: RouteRow, before: Route | None) -> Values:
        """Stops stand in a table of their own."""
        wanted = super().values(load, plant, row, before)
        stations = [(("stops", at, "station"), stop.station) for at, stop in enumerate(row.stops or ())]
        _look_up(load, plant, STATIONS, stations)
        _look_up(load, plant, LOOPS, [(("loops", at), code) for at, code in enumerate(row.loops or ())])
        wanted.pop("stops", None)
        return wanted

    def check(self, after: Route, before: Route | None) -> None:
        """One timetable; whoever walks it works in the plant; the loops are the plant's."""
        if after.every_minutes and after.departures:
            raise Wrong(
                "malformed",
                stated("A route departs every so many minutes or at named times. Give one of the two."),
                ("departures",),
            )
        if after.handler and foreigners({after.handler.username}, after.plant_id):
            raise Wrong("unknown_reference", PEOPLE.unknown(after.handler.username, after.plant))

    def check_row(self, row: RouteRow, after: Route, before: Route | None) -> None:
        """A new route has stops, and nobody is at a later one earlier."""
        if before is None and not row.stops:
            said = stated("Route {route} needs its stops in walking order.", route=row.code)
            raise Wrong("malformed", said, ("stops",))
        for at, (one, other) in enumerate(pairwise(row.stops or ()), start=1):
            if other.minutes < one.minutes:
                raise Wrong(
                    "malformed",
                    stated(
                        "{later} comes after {station} and cannot be reached earlier, after {minutes} minutes."
                        " Write the minutes since the departure.",
                        later=other.station,
                        station=one.station,
                        minutes=other.minutes,
                    ),
                    ("stops", at, "minutes"),
                )

    def normalise(self, entry: Route) -> None:
        """Codes that were typed by hand name loops of the plant. Raises Wrong."""
        entry.departures, entry.loops = entry.departures or [], entry.loops or []
        super().normalise(entry)
        found = set(
            Loop.objects.filter(code__in=entry.loops, plant=entry.plant).values_list("code", flat=True)
        )
        for code in entry.loops:
            if code not in found:
                raise Wrong("unknown_reference", LOOPS.unknown(code, entry.plant), ("loops",))

    def finish(self, load: Load, plant: Plant, written: Sequence[tuple[RouteRow, Route]]) -> None:
        """The stops of a row replace those of before where they differ."""
        wanted = {route: row.stops for row, route in written if isinstance(row.stops, list)}
        have: dict[int, list[tuple[str, int]]] = {}
        for stop in RouteStop.objects.filter(route__in=wanted).select_related("station"):
            have.setdefault(stop.route_id, []).append((stop.station.code, stop.minutes))
        changed = {
            route: stops
            for route, stops in wanted.items()
            if [(stop.station, stop.minutes) for stop in stops] != have.get(route.pk, [])
        }
        RouteStop.objects.filter(route__in=changed).delete()
        RouteStop.objects.bulk_create(
            RouteStop(
                route=route,
                position=place,
                station=load.named(STATIONS, stop.station, plant),
                minutes=stop.minutes,
            )
            for route, stops in changed.items()
            for place, stop in enumerate(stops, start=1)
        )
        for route, stops in changed.items():
            if route.pk in have:
                said = _said(have[route.pk]), _said([(stop.station, stop.minutes) for stop in stops])
                load.also_changed(self.kind, route.code, {"stops": said})


def _said(stops: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{station}={minutes}" for station, minutes in stops)


def _look_up(load: Load, plant: Plant, master: Master[Any, Any], named: Sequence[tuple[Path, str]]) -> None:
    """Raises Wrong for the first that is not found, with the member that names it."""
    for member, code in named:
        try:
            load.named(master, code, plant)
        except Wrong as wrong:
            raise Wrong(wrong.code, wrong.said, member) from None


ROUTES = Routes()
