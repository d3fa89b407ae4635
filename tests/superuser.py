"""The suite's tests speak to the database as the application does; a hand in the database is a superuser's.

The connection is a superuser's with the role of the application put on (`SET ROLE`), so that a right which the
application lacks is missed by some test, and a test that must damage something can take the role off.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import DatabaseError, connection

ROLE = "jitapp_tests"
# Within a transaction, to its end.
TAKE_OFF = "SET LOCAL ROLE NONE"


@contextmanager
def superuser() -> Iterator[None]:
    """Django's connection has all rights meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
    try:
        yield
    finally:
        with (
            suppress(DatabaseError),
            connection.cursor() as cursor,
        ):  # a broken transaction takes it back by itself
            cursor.execute("RESET ROLE")
