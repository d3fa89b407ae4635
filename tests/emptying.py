"""What empties the database after a transactional test.

Django's `flush` truncates every table, and makes content types and permissions anew: 0.4 s, though a test fills a
dozen of 76 tables, with some hundred rows. Here only what has rows is deleted from, and what a migration leaves stays
if nobody touched it. After either way the same rows are there; the numbers of the next rows go on in both.
"""

from __future__ import annotations

from typing import Any

from django.core.management.commands import flush
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from jitapp.pull import history

# Filled by Django's own signals after a migration, with the same rows each time.
STAYS = ("auth_permission", "django_content_type")
# What was deleted keeps its place in the files; truncating gives it back.
LARGE_BYTES = 1_000_000
# Of the append-only tables, and of foreign keys: at the end all tables are empty.
NO_TRIGGERS = "SET LOCAL session_replication_role = replica"

Marks = tuple[Any, ...]


def marks_of_what_stays() -> Marks:
    """Other ones after any change in the tables that stay."""
    sums = ", ".join(
        f"(SELECT sum(hashtextextended(t::text, 0)) FROM {table} t)"  # noqa: S608 (named above)
        for table in STAYS
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sums}")
        return tuple(cursor.fetchone() or ())


def _filled(cursor: CursorWrapper, tables: list[str]) -> list[str] | None:
    """The tables that have rows; None if one of them is so large that truncating is better."""
    rows = " UNION ALL ".join(
        f"SELECT '{table}', pg_relation_size('{table}') WHERE EXISTS (SELECT FROM {table})"  # noqa: S608 (Django's)
        for table in tables
    )
    cursor.execute(rows)
    found: list[tuple[str, int]] = cursor.fetchall()
    return None if any(size > LARGE_BYTES for _, size in found) else [table for table, _ in found]


def delete_rows() -> bool:
    """Delete what is in the tables. False, with nothing done, where it is too much for that."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    tables = sorted(set(names) - set(STAYS))
    with transaction.atomic(), connection.cursor() as cursor:
        # As TRUNCATE does, this waits for whoever is still writing: no row may come after the look.
        cursor.execute(f"{NO_TRIGGERS}; LOCK TABLE {', '.join(tables)} IN EXCLUSIVE MODE")
        filled = _filled(cursor, tables)
        if filled is None:
            return False
        cursor.execute(";".join(f"DELETE FROM {table}" for table in filled))  # noqa: S608 (Django's)
    history.after_migrations(using=connection.alias)
    return True


class Emptying:
    """`flush` as tests call it; the connection is a superuser's meanwhile."""

    def __init__(self) -> None:
        self._whole = flush.Command.handle
        self._fresh: Marks | None = None  # of the tables that stay, after the last whole flush

    def flush(self, command: flush.Command, **options: Any) -> None:
        usual = not options.get("reset_sequences", True) and not options.get("inhibit_post_migrate", False)
        if usual and self._fresh == marks_of_what_stays() and delete_rows():
            return
        self._whole(command, **options)
        self._fresh = marks_of_what_stays() if usual else None
