"""Batches that leave at fixed times of the plant's day, also on the nights on which the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from jitapp.plant.models import Plant
from jitapp.pull.actions.sweeping import last_time, sweep
from tests.floor import Floor

BERLIN = ZoneInfo("Europe/Berlin")


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "last"),
    [
        # 29 March: the clock goes from 02:00 to 03:00, at 01:00 UTC; 02:30 is 90 minutes after 01:00 all the same.
        (utc(3, 29, 0, 59), utc(3, 28, 1, 30)),
        (utc(3, 29, 1, 0), utc(3, 28, 1, 30)),
        (utc(3, 29, 1, 29), utc(3, 28, 1, 30)),
        (utc(3, 29, 1, 30), utc(3, 29, 1, 30)),
        # 25 October: the clock shows 02:00 to 03:00 twice; the first 02:30 counts, the second is none.
        (utc(10, 25, 0, 29), utc(10, 24, 0, 30)),
        (utc(10, 25, 0, 30), utc(10, 25, 0, 30)),
        (utc(10, 25, 1, 15), utc(10, 25, 0, 30)),
        (utc(10, 25, 1, 45), utc(10, 25, 0, 30)),
    ],
)
def test_the_last_fixed_time_is_an_instant_that_has_come(now: datetime, last: datetime) -> None:
    assert last_time(["02:30"], BERLIN, now) == last
    assert last_time(["02:30"], BERLIN, now.astimezone(BERLIN)) == last


@pytest.mark.django_db
@pytest.mark.usefixtures("true_ledger")
def test_a_batch_does_not_leave_early_when_the_clock_goes_forward() -> None:
    floor = Floor(now=utc(3, 29, 0, 40))
    Plant.objects.update(time_zone="Europe/Berlin")
    floor.station("PRESS")
    floor.station("CELL")
    floor.loop(
        "L1", part="DOOR", supply="PRESS", demand="CELL", accumulate="CLOCK", accumulate_times=["02:30"]
    )
    floor.scan("L1", 1, "empty")
    sweep(now=utc(3, 29, 1, 10))
    assert floor.turn("L1", 1).signal_state == "ACCUMULATING"
    sweep(now=utc(3, 29, 1, 30))
    assert floor.turn("L1", 1).signal_state == "RELEASED"
