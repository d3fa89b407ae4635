"""A board in front of a long history: as many queries and the same rows as without it.

The suite tries twenty thousand events; `JITAPP_LEDGER=5000000` tries so many and is meant for the figures
(`-o log_cli=true`).
"""

from __future__ import annotations

import gzip
import logging
import os
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jitapp import switchboard
from jitapp.pull.models import Event, Turn
from jitapp.pull.reading.board import board
from tests.web.crowd import crowd
from tests.web.shop import NOW, Shop, a_person

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(3600)]
logger = logging.getLogger(__name__)

EVENTS = int(os.environ.get("JITAPP_LEDGER", "20000"))
TIMES = 15 if "JITAPP_LEDGER" in os.environ else 1  # how often is measured; the suite asks for no figures
LOOPS, CARDS = 300, 7
EVENTS_A_TURN = 5
OLD = timedelta(days=30)  # before anything that a board learns from
MOST = 250_000  # rows in one statement

# A turn of each card after the other, the newest a month old and an hour between two of one card.
TURNS = """
INSERT INTO pull_turn (uuid, card_id, loop_id, supply_id, number, signal_state, step, reason, asked,
                       received, opened_at, released_at, closed_at, owner, owner_since)
SELECT gen_random_uuid(), c.id, c.loop_id, l.supply_id, %(newest_number)s - t.n / %(cards)s, 'CLOSED', '', '',
       c.quantity, c.quantity, at, at,
       at + interval '70 minutes', '', at
  FROM generate_series(%(first)s, %(last)s) AS t(n)
  JOIN (SELECT id, loop_id, quantity, row_number() OVER (ORDER BY id) - 1 AS place FROM pull_card) c
    ON c.place = t.n %% %(cards)s
  JOIN plant_loop l ON l.id = c.loop_id
  CROSS JOIN LATERAL (SELECT %(newest)s - t.n / %(cards)s * interval '1 hour' AS at) AS when_it_was
"""
EVENTS_OF = """
INSERT INTO pull_event (uuid, type, plant_id, loop_id, loop_seq, card_id, turn_number, ordinal, from_status,
                        to_status, occurred_at, recorded_at, late, data)
SELECT gen_random_uuid(), 'turn.released', l.plant_id, l.id, %(newest_number)s - t.n / %(loops)s, NULL, NULL, 0, '',
       '', at, at, false, '{}'
  FROM generate_series(%(first)s, %(last)s) AS t(n)
  JOIN (SELECT id, plant_id, row_number() OVER (ORDER BY id) - 1 AS place FROM plant_loop) l
    ON l.place = t.n %% %(loops)s
  CROSS JOIN LATERAL (SELECT %(newest)s - t.n / %(loops)s * interval '1 minute' AS at) AS when_it_was
"""


def remember(events: int) -> None:
    """So many old events, and the turns that they would have told of."""
    given: dict[str, Any] = {
        "cards": LOOPS * CARDS,
        "loops": LOOPS,
        "newest": NOW - OLD,
        "newest_number": events,
    }
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")  # also for what is checked when the test ends
        for statement, count in ((TURNS, events // EVENTS_A_TURN), (EVENTS_OF, events)):
            for first in range(0, count, MOST):
                cursor.execute(statement, {**given, "first": first, "last": min(first + MOST, count) - 1})
        cursor.execute("ANALYZE")


@pytest.fixture
def shop() -> Shop:
    made = crowd(LOOPS, NOW, cards=CARDS)
    Turn.objects.update(number=F("number") + EVENTS)  # room for those before them
    a_person(made)
    return made


def median_ms(work: Callable[[], object]) -> float:
    work()
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken)


def test_a_long_history_costs_a_board_nothing(shop: Shop, client: Client) -> None:
    client.login(username="mia", password="scan-the-card")
    client.get("/b/SMT")  # what a process reads once
    loop = shop.loops["LOOP-00007"]

    def measured() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as of_page:
            page = client.get("/b/SMT").content
        with CaptureQueriesContext(connection) as of_change:
            switchboard.tell_boards([loop.pk])
        queries = len(of_page), len(of_change)  # the next request forgets them
        logger.info(
            "%d events, %d turns: board %.0f ms, %d queries, %d kB, %d kB gz; a change %.1f ms, %d queries",
            Event.objects.count(),
            Turn.objects.count(),
            median_ms(lambda: client.get("/b/SMT")),
            queries[0],
            len(page) // 1000,
            len(gzip.compress(page, 6)) // 1000,
            median_ms(lambda: switchboard.tell_boards([loop.pk])),
            queries[1],
        )
        return queries

    before, rows = measured(), board("SMT", now=NOW).rows
    remember(EVENTS)
    assert Event.objects.count() == EVENTS
    assert measured() == before
    assert board("SMT", now=NOW).rows == rows
