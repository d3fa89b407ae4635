"""R17: a receiver has as many containers as can be used there, full or in use: for the guard, the list and the page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Station
from jitapp.pull.reading.queue import jobs_of
from tests.floor import Floor
from tests.stories.shops import get, two_bins, with_roles

LIMIT = 2


def being_filled() -> Floor:
    """Card 1 is in process at CELL; two containers are full at LINE, which takes two."""
    floor = two_bins(cards=3, quantity=1, kind="PRODUCTION")
    Station.objects.filter(code="LINE").update(receiving_limit=LIMIT)
    for intent in ("empty", "start"):
        assert floor.scan("L", 1, intent)["outcome"] == "applied"
    return floor


def room(floor: Floor) -> tuple[int, bool]:
    """How many containers the list counts, and whether the page says that there is room for card 1."""
    jobs = {job.card_number: job for job in jobs_of(Station.objects.get(code="CELL").pk, now=floor.now)}
    counted: int = get(floor, "/boards/LINE")["full"]
    return counted, not jobs[1].no_room


STORIES: list[tuple[str, list[str], int]] = [
    ("both full", [], 2),
    ("one in use", ["open"], 2),
    ("one emptied", ["empty"], 1),
    ("one held", ["hold"], 1),
    ("one in use and held", ["open", "hold"], 1),
]


@pytest.mark.parametrize(("happens", "usable"), [row[1:] for row in STORIES], ids=[row[0] for row in STORIES])
def test_r17_guard_list_and_page_count_what_can_be_used(happens: list[str], usable: int) -> None:
    floor = being_filled()
    vera = with_roles(floor, "vera", Role.QUALITY)
    for intent in happens:
        more: dict[str, Any] = {"reason": "crack", "source": vera} if intent == "hold" else {}
        assert floor.scan("L", 3, intent, **more)["outcome"] == "applied"
    has_room = usable < LIMIT
    assert room(floor) == (usable, has_room)
    floor.scan("L", 1, "complete")
    answer = floor.scan("L", 1, "load")
    assert answer["code"] == ("loaded" if has_room else "receiver_not_ready")
    if not has_room:
        assert f"{usable} of {LIMIT}" in answer["message"]


def test_r17_the_stations_page_says_that_its_receiver_has_no_room() -> None:
    floor = being_filled()
    floor.scan("L", 3, "open")
    client = Client()
    client.force_login(floor.person("root", is_superuser=True))
    page = client.get("/b/supply/CELL").content.decode()
    assert "no room" in page.lower()
