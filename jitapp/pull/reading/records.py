"""Rows of a statement with their columns as attributes."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection

Record = Any  # a row of a statement, its columns as attributes


@lru_cache(maxsize=16)
def _record(*columns: str) -> Any:
    return namedtuple("Row", columns)


def read_rows(sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[Record]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        make = _record(*(column[0] for column in cursor.description or ()))._make
        return [make(values) for values in cursor.fetchall()]
