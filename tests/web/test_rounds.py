"""The page of a round: what it shows, and that its forms work without JavaScript."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.plant.routes import Route
from jitapp.pull.models import AndonCall, Receipt
from jitapp.rounds.models import ReadLabel, Sighting
from jitapp.symbology.commandcode import Command, CommandName
from tests.rounds.milk import Run, milk_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(settings: LazySettings, client: Client) -> Run:
    settings.DEMO = "0"
    made = milk_run(timezone.now() - timedelta(minutes=12))
    client.force_login(Person.objects.get(username="hugo"))
    Route.objects.update(every_minutes=None, departures=["00:01"])  # over by now, whatever the clock says
    if timezone.now().hour == 0:
        Route.objects.update(departures=["12:00"])
    return made


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return re.sub(r"\s+", " ", answer.content.decode())


def posted(client: Client, door: str, given: dict[str, str]) -> str:
    """The page that follows a form."""
    answer = client.post(door, {"id": str(uuid4())} | given, follow=True)
    assert answer.status_code == 200, door
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_round_without_errands_says_when_to_leave(run: Run, client: Client) -> None:
    page = text(client, "/r/MILK")
    assert re.search(r"No picks this round - leave at (\w+ )?\d\d:\d\d", page)
    assert "Leave at" in page
    assert "Milk run" in text(client, "/r/")


def test_stops_stand_in_walking_order_with_what_to_take(run: Run, client: Client) -> None:
    run.floor.scan("SCREWS", 1, "empty")
    page = text(client, "/r/MILK")
    places = [page.index(f"<h2>{name}</h2>") for name in ("Store", "Press", "Line")]
    assert places == sorted(places)
    assert "100 × SCREW" in page[places[0] : places[1]]
    assert "SCREW" not in page[places[1] :]
    assert "to take</dt><dd>1</dd>" in page
    assert "fullest</dt><dd>1<small> / 4 (25 %)</small>" in page


def test_a_scan_of_a_plain_form_is_recorded_once(run: Run, client: Client) -> None:
    run.floor.scan("SCREWS", 1, "empty")
    code = run.floor.card("SCREWS", 1).code
    part = posted(client, "/r/MILK/scan", {"code": code})
    assert 'id="rounds-now"' in part
    assert "ON ITS WAY" in part
    assert "Left here" in part
    again = {"id": str(uuid4()), "code": code, "doing": "drop"}
    for _ in range(2):  # sent twice: it counts once
        answer = client.post("/r/MILK/scan", again)
        assert answer.headers["Location"] == "/r/MILK"
    assert "FULL recorded" in text(client, "/r/MILK")
    assert run.floor.status("SCREWS") == ["FULL", "IN_USE", "FULL"]
    assert Receipt.objects.filter(scan_id=again["id"]).count() == 1


def test_what_is_not_carried_here_is_said(run: Run, client: Client) -> None:
    run.floor.scan("FOIL", 1, "empty")
    code = run.floor.card("FOIL", 1).code
    part = posted(client, "/r/MILK/scan", {"code": code})
    assert "Not on this route" in part
    assert Receipt.objects.filter(raw=code, outcome="refused").exists()
    part = posted(client, "/r/MILK/scan", {"code": " "})
    assert "There is no code" in part


def test_a_reason_is_one_touch_and_stands_on_the_page_and_among_the_calls(run: Run, client: Client) -> None:
    run.floor.scan("SCREWS", 1, "empty")
    code = run.floor.card("SCREWS", 1).code
    given = {"id": str(uuid4()), "card": code, "reason": "not_there", "note": "shelf bare"}
    part = posted(client, "/r/MILK/cannot", given)
    assert "Kept: Not there" in part
    assert "shelf bare" in part
    assert "Milk run · Not there: shelf bare" in text(client, "/calls")
    assert AndonCall.objects.count() == 1
    for wrong, sentence in (
        ({"reason": "tired"}, "Say why with one of the buttons"),
        ({"card": "KB0"}, "no such card"),
    ):
        assert sentence in posted(client, "/r/MILK/cannot", given | {"id": str(uuid4())} | wrong)
    assert AndonCall.objects.count() == 1


def test_a_command_card_does_nothing_in_these_boxes(run: Run, client: Client) -> None:
    code = Command(CommandName.UNDO).code
    client.post("/walk/LINE/begin")
    for door in ("/r/MILK/scan", "/recv/scan", "/walk/LINE/seen"):
        assert "It does nothing here" in posted(client, door, {"code": code.lower()}), door
    assert not Receipt.objects.filter(raw__icontains=code).exists()
    assert not Sighting.objects.exists()
    assert not ReadLabel.objects.exists()


def test_strangers_see_nothing(run: Run) -> None:
    assert "/login/" in Client().get("/r/MILK").headers["Location"]
    stranger = Person.objects.create(username="zoe", name="Zoe")
    client = Client()
    client.force_login(stranger)
    assert client.get("/r/MILK").status_code == 404
    assert client.post("/r/MILK/scan", {"code": "x"}).status_code == 404
    assert "Milk run" not in client.get("/r/").content.decode()
