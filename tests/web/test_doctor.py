"""The doctor's door: a verdict is kept on the tablet's device, and what is none is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Device
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant.devices import place_device
from jitapp.plant.models import Membership
from jitapp.web.device import COOKIE
from jitapp.web.doctor import CODES
from tests.floor import Floor

pytestmark = pytest.mark.django_db
GOOD: dict[str, Any] = {
    "stamp": "usable", "problems": ["controls"], "suffix": "Enter", "layout": "", "numpad": False, "letters": "kept",
    "controls": "lost", "several": "apart", "gap": 8, "unidentified": False,
}  # fmt: skip


@pytest.fixture
def floor(settings: LazySettings) -> Floor:
    settings.DEMO = "0"
    floor = Floor(now=timezone.now())
    floor.station("TEST")
    return floor


@pytest.fixture
def tablet(floor: Floor) -> Client:
    client = Client()
    client.cookies[COOKIE] = place_device("Bench tablet", DeviceKind.TABLET, station="TEST")
    return client


def tell(client: Client, body: object) -> Any:
    raw = body if isinstance(body, str) else json.dumps(body)
    return client.generic("POST", "/device/doctor", raw, content_type="application/json")


def test_a_tablet_keeps_its_verdict(tablet: Client) -> None:
    before = timezone.now()
    answer = tell(tablet, GOOD)
    assert (answer.status_code, answer.json()) == (200, {"stored": True})
    device = Device.objects.get(name="Bench tablet")
    assert device.doctor == GOOD
    assert device.doctor_at is not None
    assert before <= device.doctor_at <= timezone.now()


def test_a_leader_sees_the_stamp_of_a_device(floor: Floor, tablet: Client) -> None:
    lea = floor.person("lea")
    Membership.objects.create(person=lea, plant=floor.plant, role=Role.LEADER)
    leader = Client()
    leader.force_login(lea)
    page = f"/devices/{Device.objects.get(name='Bench tablet').uuid}"
    for stamp, word in (("passed", "PASSED"), ("usable", "USABLE"), ("failed", "FAILED")):
        tell(tablet, GOOD | {"stamp": stamp})
        shown = leader.get(page).content.decode()
        assert [each for each in ("PASSED", "USABLE", "FAILED") if each in shown] == [word]


def test_a_person_without_a_device_is_told_that_nothing_is_kept(floor: Floor) -> None:
    client = Client()
    client.force_login(floor.person("mia"))
    assert tell(client, GOOD).json() == {"stored": False}
    assert not Device.objects.exclude(doctor=None).exists()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "\udcff",
        {},
        GOOD | {"stamp": "splendid"},
        GOOD | {"problems": ["unheard"]},
        GOOD | {"problems": ["controls"] * 11},
        GOOD | {"layout": "<script>"},
        GOOD | {"gap": -1},
        GOOD | {"more": 1},
    ],
)
def test_what_is_no_verdict_is_refused_and_changes_nothing(tablet: Client, body: object) -> None:
    if body == "\udcff":
        answer = tablet.generic("POST", "/device/doctor", b"\xff\xfe", content_type="application/json")
    else:
        answer = tell(tablet, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert Device.objects.get(name="Bench tablet").doctor is None


def test_a_verdict_that_is_too_long_is_refused(tablet: Client) -> None:
    answer = tell(tablet, GOOD | {"problems": ["x" * 5_000]})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_the_page_is_for_people_and_tablets(tablet: Client) -> None:
    page = tablet.get("/device/doctor").content.decode()
    assert page.count("<figure") == len(CODES) == 6
    assert page.count("qrline") == 7
    stranger = Client().get("/device/doctor")
    assert stranger.status_code == 302
    assert "/login/" in stranger.headers["Location"]
