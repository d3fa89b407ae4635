"""A04 and A05: what is named in an address or a body is found as people write it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.contrib.auth import authenticate
from django.test import Client

from jitapp.accounts.models import Device, Person
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant.loading import load_shop
from jitapp.plant.models import Area, BillOfMaterials, Membership, Part
from tests.floor import Floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("ZS1")
    floor.station("ZS2")
    floor.loop("L-Board", part="M26-BOLT", supply="ZS1", demand="ZS2", cards=2, quantity=4)
    person = floor.person("Mia", badge="BW-12")
    Membership.objects.create(person=person, plant=floor.plant, role=Role.LEADER)
    Device.objects.update(kind=DeviceKind.ERP)
    return floor


@pytest.fixture
def ask(floor: Floor) -> Any:
    client = Client(headers={"Authorization": f"Bearer {floor.token}"})

    def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = client.generic(
            method, f"/api/v1{path}", b"" if body is None else encode(body), content_type="application/json"
        )
        return answer.status_code, answer.json()

    return ask


def encode(body: Any) -> bytes:
    return b"\xef\xbb\xbf" + json.dumps(body).encode()  # as some programs write it


@pytest.mark.parametrize(
    ("path", "member", "kept"),
    [
        ("/parts/m26-bolt", "number", "M26-BOLT"),
        ("/parts/%20M26-Bolt%0D", "number", "M26-BOLT"),
        ("/stations/zs2", "code", "ZS2"),
        ("/boards/zs1", "station", "ZS1"),
        ("/loops/l-board", "code", "L-Board"),
        ("/areas/plant-area", "code", "PLANT-AREA"),
    ],
)
def test_a04_an_address_is_found_as_people_write(ask: Any, path: str, member: str, kept: str) -> None:
    status, said = ask("GET", path)
    assert (status, said[member]) == (200, kept)


def test_a05_a_part_number_with_a_line_end_is_no_unknown_address(ask: Any) -> None:
    assert ask("GET", "/parts/A%0AB")[0] == 404
    for _ in range(2):
        status, said = ask("PUT", "/parts/A%0AB", {})
        assert (status in (200, 201), said["number"]) == (True, "A B")
    assert ask("GET", "/parts/A%0AB")[1]["number"] == "A B"
    assert ask("PUT", "/bills/A%0AB", {"components": []})[0] == 200


def test_a04_lists_acts_and_calls_too(ask: Any, floor: Floor) -> None:
    assert len(ask("GET", "/cards?loop=l-board")[1]["results"]) == 2
    code = floor.card("L-Board", 1).code
    assert ask("GET", f"/cards/{code.lower()}%0D")[1]["code"] == code
    assert ask("GET", f"/cards/{code[:2]}-{code[2:6]}%20{code[6:].replace('0', 'o')}")[1]["code"] == code
    floor.scan("L-Board", 1, "empty")
    assert len(ask("GET", "/turns?station=zs1%20")[1]["results"]) == 1
    assert ask("POST", "/loops/L-BOARD/hold", {"reason": "audit"})[0] == 200
    status, call = ask(
        "POST", "/calls", {"kind": "help", "station": "zs2\r", "card": code.lower(), "by": "bw-12\r"}
    )
    assert (status, call["station"], call["called_by"]) == (200, "ZS2", "Mia")
    assert ask("POST", "/stations/zs2/states", {"kind": "down", "by": "MIA"})[0] == 200
    assert ask("PUT", "/bins/BIN-1", {"card": f" {code.lower()}"})[1]["card"] == code


def test_a04_master_data_refers_as_people_write(ask: Any, floor: Floor) -> None:
    loop = {"part": "m26-bolt", "demand": "zs2 ", "supply": "Zs1\r", "kind": "TWO_BIN", "quantity": "4"}
    status, said = ask("PUT", "/loops/L2", loop | {"code": "L2\r"})
    assert (status, said["part"], said["demand"], said["supply"]) == (201, "M26-BOLT", "ZS2", "ZS1")
    status, said = ask(
        "PUT", "/bills/m26-bolt", {"part": "M26-Bolt", "components": [{"part": "nut", "quantity": "1"}]}
    )
    assert (status, said["code"]) == (422, "unknown_reference")
    floor.part("NUT")
    assert ask("PUT", "/bills/m26-bolt", {"components": [{"part": "nut", "quantity": "1"}]})[0] == 201
    assert BillOfMaterials.objects.get(parent__number="M26-BOLT").component.number == "NUT"
    rows = [
        {"type": "part", "number": " PIN-1 "},
        {"type": "bill", "part": "pin-1", "components": [{"part": "NUT\r", "quantity": "2"}]},
        {"type": "area", "code": "HALL-2", "leader": "mia", "escalation": [{"after": 5, "who": "MIA"}]},
    ]
    done = ask("POST", "/upserts", {"upserts": rows})[1]
    assert (done["created"], done["error"]) == (3, 0), done
    assert BillOfMaterials.objects.get(parent__number="PIN-1").component.number == "NUT"
    assert ask("PUT", "/parts/PIN-2", {"plant": "plant"})[1]["plant"] == "PLANT"
    assert ask("PUT", "/parts/PIN-3", {"plant": "elsewhere"})[1]["code"] == "unknown_reference"
    pin = {"type": "part", "number": "PIN-4", "plant": "Plant "}
    assert ask("POST", "/upserts", {"upserts": [pin]})[1]["created"] == 1
    area = Area.objects.get(code="HALL-2")
    assert (str(area.leader), area.escalation) == ("Mia", [{"after": 5, "who": "Mia"}])


def test_a04_twins_of_people_are_refused_when_made(floor: Floor) -> None:
    def load(**row: Any) -> list[str]:
        document = {"shop": 1, "plants": [{"code": "PLANT", "people": [row]}]}
        return [error.message for error in load_shop(document).errors]

    assert load(username="ben", badge="bw-12\r") == ["Badge bw-12 belongs to Mia."]
    assert load(username="bw-12") == ["The name bw-12 belongs to Mia."]
    assert load(username="ben", badge=" B-7\r") == []
    assert load(username="ben", badge="b-7") == []
    assert Person.objects.get(username="ben").badge == "b-7"
    client = Client()
    client.force_login(Person.objects.create_superuser("root", name="Root"))
    new = {"name": "x", "usable_password": "false"}
    assert client.post("/admin/accounts/person/add/", new | {"username": "MIA"}).status_code == 200
    page = client.post("/admin/accounts/person/add/", new | {"username": "bw-12"}).content.decode()
    assert "bw-12 is a name of Mia. Choose another." in page
    assert client.post("/admin/accounts/person/add/", new | {"username": "ole"}).status_code == 302
    assert Person.objects.filter(username="ole").exists()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/stations/zs2", {"kind": "PROCESS"}),
        ("/stations/%20zs2%0D", {"kind": "PROCESS"}),
        ("/parts/m26-Bolt", {}),
        (
            "/loops/L-BOARD",
            {"part": "M26-BOLT", "demand": "ZS2", "supply": "ZS1", "kind": "TWO_BIN", "quantity": "1"},
        ),
        ("/areas/Plant-Area", {}),
    ],
)
def test_a04_twins_of_master_data_are_refused_when_made(ask: Any, path: str, body: dict[str, Any]) -> None:
    status, said = ask("PUT", path, body)
    assert (status, said["code"]) == (422, "twice"), said
    kind, name = path[1:].split("/")
    row = {"type": kind.removesuffix("s"), "number" if kind == "parts" else "code": unquote(name)} | body
    assert ask("POST", "/upserts", {"upserts": [row]})[1]["results"][0]["code"] == "twice"


def test_a04_people_log_in_as_they_write_their_names(floor: Floor) -> None:
    mia = Person.objects.get(username="Mia")
    mia.set_password("long enough")
    mia.save()
    for written, right in (("mia ", True), ("MIA", True), ("Mia", True), ("BW-12", False), ("m\0ia", True)):
        assert (authenticate(username=written, password="long enough") == mia) is right, written
    floor.person("MIA")
    assert authenticate(username="mia", password="long enough") is None
    assert authenticate(username="Mia", password="long enough") == mia


NUMBERS = [
    "RN2483A-I/RM105",
    "KXT 321 LHS",
    "SSM3J338R,LF",
    "M3x10 (A2)",
    "#10-32 + washer",
    "BC547B/C*",
    "50% glycol",
    'ÄÖ-1/2"',
    "a&b?c=d;e",
    "/Z",
    "100µF",
    "A" * 60,
]


@pytest.mark.parametrize("number", NUMBERS)
def test_a05_part_numbers_of_real_life_go_everywhere(ask: Any, floor: Floor, number: str) -> None:
    path = f"/parts/{quote(number, safe='')}"
    status, said = ask("PUT", path, {"unit": "kg"})
    assert (status, said.get("number")) == (201, number), said
    assert ask("GET", path)[1]["number"] == number
    assert ask("GET", f"/parts/{quote(number)}")[1]["number"] == number  # a slash may stand there as it is
    loop = {"part": number, "demand": "ZS2", "supply": "ZS1", "kind": "TWO_BIN", "quantity": "4", "cards": 1}
    assert ask("PUT", "/loops/NEW", loop)[1]["part"] == number
    bill = {"components": [{"part": "M26-BOLT", "quantity": "2"}]}
    assert ask("PUT", f"/bills/{quote(number, safe='')}", bill)[1]["part"] == number
    assert ask("GET", f"/bills/{quote(number, safe='')}")[1]["components"][0]["part"] == "M26-BOLT"
    assert number in floor.scan("NEW", 1, "empty")["message"]
    assert (
        ask("POST", "/upserts", {"upserts": [{"type": "part", "number": number, "unit": "kg"}]})[1][
            "unchanged"
        ]
        == 1
    )


def test_a05_a_number_is_kept_composed_and_with_single_blanks(ask: Any) -> None:
    assert ask("PUT", "/parts/" + quote("  A\u0308  1 "), {})[1]["number"] == "\u00c4 1"
    assert Part.objects.filter(number="\u00c4 1").exists()


@pytest.mark.parametrize("number", ["..", "A/../B", "./", "A" * 61, "-- / --", "\ue000"])
def test_a05_what_is_no_number_is_refused_by_name(ask: Any, number: str) -> None:
    status, said = ask("POST", "/upserts", {"upserts": [{"type": "part", "number": number}]})
    assert (status, said["error"]) == (200, 1)
    assert said["results"][0]["code"] == "field_unreadable"
    assert not Part.objects.filter(number=number).exists()
