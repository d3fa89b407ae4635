"""`manage.py relay`: drains the outbox twice a second and sweeps, whether or not Redis is there."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import Any

import psycopg2
from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections

from jitapp import switchboard

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25
SWEEP_SECONDS = 5.0


class Command(BaseCommand):
    help = (
        "Drains the outbox and sweeps until it is stopped; the shop works without Redis as long as this runs."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Ends by SIGTERM or SIGINT, after the batch under way."""
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        swept_at = float("-inf")
        while not stopped.is_set():
            try:
                close_old_connections()
                switchboard.drain(most=500)
                if time.monotonic() - swept_at >= SWEEP_SECONDS:
                    switchboard.sweep()
                    swept_at = time.monotonic()
            except (Error, psycopg2.Error) as error:
                logger.warning("The database does not answer (%s); trying again.", str(error).strip())
                stopped.wait(1.0)
            stopped.wait(POLL_SECONDS)
