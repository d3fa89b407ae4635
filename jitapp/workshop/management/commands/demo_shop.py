"""Fills an empty database with the demonstration shop and prints its logins."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.kanban.vocabulary import Role
from jitapp.workshop.demo.logins import FILE, keep_logins
from jitapp.workshop.demo.shop import fill, plant_rows

# Printed at every start; the file has the others.
SHOWN = ("dana", "paul", "ines", "bruno", "hugo", "otto")


class Command(BaseCommand):
    """Does nothing where another shop lives."""

    help = "Fills an empty database with the demonstration shop; prints the demonstration's logins."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="print the logins of all 25 people")

    def handle(self, *_args: Any, all: bool, **_options: Any) -> None:
        if not fill(timezone.now()):
            self.stdout.write("Another shop lives in this database; the demonstration shop was not loaded.")
            return
        Person.objects.filter(
            memberships__role=Role.ADMIN, memberships__plant__code=plant_rows()["code"]
        ).update(is_staff=True, is_superuser=True)
        people = {row["username"]: row for row in plant_rows()["people"]}
        shown = list(people) if all else [name for name in people if name in SHOWN]
        logins = keep_logins(settings.DATA_DIR, people, shown=shown)
        if not logins:
            return
        self.stdout.write("Demo logins:")
        for name, password in logins.items():
            self.stdout.write(f"  {name:<8} {password}  {people[name]['name']}, {people[name]['role']}")
        if not all:
            self.stdout.write(
                f"  All {len(people)}: {settings.DATA_DIR / FILE}, or manage.py demo_shop --all"
            )
