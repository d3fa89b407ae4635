"""Boards of random instants of a replayed log are those that their ledgers say, with and without what was told late.

A small log in the suite. The whole log of a shop, with the time that a board takes:
    JITAPP_LOG=machine-shop.csv pytest tests/independent/test_moments.py -s
"""

from __future__ import annotations

import json
import os
import random
import time
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

import pytest
from django.utils import timezone

from jitapp.plant.models import Area, Loop
from jitapp.pull import actions
from jitapp.pull.models import Event, LoopSnapshot
from jitapp.pull.proof.verify import verify
from jitapp.pull.reading.past import board_then
from jitapp.pull.setup import set_up_shop
from jitapp.workshop.floor_log import read_log
from jitapp.workshop.floor_shop import convert
from jitapp.workshop.replaying import read_lines, replay
from tests.independent.moments import Ledger, differences

SMALL = Path(__file__).parent.parent / "data" / "small-log.csv"
INSTANTS, FEW = 50, 15

pytestmark = pytest.mark.django_db(transaction=True)


def replayed(log: Path) -> None:
    with log.open(encoding="utf-8-sig", newline="") as rows:
        conversion = convert(read_log(rows))
    done = set_up_shop(conversion.shop, now=timezone.now())
    assert not done.report.errors, done.report.errors
    replay(read_lines([json.dumps(line) for line in conversion.lines]))


def instants(count: int) -> list[datetime]:
    """Random ones of the whole log, and as many at which something happened, to the microsecond."""
    dice = random.Random(2012)
    happened = list(
        Event.objects.filter(loop__isnull=False).order_by("id").values_list("occurred_at", flat=True)
    )
    span = (happened[-1] - happened[0]).total_seconds()
    return [
        *(happened[0] + timedelta(seconds=dice.uniform(0, span)) for _ in range(count)),
        *dice.sample(happened, min(count, len(happened))),
    ]


def all_differences(ats: list[datetime], milliseconds: list[float] | None = None) -> list[str]:
    found: list[str] = []
    ledgers = {
        area: [Ledger.of(loop) for loop in Loop.objects.filter(demand__area=area).select_related("supply")]
        for area in Area.objects.all()
    }
    for at in ats:
        for area, own in ledgers.items():
            for known_then in (False, True):
                begin = time.perf_counter()
                board = board_then(area.code, at, known_then=known_then)
                if milliseconds is not None:
                    milliseconds.append(1_000 * (time.perf_counter() - begin))
                found += differences(own, board, at, known_then=known_then)
    return found


def test_boards_of_a_small_log_are_those_of_its_ledgers_with_and_without_snapshots() -> None:
    replayed(SMALL)
    ats = instants(FEW)
    assert all_differences(ats) == []
    assert actions.keep_snapshots() > 0
    assert LoopSnapshot.objects.exists()
    assert all_differences(ats) == []
    assert verify().total == 0


@pytest.mark.timeout(3600)
@pytest.mark.skipif("JITAPP_LOG" not in os.environ, reason="names the whole log of a shop in JITAPP_LOG")
def test_boards_of_a_whole_log_are_those_of_its_ledgers(capsys: pytest.CaptureFixture[str]) -> None:
    replayed(Path(os.environ["JITAPP_LOG"]))
    begin = time.perf_counter()
    made = 0
    while kept := actions.keep_snapshots():
        made += kept
    took = time.perf_counter() - begin
    ats = instants(INSTANTS)
    milliseconds: list[float] = []
    found = all_differences(ats, milliseconds)
    loops = max(Loop.objects.filter(demand__area=area).count() for area in Area.objects.all())
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{Event.objects.count()} events, {made} snapshots in {took:.1f} s; at most {loops} loops in an area;"
            f" {len(milliseconds)} boards of {len(ats)} instants: median {median(milliseconds):.0f} ms,"
            f" p95 {quantiles(milliseconds, n=20)[-1]:.0f} ms, {len(found)} differences"
        )
    assert found == [], "\n".join(found[:20])
