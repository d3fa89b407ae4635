"""Waits over HTTP: their segments, what they add up to, and what stations stand still for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jitapp.pull import actions
from jitapp.pull.models import Event, StationState
from tests.floor import Floor

pytestmark = pytest.mark.django_db


class Door:
    """The API as a scanner's token sees it."""

    def __init__(self, floor: Floor) -> None:
        self.client = Client(headers={"authorization": f"Bearer {floor.token}"})

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.client.get(f"/api/v1{path}")
        assert answer.status_code == status, answer.content
        return answer.json()

    def post(self, path: str, status: int = 200, **body: Any) -> Any:
        answer = self.client.post(f"/api/v1{path}", body, content_type="application/json")
        assert answer.status_code == status, answer.content
        return answer.json()


@pytest.fixture
def floor() -> Floor:
    """A card waits at CUT since an hour ago."""
    floor = Floor(now=timezone.now() - timedelta(minutes=61))
    floor.station("CUT")
    floor.station("SHIP", "SHIPPING")
    floor.loop("FRAMES", part="FRAME", supply="CUT", demand="SHIP", cards=2)
    floor.scan("FRAMES", 1, "empty")
    floor.propagate()
    return floor


def test_a_wait_is_shown_with_its_segments_and_the_reason_of_now(floor: Floor) -> None:
    door = Door(floor)
    begun = door.post(
        "/stations/CUT/states", kind="down", began_at=(floor.now + timedelta(minutes=30)).isoformat()
    )
    assert [(state["kind"], state["owner"]) for state in begun["states"]] == [("down", "maintainer")]
    wait = door.get("/waits?open=1")["results"][0]
    assert (wait["station"], wait["reason"], wait["owner"]) == ("CUT", "queue", "station")
    assert (wait["present_reason"], wait["present_owner"]) == ("down", "maintainer")
    assert [(part["reason"], part["owner"]) for part in wait["segments"]] == [
        ("queue", "station"),
        ("down", "maintainer"),
    ]
    assert wait["segments"][0]["minutes"] == 30.0
    assert sum(part["minutes"] for part in wait["segments"]) == pytest.approx(wait["minutes"])
    assert wait["segments"][0]["end"] == wait["segments"][1]["begin"]


def test_the_summary_adds_up(floor: Floor) -> None:
    door = Door(floor)
    span: dict[str, Any] = {
        "began_at": floor.now.isoformat(),
        "ended_at": (floor.now + timedelta(minutes=20)).isoformat(),
    }
    door.post("/stations/CUT/states", kind="no_operator", note="at lunch", **span)
    window = f"from={floor.now:%Y-%m-%dT%H:%M:%S}Z&to={floor.now + timedelta(minutes=50):%Y-%m-%dT%H:%M:%S}Z"
    found = door.get(f"/waits/summary?station=CUT&{window}")
    assert found["minutes"] == pytest.approx(50, abs=0.1)
    assert sum(found["reasons"].values()) == pytest.approx(found["minutes"])
    assert set(found["reasons"]) == {"queue", "no_operator"}
    assert [one["station"] for one in found["stations"]] == ["CUT"]
    assert door.get(f"/waits/summary?station=NONE&{window}")["minutes"] == 0
    assert door.get("/waits/summary?area=PLANT-AREA")["waits"] == 1


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "from=2026-11-21T09:00:00",
        "from=2026-11-21T09:00:00Z&to=2026-11-21T08:00:00Z",
        "from=2026-01-01T00:00:00Z&to=2026-11-21T08:00:00Z",
    ],
)
def test_a_window_that_is_none_is_refused(floor: Floor, query: str) -> None:
    assert Door(floor).get(f"/waits/summary?{query}", 400)["code"] == "malformed"


def test_a_state_begins_once_and_ends_once(floor: Floor) -> None:
    door = Door(floor)
    floor.person("mia")
    for _ in range(2):
        door.post("/stations/CUT/states", kind="planned_stop", note="meeting", by="mia")
    assert len(door.get("/stations/CUT/states")["states"]) == 1
    assert door.post("/stations/CUT/states/planned_stop/end", by="mia")["states"] == []
    again = door.post("/stations/CUT/states/planned_stop/end", 409)
    assert again["code"] == "state_not_running"
    assert StationState.objects.get().note == "meeting"
    assert list(Event.objects.filter(loop__isnull=True).order_by("pk").values_list("type", flat=True)) == [
        "station.stands_still",
        "station.planned_stop",
    ]


def test_what_cannot_be_says_why(floor: Floor) -> None:
    door = Door(floor)
    before = floor.now - timedelta(days=1)
    assert door.post("/stations/NOWHERE/states", 422, kind="down")["code"] == "unknown_reference"
    assert door.post("/stations/CUT/states", 422, kind="setup")["code"] == "field_unreadable"
    assert door.post("/stations/CUT/states/setup/end", 422)["code"] == "field_unreadable"
    assert door.post("/stations/CUT/states", 422, kind="down", began_at="2026-11-21T09:00:00")["code"] == (
        "field_unreadable"
    )
    backwards: dict[str, Any] = {"began_at": floor.now.isoformat(), "ended_at": before.isoformat()}
    assert door.post("/stations/CUT/states", 422, kind="down", **backwards)["code"] == "field_unreadable"
    door.post("/stations/CUT/states", kind="down")
    assert (
        door.post("/stations/CUT/states/down/end", 422, ended_at=before.isoformat())["code"]
        == "field_unreadable"
    )
    door.get("/stations/NOWHERE/states", 404)


def test_an_event_that_ends_before_it_begins_is_refused(floor: Floor) -> None:
    with pytest.raises(ValueError, match="ends before"):
        actions.record_station_event(
            station_id=1,
            kind="breakdown",
            started_at=floor.now,
            ended_at=floor.now - timedelta(minutes=1),
            now=floor.now,
            source=floor.source,
        )
