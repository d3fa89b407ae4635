"""JSON whose numbers keep their digits. Apart from workbooks, which are large to load and rarely read."""

from __future__ import annotations

import json
from typing import Any

from jitapp.plant.rows import Unreadable

Path = tuple[str | int, ...]


def utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"The file is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from None


def read_json(data: bytes) -> Any:
    """JSON with its numbers as written: 0.1 is not a float on its way to a Decimal. Raises Unreadable."""
    try:
        return json.loads(utf8(data), parse_float=str, parse_int=str, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise Unreadable(f"Line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except RecursionError:
        raise Unreadable("Lists and members are nested too deeply.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unreadable(f"The member {twice!r} stands twice in one row.")
    return members
