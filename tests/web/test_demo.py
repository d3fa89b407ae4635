"""The banner's switch, with a real Redis: stop, go on, and who may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.live import demo
from jitapp.live.demo import CannotSwitch, Switches
from jitapp.plant.models import Membership, Plant, Station
from jitapp.pull.reading.offers import offers
from tests.floor import Floor

pytestmark = pytest.mark.django_db
LIVES = "Simulated operators scan"
RESTS = "The simulated operators were stopped."


@pytest.fixture(autouse=True)
def living(settings: Any) -> Iterator[None]:
    settings.DEMO = "live"
    demo.resume()
    yield
    demo.resume()
    for station in demo.switches().taken:
        demo.give_back(station)


def otto() -> Person:
    """Somebody who works in the demonstration's plant."""
    plant = Plant.objects.create(code=settings.DEMO_PLANT, name="Demonstration")
    person = Person.objects.create(username="otto", name="Otto")
    Membership.objects.create(person=person, plant=plant, role="operator")
    return person


def test_s10_somebody_of_another_plant_does_not_stop_the_operators() -> None:
    otto()
    sue = Person.objects.create(username="sue", name="Sue")
    Membership.objects.create(
        person=sue, plant=Plant.objects.create(code="OTHER", name="Other"), role="leader"
    )
    client = Client()
    client.force_login(sue)
    assert client.post("/demo", {"operators": "stop"}).status_code == 404
    assert not demo.switches().paused


def test_somebody_who_is_logged_in_stops_the_operators_and_lets_them_go_on() -> None:
    client = Client()
    client.force_login(otto())
    assert LIVES in client.get("/").content.decode()
    assert client.post("/demo", {"operators": "stop", "next": "/s/"}).headers["Location"] == "/s/"
    assert demo.switches().paused
    assert RESTS in client.get("/").content.decode()
    answer = client.post("/demo", {"operators": "go", "next": "https://elsewhere.example/"})
    assert answer.headers["Location"] == "/"
    assert not demo.switches().paused


def test_a_guest_is_asked_to_log_in_and_a_shop_at_rest_has_no_switch(settings: Any) -> None:
    person = otto()
    assert "Log in to stop them" in Client().get("/").content.decode()
    assert Client().post("/demo", {"operators": "stop"}).headers["Location"].startswith("/login/")
    assert not demo.switches().paused
    settings.DEMO = "1"
    client = Client()
    client.force_login(person)
    assert client.post("/demo", {"operators": "stop"}).status_code == 404


def test_stations_are_taken_over_and_given_back() -> None:
    demo.take_over("TEST")
    demo.take_over("SHIP")
    assert demo.switches() == Switches(False, frozenset({"TEST", "SHIP"}))
    demo.give_back("TEST")
    assert demo.switches().taken == frozenset({"SHIP"})


def test_without_redis_the_page_comes_and_the_switch_says_why_not(settings: Any) -> None:
    there = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(CannotSwitch, match="nothing was switched"):
        demo.pause()
    client = Client()
    client.force_login(otto())
    assert LIVES in client.get("/").content.decode()
    assert client.post("/demo", {"operators": "stop"}).status_code == 302
    assert "nothing was switched" in client.get("/").content.decode()
    settings.REDIS_URL = there


def shop_of_otto() -> tuple[Floor, Client]:
    """The demonstration's plant with a loop of two full containers, and Otto before the scan page."""
    floor = Floor(settings.DEMO_PLANT)
    floor.station("MAKE", wip_limit=1)
    floor.station("USE", "SHIPPING")
    floor.loop("L", part="P", supply="MAKE", demand="USE", cards=3)
    floor.now = timezone.now() - timedelta(minutes=30)
    person = Person.objects.create(username="otto", name="Otto")
    Membership.objects.create(person=person, plant=floor.plant, role="operator")
    client = Client()
    client.force_login(person)
    return floor, client


def test_b03_whoever_chooses_a_station_has_it_at_once_until_they_leave() -> None:
    _, client = shop_of_otto()
    client.post("/s/station/", {"station": "USE"})
    assert demo.switches().taken == {"USE"}
    client.post("/s/station/", {"station": ""})
    assert demo.switches().taken == frozenset()
    client.post("/s/station/", {"station": "MAKE"})
    demo.give_back("MAKE")  # as if it had lasted long enough
    client.get("/s/")
    assert demo.switches().taken == {"MAKE"}


def test_b03_a_station_of_another_plant_and_a_shop_at_rest_take_nothing_over(settings: Any) -> None:
    _, client = shop_of_otto()
    other = Floor("OTHER")
    other.station("ELSEWHERE")
    Membership.objects.create(person=Person.objects.get(username="otto"), plant=other.plant, role="operator")
    client.post("/s/station/", {"station": "ELSEWHERE"})
    assert demo.switches().taken == frozenset()
    assert "No card at hand?" not in client.get("/s/").content.decode()
    settings.DEMO = "1"
    client.post("/s/station/", {"station": "USE"})
    assert demo.switches().taken == frozenset()
    assert "No card at hand?" in client.get("/s/").content.decode()


def test_b03_every_card_that_the_scan_page_offers_is_applied_when_scanned() -> None:
    floor, client = shop_of_otto()
    floor.scan("L", 1, "empty")
    floor.scan("L", 2, "empty")
    floor.scan("L", 1, "start")
    for station, offered in (("USE", [3]), ("MAKE", [1])):
        found = offers(Station.objects.get(code=station), now=timezone.now(), most=9)
        assert [offer.number for offer in found] == offered
        client.post("/s/station/", {"station": station})
        assert found[0].code in client.get("/s/").content.decode()
        scanned = client.post("/s/", {"id": str(uuid4()), "code": found[0].code})
        assert 'data-look="ok"' in scanned.content.decode()
    # What was emptied there a moment ago is not offered, what was finished elsewhere may be taken in; a free station
    # offers the first that waits.
    for station, offered in (("USE", [1]), ("MAKE", [2])):
        found = offers(Station.objects.get(code=station), now=timezone.now(), most=9)
        assert [offer.number for offer in found] == offered
