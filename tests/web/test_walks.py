"""The page of a line walk: begun, scanned along, mended, finished; with and without htmx, one code or many."""

from __future__ import annotations

import json
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
PART = {"HX-Request": "true"}


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


def photograph(client: Client, codes: list[object], place: str = "LINE") -> tuple[int, dict[str, object]]:
    answer = client.post(f"/walk/{place}/seen", json.dumps({"codes": codes}), content_type="application/json")
    return answer.status_code, answer.json()


def mend(client: Client, code: str, remedy: str) -> str:
    given = {"id": str(uuid4()), "code": code, "remedy": remedy}
    answer = client.post("/walk/LINE/mend", given, headers=PART)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_photograph_of_the_shelf_tells_all_six_differences(shelf: Shelf, client: Client) -> None:
    assert "Begin the walk" in text(client)
    assert photograph(client, ["x"])[0] == 409
    assert client.post("/walk/LINE/begin").headers["Location"] == "/walk/LINE"
    status, told = photograph(client, list(shelf.standing))
    assert (status, told["seen"], told["new"], told["open"]) == (200, BINS, BINS, 6)
    rows = told["codes"]
    assert isinstance(rows, list)
    assert {row["difference"]: row["code"] for row in rows if row["difference"]} == {
        kind: code for kind, code in shelf.planted.items() if kind != "missing"
    }
    assert photograph(client, list(shelf.standing))[1]["new"] == 0  # the picture again adds nothing
    page = text(client)
    assert page.count('id="different-') == 6
    for code in shelf.planted.values():
        assert f'id="different-{code}"' in page
    for word in ("Not seen", "Belongs elsewhere", "Empty in the system", "On hold", "Withdrawn", "Not known"):
        assert f"{word}</span>" in page


@pytest.mark.parametrize("codes", [None, "KB", [1], ["x"] * 501, ["y" * 5_000]])
def test_what_is_no_list_of_codes_is_refused(shelf: Shelf, client: Client, codes: object) -> None:
    client.post("/walk/LINE/begin")
    answer = client.post("/walk/LINE/seen", json.dumps({"codes": codes}), content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert client.post("/walk/LINE/seen", b"{", content_type="application/json").status_code == 400


def test_one_code_at_a_time_says_what_it_is(shelf: Shelf, client: Client) -> None:
    client.post("/walk/LINE/begin")

    def seen(code: str) -> str:
        return client.post("/walk/LINE/seen", {"code": code}, headers=PART).content.decode()

    right = next(code for code in shelf.standing if code not in shelf.planted.values())
    assert "<b>Right</b>" in seen(right)
    assert "<b>Already seen</b>" in seen(right)
    assert "belongs to Dock-2" in seen(shelf.planted["elsewhere"])
    assert "There is no code" in seen("  ")
    assert client.post("/walk/LINE/seen", {"code": right}).headers["Location"] == "/walk/LINE"


def test_differences_are_mended_by_whoever_may(shelf: Shelf, client: Client) -> None:
    client.post("/walk/LINE/begin")
    photograph(client, list(shelf.standing))
    assert re.search(r'value="full" disabled>It is full<small>needs a leader', text(client))
    refused = mend(client, shelf.planted["not_full"], "full")
    assert "You may not correct here" in refused
    Membership.objects.create(person=shelf.walker, plant=shelf.floor.plant, role="leader")
    assert "is FULL now, by correction" in mend(client, shelf.planted["not_full"], "full")
    assert "Put in the red box" in mend(client, shelf.planted["unknown"], "red_box")
    assert "no difference any more" in mend(client, shelf.planted["unknown"], "red_box")
    assert "Press one of the buttons" in mend(client, shelf.planted["held"], "burn")
    assert shelf.floor.status("SOME")[0] == "FULL"


def test_a_walk_goes_on_after_a_reload_and_ends_with_its_summary(shelf: Shelf, client: Client) -> None:
    client.post("/walk/LINE/begin")
    photograph(client, list(shelf.standing[:5]))
    assert "seen</dt><dd>5</dd>" in text(client)
    client.post("/walk/LINE/begin")  # pressed again: the same walk
    assert Walk.objects.count() == 1
    photograph(client, list(shelf.standing))
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
