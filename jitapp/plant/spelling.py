"""From what somebody wrote to the row that it names: exactly so, else the only one that differs in case alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from jitapp.kanban.names import A_NUMBER, folded, is_part_number, tidy

M = TypeVar("M", bound=models.Model)
CODE = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$", "Letters, digits, dot, dash and underscore; at most 60."
)


def part_number(number: str) -> None:
    """For columns: raises ValidationError for what can be no part number."""
    if not is_part_number(number):
        raise ValidationError(f"{A_NUMBER}.")


def alike(rows: models.QuerySet[M], column: str, names: Iterable[str]) -> dict[str, list[M]]:
    """The rows whose name differs from one of `names` in nothing but case, blanks around it and control characters;
    by the folded name. One question, answered by an index on lower(column) where the table is long."""
    wanted = {folded(name) for name in names}
    lowered = wanted | {tidy(name).lower() for name in names}
    found: dict[str, list[M]] = {}
    for row in rows.alias(lowered_name=Lower(column)).filter(lowered_name__in=lowered):
        name = folded(getattr(row, column))
        if name in wanted:
            found.setdefault(name, []).append(row)
    return found


def meant(rows: models.QuerySet[M], column: str, text: str) -> M | None:
    """The row that `text` names; None for nothing, and for several of which none is written exactly so."""
    if "\0" in text:
        return None
    exact = rows.filter(**{column: text}).first()
    if exact is not None:
        return exact
    others = alike(rows, column, [text]).get(folded(text), [])
    return others[0] if len(others) == 1 else None
