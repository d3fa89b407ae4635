"""Texts that no table can hold: a NUL, half a surrogate pair. They are refused by name, wherever they stand."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from jitapp.accounts.models import Device
from jitapp.accounts.pins import set_pin
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant.models import Membership
from tests.floor import Floor

pytestmark = pytest.mark.django_db
# Method, address, a body that is right, and the members whose text is spoilt.
WRITES: list[tuple[str, str, dict[str, Any], tuple[str, ...]]] = [
    ("POST", "/loops/L1/hold", {"reason": "audit"}, ("reason",)),
    ("POST", "/loops/L1/retire", {"reason": "gone"}, ("reason",)),
    ("POST", "/loops/L1/change", {"cards": "3", "reason": "more"}, ("reason", "cards")),
    ("POST", "/loops/EV/order", {"quantity": "4", "reason": "SO-1"}, ("reason", "quantity")),
    ("POST", "/calls", {"kind": "help", "station": "SMT", "note": "x"}, ("note", "station", "card", "by")),
    ("POST", "/calls/{call}/take", {"by": "B-1", "pin": "2580"}, ("by", "pin")),
    (
        "POST",
        "/calls/{call}/solve",
        {"reason": "dirt", "by": "B-1", "pin": "2580"},
        ("reason", "countermeasure", "by"),
    ),
    ("POST", "/stations/SMT/states", {"kind": "down", "note": "spindle"}, ("note", "kind", "by")),
    ("POST", "/stations/SMT/changeover", {"to_family": "B"}, ("to_family", "from_family", "by")),
    ("POST", "/turns/{turn}/cancel", {"reason": "no"}, ("reason", "by")),
    ("POST", "/turns/{turn}/document", {"document": "PO-1"}, ("document",)),
    ("POST", "/turns/{turn}/fail", {"reason": "closed"}, ("reason",)),
    ("PUT", "/bins/BIN-1", {"card": "{card}"}, ("card",)),
    ("PUT", "/parts/BOARD", {"description": "a"}, ("description", "unit", "number", "plant")),
    ("PUT", "/stations/SMT", {"name": "a"}, ("name", "code", "area")),
    ("PUT", "/areas/PLANT-AREA", {"name": "a"}, ("name", "leader")),
    ("PUT", "/suppliers/NEW", {"name": "a"}, ("name", "calendar")),
    ("PUT", "/loops/L1", {"part": "BOARD"}, ("part", "supply", "kind")),
    ("PUT", "/bills/BOARD", {"components": []}, ("part", "plant")),
    ("POST", "/upserts", {"upserts": []}, ("upserts",)),
    (
        "POST",
        "/scans",
        {"id": "{id}", "code": "{card}"},
        ("code", "station", "intent", "reason", "by", "epoch"),
    ),
]


@pytest.fixture
def world() -> tuple[Client, dict[str, str]]:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=3, quantity=4)
    ends = {"supply": "SMT", "demand": "TEST"}
    floor.loop("EV", part="ORDERED", kind="EVENT", cards=0, first=None, lead_time_minutes=9, **ends)
    floor.scan("L1", 1, "empty")
    lea = floor.person("lea", badge="B-1")
    Membership.objects.create(person=lea, plant=floor.plant, role=Role.LEADER)
    set_pin(lea, "2580")
    Device.objects.update(kind=DeviceKind.ERP)
    client = Client(headers={"Authorization": f"Bearer {floor.token}"})
    call = client.post(
        "/api/v1/calls", {"kind": "help", "station": "SMT"}, content_type="application/json"
    ).json()["id"]
    places = {
        "{call}": call,
        "{turn}": str(floor.turn("L1", 1).uuid),
        "{card}": floor.card("L1", 2).code,
        "{id}": str(uuid4()),
    }
    return client, places


def filled(text: str, places: dict[str, str]) -> str:
    for place, word in places.items():
        text = text.replace(place, word)
    return text


@pytest.mark.parametrize("spoilt", ["\\u0000", "a\\ud800"])
@pytest.mark.parametrize(
    ("method", "address", "right", "member"),
    [
        pytest.param(method, address, right, member, id=f"{method} {address} {member}")
        for method, address, right, members in WRITES
        for member in members
    ],
)
def test_what_no_table_can_hold_is_refused_by_name(
    world: tuple[Client, dict[str, str]],
    method: str,
    address: str,
    right: dict[str, Any],
    member: str,
    spoilt: str,
) -> None:
    client, places = world
    pairs = [f'"{name}": {_json(value, places)}' for name, value in right.items() if name != member]
    text = (
        f'[{{"type": "part", "number": "X", "description": "{spoilt}"}}]'
        if member == "upserts"
        else f'"{spoilt}"'
    )
    body = "{" + ", ".join([*pairs, f'"{member}": {text}']) + "}"
    answer = client.generic(
        method, f"/api/v1{filled(address, places)}", body, content_type="application/json"
    )
    assert answer.status_code < 500, answer.content
    if address not in ("/scans", "/upserts"):  # a scan is kept as it was received, a row says why for itself
        assert answer.status_code == 422, answer.content
        assert f"`{member}` holds a NUL, or half a character" in answer.json()["detail"]


def test_the_bodies_are_right_but_for_that(world: tuple[Client, dict[str, str]]) -> None:
    client, places = world
    for method, address, right, _ in WRITES:
        body = filled(json.dumps(right), places)
        answer = client.generic(
            method, f"/api/v1{filled(address, places)}", body, content_type="application/json"
        )
        assert answer.status_code in (200, 201, 202, 409), (address, answer.content)


def _json(value: Any, places: dict[str, str]) -> str:
    return filled(json.dumps(value), places)
