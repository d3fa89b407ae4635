"""The doors of a tablet: authorised by its device, booked by what each scan says, and nothing costs anything else."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Device, Person
from jitapp.accounts.pins import set_pin
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant.devices import place_device
from jitapp.plant.models import Membership, Placement, Station
from jitapp.pull.models import AndonCall, Card, Event, Receipt
from jitapp.pull.reading.sheets import history_of_card
from jitapp.pull.reading.tablet import badge_hash
from jitapp.web.device import COOKIE, PERSON_COOKIE
from tests.floor import Floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor(settings: LazySettings) -> Floor:
    settings.DEMO = "0"
    floor = Floor(now=timezone.now() - timedelta(hours=3))
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="PCB-A", supply="SMT", demand="TEST", cards=4, quantity=12)
    return floor


@pytest.fixture
def tablet(floor: Floor) -> Client:
    client = Client()
    client.cookies[COOKIE] = place_device("Bench tablet", DeviceKind.TABLET, station="TEST")
    return client


def post(client: Client, path: str, body: object, **headers: str) -> Any:
    raw = body if isinstance(body, str) else json.dumps(body)
    return client.generic("POST", path, raw, content_type="application/json", headers=headers)


def send(client: Client, *scans: dict[str, Any]) -> list[dict[str, Any]]:
    answer = post(client, "/s/scans", {"scans": list(scans)})
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def kept(floor: Floor, number: int, **more: Any) -> dict[str, Any]:
    """A scan as a tablet keeps it."""
    at = timezone.now().isoformat()
    return {
        "id": str(uuid4()),
        "code": floor.card("L1", number).code,
        "station": "TEST",
        "seq": number,
        "epoch": "e1",
        "occurred_at": at,
        "sent_at": at,
        **more,
    }


def member(floor: Floor, name: str, role: Role = Role.OPERATOR, **more: Any) -> Person:
    person = floor.person(name, **more)
    Membership.objects.create(person=person, plant=floor.plant, role=role)
    return person


def test_a_batch_is_answered_in_order_each_with_what_the_page_shows(floor: Floor, tablet: Client) -> None:
    mia = member(floor, "mia")
    scans = [
        kept(floor, 1, by=str(mia.uuid)),
        {"id": "x"},
        kept(floor, 2, language="de"),
        kept(floor, 1, by=str(mia.uuid)),
    ]
    first, torn, german, again = send(tablet, *scans)
    assert (first["status"], first["code"], first["headline"], first["look"]) == (
        200,
        "emptied",
        "EMPTY recorded",
        "ok",
    )
    assert [bin[1:3] for bin in first["bins"]][:2] == [[1, "EMPTY"], [2, "EMPTY"]]
    assert len(first["bins"]) == 4
    assert first["undo_until"] is not None
    assert (torn["status"], torn["id"], torn["code"]) == (422, "x", "malformed")
    assert german["headline"] == "LEER gemeldet"
    assert again["outcome"] in ("bounced", "already")
    receipt = Receipt.objects.get(scan_id=first["id"])
    assert receipt.person == mia
    assert receipt.device == Device.objects.get(name="Bench tablet")
    assert (receipt.seq, receipt.epoch) == (1, "e1")


def test_a_repeat_gets_its_first_answer_and_changes_nothing(floor: Floor, tablet: Client) -> None:
    scan = kept(floor, 1)
    (first,) = send(tablet, scan)
    (again,) = send(tablet, scan)
    assert (again["replayed"], again["message"]) == (True, first["message"])
    assert Receipt.objects.count() == 1
    (reused,) = send(tablet, scan | {"code": floor.card("L1", 2).code})
    assert (reused["status"], reused["code"]) == (409, "scan_id_reused")


def test_whoever_sends_it_a_scan_is_booked_for_whoever_made_it(floor: Floor, tablet: Client) -> None:
    mia, otto = member(floor, "mia"), member(floor, "otto", Role.LEADER)
    tablet.force_login(otto)
    answers = send(tablet, kept(floor, 1, by=str(mia.uuid)), kept(floor, 2))
    assert [each["outcome"] for each in answers] == ["applied", "applied"]
    people = [receipt.person for receipt in Receipt.objects.order_by("pk")]
    assert people == [mia, None]


def test_rights_count_only_for_whoever_is_signed_in(floor: Floor, tablet: Client) -> None:
    lea = member(floor, "lea", Role.LEADER)
    (named,) = send(tablet, kept(floor, 1, by=str(lea.uuid), intent="remove"))
    assert (named["outcome"], named["code"]) == ("refused", "not_allowed")
    tablet.force_login(lea)
    (signed,) = send(tablet, kept(floor, 1, by=str(lea.uuid), intent="remove"))
    assert signed["outcome"] == "applied"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"station": "GONE"}, "station_gone"),
        ({"by": str(uuid4())}, "person_gone"),
        ({"by": "B-GONE"}, "person_gone"),
    ],
)
def test_q1_what_cannot_be_booked_as_it_was_made_waits_for_a_leader(
    floor: Floor, tablet: Client, more: dict[str, str], code: str
) -> None:
    (answer,) = send(tablet, kept(floor, 1, **more))
    assert (answer["outcome"], answer["code"]) == ("parked", code)
    assert Card.objects.get(loop__code="L1", number=1).supply_status == "FULL"
    leader = Client()
    leader.force_login(member(floor, "lea", Role.LEADER))
    page = leader.get("/s/tray").content.decode()
    assert floor.card("L1", 1).code in page


def test_a_scan_of_a_station_where_the_tablet_stood_before_counts_there(floor: Floor, tablet: Client) -> None:
    floor.scan("L1", 1, "empty", after=1)
    (answer,) = send(tablet, kept(floor, 1, station="SMT", intent="start"))
    assert (answer["outcome"], answer["code"]) == ("applied", "started")
    assert Receipt.objects.get(scan_id=answer["id"]).station == Station.objects.get(code="SMT")


@pytest.mark.parametrize(
    "member_of",
    [{"quantity": "a heap"}, {"occurred_at": "yesterday"}, {"checks": "all"}, {"by": "x" * 65}, {"code": ""}],
)
def test_what_cannot_be_read_costs_itself_alone_and_says_why(
    floor: Floor, tablet: Client, member_of: dict[str, Any]
) -> None:
    torn, good = send(tablet, kept(floor, 1) | member_of, kept(floor, 2))
    assert torn["status"] == 422
    assert torn["message"]
    assert good["outcome"] == "applied"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("[]", 400),
        ("[" * 2_000, 400),
        ({"scans": []}, 413),
        ({"scans": "all"}, 413),
        ({"scans": [{}] * 51}, 413),
        ({"scans": [{"code": "x" * 500_000}]}, 413),
    ],
)
def test_a_whole_body_that_cannot_be_taken_is_refused_by_name(tablet: Client, body: Any, status: int) -> None:
    answer = post(tablet, "/s/scans", body)
    assert answer.status_code == status
    assert answer.json()["message"]
    assert Receipt.objects.count() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
    ],
)
def test_a_page_of_another_site_cannot_scan_as_the_tablet(
    floor: Floor, tablet: Client, headers: dict[str, str]
) -> None:
    answer = post(tablet, "/s/scans", {"scans": [kept(floor, 1)]}, **headers)
    assert answer.status_code == 403
    form = tablet.post("/s/scans", {"scans": "1"})
    assert form.status_code == 403
    assert Receipt.objects.count() == 0


def test_nobody_without_a_device_scans_and_a_revoked_one_ends_at_once(floor: Floor, tablet: Client) -> None:
    assert post(Client(), "/s/scans", {"scans": [kept(floor, 1)]}).json()["code"] == "device_unknown"
    for kind in (DeviceKind.ERP, DeviceKind.READER):
        other = Client()
        other.cookies[COOKIE] = place_device(f"a {kind}", kind, station="TEST" if kind == "reader" else None)
        assert post(other, "/s/scans", {"scans": [kept(floor, 1)]}).status_code == 401
    revoked = Client()
    revoked.cookies[COOKIE] = place_device("gone", DeviceKind.TABLET, station="TEST")
    Device.objects.filter(name="gone").update(active=False)
    assert post(revoked, "/s/scans", {"scans": [kept(floor, 1)]}).status_code == 401
    revoked.force_login(member(floor, "mia"))
    assert post(revoked, "/s/scans", {"scans": [kept(floor, 1)]}).status_code == 401
    assert Receipt.objects.count() == 0


def test_a_browser_in_which_somebody_logged_in_becomes_a_device_with_its_first_scan(floor: Floor) -> None:
    mia = member(floor, "mia")
    client = Client()
    client.force_login(mia)
    (answer,) = send(client, kept(floor, 1, by=str(mia.uuid)))
    assert answer["outcome"] == "applied"
    device = Device.objects.get(enrolled_by=mia)
    assert Placement.objects.get(device=device).station == Station.objects.get(code="TEST")
    cookie = client.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    send(client, kept(floor, 2))
    assert Device.objects.filter(enrolled_by=mia).count() == 1


def test_the_page_says_whose_scans_these_are_and_forgets_it_without_a_session(
    floor: Floor, tablet: Client
) -> None:
    mia = member(floor, "mia")
    tablet.force_login(mia)
    tablet.get("/s/")
    assert tablet.cookies[PERSON_COOKIE].value.startswith(f"{mia.uuid}.")
    tablet.logout()
    tablet.cookies[COOKIE] = place_device("Bench tablet", DeviceKind.TABLET, station="TEST")
    page: HttpResponse = tablet.get("/s/")  # type: ignore[assignment]
    assert page.status_code == 200
    assert page.cookies[PERSON_COOKIE].value == ""


def test_a_call_for_help_is_made_once_and_named(floor: Floor, tablet: Client) -> None:
    mia = member(floor, "mia")
    asked = {**kept(floor, 1, by=str(mia.uuid)), "code": "HELP", "help": "help"}
    (first,), (again,) = send(tablet, asked), send(tablet, asked)
    assert first["code"] == again["code"] == "called"
    call = AndonCall.objects.get()
    assert (call.station.code, call.called_by) == ("TEST", mia)
    (refused,) = send(tablet, {**asked, "id": str(uuid4()), "help": "coffee"})
    assert (refused["outcome"], refused["code"]) == ("refused", "unknown_kind")
    assert AndonCall.objects.count() == 1


def test_a_leader_takes_a_card_elsewhere_by_an_override_and_nobody_else(floor: Floor, tablet: Client) -> None:
    floor.station("SHIP")
    lea = member(floor, "lea", Role.LEADER)
    here = {"station": "SHIP", "override": True, "by": str(lea.uuid)}
    (refused,) = send(tablet, kept(floor, 1, **here))
    assert (refused["outcome"], refused["code"]) == ("refused", "wrong_station")
    tablet.force_login(lea)
    scan = kept(floor, 1, **here)
    (taken,) = send(tablet, scan)
    assert (taken["outcome"], taken["code"]) == ("applied", "emptied")
    (again,) = send(tablet, scan)  # the answer was lost: the card has moved, and the same scan means the same
    assert (again["status"], again["code"]) == (200, "emptied")


def test_a_sign_of_life_tells_the_time_and_keeps_what_the_tablet_says(floor: Floor, tablet: Client) -> None:
    early = timezone.now() - timedelta(minutes=7)
    said = {"waiting": 3, "oldest": early.isoformat(), "app": "abc", "sent_at": early.isoformat()}
    answer = post(tablet, "/s/beat", said).json()
    assert abs(answer["now"] / 1000 - timezone.now().timestamp()) < 60
    assert answer["station"] == "TEST"
    device = Device.objects.get(name="Bench tablet")
    assert (device.waiting, device.oldest_waiting_at, device.app_version) == (3, early, "abc")
    assert device.clock_error_ms == pytest.approx(-7 * 60_000, abs=60_000)
    post(tablet, "/s/beat", {"waiting": 2})
    assert Device.objects.get(name="Bench tablet").waiting == 3  # at most twice a minute
    post(tablet, "/s/beat", {"waiting": 0})
    assert Device.objects.get(name="Bench tablet").waiting == 0
    for odd in ({"waiting": -1, "oldest": 7, "newest": "x"}, {"waiting": "many", "sent_at": "1e999"}):
        assert post(tablet, "/s/beat", odd).status_code == 200


def test_the_card_list_holds_the_cards_of_the_area_and_who_may_sign_in(floor: Floor, tablet: Client) -> None:
    member(floor, "mia", badge="B-MIA", language="de")
    other = Floor("OTHER")
    other.station("OS")
    other.station("OT")
    other.loop("OL", part="X", supply="OS", demand="OT", cards=1)
    answer: Any = tablet.get("/s/cards")
    listed = answer.json()
    assert [loop[0] for loop in listed["loops"]] == ["L1"]
    assert [card[2:5] for card in listed["cards"]] == [[n, "IN_CIRCULATION", "FULL"] for n in (1, 2, 3, 4)]
    assert [(hashed, name, language) for hashed, _, name, language in listed["people"]] == [
        (badge_hash(" b-mia "), "Mia", "de")
    ]
    same = tablet.get("/s/cards", headers={"If-None-Match": answer["ETag"]})
    assert same.status_code == 304


def test_the_last_scans_come_back_with_their_answers(floor: Floor, tablet: Client) -> None:
    for number in (1, 2, 3, 4):
        send(tablet, kept(floor, number))
    results = tablet.get("/s/last").json()["results"]
    assert [each["card"]["number"] for each in results] == [4, 3, 2, 1]
    assert all(each["undo_until"] and each["headline"] == "EMPTY recorded" for each in results)
    assert tablet.get("/s/last").headers["Cache-Control"] == "no-store"


def test_choosing_a_station_moves_the_tablet(floor: Floor, tablet: Client) -> None:
    answer = tablet.post("/s/station/", {"station": "SMT", "intent": "start"})
    assert answer.status_code == 302
    placed = Placement.objects.get(device__name="Bench tablet")
    assert (placed.station, placed.intent) == (Station.objects.get(code="SMT"), "start")
    tablet.post("/s/station/", {"station": ""})
    assert Placement.objects.get(device__name="Bench tablet").station is None
    assert b"SMT" in tablet.get("/s/").content  # asks for a station


def test_a_torn_origin_is_refused_and_no_fault(floor: Floor, tablet: Client) -> None:
    answer = post(tablet, "/s/scans", {"scans": [kept(floor, 1)]}, Origin="http://[torn")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_ours")


def test_more_scans_ask_no_more_of_people_and_stations(
    floor: Floor, tablet: Client, django_assert_max_num_queries: Any
) -> None:
    mia = member(floor, "mia")
    send(tablet, kept(floor, 4))  # what is remembered from then on
    with django_assert_max_num_queries(40) as several:
        send(tablet, *(kept(floor, number, by=str(mia.uuid)) for number in (1, 2, 3)))
    asked = [query["sql"] for query in several.captured_queries]
    assert sum('FROM "accounts_person"' in sql and '"uuid" IN' in sql for sql in asked) == 1
    assert sum('FROM "plant_station"' in sql and '"code" IN' in sql for sql in asked) == 1


def allow(tablet: Client, scan: dict[str, Any], **told: str) -> Any:
    """What a leader types at the tablet for one scan."""
    return post(tablet, "/s/allow", {"id": scan["id"], "code": scan["code"], **told})


def test_a_leader_allows_one_scan_by_badge_and_pin_and_both_are_on_record(
    floor: Floor, tablet: Client
) -> None:
    floor.station("SHIP")
    mia, lea = member(floor, "mia"), member(floor, "lea", Role.LEADER, badge="B-LEA")
    set_pin(lea, "2580")
    scan = kept(floor, 1, station="SHIP", override=True, by=str(mia.uuid))
    granted = allow(tablet, scan, badge="b-lea", pin="2580")
    assert (granted.status_code, granted.json()["name"]) == (200, "Lea")
    token = granted.json()["allowed"]
    assert PERSON_COOKIE not in granted.cookies  # nobody was signed in by it
    # It is good for that scan alone: neither for another one, nor for another card under its id.
    other = {**kept(floor, 2, station="SHIP", override=True), "allowed": token}
    swapped = {**scan, "id": str(uuid4()), "allowed": token}
    assert [each["outcome"] for each in send(tablet, other, swapped)] == ["refused", "refused"]
    (taken,) = send(tablet, {**scan, "allowed": token})
    assert (taken["outcome"], taken["code"], taken["state"]) == ("applied", "emptied", "flagged")
    assert taken["message"].endswith("Lea allowed it here.")
    event = Event.objects.get(scan_id=scan["id"], type="scan.applied")
    assert (event.person, event.data["allowed_by"]) == (mia, str(lea.uuid))
    assert Receipt.objects.get(scan_id=scan["id"]).person == mia
    (again,) = send(tablet, {**scan, "allowed": token})
    assert again["message"] == taken["message"]
    assert Receipt.objects.filter(card__code=scan["code"], outcome="applied").count() == 1
    lines = [line for line in history_of_card(scan["code"]) if line.type == "scan.applied"]
    assert ("Mia", "Lea") in [(line.by, line.allowed_by) for line in lines]


def test_only_a_leader_with_the_right_pin_allows_and_wrong_ones_wait(floor: Floor, tablet: Client) -> None:
    floor.station("SHIP")
    lea, ana = member(floor, "lea", Role.LEADER, badge="B-LEA"), member(floor, "ana", badge="B-ANA")
    set_pin(ana, "2580")
    scan = kept(floor, 1, station="SHIP", override=True)
    assert allow(tablet, scan, badge="B-LEA", pin="2580").json()["code"] == "pin_none"
    set_pin(lea, "2580")
    assert allow(tablet, scan, badge="B-LEA").json()["code"] == "pin_missing"
    refused = allow(tablet, scan, badge="B-ANA", pin="2580")
    assert (refused.status_code, refused.json()["code"]) == (403, "no_leader")
    assert refused.json()["message"].startswith("Ana may not allow that")
    assert allow(tablet, scan, badge="4711", pin="2580").status_code == 404
    assert allow(tablet, {**scan, "id": "x"}, badge="B-LEA", pin="2580").status_code == 422
    for _ in range(5):
        assert allow(tablet, scan, name="lea", pin="0001").json()["code"] == "pin_wrong"
    assert allow(tablet, scan, name="lea", pin="2580").json()["code"] == "pin_waits"
    assert Client().post("/s/allow", {}, content_type="application/json").status_code == 401


def test_leave_that_a_leader_gave_ends_with_the_leaders_right(floor: Floor, tablet: Client) -> None:
    floor.station("SHIP")
    lea = member(floor, "lea", Role.LEADER, badge="B-LEA")
    set_pin(lea, "2580")
    scans = [kept(floor, number, station="SHIP", override=True) for number in (1, 2)]
    tokens = [allow(tablet, scan, badge="B-LEA", pin="2580").json()["allowed"] for scan in scans]
    Membership.objects.filter(person=lea).update(role=Role.OPERATOR)
    (demoted,) = send(tablet, {**scans[0], "allowed": tokens[0]})
    assert (demoted["outcome"], demoted["code"]) == ("refused", "wrong_station")
    (torn,) = send(tablet, {**scans[1], "allowed": "x" + tokens[1][1:]})
    assert torn["outcome"] == "refused"


# -- taken back before it was sent -----------------------------------------------------------------------
def test_a_scan_that_was_taken_back_before_it_was_sent_is_recorded_and_changes_nothing(
    floor: Floor, tablet: Client
) -> None:
    scan = kept(floor, 1)
    (answer,) = send(tablet, scan | {"withdrawn": True})
    assert (answer["outcome"], answer["code"], answer["headline"]) == ("refused", "withdrawn", "Taken back")
    assert (answer["look"], answer["sound"]) == ("calm", "tick")
    receipt = Receipt.objects.get()
    assert (str(receipt.scan_id), receipt.code, receipt.card, receipt.seq) == (
        scan["id"],
        "withdrawn",
        floor.card("L1", 1),
        1,
    )
    assert floor.card("L1", 1).supply_status == "FULL"
    (late,) = send(tablet, scan)  # the same request, delayed on the way
    assert (late["code"], late["replayed"]) == ("withdrawn", True)
    assert floor.card("L1", 1).supply_status == "FULL"


def test_a_scan_that_had_come_in_before_it_was_taken_back_says_so_and_is_undone_by_name(
    floor: Floor, tablet: Client
) -> None:
    scan = kept(floor, 1)
    send(tablet, scan)  # its answer was lost
    (answer,) = send(tablet, scan | {"withdrawn": True})
    assert (answer["outcome"], answer["code"], answer["replayed"]) == ("applied", "emptied", True)
    (other,) = send(tablet, kept(floor, 1, intent="undo", undoes=str(uuid4())))
    assert (other["outcome"], other["code"]) == ("refused", "undo_overtaken")
    (undone,) = send(tablet, kept(floor, 1, intent="undo", undoes=scan["id"]))
    assert (undone["outcome"], undone["code"]) == ("applied", "undone")
    assert floor.card("L1", 1).supply_status == "FULL"
    (torn,) = send(tablet, kept(floor, 1, intent="undo", undoes="that one"))
    assert (torn["status"], torn["code"]) == (422, "malformed")


def test_an_override_whose_answer_was_lost_gets_it_again(floor: Floor, tablet: Client) -> None:
    """The step that it found the first time is not the one that would follow now."""
    floor.station("SHIP")
    lea = member(floor, "lea", Role.LEADER)
    tablet.force_login(lea)
    scan = kept(floor, 1, station="SHIP", override=True, by=str(lea.uuid))
    (first,), (again,) = send(tablet, scan), send(tablet, scan)
    assert (first["code"], again["code"], again["status"]) == ("emptied", "emptied", 200)
    assert again["replayed"] is True
    assert floor.card("L1", 1).supply_status == "EMPTY"


def test_a_call_for_help_that_waited_says_when_it_was_made(floor: Floor, tablet: Client) -> None:
    pressed = (timezone.now() - timedelta(minutes=40)).isoformat()
    asked = {**kept(floor, 1), "code": "HELP", "help": "help", "occurred_at": pressed}
    (called,) = send(tablet, asked)
    assert called["code"] == "called"
    call = AndonCall.objects.get()
    assert call.note.startswith("Called at ")
    assert abs(call.called_at - timezone.now()) < timedelta(minutes=5)  # nobody could come before
    (again,) = send(tablet, asked | {"withdrawn": True})
    assert again["code"] == "called"  # it is out: whoever comes solves it
    (taken_back,) = send(tablet, {**asked, "id": str(uuid4()), "withdrawn": True})
    assert (taken_back["outcome"], taken_back["code"]) == ("refused", "withdrawn")
    assert AndonCall.objects.count() == 1


def test_a_sign_of_life_says_which_undo_buttons_may_stay(floor: Floor, tablet: Client) -> None:
    first, second = send(tablet, kept(floor, 1), kept(floor, 2))
    floor.scan("L1", 1, "start", at="SMT", after=181)  # somebody acts on it
    asked = {"undoable": [first["id"], second["id"], "x", 7]}
    assert list(post(tablet, "/s/beat", asked).json()["undoable"]) == [second["id"]]
    assert post(tablet, "/s/beat", {"undoable": "all"}).json()["undoable"] == {}
