"""A02: every write takes an Idempotency-Key. The request again gets the first answer, another one is refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Device, WrongTries
from jitapp.accounts.pins import set_pin
from jitapp.api import keys, openapi
from jitapp.api.models import KeptAnswer
from jitapp.api.operations import WRITES
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant.devices import place_device
from jitapp.plant.models import Membership, Part
from jitapp.pull.models import AndonCall, Event, Settlement, Turn
from tests.floor import Floor

pytestmark = pytest.mark.django_db

PIN = "481516"
# What each write says at first, and what it says then under the same key; `{name}` is filled in by `places`. Where
# nothing is to be said the other request goes to another address.
WRITINGS: dict[str, tuple[str, Any, Any]] = {
    "put_parts_number": ("/parts/NUT", {"unit": "kg"}, {"unit": "g"}),
    "put_areas_code": ("/areas/HALL-2", {"name": "two"}, {"name": "three"}),
    "put_stations_code": ("/stations/PACK", {"kind": "PROCESS"}, {"kind": "SHIPPING"}),
    "put_loops_code": (
        "/loops/NEW",
        {
            "part": "SCREW",
            "demand": "LINE",
            "supply": "ACME",
            "kind": "SUPPLIER",
            "quantity": "5",
            "cards": 2,
        },
        {
            "part": "SCREW",
            "demand": "LINE",
            "supply": "ACME",
            "kind": "SUPPLIER",
            "quantity": "5",
            "cards": 3,
        },
    ),
    "put_suppliers_code": ("/suppliers/OTTO", {"name": "Otto"}, {"name": "Ottomar"}),
    "put_bills_part": (
        "/bills/BIKE",
        {"components": [{"part": "SCREW", "quantity": "4"}]},
        {"components": [{"part": "SCREW", "quantity": "5"}]},
    ),
    "post_upserts": (
        "/upserts",
        {"upserts": [{"type": "part", "number": "PIN"}]},
        {"upserts": [{"type": "part", "number": "PEN"}]},
    ),
    "post_turns_id_verb": ("/turns/{turn}/acknowledge", {}, {"promised_at": "2036-11-20T10:00:00+01:00"}),
    "post_turns_id_document": ("/turns/{turn}/document", {"document": "450"}, {"document": "451"}),
    "post_turns_id_fail": ("/turns/{turn}/fail", {"reason": "closed"}, {"reason": "cancelled"}),
    "post_loops_code_order": ("/loops/E1/order", {"quantity": "5"}, {"quantity": "6"}),
    "post_loops_code_change": ("/loops/S1/change", {"cards": "3"}, {"cards": "4"}),
    "post_loops_code_hold": ("/loops/S1/hold", {"reason": "audit"}, {"reason": "fire"}),
    "post_loops_code_resume": ("/loops/H1/resume", None, "/loops/S1/resume"),
    "post_loops_code_printed": ("/loops/S1/printed", None, "/loops/E1/printed"),
    "post_loops_code_retire": ("/loops/R1/retire", {"reason": "old"}, {"reason": "older"}),
    "post_tag_reads": ("/tag-reads", {"reads": [{"epc": "AA01"}]}, {"reads": [{"epc": "AA02"}]}),
    "put_tags_tag": ("/tags/AA01", {"card": "{card}"}, {"card": "{other_card}", "move": True}),
    "post_tags_tag_unbind": ("/tags/AA03/unbind", {"reason": "torn"}, {"reason": "worn"}),
    "put_bins_code": ("/bins/BIN-1", {"card": "{card}"}, {"card": "{other_card}"}),
    "post_print_jobs": ("/print-jobs", {"cards": ["{card}"]}, {"cards": ["{other_card}"]}),
    "post_calls": ("/calls", {"kind": "help", "station": "LINE"}, {"kind": "machine", "station": "LINE"}),
    "post_calls_id_take": ("/calls/{call}/take", {"by": "lea", "pin": PIN}, {"by": "ole", "pin": PIN}),
    "post_calls_id_solve": ("/calls/{call}/solve", {"reason": "worn"}, {"reason": "torn"}),
    "post_stations_code_states": ("/stations/LINE/states", {"kind": "down"}, {"kind": "no_operator"}),
    "post_stations_code_states_kind_end": ("/stations/OFF/states/down/end", {}, {"by": "lea"}),
    "post_stations_code_changeover": ("/stations/LINE/changeover", {"to_family": "A"}, {"to_family": "B"}),
    "post_stations_code_changeover_finish": ("/stations/OFF/changeover/finish", {}, {"by": "lea"}),
    "post_scans": (
        "/scans",
        {"id": "{scan}", "code": "{card}", "station": "LINE", "intent": "count", "quantity": "90"},
        {"id": "{other_scan}", "code": "{card}", "station": "LINE", "intent": "count", "quantity": "80"},
    ),
    "post_scans_batch": (
        "/scans/batch",
        {
            "scans": [
                {"id": "{scan}", "code": "{card}", "station": "LINE", "intent": "count", "quantity": "90"}
            ]
        },
        {"scans": [{"id": "{other_scan}", "code": "{card}", "station": "LINE"}]},
    ),
    "post_scans_id_settle": (
        "/scans/{parked}/settle",
        {"how": "discard", "by": "lea", "pin": PIN, "reason": "seen"},
        {"how": "discard", "by": "lea", "pin": PIN, "reason": "unseen"},
    ),
}
ELSEWHERE = {"post_turns_id_retry_document"}  # tests/erp/test_doors.py: it needs an ERP that refuses
BY_RECEIPT = {"post_turns_id_verb", "post_scans", "post_scans_batch"}


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("ACME", "SUPPLIER")
    floor.station("LINE")
    floor.station("OFF")
    floor.station("DOCK", "SHIPPING")
    floor.loop("S1", part="SCREW", supply="ACME", demand="LINE", kind="SUPPLIER", cards=2, quantity=100)
    floor.loop("H1", part="BELL", supply="LINE", demand="DOCK", cards=2)
    floor.loop("R1", part="HORN", supply="LINE", demand="DOCK", cards=2)
    floor.loop("E1", part="BIKE", supply="LINE", demand="DOCK", kind="EVENT", cards=0)
    for name in ("lea", "ole"):
        person = floor.person(name, badge=f"B-{name}")
        Membership.objects.create(person=person, plant=floor.plant, role=Role.LEADER)
        set_pin(person, PIN)
    Device.objects.update(kind=DeviceKind.ERP)
    return floor


@pytest.fixture
def client(floor: Floor) -> Client:
    return Client(headers={"Authorization": f"Bearer {floor.token}"})


@pytest.fixture
def places(floor: Floor, client: Client) -> dict[str, str]:
    """What the addresses and bodies name."""
    early, parked = floor.now + timedelta(minutes=1), uuid4()
    floor.scan("S1", 1, "empty")
    floor.scan("H1", 1, "empty", after=10)
    assert floor.scan("H1", 1, "start", id=parked, occurred_at=early)["outcome"] == "parked"

    def post(path: str, body: Any) -> Any:
        answer = client.post(f"/api/v1{path}", body, content_type="application/json")
        assert answer.status_code == 200, answer.content
        return answer.json()

    post("/loops/H1/hold", {"reason": "audit"})
    post("/stations/OFF/changeover", {"to_family": "A"})
    post("/stations/OFF/states", {"kind": "down"})
    bound = {"card": floor.card("S1", 2).code}
    assert client.put("/api/v1/tags/AA03", bound, content_type="application/json").status_code == 200
    return {
        "turn": str(floor.turn("S1", 1).uuid),
        "card": floor.card("S1", 2).code,
        "other_card": floor.card("R1", 1).code,
        "call": post("/calls", {"kind": "help", "station": "LINE"})["id"],
        "scan": str(uuid4()),
        "other_scan": str(uuid4()),
        "parked": str(parked),
    }


def filled(written: Any, places: dict[str, str]) -> Any:
    """The same with its places filled in."""
    if isinstance(written, str):
        return written.format(**places) if written.startswith(("/", "{")) else written
    if isinstance(written, dict):
        return {name: filled(value, places) for name, value in written.items()}
    return [filled(value, places) for value in written] if isinstance(written, list) else written


def sender(client: Client, method: str) -> Callable[[str, Any, str], Any]:
    def send(path: str, body: Any, key: str) -> Any:
        return client.generic(
            method.upper(),
            f"/api/v1{path}",
            b"" if body is None else msgspec.json.encode(body),
            content_type="application/json",
            headers={"Idempotency-Key": key} if key else {},
        )

    return send


def test_a02_every_write_of_the_api_is_in_the_table_and_takes_a_key() -> None:
    writing = [operation for operation in openapi.OPERATIONS if operation.method in WRITES]
    assert {operation.id for operation in writing} == WRITINGS.keys() | ELSEWHERE
    for operation in writing:
        named = [(each.name, each.place) for each in operation.parameters]
        assert named.count(("Idempotency-Key", "header")) == 1, operation.id
        assert 409 in operation.statuses, operation.id


@pytest.mark.parametrize("name", WRITINGS)
def test_a02_a_write_again_gets_its_first_answer(client: Client, places: dict[str, str], name: str) -> None:
    path, body, other = filled(list(WRITINGS[name]), places)
    send = sender(client, name.partition("_")[0])
    first = send(path, body, "key 17")
    assert first.status_code in (200, 201), first.content
    assert "Idempotent-Replayed" not in first.headers
    stood = standing()
    again = send(path, body, "key 17")
    if name == "post_scans_batch":
        (one,) = again.json()["results"]
        assert one["replayed"]
    else:
        assert again.headers["Idempotent-Replayed"] == "true"
    if name in BY_RECEIPT:
        assert again.status_code == 200
    else:
        assert (again.status_code, again.content, again.headers.get("ETag")) == (
            first.status_code,
            first.content,
            first.headers.get("ETag"),
        )
    differs = send(other, None, "key 17") if isinstance(other, str) else send(path, other, "key 17")
    assert (differs.status_code, differs.json()["code"]) == (409, "key_reused"), differs.content
    assert standing() == stood


def standing() -> tuple[object, ...]:
    """What a second doing would change."""
    parts = list(Part.objects.order_by("pk").values_list("number", "unit", "version"))
    return (
        Event.objects.count(),
        Turn.objects.count(),
        AndonCall.objects.count(),
        Settlement.objects.count(),
        parts,
    )


def test_a02_an_order_without_its_key_is_another_order(client: Client, places: dict[str, str]) -> None:
    send = sender(client, "post")
    turns = {send("/loops/E1/order", {"quantity": "5"}, key).json()["turn"] for key in ("a", "a", "b", "")}
    assert len(turns) == 3


def test_a02_what_was_refused_frees_its_key(client: Client, floor: Floor) -> None:
    put = sender(client, "put")
    missing = {"components": [{"part": "RIM", "quantity": "2"}]}
    assert put("/bills/BIKE", missing, "k").json()["code"] == "unknown_reference"
    floor.part("RIM")
    assert put("/bills/BIKE", missing, "k").status_code == 201
    assert put("/bills/BIKE", missing, "k").headers["Idempotent-Replayed"] == "true"


def test_a02_keys_belong_to_their_device_and_are_kept_a_while(client: Client) -> None:
    put = sender(client, "put")
    put("/parts/NUT", {}, "k")
    other = Client(headers={"Authorization": f"Bearer {place_device('b', DeviceKind.ERP, plant='PLANT')}"})
    assert sender(other, "put")("/parts/NUT", {"unit": "g"}, "k").status_code == 200
    assert put("/parts/NUT", {}, "k" * 201).json()["code"] == "malformed"
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(days=keys.KEPT_DAYS, seconds=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_swept", time.monotonic() - 3_601)
        assert put("/parts/NUT", {"unit": "kg"}, "k").json()["unit"] == "kg"
    assert KeptAnswer.objects.count() == 1


def test_a02_a_wrong_pin_counts_and_its_print_is_not_kept(client: Client, places: dict[str, str]) -> None:
    send, path = sender(client, "post"), f"/calls/{places['call']}/take"
    for _ in range(2):
        assert send(path, {"by": "lea", "pin": "000000"}, "k").json()["code"] == "pin_wrong"
    assert {tries.wrong for tries in WrongTries.objects.all()} == {2}
    assert send(path, {"by": "lea", "pin": PIN}, "k").status_code == 200
    kept = KeptAnswer.objects.get(key="k").fingerprint
    assert kept == keys.fingerprint("POST", f"/api/v1{path}", [], {"by": "lea", "pin": None})


@pytest.mark.django_db(transaction=True)
def test_a02_two_at_once_under_one_key_are_one_order(client: Client, places: dict[str, str]) -> None:
    send, ready, answers = sender(client, "post"), threading.Barrier(2), []

    def order() -> None:
        ready.wait(10)
        answers.append(send("/loops/E1/order", {"quantity": "5"}, "k"))
        connection.close()

    threads = [threading.Thread(target=order) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len({answer.content for answer in answers}) == 1
    assert sorted("Idempotent-Replayed" in answer.headers for answer in answers) == [False, True]
    assert Turn.objects.filter(loop__code="E1").count() == 1
