"""The outbox drained by several at once, and what a signal that is published after the commit would cost."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from django.db import connection

from jitapp import switchboard
from jitapp.accounts.models import new_uuid
from jitapp.outbox import relay
from jitapp.outbox.models import Message
from jitapp.pull import store
from jitapp.pull.models import Draw, Event, TurnLink, Wait
from jitapp.pull.scan_request import Answer, ScanRequest, Source
from tests.floor import Floor
from tests.races.crowd import at_once
from tests.races.devices import a_floor, now_scan, scanners, wrong

pytestmark = pytest.mark.django_db(transaction=True)
LEVELS = 4


@pytest.fixture
def floor() -> Floor:
    """A chain of stations that use up their components by software: a start at one level draws at the next."""
    floor = a_floor()
    for level in range(LEVELS + 1):
        floor.station(f"S{level}", consumption="BACKFLUSH")
    floor.station("SHIP", "SHIPPING")
    for level in range(LEVELS + 1):
        if level < LEVELS:
            floor.bill(f"P{level}", **{f"P{level + 1}": 2})
        floor.loop(
            f"L{level}",
            part=f"P{level}",
            supply=f"S{level}",
            demand="SHIP" if level == 0 else f"S{level - 1}",
            cards=3,
            quantity=2,
        )
    return floor


def turn_over(floor: Floor, source: Source, times: int) -> None:
    """Every loop's first cards go round, so that plenty is drawn."""
    for _, level, number in itertools.product(range(times), range(LEVELS + 1), (1, 2)):
        card = floor.card(f"L{level}", number)
        demand = "SHIP" if level == 0 else f"S{level - 1}"
        for intent in ("empty", "start", "complete", "receive"):
            station = demand if intent in ("empty", "receive") else f"S{level}"
            answer = now_scan(ScanRequest(new_uuid(), card.code, station, intent), source)
            assert isinstance(answer, Answer)


def test_drained_by_four_at_once_every_message_has_one_effect(floor: Floor) -> None:
    source = scanners(floor, 1)[0]
    turn_over(floor, source, 3)
    waiting = Message.objects.filter(done_at=None).count()
    handled = at_once(*[switchboard.drain] * 4)
    assert not [error for error in handled if isinstance(error, Exception)], handled
    assert not Message.objects.exclude(dead_at=None).exists()
    # What a drain writes is a message again; the sum is what was waiting and what came of it.
    assert sum(count for count in handled if isinstance(count, int)) == Message.objects.count() >= waiting
    assert Draw.objects.exists()
    assert TurnLink.objects.exists()
    assert every_wait_is_told_once() > 20
    assert wrong() == []


def test_drained_while_people_scan_nothing_is_lost_and_nothing_done_twice(floor: Floor) -> None:
    sources = scanners(floor, 2)
    finished: list[bool] = []

    def scan_on(source: Source) -> None:
        try:
            turn_over(floor, source, 2)
        finally:
            finished.append(True)

    def drain_on() -> None:
        while len(finished) < 2:
            switchboard.drain()

    done = at_once(*(lambda source=source: scan_on(source) for source in sources), drain_on, drain_on)
    assert done == [None] * 4
    switchboard.drain()
    assert every_wait_is_told_once() > 20
    assert wrong() == []


def every_wait_is_told_once() -> int:
    """Each row has its event of opening and, once closed, of closing; answers how many waits there are."""
    for type_, rows in (
        ("wait.opened", Wait.objects.all()),
        ("wait.closed", Wait.objects.filter(closed_at__isnull=False)),
    ):
        told = list(Event.objects.filter(type=type_).values_list("data__wait", flat=True))
        assert sorted(told) == sorted(str(uuid) for uuid in rows.values_list("uuid", flat=True))
    return Wait.objects.count()


def test_a_message_handled_twice_draws_once(floor: Floor) -> None:
    """The claim apart: the same message again, as after a restore of the outbox, finds its draw done."""
    source = scanners(floor, 1)[0]
    turn_over(floor, source, 1)
    switchboard.drain()
    drawn = sorted(Draw.objects.values_list("turn_id", "loop_id", "drawn", "short"))
    events = set(Event.objects.values_list("uuid", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE outbox_message SET done_at = NULL")
    switchboard.drain()
    assert sorted(Draw.objects.values_list("turn_id", "loop_id", "drawn", "short")) == drawn
    assert set(Event.objects.values_list("uuid", flat=True)) == events
    assert wrong() == []


def test_without_the_claim_two_drains_handle_the_same_message(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: rows are read, not locked."""
    monkeypatch.setattr(relay, "CLAIM", relay.CLAIM.replace("FOR UPDATE SKIP LOCKED", ""))
    source = scanners(floor, 1)[0]
    turn_over(floor, source, 1)
    waiting = Message.objects.filter(done_at=None).count()
    handled = at_once(*[lambda: relay.drain_once(slowly, decode=store.decode, batch=1000)] * 2)
    assert sum(count for count in handled if isinstance(count, int)) > waiting


def slowly(_jobs: Sequence[relay.Job]) -> None:
    time.sleep(0.3)


# -- the window between a commit and what is published after it ---------------------------------------
def test_published_after_the_commit_a_kill_in_between_loses_the_signal(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: the message is no part of the scan's transaction; the process is gone before it can publish it."""
    write = store.UnitOfWork.write

    def write_without_messages(world: store.UnitOfWork, *, last: bool = False) -> None:
        world.document.pop("messages", None)
        write(world, last=last)

    monkeypatch.setattr(store.UnitOfWork, "write", write_without_messages)
    source = scanners(floor, 1)[0]
    turn_over(floor, source, 1)
    switchboard.drain()
    assert "a lost signal" in " ".join(wrong())


STARTS_AND_DIES = """
import os, signal, sys
import django
django.setup()
from datetime import datetime
from django.db import transaction
from django.utils import timezone
from jitapp.accounts.models import new_uuid
from jitapp.pull import actions
from jitapp.pull.scan_request import ScanRequest, Source
code, device, plant = sys.argv[1:]
source = Source(device_id=int(device), plant_ids=frozenset({int(plant)}))
with transaction.atomic():
    actions.scan(ScanRequest(new_uuid(), code, "S0", "start"), source=source, now=timezone.now())
    transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_killed_right_after_the_commit_the_signal_still_goes_upstream(floor: Floor) -> None:
    """The cure: a real process, a real SIGKILL between the commit and the nudge."""
    card = floor.card("L0", 1)
    source = scanners(floor, 1)[0]
    now_scan(ScanRequest(new_uuid(), card.code, "SHIP", "empty"), source)
    switchboard.drain()
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "SECRET_KEY": "for-this-test-only-abcdefghijklmnopqrstuvwxyz-0123456789",
    }
    killed = subprocess.run(
        [sys.executable, "-c", STARTS_AND_DIES, card.code, str(source.device_id), str(floor.plant.pk)],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert floor.status("L0")[0] == "IN_PROCESS"
    assert not Draw.objects.exists()
    switchboard.drain()
    assert Draw.objects.filter(turn__card=card).count() == 1
    assert wrong() == []


def database_url() -> str:
    """This worker's test database."""
    settings = connection.settings_dict
    password = f":{settings['PASSWORD']}" if settings["PASSWORD"] else ""
    return f"postgres://{settings['USER']}{password}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
