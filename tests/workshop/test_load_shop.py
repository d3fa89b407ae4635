"""`load_shop` as people use it: a file in, a summary out, and errors that point into the file."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from io import StringIO
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from jitapp.plant.models import Loop, Part
from jitapp.pull.actions import retire_loop
from jitapp.pull.models import Card, Event
from jitapp.pull.proof.verify import verify
from jitapp.workshop.demo.shop import FILE, document

pytestmark = pytest.mark.django_db

SMALL = """
shop: 1
first_at: 2012-01-02T06:00:00+00:00
plants:
  - code: HALL
    stations:
      - {code: PRESS, kind: PROCESS}
      - {code: DOCK, kind: SHIPPING}
    parts: [{number: LID}]
    loops:
      - {code: LIDS, part: LID, supply: PRESS, demand: DOCK, kind: TWO_BIN,
         cards: 3, quantity: 4, first: [FULL, FULL, EMPTY]}
"""


def load(file: Path, *options: str) -> str:
    out = StringIO()
    call_command("load_shop", str(file), *options, stdout=out, stderr=out)
    return out.getvalue()


def test_a_file_is_loaded_with_its_cards_and_again_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(SMALL)
    assert "cards: 3 made" in load(file)
    statuses = Card.objects.order_by("number").values_list("supply_status", flat=True)
    assert list(statuses) == ["FULL", "FULL", "EMPTY"]
    events = Event.objects.count()
    assert set(Event.objects.values_list("occurred_at__year", flat=True)) == {2012}
    again = load(file)
    assert "loops: 1 unchanged" in again
    assert "cards: 0 made" in again
    assert Event.objects.count() == events
    file.write_text(SMALL.replace("cards: 3", "cards: 2").replace("[FULL, FULL, EMPTY]", "FULL"))
    assert "Loop LIDS: 1 of 3 cards go out when they are next empty." in load(file)
    assert Card.objects.count() == 3
    assert "loops: 1 unchanged" in load(file)
    assert verify().differences == []


def test_a_file_changes_nothing_of_a_retired_loop_and_is_still_loaded_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(SMALL.replace("EMPTY", "FULL"))
    load(file)
    retire_loop(loop_id=Loop.objects.get().pk, reason="no longer made", now=timezone.now())
    assert "loops: 1 unchanged" in load(file)
    file.write_text(
        SMALL.replace("EMPTY", "FULL")
        .replace("quantity: 4", "quantity: 5")
        .replace("number: LID}", "number: LID, description: tin lid}")
    )
    for options in (("--dry-run",), ()):
        out = StringIO()
        with pytest.raises(CommandError, match="1 to correct"):
            call_command("load_shop", str(file), *options, stdout=out, stderr=out)
        assert "Loop LIDS was retired, for good. Make a new loop." in out.getvalue()
    assert (Loop.objects.get().quantity, Part.objects.get().description) == (4, "")


def test_a_dry_run_shows_what_would_change_and_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(SMALL)
    shown = load(file, "--dry-run")
    assert "created loops LIDS" in shown
    assert "cards: 3 to make" in shown
    assert not Loop.objects.exists()
    load(file)
    file.write_text(SMALL.replace("number: LID}", "number: LID, description: tin lid}"))
    assert "changed parts LID description:  -> tin lid" in load(file, "--dry-run")
    assert Part.objects.get().description == ""


def test_every_wrong_row_is_named_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(SMALL.replace("kind: SHIPPING", "kind: HARBOUR").replace("quantity: 4", "quantity: -4"))
    out = StringIO()
    with pytest.raises(CommandError, match="Nothing was loaded: 2 to correct"):
        call_command("load_shop", str(file), stderr=out)
    assert "line 8 (DOCK): kind: 'HARBOUR' stands there, expected one of" in out.getvalue()
    assert "line 11 (LIDS): The station 'DOCK' stands in the file" in out.getvalue()
    assert not Part.objects.exists()


def test_a_workbooks_errors_name_sheet_and_row(tmp_path: Path) -> None:
    file = tmp_path / "shop.xlsx"
    book = openpyxl.Workbook()
    sheets: dict[str, list[list[str | int]]] = {
        "plants": [["code"], ["HALL"]],
        "parts": [["number", "decimals"], ["LID", 0], ["BOX", 12]],
    }
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(file)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("load_shop", str(file), stderr=out)
    assert "sheet parts cell B3 (BOX): decimals: '12' stands there, expected a whole number" in out.getvalue()


def test_f05_each_fault_of_a_workbook_has_its_cell(tmp_path: Path) -> None:
    file = tmp_path / "shop.xlsx"
    book = openpyxl.Workbook()
    sheets: dict[str, list[list[str | int | None]]] = {
        "plants": [["code", "time_zone"], ["HALL", "Europe/Berlyn"]],
        "calendars": [
            ["code", "days", "start", "end"],
            ["DAY", "mon", "06:00", "14:00"],
            ["DAY", "tue", "6 Uhr", "14:00"],
        ],
        "holidays": [["calendar", "day"], ["DAY", "2026-12-25"], ["DAY", "Neujahr"]],
        "stations": [["code", "kind"], ["PRESS", "PROCESS"], ["DOCK", "SHIPPING"], ["ACME", "SUPPLIER"]],
        "parts": [["number", "decimals"], ["LID", None], ["SHEET", None]],
        "bills": [["part", "component", "quantity"], ["LID", "SHEET", "0.25"], ["LID", "FOIL", "1"]],
        "loops": [
            ["code", "part", "supply", "demand", "kind", "quantity", "cards"],
            ["L1", "LID", "PRESS", "DOCK", "TWO_BIN", "0.5", 2],
            ["L2", "LIDS", "PRES", "DOCK", "TWO BIN", 4, 2],
            ["L3", "SHEET", "DOCK", "PRESS", "SUPPLIER", 4, 2],
        ],
    }
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(file)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("load_shop", str(file), stderr=out)
    assert out.getvalue().splitlines() == [
        "sheet plants cell B2 (HALL): There is no time zone 'Europe/Berlyn'. Write it like Europe/Berlin."
    ]
    book["plants"]["B2"] = "Europe/Berlin"
    book.save(file)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("load_shop", str(file), stderr=out)
    kinds = "TWO_BIN, PRODUCTION, WITHDRAWAL, SUPPLIER, TRANSFER, EVENT"
    assert out.getvalue().splitlines() == [
        "sheet holidays row 3 (DAY): Holiday 'Neujahr' is not a date. Write it like 2026-12-25.",
        "sheet stations row 4 (ACME): A station of kind SUPPLIER names its supplier, and no other station does.",
        "sheet bills cell B3 (LID): There is no part 'FOIL' in plant HALL.",
        "sheet loops cell F2 (L1): The quantity of LID has more than 0 decimals: 0.5.",
        f"sheet loops cell E3 (L2): kind: 'TWO BIN' stands there, expected one of {kinds}.",
        "sheet loops cell B3 (L2): There is no part 'LIDS' in plant HALL.",
        "sheet loops cell C3 (L2): There is no station 'PRES' in plant HALL.",
        "sheet loops cell C4 (L3): DOCK is the customer's end and supplies no loop.",
    ]
    book["holidays"]["B3"] = "2027-01-01"
    book.save(file)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("load_shop", str(file), stderr=out)
    assert out.getvalue().startswith("sheet calendars row 3 (DAY): Shift 2: '6 Uhr' is not a time of day.")


def test_f01_a_sheet_that_is_not_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "shop.xlsx"
    book = openpyxl.Workbook()
    for name, rows in {"plants": [["code"], ["HALL"]], "Remarks": [["ask Ines"]]}.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(file)
    assert "Sheet 'Remarks' is not read: the sheets of a shop file are plants," in load(file)


@pytest.mark.parametrize("command", ["load_shop shop.yaml", "verify", "migrate"])
def test_f05_without_a_database_there_is_a_sentence_and_no_traceback(tmp_path: Path, command: str) -> None:
    (tmp_path / "shop.yaml").write_text(SMALL)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: whoever connects is refused
        place = f"127.0.0.1:{nobody.getsockname()[1]}"
        done = subprocess.run(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), *command.split()],
            env=os.environ
            | {"DATABASE_URL": f"postgres://nobody@{place}/none", "SECRET_KEY": secrets.token_hex(40)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("The database does not answer: ")
    assert "set DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("shop.csv", "", "ends in .yaml, .json or .xlsx"),
        ("shop.json", "{", "Line 1, column 2"),
        ("shop.yaml", "shop: 2\nplants: []", "Nothing was loaded"),
        ("shop.xlsx", "no workbook", "not an XLSX workbook"),
    ],
)
def test_a_file_that_cannot_be_read_ends_in_one_sentence(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(CommandError, match=says):
        load(file)
    with pytest.raises(CommandError, match="No such file"):
        load(tmp_path / "missing.yaml")


def test_the_demonstration_shop_is_such_a_file_also_as_json(tmp_path: Path) -> None:
    load(FILE)
    assert Loop.objects.count() == 23
    file = tmp_path / "shop.json"
    file.write_text(json.dumps(document()))
    again = load(file)
    assert " changed" not in again
    assert " created" not in again
