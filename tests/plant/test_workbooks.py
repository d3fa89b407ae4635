"""Workbooks as people and their programs write them: nothing unread in silence, nothing changed on the way."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from jitapp.plant.reading import ShopDocument, read_document
from jitapp.plant.rows import Unreadable
from tests.plant.test_reading import zipped

PLANT: Sequence[Any] = [["code"], ["A"]]


def moment(*parts: int) -> datetime:
    """Spreadsheets know no time zones."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


def book(
    sheets: Mapping[str, Sequence[Any]],
    *,
    formats: dict[str, str] | None = None,
    touch: Callable[[Worksheet], None] | None = None,
    edit: dict[str, str] | None = None,
) -> bytes:
    """A workbook with a plant A. `formats` are number formats by address, `touch` what is done to the last sheet, and
    `edit` replacements in the XML of the last sheet."""
    made = openpyxl.Workbook()
    made.remove(made.active)  # type: ignore[arg-type]
    for name, rows in ({"plants": PLANT} | dict(sheets)).items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    for address, code in (formats or {}).items():
        sheet[address].number_format = code
    if touch is not None:
        touch(sheet)
    out = BytesIO()
    made.save(out)
    if not edit:
        return out.getvalue()
    with zipfile.ZipFile(out) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    last = f"xl/worksheets/sheet{len(made.worksheets)}.xml"
    for old, new in edit.items():
        assert old.encode() in members[last], old
        members[last] = members[last].replace(old.encode(), new.encode())
    return zipped(members)


def read(data: bytes) -> ShopDocument:
    return read_document(data, "shop.xlsx")


def plant_of(data: bytes) -> dict[str, Any]:
    plant: dict[str, Any] = read(data).content["plants"][0]
    return plant


def refusal(data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        read(data)
    return str(caught.value)


def numbers(data: bytes) -> list[str]:
    return [part["number"] for part in plant_of(data)["parts"]]


# -- F1: nothing that is filled in goes unread in silence ------------------------------------------------


def test_f01_what_a_sheet_says_of_its_own_size_is_not_believed() -> None:
    rows = [["number", "description"], *([f"P{n}", f"part {n}"] for n in range(5))]
    data = book({"parts": rows}, edit={'<dimension ref="A1:B6"': '<dimension ref="A1:A1"'})
    assert [part["description"] for part in plant_of(data)["parts"]] == [f"part {n}" for n in range(5)]


def test_f01_a_formula_without_a_stored_value_is_named_with_its_cell() -> None:
    says = refusal(book({"loops": [["code", "cards", "lead_time_minutes"], ["L1", "=1+1", "=8*60"]]}))
    assert "Sheet loops cell B2 (cards): the formula has no stored value." in says
    assert "Sheet loops cell C2 (lead_time_minutes)" in says


def test_f01_a_formula_with_a_value_is_its_value_and_an_empty_text_is_blank() -> None:
    data = book(
        {"loops": [["code", "cards", "first"], ["L1", "=1+1", "=T(0)"]]},
        edit={"<f>1+1</f><v />": "<f>1+1</f><v>2</v>", '<c r="C2"><f>': '<c r="C2" t="str"><f>'},
    )
    assert plant_of(data)["loops"] == [{"code": "L1", "cards": "2"}]


def test_f01_a_sheet_that_was_meant_as_a_list_is_refused_and_another_is_named() -> None:
    assert "Sheet 'part' is not read. If it was meant as parts" in refusal(
        book({"part": [["number"], ["X"]]})
    )
    document = read(book({"parts": [["number"], ["X"]], "Remarks of Ines": [["anything"]]}))
    assert document.notes == (
        "Sheet 'Remarks of Ines' is not read: the sheets of a shop file are plants, calendars, people, areas,"
        " suppliers, stations, parts, bills, loops, routes, holidays.",
    )
    assert read(book({"parts": [["number"], ["X"]], "Sheet2": []})).notes == ()


def test_f01_a_heading_far_to_the_right_is_read() -> None:
    heading, row = ["number", *[None] * 60, "description"], ["P1", *[None] * 60, "far right"]
    document = read(book({"parts": [heading, row]}))
    assert document.content["plants"][0]["parts"] == [{"number": "P1", "description": "far right"}]
    assert document.place(("plants", 0, "parts", 0, "description")) == "sheet parts cell BJ2"


def test_f01_a_value_under_no_heading_and_merged_cells_are_named() -> None:
    rows = [["number", "description"], ["P1", "lid", "stray"], ["P2"]]
    assert "Sheet parts cell C2: a value stands under no heading." in refusal(book({"parts": rows}))
    merged = book({"parts": [row[:2] for row in rows]}, touch=lambda sheet: sheet.merge_cells("B2:B3"))
    assert "the cells B2:B3 are merged, so that only B2 holds their value" in refusal(merged)


# -- F2: part numbers as the sheet shows them ------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (815, "00000", "00815"),
        (7, "00000", "00007"),
        (1234567, "00000", "1234567"),
        (120007, "00-0000", "12-0007"),
        (120007, "000\\.000", "120.007"),
        (42, '"P-"0000', "P-0042"),
        (42, "0000;-0000;", "0042"),
        (4006381333931, "General", "4006381333931"),
        (4006381333931, "0", "4006381333931"),
        (12.5, "0.00", "12.50"),
        (12.5, "General", "12.5"),
        (815, "#,##0", "815"),
        (815, "@", "815"),
        ("0815", "General", "0815"),
        ("2.31E+19", "General", "2.31E+19"),
    ],
)
def test_f02_a_part_number_is_what_the_sheet_shows(value: object, code: str, shown: str) -> None:
    assert numbers(book({"parts": [["number"], [value]]}, formats={"A2": code})) == [shown]


@pytest.mark.parametrize(
    ("value", "code", "says"),
    [
        (moment(2026, 2, 1), "d-mmm", "Sheet parts cell A2 (number): the cell holds the date 2026-02-01"),
        (moment(2026, 3, 1, 6, 30), "yyyy-mm-dd hh:mm", "the cell holds the date 2026-03-01 06:30:00"),
        (time(10, 24), "h:mm", "cell A2 (number): the cell holds the time 10:24"),
        (2.31e19, "General", "cell A2 (number): the cell holds the number 2.31E+19"),
        (1234567890123456789, "0", "the cell holds the number 1.23456789012346E+18"),
        (105e8, "0.00E+00", "the cell holds the number 10500000000, shown by the format 0.00E+00"),
        (0.5, "0%", "shown by the format 0%"),
        (12.34, "0", "shown by the format 0"),
        (1815, "#,##0", "shown by the format #,##0"),
        (7, "#", ""),
        (0, "#", "shown by the format #"),
        (True, "General", "the cell holds TRUE, expected a text"),
    ],
)
def test_f02_what_became_another_thing_is_refused_with_its_cell(value: object, code: str, says: str) -> None:
    data = book({"parts": [["number"], [value]]}, formats={"A2": code})
    if not says:
        assert numbers(data) == ["7"]
        return
    assert says in refusal(data)


# -- F3: what is right is read ---------------------------------------------------------------------------


def test_f03_a_text_that_begins_with_a_hash_is_a_text() -> None:
    parts = plant_of(
        book({"parts": [["number", "description"], ["P1", "#10-24 X 1/2 SCREW"], ["P2", "#N/V!"]]})
    )
    assert [part["description"] for part in parts["parts"]] == ["#10-24 X 1/2 SCREW", "#N/V!"]
    assert "Sheet parts cell A2 (number): the cell shows #REF!, an error." in refusal(
        book({"parts": [["number"], ["#REF!"]]})
    )


def test_f03_rows_that_are_only_formatted_are_no_rows() -> None:
    def bordered(sheet: Worksheet) -> None:
        for row in range(3, 25_003):
            sheet.cell(row, 1).number_format = "00000"
        sheet.cell(1_048_576, 1).value = " "

    assert numbers(book({"parts": [["number"], ["P1"]]}, touch=bordered)) == ["P1"]


def test_f03_a_computed_number_has_the_digits_that_a_spreadsheet_has() -> None:
    bill = [
        ["part", "component", "quantity"],
        ["LID", "SHEET", 0.1 * 3],
        ["LID", "FOIL", 1e-6],
        ["LID", "INK", 25],
    ]
    lines = plant_of(book({"bills": bill}))["bills"][0]["components"]
    assert [line["quantity"] for line in lines] == ["0.3", "0.000001", "25"]


def test_f03_times_of_day_in_the_formats_that_show_them() -> None:
    shifts = [
        ["code", "days", "start", "end"],
        ["DAY", "mon", time(6), time(14)],
        ["DAY", "tue", timedelta(hours=6), timedelta(hours=14)],
        ["DAY", "wed", timedelta(hours=16), timedelta(hours=24)],
        ["DAY", "thu", 0.25, 0.583333333333],
        ["DAY", "fri", "06:00", "14:00"],
    ]
    formats = {
        "C3": "[h]:mm",
        "D3": "[h]:mm",
        "C4": "[h]:mm",
        "D4": "[h]:mm:ss",
        "C5": "hh:mm",
        "D5": "h:mm AM/PM",
    }
    data = book({"calendars": shifts}, formats=formats)
    found = [(shift["start"], shift["end"]) for shift in plant_of(data)["calendars"][0]["shifts"]]
    assert found == [
        ("06:00", "14:00"),
        ("06:00", "14:00"),
        ("16:00", "24:00"),
        ("06:00", "14:00"),
        ("06:00", "14:00"),
    ]
    row = ["code", "days", "start", "end"]
    for value, code, says in (
        (0.25, "General", "Sheet calendars cell C2 (start): 0.25 stands there, expected a time like 06:00"),
        (time(6, 0, 30), "h:mm:ss", "the cell holds 06:00:30, expected a time of day in whole minutes"),
        (timedelta(hours=30), "[h]:mm", "the cell holds 30:00"),
        (date(2026, 12, 25), "yyyy-mm-dd", "the cell holds the date 2026-12-25, expected a time"),
    ):
        wrong = book({"calendars": [row, ["DAY", "mon", value, "14:00"]]}, formats={"C2": code})
        assert says in refusal(wrong)


def test_f03_days_and_switches_in_their_cells() -> None:
    sheets: dict[str, list[Any]] = {
        "calendars": [["code", "default", "receiving"], ["DAY", True, "False"]],
        "holidays": [["calendar", "day"], ["DAY", moment(2026, 12, 25)], ["DAY", "2026-12-26"]],
    }
    calendar = plant_of(book(sheets))["calendars"][0]
    assert (calendar["default"], calendar["receiving"]) == ("true", "false")
    assert calendar["holidays"] == ["2026-12-25", "2026-12-26"]
    since_1904 = openpyxl.load_workbook(BytesIO(book(sheets)))
    since_1904.epoch = moment(1904, 1, 1)
    out = BytesIO()
    since_1904.save(out)
    assert plant_of(out.getvalue())["calendars"][0]["holidays"] == ["2026-12-25", "2026-12-26"]
    assert "cell B2 (day): 46381 stands there, expected a date like 2026-12-25" in refusal(
        book(sheets | {"holidays": [["calendar", "day"], ["DAY", 46381]]})
    )


def test_every_wrong_cell_is_named_at_once() -> None:
    rows = [["number"], *([moment(2026, 1, 1)] for _ in range(25))]
    says = refusal(book({"parts": rows}))
    assert "cell A2 " in says
    assert "cell A21 " in says
    assert says.endswith("And 5 more.")


def test_a_member_is_where_its_cell_is() -> None:
    sheets: dict[str, list[Any]] = {
        "parts": [["number"], ["LID"], ["SHEET"], ["FOIL"]],
        "bills": [["part", "component", "quantity"], ["LID", "SHEET", 1], ["LID", "FOIL", 2]],
        "calendars": [
            ["code", "days", "start", "end"],
            ["C", "mon", "06:00", "14:00"],
            ["C", "tue", "06:00", "14:00"],
        ],
    }
    document = read(book(sheets))
    bill = ("plants", 0, "bills", 0)
    assert document.place((*bill, "components", 1, "quantity")) == "sheet bills cell C3"
    assert document.place((*bill, "components", 1, "part")) == "sheet bills cell B3"
    assert document.place((*bill, "part")) == "sheet bills cell A2"
    assert document.place(("plants", 0, "calendars", 0, "shifts", 1, "days", 0)) == "sheet calendars cell B3"
    assert document.place(("plants", 0, "code")) == "sheet plants cell A2"
