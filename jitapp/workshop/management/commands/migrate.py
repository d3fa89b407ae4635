"""Django's `migrate`, as the database's owner; afterwards the application's role has what it needs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import DatabaseError, connection
from psycopg2.errorcodes import INSUFFICIENT_PRIVILEGE

from jitapp.workshop.functions import make_functions
from jitapp.workshop.ownership import NotTheOwner, as_owner, grant_to_the_application, not_the_owner


class Command(migrate.Command):
    """Without DATABASE_OWNER_URL it is Django's own."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Ends with one sentence where the role may not migrate."""
        try:
            with as_owner() as two_roles:
                super().handle(*args, **options)
                if not (options["plan"] or options["check_unapplied"] or options["prune"]):
                    make_functions()
                if two_roles:
                    grant_to_the_application()
        except NotTheOwner as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            if not _denied(error):
                raise
            raise CommandError(not_the_owner(str(connection.settings_dict["USER"]))) from error


def _denied(error: BaseException | None) -> bool:
    """Whether PostgreSQL refused for want of rights; Django wraps that once or twice."""
    while error is not None:
        if getattr(error, "pgcode", None) == INSUFFICIENT_PRIVILEGE:
            return True
        error = error.__cause__ or error.__context__
    return False
