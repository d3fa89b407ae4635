"""Runouts that call by themselves, while people take and solve those calls and the sweep looks for what is missing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from jitapp import switchboard
from jitapp.outbox.models import Message
from jitapp.pull import actions
from jitapp.pull.models import AndonCall, Event
from tests.floor import Floor
from tests.races.crowd import at_once
from tests.races.devices import a_floor, now_scan, scanners, wrong

pytestmark = pytest.mark.django_db(transaction=True)
LOOPS = 3
ROUNDS = 12


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
