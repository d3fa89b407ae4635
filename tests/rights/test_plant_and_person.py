"""Rights are asked for a plant and a person: roles of the card's plant, and a PIN where somebody acts for another."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from jitapp.accounts import pins
from jitapp.accounts.models import Person
from jitapp.accounts.pins import BadPin, set_pin
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant.devices import place_device
from jitapp.plant.models import Loop, Membership, Plant, Station
from jitapp.pull.models import Card, Receipt
from tests.floor import Floor

pytestmark = pytest.mark.django_db
PIN = "2580"


@pytest.fixture
def floor() -> Floor:
    floor = Floor(now=timezone.now() - timedelta(hours=1))
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=3, quantity=4)
    return floor


def person(name: str, **roles: Role) -> Person:
    """Somebody with a badge, a PIN and these roles by plant, who may log in."""
    made = Person.objects.create_user(name, password="x", name=name.title(), badge=f"B-{name}")
    set_pin(made, PIN)
    for plant, role in roles.items():
        Membership.objects.create(person=made, plant=Plant.objects.get(code=plant), role=role)
    return made


def logged_in(who: Person) -> Client:
    client = Client()
    client.force_login(who)
    return client


@dataclass
class Device:
    """A token, and what its API says."""

    token: str

    def post(self, path: str, **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        return Client().post(f"/api/v1{path}", body, content_type="application/json", headers=headers)

    def scan(self, floor: Floor, number: int, intent: str, **more: Any) -> dict[str, Any]:
        code = floor.card("L1", number).code
        answer = self.post("/scans", id=str(uuid4()), code=code, intent=intent, reason="seen", **more)
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found


def device(floor: Floor, kind: DeviceKind = DeviceKind.TABLET, name: str = "") -> Device:
    return Device(place_device(name or f"a {kind}", kind, plant=floor.plant_code))


def on_record(answer: dict[str, Any]) -> int | None:
    found: int | None = Receipt.objects.values_list("person_id", flat=True).get(scan_id=answer["id"])
    return found


# -- S4: the roles of the card's plant ---------------------------------------------------------------------
def test_s04_a_leader_elsewhere_is_none_here(floor: Floor) -> None:
    Plant.objects.create(code="B", name="B")
    both, here = person("both", PLANT=Role.OPERATOR, B=Role.LEADER), person("here", PLANT=Role.LEADER)
    code, card = floor.card("L1", 1).code, Card.objects.filter(loop__code="L1", number=1)

    def remove(who: Person) -> tuple[str, str]:
        told = {"id": str(uuid4()), "code": code, "intent": "remove"}
        answer = logged_in(who).post("/s/", told, content_type="application/json").json()
        return answer["outcome"], answer["code"]

    logged_in(both).post(f"/holds/{code}", {"reason": "seen"})
    assert card.values_list("card_status", flat=True).get() == "IN_CIRCULATION"
    assert remove(both) == ("refused", "not_allowed")
    logged_in(here).post(f"/holds/{code}", {"reason": "seen"})
    assert card.values_list("card_status", flat=True).get() == "HELD"
    assert remove(here)[0] == "applied"


def test_s04_the_page_of_a_card_offers_a_hold_to_whoever_may_hold_it_there(floor: Floor) -> None:
    Plant.objects.create(code="B", name="B")
    code = floor.card("L1", 1).code
    elsewhere = logged_in(person("both", PLANT=Role.OPERATOR, B=Role.QUALITY)).get(f"/k/{code}").content
    here = logged_in(person("here", PLANT=Role.QUALITY)).get(f"/k/{code}").content
    assert (b"hold-reason" in elsewhere, b"hold-reason" in here) == (False, True)


def test_s04_a_waiting_scan_offers_its_ways_to_whoever_may_settle_it_there(floor: Floor) -> None:
    Plant.objects.create(code="B", name="B")
    parked_scan(floor)
    elsewhere = logged_in(person("both", PLANT=Role.OPERATOR, B=Role.LEADER)).get("/s/tray").content
    here = logged_in(person("here", PLANT=Role.LEADER)).get("/s/tray").content
    assert (b'name="settle"' in elsewhere, b'name="settle"' in here) == (False, True)
    assert b"Your leader settles it" in elsewhere


def test_s04_a_supplying_plant_leads_its_own_steps_and_no_others(floor: Floor) -> None:
    other = Plant.objects.create(code="B", name="B")
    Station.objects.filter(code="SMT").update(plant=other)
    Loop.objects.filter(code="L1").update(version=2)  # so that the settings are read again
    floor.scan("L1", 1, "empty")
    supplier = logged_in(person("supplier", B=Role.LEADER))

    def scan(number: int, intent: str) -> str:
        told = {"id": str(uuid4()), "code": floor.card("L1", number).code, "intent": intent, "reason": "x"}
        return str(supplier.post("/s/", told, content_type="application/json").json()["code"])

    assert scan(2, "remove") == "not_allowed"
    assert scan(2, "hold") == "not_allowed"
    assert scan(1, "start") == "started"
    erp = Device(place_device("erp of B", DeviceKind.ERP, plant="B"))
    assert erp.scan(floor, 3, "remove")["code"] == "not_allowed"
    assert erp.scan(floor, 1, "complete")["code"] == "completed"


# -- S5: a bare `by` says who, a PIN gives the rights ------------------------------------------------------
def test_s05_a_bare_by_is_on_record_and_gives_no_right(floor: Floor) -> None:
    lea, tablet = person("lea", PLANT=Role.LEADER), device(floor)
    bare = tablet.scan(floor, 1, "remove", by="B-lea")
    assert (bare["outcome"], bare["code"]) == ("refused", "not_allowed")
    assert on_record(bare) == lea.pk


def test_s05_r16_with_badge_and_pin_a_leader_can_what_a_leader_can(floor: Floor) -> None:
    lea, tablet = person("lea", PLANT=Role.LEADER), device(floor)
    proved = tablet.scan(floor, 1, "remove", by="B-lea", pin=PIN)
    assert (proved["outcome"], proved["code"]) == ("applied", "removed")
    assert on_record(proved) == lea.pk
    kept = Receipt.objects.get(scan_id=proved["id"])
    assert PIN not in str(kept.answer) + kept.raw


def test_s05_a_pin_gives_the_roles_of_the_cards_plant_only(floor: Floor) -> None:
    Plant.objects.create(code="B", name="B")
    person("both", PLANT=Role.OPERATOR, B=Role.LEADER)
    answer = device(floor).scan(floor, 1, "remove", by="both", pin=PIN)
    assert (answer["outcome"], answer["code"]) == ("refused", "not_allowed")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"by": "nobody"}, "Nobody here is called nobody"),
        ({"by": "B-far"}, "Nobody here is called B-far"),
        ({"by": "B-gone"}, "Nobody here is called B-gone"),
        ({"by": "B-lea", "pin": "0000"}, "PIN and badge B-lea do not fit"),
        ({"by": "B-new", "pin": PIN}, "PIN and badge B-new do not fit"),
    ],
)
def test_s05_a_scan_is_never_stopped_and_says_when_the_device_alone_is_on_record(
    floor: Floor, more: dict[str, str], says: str
) -> None:
    Plant.objects.create(code="B", name="B")
    person("far", B=Role.LEADER)
    person("lea", PLANT=Role.LEADER)
    Person.objects.filter(pk=person("gone", PLANT=Role.LEADER).pk).update(is_active=False)
    set_pin(person("new", PLANT=Role.LEADER), "")
    answer = device(floor).scan(floor, 1, "empty", station="TEST", **more)
    assert answer["outcome"] == "applied"
    assert says in answer["message"]
    assert "the device alone is on record" in answer["message"]
    assert on_record(answer) is None
    assert answer["state"] == "flagged"


def test_s05_who_works_here_no_more_is_named_no_more_from_that_moment_on(floor: Floor) -> None:
    """Where people work is kept in memory: a change that did not say so would hold until the next one that does."""
    other = Plant.objects.create(code="B", name="B")
    lea = person("lea", PLANT=Role.LEADER)
    tablet = device(floor)

    def named(number: int) -> bool:
        return on_record(tablet.scan(floor, number, "empty", station="TEST", by="B-lea")) == lea.pk

    assert named(1)
    lea.memberships.update(plant=other)
    assert not named(2)
    Person.objects.filter(pk=lea.pk).update(is_superuser=True)
    assert named(3)
    Person.objects.filter(pk=lea.pk).update(is_superuser=False)
    lea.memberships.all().delete()  # without a role anywhere, everywhere
    assert named(1)
    Person.objects.filter(pk=lea.pk).update(is_active=False)
    assert not named(2)


def test_s05_a_reader_acts_for_nobody(floor: Floor) -> None:
    person("lea", PLANT=Role.LEADER)
    reader = device(floor, DeviceKind.READER)
    scanned = reader.scan(floor, 1, "empty", station="TEST", by="B-lea", pin=PIN)
    assert scanned["outcome"] == "applied"
    assert "A reader acts for nobody" in scanned["message"]
    assert on_record(scanned) is None
    called = reader.post("/calls", station="SMT", kind="help", by="B-lea")
    assert (called.status_code, called.json()["code"]) == (403, "not_allowed")
    assert reader.post("/calls", station="SMT", kind="help").status_code == 200


def parked_scan(floor: Floor) -> str:
    before = floor.now + timedelta(minutes=1)
    floor.scan("L1", 1, "empty", after=10)
    id = uuid4()
    assert floor.scan("L1", 1, "start", id=id, occurred_at=before)["outcome"] == "parked"
    return str(id)


def test_the_token_of_a_wall_screen_opens_nothing_but_its_board(floor: Floor) -> None:
    """It stands in an address that everybody in the hall may read."""
    wall = device(floor, DeviceKind.WALL)
    answers = [
        wall.post("/scans", id=str(uuid4()), code=floor.card("L1", 1).code, intent="empty"),
        wall.post("/calls", station="SMT", kind="help"),
    ]
    assert [answer.status_code for answer in answers] == [401, 401]


@pytest.mark.parametrize("kind", [kind for kind in DeviceKind if kind is not DeviceKind.WALL])
def test_s05_no_token_settles_for_a_leader_without_the_pin(floor: Floor, kind: DeviceKind) -> None:
    person("lea", PLANT=Role.LEADER)
    path, door = f"/scans/{parked_scan(floor)}/settle", device(floor, kind)
    told = {"how": "discard", "reason": "seen"}
    bare = door.post(path, by="B-lea", **told)
    wrong = door.post(path, by="B-lea", pin="9999", **told)
    refused = "not_allowed" if kind is DeviceKind.READER else "pin_missing"
    assert (bare.status_code, bare.json()["code"]) == (403, refused)
    assert wrong.status_code == 403
    right = door.post(path, by="B-lea", pin=PIN, **told)
    assert right.status_code == (403 if kind is DeviceKind.READER else 200), right.content


@pytest.mark.parametrize("act", ["take", "solve"])
def test_s05_a_call_is_taken_and_solved_by_whoever_proves_it(floor: Floor, act: str) -> None:
    person("ole", PLANT=Role.OPERATOR)
    tablet = device(floor)
    call = tablet.post("/calls", station="SMT", kind="help", by="B-ole").json()
    assert call["called_by"] == "Ole"
    told = {"reason": "belt"} if act == "solve" else {}
    path = f"/calls/{call['id']}/{act}"
    assert tablet.post(path, by="B-ole", **told).json()["code"] == "pin_missing"
    assert tablet.post(path, by="B-ole", pin="1111", **told).json()["code"] == "pin_wrong"
    done = tablet.post(path, by="B-ole", pin=PIN, **told)
    assert (done.status_code, done.json()["owner"]) == (200, "Ole")


def test_s05_five_wrong_pins_shut_one_person_out_at_one_device_and_never_a_scan(floor: Floor) -> None:
    lea = person("lea", PLANT=Role.LEADER)
    person("max", PLANT=Role.LEADER)
    first, second = device(floor, name="first"), device(floor, name="second")
    for _ in range(5):
        assert "do not fit" in first.scan(floor, 2, "remove", by="B-lea", pin="0001")["message"]
    answer = first.scan(floor, 2, "remove", by="B-lea", pin=PIN)
    assert "Too many wrong PINs" in answer["message"]
    assert (answer["code"], on_record(answer)) == ("not_allowed", None)
    assert first.scan(floor, 1, "empty", station="TEST", by="B-lea", pin=PIN)["outcome"] == "applied"
    assert first.scan(floor, 2, "remove", by="B-max", pin=PIN)["outcome"] == "applied"
    assert second.scan(floor, 3, "hold", by="B-lea", pin=PIN)["outcome"] == "applied"
    waiting = second.post("/calls", station="SMT", kind="help").json()
    told = first.post(f"/calls/{waiting['id']}/take", by="B-lea", pin=PIN)
    assert (told.status_code, told.json()["code"]) == (429, "pin_waits")
    assert 0 < int(told.headers["Retry-After"]) <= 300
    set_pin(lea, PIN)  # an administrator gives a new one: wrong tries are forgotten
    assert first.scan(floor, 3, "remove", by="B-lea", pin=PIN)["outcome"] == "applied"


def test_s05_guesses_that_are_spread_over_people_or_devices_are_counted_too() -> None:
    people = [Person.objects.create(username=f"p{number}", name="P") for number in range(8)]
    for each in people:
        set_pin(each, PIN)
    now = timezone.now()

    def wrong(who: Person, at: int) -> bool:
        return pins.check_pin(who.pk, "0001", device_id=at, now=now).until is None

    looked_at = sum(wrong(people[number % 8], 1) for number in range(60))
    assert looked_at == 25  # at one device, whoever was meant
    assert sum(wrong(people[0], at) for at in range(10, 60)) == 15 - 4  # of one person, wherever
    assert pins.check_pin(people[1].pk, PIN, device_id=9, now=now).right


def test_s05_no_log_shows_the_pin_of_a_scan(floor: Floor) -> None:
    request = floor.request("L1", 1, "remove", by="B-lea", pin=PIN)
    assert PIN not in repr(request) + str(request)


def test_s05_a_scan_sent_again_does_not_try_its_pin_again(floor: Floor) -> None:
    person("lea", PLANT=Role.LEADER)
    tablet, told = device(floor), {"id": str(uuid4()), "code": floor.card("L1", 1).code, "intent": "remove"}
    answers = [tablet.post("/scans", **told, by="B-lea", pin="0001").json() for _ in range(8)]
    assert [each["replayed"] for each in answers] == [False] + [True] * 7
    assert tablet.scan(floor, 1, "remove", by="B-lea", pin=PIN)["outcome"] == "applied"


def test_s05_each_further_wrong_pin_waits_twice_as_long() -> None:
    who = Person.objects.create(username="lea", name="Lea")
    set_pin(who, PIN)
    now, waits = timezone.now(), []
    for _ in range(9):
        while (until := pins.check_pin(who.pk, "0001", device_id=None, now=now).until) is not None:
            waits.append((until - now).total_seconds() / 60)
            now = until
    assert waits == [5, 10, 20, 40]
    assert not pins.check_pin(who.pk, PIN, device_id=None, now=now).right
    later = now + timedelta(hours=1)
    assert pins.check_pin(who.pk, PIN, device_id=None, now=later).right
    assert_open_again(who, later)


def assert_open_again(who: Person, now: datetime) -> None:
    """A right PIN forgets the wrong ones of the badge."""
    for _ in range(4):
        assert pins.check_pin(who.pk, "0001", device_id=7, now=now).until is None
    assert pins.check_pin(who.pk, PIN, device_id=8, now=now).right


def test_s05_in_a_batch_each_scan_has_the_person_who_proved_it(floor: Floor) -> None:
    lea = person("lea", PLANT=Role.LEADER)
    codes = [floor.card("L1", number).code for number in (1, 2, 3)]
    said: list[dict[str, str]] = [{"by": "B-lea", "pin": PIN}, {"by": "B-lea"}, {}]
    scans = [
        {"id": str(uuid4()), "code": code, "intent": "remove", "reason": "x", **who}
        for code, who in zip(codes, said, strict=True)
    ]
    results = device(floor).post("/scans/batch", scans=scans).json()["results"]
    assert [each["outcome"] for each in results] == ["applied", "refused", "refused"]
    assert [on_record(each) for each in results] == [lea.pk, lea.pk, None]


# -- a PIN is set by command and in the administration -------------------------------------------------------
def test_s05_the_command_sets_makes_and_removes_a_pin(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lea = Person.objects.create(username="lea", name="Lea")
    call_command("pin", "lea", "--random")
    made = capsys.readouterr().out.strip()
    assert pins.check_pin(lea.pk, made, device_id=1, now=timezone.now()).right
    lea.refresh_from_db()
    assert lea.pin_hash.startswith("argon2")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PIN}\n"))
    call_command("pin", "lea")
    assert pins.check_pin(lea.pk, PIN, device_id=1, now=timezone.now()).right
    call_command("pin", "lea", "--remove")
    assert not pins.check_pin(lea.pk, PIN, device_id=1, now=timezone.now()).right
    for arguments, says in (
        (["nobody"], "no person 'nobody'"),
        (["lea", "--random", "--remove"], "one of them"),
    ):
        with pytest.raises(CommandError, match=says):
            call_command("pin", *arguments)


@pytest.mark.parametrize("pin", ["123", "123456789", "12a4", "0000", "1234", "４３２５", " 258"])
def test_s05_a_pin_that_is_none_or_the_first_one_tried_is_refused(pin: str) -> None:
    lea = Person.objects.create(username="lea", name="Lea")
    with pytest.raises(BadPin):
        set_pin(lea, pin)
    lea.refresh_from_db()
    assert lea.pin_hash == ""


def test_s05_the_administration_gives_a_pin_that_nobody_can_read() -> None:
    lea = Person.objects.create_user("lea", password="x", name="Lea")
    client = logged_in(Person.objects.create_superuser("root", password="x", name="Root"))
    address = f"/admin/accounts/person/{lea.pk}/change/"
    form = {"username": "lea", "name": "Lea", "language": "en", "is_active": "on"}
    assert b"neither all the same" in client.post(address, {**form, "pin": "1111"}).content
    assert client.post(address, {**form, "pin": PIN}).status_code == 302
    assert pins.check_pin(lea.pk, PIN, device_id=1, now=timezone.now()).right
    page = client.get(address).content.decode()
    lea.refresh_from_db()
    assert lea.pin_hash not in page
    assert f'value="{PIN}"' not in page
    assert client.post(address, {**form, "without_pin": "on"}).status_code == 302
    lea.refresh_from_db()
    assert lea.pin_hash == ""
