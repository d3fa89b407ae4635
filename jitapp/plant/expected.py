"""What is wrong with a row that cannot be read: each member by its name, with what stands there and what was expected.

Asked only of rows that msgspec has refused: its own sentence names neither the value nor the words that are allowed,
and it ends at the first member.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import Struct, UnsetType

_MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class WrongMember:
    """Why a member cannot be read; `path` leads to it within the row, and is empty for the row as a whole."""

    path: tuple[str | int, ...]
    message: str


def wrong_members(kind: type[Struct], raw: object, *, strict: bool = False) -> list[WrongMember]:
    """Every member of a row that cannot be read, in the order in which the row's kind names them; unknown members
    come last. Empty for a row that can be read."""
    return [WrongMember(path, text) for path, text in _row(kind, raw, (), strict)]


_Path = tuple[str | int, ...]


def _row(kind: type[Struct], raw: object, path: _Path, strict: bool) -> Iterator[tuple[_Path, str]]:
    if not isinstance(raw, Mapping):
        yield path, _said(path, raw, "members and values")
        return
    fields = msgspec.structs.fields(kind)
    for field in fields:
        place = (*path, field.encode_name)
        if field.encode_name in raw:
            yield from _value(raw[field.encode_name], field.type, place, strict)
        elif field.required:
            yield place, f"A member is missing: {_written(place)}."
    known = [field.encode_name for field in fields]
    for name in raw:
        if name not in known:
            yield (*path, name), _unknown(str(name), known)


def _unknown(name: str, known: list[str]) -> str:
    meant = get_close_matches(name, known, n=1, cutoff=0.75)
    hint = f"Did you mean {meant[0]}?" if meant else f"There are {', '.join(known)}."
    return f"There is no member called {name}. {hint}"


def _value(raw: object, wanted: Any, path: _Path, strict: bool) -> Iterator[tuple[_Path, str]]:
    try:
        msgspec.convert(raw, wanted, strict=strict)
    except msgspec.ValidationError:
        pass
    else:
        return
    shape = _shape_for(raw, wanted)
    bare = get_args(shape)[0] if get_origin(shape) is Annotated else shape
    found: list[tuple[_Path, str]] = []
    if get_origin(bare) is list and isinstance(raw, list):
        of = get_args(bare)[0]
        found = [each for at, item in enumerate(raw) for each in _value(item, of, (*path, at), strict)]
    elif isinstance(raw, Mapping) and get_origin(bare) is dict:
        key_type, of = get_args(bare)
        for key, item in raw.items():
            found += [(path, text) for _, text in _value(key, key_type, path, strict)]
            found += _value(item, of, (*path, str(key)), strict)
    elif isinstance(raw, Mapping) and isinstance(bare, type) and issubclass(bare, Struct):
        found = list(_row(bare, raw, path, strict))
    # A list that is too long has no item that is wrong.
    yield from found or [(path, _said(path, raw, expected(shape)))]


def _shape_for(raw: object, wanted: Any) -> Any:
    """The alternative of a union that the value was meant for: the list for a list, the scalar for a scalar."""
    bare = get_args(wanted)[0] if get_origin(wanted) is Annotated else wanted
    if get_origin(bare) not in (Union, types.UnionType):
        return wanted
    shapes = [each for each in get_args(bare) if each not in (UnsetType, types.NoneType)]
    several = [each for each in shapes if _is_container(each) == isinstance(raw, (list, Mapping))]
    return (several or shapes)[0]


def _is_container(shape: Any) -> bool:
    bare = get_args(shape)[0] if get_origin(shape) is Annotated else shape
    return get_origin(bare) in (list, dict) or (isinstance(bare, type) and issubclass(bare, Struct))


def _said(path: _Path, raw: object, what: str) -> str:
    return f"{_written(path) + ': ' if path else ''}{_shown(raw)} stands there, expected {what}."


def _written(path: _Path) -> str:
    """A path as people write it: shifts[0].days."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _shown(raw: object) -> str:
    match raw:
        case None:
            return "nothing"
        case Mapping():
            return "a row of members"
        case list():
            return f"a list of {len(raw)}"
        case str():
            return repr(raw if len(raw) <= _MOST_SHOWN else raw[:_MOST_SHOWN] + "…")
    return repr(raw)


def scalar_of(wanted: Any) -> msgspec.inspect.Type:
    """The type of a scalar member, without what surrounds it."""
    info = msgspec.inspect.type_info(_shape_for("", wanted))
    return info.type if isinstance(info, msgspec.inspect.Metadata) else info


def expected(shape: Any) -> str:
    """What may stand in a member of this type, in words: `one of EMPTY, FULL`, `a whole number from 1 to 10000`."""
    info = msgspec.inspect.type_info(shape)
    described = ""
    if isinstance(info, msgspec.inspect.Metadata):
        described = str((info.extra_json_schema or {}).get("description", ""))
        info = info.type
    match info:
        case msgspec.inspect.EnumType(cls=cls):
            return f"one of {', '.join(str(word.value) for word in cls)}"
        case msgspec.inspect.LiteralType(values=values):
            return f"one of {', '.join(map(str, values))}"
        case msgspec.inspect.IntType(ge=least, le=most):
            return "a whole number" + (f" from {least} to {most}" if most is not None else "")
        case msgspec.inspect.DecimalType() | msgspec.inspect.FloatType():
            return "a number like 12 or 0.5"
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.ListType(max_length=most):
            return "a list" + (f" of at most {most}" if most is not None else "")
        case msgspec.inspect.DictType() | msgspec.inspect.StructType():
            return "members and values"
        case msgspec.inspect.StrType(min_length=least, max_length=most, pattern=pattern):
            if "[A-Za-z0-9._-]{0,59}" in (pattern or ""):
                return "letters, digits, dots, dashes and underscores, at most 60, the first no sign"
            if described or most is None:
                return described or "a text"
            return f"a text of {least or 0} to {most} characters"
    return described or "another value"
