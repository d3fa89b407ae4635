"""From a file's bytes to a shop document: YAML, JSON or XLSX, from people who may mean harm.

Nothing here believes a file: sizes are checked before anything is unpacked, YAML is read as plain data
without anchors, tags or guesses at types, and workbooks are measured by their directory first.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from io import BytesIO
from typing import Any

import openpyxl
import yaml

from jitapp.plant.exactjson import Path, read_json, utf8
from jitapp.plant.rows import MOST_DEPTH, Unreadable, as_text
from jitapp.plant.shopfile import KEYS, LISTS

MOST_BYTES = 10_000_000
MOST_UNPACKED = 60_000_000
MOST_MEMBERS = 300
MOST_ROWS = 20_000  # in a sheet
MOST_COLUMNS = 60

_YAML_LOADER = getattr(yaml, "CLoader", yaml.Loader)


@dataclass(frozen=True)
class ShopDocument:
    """What a file holds, every scalar as text, and where each row stood in it."""

    content: dict[str, Any]
    places: dict[Path, str] = field(default_factory=dict)

    def place(self, path: Path) -> str:
        """Where the person who wrote the file finds this row: `loops row 7`, or plants[0].loops[5]."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
        return steps.lstrip(".") or "the file"


def read_document(data: bytes, name: str) -> ShopDocument:
    """Reads a shop file; `name` decides by its ending. Raises Unreadable with one sentence."""
    if len(data) > MOST_BYTES:
        raise Unreadable(f"The file is larger than {MOST_BYTES // 1_000_000} MB. Load it in parts.")
    ending = name.rpartition(".")[2].lower()
    readers: dict[str, Callable[[bytes], ShopDocument]] = {
        "yaml": _read_yaml,
        "yml": _read_yaml,
        "json": _read_json,
        "xlsx": _read_xlsx,
    }
    if ending not in readers:
        raise Unreadable("A shop file ends in .yaml, .json or .xlsx.")
    return readers[ending](data)


def _document(content: object) -> ShopDocument:
    if not isinstance(content, dict):
        raise Unreadable("A shop file begins with `shop: 1` and a list `plants`.")
    return ShopDocument(as_text(content))


# -- JSON --------------------------------------------------------------------------------------


def _read_json(data: bytes) -> ShopDocument:
    return _document(read_json(data))


# -- YAML --------------------------------------------------------------------------------------


def _read_yaml(data: bytes) -> ShopDocument:
    try:
        return _document(_build(iter(yaml.parse(utf8(data), Loader=_YAML_LOADER))))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"Line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Unreadable(f"{where}{error.problem or 'not YAML'}.") from None
    except yaml.YAMLError:
        raise Unreadable("The file holds characters that YAML does not know.") from None


def _build(events: Iterator[yaml.Event]) -> object:
    """Plain data from YAML's events: text, lists and members; every scalar stays as it was written."""
    result: object = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            if result is not None:
                raise Unreadable("The file holds more than one document.")
            result = _node(next(events), events, 0)
    return result


def _node(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> object:
    line = event.start_mark.line + 1 if event.start_mark else 0
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        raise Unreadable(f"Line {line}: anchors and aliases (& and *) are not read here. Write the rows out.")
    if getattr(event, "tag", None) not in (None, "!"):
        raise Unreadable(f"Line {line}: tags (!) are not read here.")
    if depth > MOST_DEPTH:
        raise Unreadable(f"Line {line}: lists and members are nested too deeply.")
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(_node(event, events, depth + 1))
        return items
    if isinstance(event, yaml.MappingStartEvent):
        return _members(events, depth)
    assert isinstance(event, yaml.ScalarEvent)
    if not event.style and event.value in ("", "~", "null", "Null", "NULL"):
        return None
    return event.value


def _members(events: Iterator[yaml.Event], depth: int) -> dict[str, object]:
    members: dict[str, object] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        line = event.start_mark.line + 1 if event.start_mark else 0
        name = _node(event, events, depth + 1)
        if not isinstance(name, str):
            raise Unreadable(f"Line {line}: a member's name must be text.")
        if name in members:
            raise Unreadable(f"Line {line}: the member {name!r} stands twice in one row.")
        members[name] = _node(next(events), events, depth + 1)
    return members


# -- XLSX --------------------------------------------------------------------------------------


def _read_xlsx(data: bytes) -> ShopDocument:
    _weigh(data)
    try:
        book = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True)
    except Exception:  # openpyxl raises whatever its parts raise on a file it does not understand
        raise Unreadable("The file is not an XLSX workbook that can be read.") from None
    sheets: dict[str, list[tuple[int, dict[str, str]]]] = {}
    try:
        for sheet in book.worksheets:
            name = sheet.title.strip().lower()
            if name in (*LISTS, "plants", "holidays"):
                sheets[name] = list(_rows(sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS), name))
    except Unreadable:
        raise
    except Exception:  # as above, while reading on
        raise Unreadable("The workbook breaks off in the middle. Save it again.") from None
    finally:
        book.close()
    return _assemble(sheets)


def _weigh(data: bytes) -> None:
    """Refuses a workbook that unpacks to more than it should, by its directory, before unpacking a byte."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if end < 0 or end + 22 > len(data):
        raise Unreadable("The file is not an XLSX workbook.")
    members, directory = struct.unpack("<HL", data[end + 10 : end + 16])
    # Looked at before the directory is read: a million entries cost minutes.
    if members > MOST_MEMBERS or directory > MOST_MEMBERS * 400:
        raise Unreadable("The workbook has too many parts to be a shop file.")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_MEMBERS or sum(entry.file_size for entry in entries) > MOST_UNPACKED:
                raise Unreadable("The workbook unpacks to more than a shop file can need.")
            for entry in entries:
                if entry.filename.endswith((".xml", ".rels")):
                    with archive.open(entry) as part:
                        head = part.read(4_096)
                    if b"<!DOCTYPE" in head or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
                        raise Unreadable("The workbook holds a part that no spreadsheet program writes.")
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable("The workbook is damaged. Save it again.") from None


def _rows(rows: Iterator[tuple[Any, ...]], sheet: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The filled rows of a sheet by their headings; blank cells are left out."""
    headings: list[str] = []
    for number, cells in enumerate(rows, start=1):
        if number > MOST_ROWS:
            raise Unreadable(f"Sheet {sheet} has more than {MOST_ROWS} rows. Load it in parts.")
        texts = [_cell(cell, f"sheet {sheet} row {number}") for cell in cells]
        if not any(texts):
            continue
        if not headings:
            headings = [text.strip().lower().replace(" ", "_") for text in texts]
            doubled = {name for name in headings if name and headings.count(name) > 1}
            if doubled:
                raise Unreadable(f"Sheet {sheet}: the heading {min(doubled)!r} stands twice.")
            continue
        if any(text and not heading for text, heading in zip(texts, headings, strict=False)):
            raise Unreadable(f"Sheet {sheet} row {number}: a value stands under no heading.")
        yield number, {heading: text for heading, text in zip(headings, texts, strict=False) if text}


def _cell(cell: object, where: str) -> str:
    """What a person sees in the cell."""
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime():
            return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
        case date():
            return cell.isoformat()
        case time():
            return cell.strftime("%H:%M")
    text = str(cell).strip()
    if text.startswith("#") and text.rstrip("!?").isupper():
        raise Unreadable(f"{where}: the cell shows {text}.")
    return text


def _assemble(sheets: dict[str, list[tuple[int, dict[str, str]]]]) -> ShopDocument:
    """The nested document from flat sheets. Without a sheet `plants` the rows cannot be placed."""
    plants: list[dict[str, Any]] = []
    by_code: dict[str, int] = {}
    places: dict[Path, str] = {}
    for number, cells in sheets.get("plants", []):
        code = cells.get("code", "")
        by_code.setdefault(code, len(plants))
        places["plants", len(plants)] = f"sheet plants row {number}"
        plants.append(dict(cells))
    if not plants:
        raise Unreadable("The workbook needs a sheet `plants` with the headings code, name and time_zone.")
    for kind in LISTS:
        for number, cells in sheets.get(kind, []):
            where = f"sheet {kind} row {number}"
            plant = _plant_of(cells, plants, by_code, where)
            rows: list[dict[str, Any]] = plants[plant].setdefault(kind, [])
            index = _add(kind, rows, cells, where)
            places.setdefault(("plants", plant, kind, index), where)
    for number, cells in sheets.get("holidays", []):
        where = f"sheet holidays row {number}"
        rows = plants[_plant_of(cells, plants, by_code, where)].get("calendars", [])
        calendar = next((row for row in rows if row.get("code") == cells.get("calendar")), None)
        if calendar is None:
            raise Unreadable(
                f"{where}: there is no calendar {cells.get('calendar', '')!r} in the sheet calendars."
            )
        calendar.setdefault("holidays", []).append(cells.get("day", ""))
    return ShopDocument(as_text({"shop": "1", "plants": plants}), places)


def _plant_of(
    cells: dict[str, str], plants: list[dict[str, Any]], by_code: dict[str, int], where: str
) -> int:
    code = cells.pop("plant", "")
    if not code and len(plants) == 1:
        return 0
    if code not in by_code:
        raise Unreadable(f"{where}: there is no plant {code!r} in the sheet plants.")
    return by_code[code]


# Cells that hold pairs: the member, its sheet, and how a cell is written.
_PAIRS = (
    ("sequence", "loops", "IN_TRANSIT=PROHIBITED"),
    ("standard_work", "parts", "PRESS=https://work.example/1"),
    ("escalation", "areas", "0=team_leader, 5=area_leader, 15=ines"),
)


def _add(kind: str, rows: list[dict[str, Any]], cells: dict[str, Any], where: str) -> int:
    """Adds a sheet's row to its list and says where; calendars and bills gather several rows."""
    if kind == "bills":
        names = {"component": "part", "quantity": "quantity"}
        line = {names[name]: value for name, value in cells.items() if name in names}
        head = {name: value for name, value in cells.items() if name not in names}
        return _gather(rows, head, "components", line, KEYS["bills"])
    if kind == "calendars":
        shift: dict[str, Any] = {name: cells[name] for name in ("start", "end") if name in cells}
        if "days" in cells:
            shift["days"] = _words(cells["days"].lower())
        if "breaks" in cells:
            shift["breaks"] = [
                [text.strip() for text in pause.split("-")] for pause in _words(cells["breaks"])
            ]
        head = {
            name: value for name, value in cells.items() if name not in ("days", "start", "end", "breaks")
        }
        return _gather(rows, head, "shifts", shift, "code")
    row = dict(cells)
    for name in ("roles", "readiness_checks", "delivery_days", "accumulate_times"):
        if name in row:
            row[name] = _words(row[name])
    if "first" in row and "," in row["first"]:
        row["first"] = _words(row["first"])
    for name, of_kind, example in _PAIRS:
        if name in row and kind == of_kind:
            pairs = [pair.partition("=") for pair in _words(row[name])]
            if not all(equals for _, equals, _ in pairs):
                raise Unreadable(f"{where}: write the {name.replace('_', ' ')} like {example}.")
            row[name] = {key.strip(): value.strip() for key, _, value in pairs}
            if name == "escalation":
                row[name] = [{"after": after, "who": who} for after, who in row[name].items()]
    rows.append(row)
    return len(rows) - 1


def _gather(
    rows: list[dict[str, Any]], head: dict[str, Any], name: str, item: dict[str, Any], key: str
) -> int:
    index = next((place for place, row in enumerate(rows) if row.get(key) == head.get(key)), len(rows))
    if index == len(rows):
        rows.append({name: []})
    rows[index] |= head
    if item:
        rows[index][name].append(item)
    return index


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
