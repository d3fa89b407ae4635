"""Shop files from bytes: three forms, one document; and files that mean harm."""

from __future__ import annotations

import json
import struct
import time
import tracemalloc
import zipfile
from datetime import date
from datetime import time as clock
from io import BytesIO
from typing import Any

import openpyxl
import pytest
import yaml

from jitapp.plant import sheets
from jitapp.plant.reading import MOST_BYTES, read_document
from jitapp.plant.shopfile import MOST_DEPTH, Unreadable, as_text

DOCUMENT: dict[str, Any] = {
    "shop": 1,
    "plants": [
        {
            "code": "HALL-1",
            "time_zone": "Europe/Berlin",
            "calendars": [
                {
                    "code": "DAY",
                    "default": True,
                    "shifts": [
                        {
                            "days": ["mon", "tue"],
                            "start": "06:00",
                            "end": "14:00",
                            "breaks": [["09:00", "09:15"]],
                        }
                    ],
                    "holidays": ["2026-12-25", "2026-12-26"],
                }
            ],
            "people": [{"username": "otto", "roles": ["operator", "handler"]}],
            "parts": [{"number": "0815", "decimals": 2}, {"number": "DOOR"}],
            "bills": [{"part": "DOOR", "components": [{"part": "0815", "quantity": "0.1"}]}],
            "loops": [
                {
                    "code": "L1",
                    "quantity": "12.5",
                    "cards": 2,
                    "first": ["FULL", "EMPTY"],
                    "sequence": {"IN_TRANSIT": "PROHIBITED"},
                }
            ],
        }
    ],
}


def workbook(sheets: dict[str, list[list[Any]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def refusal(data: bytes, name: str) -> str:
    with pytest.raises(Unreadable) as caught:
        read_document(data, name)
    return str(caught.value)


def test_yaml_and_json_give_the_same_document() -> None:
    as_yaml = read_document(yaml.safe_dump(DOCUMENT).encode(), "shop.yaml")
    as_json = read_document(json.dumps(DOCUMENT).encode(), "shop.JSON")
    assert as_yaml.content == as_json.content == as_text(DOCUMENT)


def test_a_workbook_gives_the_same_document_and_remembers_its_rows() -> None:
    data = workbook(
        {
            "Plants": [["Code", "Time zone"], ["HALL-1", "Europe/Berlin"]],
            "calendars": [
                ["code", "default", "days", "start", "end", "breaks"],
                ["DAY", True, "mon, tue", clock(6), "14:00", "09:00-09:15"],
            ],
            "holidays": [["calendar", "day"], ["DAY", date(2026, 12, 25)], ["DAY", "2026-12-26"]],
            "people": [["username", "roles"], ["otto", "operator, handler"]],
            "parts": [["number", "decimals"], ["0815", 2.0], [None, None], ["DOOR", None]],
            "bills": [["part", "component", "quantity"], ["DOOR", "0815", 0.1]],
            "loops": [
                ["code", "quantity", "cards", "first", "sequence"],
                ["L1", 12.5, 2, "FULL, EMPTY", "IN_TRANSIT=PROHIBITED"],
            ],
            "notes": [["anything"]],
        }
    )
    document = read_document(data, "shop.xlsx")
    assert document.content == as_text(DOCUMENT)
    assert document.place(("plants", 0, "parts", 1)) == "sheet parts row 4"
    assert document.place(("plants", 0, "bills", 0)) == "sheet bills row 2"


def test_a_row_of_a_text_file_is_where_it_begins() -> None:
    text = "shop: 1\nplants:\n  - code: A\n    parts:\n      - {number: X}\n      - number: Y\n        unit: kg\n"
    document = read_document(text.encode(), "a.yml")
    assert document.place(("plants", 0)) == "line 3"
    assert document.place(("plants", 0, "parts", 1), ("unit",)) == "line 6"
    as_json = read_document(json.dumps(document.content).encode(), "a.json")
    assert as_json.place(("plants", 0, "parts", 1), ("unit",)) == "plants[0].parts[1]"


def test_a_workbook_holds_receiving_hours_escalation_standard_work_and_delivery_days() -> None:
    data = workbook(
        {
            "plants": [["code"], ["HALL-1"]],
            "calendars": [
                ["code", "receiving", "days", "start", "end"],
                ["DOCK", True, "mon, thu", clock(7), clock(12)],
            ],
            "areas": [
                ["code", "receiving", "escalation"],
                ["metal", "DOCK", "0=team_leader, 5=area_leader, 15=ines"],
            ],
            "suppliers": [["code", "delivery_days"], ["ACME", "tue, thu"]],
            "stations": [
                ["code", "standard_work", "readiness_checks"],
                ["PRESS", "https://w.example/press", "oil, guard"],
            ],
            "parts": [
                ["number", "standard_work"],
                ["DOOR", "PRESS=https://w.example/door?rev=3, SAW=https://w.example/saw"],
            ],
            "loops": [["code", "late_hours"], ["L1", 8]],
        }
    )
    plant = read_document(data, "shop.xlsx").content["plants"][0]
    shift = {"days": ["mon", "thu"], "start": "07:00", "end": "12:00"}
    assert plant["calendars"] == [{"code": "DOCK", "receiving": "true", "shifts": [shift]}]
    steps = [("0", "team_leader"), ("5", "area_leader"), ("15", "ines")]
    assert plant["areas"] == [
        {
            "code": "metal",
            "receiving": "DOCK",
            "escalation": [{"after": after, "who": who} for after, who in steps],
        }
    ]
    assert plant["suppliers"] == [{"code": "ACME", "delivery_days": ["tue", "thu"]}]
    assert plant["stations"][0]["standard_work"] == "https://w.example/press"
    assert plant["parts"][0]["standard_work"] == {
        "PRESS": "https://w.example/door?rev=3",
        "SAW": "https://w.example/saw",
    }
    assert plant["loops"] == [{"code": "L1", "late_hours": "8"}]
    wrong = workbook(
        {"plants": [["code"], ["A"]], "areas": [["code", "escalation"], ["metal", "after lunch"]]}
    )
    assert refusal(wrong, "a.xlsx") == (
        "Sheet areas cell B2: 'after lunch' stands there."
        " Write the escalation like 0=team_leader, 5=area_leader, 15=ines, each once."
    )


def test_yaml_is_read_as_it_is_written() -> None:
    content = read_document(b"end: 14:00\nnumber: 0815\nname: on\nbadge: ~\nempty:\n", "a.yaml").content
    assert content == {"end": "14:00", "number": "0815", "name": "on", "badge": None, "empty": None}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &x [1]\nb: *x", "Line 1: anchors"),
        ("a: !!python/object/apply:os.system ['true']", "Line 1: tags"),
        ("a: 1\na: 2", "Line 2: the member 'a' stands twice"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("- a", "begins with `shop: 1`"),
        ("", "begins with `shop: 1`"),
        ("[a: b: c", "Line 1"),
        ("a: \x07", "characters that YAML does not know"),
        ("? [a]\n: b", "must be text"),
        ("a: " + "[" * 5_000, "nested too deeply"),
        ("a: " + "[" * (MOST_DEPTH + 5) + "]" * (MOST_DEPTH + 5), "nested too deeply"),
    ],
)
def test_yaml_that_is_wrong_or_means_harm_is_refused(text: str, says: str) -> None:
    assert says in refusal(text.encode(), "shop.yaml")


def test_the_billion_laughs_are_not_heard() -> None:
    lines = ["a0: &a0 [lol]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "anchors" in refusal("\n".join(lines).encode(), "shop.yaml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "Line 1, column 2"),
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "[" * 40 + "]" * 40 + "}", "nested too deeply"),
        ('"text"', "begins with"),
        ('{"a": "\\ud800"}', "cannot be stored"),
        ('{"a": "\\u0000"}', "cannot be stored"),
    ],
)
def test_json_that_is_wrong_or_means_harm_is_refused(text: str, says: str) -> None:
    assert says in refusal(text.encode(), "shop.json")


def test_json_numbers_keep_their_digits() -> None:
    long = "1" * 5_000
    assert read_document(f'{{"a": 0.10, "b": {long}}}'.encode(), "a.json").content == {"a": "0.10", "b": long}


def test_other_files_and_large_files_are_refused() -> None:
    assert "ends in .yaml, .json or .xlsx" in refusal(b"", "shop.csv")
    assert "larger than 10 MB" in refusal(b" " * (MOST_BYTES + 1), "shop.yaml")
    assert "not UTF-8" in refusal("name: Bühne".encode("latin-1"), "shop.yaml")
    assert read_document("\ufeffname: Bühne".encode(), "shop.yaml").content == {"name": "Bühne"}


def zipped(members: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("lie", [False, True])
def test_a_workbook_that_unpacks_to_gigabytes_is_refused_at_once_in_little_memory(lie: bool) -> None:
    real = workbook({"plants": [["code"], ["A"]]})
    with zipfile.ZipFile(BytesIO(real)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["xl/worksheets/sheet1.xml"] = b"<worksheet>" + b" " * 200_000_000
    bomb = zipped(members)
    del members
    assert len(bomb) < 1_000_000
    if lie:  # the directory may claim to be small; then no more than claimed is unpacked
        bomb = bomb.replace(struct.pack("<L", 200_000_011), struct.pack("<L", 1_000))
    tracemalloc.start()
    started = time.perf_counter()
    with pytest.raises(Unreadable):
        read_document(bomb, "shop.xlsx")
    assert time.perf_counter() - started < 1
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_a_workbook_with_very_many_parts_is_refused_unread() -> None:
    many = zipped({f"xl/{n}.xml": b"" for n in range(20_000)})
    started = time.perf_counter()
    assert "too many parts" in refusal(many, "shop.xlsx")
    # Also when its end record lies about the number.
    end = many.rfind(b"PK\x05\x06")
    assert "too many parts" in refusal(
        many[: end + 8] + struct.pack("<HH", 1, 1) + many[end + 12 :], "shop.xlsx"
    )
    assert time.perf_counter() - started < 1


def test_a_workbook_with_entities_is_refused() -> None:
    real = workbook({"plants": [["code"], ["A"]]})
    with zipfile.ZipFile(BytesIO(real)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["xl/workbook.xml"] = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + members["xl/workbook.xml"]
    assert "no spreadsheet program writes" in refusal(zipped(members), "shop.xlsx")


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06", b"not a zip" * 10, b"PK\x05\x06" + b"\0" * 18])
def test_a_damaged_workbook_is_refused(data: bytes) -> None:
    assert refusal(data, "shop.xlsx").endswith(".")


def test_a_workbook_cut_short_anywhere_is_refused_in_words() -> None:
    real = workbook({"plants": [["code"], ["A"]], "parts": [["number"], ["X"]]})
    for cut in range(0, len(real), 97):
        assert refusal(real[:cut], "shop.xlsx").endswith(".")


@pytest.mark.parametrize(
    ("sheets", "says"),
    [
        ({"parts": [["number"], ["X"]]}, "needs a sheet `plants`"),
        (
            {"plants": [["code"], ["A"], ["B"]], "parts": [["number"], ["X"]]},
            "sheet parts row 2: there is no plant ''",
        ),
        ({"plants": [["code"], ["A"]], "parts": [["number", "number"], ["X", "Y"]]}, "'number' stands twice"),
        (
            {"plants": [["code"], ["A"]], "parts": [["number"], ["X", "stray"]]},
            "cell B2: a value stands under no heading",
        ),
        (
            {"plants": [["code"], ["A"]], "parts": [["number"], ["#REF!"]]},
            "cell A2 (number): the cell shows #REF!",
        ),
        (
            {"plants": [["code"], ["A"]], "holidays": [["calendar", "day"], ["X", "2026-01-01"]]},
            "no calendar 'X'",
        ),
        (
            {"plants": [["code"], ["A"]], "loops": [["code", "sequence"], ["L", "WAIT"]]},
            "IN_TRANSIT=PROHIBITED",
        ),
    ],
)
def test_a_workbook_that_is_wrong_says_where(sheets: dict[str, list[list[Any]]], says: str) -> None:
    assert says in refusal(workbook(sheets), "shop.xlsx")


def test_a_sheet_with_too_many_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 10)
    data = workbook({"plants": [["code"], ["A"]], "parts": [["number"], *([f"P{n}"] for n in range(20))]})
    assert "more than 10 rows" in refusal(data, "shop.xlsx")
