"""A shift is handed over: facts as they stand, notes, two signatures, and nothing of it changes afterwards."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.accounts.pins import set_pin
from jitapp.plant.models import Membership
from jitapp.pull.models import Handover, HandoverSignature
from tests.floor import Floor
from tests.superuser import superuser

pytestmark = pytest.mark.django_db
PIN = "7391"


@pytest.fixture
def floor() -> Floor:
    floor = Floor(now=timezone.now() - timedelta(hours=1))
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    floor.scan("L1", 1, "empty")
    floor.scan("L1", 2, "empty")
    floor.propagate()
    return floor


def somebody(floor: Floor, name: str, role: str = "leader", *, badge: str | None = None) -> Person:
    person = Person.objects.create_user(name, password="scan-the-card", name=name.title(), badge=badge)
    Membership.objects.create(person=person, plant=floor.plant, role=role)
    return person


@pytest.fixture
def lea(floor: Floor, client: Client) -> Client:
    client.force_login(somebody(floor, "lea"))
    return client


def leave(client: Client, **more: str) -> Handover:
    answer = client.post("/shift/PLANT-AREA/leave", {"id": str(uuid4()), "notes": "Reel of MCU ends", **more})
    assert answer.status_code == 302, answer.content.decode()[:3_000]
    return Handover.objects.order_by("-pk")[0]


def test_a_shift_is_handed_over_and_signed_by_two(floor: Floor, lea: Client) -> None:
    shown = lea.get("/shift/PLANT-AREA").content.decode()
    assert "BOARD" in shown
    assert "out" in shown
    handover = leave(lea)
    leaving = handover.signatures.get()
    assert (leaving.side, leaving.person.username, leaving.how) == ("leaving", "lea", "login")
    page = f"/shift/PLANT-AREA/{handover.uuid}"
    assert "not signed yet" in lea.get(page).content.decode()
    somebody(floor, "max", badge="B-MAX-1")
    answer = lea.post(f"{page}/arrive", {"badge": "B-MAX-1", "remark": "seen"})
    assert answer.status_code == 302
    arriving = handover.signatures.get(side="arriving")
    assert (arriving.person.username, arriving.how, arriving.remark) == ("max", "badge", "seen")
    stored = lea.get(page).content.decode()
    for told in ("Lea", "Max", "by badge", "Reel of MCU ends", "seen"):
        assert told in stored
    assert "not signed yet" not in stored
    again = lea.post(f"{page}/arrive", {"badge": "B-MAX-1"})
    assert again.status_code == 422
    assert handover.signatures.count() == 2


def needs_somebody(client: Client, page: str) -> str:
    """The first part of a shift's facts; the later ones tell of what was, too."""
    return client.get(page).content.decode().partition("Needs somebody now")[2].partition("</section>")[0]


def test_what_was_signed_stays_whatever_happens_afterwards(floor: Floor, lea: Client) -> None:
    handover = leave(lea)
    page = f"/shift/PLANT-AREA/{handover.uuid}"
    before = needs_somebody(lea, page)
    floor.now = timezone.now()
    floor.cycle("L1", 1)
    floor.cycle("L1", 2)
    floor.propagate()
    after = needs_somebody(lea, page)
    assert before == after
    assert 'class="chip s-out"' in after
    assert 'class="chip s-out"' not in needs_somebody(lea, "/shift/PLANT-AREA")
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Handover.objects.filter(pk=handover.pk).update(notes="nothing")
    for rows in (Handover.objects.all(), HandoverSignature.objects.all()):
        with superuser(), pytest.raises(IntegrityError, match="it only grows"), transaction.atomic():
            rows._raw_delete(rows.db)


def test_sent_again_it_is_the_same_handover(floor: Floor, lea: Client) -> None:
    id = str(uuid4())
    first, second = leave(lea, id=id), leave(lea, id=id, notes="other")
    assert first == second
    assert second.notes == "Reel of MCU ends"
    assert HandoverSignature.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"badge": "NOBODY"}, "Nobody here has this badge"),
        ({"name": "nobody", "pin": PIN}, "Nobody here has this name"),
        ({"name": "max", "pin": "0000"}, "That PIN is wrong"),
        ({"name": "max"}, "type your name and your PIN"),
        ({"name": "otto"}, "has no PIN yet"),
        ({"badge": "B-OTTO"}, "may not sign a handover"),
        ({"notes": "x" * 4_001}, "too long"),
    ],
)
def test_a_refused_signature_keeps_what_was_typed(
    floor: Floor, lea: Client, typed: dict[str, str], sentence: str
) -> None:
    set_pin(somebody(floor, "max"), PIN)
    somebody(floor, "otto", "operator", badge="B-OTTO")
    answer = lea.post("/shift/PLANT-AREA/leave", {"id": str(uuid4()), "notes": "Look at\nthe reel", **typed})
    said = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in said
    assert typed.get("notes", "Look at\nthe reel") in said
    assert not Handover.objects.exists()


def test_two_people_sign(floor: Floor, lea: Client) -> None:
    handover = leave(lea)
    answer = lea.post(f"/shift/PLANT-AREA/{handover.uuid}/arrive", {"remark": "me too"})
    assert answer.status_code == 422
    assert "Two people sign a handover" in answer.content.decode()
    assert "me too" in answer.content.decode()
    set_pin(somebody(floor, "max"), PIN)
    assert (
        lea.post(f"/shift/PLANT-AREA/{handover.uuid}/arrive", {"name": "max", "pin": PIN}).status_code == 302
    )
    assert handover.signatures.get(side="arriving").how == "pin"


def test_an_operator_reads_and_does_not_sign(floor: Floor, client: Client) -> None:
    client.force_login(somebody(floor, "otto", "operator"))
    assert client.get("/shift/PLANT-AREA").status_code == 200
    answer = client.post("/shift/PLANT-AREA/leave", {"notes": "mine"})
    assert answer.status_code == 422
    assert "may not sign a handover" in answer.content.decode()


def test_handovers_of_another_plant_are_nobodys(floor: Floor, lea: Client) -> None:
    handover = leave(lea)
    other = Floor("OTHER")
    assert lea.get("/shift/OTHER-AREA").status_code == 404
    assert lea.post("/shift/OTHER-AREA/leave", {"notes": "x"}).status_code == 404
    assert lea.get(f"/shift/OTHER-AREA/{handover.uuid}").status_code == 404
    stranger = somebody(other, "eve")
    lea.force_login(stranger)
    assert lea.get(f"/shift/PLANT-AREA/{handover.uuid}").status_code == 404
    assert lea.post(f"/shift/PLANT-AREA/{handover.uuid}/arrive", {}).status_code == 404


def test_the_list_of_areas_names_the_newest_handover(floor: Floor, lea: Client) -> None:
    assert "Hand over and sign" in lea.get("/shift").content.decode()  # with one area it is that area's page
    second = Floor("SECOND")
    Membership.objects.create(person=Person.objects.get(username="lea"), plant=second.plant, role="leader")
    leave(lea)
    shown = lea.get("/shift").content.decode()
    assert "not signed by anybody who arrived" in shown
    assert "Never handed over yet." in shown


def test_an_area_without_history_says_so(floor: Floor, lea: Client) -> None:
    empty = Floor("EMPTY")
    Membership.objects.create(person=Person.objects.get(username="lea"), plant=empty.plant, role="leader")
    answer = lea.get("/shift/EMPTY-AREA")
    assert answer.status_code == 400
    assert "Nothing has been recorded here yet" in answer.content.decode()
