"""`log_figures CSV`: a whole log converted, replayed and verified, as the tables of docs/real-log.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from jitapp.plant.models import Plant
from jitapp.pull.proof.verify import verify
from jitapp.pull.setup import set_up_shop
from jitapp.workshop.floor_log import LogError, read_log_file
from jitapp.workshop.floor_shop import convert
from jitapp.workshop.log_figures import Run, tables
from jitapp.workshop.replaying import ReplayError, read_lines, replay


class Command(BaseCommand):
    """Prints the tables. `python -m jitapp.workshop.log_figures CSV` starts servers for it and writes the page."""

    help = "Convert, replay and verify a log in an empty database; prints the tables of docs/real-log.md."

    def add_arguments(self, parser: CommandParser) -> None:
        """The log, as convert_log takes it."""
        parser.add_argument(
            "log", type=Path, metavar="CSV", help="the log, with the columns of docs/real-log.md"
        )

    def handle(self, *_args: Any, log: Path, **_options: Any) -> None:
        """Ends with code 1 and one sentence if it cannot."""
        if Plant.objects.exists():
            raise CommandError("This database holds a shop. Name an empty one in DATABASE_URL.")
        try:
            conversion = convert(read_log_file(log))
            done = set_up_shop(conversion.shop, now=timezone.now())
            if done.report.errors:
                raise CommandError(str(done.report.errors[0]))
            lines = read_lines([json.dumps(line) for line in conversion.lines])
            run = Run(conversion.figures, replay(lines), verify(), replay(lines))
        except (LogError, ReplayError) as error:
            raise CommandError(f"{log}: {error}") from error
        except OSError as error:
            raise CommandError(f"{log}: {error.strerror}. Give the path of a log.") from error
        self.stdout.write(tables(run))
