"""The cells of an XLSX workbook as they are stored: every filled cell, wherever it stands, with its number format.

Read from the XML itself. Libraries for spreadsheets believe what a sheet says of its own size, leave formulas without a
stored value empty, and turn numbers into dates before anybody can ask how they were shown.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from posixpath import join, normpath
from typing import IO
from xml.parsers import expat

from jitapp.plant.rows import Unreadable

MOST_UNPACKED = 60_000_000
MOST_MEMBERS = 300
GENERAL = "General"
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
_CHUNK = 65_536
# The formats that have a number instead of a code (ECMA-376, 18.8.30); dates of other languages are dates.
_BUILT_IN = {
    0: GENERAL, 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?",
    13: "# ??/??", 14: "mm-dd-yy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM",
    20: "h:mm", 21: "h:mm:ss", 22: "m/d/yy h:mm", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
}  # fmt: skip
# What the parts of a file raise that was cut off, or made by hand.
_DAMAGED = (
    *(KeyError, ValueError, IndexError, OSError, EOFError, RuntimeError),
    *(expat.ExpatError, zlib.error, struct.error, zipfile.BadZipFile),
)
_ADDRESS = re.compile(r"([A-Z]{1,3})([0-9]{1,7})\Z")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True, slots=True)
class Cell:
    """A filled cell. `kind`: text, number, bool, error, date (as ISO text) or formula (one without a stored value);
    `text`: what is stored."""

    row: int
    column: int
    kind: str
    text: str
    format: str = GENERAL

    @property
    def address(self) -> str:
        """As a spreadsheet names it: B7."""
        return f"{letters(self.column)}{self.row}"


@dataclass(slots=True)
class Sheet:
    """The filled cells of a sheet, row by row; `merged` are ranges of cells shown as one."""

    name: str
    rows: list[list[Cell]] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    since_1904: bool = False  # from which year its dates are counted


def letters(column: int) -> str:
    """The name of a column: 1 is A, 62 is BJ."""
    name = ""
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def read_sheets(data: bytes, wanted: Callable[[str], bool]) -> list[Sheet]:
    """The sheets of a workbook in their order; of those that `wanted` does not name only whether a cell is filled is
    read. Raises Unreadable."""
    _weigh(data)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return list(_Book(archive).sheets(wanted))
    except Unreadable:
        raise
    except _DAMAGED:
        raise Unreadable(
            "The workbook cannot be read to its end. Save it again in a spreadsheet program."
        ) from None


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
    except _DAMAGED:
        raise Unreadable("The workbook is damaged. Save it again.") from None
    if len(entries) > MOST_MEMBERS or sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise Unreadable("The workbook unpacks to more than a shop file can need.")


class _Book:
    """The parts of a workbook that its sheets refer to."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        root = self._related("", "officeDocument")
        self._path = next(iter(root.values()), "xl/workbook.xml")
        self._texts = [
            text
            for path in self._related(self._path, "sharedStrings").values()
            for text in self._shared(path)
        ]
        self._formats = [
            code for path in self._related(self._path, "styles").values() for code in self._styles(path)
        ]

    def sheets(self, wanted: Callable[[str], bool]) -> Iterator[Sheet]:
        paths = self._related(self._path, "worksheet")
        named: list[tuple[str, str]] = []
        counted_from: list[bool] = []

        def start(name: str, attributes: Mapping[str, str]) -> None:
            if name == "sheet":
                key = next((value for key, value in attributes.items() if _local(key) == "id"), "")
                named.append((attributes["name"], key))
            elif name == "workbookPr":
                counted_from.append(attributes.get("date1904") in ("1", "true"))

        self._parse(self._path, start)
        for name, key in named:
            if key in paths:
                yield self._sheet(name, paths[key], any(counted_from), whole=wanted(name))

    def _sheet(self, name: str, path: str, since_1904: bool, *, whole: bool) -> Sheet:
        reader = _SheetReader(self._texts, self._formats)
        self._parse(
            path, reader.start, reader.end, reader.text, until=lambda: not whole and bool(reader.rows)
        )
        return Sheet(name, reader.rows, reader.merged, since_1904)

    def _related(self, path: str, kind: str) -> dict[str, str]:
        """The parts of a kind that a part refers to, by the key that it uses for them."""
        folder, _, name = path.rpartition("/")
        relations = join(folder, "_rels", f"{name}.rels")
        found: dict[str, str] = {}

        def start(tag: str, attributes: Mapping[str, str]) -> None:
            if tag == "Relationship" and attributes.get("Type", "").endswith(f"/{kind}"):
                target = attributes["Target"]
                found[attributes["Id"]] = (
                    target[1:] if target.startswith("/") else normpath(join(folder, target))
                )

        if relations in self._archive.namelist():
            self._parse(relations, start)
        return found

    def _shared(self, path: str) -> list[str]:
        reader = _SheetReader([], [])
        self._parse(path, reader.start, reader.end, reader.text)
        return reader.shared

    def _styles(self, path: str) -> list[str]:
        codes = dict(_BUILT_IN)
        found: list[str] = []
        inside: list[str] = []

        def start(name: str, attributes: Mapping[str, str]) -> None:
            inside.append(name)
            if name == "numFmt" and "numFmts" in inside:
                codes[int(attributes["numFmtId"])] = attributes["formatCode"]
            elif name == "xf" and "cellXfs" in inside:
                # A number that is not known stands for a date in some language.
                found.append(codes.get(int(attributes.get("numFmtId", 0)), "yyyy-mm-dd"))

        def end(_name: str) -> None:
            inside.pop()

        self._parse(path, start, end)
        return found

    def _parse(
        self,
        path: str,
        start: Callable[[str, Mapping[str, str]], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
        *,
        until: Callable[[], bool] = lambda: False,
    ) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = lambda name, attributes: start(_local(name), attributes)
        if end is not None:
            ends = end
            parser.EndElementHandler = lambda name: ends(_local(name))
        if text is not None:
            parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = _no_doctype
        with self._archive.open(path) as part:
            _feed(parser, part, until)


def _feed(parser: expat.XMLParserType, part: IO[bytes], until: Callable[[], bool]) -> None:
    while chunk := part.read(_CHUNK):
        parser.Parse(chunk, False)
        if until():
            return
    parser.Parse(b"", True)


def _no_doctype(*_declared: object) -> None:
    raise Unreadable("The workbook holds a part that no spreadsheet program writes.")


def _local(name: str) -> str:
    return name[name.rfind(":") + 1 :]


class _SheetReader:
    """Collects cells, or the texts that cells share, from the elements of a part as they come."""

    _KINDS: Mapping[str, str] = {"n": "number", "b": "bool", "e": "error", "d": "date"}

    def __init__(self, texts: list[str], formats: list[str]) -> None:
        self.rows: list[list[Cell]] = []
        self.merged: list[str] = []
        self.shared: list[str] = []
        self._texts, self._formats = texts, formats
        self._row = self._column = 0
        self._cells: list[Cell] = []
        self._type = self._style = ""
        self._formula = False
        self._value: list[str] | None = None  # None: the cell has none
        self._inline: list[str] = []
        self._into: list[str] | None = None
        self._phonetic = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        match name:
            case "row":
                self._row = int(attributes["r"]) if "r" in attributes else self._row + 1
                self._column, self._cells = 0, []
            case "c":
                self._locate(attributes.get("r"))
                self._type, self._style = attributes.get("t", "n"), attributes.get("s", "")
                self._formula, self._value, self._inline = False, None, []
            case "v":
                self._into = self._value = []
            case "t" if not self._phonetic:
                self._into = self._inline
            case "f":
                self._formula = True
            case "rPh":
                self._phonetic += 1
            case "mergeCell":
                self.merged.append(attributes["ref"])

    def end(self, name: str) -> None:
        match name:
            case "v" | "t":
                self._into = None
            case "rPh":
                self._phonetic -= 1
            case "c":
                if (cell := self._cell()) is not None:
                    self._cells.append(cell)
            case "row" if self._cells:
                self.rows.append(self._cells)
            case "si":
                self.shared.append(_unescaped("".join(self._inline)))
                self._inline = []

    def text(self, data: str) -> None:
        if self._into is not None:
            self._into.append(data)

    def _locate(self, address: str | None) -> None:
        if address is None:
            self._column += 1
        else:
            found = _ADDRESS.match(address)
            if found is None:
                raise ValueError(address)
            self._row = int(found[2])
            self._column = 0
            for letter in found[1]:
                self._column = self._column * 26 + ord(letter) - 64
        if not 0 < self._row <= _LAST_ROW or not 0 < self._column <= _LAST_COLUMN:
            raise ValueError(address)

    def _cell(self) -> Cell | None:
        """The cell that ends here; None for one without content."""
        value = "".join(self._value) if self._value is not None else None
        if self._formula and not value and self._type != "str":
            return Cell(self._row, self._column, "formula", "")
        if self._type == "inlineStr":
            kind, text = "text", _unescaped("".join(self._inline))
        elif not value:
            return None
        elif self._type == "s":
            kind, text = "text", self._texts[int(value)]
        elif self._type == "str":
            kind, text = "text", _unescaped(value)
        else:
            kind, text = self._KINDS[self._type], value
        if not text.strip():
            return None
        code = self._formats[int(self._style)] if self._style and self._formats else GENERAL
        return Cell(self._row, self._column, kind, text, code)


def _unescaped(text: str) -> str:
    """Characters that XML cannot hold are written as _x000D_."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
