"""From a file's bytes to a shop document: YAML, JSON or XLSX, from people who may mean harm.

Nothing here believes a file: sizes are checked before anything is unpacked, YAML is read as plain data
without anchors, tags or guesses at types, and workbooks are measured by their directory first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from jitapp.plant.exactjson import Path, read_json, utf8
from jitapp.plant.rows import MOST_DEPTH, Unreadable, as_text
from jitapp.plant.sheets import assemble, lines_of, wanted
from jitapp.plant.workbook import read_sheets

MOST_BYTES = 10_000_000

_YAML_LOADER = getattr(yaml, "CLoader", yaml.Loader)


@dataclass(frozen=True)
class ShopDocument:
    """What a file holds, every scalar as text, and where each row and member stood in it. `notes` are sentences about
    what is in the file and is not read."""

    content: dict[str, Any]
    places: dict[Path, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def place(self, path: Path, member: Path = ()) -> str:
        """Where the person who wrote the file finds a row, or a member of it: `sheet loops cell F7`, `line 12`; in JSON
        the row, plants[0].loops[5]."""
        whole = (*path, *member)
        for length in range(len(whole), 0, -1):
            if whole[:length] in self.places:
                return self.places[whole[:length]]
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


def _document(content: object, places: dict[Path, str] | None = None) -> ShopDocument:
    if not isinstance(content, dict):
        raise Unreadable("A shop file begins with `shop: 1` and a list `plants`.")
    return ShopDocument(as_text(content), places or {})


# -- JSON --------------------------------------------------------------------------------------


def _read_json(data: bytes) -> ShopDocument:
    return _document(read_json(data))


# -- YAML --------------------------------------------------------------------------------------


def _read_yaml(data: bytes) -> ShopDocument:
    try:
        reader = _Yaml(iter(yaml.parse(utf8(data), Loader=_YAML_LOADER)))
        return _document(reader.document(), reader.places)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"Line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Unreadable(f"{where}{error.problem or 'not YAML'}.") from None
    except yaml.YAMLError:
        raise Unreadable("The file holds characters that YAML does not know.") from None


class _Yaml:
    """Plain data from YAML's events: text, lists and members; every scalar stays as it was written. `places` are the
    lines on which the rows of lists begin."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self.places: dict[Path, str] = {}
        self._events = events

    def document(self) -> object:
        """The only document of the file. Raises Unreadable."""
        result: object = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if result is not None:
                    raise Unreadable("The file holds more than one document.")
                result = self._node(next(self._events), ())
        return result

    def _node(self, event: yaml.Event, path: Path) -> object:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Unreadable(
                f"Line {line}: anchors and aliases (& and *) are not read here. Write the rows out."
            )
        if getattr(event, "tag", None) not in (None, "!"):
            raise Unreadable(f"Line {line}: tags (!) are not read here.")
        if len(path) > MOST_DEPTH:
            raise Unreadable(f"Line {line}: lists and members are nested too deeply.")
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[object] = []
            while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(event, (*path, len(items))))
            return items
        if isinstance(event, yaml.MappingStartEvent):
            if path and isinstance(path[-1], int):
                self.places[path] = f"line {line}"
            return self._members(path)
        assert isinstance(event, yaml.ScalarEvent)
        if not event.style and event.value in ("", "~", "null", "Null", "NULL"):
            return None
        return event.value

    def _members(self, path: Path) -> dict[str, object]:
        members: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            name = self._node(event, (*path, ""))
            if not isinstance(name, str):
                raise Unreadable(f"Line {_line(event)}: a member's name must be text.")
            if name in members:
                raise Unreadable(f"Line {_line(event)}: the member {name!r} stands twice in one row.")
            members[name] = self._node(next(self._events), (*path, name))
        return members


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


# -- XLSX --------------------------------------------------------------------------------------


def _read_xlsx(data: bytes) -> ShopDocument:
    lines = lines_of(read_sheets(data, wanted))
    content, places = assemble(lines.of)
    return ShopDocument(as_text(content), places, tuple(lines.notes))
