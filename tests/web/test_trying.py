"""The first scan in the demonstration: what the board asks to try, what the phone may do, and whose scan it was."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.plant.models import Membership
from jitapp.pull.models import Receipt
from jitapp.symbology.meaning import meaning_of
from jitapp.web import trying
from tests.floor import Floor

pytestmark = pytest.mark.django_db
BOARD = "/b/SHOW-AREA"


@pytest.fixture
def floor(settings: LazySettings) -> Floor:
    settings.DEMO, settings.DEMO_PLANT = "1", "SHOW"
    settings.SITE_URL = "https://kanban.example.com"
    floor = Floor("SHOW", now=timezone.now())
    floor.station("CELL")
    floor.station("LINE")
    floor.loop("L", part="PART", supply="CELL", demand="LINE", cards=2, quantity=4)
    return floor


def person(floor: Floor, name: str = "otto") -> tuple[Person, Client]:
    made = Person.objects.create(username=name, name=name.title())
    Membership.objects.create(person=made, plant=floor.plant, role="operator")
    client = Client()
    client.force_login(made)
    return made, client


def asked(client: Client) -> dict[str, str]:
    """What the board asks to try: the address in its QR code, the card, and where to ask whether it was scanned."""
    page = client.get(BOARD).content.decode()
    found = re.search(r'data-code="(\w+)" data-seen="([^"]+)"', page)
    address = re.search(r'class="code-picture" href="https://kanban.example.com([^"]+)"', page)
    assert found is not None
    assert address is not None
    return {"card": found[1], "seen": found[2], "address": address[1]}


def seen(client: Client, panel: dict[str, str]) -> Any:
    return client.get(panel["seen"]).json()["you"]


def test_a_phone_without_a_login_does_the_one_scan_and_the_board_knows_whose_it_was(floor: Floor) -> None:
    otto, browser = person(floor)
    panel = asked(browser)
    assert panel["card"] == floor.card("L", 1).code
    assert seen(browser, panel) is False
    phone = Client()
    page = phone.get(panel["address"]).content.decode()
    assert "Scan this card" in page
    assert not Receipt.objects.exists(), "looking is no scan"
    done = phone.post(panel["address"], {"id": _id(page)})
    assert "Now look at the board" in done.content.decode()
    assert floor.status("L")[0] == "EMPTY"
    assert Receipt.objects.get().person_id == otto.pk
    assert seen(browser, panel) is True


def test_the_answer_is_in_the_language_of_the_phone(floor: Floor) -> None:
    _, browser = person(floor)
    phone = Client()
    phone.cookies["django_language"] = "de"
    to = asked(browser)["address"]
    done = phone.post(to, {"id": _id(phone.get(to).content.decode())}).content.decode()
    assert "PART Karte 1 von 2" in done
    assert "is EMPTY" not in done


def test_the_button_pressed_twice_is_one_scan(floor: Floor) -> None:
    _, browser = person(floor)
    to = asked(browser)["address"]
    fresh = _id(Client().get(to).content.decode())
    for _ in range(2):
        Client().post(to, {"id": fresh})
    assert Receipt.objects.count() == 1


def test_somebody_elses_scan_is_not_said_to_be_yours(floor: Floor) -> None:
    _, browser = person(floor)
    panel = asked(browser)
    assert floor.scan("L", 1, "empty")["outcome"] == "applied"
    assert seen(browser, panel) is False


def test_a_scanner_reads_the_card_in_the_same_code(floor: Floor) -> None:
    _, browser = person(floor)
    panel = asked(browser)
    names = meaning_of(f"https://kanban.example.com{panel['address']}").names
    assert panel["card"] in names


def test_the_word_is_good_for_one_card_and_a_quarter_of_an_hour(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, browser = person(floor)
    word = asked(browser)["address"].split("/")[3]
    other = floor.card("L", 2).code
    first = floor.card("L", 1).code
    assert Client().get(f"/demo/try/{word}/{other}").status_code == 404
    assert Client().get(f"/demo/try/{word}x/{first}").status_code == 404
    assert Client().get(f"/demo/try/{word}/{first}").status_code == 200
    monkeypatch.setattr(trying, "LASTS", -trying.LASTS)
    ended = Client().get(f"/demo/try/{word}/{first}")
    assert ended.status_code == 404
    assert "it shows a new one" in ended.content.decode()


def test_whoever_works_there_no_more_gives_nobody_a_scan(floor: Floor) -> None:
    otto, browser = person(floor)
    address = asked(browser)["address"]
    Membership.objects.filter(person=otto).delete()
    assert Client().get(address, follow=True).status_code == 404


def test_only_boards_of_the_demonstration_ask_and_only_people_of_it(
    floor: Floor, settings: LazySettings
) -> None:
    _, browser = person(floor)
    assert 'id="trying"' in browser.get(BOARD).content.decode()
    assert 'id="trying"' not in Client().get(BOARD).content.decode(), "a guest has nobody to scan for"
    panel = asked(browser)
    settings.DEMO = "0"
    assert 'id="trying"' not in browser.get(BOARD).content.decode()
    assert Client().get(panel["address"], follow=True).status_code == 404


def _id(page: str) -> str:
    found = re.search(r'name="id" value="([^"]+)"', page)
    assert found is not None
    return found[1]
