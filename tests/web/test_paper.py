"""The pages of state sheets: who may do what, what is said of a line, and that nothing typed is lost."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.plant.models import Membership
from jitapp.printing.models import PaperMove, StateSheet
from jitapp.pull.models import Event, Receipt
from jitapp.web import paper
from jitapp.web import state_sheets as sheets
from tests.floor import Floor
from tests.stories.shops import two_bins

pytestmark = pytest.mark.django_db
HERE = "/b/PLANT-AREA/paper"


@pytest.fixture
def floor(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Floor:
    monkeypatch.setattr(paper, "HANDLED_SECONDS", 0.0)  # no relay runs here
    settings.DEMO, settings.SITE_URL = "0", "https://kanban.example.com"
    settings.PAPER_FOLDER, settings.PAPER_MAIL = "", []
    return two_bins(cards=3, now=timezone.now() - timedelta(hours=5))


@pytest.fixture
def lea(floor: Floor, client: Client) -> Person:
    return logged_in(floor, client, "leader")


def logged_in(floor: Floor, client: Client, role: str) -> Person:
    person = Person.objects.create(username=role, name=role.title())
    Membership.objects.create(person=person, plant=floor.plant, role=role)
    client.force_login(person)
    return person


def line(floor: Floor, number: int, what: str, hours_ago: float, **more: Any) -> dict[str, Any]:
    """A line as the page sends it."""
    at = timezone.now() - timedelta(hours=hours_ago)
    return {
        "id": str(uuid4()),
        "position": more.pop("position", 0),
        "code": floor.card("L", number).code,
        "day": f"{at:%Y-%m-%d}",
        "time": f"{at:%H:%M}",
        "what": what,
        "quantity": "",
        "by": "",
        "note": "",
        **more,
    }


def keep(client: Client, sent: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = client.post(f"{HERE}/entry/line", sent)
    assert answer.status_code == status, answer.content
    return dict(json.loads(answer.content))


def said(client: Client, sent: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {each["id"]: (each["look"], each["text"]) for each in keep(client, sent)["lines"]}


def book(client: Client, **more: Any) -> dict[str, Any]:
    answer = client.post(f"{HERE}/entry/book", more)
    assert answer.status_code == 200, answer.content
    return dict(json.loads(answer.content))


# -- the sheets ------------------------------------------------------------------------------------------
def test_the_page_teaches_while_there_is_nothing(client: Client, floor: Floor, lea: Person) -> None:
    page = client.get(HERE).content.decode()
    assert "No sheet yet" in page
    assert "JITAPP_PAPER_FOLDER" in page
    assert f"{HERE}/entry" in page


def test_kept_sheets_are_listed_and_handed_out(client: Client, floor: Floor, lea: Person) -> None:
    sheets.hourly(now=timezone.now())
    page = client.get(HERE).content.decode()
    assert f'href="{HERE}/1"' in page
    file = client.get(f"{HERE}/1")
    assert file["Content-Type"] == "application/pdf"
    assert file.content.startswith(b"%PDF")
    assert client.get(f"{HERE}/2").status_code == 404


def test_a_sheet_of_this_moment_is_printed_in_a_language_and_kept_nowhere(
    client: Client, floor: Floor, lea: Person
) -> None:
    file = client.get(f"{HERE}/now", {"paper": "letter", "language": "de"})
    assert file["Content-Type"] == "application/pdf"
    assert not StateSheet.objects.exists()


def test_a_way_that_failed_says_why_who_and_when_it_is_tried_again(
    client: Client, floor: Floor, lea: Person, settings: LazySettings, tmp_path: Path
) -> None:
    settings.PAPER_FOLDER = str(tmp_path / "none")
    sheets.hourly(now=timezone.now())
    page = client.get(HERE).content.decode()
    assert "failed" in page
    assert "No such file or directory" in page
    assert "Whoever looks after the server" in page
    StateSheet.objects.update(try_at=None)
    client.post(f"{HERE}/send")
    (tmp_path / "none").mkdir()
    sheets.hourly(now=timezone.now())
    assert len(list((tmp_path / "none").iterdir())) == 1
    assert "was handed out" in client.get(HERE).content.decode()


def test_people_of_other_plants_see_no_sheet(client: Client, floor: Floor) -> None:
    sheets.hourly(now=timezone.now())
    logged_in(Floor("OTHER"), client, "leader")
    for path in (HERE, f"{HERE}/1", f"{HERE}/now", f"{HERE}/entry"):
        assert client.get(path).status_code == 404, path


# -- entered ---------------------------------------------------------------------------------------------
def test_a_line_is_checked_as_it_is_left_and_booked_when_asked(
    client: Client, floor: Floor, lea: Person
) -> None:
    emptied, started = line(floor, 1, "emptied", 3), line(floor, 1, "started", 2, position=1)
    assert said(client, emptied)[emptied["id"]][0] == "ok"
    told = said(client, started)
    assert {look for look, _ in told.values()} == {"ok"}
    assert not Receipt.objects.exists(), "nothing is booked by checking"
    assert book(client) == {"booked": 2, "refused": [], "left": 0}
    assert floor.turn("L", 1).step == "IN_PROCESS"
    events = Event.objects.filter(scan_id__isnull=False).order_by("occurred_at")
    assert {event.person_id for event in events} == {lea.pk}
    assert events[0].recorded_at - events[0].occurred_at > timedelta(hours=2)


def test_a_draft_survives_a_reload_and_belongs_to_whoever_typed_it(
    client: Client, floor: Floor, lea: Person
) -> None:
    torn = line(floor, 1, "", 3, code="KB12", by="Otto", note="torn off")
    assert said(client, torn)[torn["id"]][0] == "act"
    page = client.get(f"{HERE}/entry").content.decode()
    for typed in ("KB12", "Otto", "torn off", "Nobody here knows KB12"):
        assert typed in page, typed
    logged_in(floor, client, "planner")
    assert "KB12" not in client.get(f"{HERE}/entry").content.decode()


def test_the_order_of_lines_does_not_matter_but_that_of_time_does(
    client: Client, floor: Floor, lea: Person
) -> None:
    started, emptied = line(floor, 1, "started", 2), line(floor, 1, "emptied", 3, position=1)
    look, text = said(client, started)[started["id"]]
    assert look == "soon", "its signal may be on another line"
    assert "another line" in text
    assert {look for look, _ in said(client, emptied).values()} == {"ok"}
    assert book(client)["booked"] == 2


def test_what_is_refused_stays_with_its_reason_until_it_is_corrected(
    client: Client, floor: Floor, lea: Person
) -> None:
    wrong = line(floor, 1, "started", 3)
    keep(client, wrong)
    done = book(client)
    assert (done["booked"], done["refused"], done["left"]) == (0, [wrong["id"]], 0)
    page = client.get(f"{HERE}/entry").content.decode()
    move = PaperMove.objects.get()
    assert move.message
    assert move.code in page
    assert "Not booked: 1 lines" in page
    keep(client, {**wrong, "what": "emptied"})
    assert book(client)["booked"] == 1


def test_a_sheet_that_is_entered_twice_says_so_and_adds_nothing(
    client: Client, floor: Floor, lea: Person
) -> None:
    keep(client, line(floor, 1, "emptied", 3))
    book(client)
    events = Event.objects.count()
    logged_in(floor, client, "planner")
    again = line(floor, 1, "emptied", 3)
    again["time"], again["day"] = PaperMove.objects.values_list("time", "day").get()
    look, text = said(client, again)[again["id"]]
    assert look == "calm"
    assert "Entered before by Leader" in text
    assert book(client)["booked"] == 1
    assert Event.objects.count() == events


def test_a_line_in_the_future_and_one_said_twice_are_marked(
    client: Client, floor: Floor, lea: Person
) -> None:
    ahead = line(floor, 1, "emptied", -0.1)
    look, text = said(client, ahead)[ahead["id"]]
    assert (look, "still to come" in text) == ("act", True)
    keep(client, {**ahead, "remove": "1"})
    first = line(floor, 1, "emptied", 3)
    keep(client, first)
    twin = {**first, "id": str(uuid4()), "position": 1}
    told = said(client, twin)
    assert told[first["id"]][0] == "ok"
    assert told[twin["id"]] == ("act", "Line 1 says the same already. Remove one of them.")
    assert book(client)["booked"] == 1


def test_without_javascript_the_whole_form_is_kept_and_booked(
    client: Client, floor: Floor, lea: Person
) -> None:
    lines = [
        line(floor, 1, "emptied", 3),
        line(floor, 2, "emptied", 2, position=1),
        line(floor, 1, "", 9, code=""),
    ]
    lines[2]["time"] = ""
    form = {name: [str(each[name]) for each in lines] for name in lines[0]}
    page = client.post(f"{HERE}/entry", {**form, "do": "keep"}, follow=True).content.decode()
    assert PaperMove.objects.count() == 2, "an empty line is none"
    assert lines[0]["code"] in page
    page = client.post(f"{HERE}/entry", {**form, "do": "book"}, follow=True).content.decode()
    assert "Booked: 2 lines." in page
    assert floor.status("L") == ["EMPTY", "EMPTY", "IN_USE"]
    # The browser sends the same form again: the lines are booked already, and that is said.
    page = client.post(f"{HERE}/entry", {**form, "do": "book"}, follow=True).content.decode()
    assert "This line is booked already." in page
    assert Receipt.objects.filter(code="emptied").count() == 2


def test_hands_see_whom_to_give_the_sheet(client: Client, floor: Floor) -> None:
    logged_in(floor, client, "operator")
    assert "Give the sheet to your leader" in client.get(f"{HERE}/entry").content.decode()
    sent = line(floor, 1, "emptied", 3)
    assert "Leaders, planners" in keep(client, sent, 422)["message"]
    assert client.post(f"{HERE}/entry/book").status_code == 422
    client.post(f"{HERE}/entry", {**{name: [value] for name, value in sent.items()}, "do": "book"})
    assert not PaperMove.objects.exists()
    assert not Receipt.objects.exists()


def test_what_is_too_long_or_torn_is_refused_and_not_cut(client: Client, floor: Floor, lea: Person) -> None:
    sent = line(floor, 1, "emptied", 3)
    assert "too long" in keep(client, {**sent, "note": "x" * 201}, 422)["message"]
    assert "cannot be kept" in keep(client, {**sent, "id": "7"}, 422)["message"]
    assert not PaperMove.objects.exists()


def test_a_line_of_somebody_else_cannot_be_changed(client: Client, floor: Floor, lea: Person) -> None:
    mine = line(floor, 1, "emptied", 3)
    keep(client, mine)
    logged_in(floor, client, "planner")
    keep(client, {**mine, "what": "full"}, 422)
    keep(client, {**mine, "remove": "1"}, 422)
    assert PaperMove.objects.get().what == "emptied"


def test_the_answer_of_the_rules_is_in_the_language_of_the_page(
    client: Client, floor: Floor, lea: Person
) -> None:
    keep(client, line(floor, 1, "emptied", 3))
    page = client.get(f"{HERE}/entry", headers={"Accept-Language": "de"}).content.decode()
    (text,) = re.findall(r"<output>([^<]+)</output>", page)
    assert "Karte" in text
