"""`load_shop` as people use it: a file in, a summary out, and errors that point into the file."""

from __future__ import annotations

import json
import os
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
    assert "plants[0].stations[1] (DOCK): kind: 'HARBOUR' stands there, expected one of" in out.getvalue()
    assert "plants[0].loops[0] (LIDS): The station 'DOCK' stands in the file" in out.getvalue()
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
            | {"DATABASE_URL": f"postgres://nobody@{place}/none", "SECRET_KEY": "no secret " * 8},
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
    assert Loop.objects.count() == 20
    file = tmp_path / "shop.json"
    file.write_text(json.dumps(document()))
    again = load(file)
    assert " changed" not in again
    assert " created" not in again
