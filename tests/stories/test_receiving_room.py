"""R17: a receiver has as many containers as can be used there, full or in use: for the guard, the list and the page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Station
from jitapp.pull.reading.sheets import jobs_of
from tests.floor import Floor
from tests.stories.shops import get, two_bins, with_roles

LIMIT = 2


def ready_to_send() -> Floor:
    """Card 1 stands completed at CELL; two containers are full at LINE, which takes two."""
    floor = two_bins(cards=3, quantity=4, kind="PRODUCTION")
    Station.objects.filter(code="LINE").update(receiving_limit=LIMIT)
    for intent in ("empty", "start", "complete"):
        assert floor.scan("L", 1, intent)["outcome"] == "applied"
    return floor


def room(floor: Floor) -> tuple[int, bool]:
    """How many containers the list counts, and whether the page says that there is room for the next one."""
    floor.scan("L", 1, "undo")  # back in process, so that it stands among the jobs of CELL
    (job,) = jobs_of(Station.objects.get(code="CELL").pk, now=floor.now)
    counted: int = get(floor, "/boards/LINE")["full"]
    floor.scan("L", 1, "complete")
    return counted, not job.no_room


def sends(floor: Floor) -> dict[str, Any]:
    return floor.scan("L", 1, "load")


STORIES: list[tuple[str, list[str], int]] = [
    ("both full", [], 2),
    ("one in use", ["open"], 2),
    ("one emptied", ["empty"], 1),
    ("one held", ["hold"], 1),
    ("one in use and held", ["open", "hold"], 1),
]


@pytest.mark.parametrize(("happens", "usable"), [row[1:] for row in STORIES], ids=[row[0] for row in STORIES])
def test_r17_guard_list_and_page_count_what_can_be_used(happens: list[str], usable: int) -> None:
    floor = ready_to_send()
    vera = with_roles(floor, "vera", Role.QUALITY)
    for intent in happens:
        more: dict[str, Any] = {"reason": "crack", "source": vera} if intent == "hold" else {}
        assert floor.scan("L", 3, intent, **more)["outcome"] == "applied"
    counted, has_room = room(floor)
    answer = sends(floor)
    assert (counted, has_room, answer["outcome"]) == (
        usable,
        usable < LIMIT,
        "applied" if usable < LIMIT else "refused",
    )
    if usable >= LIMIT:
        assert f"{usable} of {LIMIT}" in answer["message"]


def test_r17_the_stations_page_says_that_its_receiver_has_no_room() -> None:
    floor = two_bins(cards=3, quantity=4, kind="PRODUCTION")
    Station.objects.filter(code="LINE").update(receiving_limit=LIMIT)
    floor.scan("L", 1, "empty")
    floor.scan("L", 3, "open")
    (job,) = jobs_of(Station.objects.get(code="CELL").pk, now=floor.now)
    assert job.no_room
    client = Client()
    client.force_login(floor.person("root", is_superuser=True))
    page = client.get("/b/supply/CELL").content.decode()
    assert "no room" in page.lower()
