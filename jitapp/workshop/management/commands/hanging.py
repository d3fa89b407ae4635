"""`manage.py hanging`: an installation of its own, whose processes are stopped one by one."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from jitapp.workshop.chaos.hanging import run


class Command(BaseCommand):
    help = (
        "Starts an installation of its own, stops each kind of process and kills Valkey ten times in forty seconds,"
        " and tells how soon it was said and mended. Touches no other installation."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rounds", type=int, default=5, help="of Valkey killed ten times; a minute each")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit code 1 if something was not said or not mended."""
        if not run(options["rounds"], self.stdout.write):
            sys.exit(1)
