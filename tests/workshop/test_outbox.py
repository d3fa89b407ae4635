"""`manage.py outbox`: what is given up is named with its reason, and done once somebody retries it."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from jitapp.outbox.models import Message
from jitapp.switchboard import drain
from tests.floor import Floor


@pytest.fixture
def floor(db: None) -> Floor:
    floor = Floor()
    floor.station("MILL")
    floor.station("LINE")
    floor.loop("GEARS", part="GEAR", supply="MILL", demand="LINE", cards=3)
    drain()  # what making the loop has told
    return floor


def told(*arguments: str) -> tuple[str, int]:
    """(what it says, exit code)"""
    out = StringIO()
    try:
        call_command("outbox", *arguments, stdout=out)
    except SystemExit as ended:
        return out.getvalue(), int(str(ended.code))
    return out.getvalue(), 0


def test_s11_a_dead_row_is_listed_with_its_reason_and_retried(floor: Floor) -> None:
    floor.scan("GEARS", 1, "empty")
    floor.scan("GEARS", 2, "empty")
    first, _ = Message.objects.filter(done_at=None).order_by("pk")
    Message.objects.filter(pk=first.pk).update(
        attempts=8, dead_at=floor.now, last_error="RuntimeError('the disk\nwas full')"
    )
    drain()
    text, code = told()
    assert code == 1
    line, advice = text.splitlines()  # the row behind it is done
    assert line.startswith(f"{first.pk} dead: pull.changed of loop GEARS, ")
    assert line.endswith("8 attempts, RuntimeError('the disk was full')")
    assert advice.endswith(f"manage.py outbox retry {first.pk}")

    text, code = told("retry", str(first.pk))
    assert (text, code) == (f"Row {first.pk} is tried again now.\n", 0)
    drain()
    assert told() == ("The outbox is empty: everything that followed from a change is done.\n", 0)
    with pytest.raises(CommandError, match=f"Not in the outbox, or done already: {first.pk}"):
        call_command("outbox", "retry", str(first.pk))


def test_s11_what_waits_and_what_fails_say_why_and_since_when(floor: Floor) -> None:
    floor.scan("GEARS", 1, "empty")
    floor.scan("GEARS", 2, "empty")
    first, second = Message.objects.filter(done_at=None).order_by("pk")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outbox_message SET attempts = 2, last_error = 'OperationalError()',"
            " due_at = now() + interval '1 hour' WHERE id = %s",
            (first.pk,),
        )
    text, code = told()
    assert code == 0
    assert f"{first.pk} fails: pull.changed of loop GEARS" in text
    assert "2 attempts, next in 35" in text
    assert f"{second.pk} blocked: pull.changed of loop GEARS" in text
    assert f"waits for row {first.pk}" in text


def test_a_retry_without_a_row_says_how(floor: Floor) -> None:
    with pytest.raises(CommandError, match="Name the rows to try again"):
        call_command("outbox", "retry")
