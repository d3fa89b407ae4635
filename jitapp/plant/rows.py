"""The rows of a shop file, whatever its form: how scalars are typed, and what a row's members may be.

A member that is left out keeps its value on what exists and takes its default on what is new; `null` clears it.
Scalars arrive as text (`as_text`), so that YAML's and Excel's ideas of numbers, dates and booleans do not matter: part
0815 stays 0815 and 14:00 stays a time of day. The shape of each kind's row stands in `masters`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct

from jitapp.kanban.names import LONGEST_NUMBER
from jitapp.plant.expected import WrongMember, wrong_members

MOST_DEPTH = 12
# A year of working minutes around the clock: longer lead times are slips of the pen.
MOST_MINUTES = 525_600

Code = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\Z", description="letters, digits, . _ -")
]
Number = Annotated[
    str, Meta(min_length=1, max_length=LONGEST_NUMBER, description="printable text with a letter or a digit")
]
Name = Annotated[str, Meta(min_length=1, max_length=120)]
Minutes = Annotated[int, Meta(ge=0, le=MOST_MINUTES)]
Limit = Annotated[int, Meta(ge=1, le=10_000)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Url = Annotated[
    str,
    Meta(
        pattern=r"^(https?://[^\s]{1,190})?\Z",
        description="an address that begins with http:// or https://, at most 200 characters",
    ),
]
TimeOfDay = Annotated[
    str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z", description="a time of day like 06:00")
]


class Row(Struct, forbid_unknown_fields=True, kw_only=True):
    """Anything with a code of its own in a shop file."""


_Row = TypeVar("_Row", bound=Row)


class Unreadable(ValueError):
    """A file or a row that cannot be read; the text is a sentence for the person who wrote it. `wrong` are the members
    of a row that are to blame, as far as they are known."""

    def __init__(self, message: str, wrong: Sequence[WrongMember] = ()) -> None:
        super().__init__(message)
        self.wrong = wrong


def read_row(kind: type[_Row], raw: object) -> _Row:
    """A typed row from scalars as text. Raises Unreadable, which names every member that is wrong."""
    try:
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as error:
        wrong = wrong_members(kind, raw)
        raise Unreadable(" ".join(each.message for each in wrong) or f"{error}.", wrong) from None


def as_text(value: object, depth: int = 0) -> Any:
    """The same tree with every scalar as text or None. Raises Unreadable on what no database can keep."""
    if depth > MOST_DEPTH:
        raise Unreadable("Lists and members are nested too deeply.")
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            if "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
                raise Unreadable("A text holds a character that cannot be stored (NUL or half a character).")
            return value
        case Mapping():
            return {str(as_text(key)): as_text(item, depth + 1) for key, item in value.items()}
        case list() | tuple():
            return [as_text(item, depth + 1) for item in value]
        case int() | float() | Decimal():
            return format(value, "f") if isinstance(value, Decimal) else repr(value)
    raise Unreadable(f"A {type(value).__name__} cannot stand in a shop file.")


def given(row: Row) -> Iterator[tuple[str, Any]]:
    """The members that the row names."""
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if value is not UNSET:
            yield name, value
