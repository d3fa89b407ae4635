"""How a wall screen is set up: what a form may say, what is kept, and when the screen begins anew."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jitapp.plant import walls
from jitapp.plant.models import Area, Calendar, Plant
from jitapp.plant.walls import WallSettings, WrongWall

pytestmark = pytest.mark.django_db
FORM: dict[str, Any] = {
    "seconds": "30",
    "metres": "7,5",
    "inches": "65",
    "languages": ["pl", ""],
    "theme": "dim",
}


@pytest.fixture
def plant() -> Plant:
    made = Plant.objects.create(code="P", name="P", time_zone="Europe/Warsaw")
    for code in ("A", "B", "C"):
        Area.objects.create(plant=made, code=code, name=code)
    Area.objects.create(plant=Plant.objects.create(code="Q", name="Q"), code="Z", name="Z")
    return made


def codes(plant: Plant, wall: WallSettings) -> list[str]:
    return [area.code for area in walls.areas_of(plant, wall)]


def test_areas_stand_in_the_order_of_their_places_and_all_are_shown_without_any(plant: Plant) -> None:
    wall = walls.checked(plant, places={"A": "2", "B": "", "C": "1"}, **FORM)
    assert codes(plant, wall) == ["C", "A"]
    assert (wall.seconds, wall.metres, wall.inches, wall.languages) == (30, "7.5", "65", ("pl",))
    assert walls.read(wall.saved) == wall
    assert codes(plant, walls.checked(plant, places={"A": "0"}, **FORM)) == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"places": {"Z": "1"}}, "area_unknown"),  # of another plant
        ({"places": {"A": "first"}}, "area_missing"),
        ({"places": {"A": "1.5"}}, "area_missing"),
        ({"seconds": "4"}, "seconds_wrong"),
        ({"seconds": "20.5"}, "seconds_wrong"),
        ({"seconds": "601"}, "seconds_wrong"),
        ({"metres": "far"}, "metres_wrong"),
        ({"metres": "NaN"}, "metres_wrong"),
        ({"metres": "31"}, "metres_wrong"),
        ({"inches": ""}, "inches_wrong"),
        ({"languages": ["", ""]}, "language_wrong"),
        ({"languages": ["en", "xx"]}, "language_wrong"),
        ({"theme": "auto"}, "theme_wrong"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(plant: Plant, wrong: dict[str, object], code: str) -> None:
    with pytest.raises(WrongWall, match=code):
        walls.checked(plant, **{"places": {"A": "1"}, **FORM, **wrong})


@pytest.mark.parametrize(
    "saved",
    [
        None,
        [],
        {},
        {"areas": "A", "seconds": "x", "metres": None, "languages": 5, "theme": 7},
        {"seconds": 1e9},
    ],
)
def test_what_cannot_be_read_any_more_is_the_usual_value(plant: Plant, saved: object) -> None:
    assert walls.read(saved) == WallSettings()
    assert codes(plant, walls.read(saved)) == ["A", "B", "C"]


def test_an_area_that_is_gone_or_of_another_plant_is_left_out(plant: Plant) -> None:
    ids = dict(Area.objects.values_list("code", "pk"))
    assert codes(plant, WallSettings(areas=(ids["B"], 999_999, ids["Z"], ids["B"], ids["A"]))) == ["B", "A"]


def test_a_screen_begins_anew_in_a_break_of_the_night(plant: Plant) -> None:
    zone = ZoneInfo("Europe/Warsaw")
    evening, night = datetime(2026, 11, 20, 21, 0, tzinfo=zone), datetime(2026, 11, 21, 3, 30, tzinfo=zone)
    assert walls.starts_anew_at(plant, evening) == datetime(
        2026, 11, 21, 3, 30, tzinfo=zone
    )  # works around the clock
    shifts = [
        {"days": ["fri"], "start": "22:00", "end": "06:00", "breaks": [["02:30", "02:50"]]},
        {"days": ["sat"], "start": "06:00", "end": "14:00"},
    ]
    Calendar.objects.create(plant=plant, code="C", is_default=True, shifts=shifts)
    assert walls.starts_anew_at(plant, evening) == datetime(2026, 11, 21, 2, 31, tzinfo=zone)
    assert walls.starts_anew_at(plant, night) == datetime(
        2026, 11, 22, 2, 1, tzinfo=zone
    )  # nobody works then
    assert walls.starts_anew_at(plant, evening.astimezone(UTC)).tzinfo is not None
