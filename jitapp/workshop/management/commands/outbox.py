"""`manage.py outbox`: what waits, fails or was given up, and another try for it."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from jitapp.outbox.rows import Undone, count_undone, retry, undone
from jitapp.plant.models import Loop

MOST_SHOWN = 100
SHOWN_ERROR = 160


class Command(BaseCommand):
    help = (
        "Lists the outbox rows that wait, fail or are dead, with reason and age (exit code 1 if one is dead);"
        " `outbox retry ID ...` lets them be tried again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Nothing to list, or `retry` with ids."""
        parser.add_argument("act", nargs="?", choices=("list", "retry"), default="list")
        parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="rows to try again")

    def handle(self, *_args: Any, act: str, ids: list[int], **_options: Any) -> None:
        """Ends with code 1 if a row is dead, or if a named row is not there to be tried."""
        if act == "retry":
            self._retry(ids)
        else:
            self._list()

    def _list(self) -> None:
        rows, now = undone(MOST_SHOWN), timezone.now()
        if not rows:
            self.stdout.write("The outbox is empty: everything that followed from a change is done.")
            return
        loops = dict(Loop.objects.filter(pk__in={row.key for row in rows}).values_list("pk", "code"))
        for row in rows:
            self.stdout.write(_line(row, loops.get(row.key, ""), now))
        hidden = count_undone() - len(rows)
        if hidden > 0:
            self.stdout.write(f"... and {hidden} more.")
        dead = [str(row.id) for row in rows if row.state == "dead"]
        if dead:
            self.stdout.write(
                "What is dead is not tried any more; the rows behind it went on. Mend the cause, then:"
                f" manage.py outbox retry {' '.join(dead)}"
            )
            sys.exit(1)

    def _retry(self, ids: list[int]) -> None:
        if not ids:
            raise CommandError("Name the rows to try again: outbox retry 17 18. `outbox` lists them.")
        found = retry(ids)
        for row in found:
            self.stdout.write(f"Row {row} is tried again now.")
        missing = sorted(set(ids) - set(found))
        if missing:
            raise CommandError(
                f"Not in the outbox, or done already: {', '.join(map(str, missing))}. `outbox` lists what there is."
            )


def _line(row: Undone, loop: str, now: datetime) -> str:
    age = int((now - row.created_at).total_seconds())
    about = f" of loop {loop}" if loop and row.topic.startswith("pull.") else f" of {row.key}"
    parts = [f"{row.id} {row.state}: {row.topic}{about}, {age} s old"]
    if row.attempts:
        parts.append(f"{row.attempts} attempts")
    if row.state == "fails":
        parts.append(f"next in {max(0, int((row.due_at - now).total_seconds()))} s")
    if row.blocked_by is not None:
        parts.append(f"waits for row {row.blocked_by}")
    error = " ".join(row.last_error.split())
    if error:
        parts.append(error if len(error) <= SHOWN_ERROR else error[:SHOWN_ERROR] + "…")
    return ", ".join(parts)
