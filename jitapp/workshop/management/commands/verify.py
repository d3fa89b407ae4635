"""`manage.py verify`: the present state recomputed from the ledger, and every rule of the book."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from jitapp.pull.proof.verify import MOST_PER_RULE, RULES, Report, verify


class Command(BaseCommand):
    help = (
        "Recomputes the present state from the ledger and checks every rule; exit code 1 if anything differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """`--json` for machines."""
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Ends with code 1 if there is a difference; reads only."""
        report = verify()
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            self._tell(report)
        if report.total:
            sys.exit(1)

    def _tell(self, report: Report) -> None:
        warned = {warning.rule for warning in report.warnings}
        for rule, says in RULES.items():
            count = report.counts[rule]
            verdict = f"{count} differ" if count else "warning" if rule in warned else "ok"
            self.stdout.write(f"{rule:<4} {verdict:<10} {says}")
        for warning in report.warnings:
            self.stdout.write(f"warning: {warning}")
        for difference in report.differences:
            self.stdout.write(str(difference))
        for rule, count in report.counts.items():
            if count > MOST_PER_RULE:
                self.stdout.write(f"{rule}: and {count - MOST_PER_RULE} more")
        self.stdout.write(f"verified {report.events} events, {report.total} differences")
