"""The bucket before the scan door: a flood is stopped, a shop floor never notices it."""

from __future__ import annotations

from jitapp.api import throttle
from jitapp.api.throttle import SCANS, Buckets


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_fits_and_what_comes_after_it_waits_for_the_flow() -> None:
    clock = Clock()
    door = Buckets(rate=200, burst=1_000, clock=clock)
    assert all(door.allows(7) for _ in range(1_000))
    assert not door.allows(7)
    clock.now += 0.1
    assert [door.allows(7) for _ in range(21)] == [True] * 20 + [False]
    clock.now += 3_600
    assert sum(door.allows(7) for _ in range(2_000)) == 1_000


def test_the_sustained_rate_goes_on_for_ever() -> None:
    clock = Clock()
    door = Buckets(rate=200, burst=10, clock=clock)
    for _ in range(5_000):
        clock.now += 1 / 199
        assert door.allows(7)


def test_one_devices_flood_is_no_others() -> None:
    door = Buckets(rate=1, burst=2, clock=Clock())
    assert [door.allows(7) for _ in range(3)] == [True, True, False]
    assert door.allows(8)


def test_people_without_a_device_and_a_rate_of_nought_are_not_bounded() -> None:
    assert all(Buckets(rate=1, burst=1, clock=Clock()).allows(None) for _ in range(10))
    assert all(Buckets(rate=0, burst=1, clock=Clock()).allows(7) for _ in range(10))


def test_very_many_tokens_cost_no_memory() -> None:
    door = Buckets(200, 1_000, clock=Clock())
    for device in range(3 * throttle.MOST_TOKENS):
        assert door.allows(device)
    assert len(door._levels) <= throttle.MOST_TOKENS


def test_the_scan_doors_take_two_hundred_a_second_and_a_thousand_at_once() -> None:
    assert (SCANS.rate, SCANS.burst) == (200, 1_000)
