"""The page of a line walk: begun, scanned along, mended, finished; one code or many."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.plant.models import Membership
from jitapp.rounds.models import Walk
from tests.rounds.shelf import BINS, Shelf, a_shelf

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf(settings: LazySettings, client: Client) -> Shelf:
    settings.DEMO = "0"
    made = a_shelf(timezone.now() - timedelta(minutes=60))
    client.force_login(made.walker)
    return made


def text(client: Client, address: str = "/walk/LINE") -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return re.sub(r"\s+", " ", answer.content.decode())


def seen(client: Client, *codes: str, place: str = "LINE") -> str:
    """One read, or the cards of one photograph: what the page says then."""
    answer = client.post(f"/walk/{place}/seen", {"code": " ".join(codes)}, follow=True)
    return re.sub(r"\s+", " ", answer.content.decode())


def mend(client: Client, code: str, remedy: str) -> str:
    given = {"id": str(uuid4()), "card": code, "remedy": remedy}
    answer = client.post("/walk/LINE/mend", given, follow=True)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_photograph_of_the_shelf_tells_all_six_differences(shelf: Shelf, client: Client) -> None:
    assert "Begin the walk" in text(client)
    assert "This walk is finished" in seen(client, "x")
    assert client.post("/walk/LINE/begin").headers["Location"] == "/walk/LINE"
    page = seen(client, *shelf.standing)
    assert f"Cards read: {BINS}. {BINS} new on this walk, 5 with a difference." in page
    assert page.count('id="different-') == 6
    for code in shelf.planted.values():
        assert f'id="different-{code}"' in page
    for word in ("Not seen", "Belongs elsewhere", "Empty in the system", "On hold", "Withdrawn", "Not known"):
        assert f"{word}</span>" in page
    assert "0 new on this walk" in seen(client, *shelf.standing)  # the picture again adds nothing


def test_in_an_area_the_place_is_chosen_or_scanned(shelf: Shelf, client: Client) -> None:
    area = shelf.floor.area.code
    client.post(f"/walk/{area}/begin")
    assert "Where do you stand?" in text(client, f"/walk/{area}")
    assert "What you scan now stands here" in seen(client, "LINE", place=area)
    assert "Empty in the system" in seen(client, shelf.planted["not_full"], place=area)
    for station, sentence in (("STORE", "Store."), ("", "somewhere along here"), ("X", "does not belong")):
        answer = client.post(f"/walk/{area}/stand", {"station": station}, follow=True)
        assert sentence in answer.content.decode()
    client.post("/walk/LINE/begin")
    assert "Where do you stand?" not in text(client)


def test_one_code_at_a_time_says_what_it_is(shelf: Shelf, client: Client) -> None:
    client.post("/walk/LINE/begin")
    right = next(code for code in shelf.standing if code not in shelf.planted.values())
    assert "Right. SCREW" in seen(client, right)
    assert "Already seen. SCREW" in seen(client, right)
    assert "belongs to Dock-2" in seen(client, shelf.planted["elsewhere"])
    assert "There is no code" in seen(client, "  ")
    assert client.post("/walk/LINE/seen", {"code": right}).headers["Location"] == "/walk/LINE"


def test_differences_are_mended_by_whoever_may(shelf: Shelf, client: Client) -> None:
    client.post("/walk/LINE/begin")
    seen(client, *shelf.standing)
    assert re.search(r'value="full" disabled>It is full<small>needs a leader', text(client))
    refused = mend(client, shelf.planted["not_full"], "full")
    assert "You may not correct here" in refused
    Membership.objects.create(person=shelf.walker, plant=shelf.floor.plant, role="leader")
    assert "is FULL now, by correction" in mend(client, shelf.planted["not_full"], "full")
    assert "Put in the red box" in mend(client, shelf.planted["unknown"], "red_box")
    assert "Put in the red box" in mend(client, shelf.planted["unknown"], "red_box")  # pressed twice
    assert "no difference any more" in mend(client, shelf.planted["unknown"], "right")
    assert "Press one of the buttons" in mend(client, shelf.planted["held"], "burn")
    assert shelf.floor.status("SOME")[0] == "FULL"


def test_a_walk_goes_on_after_a_reload_and_ends_with_its_summary(shelf: Shelf, client: Client) -> None:
    client.post("/walk/LINE/begin")
    seen(client, *shelf.standing[:5])
    assert "seen</dt><dd>5</dd>" in text(client)
    client.post("/walk/LINE/begin")  # pressed again: the same walk
    assert Walk.objects.count() == 1
    seen(client, *shelf.standing)
    mend(client, shelf.planted["held"], "right")
    summary = client.post("/walk/LINE/finish").headers["Location"]
    page = text(client, summary)
    assert "differences</dt><dd>6</dd>" in page
    assert "accuracy</dt><dd>71 %</dd>" in page
    assert page.count("not mended") == 5
    assert "71 %" in text(client)  # in the history
    assert client.post("/walk/LINE/finish").headers["Location"] == "/walk/LINE"
    assert "This walk is finished" in mend(client, shelf.planted["held"], "right")
    assert client.get(f"/walk/LINE/{uuid4()}").status_code == 404


def test_a_walk_is_somebodys_and_a_place_is_its_plants(shelf: Shelf, client: Client) -> None:
    client.post("/walk/LINE/begin")
    colleague = Person.objects.create(username="otto", name="Otto")
    Membership.objects.create(person=colleague, plant=shelf.floor.plant, role="operator")
    other = Client()
    other.force_login(colleague)
    assert "Begin the walk" in text(other)
    stranger = Client()
    stranger.force_login(Person.objects.create(username="zoe", name="Zoe"))
    assert stranger.get("/walk/LINE").status_code == 404
    assert stranger.post("/walk/LINE/begin").status_code == 404
    assert "Line" not in stranger.get("/walk/").content.decode().replace("Line walk", "")
    assert shelf.floor.area.name in text(client, "/walk/")
