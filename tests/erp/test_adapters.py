"""The seam for another ERP: every adapter of the table has the shape, and none can stop the documents of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from jitapp.erp import adapters
from jitapp.erp.adapter import Call, DocumentTask, Kind, Reply, Verdict
from jitapp.erp.adapters import ADAPTERS, adapter_of, generic
from jitapp.erp.models import DocumentRequest, ErpConnection
from jitapp.erp.queries import request_of
from jitapp.plant.models import Plant
from tests.erp.orders import call, call_until_quiet, once_everywhere, shop
from tests.erp.stub import KEY, StubErp
from tests.floor import Floor
from tests.superuser import superuser

ORDER = {"turn": "t-1", "part": "SCREW", "quantity": "100", "waits": True}
MAKE = DocumentTask("t-1", "https://erp.example/documents", ORDER)
WITHDRAW = DocumentTask("t-1", "https://erp.example/documents", ORDER, withdraw=True, number="45")


@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize("task", [MAKE, WITHDRAW], ids=["make", "withdraw"])
def test_every_adapter_repeats_a_call_unchanged_and_signs_it(name: str, task: DocumentTask) -> None:
    adapter = adapter_of(name)
    made = adapter.call(task)
    assert made == adapter.call(task)
    assert made.url.startswith("https://erp.example/")  # never another host than the one that may be called
    assert adapter.call(MAKE).message_id != adapter.call(WITHDRAW).message_id
    one, other = (adapter.sign(made, [key], 1_700_000_000) for key in (KEY, b"x" * 32))
    assert one
    assert one != other
    assert one != adapter.sign(made, [KEY], 1_700_000_001)


@pytest.mark.parametrize("name", ADAPTERS)
@pytest.mark.parametrize("task", [MAKE, WITHDRAW], ids=["make", "withdraw"])
def test_no_reply_breaks_an_adapter_and_only_a_number_makes_a_document(name: str, task: DocumentTask) -> None:
    for body in (b"", b"\xff[", b'{"number": null}', b'{"number": []}'):
        for status in (0, *range(100, 600)):
            verdict = adapter_of(name).verdict(task, Reply(status, body), now=0.0)
            if verdict.kind is Kind.DONE:
                assert task.withdraw, (status, body)
            else:
                assert verdict.problem, (status, body)


def test_a_name_that_is_not_in_the_table_is_no_adapter() -> None:
    with pytest.raises(LookupError, match="sap"):
        adapter_of("sap")


@pytest.mark.django_db
@pytest.mark.usefixtures("true_ledger")
def test_an_adapter_that_is_gone_stops_the_documents_of_its_plant_and_says_so(erp: StubErp) -> None:
    floor = shop()
    floor.scan("S1", 1, "empty")
    call(floor)
    ErpConnection.objects.update(adapter="gone")
    floor.scan("S1", 2, "empty")
    assert call(floor) == 0
    facts = request_of(floor.turn("S1", 2).uuid, plant_ids=[floor.plant.pk])
    assert facts is not None
    assert facts.problem == "adapter_unknown"
    ErpConnection.objects.update(adapter="generic")
    assert call(floor) == 1
    once_everywhere(erp)


class Stumbles:
    """An adapter with a mistake: it fails on the document of one card, while calling or while reading the reply."""

    def __init__(self, card: str, *, reading: bool) -> None:
        self.card = card
        self.reading = reading

    def call(self, task: DocumentTask) -> Call:
        if task.order["card"] == self.card and not self.reading:
            raise KeyError("supplier_number")
        return generic.ADAPTER.call(task)

    def sign(self, call: Call, keys: Sequence[bytes], at: int) -> Mapping[str, str]:
        return generic.ADAPTER.sign(call, keys, at)

    def verdict(self, task: DocumentTask, reply: Reply, *, now: float) -> Verdict:
        if task.order["card"] == self.card:
            raise ValueError("not XML")
        return generic.ADAPTER.verdict(task, reply, now=now)


@pytest.mark.django_db
@pytest.mark.usefixtures("true_ledger")
@pytest.mark.parametrize("reading", [False, True], ids=["while calling", "while reading"])
def test_a_document_that_breaks_its_adapter_does_not_hold_up_the_others(
    erp: StubErp, monkeypatch: pytest.MonkeyPatch, reading: bool
) -> None:
    floor = shop()
    for card in (1, 2, 3):
        floor.scan("S1", card, "empty")
    broken = floor.turn("S1", 2)
    with monkeypatch.context() as patch:
        stumbles = Stumbles(floor.card("S1", 2).code, reading=reading)
        patch.setattr("jitapp.erp.calling.adapter_of", lambda _name: stumbles)
        assert call(floor) == 3
    problems = dict(DocumentRequest.objects.values_list("key", "problem"))
    assert problems == {
        turn.uuid: "adapter_failed" if turn == broken else ""
        for turn in (floor.turn("S1", card) for card in (1, 2, 3))
    }
    assert ErpConnection.objects.get().failures == 0  # the ERP is not to blame
    floor.now += timedelta(minutes=3)
    call_until_quiet(floor)
    once_everywhere(erp)


@pytest.mark.django_db
@pytest.mark.usefixtures("true_ledger")
def test_a_new_connection_speaks_to_the_generic_kind_and_the_database_knows_that_too() -> None:
    floor = Floor()
    with connection.cursor() as cursor:  # as the version before writes it
        cursor.execute(
            "INSERT INTO erp_erpconnection (plant_id, url, enabled, failures) VALUES (%s, '', true, 0)",
            [Plant.objects.get(pk=floor.plant.pk).pk],
        )
    assert ErpConnection.objects.get().adapter == adapters.DEFAULT == "generic"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("true_ledger")
def test_documents_that_were_recalled_by_the_version_before_are_withdrawn(erp: StubErp) -> None:
    floor = shop()
    for card in (1, 2, 3):
        floor.scan("S1", card, "empty")
    call(floor)
    turns = [floor.turn("S1", card).uuid for card in (1, 2, 3)]
    now = ["DONE", "WITHDRAWING", "WITHDRAWN"]
    for turn, state in zip(turns, now, strict=True):
        DocumentRequest.objects.filter(key=turn).update(state=state)

    def migrate(name: str) -> list[str]:
        with superuser():
            executor = MigrationExecutor(connection)
            executor.migrate([("erp", name)])
        with connection.cursor() as cursor:
            cursor.execute("SELECT state FROM erp_documentrequest ORDER BY turn_id")
            return [state for (state,) in cursor.fetchall()]

    try:
        before = migrate("0001_documents_asked_for")
    finally:
        after = migrate("0002_adapters_and_withdrawals")
    assert before == ["DONE", "RECALLING", "RECALLED"]
    assert after == now
    DocumentRequest.objects.update(state="DONE")  # the turns were not cancelled
