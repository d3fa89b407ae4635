"""Column types of PostgreSQL that Django does not know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models


class Xid8Field(models.BigIntegerField[Any, Any]):
    """PostgreSQL's 64-bit transaction id; an event's place in the feed is (era, place, id)."""

    def db_type(self, connection: object) -> str:
        return "xid8"


@models.CharField.register_lookup
class OneOf(models.Lookup[Any]):
    """`column = ANY('{...}')`: what `__in` says, as one constant.

    PostgreSQL reads the checks of a table from their stored trees for every statement that writes to it; the tree of
    `IN` has a node a word, and the checks of a scan's tables were a quarter of what a scan cost the database.
    """

    lookup_name = "one_of"

    def get_prep_lookup(self) -> str:
        return "{" + ",".join(f'"{word}"' for word in self.rhs) + "}"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        left, parameters = self.process_lhs(compiler, connection)
        return f"{left} = ANY (%s::text[])", (*parameters, self.rhs)


def words_of(field: str, words: Iterable[str], name: str) -> models.CheckConstraint:
    """A check that a column which scans write holds one of the words."""
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__one_of": [str(word) for word in words]}), name=name
    )
