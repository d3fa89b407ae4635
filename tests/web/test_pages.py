"""The pages over HTTP: who sees what, what stands on them, and that looking never changes anything."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client

from jitapp.accounts.models import Person
from jitapp.plant.models import Membership, Plant
from jitapp.pull.models import Card, Receipt
from tests.web.shop import Shop, a_person, every_state

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings: LazySettings) -> Shop:
    settings.DEMO = "0"
    return every_state()


@pytest.fixture
def mia(shop: Shop, client: Client) -> Person:
    person = a_person(shop)
    client.force_login(person)
    return person


def test_boards_ask_for_a_login_except_in_the_demonstration(
    shop: Shop, client: Client, settings: LazySettings
) -> None:
    for page in ("/b/SMT", f"/l/{shop.loops['L-OUT'].pk}", "/b/supply/PASTE", "/status", "/"):
        assert client.get(page).headers["Location"].startswith("/login/?next=/"), page
    assert client.get("/b/SMT/rows").status_code == 401
    settings.DEMO = "live"
    settings.DEMO_PLANT = "ORLANDO"
    for page in ("/b/SMT", "/b/SMT/rows", f"/l/{shop.loops['L-OUT'].pk}", "/b/supply/PASTE", "/status", "/"):
        assert client.get(page).status_code == 200, page
    assert client.get("/s/").status_code == 302


def test_people_see_only_the_plants_they_belong_to(shop: Shop, mia: Person, client: Client) -> None:
    Membership.objects.filter(person=mia).delete()
    other = Plant.objects.create(code="OTHER", name="Other")
    Membership.objects.create(person=mia, plant=other, role="operator")
    for page in ("/b/SMT", "/b/SMT/rows", f"/l/{shop.loops['L-OUT'].pk}", "/b/supply/PASTE"):
        assert client.get(page).status_code == 404, page
    assert "Board assembly" not in client.get("/").content.decode()
    stranger = client.get(f"/k/{shop.loops['L-OUT'].cards.first().code}").content.decode()  # type: ignore[union-attr]
    assert "This is a kanban card" in stranger
    assert "PCB-A-PASTED" not in stranger


def test_the_board_says_word_and_shape_part_next_actor_age_and_reason(mia: Person, client: Client) -> None:
    page = client.get("/b/SMT").content.decode()
    rows = re.findall(r'<tr id="loop-.*?</tr>', page, re.DOTALL)
    assert len(rows) == 6
    assert 'href="#sh-out"/></svg>OUT' in rows[0]
    for text in ("PCB-A-PASTED", "Solder paste", "to start", "not started yet", "late"):
        assert text in rows[0]
    assert page.count("<table") == 1
    assert '<th scope="row"' in rows[0]


def test_unchanged_rows_cost_no_bytes_and_bring_a_fresh_ticket(
    shop: Shop, mia: Person, client: Client
) -> None:
    first = client.get("/b/SMT/rows")
    assert first.content.count(b"<tr id=") == 6
    again = client.get("/b/SMT/rows", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["X-Ticket"]
    shop.card(shop.loops["L-OK"], 3, "FULL")
    shop.loops["L-OK"].state.__class__.objects.filter(pk=shop.loops["L-OK"].pk).update(seq=11)
    assert client.get("/b/SMT/rows", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_looking_at_a_card_never_moves_it(shop: Shop, mia: Person, client: Client) -> None:
    card = shop.loops["L-OK"].cards.first()
    assert card is not None
    assert client.get(f"/k/{card.code}").status_code == 200
    assert client.get(f"/k/{card.code.lower()}").status_code == 200
    typed = card.code[2:].replace("0", "o").replace("1", "l")
    for spelled in (f"kb-{typed[:4]} {typed[4:]}", card.code[2:]):
        assert client.get(f"/k/{spelled}").status_code == 200
    assert client.get("/s/", {"code": card.code}).status_code == 200
    assert Receipt.objects.count() == 0
    assert client.post(f"/k/{card.code}").status_code == 405


def test_a_card_nobody_knows_says_what_to_do(client: Client, shop: Shop) -> None:
    unknown = client.get("/k/KB000000010")
    assert unknown.status_code == 404
    assert client.get("/k/rubbish").status_code == 404
    assert "Type it again or scan the card" in client.get("/k/rubbish").content.decode()


def stand_at(client: Client, station: str) -> None:
    assert client.post("/s/station/", {"station": station}).headers["Location"] == "/s/"


def test_a_station_is_chosen_once(shop: Shop, mia: Person, client: Client) -> None:
    assert "Where do you stand?" in client.get("/s/").content.decode()
    stand_at(client, "SHIP")
    assert "Ready. Scan a card." in client.get("/s/").content.decode()
    stand_at(client, "")
    assert "Where do you stand?" in client.get("/s/").content.decode()


def post(client: Client, **body: object) -> tuple[int, dict[str, object]]:
    answer = client.post("/s/", json.dumps(body), content_type="application/json")
    return answer.status_code, json.loads(answer.content)


def test_a_scan_is_answered_in_big_words_once_for_each_id(shop: Shop, mia: Person, client: Client) -> None:
    stand_at(client, "SHIP")
    card = shop.loops["L-OK"].cards.get(number=1)
    scan_id = str(uuid4())
    status, first = post(client, id=scan_id, code=f"https://host.example/k/{card.code}")
    assert status == 200
    assert (first["outcome"], first["headline"], first["look"], first["sound"]) == (
        "applied",
        "EMPTY recorded",
        "ok",
        "rising",
    )
    assert first["next"]
    _, again = post(client, id=scan_id, code=f"https://host.example/k/{card.code}")
    assert (again["message"], again["replayed"]) == (first["message"], True)
    assert Receipt.objects.count() == 1
    assert post(client, id=scan_id, code="KB000000010")[0] == 409
    assert Card.objects.get(pk=card.pk).supply_status == "EMPTY"


def test_refusals_have_their_own_words_look_and_sound(shop: Shop, mia: Person, client: Client) -> None:
    stand_at(client, "SHIP")
    looks = {}
    for code in ("KB000000010", "4006381333931", shop.loops["L-OUT"].cards.get(number=1).code):
        status, answer = post(client, id=str(uuid4()), code=code)
        assert status == 200
        looks[answer["code"]] = (answer["headline"], answer["look"], answer["sound"])
        assert answer["next"]
    assert len(set(looks.values())) == 3, looks


def test_a_scan_that_cannot_be_read_is_never_a_server_error(shop: Shop, mia: Person, client: Client) -> None:
    stand_at(client, "SHIP")
    for body in (
        b"[]",
        b"{",
        b'{"id": 1}',
        json.dumps({"id": str(uuid4())}).encode(),
        json.dumps({"id": str(uuid4()), "code": "x", "intent": "explode"}).encode(),
        json.dumps({"id": str(uuid4()), "code": "x", "occurred_at": "yesterday"}).encode(),
        json.dumps({"id": str(uuid4()), "code": "x", "occurred_at": "2026-02-31T00:00:00Z"}).encode(),
        json.dumps({"id": "x", "code": ["x"]}).encode(),
        b"\xff\xfe",
    ):
        answer = client.post("/s/", body, content_type="application/json")
        assert answer.status_code == 400, body
        assert json.loads(answer.content)["message"]
    assert client.post("/s/", b"x" * 20_000, content_type="application/json").status_code == 413


def test_s01_a_refusal_names_the_scan_that_it_is_about(shop: Shop, mia: Person, client: Client) -> None:
    """The page sets a scan aside for nothing else."""
    stand_at(client, "SHIP")
    known = str(uuid4())
    assert post(client, id=known, code="x", intent="explode") == (
        400,
        {"id": known, "code": "malformed", "message": "That step is not known. Load the page again."},
    )
    status, said = post(client, id=known, code="x" * 20_000)
    assert (status, said["id"], said["code"]) == (413, known, "too_large")
    assert post(client, id=known, code="KB000000010")[0] == 200
    status, said = post(client, id=known, code="KB000000020")
    assert (status, said["id"], said["code"]) == (409, known, "scan_id_reused")
    assert json.loads(client.post("/s/", b"{", content_type="application/json").content)["id"] is None


def test_without_javascript_the_form_records_too(shop: Shop, mia: Person, client: Client) -> None:
    stand_at(client, "SHIP")
    card = shop.loops["L-OK"].cards.get(number=1)
    page = client.post("/s/", {"id": str(uuid4()), "code": card.code, "intent": ""}).content.decode()
    assert 'data-look="ok"' in page
    assert "EMPTY recorded" in page


def test_logged_out_a_scan_is_told_so_and_not_redirected(shop: Shop, client: Client) -> None:
    status, answer = post(client, id=str(uuid4()), code="KB000000010")
    assert (status, answer["code"]) == (401, "logged_out")


def test_a_scan_from_another_site_is_refused(shop: Shop) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(a_person(shop))
    card = shop.loops["L-OK"].cards.get(number=1)
    body = json.dumps({"id": str(uuid4()), "code": card.code})
    assert strict.post("/s/", body, content_type="application/json").status_code == 403
    assert Receipt.objects.count() == 0


def test_what_to_make_lists_released_turns_and_nothing_else(shop: Shop, mia: Person, client: Client) -> None:
    page = client.get("/b/supply/PASTE").content.decode()
    assert page.count("12 × PCB-A-PASTED") == 2
    assert 'value="start"' not in page
    stand_at(client, "PASTE")
    assert client.get("/b/supply/PASTE").content.decode().count('value="start"') == 2
    assert "Nothing to make" in client.get("/b/supply/SHIP").content.decode()


def test_login_brings_back_to_the_page_and_a_wrong_one_says_what_to_do(shop: Shop, client: Client) -> None:
    a_person(shop)
    wrong = client.post("/login/", {"username": "mia", "password": "no"})
    assert "Try again, or ask your leader" in wrong.content.decode()
    right = client.post("/login/", {"username": "mia", "password": "scan-the-card", "next": "/b/SMT"})
    assert right.headers["Location"] == "/b/SMT"
    assert client.post("/logout/").headers["Location"] == "/"


def test_pages_load_nothing_from_elsewhere_and_run_no_inline_code(
    mia: Person, client: Client, shop: Shop
) -> None:
    stand_at(client, "SHIP")
    for address in (
        "/",
        "/b/SMT",
        "/s/",
        "/status",
        f"/l/{shop.loops['L-OUT'].pk}",
        "/b/supply/PASTE",
        "/login/",
    ):
        answer = client.get(address, follow=True)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "'unsafe-inline'" not in policy
        text = answer.content.decode()
        assert not re.search(r'\sstyle="', text), address
        assert not re.search(r"\son\w+=\"", text), address
        assert not re.search(r'(?:src|href)="(?:https?:)?//', text), address
        for script in re.findall(r"<script([^>]*)>", text):
            assert "src=" in script or 'type="application/json"' in script, address


def test_the_policy_lets_pages_reach_the_streams_on_their_own_port(
    mia: Person, client: Client, settings: LazySettings
) -> None:
    settings.LIVE_PORT = 8123
    policy = client.get("/b/SMT", headers={"Host": "127.0.0.1:8000"}).headers["Content-Security-Policy"]
    assert "connect-src 'self' http://127.0.0.1:8123;" in policy
    settings.LIVE_URL = "https://live.example/"
    page = client.get("/b/SMT")
    assert "connect-src 'self' https://live.example;" in page.headers["Content-Security-Policy"]
    assert 'data-live="https://live.example/live/board"' in page.content.decode()


def test_the_administration_stays_usable_under_the_policy(shop: Shop, client: Client) -> None:
    boss = Person.objects.create_superuser("boss", password="scan-the-card", name="Boss")
    client.force_login(boss)
    page = client.get("/admin/")
    assert page.status_code == 200
    assert not re.search(r"<script(?![^>]*(?:src=|application/json))[^>]*>", page.content.decode())


def test_machines_are_told_whether_we_are_alive_ready_and_how_we_are(shop: Shop, client: Client) -> None:
    assert client.get("/healthz").content == b"alive\n"
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["lacks"]) == (200, [])
    figures = client.get("/metrics").content.decode()
    assert "jitapp_runouts_open 1.0" in figures
    assert 'jitapp_scans_last_five_minutes{outcome="applied"} 0.0' in figures
    assert "jitapp_outbox_oldest_seconds" in figures


def test_every_page_speaks_german_too(mia: Person, client: Client) -> None:
    client.cookies["django_language"] = "de"
    page = client.get("/b/SMT").content.decode()
    assert '<html lang="de"' in page
    assert "HANDELN" in page
    assert "SMT:de" in page


def test_no_page_asks_htmx_to_evaluate_anything() -> None:
    """The content security policy forbids it: such a page would stand still, without a word."""
    for file in (Path(__file__).parents[2] / "templates").rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        found = re.search(r'hx-trigger="[^"]*\[|hx-on|hx-\w+=.js:', text)
        assert found is None, file.name
