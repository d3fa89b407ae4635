"""The banner's switch, with a real Redis: stop, go on, and who may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from jitapp.accounts.models import Person
from jitapp.live import demo
from jitapp.live.demo import CannotSwitch, Switches
from jitapp.plant.models import Membership, Plant

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
    assert "Log in to stop them" in Client().get("/").content.decode()
    assert Client().post("/demo", {"operators": "stop"}).headers["Location"].startswith("/login/")
    assert not demo.switches().paused
    settings.DEMO = "1"
    client = Client()
    client.force_login(otto())
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
