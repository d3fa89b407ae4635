"""Signing in at a tablet, by badge or by name with a PIN; wrong PINs shut one person out at one device."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.accounts.pins import set_pin
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant.devices import place_device
from jitapp.plant.models import Area, Membership, Plant, UnknownBadge
from jitapp.pull.models import Receipt
from jitapp.web.device import COOKIE, PERSON_COOKIE
from tests.floor import Floor

pytestmark = pytest.mark.django_db
PIN = "2580"


@pytest.fixture
def floor() -> Floor:
    floor = Floor(now=timezone.now() - timedelta(hours=1))
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=3, quantity=4)
    return floor


def person(name: str, plant: str = "PLANT", role: Role = Role.OPERATOR, **more: Any) -> Person:
    made = Person.objects.create(username=name, name=name.title(), badge=f"B-{name}", **more)
    Membership.objects.create(person=made, plant=Plant.objects.get(code=plant), role=role)
    return made


def tablet(floor: Floor, name: str = "tablet", kind: DeviceKind = DeviceKind.TABLET) -> Client:
    client = Client()
    client.cookies[COOKIE] = place_device(name, kind, plant=floor.plant_code, station="TEST")
    return client


def sign_in(client: Client, **told: str) -> Any:
    return client.post("/s/sign-in", told, content_type="application/json")


def test_a_badge_signs_in_and_brings_its_language(floor: Floor) -> None:
    ana = person("ana", language="de")
    client = tablet(floor)
    answer = sign_in(client, badge=" b-ANA ")
    assert answer.status_code == 200
    assert answer.json() == {
        "person": str(ana.uuid),
        "name": "Ana",
        "badge": "B-ana",
        "language": "de",
        "roles": ["operator"],
        "proved": False,
        "idle_minutes": 10,
        "message": "Hallo Ana.",
    }
    assert client.cookies[PERSON_COOKIE].value == str(ana.uuid)
    assert client.cookies["django_language"].value == "de"
    out = client.post("/s/sign-out", {}, content_type="application/json")
    assert (out.status_code, client.cookies[PERSON_COOKIE].value) == (200, "")


def test_an_area_says_how_long_somebody_is_signed_in_without_a_touch(floor: Floor) -> None:
    person("ana")
    Area.objects.update(idle_minutes=None)
    assert sign_in(tablet(floor), badge="B-ana").json()["idle_minutes"] is None


def test_an_unknown_badge_is_said_and_kept_for_the_leader(floor: Floor) -> None:
    client = tablet(floor)
    for _ in range(2):
        answer = sign_in(client, badge="4711\x07")
        assert (answer.status_code, answer.json()["code"]) == (404, "badge_unknown")
        assert "It is noted" in answer.json()["message"]
    kept = UnknownBadge.objects.get()
    assert (kept.badge, kept.times, kept.plant_id, kept.device.name) == ("4711", 2, floor.plant.pk, "tablet")


def test_nobody_of_another_plant_and_nobody_who_left_signs_in(floor: Floor) -> None:
    Floor("B")
    person("tom", "B")
    person("gone", is_active=False)
    for badge in ("B-tom", "B-gone"):
        assert sign_in(tablet(floor), badge=badge).status_code == 404
    assert sorted(UnknownBadge.objects.values_list("badge", flat=True)) == ["B-gone", "B-tom"]


def test_a_name_needs_the_pin_of_whoever_has_one(floor: Floor) -> None:
    ana, lea = person("ana"), person("lea", role=Role.LEADER)
    set_pin(lea, PIN)
    client = tablet(floor)
    assert sign_in(client, name="ana").json()["person"] == str(ana.uuid)
    assert sign_in(client, name=str(ana.uuid)).json()["person"] == str(ana.uuid)
    missing = sign_in(client, name="lea")
    assert (missing.status_code, missing.json()["code"], missing.json()["name"]) == (
        403,
        "pin_missing",
        "Lea",
    )
    assert sign_in(client, name="lea", pin="0001").json()["code"] == "pin_wrong"
    proved = sign_in(client, name="lea", pin=PIN).json()
    assert (proved["person"], proved["proved"]) == (str(lea.uuid), True)
    assert sign_in(client, badge="B-lea").json()["proved"] is False
    assert sign_in(client, badge="lea").json()["code"] == "badge_unknown"  # a name without its PIN
    UnknownBadge.objects.all().delete()
    nobody = sign_in(client, name="nobody")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "person_unknown")
    assert not UnknownBadge.objects.exists()


def test_wrong_pins_shut_one_person_out_at_one_device(floor: Floor) -> None:
    for name in ("lea", "max"):
        set_pin(person(name, role=Role.LEADER), PIN)
    here, there = tablet(floor, "here"), tablet(floor, "there")
    for _ in range(5):
        assert sign_in(here, name="lea", pin="0001").json()["code"] == "pin_wrong"
    shut = sign_in(here, name="lea", pin=PIN)
    assert (shut.status_code, shut.json()["code"]) == (403, "pin_waits")
    assert "The next one counts in 5 min" in shut.json()["message"]
    assert 0 < int(shut.headers["Retry-After"]) <= 300
    assert sign_in(here, badge="B-lea").status_code == 200
    assert sign_in(here, name="max", pin=PIN).status_code == 200
    assert sign_in(there, name="lea", pin=PIN).status_code == 200


def test_the_door_is_the_devices_and_our_pages(floor: Floor) -> None:
    person("ana")
    client = tablet(floor)
    assert sign_in(Client(), badge="B-ana").json()["code"] == "device_unknown"
    assert sign_in(tablet(floor, "gate", DeviceKind.READER), badge="B-ana").status_code == 401
    told = '{"badge": "B-ana"}'
    for more in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = client.post("/s/sign-in", told, content_type="application/json", headers=more)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_ours")
    assert client.post("/s/sign-in", {"badge": "B-ana"}).status_code == 403
    long = '{"badge": "' + "x" * 5_000 + '"}'
    for bad, status in (("{", 400), ("[]", 400), ('{"badge": 1', 400), (long, 413)):
        assert client.post("/s/sign-in", bad, content_type="application/json").status_code == status
    assert sign_in(client, badge="x" * 65).status_code == 422
    assert sign_in(client).status_code == 404


def test_a_badge_at_a_scan_door_is_said_to_be_one(floor: Floor) -> None:
    """Not a maker's label, and not a card that nobody knows: whoever scans it learns whose it is."""
    person("ana")
    Floor("B")
    person("tom", "B")
    headers = {"Authorization": f"Bearer {floor.token}"}

    def scan(number: int, code: str) -> dict[str, Any]:
        body = {"id": str(UUID(int=number)), "code": code}
        told: dict[str, Any] = (
            Client().post("/api/v1/scans", body, content_type="application/json", headers=headers).json()
        )
        return told

    answer = scan(1, "b-ana")
    assert (answer["outcome"], answer["code"]) == ("refused", "badge_scanned")
    assert answer["message"] == "That is the badge of Ana. No card was scanned."
    assert Receipt.objects.get(code="badge_scanned").raw == "b-ana"
    assert scan(2, "B-tom")["code"] == "not_a_card_code"
    assert scan(3, "ana")["code"] == "not_a_card_code"


def test_the_card_list_says_how_long_a_badge_holds_without_a_network(floor: Floor) -> None:
    client = tablet(floor)
    assert client.get("/s/cards").json()["idle_minutes"] == 10
    Area.objects.update(idle_minutes=None)
    assert client.get("/s/cards").json()["idle_minutes"] is None
