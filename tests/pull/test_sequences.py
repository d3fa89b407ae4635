"""Gaps in the numbers by which a device counts its scans: found after the fact, closed by what comes late."""

from __future__ import annotations

import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from jitapp.accounts.models import Device
from jitapp.pull import actions
from jitapp.pull.actions.sequences import Counted, without
from jitapp.pull.models import DeviceSequence, MissingScans
from jitapp.pull.reading.devices import GRACE, devices_of, missing_scans
from tests.floor import Floor


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=40, quantity=4)
    return floor


def came(floor: Floor, *numbers: int, epoch: str = "a") -> None:
    """Scans with these numbers came in, in this order, and were looked at."""
    for number in numbers:
        floor.scan("L1", 1 + number % 40, "empty", seq=number, epoch=epoch)
    actions.follow_sequences(now=floor.now)


def gaps(epoch: str = "a") -> list[tuple[int, int]]:
    return list(MissingScans.objects.filter(epoch=epoch).order_by("first").values_list("first", "last"))


@pytest.mark.django_db
def test_a_gap_closes_when_its_scans_come_late(floor: Floor) -> None:
    came(floor, 1, 2, 3, 7)
    assert gaps() == [(4, 6)]
    came(floor, 5)
    assert gaps() == [(4, 4), (6, 6)]
    came(floor, 6, 4, 8)
    assert gaps() == []
    floor.device.refresh_from_db()
    assert (floor.device.epoch, floor.device.max_seq) == ("a", 8)


@pytest.mark.django_db
def test_numbers_in_any_order_leave_the_same_gaps(floor: Floor) -> None:
    numbers = [number for number in range(1, 31) if number not in (4, 17, 18, 19)]
    random.Random(3).shuffle(numbers)
    for place in range(0, len(numbers), 5):
        came(floor, *numbers[place : place + 5])
    assert gaps() == [(4, 4), (17, 19)]
    actions.follow_sequences(now=floor.now)  # what is looked at twice changes nothing
    assert gaps() == [(4, 4), (17, 19)]


@pytest.mark.django_db
def test_a_device_that_was_enrolled_counts_from_one_and_another_from_where_it_begins(floor: Floor) -> None:
    came(floor, 103, 101)
    assert gaps() == [(102, 102)]
    Device.objects.update(enrolled_by=floor.person("lea"))
    came(floor, 3, epoch="b")
    assert gaps("b") == [(1, 2)]
    came(floor, 1, epoch="b")
    assert gaps("b") == [(2, 2)]


@pytest.mark.django_db
def test_a_sequence_that_began_again_is_another_one(floor: Floor) -> None:
    came(floor, 1, 2, 5)
    came(floor, 1, 2, epoch="b")
    came(floor, 3, epoch="a")
    assert (gaps("a"), gaps("b")) == ([(4, 4)], [])
    assert DeviceSequence.objects.count() == 2


@pytest.mark.django_db
def test_a_gap_is_told_when_it_stays_and_noted_once(floor: Floor) -> None:
    came(floor, 1, 5)
    plant, soon, later = [floor.plant.pk], floor.now, floor.now + GRACE
    assert missing_scans(plant, now=soon) == []
    (told,) = missing_scans(plant, now=later)
    assert (told.name, told.first, told.last) == ("PLANT scanner", 2, 4)
    assert missing_scans([floor.plant.pk + 1], now=later) == []
    lea = floor.person("lea")
    for in_plants, done in (([floor.plant.pk + 1], False), (plant, True), (plant, False)):
        said = actions.note_missing(
            told.id, note="shelf counted", person_id=lea.pk, plant_ids=in_plants, now=later
        )
        assert said is done
    assert missing_scans(plant, now=later) == []
    came(floor, 3)  # what is left of it keeps the note
    (facts,) = devices_of(plant, now=later)
    assert [(each.first, each.last, each.note) for each in facts.missing] == [
        (2, 2, "shelf counted"),
        (4, 4, "shelf counted"),
    ]


@pytest.mark.django_db
def test_a_look_at_all_devices_is_one_question_while_nothing_came(floor: Floor) -> None:
    came(floor, 1, 2)
    with CaptureQueriesContext(connection) as asked:
        actions.follow_sequences(now=floor.now)
    reading = [each["sql"] for each in asked if "pull_receipt" in each["sql"]]
    assert len(reading) == 1
    assert len([each for each in asked if each["sql"].startswith("UPDATE")]) == 0


def as_told(numbers: list[int], first: int) -> list[int]:
    return [number for number in range(first, max(numbers) + 1) if number not in numbers]


@given(st.lists(st.lists(st.integers(1, 60), min_size=1), min_size=1, max_size=8))
def test_counted_is_the_same_however_the_numbers_are_cut(parts: list[list[int]]) -> None:
    counted = Counted(1, 0)
    for part in parts:
        counted = counted.with_numbers(part)
    numbers = [number for part in parts for number in part]
    missing = [number for first, last in counted.missing for number in range(first, last + 1)]
    assert missing == as_told(numbers, 1)
    assert counted.last == max(numbers)


def test_ranges_lose_what_came() -> None:
    assert without([(1, 5), (8, 9)], [0, 1, 3, 9, 12]) == [(2, 2), (4, 5), (8, 8)]
    assert Counted(5, 5).with_numbers([2]) == Counted(2, 5, ((3, 4),))


def test_a_jump_to_a_huge_number_is_one_range() -> None:
    assert Counted(1, 1).with_numbers([2**62]).missing == ((2, 2**62 - 1),)
