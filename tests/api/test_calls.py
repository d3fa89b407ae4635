"""Calls and changeovers over HTTP: from any known device, once per key, refused by name."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from jitapp.accounts.models import Device, Person
from jitapp.accounts.pins import set_pin
from jitapp.api.openapi import OPERATIONS, document
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.models import Membership, Part, Placement, StandardWork, Station
from jitapp.pull import sources
from jitapp.pull.models import AndonCall
from tests.floor import Floor

pytestmark = pytest.mark.django_db
PIN = "2580"


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT", readiness_checks=["stencil cleaned"], standard_work="https://work.example/smt")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    person = floor.person("mia", badge="B-17")
    Membership.objects.create(person=person, plant=floor.plant, role="leader")
    for one in (person, floor.person("stranger")):
        set_pin(one, PIN)
    return floor


def ask(floor: Floor, method: str, path: str, body: dict[str, Any] | None = None, key: str = "") -> Any:
    headers = {"Authorization": f"Bearer {floor.token}"} | ({"Idempotency-Key": key} if key else {})
    if method == "get":
        return Client().get(f"/api/v1{path}", headers=headers)
    if path.endswith("/take") and body:
        body = {"pin": PIN} | body
    return Client().post(f"/api/v1{path}", body or {}, content_type="application/json", headers=headers)


def made(floor: Floor, **more: Any) -> dict[str, Any]:
    answer = ask(floor, "post", "/calls", {"station": "SMT", "kind": "machine"} | more)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_a_call_is_made_taken_and_solved(floor: Floor) -> None:
    call = made(floor, stops_line=True, note="spindle", card=floor.card("L1", 1).code)
    assert (call["level"], call["must_come"], call["stops_line"], call["loop"]) == (
        0,
        "team_leader",
        True,
        "L1",
    )
    assert ask(floor, "get", "/boards/SMT").json()["line_stopped"] is True
    taken = ask(floor, "post", f"/calls/{call['id']}/take", {"by": "B-17"}).json()
    assert (taken["must_come"], taken["owner"]) == ("owner", "Mia")
    again = ask(floor, "post", f"/calls/{call['id']}/take", {"by": "mia"})
    assert (again.status_code, again.json()["owned_at"]) == (200, taken["owned_at"])
    solving = {"reason": "bearing", "countermeasure": "grease", "countermeasure_due": "2026-12-01"}
    solved = ask(floor, "post", f"/calls/{call['id']}/solve", solving).json()
    assert (solved["reason"], solved["countermeasure_due"]) == ("bearing", "2026-12-01")
    assert ask(floor, "get", "/calls?open=1").json()["results"] == []
    assert [row["id"] for row in ask(floor, "get", "/calls?station=SMT").json()["results"]] == [call["id"]]
    assert ask(floor, "get", "/calls?station=TEST").json()["results"] == []
    assert ask(floor, "get", f"/calls/{call['id']}").json() == solved
    events = ask(floor, "get", "/events?limit=500").json()["results"]
    andon = [event for event in events if event["type"].startswith("andon.")]
    assert {event["loop"] for event in andon} <= {"L1"}


def test_the_same_key_or_id_again_is_the_same_call(floor: Floor) -> None:
    body = {"station": "SMT", "kind": "help"}
    first = ask(floor, "post", "/calls", body, key="pressed 17").json()
    assert ask(floor, "post", "/calls", body, key="pressed 17").json()["id"] == first["id"]
    number = str(uuid4())
    assert made(floor, id=number)["id"] == number
    assert made(floor, id=number)["id"] == number
    assert AndonCall.objects.count() == 2
    other = ask(floor, "post", "/calls", {"station": "TEST", "kind": "help", "id": number})
    assert (other.status_code, other.json()["code"]) == (409, "call_id_reused")


def test_every_refusal_has_its_status_and_code(floor: Floor) -> None:
    call = made(floor)["id"]
    said = []
    for path, body in (
        ("/calls", {"station": "NOWHERE", "kind": "help"}),
        ("/calls", {"kind": "help"}),
        ("/calls", {"station": "SMT", "kind": "weather"}),
        ("/calls", {"station": "SMT", "kind": "help", "card": "KB000000000"}),
        ("/calls", {"station": "SMT", "kind": "help", "more": "x"}),
        ("/calls", {"station": "SMT", "kind": "help", "by": "nobody"}),
        (f"/calls/{call}/take", {}),
        (f"/calls/{call}/take", {"by": "stranger"}),
        (f"/calls/{call}/solve", {"reason": " "}),
        (f"/calls/{call}/solve", {"reason": "x", "countermeasure_due": "tomorrow"}),
        (f"/calls/{uuid4()}/take", {"by": "mia"}),
    ):
        answer = ask(floor, "post", path, body)
        said.append((answer.status_code, answer.json()["code"]))
    assert said == [
        (422, "unknown_reference"),
        (422, "unknown_reference"),
        (422, "field_unreadable"),
        (422, "unknown_reference"),
        (422, "field_unreadable"),
        (422, "person_unknown"),
        (422, "field_unreadable"),
        (422, "person_unknown"),
        (422, "reason_missing"),
        (422, "field_unreadable"),
        (404, "not_found"),
    ]
    ben = Person.objects.create(username="ben", name="Ben")
    set_pin(ben, PIN)
    Membership.objects.create(person=ben, plant=floor.plant, role="operator")
    assert ask(floor, "post", f"/calls/{call}/take", {"by": "ben"}).status_code == 200
    assert ask(floor, "post", f"/calls/{call}/take", {"by": "mia"}).json()["code"] == "call_taken"
    ask(floor, "post", f"/calls/{call}/solve", {"reason": "x"})
    assert ask(floor, "post", f"/calls/{call}/take", {"by": "ben"}).json()["code"] == "call_solved"
    assert Client().post("/api/v1/calls", {}, content_type="application/json").status_code == 401


def test_a_device_that_stands_at_a_station_calls_from_there(floor: Floor) -> None:
    Placement.objects.filter(device=floor.device).update(station=Station.objects.get(code="TEST"))
    Device.objects.filter(pk=floor.device.pk).update(kind=DeviceKind.TABLET)
    sources._sources.clear()
    assert ask(floor, "post", "/calls", {"kind": "help"}).json()["station"] == "TEST"
    answer = ask(floor, "post", "/calls", {"kind": "help", "station": "SMT"})
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_device_station")
    answer = ask(floor, "post", "/stations/SMT/changeover", {"to_family": "A"})
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_device_station")


def test_another_plants_calls_are_not_to_be_seen(floor: Floor) -> None:
    call = made(floor)["id"]
    other = Floor("OTHER")
    assert ask(other, "get", "/calls").json()["results"] == []
    assert ask(other, "get", f"/calls/{call}").status_code == 404
    assert ask(other, "post", f"/calls/{call}/solve", {"reason": "x"}).status_code == 404


def test_a_call_of_a_runout_names_it_and_nobody(floor: Floor) -> None:
    for number in (1, 2):
        floor.scan("L1", number, "empty")
    floor.propagate()
    (call,) = ask(floor, "get", "/calls?open=1").json()["results"]
    (runout,) = ask(floor, "get", "/runouts").json()["results"]
    assert (call["runout"], call["called_by"], call["loop"], call["card"]) == (runout["id"], "", "L1", None)
    assert (call["kind"], call["station"], call["note"]) == ("material", "TEST", "BOARD has run out")
    assert ask(floor, "get", f"/calls/{call['id']}").json()["runout"] == runout["id"]
    assert made(floor)["runout"] is None
    assert floor.scan("L1", 1, "receive")["outcome"] == "applied"
    floor.propagate()
    solved = ask(floor, "get", f"/calls/{call['id']}").json()
    assert (solved["reason"], solved["owner"]) == ("material is there", "")


def test_a_changeover_is_begun_finished_and_its_times_are_told(floor: Floor) -> None:
    begun = ask(floor, "post", "/stations/SMT/changeover", {"to_family": "A", "by": "B-17"}).json()
    assert begun["running"]["to_family"] == "A"
    clash = ask(floor, "post", "/stations/SMT/changeover", {"to_family": "B"})
    assert (clash.status_code, clash.json()["code"]) == (409, "changeover_running")
    done = ask(floor, "post", "/stations/SMT/changeover/finish").json()
    assert (done["running"], done["newest"], done["families"][0]["count"]) == (None, "A", 1)
    assert ask(floor, "get", "/stations/SMT/changeovers").json() == done
    again = ask(floor, "post", "/stations/SMT/changeover/finish")
    assert (again.status_code, again.json()["code"]) == (409, "changeover_not_running")
    assert ask(floor, "get", "/stations/NOWHERE/changeovers").status_code == 404
    assert ask(floor, "get", "/stations/SMT/changeover").status_code == 405


def test_a_stations_board_tells_its_checks_and_its_standard_work(floor: Floor) -> None:
    floor.scan("L1", 1, "empty")
    board = ask(floor, "get", "/boards/SMT").json()
    assert board["readiness_checks"] == ["stencil cleaned"]
    assert board["standard_work"] == {"BOARD": "https://work.example/smt"}
    StandardWork.objects.create(
        part=Part.objects.get(number="BOARD"),
        station=Station.objects.get(code="SMT"),
        url="https://work.example/board",
    )
    assert ask(floor, "get", "/boards/SMT").json()["standard_work"] == {"BOARD": "https://work.example/board"}
    assert board["line_stopped"] is False


def test_a_receivers_board_tells_how_much_room_it_has(floor: Floor) -> None:
    Station.objects.filter(code="TEST").update(receiving_limit=2)
    receiver = ask(floor, "get", "/boards/TEST").json()
    assert (receiver["receiving_limit"], receiver["full"]) == (2, 2)
    floor.scan("L1", 1, "open")
    assert ask(floor, "get", "/boards/TEST").json()["full"] == 2  # it takes up room until it is empty
    floor.scan("L1", 1, "empty")
    assert ask(floor, "get", "/boards/TEST").json()["full"] == 1


def test_the_description_knows_these_doors() -> None:
    paths = document()["paths"]
    for operation in OPERATIONS:
        if operation.group == "Calls":
            assert operation.method in paths["/api/v1" + operation.path]
    assert sum(operation.group == "Calls" for operation in OPERATIONS) == 11
