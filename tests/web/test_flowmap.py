"""The flow map: what it draws of loops and bills, what it measured, and what it does not know."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jitapp.accounts.models import Person
from jitapp.kanban.worktime import WorkCalendar
from jitapp.plant.models import Loop, Membership, Part, Station
from jitapp.pull.models import StationState
from jitapp.pull.reading.flow import (
    MAKE,
    MOVE,
    QUEUE,
    REFILL,
    STAND,
    Flow,
    UnknownPart,
    flow_of,
    minutes_of,
    version_of,
)
from jitapp.pull.reading.flow_stations import Measured
from jitapp.web.flowpicture import ladder_of
from tests.floor import Floor
from tests.web.shop import NOW, Shop, every_state

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    """Screws from outside and blanks from the saw go into a bracket, which is shipped."""
    made = Floor()
    for place, (code, kind) in enumerate(
        [("ACME", "SUPPLIER"), ("SAW", "PROCESS"), ("PRESS", "PROCESS"), ("SHIP", "SHIPPING")]
    ):
        made.station(code, kind, position=place)
    made.bill("BRACKET", SCREW=2, BLANK=1)
    made.loop("SCREWS", part="SCREW", supply="ACME", demand="PRESS", kind="SUPPLIER", cards=3)
    made.loop("BLANKS", part="BLANK", supply="SAW", demand="PRESS", cards=3)
    made.loop("BRACKETS", part="BRACKET", supply="PRESS", demand="SHIP", cards=3)
    return made


def round_of(
    floor: Floor, loop: str, number: int, *, queue: float, make: float, move: float, stand: float
) -> None:
    """A card goes round: so many minutes at each step, until its container is empty again."""
    floor.scan(loop, number, "empty")
    floor.scan(loop, number, "start", after=queue)
    floor.scan(loop, number, "complete", after=make)
    floor.scan(loop, number, "receive", after=move)
    floor.scan(loop, number, "empty", after=stand)
    floor.scan(loop, number, "start", after=queue)
    floor.scan(loop, number, "complete", after=make)
    floor.scan(loop, number, "receive", after=move)


def drawn(floor: Floor, part: str = "") -> Flow:
    return flow_of(floor.plant, part=part, now=floor.now)


def times(flow: Flow, loop: str) -> dict[str, Measured]:
    return dict(next(each.times for each in flow.loops if each.row.loop == loop))


# -- what is measured ----------------------------------------------------------------------------------
def test_times_are_medians_of_real_turns_by_step(floor: Floor) -> None:
    for number, make in enumerate((10, 14, 30), start=1):
        round_of(floor, "BLANKS", number, queue=5, make=make, move=3, stand=60)
    found = times(drawn(floor), "BLANKS")
    assert found[MAKE] == Measured(14.0, 6)
    assert found[QUEUE].minutes == 5.0
    assert found[MOVE].minutes == 3.0
    assert found[STAND] == Measured(60.0, 3)  # the second time they are full still
    assert found[REFILL].minutes == 22.0
    press = next(station for station in drawn(floor).stations if station.code == "SAW")
    assert press.make == Measured(14.0, 6)


def test_too_few_turns_are_not_measured_and_the_picture_says_so(floor: Floor, client: Client) -> None:
    round_of(floor, "BLANKS", 1, queue=5, make=10, move=3, stand=60)
    assert times(drawn(floor), "BLANKS") == {}
    assert ladder_of(drawn(floor)).measured == 0
    reader(client, floor)
    page = client.get("/map").content.decode()
    assert "not measured yet" in page
    assert re.search(r"0 of \d steps measured", page)


def test_a_step_that_a_later_scan_implied_was_not_measured() -> None:
    at = datetime(2026, 11, 16, 8, tzinfo=UTC)
    turn = SimpleNamespace(
        released_at=at,
        started_at=at + timedelta(minutes=30),
        completed_at=at + timedelta(minutes=30),
        closed_at=at + timedelta(minutes=30),
        emptied_at=None,
    )
    always = WorkCalendar()
    assert minutes_of([turn], always, always) == {QUEUE: [], MAKE: [], MOVE: [], STAND: [], REFILL: [30.0]}


def test_times_are_working_time() -> None:
    shifts = [{"days": ["mon", "tue"], "start": "06:00", "end": "14:00"}]
    calendar = WorkCalendar("UTC", shifts)
    monday = datetime(2026, 11, 16, 13, tzinfo=UTC)
    turn = SimpleNamespace(
        released_at=monday,
        started_at=monday + timedelta(minutes=30),
        completed_at=monday + timedelta(hours=18),  # on Tuesday at 07:00
        closed_at=monday + timedelta(hours=19),
        emptied_at=monday + timedelta(hours=20),
    )
    found = minutes_of([turn], calendar, WorkCalendar())
    assert found == {QUEUE: [30.0], MAKE: [90.0], MOVE: [60.0], STAND: [60.0], REFILL: [180.0]}


# -- the way of the ladder -----------------------------------------------------------------------------
def test_the_ladder_goes_the_longest_measured_way_and_adds_up(floor: Floor) -> None:
    for number in (1, 2, 3):
        round_of(floor, "BLANKS", number, queue=5, make=10, move=3, stand=60)
        round_of(floor, "BRACKETS", number, queue=2, make=20, move=4, stand=30)
    flow = drawn(floor)
    assert [loop.row.loop for loop in flow.way] == ["BLANKS", "BRACKETS"]
    sums = ladder_of(flow)
    assert (sums.lead, sums.adding) == (10 + 3 + 60 + 20 + 4 + 30, 10 + 20)
    assert (sums.steps, sums.measured) == (4, 4)


def test_the_way_follows_the_bill_and_not_just_the_stations(floor: Floor) -> None:
    floor.bill("COVER", SHEET=1)
    floor.station("SHEAR", "PROCESS", position=1)
    floor.loop("SHEETS", part="SHEET", supply="SHEAR", demand="PRESS", cards=3)
    floor.loop("COVERS", part="COVER", supply="PRESS", demand="SHIP", cards=3)
    for number in (1, 2, 3):
        round_of(floor, "SHEETS", number, queue=1, make=300, move=3, stand=60)
        round_of(floor, "BRACKETS", number, queue=1, make=900, move=3, stand=60)
    assert [loop.row.loop for loop in drawn(floor).way] in (["SCREWS", "BRACKETS"], ["BLANKS", "BRACKETS"])
    assert [loop.row.loop for loop in drawn(floor, "COVER").way] == ["SHEETS", "COVERS"]


# -- which loops -----------------------------------------------------------------------------------------
def test_a_part_shows_what_it_is_made_of_and_what_is_made_of_it(floor: Floor) -> None:
    floor.station("LATHE", "PROCESS")
    floor.bill("PIN", ROD=1)
    floor.loop("PINS", part="PIN", supply="LATHE", demand="SHIP")
    assert {loop.row.loop for loop in drawn(floor).loops} == {"SCREWS", "BLANKS", "BRACKETS", "PINS"}
    assert {loop.row.loop for loop in drawn(floor, "BRACKET").loops} == {"SCREWS", "BLANKS", "BRACKETS"}
    assert {loop.row.loop for loop in drawn(floor, "SCREW").loops} == {"SCREWS", "BRACKETS"}
    assert drawn(floor).finished == ("BRACKET", "PIN")
    with pytest.raises(UnknownPart):
        drawn(floor, "ROD")


def test_stations_that_no_loop_names_are_listed_and_retired_loops_are_gone(
    floor: Floor, client: Client
) -> None:
    floor.station("SPARE", "PROCESS")
    assert drawn(floor).unplaced == (("SPARE", "Spare"),)
    Loop.objects.filter(code="BLANKS").update(status="RETIRED")
    flow = drawn(floor)
    assert {code for code, _ in flow.unplaced} == {"SPARE", "SAW"}
    reader(client, floor)
    assert "Spare" in client.get("/map").content.decode()


def test_a_station_that_stands_still_says_why(floor: Floor) -> None:
    saw = Station.objects.get(code="SAW")
    StationState.objects.create(uuid=floor.device.uuid, station=saw, kind="down", began_at=floor.now)
    stands = {station.code: station.halt for station in drawn(floor).stations}
    assert stands == {"ACME": "", "SAW": "down", "PRESS": "", "SHIP": ""}
    for number in (1, 2, 3):
        floor.scan("BLANKS", number, "empty")
    floor.scan("BRACKETS", 1, "empty")
    assert {station.code: station.halt for station in drawn(floor).stations}["PRESS"] == "starved"


# -- the page --------------------------------------------------------------------------------------------
def reader(client: Client, floor: Floor) -> None:
    person = Person.objects.create_user("mia", password="x", name="Mia")
    Membership.objects.create(person=person, plant=floor.plant, role="operator")
    client.force_login(person)


def picture_of(page: str) -> ET.Element:
    return ET.fromstring(  # noqa: S314 (our own page)
        page[page.index('<svg class="flow"') : page.index("</svg>", page.index("m-ladder")) + 6]
    )


def test_the_picture_has_every_loop_with_word_shape_and_count_and_a_list_says_the_same(
    floor: Floor, client: Client
) -> None:
    for number in (1, 2, 3):
        floor.scan("BLANKS", number, "empty")
    reader(client, floor)
    page = client.get("/map").content.decode()
    svg = picture_of(page)
    name = "{http://www.w3.org/2000/svg}"
    assert svg.find(f"{name}title").text == "Flow of PLANT"  # type: ignore[union-attr]
    loops = {each.get("id"): each for each in svg.iter(f"{name}a") if "m-loop" in each.get("class", "")}
    assert len(loops) == 3
    blanks = Loop.objects.get(code="BLANKS")
    texts = [each.text for each in loops[f"map-{blanks.pk}"].iter(f"{name}text")]
    assert texts == ["OUT", "BLANK", "0 / 3"]
    assert loops[f"map-{blanks.pk}"].find(f"{name}use").get("href") == "#sh-out"  # type: ignore[union-attr]
    assert loops[f"map-{blanks.pk}"].get("href") == f"/l/{blanks.pk}"
    listed = page[page.index("The same as a list") :]
    assert len(re.findall(r'<th scope="row">', listed)) == 3
    assert listed.index("0 / 3") > 0
    assert not re.search(r'\sstyle="', page)


def test_signs_tell_suppliers_from_processes_and_what_the_cards_ask_for(floor: Floor, client: Client) -> None:
    floor.station("MARKET", "SUPERMARKET")
    floor.loop("P", part="GEAR", supply="SAW", demand="MARKET", kind="PRODUCTION")
    floor.loop("W", part="GEAR", supply="MARKET", demand="PRESS", kind="WITHDRAWAL")
    Loop.objects.filter(code="BLANKS").update(
        accumulate="CARDS", accumulate_cards=2, triangle_quantity=Decimal(1), lot_quantity=Decimal(2)
    )
    reader(client, floor)
    page = client.get("/map").content.decode()
    assert page.count("m-truck") == 1
    assert "Customer" in page
    assert "Supermarket" in page
    assert page.count("m-hatch") == 2  # the supplier's card and the withdrawal card bring; the others make
    assert page.count('class="m-sign m-triangle"') == 5


def test_what_people_wrote_is_escaped(floor: Floor, client: Client) -> None:
    Station.objects.filter(code="SAW").update(name='<b x="1">&')
    Part.objects.filter(number="BLANK").update(description="<script>")
    reader(client, floor)
    page = client.get("/map").content.decode()
    assert '<b x="1">' not in page
    assert "<script>" not in page[page.index('id="drawn"') : page.index('id="words"')]
    picture_of(page)


def test_an_unchanged_map_costs_few_statements_and_no_bytes(floor: Floor, client: Client) -> None:
    reader(client, floor)
    first = client.get("/map-now")
    before = version_of(floor.plant)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert version_of(floor.plant) == before
    assert len(queries) == 1
    assert first.headers["ETag"]
    floor.scan("BLANKS", 1, "empty")
    assert version_of(floor.plant) != before
    fresh = client.get("/map-now", headers={"If-None-Match": first.headers["ETag"]})
    assert fresh.status_code == 200
    assert "2 / 3" in fresh.content.decode()


def test_the_same_version_is_answered_304(
    floor: Floor, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader(client, floor)
    monkeypatch.setattr("jitapp.web.flowmap.SAME_FOR_S", 10**9)
    tag = client.get("/map-now").headers["ETag"]
    again = client.get("/map-now", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/map-now?plant=PLANT").headers["ETag"] == tag


def test_nobody_sees_another_plants_map(floor: Floor, client: Client, settings: LazySettings) -> None:
    settings.DEMO = "0"
    other = Floor("OTHER")
    reader(client, floor)
    for address in ("/map?plant=OTHER", "/map/NOTHING", "/map-now?plant=OTHER", "/map-now/NOTHING"):
        assert client.get(address).status_code == 404, address
    assert "OTHER" not in client.get("/map").content.decode()
    assert other.plant.code == "OTHER"
    client.logout()
    assert client.get("/map").status_code == 302
    assert client.get("/map-now").status_code == 401


def test_a_plant_without_loops_says_what_the_map_begins_with(client: Client) -> None:
    floor = Floor()
    reader(client, floor)
    page = client.get("/map").content.decode()
    assert "No map yet" in page
    assert "js/map.js" not in page


def test_one_drawing_costs_the_same_statements_whatever_the_number_of_loops(floor: Floor) -> None:
    drawn(floor)
    with CaptureQueriesContext(connection) as few:
        drawn(floor)
    for number in range(12):
        floor.loop(f"MORE{number}", part=f"PART{number}", supply="SAW", demand="PRESS")
    with CaptureQueriesContext(connection) as many:
        drawn(floor)
    assert len(many) <= len(few) + 4  # settings are read afresh after the change


def test_every_state_of_the_board_is_on_the_map() -> None:
    shop: Shop = every_state()
    flow = flow_of(shop.plant, now=NOW)
    assert {loop.row.state for loop in flow.loops} == {"out", "act", "soon", "move", "ok", "held"}
