"""`convert_log CSV --shop FILE --scans FILE`: a shop's log as a shop and scans (docs/real-log.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError, CommandParser

from jitapp.workshop.floor_log import LogError, read_log_file
from jitapp.workshop.floor_shop import convert


def _container(text: str) -> int:
    pieces = int(text)
    if pieces < 1:
        raise ValueError
    return pieces


class Command(BaseCommand):
    """Reads a CSV log; writes a shop for `load_shop` and scans for `replay`; prints what was counted."""

    help = "Derive a shop file and a scan log from a shop's own report log (CSV)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "log", type=Path, metavar="CSV", help="the log, with the columns of docs/real-log.md"
        )
        parser.add_argument(
            "--shop", type=Path, required=True, metavar="FILE", help="the shop file to write (YAML)"
        )
        parser.add_argument(
            "--scans", type=Path, required=True, metavar="FILE", help="the scan log to write (JSON lines)"
        )
        parser.add_argument(
            "--container",
            type=_container,
            metavar="N",
            help="pieces a container holds; else from each part's orders",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        log: Path = options["log"]
        try:
            conversion = convert(read_log_file(log), options["container"])
            options["shop"].write_text(
                yaml.safe_dump(conversion.shop, sort_keys=False, allow_unicode=True, width=110),
                encoding="utf-8",
            )
            with options["scans"].open("w", encoding="utf-8") as scans:
                for line in conversion.lines:
                    scans.write(json.dumps(line, ensure_ascii=False) + "\n")
        except LogError as error:
            raise CommandError(f"{log}: {error}") from error
        except OSError as error:
            raise CommandError(
                f"{error.filename}: {error.strerror}. Give a path that can be read or written."
            ) from error
        for name, value in conversion.figures.items():
            self.stdout.write(f"{value:>8}  {name}")
        shop, scans = options["shop"], options["scans"]
        self.stdout.write(f"Next: manage.py load_shop {shop}; manage.py replay {scans}; manage.py verify")
