"""The demonstration's simulated operators: scan through the API until stopped."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from jitapp.accounts.models import Device
from jitapp.env import BASE_DIR, env_int, env_str
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant import shown
from jitapp.plant.devices import place_device
from jitapp.plant.models import Station
from jitapp.workshop.demo.logins import leaders_pins
from jitapp.workshop.demo.shop import plant_rows
from jitapp.workshop.demo.troubles import LEADERS

STDIN = 0
SPEED = 1  # the shop's lead times fit its people; another speed is for tests


class Command(BaseCommand):
    """Started by `up` with JITAPP_DEMO=live; by hand it works too."""

    help = "Simulated operators work the demonstration shop through the API until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url", default="", help="where the web process answers; this machine if not given"
        )
        parser.add_argument(
            "--speed",
            type=float,
            default=0,
            help=f"times as fast as the shop's lead times are made for ({SPEED})",
        )

    def handle(self, *_args: Any, url: str, speed: float, **_options: Any) -> None:
        speed = speed or env_int("JITAPP_DEMO_SPEED", SPEED, least=1, most=600)
        base = (
            url
            or env_str("JITAPP_DEMO_URL")
            or f"http://127.0.0.1:{env_int('PORT', 8000, least=1, most=65_535)}"
        )
        codes = [row["code"] for row in plant_rows()["stations"]]
        stations = list(Station.objects.filter(code__in=codes, plant__code=plant_rows()["code"]))
        if not stations and shown.last_ended() is not None:
            self.stdout.write("The demonstration was ended. Make it again: manage.py demo_shop --again.")
            return
        if not stations:
            raise CommandError(
                "The demonstration shop is not in this database. Load it: manage.py demo_shop."
            )
        tokens = {
            station.code: place_device(f"Demo {station.code}", DeviceKind.TABLET, station=station.code)
            for station in stations
        }
        names = [f"Demo {code}" for code in tokens]
        own = [str(uuid) for uuid in Device.objects.filter(name__in=names).values_list("uuid", flat=True)]
        given = {
            "url": base,
            "speed": speed,
            "tokens": tokens,
            "own": own,
            "redis": settings.REDIS_URL,
            "pins": leaders_pins(settings.DATA_DIR, set(LEADERS.values())),
        }
        connections.close_all()  # from here on everything goes through the API
        _become_operators(json.dumps(given).encode())


def _become_operators(given: bytes) -> NoReturn:
    """Goes on as a process without Django's apps and tables, half as large; what it needs waits on its stdin."""
    out, into = os.pipe()
    os.write(into, given)
    os.close(into)
    os.dup2(out, STDIN)
    os.chdir(BASE_DIR)
    os.execv(sys.executable, [sys.executable, "-m", "jitapp.workshop.demo"])  # noqa: S606  (no shell, our own program)
