"""What a station makes next: the order in which it is needed, who waits, and what keeps it from its work."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.plant.models import Loop, Membership, Station
from jitapp.pull import actions
from jitapp.pull.models import Card, StationState
from jitapp.pull.reading.queue import Queue, queue_of
from tests.floor import Floor
from tests.web.shop import Shop, a_person, make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    """A press that makes three parts for two lines, of blanks from a saw."""
    made = Floor(now=timezone.now() - timedelta(hours=3))
    for place, code in enumerate(("SAW", "PRESS", "LINE1", "LINE2")):
        made.station(code, position=place)
    made.loop("BLANKS", part="BLANK", supply="SAW", demand="PRESS")
    for code, part, line in (("A", "ANGLE", "LINE1"), ("B", "BEAM", "LINE1"), ("C", "COVER", "LINE2")):
        made.bill(part, BLANK=1)
        made.loop(code, part=part, supply="PRESS", demand=line, cards=3, lead_time_minutes=600)
    return made


def queue(floor: Floor, code: str = "PRESS") -> Queue:
    return queue_of(Station.objects.get(code=code), now=floor.now)


def order(floor: Floor) -> list[str]:
    return [f"{placed.job.part} {placed.job.card_number}" for placed in queue(floor).jobs]


def page(client: Client, address: str = "/b/supply/PRESS") -> str:
    return client.get(address).content.decode()


def seen(client: Client, address: str = "/b/supply/PRESS") -> str:
    """The page's text without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page(client, address)))


@pytest.fixture
def mia(floor: Floor, client: Client) -> Person:
    person = Person.objects.create_user("mia", password="x", name="Mia")
    Membership.objects.create(person=person, plant=floor.plant, role="operator")
    client.force_login(person)
    client.post("/s/station/", {"station": "PRESS"})
    return person


# -- the order -------------------------------------------------------------------------------------------
def test_whichever_runs_dry_first_comes_first_whatever_the_due_clock_says() -> None:
    shop: Shop = make_shop(timezone.now())
    slow = shop.loop("SLOW", "SLOW", "PASTE", "REFLOW")
    fast = shop.loop("FAST", "FAST", "PASTE", "TEST")
    for loop in (slow, fast):
        for number in (1, 2):
            shop.card(loop, number, "FULL")
    shop.history(slow, every=600, taken=20, newest=60)  # ten hours a container
    shop.history(fast, every=30, taken=20, newest=10)  # half an hour
    shop.turn(shop.card(slow, 3, "EMPTY"), minutes_ago=30, due_in=90)
    shop.turn(shop.card(fast, 3, "EMPTY"), minutes_ago=10, due_in=120)
    found = queue_of(shop.stations["PASTE"], now=shop.now)
    assert [placed.job.part for placed in found.jobs] == ["FAST", "SLOW"]
    fastest = found.jobs[0].consumer
    assert fastest is not None
    assert fastest.runs_out_at is not None
    assert fastest.runs_out_at < shop.now + timedelta(minutes=90)  # before either of them is due


def test_only_the_first_card_of_a_dry_loop_is_pressing(floor: Floor) -> None:
    Loop.objects.filter(code="B").update(lead_time_minutes=5)
    floor.scan("B", 1, "empty")
    for number in (1, 2, 3):
        floor.scan("A", number, "empty")  # dry: one of them ends that
    assert order(floor) == ["ANGLE 1", "BEAM 1", "ANGLE 2", "ANGLE 3"]


def test_a_station_that_keeps_the_sequence_shows_the_order_that_it_may_begin_in(
    floor: Floor, client: Client, mia: Person
) -> None:
    Loop.objects.filter(code="B").update(lead_time_minutes=5)
    floor.scan("A", 1, "empty")
    floor.scan("B", 1, "empty")
    assert order(floor) == ["BEAM 1", "ANGLE 1"]
    Station.objects.filter(code="PRESS").update(keeps_sequence=True)
    assert order(floor) == ["ANGLE 1", "BEAM 1"]
    text = page(client)
    assert "The order is fixed" in text
    assert text.count('name="reason"') == 1  # the first may be started without one
    beam = floor.card("B", 1).code
    assert text.index(beam) < text.index('name="reason"')


def start(client: Client, card: Card, **more: object) -> dict[str, object]:
    body = {"id": str(uuid4()), "code": card.code, "intent": "start", **more}
    answer = client.post("/s/", json.dumps(body), content_type="application/json")
    found: dict[str, object] = answer.json()
    return found


def test_f7_another_order_needs_a_reason_which_stands_beside_the_card(
    floor: Floor, client: Client, mia: Person
) -> None:
    Station.objects.filter(code="PRESS").update(keeps_sequence=True)
    floor.scan("A", 1, "empty")
    floor.scan("B", 1, "empty")
    card = floor.card("B", 1)
    assert start(client, card)["code"] == "out_of_sequence"
    assert start(client, card, reason="x" * 201)["code"] == "malformed"
    assert start(client, card, reason="   ")["code"] == "out_of_sequence"
    assert start(client, card, reason="customer waits at the gate")["code"] == "started"
    text = seen(client)
    assert "Started out of order: customer waits at the gate" in text
    assert text.count("Started out of order") == 1


def test_the_reason_reaches_the_ledger_from_the_plain_form_too(
    floor: Floor, client: Client, mia: Person
) -> None:
    Station.objects.filter(code="PRESS").update(keeps_sequence=True)
    floor.scan("A", 1, "empty")
    floor.scan("B", 1, "empty")
    given = {"id": str(uuid4()), "code": floor.card("B", 1).code, "intent": "start", "reason": "rush"}
    assert "STARTED" in client.post("/s/", given).content.decode()
    assert next(placed.out_of_order for placed in queue(floor).jobs if placed.job.step) == "rush"


# -- what it waits for -----------------------------------------------------------------------------------
def test_a_batch_says_how_much_of_it_is_there_and_since_when(
    floor: Floor, client: Client, mia: Person
) -> None:
    Loop.objects.filter(code="A").update(accumulate="CARDS", accumulate_cards=2)
    Loop.objects.filter(code="B").update(accumulate="QUANTITY", lot_quantity=Decimal(2))
    floor.scan("A", 1, "empty")
    floor.scan("B", 1, "empty")
    text = seen(client)
    assert re.search(r"Waits for its batch: ANGLE , 1 of 2 cards, since (\w+ )?\d\d:\d\d", text)
    assert re.search(r"Waits for its batch: BEAM , 1 of 2 pieces, since (\w+ )?\d\d:\d\d", text)
    floor.scan("A", 2, "empty")
    assert "ANGLE , 1 of 2" not in seen(client)
    assert order(floor) == ["ANGLE 1", "ANGLE 2"]


def test_the_limit_of_cards_in_work_is_told_before_it_refuses(
    floor: Floor, client: Client, mia: Person
) -> None:
    Station.objects.filter(code="PRESS").update(wip_limit=2)
    for number in (1, 2, 3):
        floor.scan("A", number, "empty")
    floor.scan("A", 1, "start")
    assert "1 of 2 cards in work" in seen(client)
    assert "finish one before" not in seen(client)
    floor.scan("A", 2, "start")
    assert "As many cards are in work as may be" in seen(client)
    Station.objects.filter(code="PRESS").update(wip_limit=1)
    assert "over the limit by 1" in seen(client)


def test_what_the_station_stands_still_for_stands_above_with_what_lacks(
    floor: Floor, client: Client, mia: Person
) -> None:
    floor.scan("A", 1, "empty")
    assert 'class="halted"' not in page(client)
    for number in (1, 2):
        floor.scan("BLANKS", number, "empty")
    text = seen(client)
    assert "Station lacks parts" in text
    assert re.search(r"BLANK ?, none here since (\w+ )?\d\d:\d\d, filled by Saw", text)
    StationState.objects.create(
        uuid=uuid4(), station=Station.objects.get(code="PRESS"), kind="down", began_at=floor.now
    )
    assert "Station is down" in seen(client)
    assert "none here since" not in seen(client)  # what counts first stands there


# -- changeovers ------------------------------------------------------------------------------------------
def change_over(floor: Floor, family: str, minutes: float = 12) -> None:
    floor.now += timedelta(minutes=1)
    actions.begin_changeover(
        station="PRESS", from_family="", to_family=family, now=floor.now, source=floor.leader()
    )
    floor.now += timedelta(minutes=minutes)
    actions.finish_changeover(station="PRESS", now=floor.now, source=floor.leader())


def made(floor: Floor, loop: str, number: int) -> None:
    floor.scan(loop, number, "empty")
    for intent in ("start", "complete", "receive"):
        floor.scan(loop, number, intent)


def test_the_next_changeover_is_known_from_what_was_made_after_which_one(
    floor: Floor, client: Client, mia: Person
) -> None:
    floor.scan("A", 1, "empty")
    assert "change over" not in seen(client)  # nothing is known of families yet
    change_over(floor, "FLAT")
    made(floor, "A", 2)
    change_over(floor, "DEEP")
    made(floor, "C", 1)
    Loop.objects.filter(code="C").update(lead_time_minutes=1)
    floor.scan("C", 2, "empty")
    found = queue(floor)
    assert [(placed.job.part, placed.group, placed.sets_up) for placed in found.jobs] == [
        ("COVER", "DEEP", False),
        ("ANGLE", "FLAT", True),
    ]
    text = seen(client)
    assert "After 1 more: change over to FLAT first, usually 12 min" in text
    assert "group DEEP" in text


# -- nothing to make -------------------------------------------------------------------------------------
def test_with_nothing_to_make_the_next_that_will_be_asked_for_is_named(
    floor: Floor, client: Client, mia: Person
) -> None:
    assert "Nothing to make" in seen(client)
    assert "is used up about" not in seen(client)
    for number in (1, 2, 3, 1):
        made(floor, "A", number)
        floor.now += timedelta(minutes=20)
    assert re.search(r"Next: ANGLE is used up about ", seen(client))


# -- live ------------------------------------------------------------------------------------------------
def test_an_unchanged_queue_is_answered_304_and_a_change_is_not(
    floor: Floor, client: Client, mia: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jitapp.web.supply.UNCHANGED_S", 10**9)
    floor.scan("A", 1, "empty")
    tag = client.get("/b/supply/PRESS/now").headers["ETag"]
    again = client.get("/b/supply/PRESS/now", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    floor.scan("A", 1, "start")
    fresh = client.get("/b/supply/PRESS/now", headers={"If-None-Match": tag})
    assert fresh.status_code == 200
    assert "In work" in fresh.content.decode()
    assert int(fresh.headers["X-Now"]) > 0


def test_nobody_reads_another_plants_queue(
    floor: Floor, client: Client, mia: Person, settings: LazySettings
) -> None:
    settings.DEMO = "0"
    other = Floor("OTHER")
    other.station("FAR")
    for address in ("/b/supply/FAR", "/b/supply/FAR/now", "/b/supply/NONE/now"):
        assert client.get(address).status_code == 404, address
    client.logout()
    assert client.get("/b/supply/PRESS/now").status_code == 401


def test_times_of_a_shop_with_every_state_are_drawn(client: Client) -> None:
    shop = make_shop(timezone.now())
    client.force_login(a_person(shop))
    assert client.get("/b/supply/PASTE").status_code == 200
