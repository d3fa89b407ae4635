"""Master data over the API: the same PUT twice is the same as once, one of two writers wins, rows answer one by one."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jitapp.api.auth import Throttle
from jitapp.api.throttle import Buckets
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.devices import place_device
from jitapp.plant.models import Calendar, Loop, Part, Plant, Station
from jitapp.pull import actions
from jitapp.pull.models import Card, Event
from tests.floor import Floor

pytestmark = pytest.mark.django_db
PROBLEM = {"type", "title", "status", "code", "detail"}


class Api:
    """A client with a token."""

    def __init__(self, token: str) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {token}"})

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/api/v1{path}", headers=headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.put(f"/api/v1{path}", body, content_type="application/json", headers=headers)

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(f"/api/v1{path}", body, content_type="application/json")


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("PRESS")
    floor.station("CELL")
    floor.loop("L1", part="DOOR", supply="PRESS", demand="CELL", cards=2, quantity=4)
    return floor


@pytest.fixture
def erp(floor: Floor) -> Api:
    return Api(place_device("erp", DeviceKind.ERP, plant=floor.plant_code))


def problem(answer: Any, status: int, code: str) -> str:
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) >= PROBLEM
    assert (body["status"], body["code"]) == (status, code)
    return str(body["detail"])


def test_a_put_makes_a_part_and_the_same_put_changes_nothing(erp: Api) -> None:
    body = {"description": "Hinge", "unit": "pcs"}
    first = erp.put("/parts/HINGE", body)
    assert first.status_code == 201
    again = erp.put("/parts/HINGE", body)
    assert again.status_code == 200
    assert again.json() == first.json()
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.json()["version"] == 1
    assert erp.put("/parts/HINGE", {"description": "Large hinge"}).json()["version"] == 2


@pytest.mark.parametrize("path", ["/parts/DOOR", "/stations/PRESS", "/loops/L1", "/bills/DOOR"])
def test_what_was_read_can_be_put_back_and_changes_nothing(erp: Api, path: str) -> None:
    read = erp.get(path)
    assert read.status_code == 200
    back = erp.put(path, read.json(), If_Match=read.headers["ETag"])
    assert back.status_code == 200, back.content
    assert back.json() == read.json()
    assert erp.get(path, **{"If-None-Match": read.headers["ETag"]}).status_code == 304


def test_of_two_writers_with_the_same_version_one_wins(erp: Api) -> None:
    tag = erp.get("/stations/PRESS").headers["ETag"]
    assert erp.put("/stations/PRESS", {"wip_limit": 2}, If_Match=tag).status_code == 200
    problem(erp.put("/stations/PRESS", {"wip_limit": 3}, If_Match=tag), 412, "precondition_failed")
    assert Station.objects.get(code="PRESS").wip_limit == 2
    problem(erp.put("/stations/NEW", {"kind": "PROCESS"}, If_Match='"x"'), 412, "precondition_failed")
    problem(erp.put("/stations/PRESS", {"wip_limit": 4}, If_None_Match="*"), 412, "precondition_failed")
    assert erp.put("/stations/NEW", {"kind": "PROCESS"}, If_None_Match="*").status_code == 201


def test_a_new_loop_comes_with_its_cards(erp: Api) -> None:
    erp.put("/parts/HINGE", {})
    body = {
        "part": "HINGE",
        "demand": "CELL",
        "supply": "PRESS",
        "kind": "TWO_BIN",
        "quantity": "8",
        "cards": 3,
    }
    answer = erp.put("/loops/HINGES", body)
    assert answer.status_code == 201
    assert answer.json()["cards"] == 3
    assert set(Card.objects.filter(loop__code="HINGES").values_list("supply_status", flat=True)) == {"FULL"}
    assert erp.put("/loops/HINGES", body).status_code == 200
    assert Card.objects.filter(loop__code="HINGES").count() == 3


def test_a_bill_is_put_whole(erp: Api) -> None:
    erp.put("/parts/HINGE", {})
    lines = [{"part": "HINGE", "quantity": "2"}]
    answer = erp.put("/bills/DOOR", {"components": lines})
    assert answer.json()["components"] == lines
    assert erp.put("/bills/DOOR", {"components": []}).json()["components"] == []


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/parts/DOOR", {"decimals": 9}, 422, "field_unreadable"),
        ("/parts/DOOR", {"colour": "red"}, 422, "field_unreadable"),
        ("/parts/DOOR", {"number": "WINDOW"}, 422, "field_unreadable"),
        ("/parts/(-)", {}, 422, "field_unreadable"),
        ("/parts/DOOR", [1], 400, "malformed"),
        ("/parts/DOOR", {"plant": "MOON"}, 422, "unknown_reference"),
        ("/stations/PRESS", {"area": "nowhere"}, 422, "unknown_reference"),
        ("/loops/L1", {"part": "OTHER"}, 422, "unknown_reference"),
        ("/loops/L1", {"demand": "PRESS"}, 409, "identity"),
        ("/loops/NEW", {"part": "DOOR"}, 422, "field_unreadable"),
        (
            "/loops/BACK",
            {"part": "DOOR", "demand": "PRESS", "supply": "CELL", "kind": "TWO_BIN", "quantity": 1},
            422,
            "circle",
        ),
    ],
)
def test_what_cannot_be_put_says_why(erp: Api, path: str, body: Any, status: int, code: str) -> None:
    assert problem(erp.put(path, body), status, code)
    assert not Loop.objects.exclude(code="L1").exists()


def test_bodies_that_are_no_json_are_refused_by_name(erp: Api) -> None:
    path = "/api/v1/parts/DOOR"
    problem(erp.client.put(path, "{", content_type="application/json"), 400, "malformed_json")
    problem(erp.client.put(path, "[" * 100_000, content_type="application/json"), 400, "malformed_json")
    problem(erp.client.put(path, '{"a": 1, "a": 2}', content_type="application/json"), 400, "malformed_json")
    problem(erp.client.put(path, b"\xff", content_type="application/json"), 400, "malformed_json")
    problem(erp.client.put(path, "a: 1", content_type="application/yaml"), 415, "media_type")
    problem(erp.client.put(path, " " * 5_000_001, content_type="application/json"), 413, "body_too_large")
    problem(erp.client.delete(path), 405, "method_not_allowed")
    problem(erp.client.get(path, headers={"Accept": "text/csv"}), 406, "not_acceptable")


def test_only_an_erp_token_changes_master_data_and_every_token_reads_it(floor: Floor) -> None:
    tablet = Api(place_device("tablet", DeviceKind.TABLET, station="PRESS"))
    assert tablet.get("/parts/DOOR").status_code == 200
    problem(tablet.put("/parts/DOOR", {}), 403, "not_allowed")
    problem(tablet.post("/upserts", {"upserts": []}), 403, "not_allowed")
    assert floor.plant_code


def test_without_a_token_nothing_is_told() -> None:
    problem(Client().get("/api/v1/parts/DOOR"), 401, "token_missing")
    answer = Api("jit_wrong").get("/parts/DOOR")
    problem(answer, 401, "token_unknown")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    problem(Api("x" * 5_000).get("/parts/DOOR"), 401, "token_unknown")


def test_what_belongs_to_another_plant_is_not_there(erp: Api) -> None:
    other = Plant.objects.create(code="OTHER", name="Other")
    Part.objects.create(plant=other, number="SECRET")
    problem(erp.get("/parts/SECRET"), 404, "not_found")
    problem(erp.put("/parts/SECRET", {"description": "mine"}), 409, "taken")
    assert Part.objects.get(number="SECRET").description == ""
    problem(Api(place_device("their erp", DeviceKind.ERP, plant="OTHER")).get("/loops/L1"), 404, "not_found")


def test_an_unknown_address_answers_in_the_same_shape(erp: Api) -> None:
    problem(erp.get("/nothing"), 404, "not_found")
    problem(erp.get("/parts/%00"), 400, "malformed")
    problem(erp.get("/parts?cursor=%00"), 400, "malformed")


def test_things_are_listed_page_by_page(erp: Api) -> None:
    erp.post("/upserts", {"upserts": [{"type": "part", "number": f"P{n:03}"} for n in range(25)]})
    numbers: list[str] = []
    path: str | None = "/api/v1/parts?limit=10"
    pages = 0
    while path:
        page = erp.client.get(path).json()
        numbers += [part["number"] for part in page["results"]]
        path, pages = page["next"], pages + 1
    assert numbers == ["DOOR", *(f"P{n:03}" for n in range(25))]
    assert pages == 3
    problem(erp.get("/parts?limit=501"), 400, "malformed")
    problem(erp.get("/parts?limit=x"), 400, "malformed")
    problem(erp.get("/parts?cursor=nonsense"), 400, "cursor_unknown")


MIXED: list[Any] = [
    {
        "type": "loop",
        "code": "L2",
        "part": "BOLT",
        "demand": "CELL",
        "supply": "ACME-DOCK",
        "kind": "SUPPLIER",
    }
    | {"quantity": "100", "cards": 2},
    {"type": "station", "code": "ACME-DOCK", "kind": "SUPPLIER", "supplier": "ACME"},
    {"type": "part", "number": "BOLT", "decimals": "x"},
    {"type": "supplier", "code": "ACME", "name": "Acme"},
    {"type": "part", "number": "NUT"},
    {"type": "bill", "part": "DOOR", "components": [{"part": "NUT", "quantity": "4"}]},
    {"type": "spoon"},
    {"type": "part", "number": "DOOR", "description": "pressed"},
    "no row",
]


def test_upserts_take_rows_of_all_kinds_in_any_order_and_answer_each(erp: Api) -> None:
    body = erp.post("/upserts", {"upserts": MIXED}).json()
    assert [(row["row"], row["status"]) for row in body["results"]] == [
        (0, "error"),
        (1, "created"),
        (2, "error"),
        (3, "created"),
        (4, "created"),
        (5, "created"),
        (6, "error"),
        (7, "changed"),
        (8, "error"),
    ]
    assert body["results"][0]["code"] == "unknown_reference"  # its part could not be read
    assert "decimals" in body["results"][2]["message"]
    assert body["results"][7]["changes"] == {"description": ["", "pressed"]}
    assert (body["created"], body["changed"], body["error"]) == (4, 1, 4)
    mended = [*MIXED[:2], {"type": "part", "number": "BOLT"}]
    assert [row["status"] for row in erp.post("/upserts", {"upserts": mended}).json()["results"]] == [
        "created",
        "unchanged",
        "created",
    ]
    assert Card.objects.filter(loop__code="L2").count() == 2


def test_upserts_can_be_tried_first_and_can_be_all_or_nothing(erp: Api) -> None:
    dry = erp.post("/upserts?dry_run=1", {"upserts": MIXED}).json()
    assert (dry["dry_run"], dry["created"]) == (True, 4)
    whole = erp.post("/upserts?all_or_nothing=1", {"upserts": MIXED}).json()
    assert {row["status"] for row in whole["results"]} == {"skipped", "error"}
    assert whole["dry_run"] is False
    assert not Part.objects.filter(number="NUT").exists()
    right = MIXED[3:6]
    assert erp.post("/upserts?all_or_nothing=1", {"upserts": right}).json()["created"] == 3


def test_a_circle_undoes_all_upserts(erp: Api) -> None:
    rows = [
        {"type": "part", "number": "NUT"},
        {"type": "bill", "part": "DOOR", "components": [{"part": "NUT", "quantity": 1}]},
        {"type": "bill", "part": "NUT", "components": [{"part": "DOOR", "quantity": 1}]},
    ]
    assert "circle" in problem(erp.post("/upserts", {"upserts": rows}), 422, "circle")
    assert not Part.objects.filter(number="NUT").exists()


def test_five_thousand_upserts_are_taken_and_one_more_is_not(erp: Api) -> None:
    rows = [{"type": "part", "number": f"P{n}", "description": "x" * 40} for n in range(5_000)]
    body = erp.post("/upserts", {"upserts": rows}).json()
    assert body["created"] == 5_000
    assert erp.post("/upserts", {"upserts": rows}).json()["unchanged"] == 5_000
    problem(erp.post("/upserts", {"upserts": [*rows, rows[0]]}), 413, "too_many_rows")
    problem(erp.post("/upserts", {"upserts": {}}), 400, "malformed")
    problem(erp.post("/upserts", []), 400, "malformed")


def test_a_token_that_asks_too_often_is_told_to_wait(erp: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Throttle, "buckets", Buckets(rate=0.001, burst=5))
    statuses = [erp.get("/parts/DOOR").status_code for _ in range(5)]
    assert statuses == [200] * 5
    answer = erp.get("/parts/DOOR")
    problem(answer, 429, "too_many_requests")
    assert int(answer.headers["Retry-After"]) >= 1


def test_an_area_is_read_and_changed_with_its_receiving_hours_and_steps(erp: Api, floor: Floor) -> None:
    Calendar.objects.create(plant=floor.plant, code="DOCK", is_receiving=True)
    floor.person("ines")
    steps = [{"after": 0, "who": "team_leader"}, {"after": 20, "who": "ines"}]
    address = f"/areas/{floor.area.code}"
    changed = erp.put(address, {"receiving": "DOCK", "escalation": steps})
    assert changed.status_code == 200, changed.content
    body = erp.get(address).json()
    assert (body["receiving"], body["escalation"], body["leader"]) == ("DOCK", steps, None)
    assert [row["code"] for row in erp.get("/areas").json()["results"]] == [floor.area.code]
    detail = problem(
        erp.put(address, {"escalation": [{"after": 3, "who": "nobody"}]}), 422, "unknown_reference"
    )
    assert "nobody" in detail
    assert erp.put(address, {"escalation": [], "receiving": None}).json()["receiving"] is None
    rows = erp.post("/upserts", {"upserts": [{"type": "area", "code": "NEW-AREA", "name": "New"}]}).json()
    assert rows["created"] == 1


def test_a_loop_changed_over_the_api_says_so_in_its_ledger_by_whom(erp: Api, floor: Floor) -> None:
    assert erp.put("/loops/L1", {"undo_window_s": 60}).status_code == 200
    (event,) = Event.objects.filter(type="loop.changed")
    assert event.data["changed"] == {"undo_window_s": {"before": "120", "after": "60"}}
    assert event.device is not None
    assert event.device.name == "erp"
    erp.put("/loops/L1", {"undo_window_s": 60})
    assert Event.objects.filter(type="loop.changed").count() == 1


@pytest.mark.parametrize("cards", [0, 2])
def test_a_retired_loop_stays_as_it_is_and_gets_no_cards(erp: Api, floor: Floor, cards: int) -> None:
    loop = floor.loop("R", part="RIM", supply="PRESS", demand="CELL", cards=cards, quantity=4)
    actions.retire_loop(loop_id=loop.pk, reason="no longer made", now=floor.now)
    before = (erp.get("/loops/R").json(), Card.objects.count(), Event.objects.count())
    changes: list[dict[str, Any]] = [{"quantity": "9"}, {"undo_window_s": 60}, {"part": "DOOR"}]
    for number, change in enumerate([*changes, *([] if cards else [{"cards": 2}])]):
        detail = problem(erp.put("/loops/R", change), 409, "refused")
        assert detail == "Loop R was retired, for good. Make a new loop."
        row = {"type": "loop", "code": "R"} | change
        other = {"type": "part", "number": f"P-{number}"}
        for question in ("?dry_run=1", ""):
            said = erp.post(f"/upserts{question}", {"upserts": [row, other]}).json()
            assert (said["error"], said["created"], said["cards"]) == (1, 1, 0)
            assert said["results"][0]["message"] == detail
    assert (erp.get("/loops/R").json(), Card.objects.count(), Event.objects.count()) == before
    assert erp.put("/loops/R", before[0]).json() == before[0]
