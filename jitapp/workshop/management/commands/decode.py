"""`manage.py decode`: what raw scans mean. manage.py itself runs it without Django; this is its place in the list."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from jitapp.symbology import lines


class Command(BaseCommand):
    """JSON strings in, JSON objects out."""

    help = lines.ABOUT
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Tags instead of scans; identifiers that stand alone."""
        lines.add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        site = lines.site_of(options["di"])
        for line in lines.decoded_lines(sys.stdin.buffer, epc=options["epc"], site=site):
            self.stdout.write(line)
