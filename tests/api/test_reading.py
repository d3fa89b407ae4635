"""What moves, as other programs read it: lists, the station's board, the pull chain and the event feed."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction
from django.test import Client

from jitapp.api.openapi import document
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.devices import place_device
from jitapp.plant.models import Plant
from jitapp.pull.models import Event
from tests.floor import Floor, wait_for_the_feed


class Reader:
    """A program with a token."""

    def __init__(self, plant: str, name: str = "reader") -> None:
        token = place_device(name, DeviceKind.ERP, plant=plant)
        self.client = Client(headers={"Authorization": f"Bearer {token}"})

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.client.get(path if path.startswith("http") else f"/api/v1{path}")
        assert answer.status_code == status, answer.content
        return answer.json()

    def everything(self, path: str) -> list[Any]:
        rows, following = [], f"http://testserver/api/v1{path}"
        while following:
            page = self.get(following)
            rows += page["results"]
            following = page["next"]
        return rows


@pytest.fixture
def floor(db: None) -> Floor:
    """Ore goes through the mill and the press to the customer; each station books on release."""
    floor = Floor()
    for code in ("MILL", "PRESS"):
        floor.station(code, consumption="BACKFLUSH")
    floor.station("DOCK", "SHIPPING")
    floor.station("MINE", "SUPPLIER")
    floor.part("SHEET")
    floor.part("DOOR")
    floor.bill("DOOR", SHEET=2)
    floor.bill("SHEET", ORE=1)
    floor.loop("DOORS", part="DOOR", supply="PRESS", demand="DOCK", quantity=1, consume_at="RELEASE")
    floor.loop("SHEETS", part="SHEET", supply="MILL", demand="PRESS", quantity=2, consume_at="RELEASE")
    floor.loop("ORES", part="ORE", supply="MINE", demand="MILL", kind="SUPPLIER", quantity=2)
    return floor


@pytest.fixture
def reader(floor: Floor) -> Reader:
    return Reader(floor.plant_code)


def test_a_card_is_found_by_its_code_with_its_open_turn(floor: Floor, reader: Reader) -> None:
    floor.scan("DOORS", 1, "empty")
    code = floor.card("DOORS", 1).code
    card = reader.get(f"/cards/{code}")
    assert (card["loop"], card["number"], card["of"], card["supply_status"]) == ("DOORS", 1, 2, "EMPTY")
    assert card["turn"]["signal_state"] == "RELEASED"
    assert card["turn"]["asked"] == "1"
    assert reader.get("/cards/KB00000000", 404)["code"] == "not_found"
    assert [row["number"] for row in reader.everything("/cards?loop=DOORS&limit=1")] == [1, 2]


def test_turns_runouts_and_waits_can_be_asked_for_open_ones_only(floor: Floor, reader: Reader) -> None:
    floor.scan("DOORS", 1, "empty")
    floor.scan("DOORS", 2, "empty")
    floor.scan("DOORS", 1, "receive")
    assert [turn["card_number"] for turn in reader.everything("/turns?open=1&station=PRESS")] == [2]
    assert len(reader.everything("/turns?station=PRESS")) == 2
    assert reader.everything("/runouts?open=1") == []
    closed = reader.everything("/runouts")
    assert [(runout["loop"], runout["closed_at"] is None) for runout in closed] == [("DOORS", False)]
    assert reader.get("/waits?open=1")["results"] == reader.everything("/waits?open=1")
    assert reader.get("/turns?open=perhaps", 400)["code"] == "malformed"
    assert reader.get(f"/turns/{uuid4()}", 404)["code"] == "not_found"


def test_a_parameter_is_what_the_description_says_and_never_empty(floor: Floor, reader: Reader) -> None:
    """`?to=` of a program that lost its value is no wish for everything."""
    floor.scan("DOORS", 1, "empty")
    floor.scan("DOORS", 2, "empty")
    floor.scan("DOORS", 1, "receive")  # one turn is closed, one is open
    assert len(reader.get("/turns?open=1")["results"]) < len(reader.get("/turns")["results"])
    described = {
        each["name"]: each["schema"] for each in document()["paths"]["/api/v1/turns"]["get"]["parameters"]
    }
    for word in described["open"]["enum"]:
        shown = len(reader.get(f"/turns?open={word}")["results"])
        assert shown == len(
            reader.get("/turns?open=1" if word in ("1", "true", "yes") else "/turns")["results"]
        )
    for question in ("/turns?open=", "/turns?limit=", "/waits/summary?to=", "/waits/summary?from="):
        refused = reader.get(question, 400)
        assert refused["code"] == "malformed"
        assert "is empty. Give it a value, or leave it out." in refused["detail"]


def test_a_stations_board_names_what_to_fill_and_what_to_use(floor: Floor, reader: Reader) -> None:
    floor.scan("DOORS", 1, "empty")
    board = reader.get("/boards/PRESS")
    assert [(turn["loop"], turn["asked"]) for turn in board["to_fill"]] == [("DOORS", "1")]
    assert {card["loop"] for card in board["to_use"]} == {"SHEETS"}
    assert reader.get("/boards/NOWHERE", 404)["code"] == "not_found"


def test_the_chain_of_a_customers_pull_reaches_the_supplier_and_leads_back(
    floor: Floor, reader: Reader
) -> None:
    floor.scan("DOORS", 1, "empty")
    floor.propagate()
    pull = floor.turn("DOORS", 1)
    chain = reader.get(f"/turns/{pull.uuid}/chain")
    assert [(item["level"], item["turn"]["loop"]) for item in chain["turns"]] == [
        (0, "DOORS"),
        (1, "SHEETS"),
        (2, "ORES"),
    ]
    assert [(link["upstream_loop"], link["quantity"]) for link in chain["links"]] == [
        ("SHEETS", "2"),
        ("ORES", "2"),
    ]
    ids = [item["turn"]["id"] for item in chain["turns"]]
    assert [(link["downstream"], link["upstream"]) for link in chain["links"]] == [
        (ids[0], ids[1]),
        (ids[1], ids[2]),
    ]
    back = reader.get(f"/turns/{ids[2]}/chain?direction=down")
    assert [(item["level"], item["turn"]["loop"]) for item in back["turns"]] == [
        (-2, "DOORS"),
        (-1, "SHEETS"),
        (0, "ORES"),
    ]
    assert back["links"] == chain["links"]
    up = reader.get(f"/turns/{ids[1]}/chain?direction=up")
    assert [item["turn"]["loop"] for item in up["turns"]] == ["SHEETS", "ORES"]
    assert reader.get(f"/turns/{ids[0]}/chain?direction=sideways", 400)["code"] == "malformed"


def test_nothing_of_another_plant_is_told(floor: Floor) -> None:
    floor.scan("DOORS", 1, "empty")
    Plant.objects.create(code="OTHERS", name="Others")
    stranger = Reader("OTHERS", "stranger")
    turn = floor.turn("DOORS", 1).uuid
    for path in (
        f"/cards/{floor.card('DOORS', 1).code}",
        "/boards/PRESS",
        f"/turns/{turn}",
        f"/turns/{turn}/chain",
    ):
        assert stranger.get(path, 404)["code"] == "not_found"
    for path in ("/cards", "/turns", "/runouts", "/waits", "/events", "/cards?loop=DOORS"):
        assert stranger.everything(path) == []


ENVELOPE = {
    "id",
    "type",
    "version",
    "plant",
    "loop",
    "loop_seq",
    "card",
    "turn",
    "station",
    "by",
    "occurred_at",
    "recorded_at",
    "late",
    "scan",
    "data",
}


@pytest.mark.django_db(transaction=True)
def test_the_feed_tells_everything_once_and_in_order_whatever_the_page_size(
    floor: Floor, reader: Reader
) -> None:
    for number in (1, 2):
        floor.scan("DOORS", number, "empty")
        floor.propagate()
        floor.scan("DOORS", number, "receive")
        floor.propagate()
    wait_for_the_feed()
    whole = reader.everything("/events")
    assert {frozenset(event) for event in whole} == {frozenset(ENVELOPE)}
    assert [event["id"] for event in reader.everything("/events?limit=3")] == [event["id"] for event in whole]
    by_loop: dict[str, list[int]] = {}
    for event in whole:
        if event["loop"]:
            by_loop.setdefault(event["loop"], []).append(event["loop_seq"])
    assert by_loop.keys() == {"DOORS", "SHEETS", "ORES"}
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in by_loop.values())
    emptied = next(event for event in whole if event["type"] == "scan.applied")
    assert emptied["data"]["from"] == "FULL"
    assert emptied["data"]["to"] == "EMPTY"
    assert emptied["by"]["device"] == str(floor.device.uuid)
    assert emptied["scan"]


@pytest.mark.django_db(transaction=True)
def test_a_reader_at_the_end_goes_on_from_its_cursor_and_now_begins_with_what_comes(
    floor: Floor, reader: Reader
) -> None:
    wait_for_the_feed()
    latest = reader.get("/events?cursor=now")
    assert (latest["results"], latest["next"]) == ([], None)
    whole = reader.everything("/events")
    end = reader.get("/events?limit=500")
    assert end["next"] is None
    assert reader.get(f"/events?cursor={end['cursor']}")["results"] == []
    floor.scan("DOORS", 1, "empty")
    wait_for_the_feed()
    fresh = reader.get(f"/events?cursor={end['cursor']}")["results"]
    assert fresh
    assert fresh == reader.get(f"/events?cursor={latest['cursor']}")["results"]
    assert not {event["id"] for event in fresh} & {event["id"] for event in whole}
    for nonsense in ("x", "MS4x", "é", "A" * 300, "MS45OTk5OTk5OTk5OTk5OTk5OTk5OS4x"):
        assert reader.get(f"/events?cursor={nonsense}", 400)["code"] == "cursor_unknown"


@pytest.mark.django_db(transaction=True)
def test_an_event_of_a_slow_writer_is_not_passed_over(floor: Floor, reader: Reader) -> None:
    """Its id is older than those of events that were committed before it: a reader by id would never see it."""
    wait_for_the_feed()
    start = reader.get("/events?limit=500")["cursor"]
    written, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            Event.objects.create(
                type="station.report",
                plant=floor.plant,
                occurred_at=floor.now,
                recorded_at=floor.now,
                data={"slow": True},
            )
            written.set()
            go_on.wait(20)
        connections.close_all()

    writer = threading.Thread(target=slow)
    writer.start()
    assert written.wait(20)
    floor.scan("DOORS", 1, "empty")
    meanwhile = reader.get(f"/events?cursor={start}")
    assert meanwhile["results"] == []  # what is younger than a running transaction waits for it
    go_on.set()
    writer.join()
    wait_for_the_feed()
    seen = reader.get(f"/events?cursor={meanwhile['cursor']}")["results"]
    assert [event["data"] for event in seen if event["type"] == "station.report"] == [{"slow": True}]
    assert any(event["type"] == "scan.applied" for event in seen)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pull_event")
        assert cursor.fetchone()[0] == len(reader.everything("/events"))


@pytest.mark.django_db(transaction=True)
def test_readers_that_poll_while_many_write_see_everything_once(floor: Floor, reader: Reader) -> None:
    seen: list[str] = []
    done = threading.Event()
    wait_for_the_feed()
    cursor = reader.get("/events?limit=500")["cursor"]
    before = Event.objects.count()

    def write(name: int) -> None:
        for _ in range(25):
            with transaction.atomic():
                for _ in range(1 + name):
                    Event.objects.create(
                        type="station.report", plant=floor.plant, occurred_at=floor.now, recorded_at=floor.now
                    )
        connections.close_all()

    writers = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for writer in writers:
        writer.start()
    while not done.is_set():
        if not any(writer.is_alive() for writer in writers):
            done.set()  # one more look after the last of them
            wait_for_the_feed()
        page = reader.get(f"/events?cursor={cursor}&limit=7")
        while page["results"]:
            seen += [event["id"] for event in page["results"]]
            cursor = page["cursor"]
            page = reader.get(f"/events?cursor={cursor}&limit=7")
    assert len(seen) == len(set(seen)) == Event.objects.count() - before == 25 * (1 + 2 + 3 + 4)
