"""A04: people and stations are found as people write them; whom nobody knows the answer names."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jitapp.accounts.models import Person
from jitapp.plant.configs import configs
from jitapp.pull.models import Receipt
from tests.floor import Floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("ZS1")
    floor.station("ZS2")
    floor.loop("L", part="BOARD", supply="ZS1", demand="ZS2", cards=4, quantity=4)
    floor.person("mia", badge="BW-12")
    return floor


@pytest.mark.parametrize("by", ["bw-12", "BW-12\r", " Bw-12\x1d", "MIA", "mia "])
def test_a04_a_person_is_found_as_people_write(floor: Floor, by: str) -> None:
    answer = floor.scan("L", 1, "empty", by=by)
    assert (answer["code"], "unknown_by" in answer) == ("emptied", False)
    assert Receipt.objects.get().person is not None
    assert configs().people.find(by) == Receipt.objects.get().person_id


def test_a04_somebody_unknown_is_said_and_recorded(floor: Floor) -> None:
    answer = floor.scan("L", 1, "empty", by="bw-21\r")
    assert answer["outcome"] == "applied"
    assert "Nobody here is called bw-21: the device alone is on record." in answer["message"]
    assert (answer["unknown_by"], answer["state"]) == ("bw-21", "flagged")
    receipt = Receipt.objects.get()
    assert (receipt.person, receipt.answer["unknown_by"]) == (None, "bw-21")
    refused = floor.scan("L", 1, "empty", at="NOWHERE", by="{0}\x00")
    assert (refused["code"], refused["unknown_by"]) == ("unknown_station", "{0}")
    assert "Nobody here is called {0}" in refused["message"]
    assert "unknown_by" not in floor.scan("L", 2, "empty", by=" \r")


def test_a04_a_new_badge_counts_from_its_commit_on(floor: Floor) -> None:
    assert "unknown_by" in floor.scan("L", 1, "empty", by="B-7")
    ben = floor.person("ben")
    assert "unknown_by" in floor.scan("L", 2, "empty", by="B-7")
    ben.badge = "B-7"
    ben.save(update_fields=["badge"])
    assert "unknown_by" not in floor.scan("L", 3, "empty", by="B-7")
    Person.objects.filter(pk=ben.pk).update(username="benno", badge=None)
    assert "unknown_by" in floor.scan("L", 4, "empty", by="B-7")


def test_a04_twins_from_before_are_found_by_their_exact_names(floor: Floor) -> None:
    twin = floor.person("MIA")
    assert configs().people.find("MIA") == twin.pk
    assert configs().people.find("mia") not in (None, twin.pk)
    assert configs().people.find("Mia") is None


def test_a04_a_station_is_found_as_people_write(floor: Floor) -> None:
    for number, station in enumerate(["zs2", "ZS2 ", "Zs2\r"], 1):
        assert floor.scan("L", number, "empty", at=station)["code"] == "emptied"
    answer = floor.scan("L", 4, "empty", at="ZS 2")
    assert (answer["code"], answer["message"]) == ("unknown_station", "There is no station ZS 2.")


def test_a04_no_scan_asks_the_database_who_somebody_is(floor: Floor) -> None:
    floor.scan("L", 1, "empty", by="mia")
    asked = []
    for number, by in ((2, None), (3, "bw-12"), (4, "nobody")):
        request = floor.request("L", number, "empty", by=by)
        with CaptureQueriesContext(connection) as queries:
            floor.send(request)
        asked.append([query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]])
    assert asked[0] == asked[1] == asked[2]
