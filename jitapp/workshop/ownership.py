"""The database's owner: whose connection migrations and restores use, where it is another role than the application's.

`DATABASE_URL` names the application's role, `DATABASE_OWNER_URL` the owner's. Without the second everything is done by
one role; that works, and `manage.py check --database default` says what it costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dj_database_url
from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError, connection, transaction

from jitapp.env import env_owner_url
from jitapp.workshop.grants import differences, grant

PLACE = ("USER", "PASSWORD", "HOST", "PORT")


class NotTheOwner(Exception):
    """What was asked for needs the owner's role; one sentence for the person at the command."""


def application() -> str:
    """The application's role, as `DATABASE_URL` names it; empty if it names none."""
    return str(dj_database_url.parse(settings.DATABASE_URL).get("USER", "")) if settings.DATABASE_URL else ""


@contextmanager
def as_owner() -> Iterator[bool]:
    """Django's connection is the owner's meanwhile. False, and nothing is changed, where only one role is named.
    Raises NotTheOwner if the two addresses are not those of one database."""
    wanted = connection.settings_dict
    url = env_owner_url("DATABASE_OWNER_URL")
    owner: dict[str, Any] = dict(dj_database_url.parse(url)) if url else {}
    if not owner or owner["USER"] == application():
        yield False
        return
    if owner["NAME"] != dj_database_url.parse(settings.DATABASE_URL)["NAME"]:
        raise NotTheOwner(
            "DATABASE_OWNER_URL and DATABASE_URL name different databases. Give both the same one, each with its role."
        )
    before = {name: wanted[name] for name in PLACE}
    connection.close()
    wanted.update({name: owner[name] for name in PLACE})
    try:
        yield True
    finally:
        connection.close()
        wanted.update(before)


def grant_to_the_application() -> None:
    """After a migration, as the owner."""
    with transaction.atomic(), connection.cursor() as database:
        grant(database, application())


def insist_on_ownership() -> None:
    """Raises NotTheOwner unless the connection's role may replace what is in the database."""
    with connection.cursor() as database:
        database.execute(
            "SELECT current_user::text, pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'public'"
        )
        row = database.fetchone()
    if row is not None and not row[1]:
        raise NotTheOwner(not_the_owner(row[0]))


def not_the_owner(role: str) -> str:
    """One sentence."""
    return (
        f"The database role {role} does not own the tables. Name the owner's address in DATABASE_OWNER_URL"
        " (docs/operations.md, Two roles)."
    )


def check_roles(*, databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Django's check of the database: whether the application's role can do what it needs, and no more."""
    if "default" not in (databases or ()):
        return []
    try:
        with connection.cursor() as database:
            database.execute(
                "SELECT current_user::text, pg_has_role(relowner, 'USAGE') FROM pg_class"
                " WHERE oid = to_regclass('pull_event')"
            )
            row = database.fetchone()
            if row is None or (application() and row[0] != application()):
                return []  # nothing there yet, or this is the owner at work
            role, owns = row
            lacking = {} if owns else differences(database, role)
    except DatabaseError:
        return []  # that it does not answer is said by others
    if owns:
        return [
            Warning(
                f"The database role {role} owns the tables, so whoever speaks as the application can switch the"
                " ledger's triggers off.",
                hint="Make two roles and name the owner's in DATABASE_OWNER_URL (docs/operations.md, Two roles).",
                id="jitapp.W001",
            )
        ]
    if lacking:
        return [
            Warning(
                f"The database role {role} has other rights than it needs to {', '.join(lacking)}.",
                hint="Run `manage.py migrate`, which grants them.",
                id="jitapp.W002",
            )
        ]
    return []
