"""Runouts that call by themselves, while people take and solve those calls and the sweep looks for what is missing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from jitapp import switchboard
from jitapp.outbox.models import Message
from jitapp.pull import actions, store
from jitapp.pull.models import AndonCall, Event
from tests.floor import Floor
from tests.races.crowd import PATIENCE_S, at_once
from tests.races.devices import a_floor, now_scan, scanners, wrong

pytestmark = pytest.mark.django_db(transaction=True)
LOOPS = 3
ROUNDS = 6


@pytest.fixture
def floor() -> Floor:
    floor = a_floor()
    floor.station("CELL")
    floor.station("LINE")
    for number in range(LOOPS):
        floor.loop(f"L{number}", part=f"P{number}", supply="CELL", demand="LINE", cards=1, quantity=4)
    return floor


def scan_all(floor: Floor, *intents: str) -> None:
    for number in range(LOOPS):
        for intent in intents:
            now_scan(floor.request(f"L{number}", 1, intent), floor.source)


def test_each_runout_calls_once_and_nobody_waits_in_a_ring(floor: Floor) -> None:
    source = scanners(floor, 1)[0]
    mia = floor.person("mia", is_superuser=True)

    def sweep() -> object:
        return actions.sweep(now=timezone.now())

    def take() -> object:
        for call in AndonCall.objects.filter(solved_at__isnull=True, owned_at__isnull=True):
            try:
                actions.take_call(call_id=call.uuid, person_id=mia.pk, now=timezone.now(), source=source)
            except actions.CallRefused as refused:
                assert refused.code == "call_solved"  # noqa: PT017
        return None

    def solve() -> object:
        for call in AndonCall.objects.filter(solved_at__isnull=True).order_by("-pk"):
            actions.solve_call(call_id=call.uuid, reason="carried", now=timezone.now(), source=source)
        return None

    deeds: list[Callable[[], object]] = [switchboard.drain, switchboard.drain, sweep, take, solve]
    for _ in range(ROUNDS):
        scan_all(floor, "empty")
        switchboard.drain()
        scan_all(floor, "start", "complete", "load", "receive")
        done = at_once(*deeds)
        assert not [error for error in done if isinstance(error, Exception)], done
    switchboard.drain()
    assert not Message.objects.filter(attempts__gt=0).exists()
    assert AndonCall.objects.count() == LOOPS * ROUNDS
    assert not AndonCall.objects.filter(solved_at__isnull=True).exists()
    for type_ in ("andon.called", "andon.solved"):
        assert Event.objects.filter(type=type_).count() == LOOPS * ROUNDS
    assert wrong() == []


def somebody_waits() -> bool:
    """Whether another transaction waits for a lock of this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted"
            " AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize("step", ["take", "solve", "climb"])
def test_whoever_waits_for_the_loop_does_not_hold_the_call(floor: Floor, step: str) -> None:
    source = scanners(floor, 1)[0]
    mia = floor.person("mia", is_superuser=True)
    now_scan(floor.request("L0", 1, "empty"), floor.source)
    switchboard.drain()
    call = AndonCall.objects.get()
    later = timezone.now() + timedelta(hours=1)

    def person() -> None:
        try:
            if step == "take":
                actions.take_call(call_id=call.uuid, person_id=mia.pk, now=later, source=source)
            elif step == "solve":
                actions.solve_call(call_id=call.uuid, reason="carried", now=later, source=source)
            else:
                actions.escalate_calls(now=later)
        finally:
            connection.close()

    thread = threading.Thread(target=person)
    with transaction.atomic():
        assert call.loop_id is not None
        store.load([call.loop_id])  # as a drain does
        thread.start()
        until = time.monotonic() + PATIENCE_S
        while not somebody_waits():
            assert time.monotonic() < until, "nobody waits for the loop"
        # Refused at once if the other one held it.
        AndonCall.objects.select_for_update(nowait=True).get(pk=call.pk)
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    call.refresh_from_db()
    assert (call.owner_id, call.solved_at is not None, call.level > 0) == {
        "take": (mia.pk, False, True),
        "solve": (None, True, False),
        "climb": (None, False, True),
    }[step]
