"""Whatever a client sends, the scan doors answer as the contract says; never a 5xx while the store can be reached."""

from __future__ import annotations

import http.client
import io
import json
import socket
import string
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections, connection
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django.live_server_helper import LiveServer

from jitapp.accounts.models import Device, new_token, new_uuid, token_hash
from jitapp.api.shortcut import shortcut
from jitapp.api.throttle import Buckets
from jitapp.kanban.vocabulary import DeviceKind, Intent
from jitapp.plant.models import Placement, Station
from jitapp.pull import sources
from jitapp.pull.models import Card, Event, Receipt
from tests.floor import Floor

pytestmark = pytest.mark.django_db

ONE, MANY = "/api/v1/scans", "/api/v1/scans/batch"


Sent = tuple[int, dict[str, str], Any]


def django_way(method: str, path: str, raw: bytes, headers: dict[str, str]) -> Sent:
    """Through Django's handlers and middleware, as other WSGI servers and proxies may mount it."""
    response = Client().generic(method, path, raw, content_type="application/json", headers=headers)
    return response.status_code, dict(response.items()), json.loads(response.content or b"null")


def short_way(method: str, path: str, raw: bytes, headers: dict[str, str]) -> Sent:
    """Past Django's handlers, as the installation runs it (jitapp/wsgi.py)."""
    seen: list[Any] = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(raw)),
        "wsgi.input": io.BytesIO(raw),
    } | {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    answer = b"".join(SHORTCUT(environ, lambda *given: seen.extend(given)))
    return int(seen[0].split()[0]), dict(seen[1]), json.loads(answer or b"null")


SHORTCUT = shortcut(WSGIHandler())
WAYS = {"the short way": short_way, "Django's way": django_way}


@dataclass
class Door:
    """The two addresses, and a floor behind them."""

    floor: Floor
    way: Callable[[str, str, bytes, dict[str, str]], Sent] = short_way

    def send(self, raw: bytes, *, to: str = ONE, method: str = "POST", token: str | None = None) -> Sent:
        """(status, headers, what came back)."""
        bearer = self.floor.token if token is None else token
        return self.way(method, to, raw, {"Authorization": f"Bearer {bearer}"})

    def post(self, body: Any, *, token: str | None = None, to: str = ONE) -> tuple[int, Any]:
        """Bytes and text go as they are, anything else as JSON; (status, what came back)."""
        raw = (
            body
            if isinstance(body, bytes)
            else (body if isinstance(body, str) else json.dumps(body)).encode()
        )
        status, headers, answer = self.send(raw, to=to, token=token)
        assert headers["Content-Type"] == (
            "application/json" if status == 200 else "application/problem+json"
        )
        if status != 200:
            assert answer["status"] == status
            assert answer["code"]
            assert answer["detail"].endswith(".")
        return status, answer

    def scan(self, number: int = 1, intent: str | None = "empty", **more: Any) -> tuple[int, Any]:
        """A good scan of a card of L1, with whatever is different about it."""
        at_supply = intent in ("start", "complete", "load", "abort")
        body = {
            "id": str(new_uuid()),
            "code": self.floor.card("L1", number).code,
            "station": "SMT" if at_supply else "TEST",
            "intent": intent,
        } | more
        return self.post({name: value for name, value in body.items() if value is not None})

    def device(self, name: str, *, station: Station | None = None, kind: str = "scanner") -> str:
        """A further device's token."""
        token = new_token()
        device = Device.objects.create(name=name, kind=DeviceKind(kind), token_hash=token_hash(token))
        Placement.objects.create(device=device, plant=self.floor.plant, station=station)
        return token


def a_floor() -> Floor:
    # A day ago: the scans of these tests carry the clock on the wall.
    floor = Floor(now=timezone.now() - timedelta(days=1))
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    return floor


@pytest.fixture
def door() -> Door:
    return Door(a_floor())


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
def either_door(request: pytest.FixtureRequest) -> Door:
    """The same doors by either way."""
    return Door(a_floor(), request.param)


# -- the answer ----------------------------------------------------------------------------------------
def test_an_applied_scan_is_answered_with_every_member_of_the_contract(either_door: Door) -> None:
    door = either_door
    id = str(new_uuid())
    status, answer = door.scan(id=id)
    assert status == 200
    card, turn = answer.pop("card"), answer.pop("turn")
    recorded = datetime.fromisoformat(answer.pop("recorded_at"))
    assert recorded.utcoffset() is not None
    assert (answer.pop("sound"), answer.pop("state")) == (
        "rising",
        "applied",
    )  # beside the contract's members
    # Members are only ever added.
    assert (
        answer
        | {
            "id": id,
            "outcome": "applied",
            "replayed": False,
            "code": "emptied",
            "message": "BOARD card 1 of 2 is EMPTY. Asked Smt to make 4.",
            "next": "Put the bin on the return rack.",
        }
        == answer
    )
    assert (
        card
        | {
            "code": door.floor.card("L1", 1).code,
            "loop": "L1",
            "part": "BOARD",
            "number": 1,
            "of": 2,
            "card_status": "IN_CIRCULATION",
            "supply_status": "EMPTY",
        }
        == card
    )
    assert (turn["number"], turn["signal_state"]) == (1, "RELEASED")
    assert datetime.fromisoformat(turn["due_at"]).utcoffset() is not None


def test_a_repeat_gets_the_stored_words_and_says_that_it_is_one(door: Door) -> None:
    body = {
        "id": str(new_uuid()),
        "code": door.floor.card("L1", 1).code,
        "station": "TEST",
        "intent": "empty",
    }
    first = door.post(body)
    status, headers, again = door.send(json.dumps(body).encode())
    assert (status, again) == (200, first[1] | {"replayed": True})
    assert headers["Idempotent-Replayed"] == "true"
    # The counters and `sent_at` of a repeat may differ: they say nothing about the scan.
    assert door.post(body | {"seq": 9, "sent_at": timezone.now().isoformat()})[1]["replayed"]


@pytest.mark.parametrize(
    "other",
    [
        {"code": "KB000000000"},
        {"station": "SMT"},
        {"intent": "open"},
        {"occurred_at": "2026-01-01T00:00:00Z"},
        {"quantity": "3"},
        {"reason": "short"},
        {"by": "mia"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_an_id_used_for_another_scan_is_409_and_changes_nothing(door: Door, other: dict[str, str]) -> None:
    body = {
        "id": str(new_uuid()),
        "code": door.floor.card("L1", 1).code,
        "station": "TEST",
        "intent": "empty",
    }
    door.post(body)
    before = (Event.objects.count(), Receipt.objects.count())
    status, problem = door.post(body | other)
    assert (status, problem["code"], problem["id"]) == (409, "scan_id_reused", body["id"])
    assert (Event.objects.count(), Receipt.objects.count()) == before


@pytest.mark.parametrize(
    ("same", "written"),
    [("quantity", ("4", "4.0")), ("occurred_at", ("2026-01-01T10:00:00+01:00", "2026-01-01T09:00:00Z"))],
)
def test_the_same_content_written_differently_is_a_repeat(
    door: Door, same: str, written: tuple[str, str]
) -> None:
    body = {"id": str(new_uuid()), "code": door.floor.card("L1", 1).code, "station": "TEST", "intent": "open"}
    assert door.post(body | {same: written[0]})[1]["replayed"] is False
    assert door.post(body | {same: written[1]})[1]["replayed"] is True


# -- what a scan without an intent means ---------------------------------------------------------------
@pytest.mark.parametrize("address", [ONE, MANY])
def test_a_byte_order_mark_before_the_scan_is_no_part_of_it(either_door: Door, address: str) -> None:
    code = either_door.floor.card("L1", 1).code
    scan = {"id": str(new_uuid()), "code": code, "station": "TEST", "intent": "empty"}
    body = scan if address == ONE else {"scans": [scan]}
    status, answer = either_door.post(b"\xef\xbb\xbf" + json.dumps(body).encode(), to=address)
    assert status == 200, answer
    assert (answer if address == ONE else answer["results"][0])["outcome"] == "applied"


def test_the_defaults_at_the_supply_source_are_start_complete_load(door: Door) -> None:
    floor = door.floor
    floor.scan("L1", 1, "empty")
    for status in ("IN_PROCESS", "COMPLETED", "IN_TRANSIT"):
        floor.scan("L1", 1, None, at="SMT", after=2)
        assert floor.status("L1")[0] == status
    assert floor.scan("L1", 1, None, at="SMT", after=2)["outcome"] == "already"


def test_the_defaults_at_the_demand_source_are_empty_and_receive_and_an_empty_card_is_never_received(
    door: Door,
) -> None:
    floor = door.floor
    assert floor.scan("L1", 1, None, at="TEST")["code"] == "emptied"
    assert floor.scan("L1", 1, None, at="TEST", after=60)["outcome"] == "already"
    assert floor.status("L1")[0] == "EMPTY"
    for intent in ("start", "complete"):
        floor.scan("L1", 1, intent)
    assert floor.scan("L1", 1, None, at="TEST")["code"] == "received"
    assert floor.scan("L1", 2, None, at="TEST")["code"] == "emptied", "IN_USE is emptied"


def test_a_default_never_moves_a_card_twice_at_one_station_within_60_seconds(door: Door) -> None:
    floor = door.floor
    floor.scan("L1", 1, "empty")
    for wait, outcome in ((59 / 60, "already"), (2 / 60, "applied")):
        if outcome == "already":
            assert floor.scan("L1", 1, None, at="SMT")["outcome"] == "applied"
        assert floor.scan("L1", 1, None, at="SMT", after=wait)["outcome"] == outcome
    assert floor.status("L1")[0] == "COMPLETED"
    # At the other end it is another station, and a named intent is no default.
    assert floor.scan("L1", 1, None, at="TEST", after=0.1)["code"] == "received"
    assert floor.scan("L1", 1, "empty", after=0.1)["code"] == "emptied"


def test_the_same_device_reading_twice_is_bounced_and_another_device_is_told_already(door: Door) -> None:
    assert door.scan()[1]["outcome"] == "applied"
    status, answer = door.scan()
    assert (status, answer["outcome"], answer["code"]) == (200, "bounced", "bounced")
    other = door.device("second scanner")
    body = {
        "id": str(new_uuid()),
        "code": door.floor.card("L1", 1).code,
        "station": "TEST",
        "intent": "empty",
    }
    status, answer = door.post(body, token=other)
    assert (status, answer["outcome"]) == (200, "already")
    assert Receipt.objects.count() == 3


def test_outcomes_are_words_of_the_contract_and_a_refusal_says_what_to_do_next(door: Door) -> None:
    for answer in (
        door.scan(intent="start")[1],
        door.scan(station="NOWHERE")[1],
        door.scan(intent="dance")[1],
        door.scan(code="4006381333931")[1],
        door.scan(station="SMT")[1],
    ):
        assert answer["outcome"] == "refused"
        assert answer["code"]
        assert answer["message"].strip()
        assert answer["next"].strip()
    late = door.scan()[1], door.scan(intent="start", occurred_at="2026-01-01T00:00:00Z")[1]
    assert [answer["outcome"] for answer in late] == ["applied", "parked"]


# -- who may -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer jit_no", "bearer \x7f", "é" * 9]
)
def test_without_a_known_token_it_is_401(either_door: Door, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    status, headers, problem = either_door.way("POST", ONE, b"{", headers)
    assert (status, problem["code"]) == (401, "token_unknown")
    assert headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_token_ends_within_a_second(door: Door) -> None:
    assert door.scan()[0] == 200
    door.floor.device.active = False
    door.floor.device.save()
    time.sleep(sources.REMEMBERED_SECONDS + 0.05)
    assert door.scan()[0] == 401


def test_a_card_of_another_plant_is_unknown_and_nothing_of_it_is_told(door: Door) -> None:
    other = Floor(plant_code="OTHER")
    status, answer = door.post(
        {"id": str(new_uuid()), "code": door.floor.card("L1", 1).code, "intent": "empty"}, token=other.token
    )
    assert (status, answer["outcome"], answer["code"]) == (200, "refused", "unknown_card")
    assert answer["card"] is None
    assert answer["turn"] is None
    assert "BOARD" not in json.dumps(answer)
    assert door.floor.status("L1") == ["FULL", "FULL"]


def test_the_scan_id_of_another_plant_gives_nothing_of_its_answer_away(door: Door) -> None:
    """Whoever guesses an id must guess the whole scan as well to see the stored answer."""
    body = {
        "id": str(new_uuid()),
        "code": door.floor.card("L1", 1).code,
        "station": "TEST",
        "intent": "empty",
    }
    door.post(body)
    other = Floor(plant_code="OTHER")
    status, answer = door.post(body, token=other.token)
    assert status in (200, 409)
    assert "BOARD" not in json.dumps(answer)


def test_a_device_that_stands_at_a_station_scans_there_and_nowhere_else(door: Door) -> None:
    token = door.device("at the test", station=Station.objects.get(code="TEST"))
    code = door.floor.card("L1", 1).code
    answer = door.post({"id": str(new_uuid()), "code": code}, token=token)[1]
    assert answer["code"] == "emptied"
    answer = door.post({"id": str(new_uuid()), "code": code, "station": "SMT"}, token=token)[1]
    assert (answer["outcome"], answer["code"]) == ("refused", "wrong_device_station")


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head", "options"])
@pytest.mark.parametrize("address", [ONE, MANY])
def test_another_method_is_405(either_door: Door, method: str, address: str) -> None:
    assert either_door.send(b"", to=address, method=method.upper())[0] == 405


# -- what cannot be read -------------------------------------------------------------------------------
def good(door: Door) -> str:
    return json.dumps({"id": str(new_uuid()), "code": door.floor.card("L1", 1).code, "station": "TEST"})


TORN = {
    "nothing": b"",
    "blank": b"  \n",
    "cut off": b'{"id": "01a1fc44-1308-7099-a925-3d287664d778", "co',
    "not JSON": b"id=1&code=2",
    "not UTF-8": b'{"id": "01a1fc44-1308-7099-a925-3d287664d778", "code": "\xff\xfe"}',
    "UTF-16": '{"id": "01a1fc44-1308-7099-a925-3d287664d778", "code": "x"}'.encode("utf-16"),
    "a NaN": b'{"id": "01a1fc44-1308-7099-a925-3d287664d778", "code": "x", "quantity": NaN}',
    "an Infinity": b'{"id": "01a1fc44-1308-7099-a925-3d287664d778", "code": "x", "quantity": -Infinity}',
    "two objects": b"{}{}",
    "deeply nested": b"[" * 8000,
    "deeply nested in a member": b'{"id": "01a1fc44-1308-7099-a925-3d287664d778", "code": "x", "z": '
    + b"[" * 7000
    + b"]" * 7000
    + b"}",
    "a raw control character": b'{"id": "01a1fc44-1308-7099-a925-3d287664d778", "code": "a\x00b"}',
    "a broken escape": b'{"id": "01a1fc44-1308-7099-a925-3d287664d778", "code": "\\uZZZZ"}',
}


@pytest.mark.parametrize("body", TORN.values(), ids=TORN.keys())
@pytest.mark.parametrize("address", [ONE, MANY])
def test_what_is_no_json_is_400_or_422(either_door: Door, address: str, body: bytes) -> None:
    door = either_door
    status, _ = door.post(body, to=address)
    assert status in (400, 422)
    if address == MANY:
        status, answer = door.post(b'{"scans": [' + body + b"," + good(door).encode() + b"]}", to=MANY)
        assert status in (200, 400, 422)
        if status == 200:
            assert answer["results"][-1]["outcome"] == "applied"
    assert not Receipt.objects.filter(card=None).exists()


UNREADABLE = {
    "an array": "[]",
    "a string": '"scan"',
    "null": "null",
    "no id": {"code": "x"},
    "no code": {"id": str(new_uuid())},
    "an id that is none": {"id": "17", "code": "x"},
    "an id that is a number": {"id": 17, "code": "x"},
    "a code that is a number": {"id": str(new_uuid()), "code": 17},
    "a code that is null": {"id": str(new_uuid()), "code": None},
    "a code that is too long": {"id": str(new_uuid()), "code": "x" * 4097},
    "a station that is an object": {"id": str(new_uuid()), "code": "x", "station": {}},
    "a station that is too long": {"id": str(new_uuid()), "code": "x", "station": "x" * 61},
    "an intent that is a list": {"id": str(new_uuid()), "code": "x", "intent": ["empty"]},
    "a time that is none": {"id": str(new_uuid()), "code": "x", "occurred_at": "yesterday"},
    "a time without offset": {"id": str(new_uuid()), "code": "x", "occurred_at": "2026-11-21T09:00:00"},
    "a time that is a number": {"id": str(new_uuid()), "code": "x", "occurred_at": 1e30},
    "the 30th of February": {"id": str(new_uuid()), "code": "x", "occurred_at": "2026-02-30T09:00:00Z"},
    "the year 10000": {"id": str(new_uuid()), "code": "x", "occurred_at": "10000-01-01T09:00:00Z"},
    "an instant before the first": {
        "id": str(new_uuid()),
        "code": "x",
        "occurred_at": "0001-01-01T00:00:00+14:00",
    },
    "an instant after the last": {"id": str(new_uuid()), "code": "x", "sent_at": "9999-12-31T23:59:59-14:00"},
    "a promise of the last instant": {
        "id": str(new_uuid()),
        "code": "x",
        "promised_at": "9999-12-31T23:59:59+00:00",
    },
    "a promise of the first instant": {
        "id": str(new_uuid()),
        "code": "x",
        "promised_at": "0001-01-01T00:00:00+00:00",
    },
    "a quantity that is a word": {"id": str(new_uuid()), "code": "x", "quantity": "many"},
    "a quantity with a unit": {"id": str(new_uuid()), "code": "x", "quantity": "12 pcs"},
    "a quantity called NaN": {"id": str(new_uuid()), "code": "x", "quantity": "NaN"},
    "a quantity called Infinity": {"id": str(new_uuid()), "code": "x", "quantity": "Infinity"},
    "a quantity with an exponent": {"id": str(new_uuid()), "code": "x", "quantity": "1e3"},
    "a huge quantity": {"id": str(new_uuid()), "code": "x", "quantity": "9" * 40},
    "1e400": '{"id": "01a1fc44-1308-7099-a925-3d287664d778", "code": "x", "quantity": 1e400}',
    "a number of 5000 digits": '{"id": "01a1fc44-1308-7099-a925-3d287664d778", "code": "x", "quantity": '
    + "7" * 5000
    + "}",
    "an epoch of 5000 digits": '{"id": "01a1fc44-1308-7099-a925-3d287664d778", "code": "x", "epoch": '
    + "7" * 5000
    + "}",
    "a counter of 5000 digits": '{"id": "01a1fc44-1308-7099-a925-3d287664d778", "code": "x", "seq": '
    + "7" * 5000
    + "}",
    "a counter beyond 64 bits": {"id": str(new_uuid()), "code": "x", "seq": 2**63},
    "a counter with a fraction": {"id": str(new_uuid()), "code": "x", "seq": 1.5},
    "a promise without offset": {"id": str(new_uuid()), "code": "x", "promised_at": "2026-11-21T09:00:00"},
    "checks that are a word": {"id": str(new_uuid()), "code": "x", "checks": "guard"},
    "too many checks": {"id": str(new_uuid()), "code": "x", "checks": ["x"] * 51},
    "a pair that is too long": {"id": str(new_uuid()), "code": "x", "pair": "x" * 4097},
    "a reason that is a truth": {"id": str(new_uuid()), "code": "x", "reason": True},
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_member_that_cannot_be_read_is_422_and_costs_no_other_scan_of_a_batch(
    door: Door, body: Any
) -> None:
    status, problem = door.post(body)
    assert status == 422, problem
    assert not Receipt.objects.exists()
    text = body if isinstance(body, str) else json.dumps(body)
    status, answer = door.post(f'{{"scans": [{text}, {good(door)}, {text}]}}', to=MANY)
    assert status == 200
    assert [result.get("status", result.get("outcome")) for result in answer["results"]] == [
        422,
        "applied",
        422,
    ]


ODD = {
    "NUL in the code": {"code": "KB\x0012345678"},
    "NUL in the station": {"station": "TE\x00ST"},
    "NUL in the intent": {"intent": "\x00"},
    "NUL in the reason": {"reason": "short\x00"},
    "NUL in the badge": {"by": "\x00"},
    "NUL in the epoch": {"epoch": "\x00" * 64},
    "a lone surrogate in the code": {"code": "KB\ud83d12345678"},
    "a lone surrogate in the station": {"station": "\udc00"},
    "a lone surrogate in the intent": {"intent": "\ud800"},
    "a lone surrogate in the reason": {"reason": "\ud800"},
    "a lone surrogate in the badge": {"by": "\ud800"},
    "a lone surrogate in the epoch": {"epoch": "\ud800" * 10},
    "a code of 4 kB": {"code": "x" * 4096},
    "a code of 4 kB of control characters": {"code": "\x01" * 2048},
    "a code of braces": {"code": "{part} {0} %s %(x)s"},
    "a station of braces": {"station": "{part!r} {0.__class__}"},
    "a right-to-left override": {"reason": "\u202e\u2066\ufeff", "by": "\u202e"},
    "an empty code": {"code": ""},
    "empty members": {"station": "", "intent": "", "reason": "", "by": "", "quantity": "", "epoch": ""},
    "the first instant": {"occurred_at": "0001-01-01T00:00:00+00:00"},
    "the last instant": {"occurred_at": "9999-12-31T23:59:59.999999+00:00"},
    "the first instant, sent then": {
        "occurred_at": "0001-01-01T00:00:00+00:00",
        "sent_at": "0001-01-01T00:00:00+00:00",
    },
    "the last instant, sent at the first": {
        "occurred_at": "9999-12-31T23:59:59+00:00",
        "sent_at": "0001-01-01T00:00:00+00:00",
    },
    "the first instant, sent at the last": {
        "occurred_at": "0001-01-01T00:00:00+00:00",
        "sent_at": "9999-12-31T23:59:59+00:00",
    },
    "a clock that was never set": {"occurred_at": "1970-01-01T00:00:07Z"},
    "a negative quantity": {"quantity": "-4"},
    "minus nothing": {"quantity": "-0"},
    "a quantity of a millionth": {"quantity": "0.000001"},
    "a quantity in another script": {"quantity": "\u0664"},
    "a quantity as a float": {"quantity": 4.0},
    "the least counter": {"seq": -(2**63), "epoch": 2**63},
    "NUL in the status, the pair and a check": {"status": "\x00", "pair": "\x00", "checks": ["\x00"]},
    "surrogates in the status, the pair and a check": {
        "status": "\udc00",
        "pair": "\udc00",
        "checks": ["\udc00"],
    },
    "a pair that is no card": {"pair": "x" * 4096},
    "a pair that is not known": {"pair": "KB000000000"},
    "a member nobody knows": {"colour": {"deep": [1, [2, [3]]]}},
    "SQL in every member": dict.fromkeys(
        ("code", "station", "intent", "by", "reason"), "'; DROP TABLE x; --"
    ),
    "HTML in every member": dict.fromkeys(("code", "station", "by", "reason"), "<img onerror=alert(1)>"),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("intent", ["empty", "receive", None])
def test_what_is_only_odd_is_recorded_and_answered_and_can_be_asked_for_again(
    door: Door, odd: dict[str, Any], intent: str | None
) -> None:
    body = {
        "id": str(new_uuid()),
        "code": door.floor.card("L1", 1).code,
        "station": "TEST",
        "intent": intent,
    } | odd
    status, answer = door.post(json.dumps(body))
    assert status == 200, answer
    again = door.post(json.dumps(body))
    assert again == (200, answer | {"replayed": True})
    receipt = Receipt.objects.get(scan_id=body["id"])
    assert receipt.answer == answer
    assert receipt.occurred_at <= receipt.recorded_at
    assert len(receipt.raw) <= 4096
    for card in Card.objects.all():  # what was stored can be read again, and lies in our time
        assert card.moved_at is None or card.moved_at.year > 2000
    assert not Event.objects.filter(occurred_at__year__lt=2000).exists()


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_an_odd_scan_costs_no_other_of_its_batch(door: Door, odd: dict[str, Any]) -> None:
    first = {
        "id": str(new_uuid()),
        "code": door.floor.card("L1", 1).code,
        "station": "TEST",
        "intent": "empty",
    }
    other = first | {"id": str(new_uuid()), "code": door.floor.card("L1", 2).code}
    status, answer = door.post({"scans": [first, other | {"id": str(new_uuid())} | odd, other]}, to=MANY)
    assert status == 200
    assert len(answer["results"]) == 3
    assert answer["results"][0]["outcome"] == "applied"
    assert answer["results"][2]["outcome"] in ("applied", "already", "bounced")


def test_a_time_of_the_future_is_taken_as_now(door: Door) -> None:
    answer = door.scan(occurred_at=(timezone.now() + timedelta(days=2)).isoformat())[1]
    assert answer["outcome"] == "applied"
    event = Event.objects.get(type="scan.applied")
    assert timezone.now() - timedelta(minutes=1) < event.occurred_at <= event.recorded_at


@pytest.mark.parametrize(
    "skew", [timedelta(days=2), -timedelta(days=2), timedelta(seconds=90), timedelta(days=-9000)]
)
def test_a_wrong_clock_is_put_right_by_what_it_says_of_now(door: Door, skew: timedelta) -> None:
    """Two days off, scanned ten minutes ago by that same clock."""
    theirs = timezone.now() + skew
    answer = door.scan(occurred_at=(theirs - timedelta(minutes=10)).isoformat(), sent_at=theirs.isoformat())[
        1
    ]
    assert answer["outcome"] == "applied"
    ago = timezone.now() - Event.objects.get(type="scan.applied").occurred_at
    assert timedelta(minutes=9) < ago < timedelta(minutes=11)


def test_our_own_clock_set_back_ten_minutes_changes_no_order_and_parks_no_scan(door: Door) -> None:
    floor = door.floor
    floor.scan("L1", 1, "empty")
    floor.now -= timedelta(minutes=10)
    for intent in ("start", "complete", "receive"):
        assert floor.scan("L1", 1, intent)["outcome"] == "applied"
    times = list(Event.objects.order_by("loop_seq").values_list("occurred_at", "recorded_at"))
    assert times == sorted(times)
    card, last = floor.card("L1", 1), Event.objects.filter(type="scan.applied").order_by("loop_seq").last()
    assert last is not None
    assert card.moved_at == last.occurred_at, "the present is what the ledger says"


# -- sizes ---------------------------------------------------------------------------------------------
def test_a_body_that_is_too_large_is_413(either_door: Door) -> None:
    door = either_door
    for address, size in ((ONE, 16_385), (MANY, 1_000_001), (MANY, 3_000_000)):
        status, problem = door.post(b" " * size, to=address)
        assert (status, problem["code"]) == (413, "body_too_large")


def test_500_scans_are_taken_and_501_are_too_many(door: Door) -> None:
    scan = {"code": "x", "station": "TEST"}
    many = [scan | {"id": str(new_uuid())} for _ in range(501)]
    status, problem = door.post({"scans": many}, to=MANY)
    assert (status, problem["code"]) == (413, "too_many_scans")
    assert not Receipt.objects.exists()
    status, answer = door.post({"scans": many[:500]}, to=MANY)
    assert status == 200
    assert [result["id"] for result in answer["results"]] == [one["id"] for one in many[:500]]
    assert door.post({"scans": []}, to=MANY) == (200, {"results": []})


def test_a_batch_knows_repeats_and_conflicts_inside_itself_and_from_before(door: Door) -> None:
    code = [door.floor.card("L1", number).code for number in (1, 2)]
    one = {"id": str(new_uuid()), "code": code[0], "station": "TEST", "intent": "empty"}
    two = {"id": str(new_uuid()), "code": code[1], "station": "TEST", "intent": "empty"}
    door.post(one)
    answer = door.post(
        {"scans": [one, one | {"code": code[1]}, two, two, two | {"reason": "x"}, 17]}, to=MANY
    )[1]
    shown = [
        (result.get("outcome"), result.get("replayed"), result.get("status")) for result in answer["results"]
    ]
    assert shown == [
        ("applied", True, None),
        (None, None, 409),
        ("applied", False, None),
        ("applied", True, None),
        (None, None, 409),
        (None, None, 422),
    ]


# -- anything at all -----------------------------------------------------------------------------------
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
words = st.text(st.characters(codec=None), max_size=70) | st.sampled_from(
    ["", "TEST", "SMT", "empty", "start", "undo"]
)
instants = st.datetimes(timezones=st.timezones() | st.just(UTC)).map(lambda at: at.isoformat()) | words
scan_like = st.fixed_dictionaries(
    {"id": st.uuids().map(str) | words, "code": words | st.just("a card")},
    optional={
        "station": words | st.sampled_from(["TEST", "SMT"]),
        "intent": st.sampled_from([intent.value for intent in Intent]) | words,
        "occurred_at": instants,
        "sent_at": instants,
        "quantity": st.decimals().map(str) | st.integers() | st.floats() | words,
        "reason": words,
        "by": words,
        "status": words | st.sampled_from(["FULL", "EMPTY", "WAIT", "ERROR"]),
        "pair": words | st.just("a card"),
        "promised_at": instants,
        "checks": st.lists(words, max_size=3) | words,
        "seq": st.integers() | words,
        "epoch": st.integers() | words,
        "extra": anything,
    },
)
# Each example finds the floor as the one before left it: that is what a floor is.
on_one_floor = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@on_one_floor
@given(body=scan_like | anything)
def test_no_scan_that_can_be_made_up_is_answered_with_a_5xx(door: Door, body: Any) -> None:
    if isinstance(body, dict) and body.get("code") == "a card":
        body["code"] = door.floor.card("L1", 1).code
    assert door.post(json.dumps(body))[0] in (200, 400, 409, 413, 422)


@on_one_floor
@given(bodies=st.lists(scan_like | anything, max_size=6) | anything)
def test_no_batch_that_can_be_made_up_is_answered_with_a_5xx(door: Door, bodies: Any) -> None:
    code = door.floor.card("L1", 2).code
    if isinstance(bodies, list):
        for body in bodies:
            if isinstance(body, dict) and body.get("code") == "a card":
                body["code"] = code
    status, answer = door.post(json.dumps({"scans": bodies}), to=MANY)
    assert status in (200, 400, 413, 422)
    if status == 200:
        assert len(answer["results"]) == len(bodies)
        assert all(
            result.get("status") in (400, 409, 422) or "outcome" in result for result in answer["results"]
        )


@on_one_floor
@given(raw=st.binary(max_size=200) | st.text(string.printable, max_size=200).map(str.encode))
def test_no_bytes_are_answered_with_a_5xx(door: Door, raw: bytes) -> None:
    assert door.post(raw)[0] in (200, 400, 422)
    assert door.post(raw, to=MANY)[0] in (200, 400, 413, 422)


# -- the store cannot be reached -----------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("address", [ONE, MANY])
def test_a_database_connection_that_was_cut_costs_one_503_and_the_scan_is_taken_when_it_comes_again(
    either_door: Door, address: str
) -> None:
    door = either_door
    scan = {
        "id": str(new_uuid()),
        "code": door.floor.card("L1", 1).code,
        "station": "TEST",
        "intent": "empty",
    }
    body = scan if address == ONE else {"scans": [scan]}
    assert door.post({"id": str(new_uuid()), "code": "x"})[0] == 200  # the token is remembered from here on
    cut(connection.connection.info.backend_pid)
    answers = []
    for _ in range(3):
        close_old_connections()  # what a server does before each request, and the test client does not
        answers.append(door.post(body, to=address))
    assert [status for status, _ in answers][1:] == [200, 200]
    assert answers[0][0] in (200, 503)
    last = answers[2][1] if address == ONE else answers[2][1]["results"][0]
    assert (last["outcome"], last["replayed"]) == ("applied", True)


def cut(pid: int) -> None:
    """Ends a server process as a restart of PostgreSQL would."""
    given = connection.get_connection_params()
    where = {name: given[name] for name in ("host", "port", "user", "password") if name in given}
    other = psycopg2.connect(dbname="postgres", **where)
    other.autocommit = True  # inside one transaction the list of sessions would stay as it was first read
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", (pid,))
        while True:
            cursor.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,))
            if cursor.fetchone() is None:
                break
    other.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("address", [ONE, MANY])
def test_while_the_store_cannot_be_reached_it_is_503_with_retry_after(
    either_door: Door, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = either_door
    scan = {
        "id": str(new_uuid()),
        "code": door.floor.card("L1", 1).code,
        "station": "TEST",
        "intent": "empty",
    }
    assert door.post({"id": str(new_uuid()), "code": "x"})[0] == 200
    connection.close()
    with socket.socket() as closed_port:
        closed_port.bind(("127.0.0.1", 0))
        monkeypatch.setitem(connection.settings_dict, "PORT", closed_port.getsockname()[1])
        for remembered in (True, False):
            if not remembered:
                sources._sources.clear()
            status, headers, problem = door.send(
                json.dumps(scan if address == ONE else {"scans": [scan]}).encode(), to=address
            )
            assert (status, problem["code"]) == (503, "store_unreachable")
            assert int(headers["Retry-After"]) > 0
    monkeypatch.undo()
    connection.close()
    assert door.post(scan)[1]["outcome"] == "applied"


# -- over a real socket --------------------------------------------------------------------------------
@pytest.fixture
def wire(door: Door, live_server: LiveServer) -> tuple[Door, str, int]:
    """A live server's address; every exchange goes over bytes of the test's own making."""
    address = urlsplit(live_server.url)
    assert address.hostname
    assert address.port
    return door, address.hostname, address.port


def exchange(host: str, port: int, head: list[str], body: bytes, *, close: bool = False) -> tuple[int, bytes]:
    """Sends a request line by line as given; the status and the body that came back."""
    with socket.create_connection((host, port), timeout=10) as wire:
        wire.sendall("\r\n".join([*head, "", ""]).encode("latin-1") + body)
        if close:
            wire.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(wire)
        response.begin()
        return response.status, response.read()


@pytest.mark.django_db(transaction=True)
def test_over_a_socket_torn_and_lying_requests_are_4xx_and_the_next_scan_is_taken(
    wire: tuple[Door, str, int],
) -> None:
    door, host, port = wire
    body = good(door).encode()
    head = [
        f"POST {ONE} HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {door.floor.token}",
        "Connection: close",
    ]
    lies = {
        "no length": [],
        "a length of nothing": ["Content-Length: 0"],
        "a shorter length": [f"Content-Length: {len(body) // 2}"],
        "a length that is a word": ["Content-Length: many"],
        "a negative length": ["Content-Length: -1"],
        "a huge length": ["Content-Length: 99999999999"],
    }
    for name, lie in lies.items():
        status, _ = exchange(host, port, head + lie, body, close=True)
        assert 400 <= status < 500, name
    status, _ = exchange(host, port, [*head, f"Content-Length: {len(body) + 9}"], body, close=True)
    assert status == 400, "the client went away in the middle of its body"
    assert not Receipt.objects.exists()
    status, answer = exchange(host, port, [*head, f"Content-Length: {len(body)}"], body)
    assert (status, json.loads(answer)["outcome"]) == (200, "applied")


@pytest.mark.django_db(transaction=True)
def test_over_sockets_at_once_the_same_scan_is_applied_once(wire: tuple[Door, str, int]) -> None:
    door, host, port = wire
    body = good(door).encode()
    head = [
        f"POST {ONE} HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {door.floor.token}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    answers: list[tuple[int, bytes]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(exchange(host, port, head, body))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [status for status, _ in answers] == [200] * 6
    bodies = [json.loads(answer) for _, answer in answers]
    assert sorted(one["replayed"] for one in bodies) == [False, *[True] * 5]
    assert len({json.dumps(one | {"replayed": None}, sort_keys=True) for one in bodies}) == 1
    assert Event.objects.filter(type="scan.applied").count() == 1


def test_a_device_that_floods_is_told_when_to_come_back_and_no_other_waits_for_it(
    either_door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jitapp.api.scans.SCANS", Buckets(rate=0.001, burst=1))
    other = either_door.device("beside it", kind="erp")
    assert either_door.scan(1)[0] == 200
    status, headers, answer = either_door.send(b"{}")
    assert (status, answer["code"]) == (429, "too_many_requests")
    assert int(headers["Retry-After"]) > 0
    card = either_door.floor.card("L1", 2).code
    body = {"id": str(new_uuid()), "code": card, "station": "TEST", "intent": "empty"}
    assert either_door.post(body, token=other)[0] == 200
