"""The pages of a loop, of an event and of a card over HTTP: what stands on them, for whom, and what it costs."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Membership
from jitapp.pull.models import Card, Event, Receipt, Turn
from jitapp.pull.reading import log
from jitapp.symbology.cardcode import make_code
from jitapp.web.card_page import WHERE
from jitapp.web.phrases import TILE_WORDS
from tests.floor import Floor
from tests.web.shop import Shop, a_person, every_state

pytestmark = pytest.mark.django_db


def text_of(page: bytes) -> str:
    shown = re.sub(r"<(script|style)\b.*?</\1>", " ", page.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


@pytest.fixture
def floor(settings: LazySettings) -> Floor:
    settings.DEMO = "0"
    floor = Floor(now=timezone.now() - timedelta(hours=10))
    for code in ("CELL", "LINE"):
        floor.station(code)
    floor.loop("L1", part="GEAR", supply="CELL", demand="LINE", cards=3, quantity=12)
    return floor


@pytest.fixture
def lea(floor: Floor, client: Client) -> Any:
    person = floor.person("lea")
    Membership.objects.create(person=person, plant=floor.plant, role=Role.LEADER)
    client.force_login(person)
    return person


def turns(floor: Floor, many: int, *, card: int = 1) -> None:
    for _ in range(many):
        floor.scan("L1", card, "empty", after=20)
        for intent in ("start", "complete", "load", "receive"):
            floor.scan("L1", card, intent, after=5)
        floor.propagate()


# -- the loop ------------------------------------------------------------------------------------------------
def test_the_picture_stands_first_and_the_log_last(floor: Floor, lea: Any, client: Client) -> None:
    turns(floor, 4)
    page = client.get(f"/l/{floor.card('L1', 1).loop_id}").content.decode()
    order = [
        page.index(f'id="{part}"')
        for part in (
            "part-state",
            "part-stock",
            "part-cards",
            "part-times",
            "part-numbers",
            "part-runouts",
            "log",
        )
    ]
    assert order == sorted(order)
    assert page.count('role="img"') == 2
    shown = text_of(page.encode())
    for said in (
        "Runs dry in",
        "No refill was asked for.",
        "Now 36 of 36 pcs are there; at the least there were 24",
        "4 full containers came.",
        "4 refills since",
        "an hour",
        "in the working time of Line",
        "in the working time of Cell",
        "not started yet",
        "being made",
        "This loop has never run dry.",
    ):
        assert said in shown, said


def test_steps_add_up_to_the_whole_and_are_measured_in_working_time(
    floor: Floor, lea: Any, client: Client
) -> None:
    turns(floor, 3)
    page = client.get(f"/l/{floor.card('L1', 1).loop_id}").content.decode()
    cells = dict(re.findall(r'<th scope="row">([^<]+?)(?: <small>.*?</small>)?</th><td>([^<]+)</td>', page))
    assert {
        name: cells[name]
        for name in ("not started yet", "being made", "finished, not collected", "on its way")
    } == {
        "not started yet": "5 min",
        "being made": "5 min",
        "finished, not collected": "5 min",
        "on its way": "5 min",
    }
    assert cells["In all"] == "20 min"


def test_an_empty_loop_says_what_it_lacks(floor: Floor, lea: Any, client: Client) -> None:
    floor.loop("L2", part="BOLT", supply="CELL", demand="LINE", cards=0)
    page = text_of(client.get(f"/l/{floor.card('L1', 1).loop_id + 1}").content)
    for said in (
        "No cards yet",
        "Nothing is known of this time.",
        "three finished refills are needed",
        "No rate yet.",
    ):
        assert said in page


def test_parts_are_renewed_only_when_they_changed(floor: Floor, lea: Any, client: Client) -> None:
    loop_id = floor.card("L1", 1).loop_id
    first = client.get(f"/l/{loop_id}/now?days=7")
    assert first.status_code == 200
    assert first["X-Ticket"]
    assert int(first["X-Now"]) > 0
    assert '<section class="card loop-state" id="part-state"' in first.content.decode()
    assert "<html" not in first.content.decode()
    floor.now = timezone.now() - timedelta(minutes=1)
    floor.scan("L1", 1, "empty", after=0)
    again = client.get(f"/l/{loop_id}/now?days=7", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200
    assert "empty" in again.content.decode()


def test_the_numbers_of_the_picture_are_there_for_zooming(floor: Floor, lea: Any, client: Client) -> None:
    floor.scan("L1", 1, "empty", after=60)
    found = json.loads(client.get(f"/l/{floor.card('L1', 1).loop_id}/stock").content)
    assert found["most"] == 36.0
    assert found["pieces"][-1] == 24.0
    assert found["at"] == sorted(found["at"])
    assert len(found["at"]) == len(found["pieces"])


def test_runouts_say_since_when_how_long_why_and_who(floor: Floor, lea: Any, client: Client) -> None:
    for number in (1, 2, 3):
        floor.scan("L1", number, "empty", after=10)
    floor.propagate()
    floor.now += timedelta(minutes=33)
    floor.cycle("L1", 1)
    floor.propagate()
    loop_id = floor.card("L1", 1).loop_id
    page = text_of(client.get(f"/l/{loop_id}").content)
    assert "Once nothing was left, for 37 min." in page
    assert re.search(r"Who had to act .*? 37 min not started yet Station", page)


# -- the log -------------------------------------------------------------------------------------------------
def test_the_whole_log_is_walked_page_by_page(floor: Floor, lea: Any, client: Client) -> None:
    turns(floor, 6)
    loop_id = floor.card("L1", 1).loop_id
    address, seen = f"/l/{loop_id}", []
    for _ in range(20):
        page = client.get(address).content.decode()
        seen += [
            int(number) for number in re.findall(rf"/l/{loop_id}/e/(\d+)", page[page.index('id="log"') :])
        ]
        older = re.search(r'href="(/l/\d+\?[^"]*before=[^"]*)#log"', page)
        if older is None:
            break
        address = unescape(older[1])
    numbers = list(
        Event.objects.filter(loop_id=loop_id).order_by("-loop_seq").values_list("loop_seq", flat=True)
    )
    assert seen == numbers
    assert len(numbers) > 2 * log.LINES


def test_the_log_is_filtered_by_what_it_is_about_and_by_card(
    floor: Floor, lea: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor.scan("L1", 2, "empty")
    turns(floor, 4)
    loop_id = floor.card("L1", 1).loop_id

    def lines(query: str) -> str:
        page = client.get(f"/l/{loop_id}?{query}").content
        return text_of(page[page.index(b'id="log"') :])

    waits = lines("about=waits")
    assert "It stands still" in waits
    assert "Filling began" not in waits
    assert "Filling began" in lines("card=1")
    assert "Filling began" not in lines("card=2")
    assert "Container is empty" in lines("card=2")
    assert "Nothing of this kind." in lines("about=settings&card=99")
    for rubbish in (
        "about=x&card=-1&before=abc",
        "card=" + "9" * 40,
        "before=" + "9" * 18,
        "before=0",
        "days=x",
    ):
        assert client.get(f"/l/{loop_id}?{rubbish}").status_code == 200
    # A page looks at so many events and says how far.
    monkeypatch.setattr(log, "LOOKED_AT", 5)
    looked = lines("card=2")
    assert "Nothing of this kind in what was looked at." in looked
    assert "Looked back to" in looked
    assert "Further back" in looked


# -- an event ------------------------------------------------------------------------------------------------
def test_an_event_says_what_was_scanned_by_whom_and_when_it_was_known(
    floor: Floor, lea: Any, client: Client
) -> None:
    floor.now += timedelta(hours=1)
    floor.scan("L1", 1, "empty", occurred_at=floor.now - timedelta(minutes=30))
    event = Event.objects.get(type="scan.applied", data__intent="empty")
    answer = client.get(f"/l/{event.loop_id}/e/{event.loop_seq}")
    page = text_of(answer.content)
    for said in (
        "Container is empty",
        "31 min later",
        "PLANT scanner",
        floor.card("L1", 1).code,
        "full → empty",
        "Asked Cell to make 12",
        "Still in it 12 pcs",
        "The signal went out",
    ):
        assert said in page, said
    assert f"/l/{event.loop_id}" in answer.content.decode()
    assert client.get(f"/l/{event.loop_id}/e/99999").status_code == 404
    assert client.get(f"/l/{event.loop_id}/e/{10**30}").status_code == 404


def test_an_event_shows_the_chain_that_its_turn_caused(floor: Floor, lea: Any, client: Client) -> None:
    floor.station("SHIP", "SHIPPING")
    floor.bill("BOX", GEAR=12)
    floor.loop("L2", part="BOX", supply="LINE", demand="SHIP", cards=1, quantity=1)
    floor.scan("L2", 1, "empty")
    floor.propagate()
    floor.scan("L2", 1, "start")
    floor.propagate()
    floor.scan("L1", 1, "empty")
    floor.propagate()
    event = Event.objects.filter(loop__code="L2", type="turn.released").get()
    page = text_of(client.get(f"/l/{event.loop_id}/e/{event.loop_seq}").content)
    assert "What its turn caused upstream" in page
    assert re.search(r"GEAR \d CELL → LINE", page), page


def test_wait_events_lead_to_what_they_follow_from(floor: Floor, lea: Any, client: Client) -> None:
    floor.scan("L1", 1, "empty")
    floor.propagate()
    event = Event.objects.filter(type="wait.opened").latest("id")
    page = client.get(f"/l/{event.loop_id}/e/{event.loop_seq}").content.decode()
    assert f'href="/l/{event.loop_id}/e/{event.data["because"]}"' in page


# -- a card --------------------------------------------------------------------------------------------------
def test_every_state_of_a_card_says_where_its_container_should_be() -> None:
    assert set(WHERE) == set(TILE_WORDS)


def test_a_card_tells_where_it_should_be_and_where_it_was_seen(
    floor: Floor, lea: Any, client: Client
) -> None:
    code = floor.card("L1", 1).code
    for intent, said in (
        ("empty", "It should be on its way to Cell, or wait there to be filled. Last seen at Line"),
        ("start", "It should be at Cell, where it is being filled. Last seen at Cell"),
        ("complete", "It should stand finished at Cell, to be collected."),
        ("load", "It should be on its way from Cell to Line."),
        ("receive", "It should stand full at Line."),
    ):
        floor.scan("L1", 1, intent)
        assert said in text_of(client.get(f"/k/{code}").content)


def test_the_turns_of_a_card_have_their_steps_and_pages(floor: Floor, lea: Any, client: Client) -> None:
    turns(floor, 3)
    code = floor.card("L1", 1).code
    page = text_of(client.get(f"/k/{code}").content)
    assert (
        "20 min 12 pcs 12 pcs not started yet 5 min · being made 5 min · finished, not collected 5 min"
        in page
    )
    newest = Turn.objects.latest("number")
    for number in range(newest.number + 1, newest.number + 14):
        newest.pk, newest.number = None, number
        newest.uuid = Event._meta.get_field("uuid").get_default()
        newest.save(force_insert=True)
    first = client.get(f"/k/{code}").content.decode()
    older = re.search(r'href="(/k/[^"]*turn=\d+)#turns"', first)
    assert older is not None
    assert ">1</th>" in client.get(older[1]).content.decode()
    assert client.get(f"/k/{code}?turn={'9' * 18}&before={'9' * 18}").status_code == 200


def test_the_last_scan_is_taken_back_by_whoever_made_it(floor: Floor, lea: Any, client: Client) -> None:
    floor.now = timezone.now() - timedelta(seconds=20)
    card = floor.card("L1", 1)
    client.post("/s/station/", {"station": "LINE"})
    sent = {"id": str(Event._meta.get_field("uuid").get_default()), "code": card.code, "intent": "empty"}
    assert client.post("/s/", json.dumps(sent), content_type="application/json").status_code == 200
    assert "Take your last scan back" in text_of(client.get(f"/k/{card.code}").content)
    other = Client()
    ole = floor.person("ole")
    Membership.objects.create(person=ole, plant=floor.plant, role=Role.LEADER)
    other.force_login(ole)
    assert "Take your last scan back" not in text_of(other.get(f"/k/{card.code}").content)
    assert "Undone" in text_of(client.post(f"/k/{card.code}/undo", follow=True).content)
    assert Card.objects.get(pk=card.pk).supply_status == "FULL"
    again = client.post(f"/k/{card.code}/undo", follow=True)
    assert "has no scan that can be undone" in text_of(again.content)
    assert Client().post(f"/k/{card.code}/undo").headers["Location"].startswith("/login/")


def test_a_card_nobody_knows_is_reported_to_the_leader(floor: Floor, lea: Any, client: Client) -> None:
    code = make_code(4_711_000_001)
    assert "Report it to the leader" in text_of(client.get(f"/k/{code}").content)
    assert "Report it to the leader" not in text_of(Client().get(f"/k/{code}").content)
    assert "Report it to the leader" not in text_of(client.get("/k/rubbish").content)
    said = client.post(f"/k/{code}/unknown", follow=True)
    assert f"Reported: {code} stands on the list" in text_of(said.content)
    assert Receipt.objects.get().code == "unknown_card"
    assert code in text_of(client.get("/s/tray").content)
    assert client.post("/k/rubbish/unknown").status_code == 404
    known = floor.card("L1", 1).code
    assert client.post(f"/k/{known}/unknown").headers["Location"] == f"/k/{known}"
    assert Receipt.objects.count() == 1


# -- who sees it ---------------------------------------------------------------------------------------------
def test_another_plant_sees_nothing_of_it(floor: Floor, client: Client) -> None:
    turns(floor, 1)
    loop_id = floor.card("L1", 1).loop_id
    stranger = Floor("OTHER").person("stranger")
    Membership.objects.create(person=stranger, plant=Floor("THIRD").plant, role=Role.ADMIN)
    client.force_login(stranger)
    for path in (f"/l/{loop_id}", f"/l/{loop_id}/now", f"/l/{loop_id}/stock", f"/l/{loop_id}/e/1"):
        assert client.get(path).status_code == 404, path
    code = floor.card("L1", 1).code
    assert client.post(f"/k/{code}/undo").status_code == 404
    page = text_of(client.get(f"/k/{code}").content)
    assert "This is a kanban card" in page
    assert "GEAR" not in page


def test_a_guest_of_the_demonstration_reads_and_does_nothing(client: Client, settings: LazySettings) -> None:
    settings.DEMO, settings.DEMO_PLANT = "live", "ORLANDO"
    shop = every_state(timezone.now())
    loop = shop.loops["L-ACT"]
    for path in (f"/l/{loop.pk}", f"/l/{loop.pk}/now", f"/l/{loop.pk}/stock"):
        assert client.get(path).status_code == 200, path
    page = client.get(f"/k/{loop.cards.get(number=1).code}").content.decode()
    assert "PCB-A-SOLDERED" in page
    assert "Report it lost" not in page
    assert "card-undo" not in page
    settings.DEMO = "0"
    assert client.get(f"/l/{loop.pk}/now").status_code == 401
    assert client.get(f"/l/{loop.pk}/stock").status_code == 401


@pytest.mark.parametrize("state", ["L-OUT", "L-ACT", "L-LATE", "L-MOVE", "L-OK", "L-HELD"])
def test_every_state_is_told_in_a_sentence(client: Client, state: str) -> None:
    shop: Shop = every_state(timezone.now())
    client.force_login(a_person(shop))
    page = text_of(client.get(f"/l/{shop.loops[state].pk}").content)
    said = {
        "L-OUT": "Nothing has been left for 12 min",
        "L-ACT": "too late.",
        "L-LATE": "The refill comes in",
        "L-MOVE": "No rate yet.",
        "L-OK": "No refill was asked for.",
        "L-HELD": "pins bent, lot 4711",
    }
    assert said[state] in page, page[:900]


def test_the_page_asks_the_same_number_of_times_whatever_the_history(
    floor: Floor, lea: Any, client: Client
) -> None:
    loop_id = floor.card("L1", 1).loop_id
    client.get(f"/l/{loop_id}")
    turns(floor, 1)
    with CaptureQueriesContext(connection) as few:
        client.get(f"/l/{loop_id}")
    turns(floor, 6)
    with CaptureQueriesContext(connection) as more:
        client.get(f"/l/{loop_id}")
    assert len(more) <= len(few)
    assert len(more) < 50
