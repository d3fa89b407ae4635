"""A scan that was kept on a device is booked where and by whom it was made, or waits for a person."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import override_settings

from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Membership
from tests.floor import Floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="PCB-A", supply="SMT", demand="TEST", cards=3, quantity=12)
    return floor


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"at": "GONE"}, "station_gone"),
        ({"by": "nobody"}, "person_gone"),
        ({"by": str(uuid4())}, "person_gone"),
    ],
)
def test_q1_what_names_nothing_any_more_waits_for_a_leader(
    floor: Floor, more: dict[str, Any], code: str
) -> None:
    kept = floor.scan("L1", 1, "empty", kept=True, **more)
    assert (kept["outcome"], kept["code"], kept["state"]) == ("parked", code, "parked")
    assert floor.card("L1", 1).supply_status == "FULL"


def test_a_scan_taken_back_before_it_was_sent_is_recorded_and_changes_nothing(floor: Floor) -> None:
    scan_id = uuid4()
    told = floor.scan("L1", 1, "empty", kept=True, withdrawn=True, id=scan_id, at="GONE")
    assert (told["outcome"], told["code"], told["sound"]) == ("refused", "withdrawn", "tick")
    assert floor.card("L1", 1).supply_status == "FULL"
    assert (
        floor.scan("L1", 1, "empty", kept=True, id=scan_id, at="GONE")["replayed"] is True
    )  # delayed on the way
    assert floor.card("L1", 1).supply_status == "FULL"


def test_an_undo_that_names_its_scan_takes_back_no_other(floor: Floor) -> None:
    first = floor.scan("L1", 1, "open", at="TEST")
    second = floor.scan("L1", 1, "empty", at="TEST", after=1.5)
    told = floor.scan("L1", 1, "undo", at="TEST", after=0.1, undoes=UUID(first["id"]))
    assert (told["outcome"], told["code"]) == ("refused", "undo_overtaken")
    assert floor.card("L1", 1).supply_status == "EMPTY"
    told = floor.scan("L1", 1, "undo", at="TEST", after=0.1, undoes=UUID(second["id"]))
    assert (told["outcome"], told["code"]) == ("applied", "undone")
    assert floor.card("L1", 1).supply_status == "IN_USE"


def test_a_scan_that_is_sent_at_once_is_answered_as_before(floor: Floor) -> None:
    assert floor.scan("L1", 1, "empty", at="GONE")["code"] == "unknown_station"
    assert floor.scan("L1", 1, "empty", by="nobody")["outcome"] == "applied"


def test_an_unknown_code_is_unknown_wherever_it_was_kept(floor: Floor) -> None:
    assert floor.scan("L1", 1, "empty", kept=True, at="GONE", code="KB00000000Q")["outcome"] == "refused"


@override_settings(LANGUAGE_CODE="en")
def test_a_badge_at_a_scan_door_is_no_unknown_card(floor: Floor) -> None:
    otto = floor.person("otto", badge="B-OTTO")
    Membership.objects.create(person=otto, plant=floor.plant, role=Role.OPERATOR)
    answer = floor.scan("L1", 1, code="b-otto")
    assert (answer["outcome"], answer["code"]) == ("refused", "badge_scanned")
    assert "Otto" in answer["message"]
