"""A06: a byte order mark and the digits of other scripts are read the same way at every door."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from jitapp.accounts.models import Device
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.models import Area
from tests.floor import Floor

pytestmark = pytest.mark.django_db
THREE, TEN = "\uff13", "\uff11\uff10"  # as a Japanese keyboard writes them
BOM = b"\xef\xbb\xbf"


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("ACME", "SUPPLIER")
    floor.station("LINE")
    floor.station("DOCK", "SHIPPING")
    floor.loop("S1", part="SCREW", supply="ACME", demand="LINE", kind="SUPPLIER", cards=2, quantity=100)
    floor.loop("E1", part="BIKE", supply="LINE", demand="DOCK", kind="EVENT", cards=0)
    Device.objects.update(kind=DeviceKind.ERP)
    floor.scan("S1", 1, "empty")
    return floor


def test_a06_every_door_reads_a_byte_order_mark_and_full_width_digits(floor: Floor) -> None:
    client = Client(headers={"Authorization": f"Bearer {floor.token}"})

    def ask(method: str, path: str, body: Any) -> Any:
        raw = BOM + json.dumps(body, ensure_ascii=False).encode()
        answer = client.generic(method, f"/api/v1{path}", raw, content_type="application/json")
        assert answer.status_code in (200, 201), (path, answer.content)
        return answer.json()

    turn, code = floor.turn("S1", 1).uuid, floor.card("S1", 2).code
    scan = {"id": str(uuid4()), "code": code, "station": "LINE", "intent": "count", "quantity": TEN}
    assert ask("POST", "/scans", scan)["code"] == "counted"
    (one,) = ask("POST", "/scans/batch", {"scans": [scan | {"id": str(uuid4()), "quantity": THREE}]})[
        "results"
    ]
    assert one["outcome"] in ("applied", "already")
    assert ask("POST", f"/turns/{turn}/ship", {"quantity": TEN, "reason": "short"})["code"] == "loaded"
    assert ask("POST", "/loops/E1/order", {"quantity": TEN})["done"] == "ordered"
    assert len(ask("POST", "/loops/S1/change", {"cards": THREE})["cards"]) == 1
    assert ask("PUT", "/stations/LINE", {"wip_limit": TEN})["wip_limit"] == 10
    assert (
        ask("PUT", "/loops/S1", {"lead_time_minutes": TEN, "ack_within_minutes": THREE})["lead_time_minutes"]
        == 10
    )
    floor.part("NUT")
    bill = {"components": [{"part": "NUT", "quantity": f"{THREE}.{THREE}"}]}
    assert ask("PUT", "/bills/BIKE", bill)["components"][0]["quantity"] == "3.3"
    assert ask("PUT", "/areas/HALL", {"escalation": [{"after": TEN, "who": "area_leader"}]})
    assert Area.objects.get(code="HALL").escalation == [{"after": 10, "who": "area_leader"}]
    part = {"type": "part", "number": f"NUT {THREE}", "decimals": THREE}
    assert ask("POST", "/upserts", {"upserts": [part]})["created"] == 1
    assert ask("PUT", f"/parts/NUT {THREE}", {})["decimals"] == 3
