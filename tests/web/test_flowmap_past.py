"""The flow map at an instant of the past: stocks, states and stations as they were, from the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from jitapp.plant.models import Membership, Plant, Station
from jitapp.pull.models import StationState
from jitapp.pull.reading.flow import MAKE, STAND, Flow, flow_of
from jitapp.pull.reading.flow_stations import FlowStation
from jitapp.web.past_instants import write_instant
from tests.floor import Floor
from tests.web.test_flowmap import reader, round_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    """Blanks from the saw go into a bracket, which is shipped; a day ago."""
    made = Floor(now=timezone.now().replace(second=0, microsecond=0) - timedelta(days=1))
    for place, (code, kind) in enumerate([("SAW", "PROCESS"), ("PRESS", "PROCESS"), ("SHIP", "SHIPPING")]):
        made.station(code, kind, position=place)
    made.bill("BRACKET", BLANK=1)
    made.loop("BLANKS", part="BLANK", supply="SAW", demand="PRESS", cards=3)
    made.loop("BRACKETS", part="BRACKET", supply="PRESS", demand="SHIP", cards=3)
    return made


def then(floor: Floor, at: datetime) -> Flow:
    return flow_of(floor.plant, now=at, past=True)


def station(flow: Flow, code: str) -> FlowStation:
    return next(each for each in flow.stations if each.code == code)


def state(flow: Flow, loop: str) -> tuple[str, int]:
    row = next(each.row for each in flow.loops if each.row.loop == loop)
    return row.state, row.usable


def test_the_map_shows_each_instant_as_the_map_of_that_instant_did(floor: Floor) -> None:
    seen: list[tuple[datetime, Flow]] = []

    def look() -> None:
        floor.now += timedelta(minutes=1)
        seen.append((floor.now, flow_of(floor.plant, now=floor.now)))
        floor.now += timedelta(minutes=1)

    look()
    for number in (1, 2, 3):
        floor.scan("BLANKS", number, "empty", after=5)
        floor.propagate()
        look()
    for intent in ("start", "complete", "receive"):
        floor.scan("BLANKS", 1, intent, after=10)
        floor.propagate()
        look()
    for at, shown in seen:
        found = then(floor, at)
        for code in ("SAW", "PRESS", "SHIP"):
            old, new = station(shown, code), station(found, code)
            assert (new.in_work, new.queue, new.halt, new.halt_since) == (
                old.in_work,
                old.queue,
                old.halt,
                old.halt_since,
            ), (at, code)
        for loop in ("BLANKS", "BRACKETS"):
            assert state(found, loop) == state(shown, loop), (at, loop)
    assert len({state(shown, "BLANKS") for _, shown in seen}) >= 3
    assert {station(shown, "SAW").in_work for _, shown in seen} == {0, 1}
    assert {station(shown, "SAW").queue for _, shown in seen} >= {0, 3}


def test_what_was_measured_later_and_what_emptied_later_is_not_measured_yet(floor: Floor) -> None:
    for number in (1, 2, 3):
        round_of(floor, "BLANKS", number, queue=5, make=10, move=3, stand=60)
    times = {each.row.loop: each.times for each in then(floor, floor.now).loops}["BLANKS"]
    assert (times[MAKE].turns, times[STAND].turns) == (6, 3)
    early = {each.row.loop: each.times for each in then(floor, floor.now - timedelta(minutes=60)).loops}
    assert early["BLANKS"][MAKE].turns == 5
    assert early["BLANKS"].get(STAND) != times[STAND]


def test_a_station_that_was_down_stands_still_on_the_map_of_that_time_only(floor: Floor) -> None:
    floor.scan("BLANKS", 1, "empty")
    down = floor.now
    StationState.objects.create(
        uuid=uuid4(),
        station=Station.objects.get(code="SAW"),
        kind="down",
        began_at=down,
        ended_at=down + timedelta(minutes=30),
    )
    assert station(then(floor, down + timedelta(minutes=10)), "SAW").halt == "down"
    assert station(then(floor, down + timedelta(minutes=40)), "SAW").halt == ""


def test_the_page_of_the_past_is_framed_stands_still_and_its_links_stay_there(
    floor: Floor, client: Client
) -> None:
    floor.scan("BLANKS", 1, "empty")
    at = write_instant(floor.now + timedelta(minutes=1), floor.plant.time_zone)
    floor.scan("BLANKS", 1, "start", after=60)
    reader(client, floor)
    page = client.get("/map", {"at": at}).content.decode()
    assert 'class="mapped past"' in page
    assert "data-picture" not in page
    assert f'?at={at}"' in page
    assert page.count('href="/l/') == page.count(f"?at={at}")
    assert 'id="drawn"' in page
    ahead = client.get("/map", {"at": at, "step": "next"})
    assert ahead.status_code == 302
    assert client.get(ahead["Location"]).status_code == 200
    assert "at=" in client.get("/map", {"at": "now"})["Location"]


@pytest.mark.parametrize("typed", ["yesterday", "2999-01-01T00:00", "1999-01-01T00:00", "<b>"])
def test_an_instant_that_cannot_be_shown_is_refused_with_a_way_on(
    floor: Floor, client: Client, typed: str
) -> None:
    floor.scan("BLANKS", 1, "empty")
    reader(client, floor)
    answer = client.get("/map", {"at": typed})
    assert answer.status_code == 400
    assert "There is no such instant to show." in answer.content.decode()
    assert "<b>" not in answer.content.decode().partition('role="alert"')[2].partition("</p>")[0]


def test_the_past_of_another_plant_is_not_shown(floor: Floor, client: Client) -> None:
    floor.scan("BLANKS", 1, "empty")
    reader(client, floor)
    other = Plant.objects.create(code="OTHER", name="Other")
    assert not Membership.objects.filter(plant=other).exists()
    assert client.get("/map", {"plant": "OTHER", "at": "now"}).status_code == 404
