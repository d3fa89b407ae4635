"""`manage.py bench`: the benchmarks of the promises; see jitapp/workshop/bench."""

from __future__ import annotations

import sys

from django.core.management.base import BaseCommand

from jitapp.workshop.bench.__main__ import main


class Command(BaseCommand):
    help = (
        "Measures scans, batches, cascades and boards against bare PostgreSQL and a plain twin, side by side."
    )
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """The benchmark has options of its own, and an installation of its own."""
        sys.exit(main(argv[2:]))

    def handle(self, *_args: object, **_options: object) -> None:
        """With no options at all, when called from code."""
        sys.exit(main([]))
