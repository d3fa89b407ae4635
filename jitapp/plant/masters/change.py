"""What would change, and what the floor says to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from django.db import models

from jitapp.kanban.stated import Stated
from jitapp.plant.masters.wrong import Wrong
from jitapp.plant.rows import Row

M = TypeVar("M", bound=models.Model)
R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Change(Generic[R, M]):
    """What exists, before and after; `row` is None in the administration. `names` are the members that differ."""

    before: M
    after: M
    names: frozenset[str]
    row: R | None = None


@dataclass(slots=True)
class Findings:
    """What the floor says to changes: why one is refused, by id, and what is worth knowing of the others."""

    wrong: dict[int, Wrong] = field(default_factory=dict)
    notes: list[Stated] = field(default_factory=list)

    def refuse(self, entry: models.Model, said: Stated, code: str = "in_use") -> None:
        """The first reason is the one that is told."""
        self.wrong.setdefault(entry.pk, Wrong(code, said))
