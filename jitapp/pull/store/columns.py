"""The columns of cards, turns and loops, taken from the fields of the rules' own types.

A field added to `Card`, `Turn` or `LoopCounters` (kanban/state.py) is read, written and compared by `verify` as soon as
its table has the column: nothing here or in the statements names one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from msgspec.structs import fields

from jitapp.kanban.state import Card, LoopCounters, Turn

_SQL: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "bigint"),
    (str, "text"),
    (Decimal, "numeric"),
    (datetime, "timestamptz"),
    (UUID, "uuid"),
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column as statements name it, and its type in SQL."""

    name: str
    sql: str


class Columns:
    """The columns of one type, and their spellings in a statement; `{card:c}` in a template is `c.id, c.code, ...`."""

    def __init__(
        self,
        of: type[msgspec.Struct],
        *,
        without: Collection[str] = (),
        fixed: Collection[str] = (),
        beside: Collection[str] = (),
    ) -> None:
        """`without`: fields that are no columns; `fixed`: columns that never change; `beside`: columns of the table
        that are no fields, the first in a row."""
        types = get_type_hints(of)
        self.all = tuple(
            Column(each.name, _sql(types[each.name])) for each in fields(of) if each.name not in without
        )
        self.changing = tuple(column for column in self.all if column.name not in fixed)
        self.fixed = tuple(column for column in self.all if column.name in fixed)
        names = tuple(column.name for column in self.all)
        self._members: Callable[[object], tuple[object, ...]] = attrgetter(*names)
        members: list[tuple[str, Any, None]] = [(name, Any, None) for name in (*beside, *names)]
        self._row = msgspec.defstruct(f"{of.__name__}Row", members, omit_defaults=True, gc=False)
        # How an array of the columns is read back.
        self.shape: Any = tuple.__class_getitem__(tuple(types[column.name] for column in self.all))

    @property
    def names(self) -> str:
        """All names."""
        return ", ".join(column.name for column in self.all)

    @property
    def typed(self) -> str:
        """All names with their types, as a record of JSON declares them."""
        return ", ".join(f"{column.name} {column.sql}" for column in self.all)

    def __format__(self, alias: str) -> str:
        return ", ".join(f"{alias}.{column.name}" for column in self.all)

    def row(self, of: object, *beside: object) -> msgspec.Struct:
        """An object as a row of the writing statement; what is None is left out, and so is NULL there."""
        return self._row(*beside, *self._members(of))


class _Set:
    """`name = alias.name` for all columns that change."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def __format__(self, alias: str) -> str:
        return ", ".join(f"{column.name} = {alias}.{column.name}" for column in self._columns.changing)


def _sql(hint: Any) -> str:
    """The SQL type of a field; a field that may be None has the type of what it is else."""
    if isinstance(hint, UnionType):
        hint = next(each for each in get_args(hint) if each is not type(None))
    if get_origin(hint) is tuple:
        return "jsonb"
    return next(sql for kind, sql in _SQL if issubclass(hint, kind))


CARD = Columns(Card, without=("turn",), fixed=("id", "code", "number"))
TURN = Columns(Turn, fixed=("uuid", "number", "opened_at"), beside=("card_id", "loop_id", "supply_id"))
COUNTERS = Columns(LoopCounters, beside=("loop_id",))
PLACES: dict[str, object] = {
    "card": CARD,
    "card_set": _Set(CARD),
    "card_typed": CARD.typed,
    "turn": TURN,
    "turn_names": TURN.names,
    "turn_typed": TURN.typed,
    "turn_set": _Set(TURN),
    "counters": COUNTERS,
    "counter_names": COUNTERS.names,
    "counter_typed": COUNTERS.typed,
    "counter_set": _Set(COUNTERS),
}
read_card = msgspec.json.Decoder(CARD.shape).decode
read_state = msgspec.json.Decoder(COUNTERS.shape).decode
read_turn = msgspec.json.Decoder(TURN.shape).decode
read_counters = msgspec.json.Decoder(tuple.__class_getitem__((int, COUNTERS.shape))).decode
