"""A floor with several scanners, each a device of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from jitapp.accounts.models import Device, new_token, new_uuid, token_hash
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.models import Placement
from jitapp.pull import actions
from jitapp.pull.scan_request import Answer, Conflict, ScanRequest, Source
from jitapp.workshop.soundness import troubles
from tests.floor import Floor

# A round is one moment at which everybody scans; JITAPP_RACE_ROUNDS=1000 for a full run.
ROUNDS = int(os.environ.get("JITAPP_RACE_ROUNDS", "100"))
WAY = ("empty", "start", "complete", "load", "receive")


def a_floor() -> Floor:
    """A plant whose cards were made yesterday: the scans of these tests carry the clock on the wall."""
    return Floor(now=timezone.now() - timedelta(days=1))


def scanners(floor: Floor, count: int) -> list[Source]:
    """Devices of the floor's plant that may stand anywhere in it."""
    sources = []
    for number in range(count):
        device = Device.objects.create(
            name=f"scanner {number}", kind=DeviceKind.SCANNER, token_hash=token_hash(new_token())
        )
        Placement.objects.create(device=device, plant=floor.plant)
        sources.append(Source(device_id=device.pk, plant_ids=frozenset({floor.plant.pk}), name=device.name))
    return sources


def now_scan(request: ScanRequest, source: Source) -> Answer | Conflict:
    """As the door does: the clock is read once, then one call."""
    return actions.scan(request, source=source, now=timezone.now())


def scanning(code: str, station: str, intent: str, source: Source) -> Callable[[], Answer | Conflict]:
    """A new scan each time it is called."""
    return lambda: now_scan(ScanRequest(new_uuid(), code, station, intent), source)


def outcomes(answers: list[Answer | Conflict | Exception]) -> list[str]:
    """`applied`, `already` ..., or the name of what was raised; in alphabetical order."""
    return sorted(
        answer.body["outcome"] if isinstance(answer, Answer) else type(answer).__name__ for answer in answers
    )


def wrong(*, settled: bool = True) -> list[str]:
    """What is wrong with the ledger now (jitapp.workshop.soundness)."""
    with connection.cursor() as cursor:
        return troubles(cursor, settled=settled)
