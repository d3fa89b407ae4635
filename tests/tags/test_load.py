"""Two hundred tags that are read fifty times a second each for a minute: two hundred scans."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from jitapp.pull.models import Receipt
from jitapp.tags.models import Visit
from jitapp.tags.reads import Read
from tests.tags.portal import LOOP, Portal, epc

pytestmark = pytest.mark.django_db
TAGS, READS_A_SECOND, SECONDS = 200, 50, 60


def test_ten_thousand_reads_a_second_are_two_hundred_scans() -> None:
    portal = Portal(cards=TAGS)
    portal.point("gate", antennas=[1, 2, 3, 4])
    dice, sent = random.Random(1), 0
    for _ in range(SECONDS):
        begin = portal.now
        portal.floor.now += timedelta(seconds=1)
        reads = [
            Read(
                epc(tag),
                dice.randint(1, 4),
                begin + timedelta(milliseconds=20 * step),
                dice.uniform(-70, -40),
            )
            for step in range(READS_A_SECOND)
            for tag in range(1, TAGS + 1)
        ]
        taken = portal.send(*reads).taken
        sent += taken.used
    assert sent == TAGS * READS_A_SECOND * SECONDS == 600_000
    assert Visit.objects.count() == Receipt.objects.count() == TAGS
    assert set(portal.floor.status(LOOP)) == {"EMPTY"}
