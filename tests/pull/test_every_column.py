"""`verify` compares every column of a card, a turn and a loop's counters, also one that was added a minute ago."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection

from jitapp.env import BASE_DIR
from jitapp.pull.proof.verify import verify
from jitapp.pull.store.columns import CARD, COUNTERS, TURN, Column, Columns
from tests.floor import Floor
from tests.pull.added_column import a_day
from tests.superuser import TAKE_OFF

# The keys by which rows find each other are told as a missing and an extra row.
KEYS = {"id", "number"}
OTHER = {
    "boolean": "NOT coalesce({0}, false)",
    "bigint": "coalesce({0}, 0) + 1",
    "text": "coalesce({0}, '') || 'X'",
    "numeric": "coalesce({0}, 0) + 1",
    "timestamptz": "coalesce({0}, now()) + interval '1 second'",
    "uuid": "gen_random_uuid()",
    "jsonb": "{0} || jsonb_build_array(jsonb_build_array('queue', 'nobody', now(), 1))",
}
# Columns that only certain values fit.
VALUES = {
    "code": "'KX' || substr(code, 3)",
    "card_status": "'LOST'",
    "supply_status": "'ERROR'",
    "signal_state": "'REJECTED'",
    "owner": "'planner'",
    "step": "'COMPLETED'",
}


def _every() -> Iterator[tuple[str, Column]]:
    tables: tuple[tuple[str, Columns], ...] = (
        ("pull_card", CARD),
        ("pull_turn", TURN),
        ("pull_loopstate", COUNTERS),
    )
    for table, columns in tables:
        for column in columns.all:
            if column.name not in KEYS:
                yield table, column


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("table", "column"),
    [pytest.param(table, column, id=f"{table}.{column.name}") for table, column in _every()],
)
def test_a_hand_in_any_column_is_found(table: str, column: Column) -> None:
    a_day(Floor())
    assert verify().differences == []
    value = VALUES.get(column.name, OTHER[column.sql].format(column.name))
    with connection.cursor() as cursor:
        cursor.execute(TAKE_OFF)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL session_replication_role = replica")
        # Constraints guard some columns as well; here it is `verify` that must see.
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass", [table]
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        cursor.execute(
            f"UPDATE {table} SET {column.name} = {value} WHERE ctid = (SELECT min(ctid) FROM {table})"  # noqa: S608
        )
        assert cursor.rowcount == 1
    assert column.name.replace("_", " ") in {
        difference.what.removeprefix("turn 1: ") for difference in verify().differences
    }


@pytest.mark.django_db(transaction=True)
def test_a_column_that_is_added_is_written_read_and_compared() -> None:
    parts = connection.settings_dict
    done = subprocess.run(
        [sys.executable, "-m", "tests.pull.added_column"],
        cwd=BASE_DIR,
        env={
            **os.environ,
            "SECRET_KEY": settings.SECRET_KEY,
            "DJANGO_SETTINGS_MODULE": "jitapp.settings",
            "DATABASE_URL": f"postgres://{parts['USER']}:{parts['PASSWORD']}@{parts['HOST']}:{parts['PORT']}/{parts['NAME']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    before, after = done.stdout.split("--\n")
    assert before.strip() == ""
    red = [line for line in after.splitlines() if "colour: expected nothing, found red" in line]
    assert len(red) == len(after.splitlines())
    assert sum("turn 1: colour" in line for line in red) == 2
    assert sum("card" in line and "turn" not in line for line in red) == 2
    assert sum("card" not in line for line in red) == 1
