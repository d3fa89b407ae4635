"""Fills an empty database with the demonstration shop and prints its logins."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, transaction
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.env import env_int
from jitapp.kanban.vocabulary import Role
from jitapp.plant import shown
from jitapp.plant.demonstrations import Demonstration
from jitapp.plant.models import Plant
from jitapp.workshop.demo.logins import FILE, keep_logins
from jitapp.workshop.demo.past import DAYS
from jitapp.workshop.demo.shop import CannotStand, fill, is_whole, plant_rows
from jitapp.workshop.ownership import NotTheOwner, as_owner

# Printed at every start; the file has the others.
SHOWN = ("dana", "paul", "ines", "bruno", "hugo", "otto")


class Command(BaseCommand):
    """Does nothing where another shop lives."""

    help = "Fills an empty database with the demonstration shop; prints the demonstration's logins."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="print the logins of all 25 people")
        parser.add_argument(
            "--again",
            action="store_true",
            help="make it again after it was ended, beside the shop that is there",
        )
        parser.add_argument("--days", type=int, help=f"working days that lie behind a new shop ({DAYS})")

    def handle(self, *_args: Any, all: bool, days: int | None, again: bool = False, **_options: Any) -> None:
        if days is None:
            days = env_int("JITAPP_DEMO_DAYS", DAYS, least=0, most=100)
        if not again and shown.running() is None and (before := shown.last_ended()) is not None:
            self.stdout.write(
                f"The demonstration was ended on {before.ended_at:%Y-%m-%d}."
                " Make it again: manage.py demo_shop --again."
            )
            return
        try:
            if not fill(timezone.now(), days=days, goes_on=settings.DEMO == "live", beside=again):
                self.stdout.write(
                    "Another shop lives in this database; the demonstration shop was not loaded."
                )
                return
        except CannotStand as why:
            raise CommandError(
                f"The demonstration cannot stand beside the shop that is there: {why}"
            ) from None
        self._mark()
        if not Plant.objects.exclude(code=plant_rows()["code"]).exists():
            # Not beside a real shop: the demonstration's passwords are printed.
            Person.objects.filter(
                memberships__role=Role.ADMIN, memberships__plant__code=plant_rows()["code"]
            ).update(is_staff=True, is_superuser=True)
        people = {row["username"]: row for row in plant_rows()["people"]}
        named = list(people) if all else [name for name in people if name in SHOWN]
        logins = keep_logins(settings.DATA_DIR, people, shown=named)
        if not logins:
            return
        self.stdout.write("Demo logins:")
        for name, password in logins.items():
            self.stdout.write(f"  {name:<8} {password}  {people[name]['name']}, {people[name]['role']}")
        if not all:
            self.stdout.write(
                f"  All {len(people)}: {settings.DATA_DIR / FILE}, or manage.py demo_shop --all"
            )

    def _mark(self) -> None:
        """Says as the database's owner that this plant is a demonstration, so that a page may end it."""
        plant = Plant.objects.get(code=plant_rows()["code"])
        if Demonstration.objects.filter(plant_number=plant.pk).exists() or not is_whole(plant):
            return
        try:
            with as_owner(), transaction.atomic():
                shown.mark(plant, now=timezone.now())
        except (DatabaseError, NotTheOwner):
            self.stdout.write(
                "The demonstration cannot be ended from its pages: that is prepared by the database's owner. Name it in"
                " DATABASE_OWNER_URL and run manage.py demo_shop."
            )
