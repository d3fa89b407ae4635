"""From the sheets of a workbook to a shop document: a sheet per list, a row per entry, and where each member stood.

Nothing that is filled in goes unread in silence: sheets and cells without a place in a shop file are refused or named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import Any

import msgspec

from jitapp.plant.cells import Takes, read_cell
from jitapp.plant.exactjson import Path
from jitapp.plant.expected import scalar_of
from jitapp.plant.masters.plants import PlantRow
from jitapp.plant.rows import Unreadable
from jitapp.plant.shopfile import KEYS, LISTS
from jitapp.plant.workbook import Cell, Sheet

MOST_ROWS = 20_000  # filled ones, in a sheet
MOST_TOLD = 20
SHEETS = ("plants", *LISTS, "holidays")

# Members that a sheet has and a row has not, or has in another form.
_OWN: Mapping[tuple[str, str], Takes] = {
    ("calendars", "start"): Takes.TIME,
    ("calendars", "end"): Takes.TIME,
    ("holidays", "day"): Takes.DATE,
    ("bills", "quantity"): Takes.NUMBER,
    ("loops", "accumulate_times"): Takes.TIMES,
    ("routes", "departures"): Takes.TIMES,
    ("routes", "minutes"): Takes.NUMBER,
}


@dataclass(slots=True)
class Line:
    """A filled row of a sheet: the texts of its cells by their headings, and the cells' addresses."""

    sheet: str
    number: int
    texts: dict[str, Any]
    addresses: dict[str, str]

    @property
    def where(self) -> str:
        """As a person finds it."""
        return f"sheet {self.sheet} row {self.number}"


@dataclass(slots=True)
class Lines:
    """Everything that a workbook says: the lines of each list, and sentences about what is not read."""

    of: dict[str, list[Line]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def wanted(title: str) -> bool:
    """Whether a sheet of this title is one of a shop file's."""
    return _plain(title) in SHEETS


def lines_of(sheets: Iterable[Sheet]) -> Lines:
    """The filled rows under their headings. Raises Unreadable, which names the cells."""
    found = Lines()
    wrong: list[str] = []
    for sheet in sheets:
        name = _plain(sheet.name)
        if name not in SHEETS:
            if sheet.rows:
                found.notes.append(_not_read(sheet.name))
            continue
        if name in found.of:
            raise Unreadable(f"There are two sheets {name}. Put their rows together.")
        found.of[name] = list(_lines(sheet, name, wrong))
    if wrong:
        more = f" And {len(wrong) - MOST_TOLD} more." if len(wrong) > MOST_TOLD else ""
        raise Unreadable(" ".join(wrong[:MOST_TOLD]) + more)
    return found


def _plain(title: str) -> str:
    return title.strip().lower()


def _not_read(title: str) -> str:
    """The sentence about a sheet that is no list. Raises Unreadable if it was meant to be one."""
    meant = get_close_matches(_plain(title), SHEETS, n=1, cutoff=0.75)
    if meant:
        raise Unreadable(
            f"Sheet {title!r} is not read. If it was meant as {meant[0]}, rename it; else delete it."
        )
    return f"Sheet {title!r} is not read: the sheets of a shop file are {', '.join(SHEETS)}."


def _lines(sheet: Sheet, name: str, wrong: list[str]) -> Iterator[Line]:
    """The rows of a sheet by its headings; notes in `wrong` what is wrong with a cell, and reads on."""
    if not sheet.rows:
        return
    if len(sheet.rows) > MOST_ROWS + 1:
        raise Unreadable(f"Sheet {name} has more than {MOST_ROWS} rows. Load it in parts.")
    headings = _headings(sheet.rows[0], name)
    _check_merged(sheet, name, headings)
    for cells in sheet.rows[1:]:
        line = Line(name, cells[0].row, {}, {})
        for cell in cells:
            place = f"Sheet {name} cell {cell.address}"
            heading = headings.get(cell.column)
            if heading is None:
                wrong.append(f"{place}: a value stands under no heading.")
                continue
            try:
                text = read_cell(cell, _takes(name, heading), since_1904=sheet.since_1904)
            except Unreadable as error:
                wrong.append(f"{place} ({heading}): {error}.")
                continue
            line.texts[heading], line.addresses[heading] = text, cell.address
        if line.texts:
            yield line


def _headings(cells: list[Cell], sheet: str) -> dict[int, str]:
    """Column -> the member that it holds."""
    headings: dict[int, str] = {}
    for cell in cells:
        try:
            heading = read_cell(cell, Takes.TEXT).lower().replace(" ", "_")
        except Unreadable as error:
            raise Unreadable(f"Sheet {sheet} cell {cell.address}: {error}.") from None
        if heading in headings.values():
            raise Unreadable(f"Sheet {sheet}: the heading {heading!r} stands twice, again in {cell.address}.")
        headings[cell.column] = heading
    return headings


def _check_merged(sheet: Sheet, name: str, headings: Mapping[int, str]) -> None:
    """A merged cell looks filled in all its rows and is filled in one."""
    filled = {cell.address: cell.column for cells in sheet.rows for cell in cells} if sheet.merged else {}
    for merged in sheet.merged:
        first = merged.partition(":")[0]
        if filled.get(first) in headings:
            raise Unreadable(
                f"Sheet {name}: the cells {merged} are merged, so that only {first} holds their value."
                " Take them apart and fill in each."
            )


@cache
def _takes(sheet: str, heading: str) -> Takes:
    """What a member takes: by its row, or by what a sheet makes of it."""
    if (sheet, heading) in _OWN:
        return _OWN[sheet, heading]
    row = PlantRow if sheet == "plants" else LISTS.get(sheet)
    kinds = {member.encode_name: member.type for member in msgspec.structs.fields(row)} if row else {}
    match scalar_of(kinds[heading]) if heading in kinds else None:
        case msgspec.inspect.IntType() | msgspec.inspect.DecimalType():
            return Takes.NUMBER
        case msgspec.inspect.BoolType():
            return Takes.BOOL
    return Takes.TEXT


# -- lines into the document ----------------------------------------------------------------------------


def assemble(lines: Mapping[str, list[Line]]) -> tuple[dict[str, Any], dict[Path, str]]:
    """The nested content from flat sheets, and where its rows and members stood. Raises Unreadable; without a sheet
    `plants` the rows cannot be placed."""
    made = _Assembly(lines.get("plants", []))
    for kind in LISTS:
        for line in lines.get(kind, []):
            made.add(kind, line)
    for line in lines.get("holidays", []):
        made.add_holiday(line)
    return {"shop": "1", "plants": made.plants}, made.places


class _Assembly:
    """A shop document in the making."""

    def __init__(self, plants: list[Line]) -> None:
        self.plants: list[dict[str, Any]] = []
        self.places: dict[Path, str] = {}
        self._by_code: dict[str, int] = {}
        for line in plants:
            self._by_code.setdefault(line.texts.get("code", ""), len(self.plants))
            self._note(("plants", len(self.plants)), line, {name: (name,) for name in line.texts})
            self.plants.append(dict(line.texts))
        if not self.plants:
            raise Unreadable(
                "The workbook needs a sheet `plants` with the headings code, name and time_zone."
            )

    def add(self, kind: str, line: Line) -> None:
        """A line of one of the lists."""
        plant = self._plant_of(line)
        rows: list[dict[str, Any]] = self.plants[plant].setdefault(kind, [])
        index, members = _add(kind, rows, line)
        self._note(("plants", plant, kind, index), line, members)

    def add_holiday(self, line: Line) -> None:
        """A day of a calendar that stands in the sheet calendars."""
        plant = self._plant_of(line)
        named = line.texts.get("calendar")
        rows = self.plants[plant].get("calendars", [])
        index = next((at for at, row in enumerate(rows) if row.get("code") == named), None)
        if index is None:
            raise Unreadable(f"{line.where}: there is no calendar {named or ''!r} in the sheet calendars.")
        for name in line.texts:
            if name not in ("calendar", "day"):
                raise Unreadable(
                    f"{line.where}: there is no member called {name}. There are calendar, day, plant."
                )
        days: list[str] = rows[index].setdefault("holidays", [])
        self._note(("plants", plant, "calendars", index, "holidays", len(days)), line, {})
        days.append(line.texts.get("day", ""))

    def _note(self, path: Path, line: Line, members: Mapping[str, Path]) -> None:
        """Where a row stood, and each of its members; a row that several lines make up is where the first is."""
        self.places.setdefault(path, line.where)
        for heading, member in members.items():
            address = line.addresses.get(heading)
            if address is not None:
                if len(member) > 1:
                    self.places.setdefault((*path, *member[:-1]), line.where)
                self.places.setdefault((*path, *member), f"sheet {line.sheet} cell {address}")

    def _plant_of(self, line: Line) -> int:
        code = line.texts.pop("plant", "")
        if not code and len(self.plants) == 1:
            return 0
        if code not in self._by_code:
            raise Unreadable(f"{line.where}: there is no plant {code!r} in the sheet plants.")
        return self._by_code[code]


# Cells that hold pairs: the member, its sheet, and how a cell is written.
_PAIRS = (
    ("sequence", "loops", "IN_TRANSIT=PROHIBITED"),
    ("standard_work", "parts", "PRESS=https://work.example/1"),
    ("escalation", "areas", "0=team_leader, 5=area_leader, 15=ines"),
)
_WORDS = ("roles", "readiness_checks", "delivery_days", "accumulate_times", "departures", "loops")
_SHIFT = ("days", "start", "end", "breaks")
_COMPONENT = {"component": "part", "quantity": "quantity"}
_STOP = {"station": "station", "minutes": "minutes"}


def _add(kind: str, rows: list[dict[str, Any]], line: Line) -> tuple[int, dict[str, Path]]:
    """Adds a sheet's line to its list; returns which row it is, and which member of it each heading is. Calendars,
    bills and routes gather several lines."""
    cells = line.texts
    if kind == "bills":
        part = {_COMPONENT[name]: value for name, value in cells.items() if name in _COMPONENT}
        return _gather(rows, cells, "components", part, KEYS["bills"], _COMPONENT)
    if kind == "calendars":
        shift: dict[str, Any] = {name: cells[name] for name in ("start", "end") if name in cells}
        if "days" in cells:
            shift["days"] = _words(cells["days"].lower())
        if "breaks" in cells:
            shift["breaks"] = [
                [text.strip() for text in pause.split("-")] for pause in _words(cells["breaks"])
            ]
        return _gather(rows, cells, "shifts", shift, "code", {name: name for name in _SHIFT})
    row = dict(cells)
    for name in _WORDS:
        if name in row:
            row[name] = _words(row[name])
    if kind == "routes":
        stop = {_STOP[name]: value for name, value in cells.items() if name in _STOP}
        return _gather(rows, row, "stops", stop, "code", _STOP)
    if "first" in row and "," in row["first"]:
        row["first"] = _words(row["first"])
    for name, of_kind, example in _PAIRS:
        if name in row and kind == of_kind:
            row[name] = _pairs(line, name, example)
    rows.append(row)
    return len(rows) - 1, {name: (name,) for name in cells}


def _pairs(line: Line, name: str, example: str) -> object:
    pairs = [pair.partition("=") for pair in _words(line.texts[name])]
    keys = [key.strip() for key, _, _ in pairs]
    if not all(equals for _, equals, _ in pairs) or len(set(keys)) < len(keys):
        raise Unreadable(
            f"Sheet {line.sheet} cell {line.addresses[name]}: {line.texts[name]!r} stands there."
            f" Write the {name.replace('_', ' ')} like {example}, each once."
        )
    values = [value.strip() for _, _, value in pairs]
    if name == "escalation":
        return [{"after": after, "who": who} for after, who in zip(keys, values, strict=True)]
    return dict(zip(keys, values, strict=True))


def _gather(
    rows: list[dict[str, Any]],
    cells: Mapping[str, Any],
    name: str,
    item: dict[str, Any],
    key: str,
    of_item: Mapping[str, str],
) -> tuple[int, dict[str, Path]]:
    """Adds an item to the row of the same key, which is made with its first line."""
    head = {member: value for member, value in cells.items() if member not in of_item}
    index = next((place for place, row in enumerate(rows) if row.get(key) == head.get(key)), len(rows))
    if index == len(rows):
        rows.append({name: []})
    for member, value in head.items():
        if rows[index].setdefault(member, value) != value:
            raise Unreadable(
                f"The rows of {head.get(key, '')!r} say {member} {rows[index][member]!r} and {value!r}. Say it once."
            )
    members: dict[str, Path] = {member: (member,) for member in head}
    if item:
        members |= {heading: (name, len(rows[index][name]), member) for heading, member in of_item.items()}
        rows[index][name].append(item)
    return index, members


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
