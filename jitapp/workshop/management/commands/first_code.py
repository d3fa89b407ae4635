"""Prints the code of the first start, while nobody is known."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from jitapp.accounts.first import first_code, knows_nobody


class Command(BaseCommand):
    """Started by `up` without a demonstration; by hand it works too."""

    help = "Prints the one-time code by which the first administrator is made on the site; nothing once there is one."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if knows_nobody():
            self.stdout.write(f"Open the site and make the first administrator. Code: {first_code()}")
