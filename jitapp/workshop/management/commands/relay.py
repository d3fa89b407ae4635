"""`manage.py relay`: drains the outbox twice a second and sweeps, whether or not Redis is there."""

from __future__ import annotations

import logging
import signal
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from jitapp import switchboard
from jitapp.outages import store
from jitapp.pulse.beats import Pulse, Work

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25
CALL_SECONDS = 1.0  # how often the ERPs' due documents are looked for
SWEEP_SECONDS = 5.0
PAPER_SECONDS = 20.0  # how often state sheets are looked for
DRAIN_PATIENCE_S = 4.0  # no beat is given while a drain takes longer: signals stand still then
CALL_PATIENCE_S = 40.0  # an ERP may take ten seconds for an answer, and there may be several


def call_until(stopped: threading.Event, work: Work) -> None:
    """Asks the ERPs for documents until it is stopped, whatever they or the database do."""
    while not stopped.wait(CALL_SECONDS):
        try:
            close_old_connections()
            with store.outlived("rounds of calls to the ERPs put off"):
                switchboard.call_erp()
        except Exception:  # this thread must not end: the rows are there, and are looked at again
            logger.exception("A round of calls to the ERPs failed; documents wait.")
        work.done()


def keep_papers_until(stopped: threading.Event) -> None:
    """Makes and hands out state sheets until it is stopped. It gives no sign of life: paper that fails is told on the
    status page, and is no reason to start the relay again."""
    while not stopped.wait(PAPER_SECONDS):
        try:
            close_old_connections()
            with store.outlived("rounds of state sheets put off"):
                switchboard.keep_papers()
        except Exception:  # this thread must not end: the next round tries again
            logger.exception("A round of state sheets failed; the next one follows.")


def drain_until(stopped: threading.Event, work: Work) -> None:
    """Drains and sweeps until it is stopped, whatever the database or a sweep does."""
    swept_at = float("-inf")
    while not stopped.is_set():
        try:
            close_old_connections()
            switchboard.drain(most=500)
            if time.monotonic() - swept_at >= SWEEP_SECONDS:
                sweep()
                swept_at = time.monotonic()
            store.answered()
        except store.ERRORS as error:
            if store.told(error, cost="rounds of the relay put off") is None:
                logger.exception("A round of the relay failed; the next one follows.")
            stopped.wait(1.0)
        work.done()
        stopped.wait(POLL_SECONDS)


def sweep() -> None:
    """One sweep; a fault in it is logged, for signals must go on upstream. Raises what the database raises."""
    try:
        switchboard.sweep()
    except store.ERRORS:
        raise
    except Exception:
        logger.exception("A sweep failed; the next one begins in %s seconds.", SWEEP_SECONDS)


class Command(BaseCommand):
    help = (
        "Drains the outbox and sweeps until it is stopped; the shop works without Redis as long as this runs."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Ends by SIGTERM or SIGINT, after the batch under way."""
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        # A thread of its own: an ERP that does not answer must not keep signals from going upstream.
        calls, drains = Work(CALL_PATIENCE_S), Work(DRAIN_PATIENCE_S)
        threading.Thread(target=call_until, args=(stopped, calls), name="erp", daemon=True).start()
        threading.Thread(target=keep_papers_until, args=(stopped,), name="paper", daemon=True).start()
        pulse = Pulse("relay", lambda: drains.fresh() and calls.fresh())
        pulse.start()
        drain_until(stopped, drains)
        pulse.end()
