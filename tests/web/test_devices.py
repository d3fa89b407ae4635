"""Devices: enrolled by a code that is good once, looked at by everybody of the plant, changed and ended by leaders."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Device, Person, token_hash
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant import configs, enrolling
from jitapp.plant.devices import place_device
from jitapp.plant.models import Enrolment, Membership, Placement, Station
from jitapp.pull import actions
from jitapp.pull.models import MissingScans, Receipt
from jitapp.pull.scan_request import ScanRequest
from jitapp.pull.sources import source_of_token
from jitapp.web.device import COOKIE
from jitapp.web.shell import version
from tests.floor import Floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    floor = Floor(now=timezone.now() - timedelta(minutes=30))
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=4, quantity=4)
    return floor


def member(floor: Floor, name: str = "lea", role: Role = Role.LEADER) -> Client:
    person, _ = Person.objects.get_or_create(username=name, defaults={"name": name.title()})
    Membership.objects.get_or_create(person=person, plant=floor.plant, role=role)
    client = Client()
    client.force_login(person)
    return client


def code_for(floor: Floor, name: str = "Line 2", **more: str) -> str:
    """The code that the leader's page shows."""
    told = {"name": name, "kind": "tablet", "station": "TEST", "intent": "empty", **more}
    page = member(floor).post("/devices/enrol", told)
    assert page.status_code == 200, page.content
    found = re.search(r"/device/enrol/(\w+)", page.content.decode())
    assert found is not None
    return found[1]


# -- enrolment --------------------------------------------------------------------------------------
def test_a_browser_becomes_a_device_by_one_press_and_nobody_logged_in(floor: Floor) -> None:
    code, tablet = code_for(floor), Client()
    page = tablet.get(f"/device/enrol/{code}").content.decode()
    assert "This tablet is now Line 2" in page
    done = tablet.post(f"/device/enrol/{code}")
    assert (done.status_code, done.headers["Location"]) == (302, "/s/")
    cookie = tablet.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 400 * 86_400)
    device = Device.objects.get(name="Line 2")
    placed = Placement.objects.get(device=device)
    assert device.token_hash == token_hash(cookie.value)
    assert str(device.enrolled_by) == "Lea"
    assert placed.station is not None
    assert (placed.station.code, placed.intent, placed.plant_id) == ("TEST", "empty", floor.plant.pk)


def test_a_code_is_typed_with_small_letters_and_hyphens(floor: Floor) -> None:
    code = code_for(floor)
    typed = f"{code[:4]}-{code[4:8]}-{code[8:]} ".lower()
    go_on = Client().get("/device/enrol", {"code": typed})
    assert Client().get(go_on.headers["Location"]).status_code == 200


def test_looking_at_a_code_uses_nothing_up_and_using_it_does(floor: Floor) -> None:
    code = code_for(floor)
    for _ in range(3):
        assert Client().get(f"/device/enrol/{code}").status_code == 200
    assert Client().post(f"/device/enrol/{code}").status_code == 302
    second = Client().post(f"/device/enrol/{code}")
    assert (second.status_code, COOKIE in second.cookies) == (410, False)
    assert "was used already" in second.content.decode()
    assert "was used already" in Client().get(f"/device/enrol/{code}").content.decode()
    assert Device.objects.filter(name="Line 2").count() == 1


def test_a_code_ends_and_an_unknown_one_says_so(floor: Floor) -> None:
    code = code_for(floor)
    Enrolment.objects.update(ends_at=timezone.now())
    for ask in (Client().get, Client().post):
        ended = ask(f"/device/enrol/{code}")
        assert (ended.status_code, "has ended" in ended.content.decode()) == (410, True)
        unknown = ask("/device/enrol/NOSUCHCODE00")
        assert (unknown.status_code, "Nobody knows this code" in unknown.content.decode()) == (404, True)
    assert not Device.objects.filter(name="Line 2").exists()


def test_only_the_hash_of_a_code_and_of_a_token_is_stored(floor: Floor) -> None:
    code, tablet = code_for(floor), Client()
    tablet.post(f"/device/enrol/{code}")
    row, device = Enrolment.objects.get(), Device.objects.get(name="Line 2")
    stored = " ".join(str(value) for value in [*vars(row).values(), *vars(device).values()])
    assert code not in stored
    assert tablet.cookies[COOKIE].value not in stored


def test_the_leaders_page_says_when_it_has_arrived(floor: Floor) -> None:
    code, lea = code_for(floor), member(floor)
    address = f"/devices/enrol/{Enrolment.objects.get().uuid}"
    assert 'data-standing="open"' in lea.get(address).content.decode()
    Client().post(f"/device/enrol/{code}")
    arrived = lea.get(address).content.decode()
    assert ("Line 2 has arrived" in arrived, "hx-get" in arrived) == (True, False)
    Enrolment.objects.update(used_at=None, ends_at=timezone.now())
    assert "nobody used it" in lea.get(address).content.decode()
    other = Floor("B")
    assert member(other, "tom").get(address).status_code == 404


def test_a_reader_is_shown_its_token_once(floor: Floor) -> None:
    answer = Client().post(f"/device/enrol/{code_for(floor, 'Gate', kind='reader')}")
    found = re.search(r"jit_[\w-]+", answer.content.decode())
    assert found is not None
    assert COOKIE not in answer.cookies
    source = source_of_token(found[0])
    assert source is not None
    assert source.acts_for_nobody


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"name": " "}, "Give the device a name"),
        ({"name": "plant SCANNER"}, "has this name already"),
        ({"kind": "erp"}, "Choose what kind"),
        ({"station": "NOWHERE"}, "no such station"),
        ({"intent": "fly"}, "That step is not known"),
    ],
)
def test_what_a_device_cannot_be_is_said_and_what_was_typed_stays(
    floor: Floor, told: dict[str, str], says: str
) -> None:
    wanted = {"name": "Line 2", "kind": "tablet", "station": "TEST", "intent": ""}
    page = member(floor).post("/devices/enrol", wanted | told)
    assert (page.status_code, says in page.content.decode()) == (422, True)
    assert not Enrolment.objects.exists()
    if "name" not in told:
        assert 'value="Line 2"' in page.content.decode()


def test_the_kinds_that_have_something_to_show_are_offered(floor: Floor) -> None:
    page = member(floor).get("/devices/enrol").content.decode()
    kinds = re.findall(r'<option value="(\w+)"', page.split('id="kind"')[1].split("</select>")[0])
    assert kinds == ["tablet", "wall", "reader"]


# -- revoked, enrolled again, changed -------------------------------------------------------------------
def test_a_revoked_device_is_refused_at_once(floor: Floor) -> None:
    token = place_device("Line 9", DeviceKind.TABLET, plant="PLANT")
    device = Device.objects.get(name="Line 9")

    def scan() -> int:
        body = {"id": str(uuid4()), "code": floor.card("L1", 1).code}
        headers = {"Authorization": f"Bearer {token}"}
        answer = Client().post("/api/v1/scans", body, content_type="application/json", headers=headers)
        return answer.status_code

    tablet = Client()
    tablet.cookies[COOKIE] = token
    told = {"badge": "B-lea"}
    Person.objects.create(username="ole", name="Ole", badge="B-lea")
    assert scan() == 200
    assert tablet.post("/s/sign-in", told, content_type="application/json").status_code == 200
    member(floor).post(f"/devices/{device.uuid}/revoke")
    assert scan() == 401  # within the second in which the token is remembered
    assert tablet.post("/s/sign-in", told, content_type="application/json").status_code == 401
    page = member(floor).get("/devices").content.decode()
    assert "ENDED" in page
    assert "Line 9" in page


def test_a_device_that_is_enrolled_again_is_the_same_one_and_its_old_token_ends(floor: Floor) -> None:
    former = place_device("Line 9", DeviceKind.TABLET, plant="PLANT", station="TEST")
    device = Device.objects.get(name="Line 9")
    assert source_of_token(former) is not None
    page = member(floor).post(f"/devices/{device.uuid}/again").content.decode()
    found = re.search(r"/device/enrol/(\w+)", page)
    assert found is not None
    assert source_of_token(former) is not None  # until the code is used
    tablet = Client()
    tablet.post(f"/device/enrol/{found[1]}")
    assert source_of_token(former) is None
    source = source_of_token(tablet.cookies[COOKIE].value)
    assert source is not None
    assert source.device_id == device.pk


def test_a_revoked_device_takes_its_open_codes_with_it(floor: Floor) -> None:
    place_device("Line 9", DeviceKind.TABLET, plant="PLANT")
    device = Device.objects.get(name="Line 9")
    lea = member(floor)
    found = re.search(r"/device/enrol/(\w+)", lea.post(f"/devices/{device.uuid}/again").content.decode())
    assert found is not None
    lea.post(f"/devices/{device.uuid}/revoke")
    assert Client().post(f"/device/enrol/{found[1]}").status_code == 404


def test_a_device_that_ended_scans_nowhere_though_its_token_is_remembered(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another web process remembers tokens for a second; the scan asks under its lock."""
    token = place_device("Line 9", DeviceKind.TABLET, plant="PLANT", station="TEST")
    device = Device.objects.get(name="Line 9")
    monkeypatch.setattr("jitapp.pull.sources.REMEMBERED_SECONDS", 3600.0)
    headers = {"Authorization": f"Bearer {token}"}
    tablet = Client()
    tablet.cookies[COOKIE] = token

    def answers(card: int) -> list[int]:
        def body(**more: str) -> dict[str, str]:
            return {"id": str(uuid4()), "code": floor.card("L1", card).code, **more}

        kind = "application/json"
        api = Client().post("/api/v1/scans", body(), content_type=kind, headers=headers)
        many = Client().post("/api/v1/scans/batch", {"scans": [body()]}, content_type=kind, headers=headers)
        kept = tablet.post("/s/scans", {"scans": [body(station="TEST")]}, content_type=kind)
        unknown = Client().post(
            "/api/v1/scans", body() | {"code": "4711"}, content_type=kind, headers=headers
        )
        return [each.status_code for each in (api, many, kept, unknown)]

    assert answers(1) == [200, 200, 200, 200]
    before = Receipt.objects.count()
    enrolling.revoke(device)  # as another process does it: nothing is forgotten here
    assert source_of_token(token) is not None
    assert answers(2) == [401, 401, 401, 401]
    assert Receipt.objects.count() == before
    place_device("Line 9", DeviceKind.TABLET, plant="PLANT", station="TEST")  # again, with another token
    assert answers(2) == [401, 401, 401, 401]


def test_what_a_device_says_of_itself_reads_no_settings_again(floor: Floor) -> None:
    before = configs.current_epoch()
    Device.objects.update(last_seen_at=timezone.now(), reported_at=timezone.now(), waiting=3)
    assert configs.current_epoch() == before


def test_a_code_for_the_same_name_ends_with_the_device(floor: Floor) -> None:
    lea = member(floor)
    codes = []
    for _ in range(2):
        shown = lea.post("/devices/enrol", {"name": "Line 7", "kind": "tablet"}).content.decode()
        found = re.search(r"/device/enrol/(\w+)", shown)
        assert found is not None
        codes.append(found[1])
    Client().post(f"/device/enrol/{codes[0]}")
    device = Device.objects.get(name="Line 7")
    lea.post(f"/devices/{device.uuid}/revoke")
    assert Client().post(f"/device/enrol/{codes[1]}").status_code == 404


def test_a_device_stands_elsewhere_from_the_next_scan_on(floor: Floor) -> None:
    token = place_device("Line 9", DeviceKind.TABLET, plant="PLANT", station="TEST")
    device = Device.objects.get(name="Line 9")
    assert (before := source_of_token(token)) is not None
    told = {"name": "Line 10", "station": "SMT", "intent": "start"}
    assert member(floor).post(f"/devices/{device.uuid}", told).status_code == 302
    after = source_of_token(token)
    assert after is not None
    assert (before.station_id, after.station_id) == (floor_station("TEST"), floor_station("SMT"))
    assert (after.name, Placement.objects.get(device=device).intent) == ("Line 10", "start")
    wrong = member(floor).post(f"/devices/{device.uuid}", told | {"station": "MOON"})
    assert (wrong.status_code, "no such station" in wrong.content.decode()) == (422, True)


def floor_station(code: str) -> int:
    return Station.objects.get(code=code).pk


def test_another_plants_leader_sees_and_changes_nothing_here(floor: Floor) -> None:
    device, other = floor.device, Floor("B")
    tom = member(other, "tom")
    assert "PLANT scanner" not in tom.get("/devices").content.decode()
    for path in ("", "/again", "/revoke"):
        assert tom.post(f"/devices/{device.uuid}{path}", {"name": "x"}).status_code == 404
    both = member(floor, "both", Role.OPERATOR)
    Membership.objects.create(person=Person.objects.get(username="both"), plant=other.plant, role=Role.LEADER)
    for path in ("", "/again", "/revoke"):
        assert both.post(f"/devices/{device.uuid}{path}", {"name": "x"}).status_code == 403
    assert both.post("/devices/enrol", {"plant": "PLANT", "name": "y", "kind": "tablet"}).status_code == 403


# -- how they are -----------------------------------------------------------------------------------
def test_what_is_wrong_with_a_device_is_said_in_words(floor: Floor) -> None:
    now = timezone.now()
    Device.objects.update(
        reported_at=now - timedelta(minutes=14),
        last_seen_at=now - timedelta(minutes=14),
        waiting=3,
        oldest_waiting_at=now - timedelta(minutes=20),
        clock_error_ms=-14 * 60_000,
        app_version="000000000000",
        doctor={"stamp": "failed", "problems": ["suffix_none"]},
        doctor_at=now,
    )
    MissingScans.objects.create(
        device=floor.device, epoch="a", first=17, last=19, found_at=now - timedelta(minutes=5)
    )
    for _ in range(25):
        request = ScanRequest(id=uuid4(), code="?garbled")
        actions.scan(request, source=floor.source, now=now - timedelta(minutes=15))
    page = member(floor, "ole", Role.OPERATOR).get("/devices").content.decode()
    for sentence in (
        "Scans 17–19 never arrived.",
        "Nothing was heard of it for 14 min.",
        "3 scans wait on the device. The oldest is 20 min old.",
        "Its clock is 14 min wrong.",
        "It runs an older version.",
        "25 of the last 25 reads were bad.",
        "The scanner doctor found: No Enter comes after a code.",
    ):
        assert sentence in page, sentence
    assert 'data-state="act"' in page
    one = member(floor, "ole", Role.OPERATOR).get(f"/devices/{floor.device.uuid}").content.decode()
    assert "FAILED" in one


def test_what_is_right_with_a_device_stands_in_the_list_too(floor: Floor) -> None:
    now = timezone.now()
    Device.objects.update(
        reported_at=now,
        last_seen_at=now,
        clock_error_ms=9_000,
        app_version=version(),
        doctor={"stamp": "passed", "problems": []},
        doctor_at=now,
    )
    actions.scan(ScanRequest(id=uuid4(), code=floor.card("L1", 1).code), source=floor.source, now=now)
    lea = member(floor)
    for address in ("/devices", "/devices/list", f"/devices/{floor.device.uuid}"):
        page = re.sub(r"\s+", " ", lea.get(address).content.decode())
        for term, said in (
            ("Clock", "9 s fast"),
            ("Version of the app", "the newest"),
            ("Scanner doctor", "PASSED"),
            ("Bad reads", "0 of the last 1"),
            ("Waiting there", "0"),
        ):
            assert len(re.findall(f"<dt>{term}</dt>", page)) == 1, (address, term)
            assert re.search(f"<dt>{term}</dt><dd>.{{0,200}}?{said}", page), (address, term)
    Device.objects.update(reported_at=None, clock_error_ms=None)
    page = lea.get("/devices").content.decode()
    assert "<dt>Waiting there</dt><dd>–</dd>" in page  # nobody has said that nothing waits
    assert "<dt>Clock</dt><dd>–</dd>" in page


def test_a_note_that_is_too_long_is_refused_and_not_cut(floor: Floor) -> None:
    row = MissingScans.objects.create(
        device=floor.device, epoch="a", first=4, last=4, found_at=timezone.now()
    )
    answer = member(floor).post(f"/devices/missing/{row.pk}", {"note": "x" * 201}, follow=True)
    assert "at most 200 characters" in answer.content.decode()
    row.refresh_from_db()
    assert (row.note, row.noted_at) == ("", None)


def test_a_leader_notes_what_became_of_missing_scans_and_the_tray_is_quiet(floor: Floor) -> None:
    found_at = timezone.now() - timedelta(minutes=5)
    row = MissingScans.objects.create(device=floor.device, epoch="a", first=4, last=4, found_at=found_at)
    lea = member(floor)
    assert "scan 4 never arrived" in lea.get("/s/tray").content.decode()
    assert 'data-n="1"' in lea.get("/s/tray/number").content.decode()
    lea.post(f"/devices/missing/{row.pk}", {"note": " "})
    assert "scan 4 never arrived" in lea.get("/s/tray").content.decode()
    lea.post(f"/devices/missing/{row.pk}", {"note": "card found in the tray of the tablet"})
    assert "scan 4 never arrived" not in lea.get("/s/tray").content.decode()
    assert 'data-n="0"' in lea.get("/s/tray/number").content.decode()
    kept = lea.get(f"/devices/{floor.device.uuid}").content.decode()
    assert "card found in the tray of the tablet" in kept
    assert "Lea" in kept
