"""The demonstration's simulated operators: scan through the API until stopped."""

from __future__ import annotations

import logging
import random
import signal
from threading import Event
from typing import Any

import httpx
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from jitapp.accounts.models import Device
from jitapp.env import env_int, env_str
from jitapp.kanban.words import DeviceKind
from jitapp.plant.devices import place_device
from jitapp.plant.models import Station
from jitapp.workshop.demo.client import Stopped, Tablet, TokenEnded
from jitapp.workshop.demo.operators import Crew, Shop
from jitapp.workshop.demo.shop import plant_rows

SPEED = 6  # working minutes a second: a scan every one to two seconds


class Command(BaseCommand):
    """Started by `up` with JITAPP_DEMO=live; by hand it works too."""

    help = "Simulated operators work the demonstration shop through the API until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url", default="", help="where the web process answers; this machine if not given"
        )
        parser.add_argument(
            "--speed", type=float, default=0, help=f"working minutes that pass in a second ({SPEED})"
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
        if not stations:
            raise CommandError(
                "The demonstration shop is not in this database. Load it: manage.py demo_shop."
            )
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        tokens = {
            station.code: place_device(f"Demo {station.code}", DeviceKind.TABLET, station=station.code)
            for station in stations
        }
        names = [f"Demo {code}" for code in tokens]
        own = frozenset(
            str(uuid) for uuid in Device.objects.filter(name__in=names).values_list("uuid", flat=True)
        )
        logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for every scan would bury all others
        connections.close_all()  # from here on everything goes through the API
        with httpx.Client(base_url=base) as http:
            tablets = {code: Tablet(http, token, stop) for code, token in tokens.items()}
            dice = random.Random()  # noqa: S311 - who is a little slower today is no secret
            crew = Crew(Shop(tablets, own), speed=speed, stop=stop, dice=dice)
            try:
                crew.work()
            except Stopped:
                return
            except TokenEnded:
                raise CommandError(
                    "The operators' tokens ended: others were started, or the shop was emptied."
                ) from None
