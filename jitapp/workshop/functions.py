"""Functions of the database that reach into the tables of every room: made anew by each `manage.py migrate`.

In a migration of one room they would be older than the next room's tables.
"""

from __future__ import annotations

from pathlib import Path

from django.db import connection

from jitapp.workshop.grants import FUNCTIONS

FILES = (Path(__file__).with_name("demo") / "end.sql",)


def make_functions() -> None:
    """As the owner of the tables."""
    with connection.cursor() as database:
        for file in FILES:
            database.execute(file.read_text(encoding="utf-8"))
        for signature in FUNCTIONS:
            database.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
