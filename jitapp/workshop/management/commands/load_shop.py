"""Loads a shop from one file; docs/shop-files.md describes its form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from jitapp.plant.loading import Report, counts
from jitapp.plant.reading import MOST_BYTES, ShopDocument, read_document
from jitapp.plant.shopfile import Unreadable
from jitapp.pull.setup import SetUp, set_up_shop

MOST_SHOWN = 50


class Command(BaseCommand):
    """All of the file or nothing; loaded again it changes nothing."""

    help = "Loads plants, stations, parts, bills, loops and cards from one YAML, JSON or XLSX file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a shop file: .yaml, .json or .xlsx")
        parser.add_argument("--dry-run", action="store_true", help="show what would change; change nothing")

    def handle(self, *_args: Any, file: Path, dry_run: bool, **_options: Any) -> None:
        document = self._read(file)
        done = set_up_shop(document.content, now=timezone.now(), dry_run=dry_run)
        if done.report.errors:
            self._refuse(done.report, document)
        for note in document.notes:
            self.stdout.write(note)
        self._tell(done, dry_run)

    def _read(self, file: Path) -> ShopDocument:
        try:
            with file.open("rb") as opened:
                return read_document(opened.read(MOST_BYTES + 1), file.name)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}.") from None
        except Unreadable as error:
            raise CommandError(f"{file}: {error}") from None

    def _refuse(self, report: Report, document: ShopDocument) -> None:
        for error in report.errors[:MOST_SHOWN]:
            key = f" ({error.key})" if error.key else ""
            self.stderr.write(f"{document.place(error.path, error.member)}{key}: {error.message}")
        hidden = len(report.errors) - MOST_SHOWN
        if hidden > 0:
            self.stderr.write(f"... and {hidden} more.")
        raise CommandError(f"Nothing was loaded: {len(report.errors)} to correct.")

    def _tell(self, done: SetUp, dry_run: bool) -> None:
        if dry_run:
            for row in done.report.rows:
                if row.status != "unchanged":
                    changes = "; ".join(f"{name}: {old} -> {new}" for name, (old, new) in row.changes.items())
                    self.stdout.write(f"{row.status} {row.kind} {row.key} {changes}".rstrip())
        for note in done.report.notes:
            self.stdout.write(note)
        for kind, statuses in counts(done.report).items():
            self.stdout.write(
                f"{kind}: " + ", ".join(f"{number} {status}" for status, number in sorted(statuses.items()))
            )
        self.stdout.write(f"cards: {done.cards} {'to make' if dry_run else 'made'}")
        if dry_run:
            self.stdout.write("Nothing was changed (--dry-run).")
