"""Documents of turns that were cancelled are taken back from the ERP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from jitapp.erp import client, documents
from jitapp.erp.adapter import Call, Reply
from jitapp.erp.models import DocumentRequest
from tests.erp.orders import call, call_until_quiet, drain, shop
from tests.erp.stub import StubErp

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


def test_a_cancelled_turn_takes_its_document_back(erp: StubErp) -> None:
    floor = shop()
    floor.scan("S1", 1, "empty")
    call(floor)
    turn = floor.turn("S1", 1)
    assert floor.scan("S1", 1, "cancel", source=floor.leader(), reason="not needed")["code"] == "cancelled"
    assert call(floor) == 1
    last = erp.seen[-1]
    assert (last.method, last.path, last.key) == ("DELETE", f"/documents/{turn.uuid}", str(turn.uuid))
    assert last.signed
    assert last.headers["webhook-id"] != erp.seen[0].headers["webhook-id"]
    assert (erp.numbers, DocumentRequest.objects.get().state) == ({}, "WITHDRAWN")


def test_an_undone_scan_before_any_call_leaves_nothing_to_take_back(erp: StubErp) -> None:
    floor = shop()
    floor.scan("S1", 1, "empty")
    drain(floor)
    assert floor.scan("S1", 1, "undo")["code"] == "undone"
    assert call(floor) == 0
    assert (erp.seen, DocumentRequest.objects.get().state) == ([], "WITHDRAWN")


def test_a_turn_cancelled_while_the_erp_makes_its_document_takes_it_back(erp: StubErp) -> None:
    floor = shop()
    floor.scan("S1", 1, "empty")
    drain(floor)

    def meanwhile(calls: Sequence[Call]) -> list[Reply]:
        if calls[0].method == "POST":
            floor.scan("S1", 1, "cancel", source=floor.leader(), reason="not needed")
        return client.call_all(calls)

    call(floor, ask=meanwhile)
    call_until_quiet(floor)
    assert (erp.numbers, DocumentRequest.objects.get().state) == ({}, "WITHDRAWN")
    assert [seen.method for seen in erp.seen] == ["POST", "DELETE"]


def test_a_turn_cancelled_after_a_call_that_nobody_knows_the_end_of_is_taken_back(erp: StubErp) -> None:
    erp.mood = "cut"
    floor = shop()
    floor.scan("S1", 1, "empty")
    call(floor)
    assert len(erp.numbers) == 1
    erp.mood = "ok"
    floor.scan("S1", 1, "lost")
    floor.now += timedelta(minutes=3)
    call_until_quiet(floor)
    assert (erp.numbers, DocumentRequest.objects.get().state) == ({}, "WITHDRAWN")


def test_a_withdrawal_that_the_erp_refuses_is_for_a_person(erp: StubErp) -> None:
    floor = shop()
    floor.scan("S1", 1, "empty")
    call(floor)
    floor.scan("S1", 1, "cancel", source=floor.leader(), reason="not needed")
    erp.mood, erp.answer = "refuse", {"detail": "goods receipt posted"}
    call(floor)
    request = DocumentRequest.objects.get()
    assert (request.state, request.detail) == ("FAILED", "goods receipt posted")
    erp.mood, erp.answer = "ok", {}
    documents.retry(request.key, now=floor.now)
    call(floor)
    assert DocumentRequest.objects.get().state == "WITHDRAWN"
