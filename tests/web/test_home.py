"""The home page and what it is renewed by: areas, their worst row, their calls and their last 24 hours."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.live.ticket import open_ticket
from jitapp.plant.models import Area, Loop, Plant, Station
from jitapp.pull.models import Runout
from jitapp.pull.reading.strip import HOURS, strips
from tests.web.shop import NOW, Shop, a_person, every_state, make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return every_state(timezone.now())


@pytest.fixture
def mia(shop: Shop, client: Client) -> Person:
    person = a_person(shop)
    client.force_login(person)
    return person


def more_areas(shop: Shop, count: int, loops: int) -> None:
    """So many more areas with so many loops each, some of them out."""
    for number in range(count):
        area = Area.objects.create(plant=shop.plant, code=f"AREA{number:02d}", name=f"Area {number:02d}")
        code = f"USE{number:02d}"
        shop.stations[code] = Station.objects.create(
            plant=shop.plant, area=area, code=code, name=code, kind="PROCESS", position=20 + number
        )
        for place in range(loops):
            loop = shop.loop(f"L{number:02d}-{place}", f"PART-{number:02d}-{place}", "TEST", code)
            shop.turn(shop.card(loop, 1, "EMPTY"), minutes_ago=50, due_in=10)
            shop.card(loop, 2, "FULL")
            if place == 0:
                loop.cards.update(supply_status="EMPTY")
                shop.runout(loop, minutes_ago=7)


def test_b07_each_area_shows_its_numbers_its_worst_row_and_its_last_day(
    mia: Person, shop: Shop, client: Client
) -> None:
    page = client.get("/").content.decode()
    card = re.search(r'<li class="card area" data-area="SMT">.*?\n  </li>', page, re.DOTALL)
    assert card is not None
    text = card[0]
    assert 'data-state="out" data-n="1"' in text
    assert 'data-state="act" data-n="1"' in text
    assert "PCB-A-PASTED" in text
    assert "Solder paste" in text
    assert "not started yet" in text
    assert 'data-tick="since"' in text
    assert '<svg class="strip"' in text
    assert "Loops that were out in the last 24 hours, by the hour:" in text
    assert "Nothing here needs anybody" not in text.split('class="quiet" hidden')[0]


def test_home_asks_no_more_of_the_database_for_twelve_areas_and_two_hundred_loops(
    mia: Person, shop: Shop, client: Client
) -> None:
    client.get("/")
    with CaptureQueriesContext(connection) as few:
        client.get("/")
    more_areas(shop, 11, 18)
    assert Loop.objects.count() > 200
    client.get("/")  # the words of places are read once after a change of master data
    with CaptureQueriesContext(connection) as many:
        page = client.get("/").content.decode()
    assert page.count('<li class="card area"') == 12
    assert len(many) <= len(few)
    with CaptureQueriesContext(connection) as renewed:
        client.get("/areas")
    assert len(renewed) <= len(few) + 6  # whether anything stands still is looked at now and then, too
    assert len(few) < 20


def test_what_has_not_changed_costs_no_bytes_and_a_ticket_opens_every_area(
    mia: Person, shop: Shop, client: Client
) -> None:
    more_areas(shop, 2, 1)
    first = client.get("/areas")
    assert set(open_ticket(first["X-Ticket"]).channels) == {"SMT:en", "AREA00:en", "AREA01:en"}
    again = client.get("/areas", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    shop.loops["L-OK"].cards.update(supply_status="EMPTY")
    shop.runout(shop.loops["L-OK"], minutes_ago=1)
    assert client.get("/areas", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_nobody_reads_the_areas_of_another_plant(mia: Person, client: Client, settings: LazySettings) -> None:
    other = Plant.objects.create(code="ELSEWHERE", name="Elsewhere")
    Area.objects.create(plant=other, code="SECRET", name="Secret hall")
    assert b"Secret" not in client.get("/").content
    assert b"SECRET" not in client.get("/areas").content
    assert "SECRET:en" not in open_ticket(client.get("/areas")["X-Ticket"]).channels
    settings.DEMO = "0"
    assert Client().get("/areas").status_code == 401


@pytest.mark.parametrize(
    ("role", "action"), [("planner", 'href="/l/new">Make the first loop'), ("operator", "Ask your planner")]
)
def test_a_plant_without_loops_says_what_comes_next(client: Client, role: str, action: str) -> None:
    shop = make_shop()
    client.force_login(a_person(shop, roles=(role,)))
    page = client.get("/").content.decode()
    assert "No loops yet" in page
    assert action in page


def test_the_strip_counts_each_loop_once_an_hour_however_long_it_was_out() -> None:
    shop = make_shop()
    now = NOW.replace(minute=30)
    loops = [shop.loop(code, f"PART-{code}", "REFLOW", "TEST") for code in ("ONE", "TWO")]

    def out(loop: Loop, hours_ago: float, lasted: float | None, seq: int) -> None:
        opened = now - timedelta(hours=hours_ago)
        closed = None if lasted is None else opened + timedelta(hours=lasted)
        Runout.objects.create(loop=loop, opened_at=opened, closed_at=closed, opened_seq=seq, cause="queue")

    out(loops[0], 100, 1, 1)  # long over
    out(loops[0], 30, 8, 2)  # began before these hours, lasted into them
    out(loops[0], 5.4, 0.1, 3)
    out(loops[0], 5.2, 0.1, 4)  # twice in one hour
    out(loops[1], 5.3, 2, 5)
    out(loops[1], 1.2, None, 6)  # still
    strip = strips(["SMT", "NOWHERE"], now=now)["SMT"]
    assert len(strip.counts) == HOURS
    assert strip.hour(HOURS - 1) == now.replace(minute=0)
    expected = [0] * HOURS
    for place in (0, 1):  # 23 and 22 hours ago
        expected[place] += 1
    expected[18] += 1 + 1  # 5 hours ago: both loops
    expected[19] += 1
    expected[20] += 1
    for place in (22, 23):
        expected[place] += 1
    assert list(strip.counts) == expected
    assert strips(["NOWHERE"], now=now)["NOWHERE"].counts == (0,) * HOURS
