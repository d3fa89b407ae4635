"""What handlers did and a device kept, through the door of the tablets: for whoever did it, when they did it, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.plant.models import Membership
from jitapp.pull import actions
from jitapp.pull.models import AndonCall, DeviceSequence, MissingScans, Receipt
from jitapp.rounds.models import Obstacle, ReadLabel, Sighting
from jitapp.rounds.walks import begin, place_in
from tests.rounds.dock import Dock, a_dock, gtl
from tests.rounds.milk import Run, milk_run
from tests.rounds.shelf import Shelf, a_shelf

pytestmark = pytest.mark.django_db
NOW = timezone.now


@pytest.fixture
def run(settings: LazySettings, client: Client) -> Run:
    settings.DEMO = "0"
    made = milk_run(NOW() - timedelta(minutes=20))
    client.force_login(Person.objects.get(username="hugo"))
    return made


def act(do: str, code: str, by: str, **more: Any) -> dict[str, Any]:
    """A record of the queue, as static/js/acts.js keeps it."""
    at: datetime = more.pop("at", NOW())
    record = {name: more.pop(name) for name in ("id", "seq") if name in more}
    told = {
        "occurred_at": at.isoformat(),
        "sent_at": NOW().isoformat(),
        "by": str(uuid_of(by)),
        "language": "en",
    }
    return {"id": str(uuid4()), "code": code, **told, "epoch": "e", "act": {"do": do, **more}} | record


def uuid_of(username: str) -> object:
    return Person.objects.get(username=username).uuid


def send(client: Client, *records: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.post("/s/scans", {"scans": list(records)}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_a_round_that_was_walked_offline_is_booked_as_it_was_walked(run: Run, client: Client) -> None:
    run.floor.scan("SCREWS", 1, "empty")
    run.floor.scan("OIL", 1, "empty")
    screws, oil = run.floor.card("SCREWS", 1).code, run.floor.card("OIL", 1).code
    taken, left = NOW() - timedelta(minutes=6), NOW() - timedelta(minutes=2)
    records = [
        act("scan", screws, "hugo", place="MILK", doing="pick", at=taken, seq=1),
        act("cannot", oil, "hugo", place="MILK", card=oil, reason="not_there", note="bare", at=taken, seq=2),
        act("scan", screws, "hugo", place="MILK", doing="drop", at=left, seq=3),
    ]
    for _ in range(2):  # the first answer was lost
        first, reported, last = send(client, *records)
        assert (first["status"], first["outcome"], first["code"]) == (200, "applied", "loaded")
        assert (reported["headline"], reported["look"]) == ("Kept: Not there", "amber")
        assert (last["code"], last["card"]["supply_status"]) == ("received", "FULL")
    turn = run.floor.turn("SCREWS", 1)
    assert turn.loaded_at is not None
    assert abs(turn.loaded_at - taken) < timedelta(seconds=2)
    assert abs(Obstacle.objects.get().at - taken) < timedelta(seconds=2)
    assert AndonCall.objects.count() == 1
    hugo = Person.objects.get(username="hugo")
    assert set(Receipt.objects.filter(intent__in=["load", "receive"]).values_list("person", flat=True)) == {
        hugo.pk
    }


def test_what_leaves_no_receipt_is_no_gap_in_the_sequence(run: Run, client: Client) -> None:
    run.floor.scan("SCREWS", 1, "empty")
    code = run.floor.card("SCREWS", 1).code
    send(client, act("scan", code, "hugo", place="MILK", seq=1))
    send(client, act("receive", "HELLO", "hugo", seq=2), {**act("", code, "hugo", seq=3), "act": None})
    actions.follow_sequences(now=NOW())
    assert DeviceSequence.objects.get().max_seq == 3
    assert not MissingScans.objects.exists()


def test_a_call_for_help_is_no_gap_either(run: Run, client: Client) -> None:
    code = run.floor.card("SCREWS", 2).code
    station = {"station": "LINE"}
    send(client, {**act("", code, "hugo", seq=1), "act": None, "intent": "empty", **station})
    send(client, {**act("", "HELP", "hugo", seq=2), "act": None, "help": "help", **station})
    actions.follow_sequences(now=NOW())
    assert (DeviceSequence.objects.get().max_seq, MissingScans.objects.count()) == (2, 0)


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        {"do": "fly"},
        {"do": ["scan"]},
        {"do": "scan", "place": "x" * 61},
        {"do": "scan", "place": "\0"},
    ],
)
def test_what_nobody_can_do_is_set_aside(run: Run, client: Client, said: object) -> None:
    record = act("scan", run.floor.card("SCREWS", 1).code, "hugo") | {"act": said or "torn"}
    (told,) = send(client, record)
    assert (told["status"], told["code"], told["id"]) == (422, "malformed", record["id"])
    assert not Receipt.objects.exists()


def test_whoever_works_here_no_more_is_said(run: Run, client: Client) -> None:
    record = act("scan", run.floor.card("SCREWS", 1).code, "hugo", place="MILK")
    (told,) = send(client, record | {"by": str(uuid4())})
    assert (told["status"], told["code"]) == (422, "person_gone")
    (other,) = send(client, act("scan", record["code"], "hugo", place="AWAY"))
    assert (other["status"], other["outcome"], other["code"]) == (200, "refused", "unknown_route")


def test_labels_are_taken_in_asked_about_and_answered(settings: LazySettings, client: Client) -> None:
    settings.DEMO = "0"
    dock: Dock = a_dock(NOW() - timedelta(minutes=30))
    dock.asked("WIRE", 1)
    client.force_login(Person.objects.get(username="rita"))
    came = NOW() - timedelta(minutes=5)
    label = gtl("1JUN1", "PWIRE-07", "Q60", "1T4711")
    (asked,) = send(client, act("receive", label, "rita", at=came))
    assert (asked["outcome"], asked["headline"], asked["look"]) == ("parked", "Which card?", "amber")
    kept = ReadLabel.objects.get()
    assert abs(kept.at - came) < timedelta(seconds=2)
    card = dock.code("WIRE", 1)
    (less,) = send(client, act("take-in", card, "rita", label=str(kept.uuid), card=card))
    assert less["headline"] == "Fewer than asked"
    question = ReadLabel.objects.filter(settled_at=None).get()
    answer = act("take-in", "all", "rita", label=str(question.uuid), rest="all", reason="counted fewer")
    for _ in range(2):
        (done,) = send(client, answer)
        assert (done["code"], done["outcome"]) == ("received", "applied")
    assert dock.floor.turn("WIRE", 1).received == 60
    unmatched = send(client, act("receive", "HELLO \ud800", "rita"))[0]
    assert (unmatched["outcome"], unmatched["headline"]) == ("refused", "Matches nothing")
    assert client.get("/recv").status_code == 200


def test_bins_seen_offline_count_at_the_moment_they_were_seen(settings: LazySettings, client: Client) -> None:
    settings.DEMO = "0"
    shelf: Shelf = a_shelf(NOW() - timedelta(minutes=90))
    client.force_login(shelf.walker)
    place = place_in("LINE", shelf.source().plant_ids)
    assert place is not None
    began = NOW() - timedelta(minutes=30)
    walk = begin(place, source=shelf.source(), now=began)
    seen_at = began + timedelta(minutes=5)
    card = shelf.floor.card("MANY", 2)
    shelf.floor.now = began + timedelta(minutes=9)
    shelf.floor.scan("MANY", 2, "empty")  # seen full, used up since
    (told,) = send(client, act("seen", card.code, "willa", place="LINE", at=seen_at))
    assert (told["headline"], told["outcome"]) == ("Right", "applied")
    assert abs(Sighting.objects.get(walk=walk).at - seen_at) < timedelta(seconds=2)
    empty = shelf.planted["not_full"]
    (wrong,) = send(client, act("seen", empty, "willa", place="LINE"))
    assert (wrong["headline"], wrong["look"]) == ("Empty in the system", "red")
    mend = act("mend", empty, "willa", place="LINE", card=empty, remedy="receive")
    for _ in range(2):
        (mended,) = send(client, mend)
        assert (mended["code"], mended["outcome"]) == ("received", "applied")
    otto = Person.objects.create(username="otto", name="Otto")
    Membership.objects.create(person=otto, plant=shelf.floor.plant, role="operator")
    (none,) = send(client, act("seen", card.code, "otto", place="LINE"))  # somebody else's walk it is not
    assert (none["outcome"], none["code"]) == ("refused", "not_walking")
