"""Fills an empty database with the demonstration shop and prints its logins."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.env import env_int
from jitapp.kanban.vocabulary import Role
from jitapp.workshop.demo.logins import FILE, keep_logins
from jitapp.workshop.demo.past import DAYS
from jitapp.workshop.demo.shop import fill, plant_rows

# Printed at every start; the file has the others.
SHOWN = ("dana", "paul", "ines", "bruno", "hugo", "otto")


class Command(BaseCommand):
    """Does nothing where another shop lives."""

    help = "Fills an empty database with the demonstration shop; prints the demonstration's logins."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="print the logins of all 25 people")
        parser.add_argument("--days", type=int, help=f"working days that lie behind a new shop ({DAYS})")

    def handle(self, *_args: Any, all: bool, days: int | None, **_options: Any) -> None:
        if days is None:
            days = env_int("JITAPP_DEMO_DAYS", DAYS, least=0, most=100)
        if not fill(timezone.now(), days=days, goes_on=settings.DEMO == "live"):
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
