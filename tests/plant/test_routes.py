"""Routes as master data: from a file, from a workbook, by hand; with the stops in walking order."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from jitapp.accounts.models import Person
from jitapp.plant.loading import Report, load_shop
from jitapp.plant.models import Plant, Station
from jitapp.plant.routes import Route, RouteStop
from jitapp.plant.sheets import Line, assemble
from tests.plant.test_loading import SHOP

pytestmark = pytest.mark.django_db


def shop_with(**route: Any) -> dict[str, Any]:
    """The shop of the loading tests with one route through its first two stations."""
    shop = deepcopy(SHOP)
    first, second = (station["code"] for station in shop["plants"][0]["stations"][:2])
    stops = [{"station": first, "minutes": 0}, {"station": second, "minutes": 6}]
    shop["plants"][0]["routes"] = [{"code": "MILK", "name": "Milk run", "stops": stops, **route}]
    return shop


def stops_of(code: str) -> list[tuple[str, int]]:
    return list(RouteStop.objects.filter(route__code=code).values_list("station__code", "minutes"))


def said(report: Report) -> list[str]:
    return [error.message for error in report.errors]


def test_a_route_is_loaded_once_and_its_stops_follow_the_file() -> None:
    shop = shop_with(every_minutes="40", capacity="8")
    assert said(load_shop(shop)) == []
    first, second = stops_of("MILK")
    assert (first[1], second[1]) == (0, 6)
    route = Route.objects.get(code="MILK")
    assert (route.every_minutes, route.capacity, route.loops) == (40, 8, [])
    again = load_shop(shop)
    assert {row.status for row in again.rows if row.kind == "routes"} == {"unchanged"}
    shop["plants"][0]["routes"][0]["stops"].reverse()
    shop["plants"][0]["routes"][0]["stops"][0]["minutes"] = 0
    shop["plants"][0]["routes"][0]["stops"][1]["minutes"] = 9
    changed = load_shop(shop)
    assert said(changed) == []
    assert stops_of("MILK") == [(second[0], 0), (first[0], 9)]
    (row,) = [row for row in changed.rows if row.kind == "routes"]
    assert row.status == "changed"
    assert row.changes["stops"] == (f"{first[0]}=0, {second[0]}=6", f"{second[0]}=0, {first[0]}=9")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"every_minutes": "40", "departures": ["06:00"]}, "Give one of the two"),
        ({"stops": [{"station": "NOWHERE"}, {"station": "NOWHERE"}]}, "no station 'NOWHERE'"),
        ({"stops": []}, "stops"),
        ({"loops": ["NONE"]}, "no loop 'NONE'"),
        ({"every_minutes": "0"}, "every_minutes"),
    ],
)
def test_what_a_route_may_not_be_is_said(change: dict[str, Any], words: str) -> None:
    report = load_shop(shop_with(**change))
    assert words in " ".join(said(report))
    assert not Route.objects.exists()


def test_nobody_is_at_a_later_stop_earlier() -> None:
    shop = shop_with()
    stops = shop["plants"][0]["routes"][0]["stops"]
    stops[0]["minutes"], stops[1]["minutes"] = 8, 3
    (error,) = load_shop(shop).errors
    assert "cannot be reached earlier" in error.message
    assert error.member == ("stops", 1, "minutes")


def test_stations_and_loops_are_found_in_another_case() -> None:
    shop = shop_with(loops=[SHOP["plants"][0]["loops"][0]["code"].lower()])
    stops = shop["plants"][0]["routes"][0]["stops"]
    stops[0]["station"] = stops[0]["station"].lower()
    assert said(load_shop(shop)) == []
    assert stops_of("MILK")[0][0] == SHOP["plants"][0]["stations"][0]["code"]
    assert Route.objects.get(code="MILK").loops == [SHOP["plants"][0]["loops"][0]["code"]]


def test_a_workbook_has_a_row_per_stop() -> None:
    def line(sheet: str, number: int, **texts: str) -> Line:
        return Line(sheet, number, dict(texts), dict.fromkeys(texts, f"A{number}"))

    content, places = assemble(
        {
            "plants": [line("plants", 2, code="HALL-1")],
            "routes": [
                line("routes", 2, code="MILK", departures="06:00, 06:40", station="SMT", minutes="0"),
                line("routes", 3, code="MILK", station="SHIP", minutes="6"),
            ],
        }
    )
    (route,) = content["plants"][0]["routes"]
    assert route == {
        "code": "MILK",
        "departures": ["06:00", "06:40"],
        "stops": [{"station": "SMT", "minutes": "0"}, {"station": "SHIP", "minutes": "6"}],
    }
    assert places["plants", 0, "routes", 0, "stops", 1, "minutes"] == "sheet routes cell A3"


def test_a_route_is_entered_by_hand_and_held_to_the_same() -> None:
    assert said(load_shop(deepcopy(SHOP))) == []
    client = Client()
    client.force_login(Person.objects.create_superuser("dana", None, None, name="Dana"))
    plant = Plant.objects.get()
    one, other = Station.objects.filter(plant=plant)[:2]
    page = reverse("admin:plant_route_add")
    form = {
        "code": "MILK",
        "name": "Milk run",
        "plant": plant.pk,
        "every_minutes": "30",
        "departures": "[]",
        "loops": "[]",
        "stops-TOTAL_FORMS": "2",
        "stops-INITIAL_FORMS": "0",
        "stops-0-position": "1",
        "stops-0-station": one.pk,
        "stops-0-minutes": "5",
        "stops-1-position": "2",
        "stops-1-station": other.pk,
        "stops-1-minutes": "3",
    }
    wrong = client.post(page, form)
    assert "cannot be reached earlier" in wrong.content.decode()
    assert client.post(page, form | {"stops-1-minutes": "9"}).status_code == 302
    assert stops_of("MILK") == [(one.code, 5), (other.code, 9)]
