"""The page of receiving: labels by form, what is asked about them, what is kept of them."""

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
from jitapp.rounds.models import LabelPiece, ReadLabel
from tests.rounds.dock import Dock, a_dock, gtl

pytestmark = pytest.mark.django_db


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
    answer = client.post("/recv/scan", given, follow=True)
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
    for note, sentence in ((" ", "Say what was done"), ("sent back", "Settled."), ("x", "Settled already")):
        assert sentence in client.post(address, {"note": note}, follow=True).content.decode()
    kept.refresh_from_db()
    assert kept.settled_as == "sent back"


def test_what_is_asked_is_answered_with_one_touch_also_later(dock: Dock, client: Client) -> None:
    dock.asked("WIRE", 1, 2)
    scan(client, gtl("1JUN1", "PWIRE-07", "Q60"))
    asks = text(client)  # whoever opens the page can answer
    assert asks.count('class="main choice"') == 2
    less = answer(client, card=dock.code("WIRE", 2))
    assert "60 of 100 for card" in less
    assert "More packages follow" in less
    assert "supplier sent fewer" in less
    done = answer(client, rest="all", reason="supplier sent fewer")
    assert "FULL recorded" in done
    assert 'class="card asks"' not in done
    assert dock.floor.turn("WIRE", 2).received == 60
    stale = client.post("/recv/scan", {"label": str(uuid4()), "card": dock.code("WIRE", 1)}, follow=True)
    assert "Settled already" in stale.content.decode()


def answer(client: Client, **more: str) -> str:
    """Presses a button of the newest question."""
    asked = ReadLabel.objects.filter(outcome="asked", settled_at=None).latest("at")
    found = client.post("/recv/scan", {"id": str(uuid4()), "label": str(asked.uuid)} | more, follow=True)
    return re.sub(r"\s+", " ", found.content.decode())


def test_packages_of_a_card_are_closed_when_no_more_follow(dock: Dock, client: Client) -> None:
    dock.asked("WIRE", 1)
    card = dock.code("WIRE", 1)
    for number in (1, 2):
        scan(client, gtl(f"1JUN{number}", "PWIRE-07", "Q40", f"15K{card}"))
        if number == 1:
            answer(client, rest="follows")
    assert "No more packages follow" in text(client)
    asks = scan(client, card)
    assert "80 of 100 for card" in asks
    assert "FULL recorded" in answer(client, rest="all", reason="counted fewer")
    assert dock.floor.turn("WIRE", 1).received == 80


def test_a_label_of_several_barcodes_shows_what_is_missing(
    dock: Dock, client: Client, settings: LazySettings
) -> None:
    settings.DATA_IDENTIFIERS = frozenset({"P", "Q", "1T"})
    dock.asked("WIRE", 1)
    page = scan(client, "PWIRE-07")
    assert "Still missing: Quantity, Lot." in page
    assert page.count('class="lacks') == 2
    assert page.count('class="lacks needed"') == 1
    assert "Take it in</button>" not in page
    scan(client, "Q100")
    (label,) = set(LabelPiece.objects.values_list("gathering", flat=True))
    another = scan(client, "PTAPE-19")
    assert "Another label?" in another
    assert "Not finished: is this another label?" in another
    taken = client.post(f"/recv/gathered/{label}", {"id": str(uuid4())}, follow=True).content.decode()
    assert "Which card?" in taken
    (other,) = set(LabelPiece.objects.filter(ended_at=None).values_list("gathering", flat=True))
    for sentence in ("Put away", "Settled already"):
        away = client.post(f"/recv/gathered/{other}", {"away": "1"}, follow=True).content.decode()
        assert sentence in away
    assert "Label being scanned" not in text(client)


def test_without_a_code_nothing_is_kept(dock: Dock, client: Client) -> None:
    assert "There is no code" in scan(client, " ")
    assert not ReadLabel.objects.exists()


def test_labels_of_another_plant_are_not_shown(dock: Dock) -> None:
    dock.asked("WIRE", 1)
    dock.take(gtl("1JUN1", "PWIRE-07", "Q100", f"15K{dock.code('WIRE', 1)}", "1T4711"))
    stranger = Client()
    stranger.force_login(Person.objects.create(username="zoe", name="Zoe"))
    assert "4711" not in text(stranger).replace('value="4711"', "")
    assert "WIRE-07" not in text(stranger, "/recv?q=4711")
    assert stranger.post("/recv/scan", {"id": str(uuid4()), "code": "x"}).status_code == 404
    assert "/login/" in Client().get("/recv").headers["Location"]
