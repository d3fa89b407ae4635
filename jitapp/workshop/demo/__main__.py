"""`python -m jitapp.workshop.demo`: the operators at work, after `manage.py demo_operators` has given them tablets.

A process of its own without the tables: they only know what the API tells them, and so does their memory. What they
are given comes on stdin as JSON, because it holds tokens.
"""

from __future__ import annotations

import json
import logging
import random
import signal
import sys
from threading import Event

import httpx
from django.conf import settings

from jitapp.workshop.demo.client import Stopped, Tablet, TokenEnded
from jitapp.workshop.demo.crew import Crew
from jitapp.workshop.demo.operators import Given, LiveFloor, work


def main() -> int:
    """Until SIGTERM or SIGINT; 1 if the tokens end before."""
    given = json.load(sys.stdin)
    settings.configure(REDIS_URL=given["redis"])  # all that the switches read of the settings
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for every scan would bury all others
    with httpx.Client(base_url=given["url"]) as http:
        tablets = {code: Tablet(http, token, stop) for code, token in given["tokens"].items()}
        chance = random.Random()  # noqa: S311 - who is a little slower today is no secret
        floor = LiveFloor(Given(tablets, frozenset(given["own"]), given["pins"]))
        try:
            work(floor, Crew(floor, chance), speed=given["speed"], stop=stop)
        except Stopped:
            pass
        except TokenEnded:
            sys.stderr.write("The operators' tokens ended: others were started, or the shop was emptied.\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
