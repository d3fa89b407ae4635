"""Suppliers, buyers and planners act over HTTP: once per key, refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jitapp.accounts.models import Device
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.models import Loop, Part
from jitapp.pull.models import Card, Event, Turn
from jitapp.pull.proof.verify import verify
from tests.floor import Floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("ACME", "SUPPLIER")
    floor.station("LINE")
    floor.loop("S1", part="SCREW", supply="ACME", demand="LINE", kind="SUPPLIER", cards=2, quantity=100)
    Device.objects.update(kind=DeviceKind.ERP)
    floor.scan("S1", 1, "empty")
    return floor


def post(floor: Floor, path: str, body: dict[str, Any] | None = None, key: str = "") -> Any:
    return Client().post(
        f"/api/v1{path}",
        body or {},
        content_type="application/json",
        headers={"Authorization": f"Bearer {floor.token}"} | ({"Idempotency-Key": key} if key else {}),
    )


def test_a_supplier_answers_ships_and_the_buyer_sees_it(floor: Floor) -> None:
    turn = floor.turn("S1", 1)
    answer = post(floor, f"/turns/{turn.uuid}/acknowledge", {"promised_at": "2036-11-20T10:00:00+01:00"})
    assert (answer.status_code, answer.json()["code"]) == (200, "acknowledged")
    answer = post(floor, f"/turns/{turn.uuid}/ship", {"quantity": "90"})
    assert answer.json()["code"] == "quantity_needs_reason"
    answer = post(floor, f"/turns/{turn.uuid}/ship", {"quantity": "90", "reason": "short"})
    assert answer.json()["code"] == "loaded"
    answer = post(floor, f"/turns/{turn.uuid}/receive", {"reason": "short"})
    assert answer.json()["code"] == "received"
    turn.refresh_from_db()
    assert (turn.received, turn.asked) == (90, 100)


def test_the_same_key_again_gets_the_first_answer(floor: Floor) -> None:
    turn = floor.turn("S1", 1)
    first = post(floor, f"/turns/{turn.uuid}/acknowledge", key="ack 17")
    again = post(floor, f"/turns/{turn.uuid}/acknowledge", key="ack 17")
    assert again.json() == first.json() | {"replayed": True}
    assert again.headers["Idempotent-Replayed"] == "true"


def test_what_cannot_be_read_or_found_is_refused_by_name(floor: Floor) -> None:
    turn = floor.turn("S1", 1)
    assert post(floor, f"/turns/{turn.uuid}/juggle").status_code == 404
    assert post(floor, "/turns/01a1fc39-d824-7154-a16c-1d9de545fd79/ship").status_code == 404
    for body in (
        {"quantity": "many"},
        {"promised_at": "tomorrow"},
        {"promised_at": "2026-11-20T10:00:00"},
        {"x": 1},
    ):
        assert post(floor, f"/turns/{turn.uuid}/promise", body).status_code == 422, body
    stranger = Floor("OTHER")
    assert post(stranger, f"/turns/{turn.uuid}/ship").status_code == 404


def test_a_body_that_is_missing_never_means_all_of_it(floor: Floor) -> None:
    """Four of ten pieces received, the body lost on the way: nothing is booked."""
    path = f"/api/v1/turns/{floor.turn('S1', 1).uuid}/receive"
    headers = {"Authorization": f"Bearer {floor.token}"}
    said = [
        Client().post(path, b"", content_type="application/json", headers=headers | more)
        for more in ({}, {"Transfer-Encoding": "chunked"})
    ]
    said.append(Client().put("/api/v1/parts/NEW", b"", content_type="application/json", headers=headers))
    assert [(answer.status_code, answer.json()["code"]) for answer in said] == [
        (400, "malformed"),
        (411, "length_required"),
        (400, "malformed"),
    ]
    assert floor.turn("S1", 1).received is None
    assert not Part.objects.filter(number="NEW").exists()


def test_a_loop_is_held_resumed_and_resized_by_the_erp_alone(floor: Floor) -> None:
    assert post(floor, "/loops/S1/hold", {"reason": "audit"}).json() == {
        "loop": "S1",
        "done": "held",
        "cards": [],
        "turn": None,
        "revision": None,
    }
    assert Loop.objects.get(code="S1").status == "ON_HOLD"
    assert post(floor, "/loops/S1/hold", {"reason": " "}).json()["code"] == "refused"
    assert post(floor, "/loops/S1/resume").status_code == 200
    assert len(post(floor, "/loops/S1/change", {"cards": "3"}).json()["cards"]) == 1
    planned = post(floor, "/loops/S1/change", {"cards": "4", "effective_at": "2030-01-01T00:00:00Z"})
    assert planned.json()["revision"] == 1
    assert post(floor, "/loops/S1/order", {"quantity": "5"}).json()["code"] == "refused"
    Device.objects.update(kind=DeviceKind.SCANNER)
    from_scanner = post(Floor("SCAN"), "/loops/S1/hold", {"reason": "x"})
    assert from_scanner.status_code == 403


def test_an_order_sent_again_with_its_key_is_the_same_order(floor: Floor) -> None:
    floor.station("DOCK", "SHIPPING")
    floor.loop("E1", part="BIKE", supply="LINE", demand="DOCK", kind="EVENT", cards=0)
    first = post(floor, "/loops/E1/order", {"quantity": "5"}, key="order 17")
    assert first.status_code == 200
    again = post(floor, "/loops/E1/order", {"quantity": "5"}, key="order 17")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    turn = Turn.objects.get(loop__code="E1")
    assert (str(turn.uuid), turn.asked) == (first.json()["turn"], 5)
    other = post(floor, "/loops/E1/order", {"quantity": "6"}, key="order 17")
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")
    other = post(floor, "/loops/E1/order", {"quantity": "100"}, key=str(floor.turn("S1", 1).uuid))
    assert (other.status_code, other.json()["code"]) == (409, "refused")
    assert "Send the order with a new one" in other.json()["detail"]
    for _ in range(2):
        assert post(floor, "/loops/E1/order", {"quantity": "5"}).status_code == 200
    assert Turn.objects.filter(loop__code="E1").count() == 3


def test_a_document_number_lets_the_order_go() -> None:
    floor = Floor()
    floor.station("ACME", "SUPPLIER")
    floor.station("LINE")
    floor.loop(
        "S1", part="SCREW", supply="ACME", demand="LINE", kind="SUPPLIER", doc_policy="WAIT_FOR_DOC_NUMBER"
    )
    Device.objects.update(kind=DeviceKind.ERP)
    floor.scan("S1", 1, "empty")
    turn = floor.turn("S1", 1)
    assert (
        post(floor, f"/turns/{turn.uuid}/document", {"document": "4500017"}).json()["signal_state"]
        == "RELEASED"
    )
    assert post(floor, f"/turns/{turn.uuid}/document", {"document": "9"}).status_code == 409
    assert Turn.objects.get().document == "4500017"


def test_the_erp_says_that_an_order_is_closed_and_the_buyer_puts_it_right(floor: Floor) -> None:
    turn = floor.turn("S1", 1)
    assert post(floor, f"/turns/{turn.uuid}/fail", {}).status_code == 422
    assert post(floor, f"/turns/{turn.uuid}/fail", {"reason": " "}).status_code == 409
    answer = post(floor, f"/turns/{turn.uuid}/fail", {"reason": "4500017 is closed"}).json()
    assert (answer["failed"], answer["owner"]) == ("4500017 is closed", "buyer")
    assert floor.status("S1")[0] == "ERROR"
    assert post(floor, f"/turns/{turn.uuid}/ship").json()["code"] == "card_in_error"
    assert post(floor, f"/turns/{turn.uuid}/retry", {"reason": "opened again"}).json()["code"] == "recovered"
    assert floor.status("S1")[0] == "EMPTY"
    unknown = "/turns/01a1fc39-d824-7154-a16c-1d9de545fd79/fail"
    assert post(floor, unknown, {"reason": "closed"}).status_code == 404
    assert post(Floor("SCAN"), f"/turns/{turn.uuid}/fail", {"reason": "closed"}).status_code == 403


def put(floor: Floor, path: str, body: dict[str, Any]) -> Any:
    return Client().put(
        f"/api/v1{path}",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {floor.token}"},
    )


def test_a_loop_is_retired_once_and_for_good(floor: Floor) -> None:
    assert post(floor, "/loops/S1/retire", {"reason": " "}).json()["code"] == "refused"
    assert post(floor, "/loops/S1/retire", {}).status_code == 422
    assert post(floor, "/loops/NONE/retire", {"reason": "over"}).status_code == 404
    answer = post(floor, "/loops/S1/retire", {"reason": "over"})
    assert (answer.status_code, answer.json()["done"]) == (200, "retired")
    assert {card.card_status for card in Card.objects.all()} == {"OBSOLETE"}
    by = Event.objects.filter(type="card.obsolete").values_list("device_id", flat=True)
    assert set(by) == {floor.device.pk}
    again = post(floor, "/loops/S1/retire", {"reason": "over"})
    assert (again.status_code, again.json()["code"]) == (409, "refused")
    assert "was retired" in again.json()["detail"]
    assert post(floor, "/loops/S1/resume").status_code == 409


def test_labels_are_marked_as_printed(floor: Floor) -> None:
    assert post(floor, "/loops/S1/change", {"quantity": "80"}).status_code == 200
    assert post(floor, "/loops/S1/printed").json() == {"loop": "S1", "printed": 2}
    assert post(floor, "/loops/S1/printed").json() == {"loop": "S1", "printed": 0}
    assert not Card.objects.filter(label_stale=True).exists()
    assert post(floor, "/loops/NONE/printed").status_code == 404


def test_the_code_of_a_bin_stands_for_a_card(floor: Floor) -> None:
    card = floor.card("S1", 2)
    for _ in range(2):
        answer = put(floor, "/bins/BIN-1", {"card": card.code})
        assert (answer.status_code, answer.json()) == (200, {"bin": "BIN-1", "card": card.code})
    assert floor.scan("S1", 2, "empty", code="BIN-1")["code"] == "emptied_ordered"
    assert put(floor, "/bins/BIN-1", {"card": "KB-NONE"}).status_code == 404
    assert put(floor, "/bins/BIN-1", {}).status_code == 422
    taken = put(floor, f"/bins/{card.code}", {"card": card.code})
    assert (taken.status_code, taken.json()["code"]) == (409, "refused")
    stranger = Floor("OTHER")
    Device.objects.update(kind=DeviceKind.ERP)
    assert put(stranger, "/bins/BIN-2", {"card": card.code}).status_code == 404


@pytest.mark.parametrize("path", ["/loops/S1/retire", "/loops/S1/printed", "/bins/BIN-1"])
def test_a_scanner_may_not_change_loops_or_bins(floor: Floor, path: str) -> None:
    Device.objects.update(kind=DeviceKind.SCANNER)
    body = {"card": floor.card("S1", 1).code} if "bins" in path else {"reason": "over"}
    answer = (put if "bins" in path else post)(floor, path, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert Loop.objects.get().status == "ACTIVE"


def test_a_loop_that_never_had_a_card_is_held_resumed_sized_and_retired(floor: Floor) -> None:
    loop = {"part": "SCREW", "demand": "LINE", "supply": "ACME", "kind": "SUPPLIER", "quantity": "5"}
    client = Client(headers={"Authorization": f"Bearer {floor.token}"})
    assert client.put("/api/v1/loops/NEW", loop, content_type="application/json").status_code == 201
    assert post(floor, "/loops/NEW/printed").json() == {"loop": "NEW", "printed": 0}
    assert post(floor, "/loops/NEW/hold", {"reason": "audit"}).status_code == 200
    assert post(floor, "/loops/NEW/resume").status_code == 200
    assert len(post(floor, "/loops/NEW/change", {"cards": "2"}).json()["cards"]) == 2
    assert client.put("/api/v1/loops/OLD", loop, content_type="application/json").status_code == 201
    assert post(floor, "/loops/OLD/retire", {"reason": "never used"}).status_code == 200
    assert verify().differences == []
