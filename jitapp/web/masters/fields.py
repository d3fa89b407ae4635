"""Form fields made from the type of a row: what a member may be decides how it is asked for, read and shown.

A field reads what a browser sent into the raw value of a shop file's row, so that the rules of shop files judge it;
what cannot be read is kept as it was typed.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from django.http import QueryDict

from jitapp.kanban.quantity import in_ascii
from jitapp.plant.masters.master import Master

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_LINES = 1_000
_COMMA = re.compile(r"\d+,(\d{1,6})")
_SPAN = re.compile(r"\s*([^\s,;]+?)\s*[-–]\s*([^\s,;]+)\s*")
Raw = dict[str, object]


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a row. `widget` is one of text, number, decimal, select, ref, tick, days, lines, spans, table, needs;
    `columns` are those of a table; `least` and `most` bound a number or the length of a text."""

    name: str
    widget: str
    required: bool = False
    clearable: bool = False
    enum: type[StrEnum] | None = None
    ref: Master[Any, Any] | None = None
    columns: tuple[Field, ...] = ()
    least: int | None = None
    most: int | None = None
    keyed: bool = False  # a table that is an object: its columns are key and value


@lru_cache(maxsize=64)
def fields_of(master: Master[Any, Any]) -> tuple[Field, ...]:
    """The fields of a kind, in the order of its row."""
    return tuple(
        _field(member.encode_name, member.type, member.required, master.refers)
        for member in msgspec.structs.fields(master.row)
    )


def _field(name: str, type_: Any, required: bool, refers: Mapping[str, Master[Any, Any]]) -> Field:
    alternatives = get_args(type_) if get_origin(type_) in (Union, types.UnionType) else (type_,)
    kinds = [each for each in alternatives if each not in (msgspec.UnsetType, types.NoneType)]
    shape = kinds[0]
    meta = next((each for each in get_args(shape)[1:] if isinstance(each, msgspec.Meta)), None)
    shape = get_args(shape)[0] if get_origin(shape) is Annotated else shape
    found = Field(name, "text", required, types.NoneType in alternatives)
    if name in refers:
        return replace(found, widget="ref", ref=refers[name])
    if meta is not None:
        found = replace(
            found,
            least=meta.ge if isinstance(meta.ge, int) else meta.min_length,
            most=meta.le if isinstance(meta.le, int) else meta.max_length,
        )
    return _shaped(found, shape)


def _shaped(found: Field, shape: Any) -> Field:
    if shape is bool:
        return replace(found, widget="tick")
    if shape in (int, Decimal):
        return replace(found, widget="number" if shape is int else "decimal")
    if isinstance(shape, type) and issubclass(shape, StrEnum):
        return replace(found, widget="select", enum=shape)
    if get_origin(shape) is dict:
        return _keyed(found, *get_args(shape))
    if get_origin(shape) is list:
        return _listed(found, get_args(shape)[0])
    return found


def _keyed(found: Field, key: Any, value: Any) -> Field:
    if isinstance(key, type) and issubclass(key, StrEnum):
        return replace(found, widget="needs", enum=value)
    columns = (Field("key", "text", True), Field("value", "text", True))
    return replace(found, widget="table", columns=columns, keyed=True)


def _listed(found: Field, item: Any) -> Field:
    if get_origin(item) is Literal:
        return replace(found, widget="days")
    if get_origin(item) is list:
        return replace(found, widget="spans")
    if isinstance(item, type) and issubclass(item, msgspec.Struct):
        columns = tuple(
            _field(each.encode_name, each.type, each.required, {}) for each in msgspec.structs.fields(item)
        )
        return replace(found, widget="table", columns=columns)
    return replace(found, widget="lines")


# -- what a browser sent ----------------------------------------------------------------------------
def read(fields: Sequence[Field], sent: QueryDict, *, new: bool, prefix: str = "") -> Raw:
    """The raw row of what was sent; a member that was not asked for is left out and keeps its value."""
    found: Raw = {}
    for field in fields:
        name = prefix + field.name
        if field.widget in ("tick", "days", "needs", "table"):
            if f"{name}-there" in sent:
                found[field.name] = _read_group(field, sent, name)
        elif name in sent:
            text = str(sent[name]).replace("\0", "")
            value = _read_text(field, text)
            if value is None and not field.clearable:
                if new and not field.required:
                    continue
                value = ""
            found[field.name] = value
    return found


def _read_text(field: Field, text: str) -> object:
    if field.widget == "lines":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if field.widget == "spans":
        return [_span(part) for part in text.split(",") if part.strip()]
    text = text.strip()
    if field.widget in ("number", "decimal"):
        text = in_ascii(text)
        comma = _COMMA.fullmatch(text)
        # 2,5 can only mean one thing; 1,000 may mean two, and is refused as it stands.
        if field.widget == "decimal" and comma and len(comma[1]) != 3:
            text = text.replace(",", ".")
    return text or None


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _span(part: str) -> list[str]:
    found = _SPAN.fullmatch(part)
    return [found[1], found[2]] if found else [part.strip()]


def _read_group(field: Field, sent: QueryDict, name: str) -> object:
    if field.widget == "tick":
        return name in sent
    if field.widget == "days":
        return [day for day in DAYS if day in sent.getlist(name)]
    if field.widget == "needs":
        prefix = f"{name}-"
        return {
            key.removeprefix(prefix): value
            for key, value in sent.items()
            if key.startswith(prefix) and key != f"{name}-there" and value
        }
    lines = []
    for at in range(min(_count(str(sent[f"{name}-there"])), MOST_LINES)):
        line = read(field.columns, sent, new=True, prefix=f"{name}-{at}-")
        if any(line.values()):
            lines.append(line)
    return lines


def as_row(fields: Sequence[Field], raw: Raw) -> tuple[Raw, dict[str, str]]:
    """The raw row with its keyed tables as objects, and per member a key that stands there twice: nothing that was
    typed is dropped without a word."""
    found, twice = dict(raw), dict[str, str]()
    for field in fields:
        lines = raw.get(field.name)
        if not field.keyed or not isinstance(lines, list):
            continue
        keys = [str(line.get("key", "")) for line in lines]
        repeated = next((key for at, key in enumerate(keys) if key in keys[:at]), None)
        if repeated is not None:
            twice[field.name] = repeated
        found[field.name] = {key: line.get("value", "") for key, line in zip(keys, lines, strict=True)}
    return found, twice


# -- what stands in a field -------------------------------------------------------------------------
def text_of(field: Field, value: object) -> str:
    """A value as it stands in its field."""
    if value is None or value is msgspec.UNSET:
        return ""
    if field.widget == "lines" and isinstance(value, list):
        return "\n".join(str(line) for line in value)
    if field.widget == "spans" and isinstance(value, list):
        return ", ".join("-".join(str(end) for end in span) for span in value)
    return str(value)


def lines_of(field: Field, value: object) -> list[Raw]:
    """The lines of a table."""
    if field.keyed and isinstance(value, Mapping):
        return [{"key": key, "value": each} for key, each in value.items()]
    return [dict(line) for line in value if isinstance(line, Mapping)] if isinstance(value, list) else []
