"""What becomes of the database connection of a worker between two of its tasks."""

from __future__ import annotations

import pytest
from celery.fixups.django import DjangoWorkerFixup  # type: ignore[attr-defined]  # not in its stubs
from django.db import connection

from jitapp import switchboard
from jitapp.celery import app
from jitapp.outbox.models import Message
from tests.api.test_scan_door import a_floor, cut

pytestmark = pytest.mark.django_db(transaction=True)
TASKS = sorted(name for name in app.tasks if name.startswith("jitapp."))


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_connection_outlives_the_task_that_opened_it() -> None:
    """Opening one costs more than most tasks: every pull began 30 ms late."""
    before = backend()
    DjangoWorkerFixup(app).on_task_postrun(switchboard.drain_task)
    assert connection.connection is not None
    assert backend() == before


def test_our_tasks_are_known_here() -> None:
    assert {"jitapp.drain", "jitapp.erp", "jitapp.sweep"} <= set(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_a_task_does_not_mind_that_its_connection_broke_meanwhile(task: str) -> None:
    broken = backend()
    cut(broken)
    app.tasks[task]()
    assert backend() != broken


def test_what_waited_is_handled_by_the_first_task_after_the_break() -> None:
    floor = a_floor()
    floor.scan("L1", 1, "empty")
    waiting = Message.objects.filter(done_at=None)
    assert waiting.exists()
    cut(backend())
    switchboard.drain_task()
    assert not waiting.exists()
