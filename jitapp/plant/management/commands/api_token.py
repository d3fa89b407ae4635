"""Makes a device and prints its token, once and alone on stdout; only a hash of it is kept."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.devices import CannotPlace, place_device


class Command(BaseCommand):
    """`manage.py api_token NAME --kind scanner --station PASTE`"""

    help = "Prints a new token for a device, alone on stdout. A device that exists gets a new token; the old one ends."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the device is called")
        parser.add_argument("--kind", required=True, choices=[kind.value for kind in DeviceKind])
        parser.add_argument("--station", help="code of the station at which the device stands")
        parser.add_argument(
            "--plant", help="code of the plant; needed where there are several and no --station"
        )

    def handle(
        self, *_args: Any, name: str, kind: str, station: str | None, plant: str | None, **_options: Any
    ) -> None:
        try:
            token = place_device(name, DeviceKind(kind), station=station, plant=plant)
        except CannotPlace as error:
            raise CommandError(str(error)) from None
        self.stdout.write(token)
