"""Documents of the ERP, against a real one of our own making: each exists once, also when the ERP fails or refuses."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest
from django.db import connection

from jitapp.erp import client, documents
from jitapp.erp.models import DocumentRequest, ErpConnection
from jitapp.erp.queries import request_of
from jitapp.kanban.vocabulary import Role
from jitapp.pull import actions
from jitapp.pull.models import Turn, Wait
from jitapp.pull.scan_request import Source
from tests.erp.orders import call, call_until_quiet, drain, once_everywhere, shop
from tests.erp.stub import StubErp

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


# -- the plain way -------------------------------------------------------------------------------------
def test_a_turn_that_waits_asks_the_erp_and_goes_on_with_its_number(erp: StubErp) -> None:
    floor = shop()
    assert floor.scan("S1", 1, "empty")["code"] == "emptied_pending_doc"
    turn = floor.turn("S1", 1)
    assert (turn.signal_state, turn.owner) == ("PENDING_DOC", "buyer")
    assert call(floor) == 1
    turn.refresh_from_db()
    assert (turn.signal_state, turn.document, turn.owner) == ("RELEASED", "4500000", "supplier")
    [seen] = erp.seen
    assert seen.signed
    assert (seen.method, seen.path, seen.key) == ("POST", "/documents", str(turn.uuid))
    order = json.loads(seen.body)
    assert (order["turn"], order["loop"], order["part"]) == (str(turn.uuid), "S1", "SCREW")
    assert (order["quantity"], order["supplier"], order["deliver_to"]) == ("100", "ACME-CO", "LINE")
    assert order["due"]
    assert call(floor) == 0
    once_everywhere(erp)


def test_while_it_is_asked_the_erp_owes_the_number_and_the_wait_says_so(erp: StubErp) -> None:
    erp.mood = "broken"
    floor = shop()
    floor.scan("S1", 1, "empty")
    call(floor)
    turn = floor.turn("S1", 1)
    assert (turn.signal_state, turn.owner) == ("PENDING_DOC", "erp")
    open_wait = Wait.objects.get(turn=turn, closed_at__isnull=True)
    assert (open_wait.reason, open_wait.owner) == ("doc", "erp")
    facts = request_of(turn.uuid, plant_ids=[floor.plant.pk])
    assert facts is not None
    assert (facts.state, facts.problem, facts.detail, facts.attempts) == ("WAITING", "broken", "500 {}", 1)
    assert facts.next_try_at is not None
    assert facts.next_try_at > floor.now


def test_a_document_is_created_on_release_and_the_signal_does_not_wait_for_it(erp: StubErp) -> None:
    floor = shop(policy="CREATE_ON_RELEASE")
    floor.scan("S1", 1, "empty")
    assert floor.turn("S1", 1).signal_state == "RELEASED"
    call(floor)
    assert floor.turn("S1", 1).document == "4500000"
    assert floor.turn("S1", 1).owner == "supplier"
    once_everywhere(erp)


def test_a_number_that_comes_after_the_container_still_goes_onto_its_turn(erp: StubErp) -> None:
    erp.mood = "broken"
    floor = shop(policy="CREATE_ON_RELEASE")
    floor.scan("S1", 1, "empty")
    call(floor)
    floor.scan("S1", 1, "receive")
    assert floor.turn("S1", 1).signal_state == "CLOSED"
    erp.mood = "ok"
    floor.now += timedelta(minutes=5)
    call_until_quiet(floor)
    assert floor.turn("S1", 1).document == "4500000"


# -- the ERP is out of order ---------------------------------------------------------------------------
@pytest.mark.parametrize("policy", ["WAIT_FOR_DOC_NUMBER", "CREATE_ON_RELEASE"])
@pytest.mark.parametrize("mood", ["down", "broken", "busy", "cut"])
def test_an_erp_that_is_down_an_hour_refuses_no_scan_and_every_document_is_there_once_afterwards(
    erp: StubErp, mood: str, policy: str
) -> None:
    floor = shop(cards=30, policy=policy)
    if mood == "down":
        erp.stop()
    erp.mood = mood
    took: list[float] = []
    for minute in range(60):
        if minute % 2 == 0:
            begun = time.perf_counter()
            answer = floor.scan("S1", minute // 2 + 1, "empty")
            took.append(time.perf_counter() - begun)
            assert answer["outcome"] == "applied", answer
        else:
            floor.now += timedelta(minutes=1)
        call(floor)
    assert Turn.objects.count() == 30
    assert not Turn.objects.exclude(document="").exists()
    assert sorted(took)[len(took) // 2] < 0.1  # no scan has waited for the ERP
    calls = sum(DocumentRequest.objects.values_list("calls", flat=True))
    assert 30 < calls < 150  # asked again and again, but not by every document in every minute
    if mood == "down":
        erp.start()
    erp.mood = "ok"
    call_until_quiet(floor)
    assert len(erp.numbers) == 30
    once_everywhere(erp)
    assert set(DocumentRequest.objects.values_list("state", "problem")) == {("DONE", "")}
    assert Turn.objects.filter(signal_state="RELEASED").count() == 30
    connection_row = ErpConnection.objects.get()
    assert (connection_row.failures, connection_row.failing_since) == (0, None)


def test_an_erp_that_hangs_is_cut_off_and_left_alone(erp: StubErp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "CALL_S", 0.3)
    erp.mood = "hang"
    floor = shop()
    for card in (1, 2, 3):
        floor.scan("S1", card, "empty")
    begun = time.monotonic()
    assert call(floor) == 3  # side by side
    assert call(floor) == 0  # quiet now
    assert time.monotonic() - begun < 3
    assert "no answer within" in DocumentRequest.objects.all()[0].detail
    floor.now += timedelta(seconds=5)
    assert call(floor) == 1  # one shows whether it answers again
    erp.mood = "ok"
    call_until_quiet(floor)
    once_everywhere(erp)


def test_an_answer_that_says_when_is_believed(erp: StubErp) -> None:
    erp.mood, erp.retry_after = "busy", "600"
    floor = shop()
    floor.scan("S1", 1, "empty")
    assert call(floor) == 1
    floor.now += timedelta(seconds=590)
    assert call(floor) == 0
    floor.now += timedelta(seconds=11)
    erp.mood = "ok"
    assert call(floor) == 1
    once_everywhere(erp)


@pytest.mark.parametrize(
    ("mood", "problem"),
    [
        ("redirect", "redirected"),
        ("huge", "no_answer"),
        ("nonsense", "answer_unreadable"),
        ("later", "number_later"),
    ],
)
def test_what_is_no_answer_is_asked_again(erp: StubErp, mood: str, problem: str) -> None:
    erp.mood = mood
    floor = shop()
    floor.scan("S1", 1, "empty")
    call(floor)
    request = DocumentRequest.objects.get()
    assert (request.state, request.problem) == ("WAITING", problem)
    assert {seen.path for seen in erp.seen} == {"/documents"}  # a redirect is not followed
    erp.mood = "ok"
    call_until_quiet(floor)
    once_everywhere(erp)


# -- refusals ------------------------------------------------------------------------------------------
def test_a_refusal_puts_the_turn_into_error_by_name_and_a_person_asks_again(erp: StubErp) -> None:
    erp.mood, erp.answer = "refuse", {"detail": "Material SCREW is blocked for purchasing"}
    floor = shop()
    floor.scan("S1", 1, "empty")
    floor.scan("S1", 2, "empty")
    call(floor)
    turn = floor.turn("S1", 1)
    assert (turn.failed, turn.owner) == ("ERP: Material SCREW is blocked for purchasing", "buyer")
    assert floor.status("S1")[0] == "ERROR"
    assert "blocked for purchasing" in floor.scan("S1", 1, "receive")["message"]
    assert call(floor) == 0
    floor.now += timedelta(days=2)
    assert call(floor) == 0  # final
    erp.mood, erp.answer = "ok", {}
    documents.retry(turn.uuid, now=floor.now)
    assert call(floor) == 1
    turn.refresh_from_db()
    assert (turn.signal_state, turn.document, turn.failed) == ("RELEASED", "4500000", "")
    assert floor.status("S1")[:2] == ["EMPTY", "ERROR"]


def test_a_turn_that_a_buyer_puts_right_is_asked_for_again_by_itself(erp: StubErp) -> None:
    erp.mood = "refuse"
    floor = shop()
    floor.scan("S1", 1, "empty")
    call(floor)
    erp.mood = "ok"
    buyer = Source(
        person_id=floor.person("bea").pk,
        plant_ids=frozenset({floor.plant.pk}),
        roles={floor.plant.pk: frozenset({Role.BUYER})},
    )
    assert floor.scan("S1", 1, "retry", source=buyer, reason="supplier unblocked")["code"] == "recovered"
    call(floor)
    assert floor.turn("S1", 1).signal_state == "RELEASED"
    once_everywhere(erp)


def test_a_refused_document_of_a_released_turn_lets_the_turn_go_on(erp: StubErp) -> None:
    erp.mood = "refuse"
    floor = shop(policy="CREATE_ON_RELEASE")
    floor.scan("S1", 1, "empty")
    call(floor)
    assert (floor.turn("S1", 1).failed, DocumentRequest.objects.get().state) == ("", "FAILED")
    assert floor.scan("S1", 1, "receive")["outcome"] == "applied"
    erp.mood = "ok"
    documents.retry(floor.turn("S1", 1).uuid, now=floor.now)
    call(floor)
    once_everywhere(erp)


def test_a_number_that_another_order_has_is_refused(erp: StubErp) -> None:
    erp.answer = {"number": "7"}
    floor = shop()
    floor.scan("S1", 1, "empty")
    floor.scan("S1", 2, "empty")
    call(floor)
    assert sorted(Turn.objects.values_list("document", flat=True)) == ["", "7"]
    failed = Turn.objects.get(document="")
    assert "7 is the document of card" in failed.failed


@pytest.mark.parametrize("number", ["", " ", "x" * 61, "a\u0007b"])
def test_a_number_that_cannot_be_kept_is_refused(erp: StubErp, number: str) -> None:
    erp.answer = {"number": number}
    floor = shop()
    floor.scan("S1", 1, "empty")
    call(floor)
    assert DocumentRequest.objects.get().problem == "number_unusable"


def test_only_what_failed_or_waits_can_be_retried(erp: StubErp) -> None:
    floor = shop()
    floor.scan("S1", 1, "empty")
    call(floor)
    with pytest.raises(documents.NothingToRetry):
        documents.retry(floor.turn("S1", 1).uuid, now=floor.now)


# -- holds, sweeps -------------------------------------------------------------------------------------
def test_a_number_for_a_held_card_is_kept_and_the_signal_goes_out_when_it_is_released(erp: StubErp) -> None:
    floor = shop()
    floor.scan("S1", 1, "empty")
    floor.scan("S1", 1, "hold", source=floor.leader(), reason="broken bin")
    call(floor)
    turn = floor.turn("S1", 1)
    assert (turn.signal_state, turn.document) == ("PENDING_DOC", "4500000")
    assert floor.scan("S1", 1, "release", source=floor.leader())["code"] == "released"
    assert floor.turn("S1", 1).signal_state == "RELEASED"


def test_a_number_for_a_held_loop_sends_the_signal_when_the_loop_is_resumed(erp: StubErp) -> None:
    floor = shop()
    floor.scan("S1", 1, "empty")
    loop_id = floor.card("S1", 1).loop_id
    actions.hold_loop(loop_id=loop_id, reason="stocktaking", now=floor.now)
    call(floor)
    assert floor.turn("S1", 1).signal_state == "PENDING_DOC"
    actions.resume_loop(loop_id=loop_id, now=floor.now)
    assert floor.turn("S1", 1).signal_state == "RELEASED"


def test_the_sweep_finds_turns_without_a_row_and_makes_each_once(erp: StubErp) -> None:
    floor = shop()
    for card in (1, 2):
        floor.scan("S1", card, "empty")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE outbox_message SET done_at = now()")  # as before there was an ERP room
    assert documents.sweep(now=floor.now) == 2
    assert documents.sweep(now=floor.now) == 0
    call(floor)
    once_everywhere(erp)


def test_loops_without_documents_ask_nobody(erp: StubErp) -> None:
    floor = shop(policy="NONE")
    floor.scan("S1", 1, "empty")
    assert (call(floor), documents.sweep(now=floor.now), DocumentRequest.objects.count()) == (0, 0, 0)


def test_a_slow_erp_is_left_to_the_relay(erp: StubErp) -> None:
    floor = shop()
    floor.scan("S1", 1, "empty")
    drain(floor)
    ErpConnection.objects.update(took_ms=2_000)
    assert call(floor, hurried=True) == 0
    assert call(floor) == 1
    floor.scan("S1", 2, "empty")
    assert call(floor, hurried=True) == 1
