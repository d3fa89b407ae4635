"""S14: whatever lies in the file that a command reads, it says in one sentence what is wrong and where; never a
traceback, and nothing is written."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from jitapp.plant.models import Plant
from jitapp.pull.models import Card, Event
from tests.floor import Floor
from tests.workshop.floor_logs import HEADING, LINE

pytestmark = pytest.mark.django_db
FOLDER = "a folder"
MISSING = "nothing"


def put(place: Path, content: bytes | str) -> Path:
    """A file, a folder of that name, or nothing at all."""
    if content == FOLDER:
        place.mkdir()
    elif content != MISSING:
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return place


def refusal(*arguments: str, **options: Any) -> str:
    """What the command says: its last words, and what it wrote before them."""
    said = io.StringIO()
    with pytest.raises(CommandError) as refused:
        call_command(*arguments, stderr=said, **options)
    return said.getvalue() + str(refused.value)


# -- convert_log ---------------------------------------------------------------------------------------
def log(old: str, new: str) -> str:
    """A log whose only report says something else."""
    assert old in LINE
    return f"{HEADING}\n{LINE.replace(old, new)}\n"


BAD_LOGS = {
    "missing": (MISSING, "No such file or directory"),
    "a folder": (FOLDER, "Is a directory"),
    "empty": ("", "The log is empty. Its first line must name work_order"),
    "a mark and nothing else": ("\ufeff", "The log is empty"),
    "NUL bytes": (b"\0" * 100, "no column work_order"),
    "another encoding": (log("Lamp", "Lämp").encode("latin-1"), "Line 2 is not UTF-8 text (byte 0xe4)"),
    "two bytes a character": (log("Lamp", "Lamp").encode("utf-16"), "Line 1 is not UTF-8 text (byte 0xff)"),
    "a huge field": (log("Lamp Foot", "x" * 200_000), "Line 2: part is 200000 characters long, at most 200"),
    "a huge heading": (f"{'x' * 200_000}\n{LINE}\n", "no column work_order"),
    "a quotation mark that is not closed": (
        log("Lamp Foot", '"Lamp Foot') + f"{LINE}\n" * 3,
        "Line 2: part holds a line break or another control character",
    ),
    "a NUL in a name": (log("Lamp", "La\0mp"), "Line 2: part holds a line break or another control"),
    "a column twice": (f"{HEADING},part\n{LINE},x\n", "Line 1 names the column part more than once"),
    "a comma too many": (
        log("Lamp Foot", "Lamp, Foot"),
        "Line 2 has more fields than the heading has columns (1 too many)",
    ),
    "the year 9999": (
        log("2024-03-04T07:00", "9999-12-31T23:59"),
        "Line 2: completed_at is '9999-12-31T23:59' and",
    ),
    "the year 9999 with an offset": (
        log("2024-03-04T07:00", "9999-12-31T23:59-02:00"),
        "completed_at is '9999-12-31T23:59-02:00' and lies in the year 9999; only 1970 to 2999 can be meant",
    ),
    "the year 1": (log("2024-03-04T06:00", "0001-01-01T00:00+05:00"), "Line 2: started_at is '0001-01-01"),
    "before there were computers": (
        log("2024-03-04T06:00", "1900-01-01T00:00"),
        "Line 2: started_at is '1900",
    ),
    "a number of 5000 digits": (log(",10,1", f",{'9' * 5000},1"), "Line 2: good_qty is 5000 characters long"),
    "a number of 30 digits": (log(",10,1", f",{'9' * 30},1"), "Line 2: good_qty is '9999999"),
}


@pytest.mark.parametrize(("content", "says"), BAD_LOGS.values(), ids=BAD_LOGS)
def test_s14_convert_log_names_file_line_and_column(tmp_path: Path, content: bytes | str, says: str) -> None:
    shop, scans = tmp_path / "shop.yaml", tmp_path / "scans.jsonl"
    file = put(tmp_path / "log.csv", content)
    said = refusal("convert_log", str(file), shop=shop, scans=scans)
    assert says in said
    assert str(file) in said
    assert len(said) < 600
    assert not shop.exists()
    assert not scans.exists()


def test_s14_the_limit_of_the_csv_reader_is_what_it_was_before(tmp_path: Path) -> None:
    import csv

    before = csv.field_size_limit()
    refusal(
        "convert_log",
        str(put(tmp_path / "log.csv", log("Lamp", "x" * 200_000))),
        shop=tmp_path / "s",
        scans=tmp_path / "t",
    )
    assert csv.field_size_limit() == before


# -- replay --------------------------------------------------------------------------------------------
A_SCAN: dict[str, object] = {
    "at": "2024-03-04T06:30:00+00:00",
    "id": "018e0827-a640-7b91-9dba-d4c6f0070597",
    "loop": "L1",
    "card": 1,
    "station": "SMT",
    "intent": "empty",
}
A_SPAN: dict[str, object] = {
    "at": "2024-03-04T06:30:00+00:00",
    "id": "018e0827-a640-7b91-9dba-d4c6f0070597",
    "station": "SMT",
    "event": "breakdown",
    "started_at": "2024-03-04T06:00:00+00:00",
    "ended_at": "2024-03-04T06:30:00+00:00",
}


def scan(**more: object) -> str:
    return json.dumps(A_SCAN | more) + "\n"


def span(**more: object) -> str:
    return json.dumps(A_SPAN | more) + "\n"


BAD_SCANS = {
    "missing": (MISSING, "No such file or directory"),
    "a folder": (FOLDER, "Is a directory"),
    "empty": ("", "The log holds no line"),
    "NUL bytes": (b"\0" * 50, "Line 1: JSON is malformed"),
    "another encoding": (scan(loop="L1").replace("L1", "Lä").encode("latin-1"), "Line 1 is not UTF-8 text"),
    "two bytes a character": (scan().encode("utf-16"), "Line 1: JSON is malformed"),
    "nested without end": (
        f'{{"at":{"[" * 30_000}{"]" * 30_000}}}',
        "Line 1: its lists and members are nested",
    ),
    "half a character": (scan().replace('"empty"', '"\\ud800"'), "Line 1: "),
    "a NUL in a loop": (scan(loop="a\0b"), "Line 1: loop holds a NUL character"),
    "a NUL in a station": (scan(station="a\0b"), "Line 1: station holds a NUL character"),
    "a NUL in a person": (scan(by="a\0b"), "Line 1: by holds a NUL character"),
    "a NUL in a part": (span(part="a\0b"), "Line 1: part holds a NUL character"),
    "a huge text": (scan(reason="x" * 100_000), "Line 1: reason is 100000 characters long, at most 200"),
    "the year 9999": (scan(at="9999-12-31T23:59:00-05:00"), "Line 1: at lies in the year 9999"),
    "the year 1": (scan(at="0001-01-01T00:00:00+05:00"), "Line 1: at lies in the year 1;"),
    "a span to the year 9999": (
        span(ended_at="9999-12-31T23:59:00Z"),
        "Line 1: ended_at lies in the year 9999",
    ),
    "a span that runs backwards": (span(ended_at="2024-03-04T05:00:00Z"), "ended_at lies before started_at"),
    "an event that is not known": (span(event="party"), "Line 1: event is 'party', it must be one of"),
    "a quantity that is no number": (scan(quantity="NaN"), "Line 1: quantity is no decimal number"),
    "a quantity without end": (scan(quantity="1E+999999"), "Line 1: quantity is no decimal number"),
    "a card that is not there": (scan(card=10**30), "there is no card 1000000000000"),
}


@pytest.mark.parametrize(("content", "says"), BAD_SCANS.values(), ids=BAD_SCANS)
def test_s14_replay_names_file_line_and_member(tmp_path: Path, content: bytes | str, says: str) -> None:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    before = Event.objects.count()
    file = put(tmp_path / "scans.jsonl", content)
    said = refusal("replay", str(file))
    assert says in said
    assert str(file) in said
    assert len(said) < 600
    assert Event.objects.count() == before


def test_s14_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    said = refusal("replay", str(put(tmp_path / "scans.jsonl", "\ufeff" + scan())))
    assert "there is no card 1 of loop L1" in said


# -- load_shop -----------------------------------------------------------------------------------------
def shop(**more: object) -> str:
    return json.dumps({"shop": 1, "plants": [{"code": "BAD"}]} | more)


BAD_SHOPS = {
    "missing": ("shop.json", MISSING, "No such file or directory"),
    "a folder": ("shop.json", FOLDER, "Is a directory"),
    "an empty JSON": ("shop.json", "", "Line 1, column 1"),
    "an empty YAML": ("shop.yaml", "", "begins with `shop: 1`"),
    "an empty workbook": ("shop.xlsx", "", "not an XLSX workbook"),
    "NUL bytes": ("shop.yaml", b"shop: 1\0\n", "characters that YAML does not know"),
    "a NUL in a name": ("shop.json", shop(plants=[{"code": "a\0b"}]), "cannot be stored (NUL"),
    "another encoding": ("shop.yaml", b"shop: 1\nx: \xe4\n", "not UTF-8 text"),
    "nested without end": ("shop.json", "[" * 100_000, "nested too deeply"),
    "the year 9999": (
        "shop.json",
        shop(first_at="9999-12-31T23:59:00-05:00"),
        "first_at lies in the year 9999",
    ),
    "the year 1": ("shop.json", shop(first_at="0001-01-01T00:00:00+05:00"), "first_at lies in the year 1;"),
}


@pytest.mark.parametrize(("name", "content", "says"), BAD_SHOPS.values(), ids=BAD_SHOPS)
def test_s14_load_shop_says_what_is_wrong(tmp_path: Path, name: str, content: bytes | str, says: str) -> None:
    assert says in refusal("load_shop", str(put(tmp_path / name, content)))
    assert not Plant.objects.exists()
    assert not Card.objects.exists()


# -- restore -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (MISSING, "There is no file"),
        (FOLDER, "There is no file"),
        ("", "is no backup, or it is damaged"),
        (b"\0" * 1000, "is no backup, or it is damaged"),
        ("hello", "is no backup, or it is damaged"),
        (b"PGDMP" + bytes(range(100)), "is no backup, or it is damaged"),
    ],
    ids=["missing", "a folder", "empty", "NUL bytes", "text", "the beginning of one"],
)
def test_s14_restore_says_what_is_wrong(tmp_path: Path, content: bytes | str, says: str) -> None:
    file = put(tmp_path / "shop.backup", content)
    said = refusal("restore", str(file))
    assert says in said
    assert str(file) in said
