"""The relay goes on whatever a sweep runs into: signals must not stop because of one row."""

from __future__ import annotations

import threading

import pytest

from jitapp.outbox.models import Message
from jitapp.plant.models import LoopRevision
from jitapp.pulse.beats import Work
from jitapp.workshop.management.commands import relay
from tests.floor import Floor

pytestmark = pytest.mark.django_db(transaction=True)


class Rounds(threading.Event):
    """Set after so many waits, and never waits."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.left = rounds

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        if self.left <= 0:
            self.set()
        return self.is_set()


def test_a_sweep_that_fails_is_logged_and_signals_go_on(caplog: pytest.LogCaptureFixture) -> None:
    floor = Floor()
    floor.station("PRESS")
    floor.station("CELL")
    loop = floor.loop("L", part="DOOR", supply="PRESS", demand="CELL")
    # Written past all checks, as only a hand in the database could.
    LoopRevision.objects.create(loop=loop, number=1, effective_at=floor.now, values={"quantity": "many"})
    relay.drain_until(Rounds(1), Work(60))
    assert "A sweep failed" in caplog.text
    floor.scan("L", 1, "empty")
    assert Message.objects.filter(done_at__isnull=True).exists()
    relay.drain_until(Rounds(2), Work(60))
    assert not Message.objects.filter(done_at__isnull=True).exists()
