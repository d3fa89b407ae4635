"""R6: a runout lasts from when nothing was usable to when something was, in whatever order the scans came in."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations

import pytest

from jitapp.pull.models import Turn
from tests.floor import START, Floor
from tests.stories.shops import another_device, dry_spells, two_bins


def at(hour: int, minute: int = 0) -> datetime:
    return START.replace(hour=hour, minute=minute)


def arrives(floor: Floor, when: datetime, number: int, intent: str, occurred: datetime | None = None) -> None:
    """A scan that comes in at `when`, made then or earlier on another device."""
    floor.now = when - timedelta(minutes=1)
    answer = floor.scan(
        "L", number, intent, occurred_at=occurred, source=another_device(floor, f"t{when:%H%M%S}")
    )
    assert answer["outcome"] == "applied", answer


def shop(cards: int = 2, kind: str = "PRODUCTION") -> Floor:
    """Containers of one piece, which nothing opens before they are empty; of a TWO_BIN loop, they are."""
    return two_bins(cards=cards, kind=kind, quantity=1)


@pytest.mark.parametrize("kind", ["PRODUCTION", "TWO_BIN"])
def test_r06_a_container_emptied_long_ago_does_not_begin_the_runout_of_the_other_one(kind: str) -> None:
    """In a two-bin loop the emptied bin has the other one opened by implication, which was empty by then."""
    floor = shop(kind=kind)
    arrives(floor, at(11, 55), 2, "empty")
    arrives(floor, at(11, 57), 1, "empty", at(8, 0) + timedelta(seconds=30))
    assert dry_spells("L") == [(at(11, 55), None)]
    arrives(floor, at(12), 2, "receive")
    assert dry_spells("L") == [(at(11, 55), at(12))]


def test_r06_a_runout_that_is_told_of_only_when_it_is_over_is_on_record() -> None:
    floor = shop()
    arrives(floor, at(10), 1, "empty")
    arrives(floor, at(12), 1, "receive")
    arrives(floor, at(12, 5), 2, "empty", at(11))
    assert dry_spells("L") == [(at(11), at(12))]
    assert floor.open_runout("L") is None


EMPTIED = {1: at(9), 2: at(10), 3: at(11)}


@pytest.mark.parametrize("order", list(permutations(EMPTIED)), ids=str)
@pytest.mark.parametrize("kind", ["PRODUCTION", "TWO_BIN"])
def test_r06_the_order_of_arrival_changes_nothing(order: tuple[int, ...], kind: str) -> None:
    floor = shop(cards=3, kind=kind)
    for minute, number in enumerate(order):
        arrives(floor, at(11, 10 + minute), number, "empty", EMPTIED[number])
    arrives(floor, at(12), 2, "receive")
    assert dry_spells("L") == [(at(11), at(12))]
    assert Turn.objects.filter(loop__code="L").count() == 3


def test_r06_a_late_receipt_ends_the_runout_when_the_container_was_there() -> None:
    floor = shop()
    arrives(floor, at(9), 1, "empty")
    arrives(floor, at(10), 2, "empty")
    arrives(floor, at(11, 30), 1, "receive", at(10, 30))
    assert dry_spells("L") == [(at(10), at(10, 30))]


def test_r06_a_late_receipt_from_before_the_other_was_empty_unmakes_the_runout() -> None:
    floor = shop()
    arrives(floor, at(9), 1, "empty")
    arrives(floor, at(10), 2, "empty")
    assert dry_spells("L") == [(at(10), None)]
    arrives(floor, at(10, 20), 1, "receive", at(9, 30))
    assert dry_spells("L") == []
    assert floor.open_runout("L") is None


def test_r06_a_late_empty_moves_the_beginning_of_a_closed_runout() -> None:
    floor = shop(cards=3)
    arrives(floor, at(9), 1, "empty")
    arrives(floor, at(9, 30), 2, "empty")
    arrives(floor, at(12), 1, "receive")
    arrives(floor, at(12, 10), 3, "empty", at(10, 15))
    arrives(floor, at(12, 20), 1, "empty")
    arrives(floor, at(12, 40), 2, "receive")
    assert dry_spells("L") == [(at(10, 15), at(12)), (at(12, 20), at(12, 40))]


def test_r06_a_late_receipt_splits_one_runout_in_two() -> None:
    floor = shop(cards=3)
    for minute, number in enumerate((1, 2, 3)):
        arrives(floor, at(9, minute), number, "empty")
    arrives(floor, at(12), 2, "receive")
    assert dry_spells("L") == [(at(9, 2), at(12))]
    # A tablet without a network: received at 10:00 and emptied again at 10:30.
    arrives(floor, at(12, 10), 1, "receive", at(10))
    arrives(floor, at(12, 11), 1, "empty", at(10, 30))
    assert dry_spells("L") == [(at(9, 2), at(10)), (at(10, 30), at(12))]
