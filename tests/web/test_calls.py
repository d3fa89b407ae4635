"""The page of calls and the buttons that make them: who may do what, with and without JavaScript."""

from __future__ import annotations

import json
import re
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from jitapp import switchboard
from jitapp.accounts.models import Person
from jitapp.plant.models import Membership, Part, Plant, StandardWork, Station
from jitapp.pull import actions
from jitapp.pull.models import AndonCall, Card, QualityHold
from jitapp.pull.scan_request import Source
from jitapp.web.calls import render_numbers
from tests.stories.shops import two_bins
from tests.web.shop import Shop, a_person, every_state

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true"}


@pytest.fixture
def shop(settings: LazySettings) -> Shop:
    settings.DEMO = "0"
    return every_state(timezone.now())


@pytest.fixture
def mia(shop: Shop, client: Client) -> Person:
    person = a_person(shop, roles=("operator", "quality"))
    client.force_login(person)
    return person


def press(client: Client, kind: str = "machine", **more: str) -> str:
    given = {"id": str(uuid4()), "station": "PASTE", "kind": kind} | more
    answer = client.post("/calls/new", given, headers=PART)
    assert answer.status_code == 200
    return answer.content.decode()


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_a_button_press_is_a_call_once_however_often_it_is_sent(
    shop: Shop, mia: Person, client: Client
) -> None:
    assert 'name="kind" value="machine"' in text(client, "/calls/at/PASTE")
    number = str(uuid4())
    for _ in range(2):
        panel = press(client, id=number, stops_line="1")
    call = AndonCall.objects.get()
    assert (call.kind, call.stops_line, call.called_by) == ("machine", True, mia)
    assert "Team leader must come" in panel
    assert "LINE STOPPED" in panel
    assert f'value="{number}"' not in panel


def test_b06_a_second_press_is_the_same_call_and_it_can_be_taken_back(
    shop: Shop, mia: Person, client: Client
) -> None:
    for _ in range(2):
        panel = press(client, id=str(uuid4()))
    call = AndonCall.objects.get()
    assert "called 2 times, last at" in panel
    assert "called 2 times" in text(client, "/calls")
    answer = client.post(
        f"/calls/{call.uuid}/take-back", {"station": "PASTE"}, headers={"HX-Request": "true"}
    )
    assert "called 2 times" not in answer.content.decode()
    call.refresh_from_db()
    assert (call.reason, call.owner) == ("not needed any more", mia)
    assert "not needed any more" in text(client, "/calls")


def test_without_javascript_the_buttons_bring_back_to_their_page(
    shop: Shop, mia: Person, client: Client
) -> None:
    given = {"id": str(uuid4()), "station": "PASTE", "kind": "help"}
    assert client.post("/calls/new", given).headers["Location"] == "/s/"
    assert client.post("/calls/new", given | {"from": "supply"}).headers["Location"] == "/b/supply/PASTE"
    call = AndonCall.objects.get()
    assert client.post(f"/calls/{call.uuid}/take").headers["Location"] == "/calls"
    assert client.post(f"/calls/{call.uuid}/solve", {"reason": ""}).headers["Location"] == "/calls"
    assert "Say what it was" in text(client, "/calls")
    client.post(f"/calls/{call.uuid}/solve", {"reason": "asked", "countermeasure_due": "2026-12-01"})
    call.refresh_from_db()
    assert (call.owner, call.reason, str(call.countermeasure_due)) == (mia, "asked", "2026-12-01")


def test_a_call_says_where_what_since_when_and_who_must_come(shop: Shop, mia: Person, client: Client) -> None:
    press(client, "quality", note="solder bridges <b>")
    page = text(client, "/calls")
    for words in (
        "Quality · Solder paste",
        "solder bridges &lt;b&gt;",
        "CALLED",
        "Team leader must come",
        "Mia",
    ):
        assert words in page
    assert 'data-tick="since"' in page


def test_taking_and_solving_swap_the_list_in_place(shop: Shop, mia: Person, client: Client) -> None:
    press(client)
    call = AndonCall.objects.get()
    taken = client.post(f"/calls/{call.uuid}/take", headers=PART).content.decode()
    assert taken.lstrip().startswith("<div")
    assert "Mia has it" in taken
    assert "I have it" not in taken
    given = {"reason": "nozzle", "countermeasure": "clean each shift", "countermeasure_due": "rubbish"}
    solved = client.post(f"/calls/{call.uuid}/solve", given, headers=PART).content.decode()
    assert "No open calls" in solved
    assert "clean each shift" in solved
    call.refresh_from_db()
    assert call.countermeasure_due is None


def test_what_somebody_else_has_is_not_taken_away(shop: Shop, mia: Person, client: Client) -> None:
    press(client)
    call = AndonCall.objects.get()
    ben = a_person(shop, username="ben")
    source = Source(person_id=ben.pk, plant_ids=frozenset({shop.plant.pk}))
    actions.take_call(call_id=call.uuid, person_id=ben.pk, now=timezone.now(), source=source)
    answer = client.post(f"/calls/{call.uuid}/take", headers=PART).content.decode()
    assert "Somebody else has taken it already" in answer
    assert "Ben has it" in answer


def test_guests_read_and_strangers_see_nothing(shop: Shop, client: Client, settings: LazySettings) -> None:
    assert client.get("/calls").headers["Location"].startswith("/login/")
    assert client.get("/calls/number/SMT").status_code == 401
    settings.DEMO = "live"
    settings.DEMO_PLANT = "ORLANDO"
    for address in ("/calls", "/calls/list", "/calls/at/PASTE", "/b/supply/PASTE"):
        assert '<button type="submit" name="kind"' not in text(client, address)
    given = {"id": str(uuid4()), "station": "PASTE", "kind": "help"}
    assert client.post("/calls/new", given).headers["Location"].startswith("/login/")
    assert client.post("/calls/new", given, headers=PART).headers["HX-Redirect"] == "/login/"
    settings.DEMO = "0"
    stranger = a_person(shop, username="sue")
    Membership.objects.filter(person=stranger).delete()
    Membership.objects.create(
        person=stranger, plant=Plant.objects.create(code="OTHER", name="Other"), role="leader"
    )
    client.force_login(stranger)
    assert client.get("/calls/at/PASTE").status_code == 404
    assert client.post("/calls/new", given, headers=PART).status_code == 404
    assert AndonCall.objects.count() == 0


def test_from_another_site_nobody_calls(shop: Shop) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(a_person(shop))
    given = {"id": str(uuid4()), "station": "PASTE", "kind": "help"}
    assert strict.post("/calls/new", given).status_code == 403


def test_rubbish_is_refused_with_a_sentence_and_never_an_error(
    shop: Shop, mia: Person, client: Client
) -> None:
    assert "Press one of the buttons" in press(client, "weather")
    assert "Call without it" in press(client, card="KB000000000")
    press(client, id="rubbish", note="\x00" + "x" * 5_000)
    assert AndonCall.objects.get().note.startswith("\\x00xxx")
    assert client.post(f"/calls/{uuid4()}/take", headers=PART).status_code == 200
    assert client.get("/calls/new").status_code == 405


def test_the_board_counts_calls_and_is_sent_the_number_in_each_language(
    shop: Shop, mia: Person, client: Client
) -> None:
    assert 'data-n="0"' in text(client, "/calls/number/SMT")
    press(client)
    board = text(client, "/b/SMT")
    assert re.search(r'id="calls-number"[^>]*data-n="1" data-red="0"', board)
    assert "oldest" in board
    drawn = render_numbers(["SMT"], now=timezone.now())
    assert [(channel, loop) for channel, loop, _, _ in drawn] == [
        (f"SMT:{language}", 0) for language in ("en", "de", "es", "fr", "pl")
    ]
    assert "</svg>RUF<" in drawn[1][3].decode()
    assert switchboard.drain() == 1
    press(client, kind="quality")
    assert "</svg>RUFE<" in render_numbers(["SMT"], now=timezone.now())[1][3].decode()


def test_a_container_is_held_on_its_cards_page_and_decided_on_the_page_of_calls(
    shop: Shop, mia: Person, client: Client
) -> None:
    code = shop.loops["L-OK"].cards.get(number=1).code
    assert "Hold this container" in text(client, f"/k/{code}")
    client.post(f"/holds/{code}", {"id": str(uuid4()), "reason": "scratched"})
    page = text(client, "/calls")
    assert "Held by quality" in page
    assert "scratched" in page
    client.post(f"/holds/{code}/decide", {"id": str(uuid4()), "decision": "scrap", "reason": "deep"})
    assert QualityHold.objects.get().decision == "scrap"
    assert Card.objects.get(code=code).supply_status == "EMPTY"
    client.post(f"/holds/{code}/decide", {"decision": "eat"})


def test_only_who_may_hold_is_offered_it(shop: Shop, client: Client) -> None:
    client.force_login(a_person(shop, username="otto"))
    code = shop.loops["L-OK"].cards.get(number=1).code
    assert "Hold this container" not in text(client, f"/k/{code}")
    client.post(f"/holds/{code}", {"reason": "scratched"})
    assert QualityHold.objects.count() == 0


def test_a_changeover_is_begun_and_finished_at_its_station(shop: Shop, mia: Person, client: Client) -> None:
    client.post("/changeovers/PASTE", {"step": "begin", "to_family": "PCB-A"})
    assert "Changeover done" in text(client, "/b/supply/PASTE")
    client.post("/changeovers/PASTE", {"step": "begin", "to_family": "PCB-B"})
    assert "Finish that first" in text(client, "/b/supply/PASTE")
    client.post("/changeovers/PASTE", {"step": "finish"})
    page = text(client, "/b/supply/PASTE")
    assert "Set up for" in page
    assert "<td>PCB-A</td>" in page
    client.post("/changeovers/NOWHERE", {"step": "finish"})


def test_checks_are_ticked_before_a_start(shop: Shop, mia: Person, client: Client) -> None:
    Station.objects.filter(code="PASTE").update(readiness_checks=["stencil cleaned", "paste fresh"])
    client.post("/s/station/", {"station": "PASTE"})
    assert text(client, "/b/supply/PASTE").count('name="checks" value="paste fresh"') == 2
    code = shop.loops["L-OUT"].cards.get(number=1).code

    def start(*checks: str) -> dict[str, object]:
        body = {"id": str(uuid4()), "code": code, "intent": "start", "checks": checks}
        found: dict[str, object] = client.post(
            "/s/", json.dumps(body), content_type="application/json"
        ).json()
        return found

    answer = start("stencil cleaned")
    assert (answer["code"], answer["checks"]) == ("not_ready", ["stencil cleaned", "paste fresh"])
    assert start("stencil cleaned", "paste fresh")["code"] == "started"


def test_without_javascript_checks_are_ticked_too(shop: Shop, mia: Person, client: Client) -> None:
    Station.objects.filter(code="PASTE").update(readiness_checks=["stencil cleaned", "paste fresh"])
    client.post("/s/station/", {"station": "PASTE"})
    code = shop.loops["L-OUT"].cards.get(number=1).code
    given = {"code": code, "intent": "start"}
    page = client.post("/s/", given | {"id": str(uuid4())}).content.decode()
    assert 'name="checks" value="paste fresh"' in page
    ticked = given | {"id": str(uuid4()), "checks": ["stencil cleaned", "paste fresh"]}
    assert "STARTED" in client.post("/s/", ticked).content.decode()


def test_a_job_whose_receiver_is_full_says_so(shop: Shop, mia: Person, client: Client) -> None:
    assert "no room there" not in text(client, "/b/supply/PASTE")
    shop.card(shop.loops["L-OUT"], 3, "FULL")
    Station.objects.filter(code="REFLOW").update(receiving_limit=1)
    assert text(client, "/b/supply/PASTE").count("no room there") == 2


def test_standard_work_is_linked_where_the_part_is_made(shop: Shop, mia: Person, client: Client) -> None:
    Station.objects.filter(code="PASTE").update(standard_work="https://work.example/paste")
    client.post("/s/station/", {"station": "PASTE"})
    assert 'href="https://work.example/paste"' in text(client, "/b/supply/PASTE")
    part = Part.objects.get(number="PCB-A-PASTED")
    StandardWork.objects.create(part=part, station=shop.stations["PASTE"], url="https://work.example/a")
    assert 'href="https://work.example/a"' in text(client, "/b/supply/PASTE")
    code = shop.loops["L-OUT"].cards.get(number=1).code
    body = {"id": str(uuid4()), "code": code, "intent": "start"}
    answer = client.post("/s/", json.dumps(body), content_type="application/json").json()
    assert answer["work"] == "https://work.example/a"


def test_the_administration_keeps_standard_work(shop: Shop, client: Client) -> None:
    client.force_login(Person.objects.create_superuser("boss", password="scan-the-card", name="Boss"))
    part = Part.objects.get(number="PCB-A-PASTED")
    given = {"part": part.pk, "station": shop.stations["PASTE"].pk, "url": "javascript:alert(1)"}
    client.post("/admin/plant/standardwork/add/", given)
    assert StandardWork.objects.count() == 0
    client.post("/admin/plant/standardwork/add/", given | {"url": "https://work.example/a"})
    assert StandardWork.objects.get().url == "https://work.example/a"


def test_these_pages_load_nothing_from_elsewhere_and_run_no_inline_code(
    shop: Shop, mia: Person, client: Client
) -> None:
    press(client)
    for address in ("/calls", "/b/supply/PASTE", "/b/SMT"):
        page = text(client, address)
        assert not re.search(r'\sstyle="|\son\w+="|hx-on|(?:src|href)="(?:https?:)?//', page), address


def test_a_call_of_a_runout_is_the_buffers_own_in_both_languages(client: Client) -> None:
    floor = two_bins(cards=1, now=timezone.now())
    client.force_login(floor.person("root", is_superuser=True))
    floor.scan("L", 1, "empty", after=0)
    floor.propagate()
    page = text(client, "/calls")
    for words in ("Material · Line", "PART has run out", "the buffer itself", "Team leader must come"):
        assert words in page
    assert "PART has run out" in text(client, "/calls/at/LINE")
    assert 'data-n="1"' in text(client, f"/calls/number/{floor.area.code}")
    client.cookies["django_language"] = "de"
    page = text(client, "/calls")
    assert "der Puffer selbst" in page
    assert "PART ist ausgegangen" in page
    floor.cycle("L", 1)
    floor.propagate()
    page = text(client, "/calls")
    assert "PART ist ausgegangen" in page
    assert "Material ist da" in page
    client.cookies["django_language"] = "en"
    assert "material is there" in text(client, "/calls")
