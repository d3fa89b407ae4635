"""A small shop with a milk run: STORE - PRESS - LINE, every half hour; CUT is not on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from jitapp.plant.models import Membership
from jitapp.plant.routes import Route, RouteStop
from jitapp.pull.scan_request import Answer, ScanRequest, Source
from jitapp.rounds.routes import Sheet, route_in, scan_on_route, sheet_of
from tests.floor import START, Floor


@dataclass
class Run:
    """A floor with a route STORE - PRESS - LINE, and its handler."""

    floor: Floor
    route: Route
    source: Source

    def sheet(self) -> Sheet:
        route = route_in("MILK", self.source.plant_ids)
        assert route is not None
        return sheet_of(route, now=self.floor.now)

    def scan(self, loop: str, number: int) -> dict[str, Any]:
        answer, _ = self.scanned(self.floor.card(loop, number).code)
        return answer.body

    def scanned(self, code: str) -> tuple[Answer, bool]:
        self.floor.now += timedelta(minutes=1)
        asked = ScanRequest(id=uuid4(), code=code)
        answer, carried = scan_on_route(self.route, asked, source=self.source, now=self.floor.now)
        assert isinstance(answer, Answer)
        return answer, carried

    def errands(self) -> list[tuple[str, str, str]]:
        """(station, pick or drop, loop and card) in walking order."""
        return [
            (halt.station, errand.doing, f"{errand.container.loop}/{errand.container.number}")
            for halt in self.sheet().halts
            for errand in (*halt.drops, *halt.picks)
        ]


def milk_run(now: datetime = START) -> Run:
    """The shop ten minutes after the departure of a round; `now` is a full half hour."""
    floor = Floor(now=now)
    floor.station("STORE", "SUPERMARKET")
    floor.station("PRESS")
    floor.station("LINE")
    floor.station("CUT")
    floor.loop("SCREWS", part="SCREW", supply="STORE", demand="LINE", cards=3, quantity=100)
    floor.loop("OIL", part="OIL", supply="STORE", demand="PRESS", cards=2, quantity=1)
    floor.loop("LIDS", part="LID", supply="PRESS", demand="LINE", cards=2, quantity=20)
    floor.loop("FOIL", part="FOIL", supply="CUT", demand="LINE", cards=2, quantity=5)
    route = Route.objects.create(
        plant=floor.plant, code="MILK", name="Milk run", every_minutes=30, capacity=4
    )
    for position, (code, minutes) in enumerate([("STORE", 0), ("PRESS", 4), ("LINE", 9)], start=1):
        station = floor.plant.stations.get(code=code)
        RouteStop.objects.create(route=route, position=position, station=station, minutes=minutes)
    handler = floor.person("hugo")
    Membership.objects.create(person=handler, plant=floor.plant, role="handler")
    source = Source(
        person_id=handler.pk,
        plant_ids=frozenset({floor.plant.pk}),
        roles={floor.plant.pk: frozenset({"handler"})},
    )
    found = route_in("MILK", source.plant_ids)
    assert found is not None
    floor.now = now + timedelta(minutes=10)  # the round of 08:00 is over, the next leaves at 08:30
    return Run(floor, found, source)
