"""The door for reads of tags: whatever a reader sends is counted or named, and a tag at a gate is one scan."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Device
from jitapp.plant.models import Placement
from jitapp.pull import sources
from jitapp.pull.models import Receipt
from jitapp.tags.models import Reader, Visit
from tests.floor import Floor
from tests.tags.portal import LOOP, Portal, epc

pytestmark = pytest.mark.django_db
WHERE = "/api/v1/tag-reads"


@pytest.fixture
def portal() -> Portal:
    sources._sources.clear()
    return Portal(floor=Floor(now=timezone.now()))


def post(
    portal: Portal, body: Any, query: str = "", token: str | None = None, **more: Any
) -> tuple[int, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {portal.token if token is None else token}"}
    answer = Client().generic(
        "POST", WHERE + query, raw, content_type="application/json", headers=headers, **more
    )
    return answer.status_code, answer.json()


def test_a_tag_at_the_gate_is_one_scan_and_the_answer_says_so(portal: Portal) -> None:
    portal.point(antennas=[1])
    at = timezone.now().isoformat()
    reads = [
        {"epc": epc(1), "antenna": 1, "at": at, "rssi": -55},
        {"epc": epc(99), "antenna": 1},
        {"epc": epc(1), "antenna": 4},
        {"epc": "no hex"},
    ]
    status, answer = post(portal, {"reader": "dock-1", "reads": reads})
    assert status == 200, answer
    counts = {
        name: answer[name] for name in ("reader", "received", "used", "refused", "without_zone", "arrived")
    }
    assert counts == {
        "reader": "DOCK-1",
        "received": 4,
        "used": 2,
        "refused": 1,
        "without_zone": 1,
        "arrived": 2,
    }
    assert answer["unknown"] == 1
    assert [(each["place"], each["code"]) for each in answer["refusals"]] == [(3, "epc_unreadable")]
    (scan,) = answer["scans"]
    assert (scan["outcome"], scan["code"], scan["zone"]) == ("applied", "emptied", "gate")
    assert Receipt.objects.get(scan_id=scan["id"]).card == portal.floor.card(LOOP, 1)
    again = post(portal, {"reader": "DOCK-1", "reads": reads})[1]
    assert (again["arrived"], again["scans"]) == (0, [])


def test_the_form_is_the_readers_own_or_the_one_that_is_asked_for(portal: Portal) -> None:
    portal.point()
    event = {"eventType": "tagInventory", "tagInventoryEvent": {"epcHex": epc(1), "antennaPort": 1}}
    assert post(portal, [event], "?adapter=impinj")[1]["used"] == 1
    Reader.objects.update(adapter="impinj")
    assert post(portal, [event])[1]["used"] == 1
    assert post(portal, {"reads": []}, "?adapter=plain")[1]["received"] == 0


def test_a_gateway_sends_for_the_readers_of_its_plant_and_a_placed_reader_for_itself(portal: Portal) -> None:
    _, gateway = portal.reader("GATEWAY", station=None)
    other, _ = portal.reader("DOCK-2")
    assert (
        post(portal, {"reader": "DOCK-2", "reads": [{"epc": epc(1)}]}, token=gateway)[1]["reader"] == "DOCK-2"
    )
    assert Visit.objects.get().point.reader_id == other.pk
    for token, name in ((portal.token, "DOCK-2"), (gateway, "NOBODY"), (gateway, "PLANT scanner 2")):
        status, answer = post(portal, {"reader": name, "reads": [{"epc": epc(1)}]}, token=token)
        assert (status, answer["code"]) == (422, "unknown_reference")
    away = Floor("AWAY")
    far = Device.objects.create(name="DOCK-9", kind="reader", token_hash="9" * 64)
    Placement.objects.create(device=far, plant=away.plant)
    assert post(portal, {"reader": "DOCK-9", "reads": []}, token=gateway)[0] == 422


@pytest.mark.parametrize(
    ("body", "query", "status", "code"),
    [
        (b"{", "", 400, "malformed_json"),
        (b"7", "", 400, "malformed"),
        ({"reads": 7}, "", 422, "field_unreadable"),
        ({"reads": [], "reader": 7}, "", 422, "field_unreadable"),
        ({"reads": [], "sent_at": "now"}, "", 422, "field_unreadable"),
        ({"reads": []}, "?adapter=os", 400, "malformed"),
        ({"reads": []}, "?reader=" + "x" * 81, 400, "malformed"),
        ({"reads": [{"epc": "AA"}] * 20_001}, "", 413, "too_many_reads"),
        (b" " * 2_000_001, "", 413, "body_too_large"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_body_that_cannot_be_read_is_refused_by_name(
    portal: Portal, body: Any, query: str, status: int, code: str
) -> None:
    said, answer = post(portal, body, query)
    assert (said, answer["code"]) == (status, code)
    assert answer["detail"]


def test_strangers_and_other_methods_are_turned_away(portal: Portal) -> None:
    assert post(portal, {"reads": []}, token="nobody")[0] == 401
    answer = Client().get(WHERE, headers={"Authorization": f"Bearer {portal.token}"})
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_an_empty_body_is_a_sign_of_life(portal: Portal) -> None:
    assert post(portal, {"reads": []})[1]["received"] == 0
    reader = Reader.objects.get()
    assert reader.heard_at is not None
    assert reader.read_at is None


def test_the_same_key_again_gets_the_first_answer(portal: Portal) -> None:
    portal.point()
    body = {"reads": [{"epc": epc(1), "antenna": 1}]}
    first, again = (post(portal, body, HTTP_IDEMPOTENCY_KEY="k1") for _ in range(2))
    assert first == again
    assert len(first[1]["scans"]) == 1
    assert post(portal, {"reads": []}, HTTP_IDEMPOTENCY_KEY="k1")[1]["code"] == "key_reused"
    assert post(portal, b"{", HTTP_IDEMPOTENCY_KEY="k2")[0] == 400
    assert post(portal, body, HTTP_IDEMPOTENCY_KEY="k2")[1]["used"] == 1, "what was refused frees its key"
