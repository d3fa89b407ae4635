"""The page of receiving: labels by form and by htmx, what is asked about them, what is kept of them."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.pull.models import Turn
from jitapp.rounds.models import ReadLabel
from tests.rounds.dock import Dock, a_dock, gtl

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true"}


@pytest.fixture
def dock(settings: LazySettings, client: Client) -> Dock:
    settings.DEMO = "0"
    made = a_dock(timezone.now() - timedelta(minutes=30))
    client.force_login(Person.objects.get(username="rita"))
    return made


def text(client: Client, address: str = "/recv") -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return re.sub(r"\s+", " ", answer.content.decode())


def scan(client: Client, raw: str, **more: str) -> str:
    given = {"id": str(uuid4()), "code": raw} | more
    answer = client.post("/recv/scan", given, headers=PART)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_label_closes_the_card_and_is_found_by_its_lot(dock: Dock, client: Client) -> None:
    dock.asked("WIRE", 1)
    code = dock.code("WIRE", 1)
    Turn.objects.update(due_at=timezone.now() - timedelta(minutes=5))
    page = text(client)
    assert "100 × WIRE-07" in page
    assert "expected today</dt><dd>1</dd>" in page
    part = scan(client, gtl("1JUN1", "PWIRE-07", "Q100", f"15K{code}", "1T4711"))
    assert "FULL recorded" in part
    assert "No deliveries expected today" in part
    assert f'href="/k/{code}">' in text(client, "/recv?q=4711")
    assert "came in at" in scan(client, gtl("1JUN1", "PWIRE-07", "Q100", f"15K{code}", "1T4711"))


def test_a_wrong_part_is_named_and_settled_by_somebody(dock: Dock, client: Client) -> None:
    dock.asked("WIRE", 1)
    part = scan(client, gtl("PTAPE-19", "Q100", f"15K{dock.code('WIRE', 1)}"))
    assert "The label says TAPE-19, but card" in part
    assert "is for WIRE-07" in part
    kept = ReadLabel.objects.get()
    address = f"/recv/labels/{kept.uuid}/settle"
    assert "Settled" in client.post(address, {"note": "sent back"}, headers=PART).content.decode()
    assert "Settled already" in client.post(address, {"note": "x"}, headers=PART).content.decode()
    kept.refresh_from_db()
    assert kept.settled_as == "sent back"


def test_what_is_asked_is_answered_with_one_touch(dock: Dock, client: Client) -> None:
    dock.asked("WIRE", 1, 2)
    label = gtl("1JUN1", "PWIRE-07", "Q60")
    asks = scan(client, label)
    assert asks.count('class="main choice"') == 2
    less = scan(client, label, card=dock.code("WIRE", 2))
    assert "60 of 100 for card" in less
    assert "More packages follow" in less
    assert "supplier sent fewer" in less
    done = scan(client, label, card=dock.code("WIRE", 2), rest="all", reason="supplier sent fewer")
    assert "FULL recorded" in done
    assert dock.floor.turn("WIRE", 2).received == 60


def test_without_htmx_the_questions_stand_on_the_page(dock: Dock, client: Client) -> None:
    dock.asked("WIRE", 1)
    code = dock.code("WIRE", 1)
    asks = client.post("/recv/scan", {"id": str(uuid4()), "code": gtl("PWIRE-07", "Q60", f"15K{code}")})
    assert "More packages follow" in asks.content.decode()
    plain = client.post("/recv/scan", {"id": str(uuid4()), "code": code})
    assert plain.headers["Location"] == "/recv"
    assert "FULL recorded" in text(client)
    assert client.post("/recv/scan", {"id": str(uuid4()), "code": " "}, headers=PART).status_code == 200


def test_labels_of_another_plant_are_not_shown(dock: Dock) -> None:
    dock.asked("WIRE", 1)
    dock.take(gtl("1JUN1", "PWIRE-07", "Q100", f"15K{dock.code('WIRE', 1)}", "1T4711"))
    stranger = Client()
    stranger.force_login(Person.objects.create(username="zoe", name="Zoe"))
    assert "4711" not in text(stranger).replace('value="4711"', "")
    assert "WIRE-07" not in text(stranger, "/recv?q=4711")
    assert stranger.post("/recv/scan", {"id": str(uuid4()), "code": "x"}).status_code == 404
    assert "/login/" in Client().get("/recv").headers["Location"]
