"""`python manage.py up`: the whole installation on this machine, until Ctrl-C."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from jitapp.workshop.start_up import run


class Command(BaseCommand):
    """Starts PostgreSQL and Valkey (unless DATABASE_URL and REDIS_URL name others), migrates, fills an empty
    database with the demonstration shop, and runs web, live, worker, relay and scheduler."""

    help = "Start the whole installation on this machine and keep it running until Ctrl-C."
    # The database does not exist yet, and the processes check themselves.
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        """The exit code is the supervisor's."""
        sys.exit(run())
