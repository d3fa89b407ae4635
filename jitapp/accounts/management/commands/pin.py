"""Gives a person a PIN, by which they prove at a device who they are; only a hash of it is kept."""

from __future__ import annotations

import getpass
import secrets
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jitapp.accounts.models import Person
from jitapp.accounts.pins import BadPin, set_pin

RANDOM_DIGITS = 6


class Command(BaseCommand):
    """`manage.py pin NAME`"""

    help = (
        "Asks for a person's PIN and keeps a hash of it; from a pipe it reads one line. --random makes one and prints"
        " it, alone on stdout; --remove takes it away. Wrong tries are forgotten."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="whose PIN")
        parser.add_argument("--random", action="store_true", help="make one and print it")
        parser.add_argument(
            "--remove", action="store_true", help="nobody can act for this person by PIN any more"
        )

    def handle(self, *_args: Any, username: str, random: bool, remove: bool, **_options: Any) -> None:
        person = Person.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"There is no person {username!r}.")
        if random and remove:
            raise CommandError("--random makes a PIN, --remove takes it away: say one of them.")
        try:
            pin = self._random(person) if random else "" if remove else _asked()
            if not random:
                set_pin(person, pin)
        except BadPin as error:
            raise CommandError(str(error)) from None
        self.stdout.write(pin if random else f"{person} has {'no PIN any more' if remove else 'a new PIN'}.")

    def _random(self, person: Person) -> str:
        while True:
            pin = "".join(secrets.choice("0123456789") for _ in range(RANDOM_DIGITS))
            try:
                set_pin(person, pin)
            except BadPin:
                continue  # one of the few that everybody tries first
            return pin


def _asked() -> str:
    """The PIN as somebody types it twice, or as one line of a pipe. Raises BadPin."""
    if not sys.stdin.isatty():
        pin = sys.stdin.readline().strip()
    else:
        pin = getpass.getpass("PIN: ").strip()
        if getpass.getpass("Again: ").strip() != pin:
            raise BadPin("The two are not the same. Nothing was changed.")
    if not pin:
        raise BadPin("No PIN was given. Nothing was changed; --remove takes one away.")
    return pin
