"""Watches the boards of the running demonstration: do its forecasts come true, and how often is somebody asked?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from jitapp.workshop.demo.watch import report, watch


class Command(BaseCommand):
    """Only reads."""

    help = "Watches all boards and holds their forecasts against what came true."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--minutes", type=float, default=10.0, help="how long to watch (10)")

    def handle(self, *_args: Any, minutes: float, **_options: Any) -> None:
        for line in report(watch(minutes, clock=timezone.now)):
            self.stdout.write(line)
