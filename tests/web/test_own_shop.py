"""The page that ends the demonstration: who may, what it asks, what it refuses, and who is logged in afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from jitapp.accounts.first import first_code
from jitapp.accounts.models import LessonDone, Person
from jitapp.kanban.vocabulary import Role
from jitapp.live import demo
from jitapp.plant import shown
from jitapp.plant.models import Area, Membership, Plant
from jitapp.pull import sources
from jitapp.web.first.asked import derived
from jitapp.web.first.lessons import LESSONS, TAUGHT
from tests.floor import Floor
from tests.superuser import superuser

pytestmark = pytest.mark.django_db
GOOD = {
    "plant": "Werk Süd 2",
    "code": "",
    "language": "de",
    "time_zone": "Europe/Berlin",
    "who": "new",
    "name": "Ada",
    "username": "ada",
    "password": "a-long-word-7",
    "password_again": "a-long-word-7",
    "confirm": "show",
}


@pytest.fixture
def floor(settings: Any, tmp_path: Path) -> Floor:
    """A demonstration with a card that went round."""
    settings.DEMO, settings.DEMO_PLANT, settings.DATA_DIR = "live", "SHOW", tmp_path
    (tmp_path / "demo_logins.json").write_text("{}")
    demo.resume()
    floor = Floor("SHOW", now=timezone.now())
    floor.station("CELL")
    floor.station("LINE")
    floor.loop("L", part="PART", supply="CELL", demand="LINE", cards=2, quantity=4)
    assert floor.scan("L", 1, "empty")["outcome"] == "applied"
    floor.propagate()
    with superuser():
        shown.mark(floor.plant, now=timezone.now())
    return floor


def somebody(floor: Floor, role: Role, name: str = "dana") -> tuple[Person, Client]:
    person = Person.objects.create(username=name, name=name.title(), badge=f"B-{name}", pin_hash="x")
    Membership.objects.create(person=person, plant=floor.plant, role=role)
    client = Client()
    client.force_login(person)
    return person, client


def test_a_new_administrator_is_logged_in_and_the_demonstration_is_gone(floor: Floor, settings: Any) -> None:
    _, client = somebody(floor, Role.ADMIN)
    _, other = somebody(floor, Role.OPERATOR, "otto")
    assert "Start my own shop" in client.get("/").content.decode()
    page = client.get("/start").content.decode()
    assert "Dana, Otto" in page
    answer = client.post("/start", GOOD)
    assert answer.headers["Location"] == "/start/steps"
    plant = Plant.objects.get()
    assert (plant.code, plant.name, plant.time_zone) == ("WERK-SUD-2", "Werk Süd 2", "Europe/Berlin")
    ada = Person.objects.get()
    assert (ada.username, ada.language, ada.is_superuser) == ("ada", "de", True)
    assert ada.check_password("a-long-word-7")
    assert Membership.objects.get().role == Role.ADMIN
    assert Area.objects.get().leader == ada
    assert not (settings.DATA_DIR / "demo_logins.json").exists()
    assert not demo.switches().paused
    steps = client.get("/start/steps").content.decode()
    assert "Erste Schritte" in steps
    assert 'class="demo"' not in steps
    # Whoever had a page of it open is told, and nobody reads anything without a login any more.
    gone = other.get("/b/SHOW-AREA", follow=True).content.decode()
    assert "was ended on" in gone
    assert client.get("/b/SHOW-AREA").status_code == 404
    assert Client().get("/").status_code == 302


def test_whoever_stays_keeps_the_user_name_and_gets_a_password_but_no_badge_and_no_pin(floor: Floor) -> None:
    dana, client = somebody(floor, Role.ADMIN)
    somebody(floor, Role.OPERATOR, "otto")
    assert client.post("/start", GOOD | {"who": "me", "username": "", "name": "Dana E."}).status_code == 302
    assert Person.objects.get() == dana
    dana.refresh_from_db()
    assert (dana.username, dana.name, dana.badge, dana.pin_hash) == ("dana", "Dana E.", None, "")
    assert dana.check_password("a-long-word-7")
    assert client.get("/start/steps").status_code == 200


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"confirm": "yes"}, "Type SHOW here"),
        ({"confirm": ""}, "Type SHOW here"),
        ({"plant": " "}, "Give your shop a name"),
        ({"code": "SHOW"}, "the code of the demonstration"),
        ({"code": "-x"}, "Letters, digits"),
        ({"code": "other"}, "There is a plant of this code already"),
        ({"time_zone": "Mars/Base"}, "Choose one of the time zones"),
        ({"language": "xx"}, "Choose one of the languages"),
        ({"name": ""}, "Give a name"),
        ({"username": "a b"}, "A user name has letters"),
        ({"username": "SUE"}, "Somebody is called so already"),
        ({"password": "short", "password_again": "short"}, "too short"),
        ({"password_again": "another-word-7"}, "The two passwords differ"),
    ],
)
def test_what_is_refused_changes_nothing_and_keeps_what_was_typed(
    floor: Floor, typed: dict[str, str], said: str
) -> None:
    _, client = somebody(floor, Role.ADMIN)
    other = Plant.objects.create(code="OTHER", name="Other")
    sue = Person.objects.create(username="sue", name="Sue")
    Membership.objects.create(person=sue, plant=other, role="leader")
    answer = client.post("/start", GOOD | {"language": "en"} | typed)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert said in page
    assert "a-long-word-7" not in page
    if typed.keys() != {"plant"}:
        assert "Werk Süd 2" in page
    assert Plant.objects.filter(code="SHOW").exists()
    assert Plant.objects.count() == 2
    assert floor.status("L")[0] == "EMPTY"
    assert not demo.switches().paused


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN}))
def test_others_are_told_who_may(floor: Floor, role: Role) -> None:
    somebody(floor, Role.ADMIN)
    _, client = somebody(floor, role, "otto")
    page = client.get("/start").content.decode()
    assert "An administrator of the demonstration may do this" in page
    assert "Dana" in page
    assert client.post("/start", GOOD).status_code == 403
    assert Plant.objects.get().code == "SHOW"
    assert Client().post("/start", GOOD).headers["Location"].startswith("/login/")


def test_an_administrator_of_a_real_plant_ends_neither_that_nor_the_demonstration(floor: Floor) -> None:
    real = Plant.objects.create(code="REAL", name="Real")
    boss = Person.objects.create(username="boss", name="Boss")
    Membership.objects.create(person=boss, plant=real, role=Role.ADMIN)
    client = Client()
    client.force_login(boss)
    assert client.post("/start", GOOD | {"confirm": "REAL"}).status_code == 403
    assert Plant.objects.count() == 2


def test_a_plant_under_its_code_is_nobodys_to_look_at_after_the_demonstration(floor: Floor) -> None:
    _, client = somebody(floor, Role.ADMIN)
    assert client.post("/start", GOOD).status_code == 302
    Plant.objects.create(code="SHOW", name="Secret")
    assert shown.shown_plants() == frozenset()
    assert Client().get("/").status_code == 302


def test_the_tablet_of_a_demonstration_is_told_why_it_is_not_known(floor: Floor) -> None:
    client = Client()
    client.cookies["device"] = floor.token
    _, admin = somebody(floor, Role.ADMIN)
    scan = {"scans": [{"id": str(uuid4()), "code": floor.card("L", 1).code}]}
    assert admin.post("/start", GOOD).status_code == 302
    sources._sources.clear()
    answer = client.post("/s/scans", scan, content_type="application/json")
    assert answer.status_code == 401
    assert "The demonstration of this tablet was ended" in answer.json()["message"]


@pytest.mark.parametrize(
    ("name", "code"),
    [("Werk Süd 2", "WERK-SUD-2"), ("Hala Łódź", "HALA-LODZ"), ("  ", ""), ("Straße & Co.", "STRASSE-CO")],
)
def test_a_code_is_made_of_the_name(name: str, code: str) -> None:
    assert derived(name) == code


# -- the first start without a demonstration ---------------------------------------------------------


def test_the_first_start_asks_for_the_code_and_makes_one_administrator(settings: Any) -> None:
    settings.DEMO = "0"
    stranger = Client()
    assert stranger.get("/", follow=True).redirect_chain[-1][0] == "/start/first"
    asked = GOOD | {"language": "en", "username": "ada"}
    wrong = stranger.post("/start/first", asked | {"first_code": "AAAA-AAAA-AAAA"})
    assert wrong.status_code == 422
    assert "This is not the code" in wrong.content.decode()
    assert not Person.objects.exists()
    made = stranger.post("/start/first", asked | {"first_code": first_code().lower().replace("-", " ")})
    assert made.headers["Location"] == "/start/steps"
    assert Person.objects.get().is_superuser
    assert Plant.objects.get().code == "WERK-SUD-2"
    # Once: the code is good for nothing from now on.
    again = Client().post("/start/first", asked | {"first_code": first_code(), "username": "eve"})
    assert again.headers["Location"].startswith("/login/")
    assert Person.objects.count() == 1


def test_whoever_guesses_the_code_waits(settings: Any) -> None:
    settings.DEMO = "0"
    stranger = Client()
    for _ in range(6):
        stranger.post("/start/first", GOOD | {"language": "en", "first_code": "WRONG"})
    late = stranger.post("/start/first", GOOD | {"language": "en", "first_code": first_code()})
    assert "Too many wrong codes" in late.content.decode()
    assert not Person.objects.exists()


# -- lessons ------------------------------------------------------------------------------------------


def test_a_lesson_is_marked_by_what_happened_and_by_hand(floor: Floor) -> None:
    otto, client = somebody(floor, Role.OPERATOR, "otto")
    page = client.get("/learn").content.decode()
    assert "0/3" in page
    assert "#trying" in page, "in the demonstration the first scan is made on its board"
    source = replace(floor.source, person_id=otto.pk)
    assert floor.scan("L", 2, "empty", source=source)["outcome"] == "applied"
    page = client.get("/learn").content.decode()
    assert "1/3" in page
    assert LessonDone.objects.get().lesson == "scan"
    assert floor.scan("L", 2, "undo", source=source, at="LINE")["outcome"] == "applied"
    assert "2/3" in client.get("/learn").content.decode()
    assert (
        client.post("/learn/call", {"do": "done"}).headers["Location"] == "/learn?role=operator#lesson-call"
    )
    assert "3/3" in client.get("/learn").content.decode()
    client.post("/learn/call", {"do": "again"})
    client.post("/learn/scan", {"do": "again"})  # what happened stays
    assert "2/3" in client.get("/learn").content.decode()
    assert client.post("/learn/nothing", {}).status_code == 404


def test_every_role_has_lessons_a_sheet_and_pages_that_are_there(floor: Floor) -> None:
    _, client = somebody(floor, Role.ADMIN)
    for role in TAUGHT:
        page = client.get(f"/learn?role={role.value}").content.decode()
        assert page.count('class="drawn"') == 3
        sheet = client.get(f"/learn/sheet/{role.value}").content.decode()
        assert ("commands" in sheet) is (role is Role.OPERATOR)
    assert client.get("/learn/sheet/nobody").status_code == 404
    assert {lesson.role for lesson in LESSONS} == set(TAUGHT)


def test_guests_read_lessons_and_tick_none(floor: Floor) -> None:
    assert "I know this" not in Client().get("/learn").content.decode()
    assert Client().post("/learn/scan", {"do": "done"}).headers["Location"].startswith("/login/")


def test_a_handler_who_brings_a_full_bin_has_learned_it(floor: Floor) -> None:
    hugo, client = somebody(floor, Role.HANDLER, "hugo")
    source = replace(floor.source, person_id=hugo.pk)
    for intent in ("start", "complete", "load", "receive"):
        assert floor.scan("L", 1, intent, source=source)["outcome"] == "applied"
    assert "1/3" in client.get("/learn").content.decode()
    assert {row.lesson for row in LessonDone.objects.all()} == {"scan", "receive"}


def test_a_young_shop_is_told_what_comes_after_its_first_scan(floor: Floor) -> None:
    _, client = somebody(floor, Role.PLANNER)
    for page in ("/", "/start/steps"):
        text = client.get(page).content.decode()
        assert "Loop L is running." in text
        assert "Next: put card 1 on the bin of PART." in text
        assert "/learn/sheet/operator" in text
