"""The events of a stretch of time as a CSV file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from jitapp.plant.models import Part
from jitapp.pull.models import Event
from jitapp.web import past_file
from jitapp.web.past_instants import write_instant
from tests.floor import Floor
from tests.web.test_flowmap import reader

pytestmark = pytest.mark.django_db
FILE = "/b/PLANT-AREA/events.csv"


@pytest.fixture
def floor() -> Floor:
    made = Floor(now=timezone.now().replace(second=0, microsecond=0) - timedelta(days=2))
    made.station("PRESS")
    made.station("SHIP")
    made.loop("L1", part="=BOARD", supply="PRESS", demand="SHIP", cards=3)
    return made


def lines(client: Client, floor: Floor, begin: timedelta, until: timedelta) -> list[list[str]]:
    zone = floor.plant.time_zone
    asked = {"from": write_instant(floor.now + begin, zone), "until": write_instant(floor.now + until, zone)}
    answer = client.get(FILE, asked)
    assert answer.status_code == 200
    assert ".csv" in answer["Content-Disposition"]
    text = answer.getvalue().decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


def test_every_event_of_the_stretch_stands_once_and_in_order(
    floor: Floor, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_file, "AT_ONCE", 4)  # in several pieces
    reader(client, floor)
    for number in (1, 2, 3):
        for intent in ("empty", "start", "complete", "receive"):
            floor.scan("L1", number, intent, after=5)
    head, *found = lines(client, floor, timedelta(hours=-20), timedelta(minutes=1))
    assert head[:3] == ["When", "Recorded", "Part"]
    in_stretch = Event.objects.filter(occurred_at__gte=floor.now - timedelta(hours=20))
    assert {row[-1] for row in found} == {
        f"L1.{seq}" for seq in in_stretch.values_list("loop_seq", flat=True)
    }
    assert len(found) == in_stretch.count() > 12
    assert [row[0] for row in found] == sorted(row[0] for row in found)
    some = lines(client, floor, timedelta(minutes=-21), timedelta(minutes=-9))[1:]
    assert 0 < len(some) < len(found)
    assert {tuple(row) for row in some} <= {tuple(row) for row in found}


def test_a_cell_that_a_spreadsheet_would_calculate_stays_a_text(floor: Floor, client: Client) -> None:
    reader(client, floor)
    assert Part.objects.filter(number="=BOARD").exists()
    floor.scan("L1", 1, "empty")
    found = lines(client, floor, timedelta(hours=-1), timedelta(minutes=1))[1:]
    assert found
    assert {row[2] for row in found} == {" =BOARD"}


@pytest.mark.parametrize(
    ("begin", "until"),
    [
        ("", ""),
        ("2026-01-01T00:00", "x"),
        ("2026-02-01T00:00", "2026-01-01T00:00"),
        ("2026-01-01", "2026-03-01"),
    ],
)
def test_a_stretch_that_cannot_be_told_is_refused_by_name(
    floor: Floor, client: Client, begin: str, until: str
) -> None:
    reader(client, floor)
    answer = client.get(FILE, {"from": begin, "until": until})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()


def test_the_board_of_the_past_leads_to_the_file_and_strangers_get_none(floor: Floor, client: Client) -> None:
    floor.scan("L1", 1, "empty")
    assert client.get(FILE).status_code == 401
    reader(client, floor)
    then = write_instant(floor.now, floor.plant.time_zone)
    page = client.get("/b/PLANT-AREA", {"at": then}).content.decode()
    address = page.partition(f'href="{FILE}?')[2].partition('"')[0].replace("&amp;", "&")
    answer = client.get(f"{FILE}?{address}")
    assert answer.status_code == 200
    assert answer.getvalue().decode().count("L1.") >= 1
    assert client.get(FILE).status_code == 200  # the last 24 hours
    Floor(plant_code="OTHER").station("ELSEWHERE")
    assert client.get("/b/OTHER-AREA/events.csv").status_code == 404
