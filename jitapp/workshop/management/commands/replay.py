"""`replay FILE [--speed N]`: a recorded log through the real scan path (docs/real-log.md)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jitapp.workshop.replaying import ReplayError, read_lines, replay

PROGRESS_EVERY = 5.0


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 < speed < float("inf"):
        raise ValueError
    return speed


class Command(BaseCommand):
    """Prints what became of the scans, which runouts there were and how fast it went."""

    help = "Feed a recorded log (JSON lines) through the real scan path, with the log's own clock."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("log", type=Path, metavar="FILE", help="a scan log, as convert_log writes it")
        parser.add_argument(
            "--speed", type=_speed, metavar="N", help="N times real time; without it as fast as it goes"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        log: Path = options["log"]
        told = time.monotonic()

        def progress(done: int, of: int) -> None:
            nonlocal told
            if time.monotonic() - told >= PROGRESS_EVERY:
                told = time.monotonic()
                self.stderr.write(f"{done} of {of} lines")

        try:
            with log.open("rb") as lines:
                read = read_lines(lines)
            summary = replay(read, speed=options["speed"], progress=progress)
        except ReplayError as error:
            raise CommandError(f"{log}: {error}") from error
        except OSError as error:
            raise CommandError(f"{log}: {error.strerror}. Give the path of a scan log.") from error
        self.stdout.write(summary.text())
        self.stdout.write("Next: manage.py verify")
