"""Documents exist once though a caller is killed, overtaken, or not the only one."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from jitapp.erp import calling, client
from jitapp.erp.adapter import Call, Reply
from jitapp.erp.models import DocumentRequest, ErpConnection
from jitapp.erp.queries import request_of
from jitapp.pull import actions
from jitapp.pull.models import Event
from tests.erp.orders import call, drain, once_everywhere, shop
from tests.erp.stub import StubErp

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


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
