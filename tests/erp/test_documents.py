"""Documents of the ERP, against a real one of our own making: each exists once, whatever fails in between."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from jitapp.erp import calling, client, documents
from jitapp.erp.adapter import Call, Reply
from jitapp.erp.models import DocumentRequest, ErpConnection
from jitapp.erp.queries import request_of
from jitapp.kanban.vocabulary import Role
from jitapp.outbox import relay
from jitapp.pull import actions, store
from jitapp.pull.models import Event, Turn, Wait
from jitapp.pull.scan_request import Source
from tests.erp.stub import StubErp
from tests.floor import Floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


def shop(*, cards: int = 4, policy: str = "WAIT_FOR_DOC_NUMBER", **more: Any) -> Floor:
    floor = Floor()
    floor.station("ACME", "SUPPLIER")
    floor.station("LINE")
    floor.loop(
        "S1",
        part="SCREW",
        supply="ACME",
        demand="LINE",
        kind="SUPPLIER",
        cards=cards,
        quantity=100,
        doc_policy=policy,
        **more,
    )
    return floor


def drain(floor: Floor) -> None:
    """What the workers do, by the floor's clock."""

    def handle(jobs: Sequence[relay.Job]) -> None:
        messages = [(job.key, job.payload) for job in jobs if job.topic == "pull.changed"]
        actions.propagate(messages, now=floor.now)
        documents.follow(messages, now=floor.now)

    while relay.drain_once(handle, decode=store.decode):
        pass


def call(floor: Floor, **more: Any) -> int:
    drain(floor)
    made = calling.call_due(now=floor.now, **more)
    drain(floor)
    return made


def call_until_quiet(floor: Floor, rounds: int = 60) -> None:
    """Rounds of calls with the clock going on, until every document is settled."""
    for _ in range(rounds):
        call(floor)
        if not DocumentRequest.objects.filter(state__in=["WAITING", "WITHDRAWING"]).exists():
            return
        floor.now += timedelta(seconds=90)
    raise AssertionError(list(DocumentRequest.objects.values_list("state", "problem", "detail")))


def once_everywhere(erp: StubErp) -> None:
    """Every turn has its document, and the ERP has made each of them once."""
    numbers = {str(turn.uuid): turn.document for turn in Turn.objects.exclude(signal_state="CANCELLED")}
    assert numbers == erp.numbers
    assert set(erp.made.values()) <= {1}
    assert len(set(numbers.values())) == len(numbers)


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
        person_id=floor.person("bea").pk, plant_ids=frozenset({floor.plant.pk}), roles=frozenset({Role.BUYER})
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


# -- killed in between, side by side, overtaken --------------------------------------------------------
class Killed(BaseException):
    """As if the process had ended here."""


def test_killed_between_the_answer_and_its_keeping_gives_the_same_document(
    erp: StubErp, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = shop()
    floor.scan("S1", 1, "empty")

    def answered_then_killed(calls: Sequence[Call]) -> list[Reply]:
        client.call_all(calls)
        raise Killed

    with pytest.raises(Killed):
        call(floor, ask=answered_then_killed)
    assert len(erp.numbers) == 1
    assert call(floor) == 0  # the lease of the dead caller still runs
    floor.now += timedelta(seconds=calling.LEASE_S + 1)
    assert call(floor) == 1
    once_everywhere(erp)


def test_killed_between_the_turn_and_the_row_changes_nothing_more(
    erp: StubErp, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = shop()
    floor.scan("S1", 1, "empty")
    honest = actions.give_document

    def given_then_killed(**facts: Any) -> None:
        honest(**facts)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(actions, "give_document", given_then_killed)
        with pytest.raises(Killed):
            call(floor)
    drain(floor)
    assert DocumentRequest.objects.get().state == "DONE"  # the turn's own event says so
    floor.now += timedelta(minutes=3)
    assert call(floor) == 0
    assert Event.objects.filter(type="turn.documented").count() == 1
    once_everywhere(erp)


def test_the_result_of_a_call_that_was_overtaken_does_not_count(erp: StubErp) -> None:
    """Its lease ended while it hung; another call was made and answered."""
    floor = shop()
    floor.scan("S1", 1, "empty")
    other = {"made": 0}

    def slow(calls: Sequence[Call]) -> list[Reply]:
        if not other["made"]:
            other["made"] = calling.call_due(now=floor.now + timedelta(seconds=calling.LEASE_S + 1))
        return [Reply(error="cut off") for _ in calls]

    call(floor, ask=slow)
    assert other["made"] == 1
    request = DocumentRequest.objects.get()
    assert (request.state, request.calls, request.problem) == ("DONE", 2, "")
    once_everywhere(erp)


def test_a_number_that_comes_in_while_the_call_is_under_way_ends_the_request(erp: StubErp) -> None:
    floor = shop()
    floor.scan("S1", 1, "empty")
    drain(floor)
    turn = floor.turn("S1", 1)

    def meanwhile(calls: Sequence[Call]) -> list[Reply]:
        actions.give_document(turn=str(turn.uuid), document="BY-HAND", now=floor.now)
        drain(floor)
        return [Reply(error="cut off") for _ in calls]

    call(floor, ask=meanwhile)
    request = DocumentRequest.objects.get()
    assert (request.state, request.number, request.lease_until) == ("DONE", "BY-HAND", None)
    floor.now += timedelta(minutes=5)
    assert call(floor) == 0


def test_two_different_numbers_for_one_turn_are_for_a_person_to_decide(erp: StubErp) -> None:
    floor = shop()
    floor.scan("S1", 1, "empty")
    drain(floor)
    turn = floor.turn("S1", 1)

    def meanwhile(calls: Sequence[Call]) -> list[Reply]:
        actions.give_document(turn=str(turn.uuid), document="BY-HAND", now=floor.now)
        return client.call_all(calls)

    call(floor, ask=meanwhile)
    request = DocumentRequest.objects.get()
    assert (request.state, request.problem) == ("FAILED", "number_refused")
    assert "BY-HAND already" in request.detail
    assert floor.turn("S1", 1).document == "BY-HAND"


def test_without_an_erp_documents_wait_for_a_hand(settings: Any) -> None:
    settings.ERP_URL, settings.ERP_SECRETS = "", {}
    floor = shop()
    floor.scan("S1", 1, "empty")
    assert call(floor) == 0
    turn = floor.turn("S1", 1)
    facts = request_of(turn.uuid, plant_ids=[floor.plant.pk])
    assert facts is not None
    assert (turn.owner, facts.state, facts.problem) == ("buyer", "WAITING", "no_address")
    actions.give_document(turn=str(turn.uuid), document="4711", now=floor.now)
    drain(floor)
    assert DocumentRequest.objects.get().state == "DONE"


def test_a_plant_whose_erp_is_switched_off_or_whose_host_is_not_allowed_is_not_called(
    erp: StubErp, settings: Any
) -> None:
    floor = shop()
    floor.scan("S1", 1, "empty")
    drain(floor)
    ErpConnection.objects.update(enabled=False)
    assert call(floor) == 0
    ErpConnection.objects.update(enabled=True, url="http://169.254.169.254/documents")
    assert call(floor) == 0
    facts = request_of(floor.turn("S1", 1).uuid, plant_ids=[floor.plant.pk])
    assert facts is not None
    assert facts.problem == "address_refused"
    settings.ERP_URL, settings.ERP_HOSTS = "", [erp.host]
    ErpConnection.objects.update(url=erp.url)
    assert call(floor) == 1
    once_everywhere(erp)


# -- what is cancelled is taken back -------------------------------------------------------------------
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


# -- side by side, on connections of their own ---------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_four_callers_side_by_side_make_every_document_once(erp: StubErp) -> None:
    floor = shop(cards=40)
    for card in range(1, 41):
        floor.scan("S1", card, "empty")
    drain(floor)
    all_four_call = Barrier(4)

    def caller() -> int:
        first = True

        def ask(calls: Sequence[Call]) -> list[Reply]:
            nonlocal first
            if first:  # nobody gets a reply before all four have leased rows
                first = False
                all_four_call.wait(60)
            return client.call_all(calls)

        made = 0
        try:
            # Whoever finds the connection's row locked comes again, as the relay does.
            while DocumentRequest.objects.filter(state="WAITING", failures=0).exists():
                made += calling.call_due(now=floor.now, ask=ask)
        except BaseException:
            all_four_call.abort()
            raise
        finally:
            connection.close()
        return made

    with ThreadPoolExecutor(4) as four:
        made = [each.result() for each in [four.submit(caller) for _ in range(4)]]
    drain(floor)
    assert set(DocumentRequest.objects.values_list("state", "problem", "detail")) == {("DONE", "", "")}
    assert sum(made) == len(erp.seen) == 40  # not even a call too many
    assert min(made) >= calling.AT_ONCE
    once_everywhere(erp)
