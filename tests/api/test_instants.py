"""Instants at the ends of the calendar are refused by name, wherever one can be said: no zone can tell their time."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from jitapp.accounts.models import Device
from jitapp.kanban.vocabulary import DeviceKind
from tests.floor import Floor

pytestmark = pytest.mark.django_db
ENDS = [
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:30:00+00:00",
]


@pytest.fixture(params=["Europe/Berlin", "America/Chicago"])
def floor(request: Any) -> Floor:
    floor = Floor()
    floor.plant.time_zone = request.param
    floor.plant.save()
    floor.station("ACME", "SUPPLIER")
    floor.station("LINE")
    floor.loop("S1", part="SCREW", supply="ACME", demand="LINE", kind="SUPPLIER", cards=2, quantity=100)
    Device.objects.update(kind=DeviceKind.ERP)
    floor.scan("S1", 1, "empty")
    return floor


@pytest.mark.parametrize("at", ENDS)
def test_an_instant_at_the_end_of_the_calendar_is_refused(floor: Floor, at: str) -> None:
    client = Client(headers={"Authorization": f"Bearer {floor.token}"})
    turn, code = floor.turn("S1", 1).uuid, floor.card("S1", 1).code
    scan = {"id": str(uuid4()), "code": code, "intent": "promise", "promised_at": at}
    for path, body in (
        (f"/turns/{turn}/promise", {"promised_at": at}),
        (f"/turns/{turn}/acknowledge", {"promised_at": at}),
        (f"/turns/{turn}/ship", {"occurred_at": at}),
        ("/loops/S1/change", {"cards": "3", "effective_at": at}),
        ("/stations/LINE/states", {"kind": "down", "began_at": at}),
        ("/stations/LINE/states", {"kind": "down", "began_at": at, "ended_at": at}),
        ("/stations/LINE/states/down/end", {"ended_at": at}),
        ("/scans", scan),
    ):
        answer = client.post(f"/api/v1{path}", body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (422, "field_unreadable"), path
    for name in ("from", "to"):
        assert client.get("/api/v1/waits/summary", {name: at}).status_code == 400
    # When a device says that it happened is another matter: its clock was never set, and the scan counts as of now.
    scan = {"id": str(uuid4()), "code": code, "intent": "acknowledge"}
    for member in ("occurred_at", "sent_at"):
        answer = client.post(
            "/api/v1/scans",
            json.dumps(scan | {"id": str(uuid4()), member: at}),
            content_type="application/json",
        )
        assert answer.status_code in (200, 422), answer.content
