"""`manage.py backup FILE`: the whole installation in one file, while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jitapp.workshop.backups import CannotBackUp, back_up


class Command(BaseCommand):
    help = "Writes the whole installation into one file, while it runs; `restore` reads it."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file to write."""
        parser.add_argument("file", type=Path, help="the file to write; it must not be there")

    def handle(self, *_args: Any, file: Path, **_options: Any) -> None:
        """Ends with code 1 and one sentence if it cannot."""
        try:
            done = back_up(file)
        except CannotBackUp as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"Backed up {done.events} events of history {done.epoch} to {file}:"
            f" {done.size / 1e6:.1f} MB in {done.seconds:.1f} s. Keep it where only you can read it."
        )
