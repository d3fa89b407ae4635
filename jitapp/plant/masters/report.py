"""What became of a shop document: rows that were written, rows that were not, and what is left to others."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from jitapp.kanban.stated import Stated
from jitapp.plant.exactjson import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row was not loaded. `code` is stable, `message` is a sentence for whoever wrote the row, and `member` leads
    to what is to blame within the row, as far as it is known. A row may have several."""

    path: Path
    kind: str
    key: str
    code: str
    message: str
    member: Path = ()
    said: Stated | None = field(default=None, compare=False)  # `message` with its facts, where a rule said it


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a row: `created`, `changed` (member -> old and new) or `unchanged`."""

    path: Path
    kind: str
    key: str
    status: str
    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CardsAsked:
    """The cards that a loop's row asks for; `first` holds FULL or EMPTY per card."""

    loop_id: int
    loop: str
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SizeAsked:
    """A running loop's new number of cards, or what each asks for: its cards have to be told, which is for the pull
    room to do. None: stays as it is. `have` is how many cards it has."""

    loop_id: int
    loop: str
    have: int
    cards: int | None = None
    quantity: Decimal | None = None


@dataclass
class Report:
    """What a load did, or with `dry_run` would do. `remarks` are sentences about rows that were loaded."""

    rows: list[Loaded] = field(default_factory=list)
    errors: list[Problem] = field(default_factory=list)
    cards: list[CardsAsked] = field(default_factory=list)
    sizes: list[SizeAsked] = field(default_factory=list)
    remarks: list[Stated] = field(default_factory=list)
    first_at: datetime | None = None  # when the first states were true; None: now

    @property
    def notes(self) -> list[str]:
        """The remarks in English, as files and the API tell them."""
        return [str(said) for said in self.remarks]

    @property
    def created(self) -> int:
        """Rows that were new."""
        return self._count("created")

    @property
    def changed(self) -> int:
        """Rows that differed."""
        return self._count("changed")

    @property
    def unchanged(self) -> int:
        """Rows that were there already, word for word."""
        return self._count("unchanged")

    def _count(self, status: str) -> int:
        return sum(row.status == status for row in self.rows)


def counts(report: Report) -> dict[str, Counter[str]]:
    """Rows by kind and status, for a summary."""
    summary: dict[str, Counter[str]] = {}
    for row in report.rows:
        summary.setdefault(row.kind, Counter())[row.status] += 1
    return summary


def shown(value: object) -> str:
    """A value as a person reads it in a list of changes."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)
