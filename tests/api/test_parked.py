"""Waiting scans over HTTP: read by every token, settled by people who may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from jitapp.accounts.pins import set_pin
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant.devices import place_device
from jitapp.plant.models import Membership
from tests.floor import Floor

pytestmark = pytest.mark.django_db
PIN = "2580"


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    for name, role in (("lea", Role.LEADER), ("ole", Role.OPERATOR)):
        person = floor.person(name, badge=f"B-{name}")
        set_pin(person, PIN)
        Membership.objects.create(person=person, plant=floor.plant, role=role)
    return floor


@pytest.fixture
def scan(floor: Floor) -> str:
    before = floor.now + timedelta(minutes=1)
    floor.scan("L1", 1, "empty", after=10)
    id = uuid4()
    assert floor.scan("L1", 1, "start", id=id, occurred_at=before)["outcome"] == "parked"
    return str(id)


@pytest.fixture
def client(floor: Floor) -> Client:
    token = place_device("tablet", DeviceKind.TABLET, plant=floor.plant_code)
    return Client(headers={"Authorization": f"Bearer {token}"})


def settle(client: Client, scan: str, key: str = "", **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"pin": PIN} | body
    return client.post(f"/api/v1/scans/{scan}/settle", body, content_type="application/json", headers=headers)


def test_a_waiting_scan_is_read_with_its_ways_and_settled_once(client: Client, scan: str) -> None:
    (one,) = client.get("/api/v1/scans/parked").json()["results"]
    assert (one["id"], one["kind"], one["part"], one["intent"]) == (scan, "parked", "BOARD", "start")
    assert [way["choice"] for way in one["ways"]][:1] == ["start"]
    assert any(line["type"] == "scan.parked" for line in one["story"])
    done = settle(client, scan, "k-1", how="accept", by="B-lea", reason="seen")
    assert done.status_code == 200, done.content
    assert (done.json()["how"], done.json()["by"], done.json()["answer"]["code"]) == (
        "accepted",
        "Lea",
        "started",
    )
    assert settle(client, scan, "k-1", how="accept", by="B-lea", reason="seen").json() == done.json()
    again = settle(client, scan, "k-2", how="discard", by="lea", reason="no")
    assert (again.status_code, again.json()["code"], again.json()["by"]) == (409, "already_settled", "Lea")
    assert client.get("/api/v1/scans/parked").json()["results"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"how": "accept", "by": "ole"}, 403, "not_allowed"),
        ({"how": "accept", "by": "nobody"}, 422, "person_unknown"),
        ({"how": "accept"}, 422, "field_unreadable"),
        ({"how": "burn", "by": "lea"}, 422, "field_unreadable"),
        ({"how": "accept", "by": "lea", "choice": "fly"}, 422, "field_unreadable"),
        ({"how": "accept", "by": "lea", "choice": "count"}, 422, "field_unreadable"),
        ({"how": "accept", "by": "lea", "choice": "abort"}, 409, "refused"),
        ({"how": "discard", "by": "lea"}, 422, "reason_missing"),
        ({"how": "assign", "by": "lea", "card": "KB1"}, 409, "not_waiting"),
    ],
)
def test_what_does_not_fit_is_refused_by_name_and_the_scan_goes_on_waiting(
    client: Client, scan: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = settle(client, scan, **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert len(client.get("/api/v1/scans/parked").json()["results"]) == 1


def test_another_plants_token_finds_nothing(scan: str) -> None:
    there = Floor(plant_code="THERE")
    set_pin(there.person("kim"), PIN)
    token = place_device("there", DeviceKind.ERP, plant=there.plant_code)
    stranger = Client(headers={"Authorization": f"Bearer {token}"})
    assert stranger.get("/api/v1/scans/parked").json()["results"] == []
    assert settle(stranger, scan, how="discard", by="kim", reason="x").status_code == 404
    assert settle(stranger, scan, how="discard", by="lea", reason="x").json()["code"] == "person_unknown"
