"""The past of the demonstration is made by the true rules, and its forecasts are held against what came true."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from jitapp.plant.models import Loop, Plant
from jitapp.pull.models import AndonCall, Event, Receipt, Runout, Turn
from jitapp.pull.proof.verify import verify
from jitapp.pull.reading.board import board_rows_of_areas
from jitapp.workshop.demo.crew import Crew
from jitapp.workshop.demo.past import ImaginedFloor, first_instant
from jitapp.workshop.demo.shop import fill
from jitapp.workshop.demo.watch import Watched, report, watch
from tests.floor import Floor

NOW = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)  # a Wednesday
AREAS = ["final", "print", "supplies"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("goes_on", [True, False], ids=["goes on", "at rest"])
def test_b01_the_rules_refuse_nothing_of_the_past_and_verify_it(goes_on: bool) -> None:
    assert fill(NOW, days=2, goes_on=goes_on)
    assert set(Receipt.objects.values_list("outcome", flat=True)) == {"applied"}
    assert verify().differences == []
    days = Counter(Receipt.objects.values_list("occurred_at__date", flat=True))
    assert sorted(day.day for day in days) == [23, 24, 25]
    assert min(days.values()) > 50
    # Each thing was recorded when it happened, and nothing that followed from it later.
    late = Event.objects.filter(recorded_at__gt=NOW)
    assert not late.exists()
    assert bool(Turn.objects.filter(closed_at__isnull=True).exists()) is goes_on
    # The pages that look back have something to show, and every loop knows its rate.
    assert Runout.objects.filter(closed_at__isnull=False).exists()
    assert AndonCall.objects.filter(kind="machine", solved_at__isnull=False).exists()
    if goes_on:
        rows = board_rows_of_areas(AREAS, now=NOW)
        assert len(rows) == Loop.objects.count()
        assert all(row.runs_out_at is not None for row in rows if row.state != "out")
        assert all(row.runs_out_at < NOW + timedelta(hours=1) for row in rows if row.runs_out_at)


def test_b01_the_past_begins_on_a_working_day() -> None:
    begins = first_instant(NOW, 15, "Europe/Berlin")
    assert begins == datetime(2026, 11, 4, 8, 0, tzinfo=UTC)
    saturday = datetime(2026, 11, 28, 14, 0, tzinfo=UTC)
    assert first_instant(saturday, 5, "Europe/Berlin") == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_b01_about_once_a_minute_somebody_is_asked_and_every_five_minutes_a_buffer_is_dry() -> None:
    assert fill(NOW)
    floor = ImaginedFloor(Plant.objects.get())
    crew = Crew(floor, random.Random(1))
    openings: Counter[str] = Counter()
    states: dict[str, str] = {}
    hours = 3
    for second in range(hours * 3600):
        crew.step(float(second))
        late = {
            job.loop
            for job in floor.all_jobs()
            if second - crew._seen.get(job.turn, second) > floor.routes[job.loop].lead_seconds
        }
        for loop in floor.routes:
            usable = len(floor.usable(loop))
            state = "out" if not usable else "act" if usable == 1 and loop in late else "calm"
            if states.get(loop, "calm") != state:
                states[loop] = state
                openings[state] += 1
    assert 0.5 < openings["act"] / (hours * 60) < 1.5
    assert 0.1 < openings["out"] / (hours * 60) < 0.4


class Clock:
    """A second passes with each reading."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.mark.django_db
def test_b01_the_watcher_counts_openings_and_holds_forecasts_against_what_came_true() -> None:
    floor = Floor()
    floor.station("MAKE")
    floor.station("USE", "SHIPPING")
    floor.loop("L", part="P", supply="MAKE", demand="USE", cards=2, lead_time_minutes=5)
    floor.scan("L", 1, "empty")  # due five minutes later
    clock = Clock(floor.now)
    begun = floor.now

    def wait(_seconds: float) -> None:
        if clock.now == begun + timedelta(seconds=60):
            floor.now = clock.now
            floor.scan("L", 2, "empty", after=0)
        if clock.now == begun + timedelta(seconds=240):
            floor.now = clock.now
            for intent in ("start", "complete", "receive"):
                floor.scan("L", 1, intent, after=0)

    found = watch(6, clock=clock, wait=wait)
    assert found.openings == Counter(out=1)
    assert len(found.lives["out"]) == 1
    assert abs(found.lives["out"][0] - 180) <= 2
    # It said five minutes, it took four.
    assert found.errors[0] == pytest.approx(60, abs=2)
    text = "\n".join(report(found))
    assert "OUT: 1 openings" in text
    assert "refill forecasts: " in text


def test_b01_a_watch_without_forecasts_says_only_what_it_saw() -> None:
    assert list(report(Watched(minutes=1.0))) == [
        "1.0 minutes, 0 rows",
        "rows by state: ",
        "ACT: 0 openings, 0.00 a minute, none was seen to end",
        "OUT: 0 openings, 0.00 a minute, none was seen to end",
    ]
