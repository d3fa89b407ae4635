"""`manage.py restore FILE`: a backup becomes the whole installation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jitapp.workshop.backups import CannotBackUp, restore


class Command(BaseCommand):
    help = "Replaces the whole installation by a backup, all of it or nothing, and verifies it."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file to read, and `--force` for a database that is not empty."""
        parser.add_argument("file", type=Path, help="a file that `backup` wrote")
        parser.add_argument("--force", action="store_true", help="replace what is in the database")

    def handle(self, *_args: Any, file: Path, force: bool, **_options: Any) -> None:
        """Ends with code 1 and one sentence if it cannot, and with code 1 if a rule does not hold afterwards."""
        try:
            done = restore(file, force=force, say=self.stdout.write)
        except CannotBackUp as error:
            raise CommandError(str(error)) from None
        for difference in done.report.differences:
            self.stdout.write(str(difference))
        self.stdout.write(
            f"Restored {file} in {done.seconds:.1f} s; its history goes on as {done.era.epoch}."
        )
        self.stdout.write(f"verified {done.report.events} events, {done.report.total} differences")
        if done.report.total:
            sys.exit(1)
