"""Needs a look, by plain forms: the page works without JavaScript, and says why something was not done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Membership
from jitapp.pull import actions
from jitapp.pull.actions.settling import SettleRefused
from jitapp.pull.models import Settlement
from jitapp.web.tray import DONE, REFUSAL_TEXT
from tests.floor import Floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor(settings: LazySettings) -> Floor:
    settings.DEMO = "0"
    floor = Floor(now=timezone.now() - timedelta(hours=2))
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    return floor


@pytest.fixture
def scan(floor: Floor) -> UUID:
    before = floor.now + timedelta(minutes=1)
    floor.scan("L1", 1, "empty", after=10)
    id = uuid4()
    floor.scan("L1", 1, "start", id=id, occurred_at=before)
    return id


def visitor(floor: Floor, role: Role) -> Client:
    person = floor.person(f"some-{role}")
    Membership.objects.create(person=person, plant=floor.plant, role=role)
    client = Client()
    client.force_login(person)
    return client


def press(client: Client, scan: UUID, settle: str, **more: str) -> str:
    answer: Any = client.post(f"/s/tray/{scan}", {"settle": settle, "id": str(uuid4()), **more}, follow=True)
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def test_a_leader_accepts_with_a_plain_form(floor: Floor, scan: UUID) -> None:
    leader = visitor(floor, Role.LEADER)
    page = leader.get("/s/tray").content.decode()
    assert "Accept it: Start filling" in page
    assert "BOARD card 1 of 2: started. Make 4." in page
    assert "Accepted: BOARD card 1 of 2: started. Make 4." in press(leader, scan, "accept start")
    assert Settlement.objects.get().how == "accepted"
    assert "Nothing waiting" in leader.get("/s/tray").content.decode()


def test_what_is_not_done_is_said(floor: Floor, scan: UUID) -> None:
    leader = visitor(floor, Role.LEADER)
    assert "Say why it is discarded" in press(leader, scan, "discard")
    assert "Not done: BOARD card 1 of 2 is EMPTY; abort does not follow." in press(
        leader, scan, "accept abort"
    )
    assert "Press one of the buttons." in press(leader, scan, "accept nonsense")
    assert "Count what is in the container" in press(leader, scan, "accept count", quantity="many")
    assert "Leaders and planners settle scans." in press(visitor(floor, Role.OPERATOR), scan, "accept start")
    assert "There is no such scan" in press(leader, uuid4(), "accept start")
    press(leader, scan, "discard", reason="wrong card")
    assert "Some-Leader has settled it at" in press(leader, scan, "accept start")


def test_a_count_is_typed_with_a_decimal_comma_or_a_point(floor: Floor) -> None:
    """What is no number is asked for again; what is one goes to the rules."""
    leader = visitor(floor, Role.LEADER)
    before = floor.now + timedelta(minutes=1)
    floor.scan("L1", 1, "empty", after=10)
    scan = uuid4()
    floor.scan("L1", 1, "count", id=scan, quantity=2, occurred_at=before)
    for typed in ("1e1", "1,5,", "", "0.0000001"):
        assert "Count what is in the container" in press(leader, scan, "accept count", quantity=typed), typed
    for typed in ("3,0", "3.0", " 3 "):
        assert "its container is not here" in press(leader, scan, "accept count", quantity=typed), typed


def test_every_refusal_and_every_end_has_its_sentence() -> None:
    named = SettleRefused.__doc__ or ""
    assert all(code in named for code in REFUSAL_TEXT)
    assert set(DONE) == {*Settlement.How.values, actions.DECLINED}


def test_the_number_is_for_those_who_settle(floor: Floor, scan: UUID) -> None:
    assert b'data-n="1"' in visitor(floor, Role.PLANNER).get("/s/tray/number").content
    assert visitor(floor, Role.OPERATOR).get("/s/tray/number").content == b""
    assert Client().get("/s/tray/number").status_code == 401


def test_strangers_are_sent_to_the_login_also_by_a_part_of_the_page(scan: UUID) -> None:
    assert Client().get("/s/tray").headers["Location"].startswith("/login/")
    assert Client().get("/s/tray/list", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/login/"


def test_whoever_belongs_to_another_plant_sees_nothing(floor: Floor, scan: UUID) -> None:
    leader = visitor(Floor(plant_code="THERE"), Role.LEADER)
    assert "Nothing waiting" in leader.get("/s/tray").content.decode()
    assert "There is no such scan" in press(leader, scan, "accept start")
