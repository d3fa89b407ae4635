"""`python manage.py up`: the whole installation on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand

from jitapp.env import BASE_DIR


class Command(BaseCommand):
    """Starts PostgreSQL and Valkey (unless DATABASE_URL and REDIS_URL name others), migrates, fills an empty
    database with the demonstration shop, and runs web, live, worker, relay and scheduler."""

    help = "Start the whole installation on this machine and keep it running until Ctrl-C."
    # The database does not exist yet, and the processes check themselves.
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        """Goes on as the supervisor alone, in this same process: it needs neither Django nor the rooms, and without
        them it is 40 MB smaller for as long as the installation runs. The exit code is the supervisor's."""
        path = os.pathsep.join(filter(None, [str(BASE_DIR), os.environ.get("PYTHONPATH", "")]))
        sys.stdout.flush()
        program = [sys.executable, "-m", "jitapp.workshop.start_up"]
        os.execve(sys.executable, program, {**os.environ, "PYTHONPATH": path})  # noqa: S606  (ourselves, no shell)
