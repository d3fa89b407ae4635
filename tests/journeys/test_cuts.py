"""Redis, the event streams, the worker with the relay, the network: each is stopped in turn under an open board of a
running installation. The board says so, and is right again by itself.

What is asked is order, not speed; with -s the seconds are told, of which 15 until it is said and 5 until it is right
are the aims on a quiet machine.
"""

from __future__ import annotations

import json
import logging
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import psycopg2
import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.pages import until
from tests.shop import Shop

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("cuts")]
# The board with its rows, how it stands, and what it says of the server.
LIVE = "() => document.getElementById('truth')?.dataset.state === 'live' && document.getElementById('stands').hidden"
STALE = "() => ['stale', 'dead'].includes(document.getElementById('truth').dataset.state)"
SLOW = "() => document.getElementById('truth').dataset.state !== 'live'"
# Rows are drawn by whoever passes signals on: the board asks for them itself.
STANDS = "() => !document.getElementById('stands').hidden && document.getElementById('truth').dataset.state === 'slow'"
AS_NEW = "([row, version]) => Number(document.getElementById(row).dataset.v) >= version"


@dataclass
class Floor:
    """The running shop, one card after the other emptied at its line, and a board that must follow."""

    shop: Shop
    api: httpx.Client
    board: Page
    cards: list[dict[str, str]]

    def scan(self) -> tuple[str, int]:
        """A full card is emptied; the row it changes, and the version which that row then has at least."""
        card = self.cards.pop()
        row = f"loop-{card['row']}"
        before = int(self.board.get_attribute(f"#{row}", "data-v") or 0)
        scan = {"id": str(uuid4()), "code": card["code"], "station": card["station"], "intent": "empty"}
        answer = self.api.post("/scans", json=scan).json()
        assert answer["outcome"] == "applied", answer
        return row, before + 1

    def follows(self) -> float:
        """Seconds until the board shows a scan."""
        began = time.monotonic()
        until(self.board, AS_NEW, list(self.scan()))
        return time.monotonic() - began

    def processes(self, *words: str) -> list[psutil.Process]:
        """What the supervisor started with one of these words or programs in its command line, and their children."""
        assert self.shop.process is not None
        found = [
            child
            for child in psutil.Process(self.shop.process.pid).children()
            if any(Path(part.split(" ")[0]).name in words for part in child.cmdline())
        ]
        assert len(found) == len(words), (words, found)
        return [each for one in found for each in (one, *one.children(recursive=True))]

    @contextmanager
    def frozen(self, *words: str) -> Iterator[None]:
        """These stand still, and whoever would start them again does, too: as long as the block lasts."""
        assert self.shop.process is not None
        stopped = [psutil.Process(self.shop.process.pid), *self.processes(*words)]
        for each in stopped:
            each.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for each in reversed(stopped):
                each.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def floor(chromium: Browser) -> Iterator[Floor]:
    with tempfile.TemporaryDirectory(prefix="jitapp-cuts-") as name:
        shop = Shop(Path(name))
        try:
            shop.start()
            yield from _looked_at(shop, chromium)
        finally:
            shop.stop()


def _looked_at(shop: Shop, chromium: Browser) -> Iterator[Floor]:
    token = shop.manage("api_token", "cuts", "--kind", "erp", "--plant", "BOARDWORKS").stdout.strip()
    password = json.loads((shop.folder / "data" / "demo_logins.json").read_text())["ines"]
    headers = {"Authorization": f"Bearer {token}"}
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    with httpx.Client(base_url=f"{shop.url}/api/v1", headers=headers, timeout=30) as api:
        board = context.new_page()
        board.goto(f"{shop.url}/login/")
        board.fill("[name=username]", "ines")
        board.fill("[name=password]", password)
        board.click("main button.main")
        board.wait_for_url(lambda address: "/login" not in address)
        board.goto(f"{shop.url}/b/print")
        until(board, LIVE)
        yield Floor(shop, api, board, _full(shop))
    context.close()


def _full(shop: Shop) -> list[dict[str, str]]:
    """Full cards of the area, those of one loop far from each other: `code`, `station` that empties it, `row`."""
    with closing(psycopg2.connect(shop.servers["DATABASE_URL"])) as server, server.cursor() as it:
        it.execute(
            """
            SELECT card.code, station.code, card.loop_id FROM pull_card card
            JOIN plant_loop loop ON loop.id = card.loop_id
            JOIN plant_station station ON station.id = loop.demand_id
            JOIN plant_area area ON area.id = station.area_id
            WHERE area.code = 'print' AND card.supply_status = 'FULL' AND card.card_status = 'IN_CIRCULATION'
            AND loop.status = 'ACTIVE'
            ORDER BY card.number, card.loop_id
            """
        )
        return [{"code": code, "station": station, "row": str(loop)} for code, station, loop in it.fetchall()]


def cut(floor: Floor, what: str, words: tuple[str, ...], says: str, *, follows: bool) -> None:
    """The processes stand still until the board says so, and are let go."""
    with floor.frozen(*words):
        began = time.monotonic()
        until(floor.board, says)
        said = time.monotonic() - began
        meanwhile = (
            f"a scan meanwhile shown after {floor.follows():.1f} s" if follows else "no scan meanwhile"
        )
    began = time.monotonic()
    shown = floor.follows()
    until(floor.board, LIVE)
    live = time.monotonic() - began
    logging.getLogger(__name__).info(
        "%s: said after %.1f s; %s; after its end a scan shown in %.1f s, LIVE in %.1f s",
        what,
        said,
        meanwhile,
        shown,
        live,
    )


def test_redis_stands_still_the_board_asks_instead_and_is_live_again(floor: Floor) -> None:
    cut(floor, "Redis", ("valkey-server",), SLOW, follows=True)


def test_the_streams_stand_still_the_board_asks_instead_and_is_live_again(floor: Floor) -> None:
    cut(floor, "Streams", ("uvicorn",), SLOW, follows=True)


def test_worker_and_relay_stand_still_and_the_board_says_that_signals_do(floor: Floor) -> None:
    cut(floor, "Worker and relay", ("worker", "relay"), STANDS, follows=True)


def test_the_network_is_away_and_the_board_calls_itself_stale(floor: Floor) -> None:
    """What the browser asks for comes to nothing, and its stream is silent, as when a switch is turned off."""
    cut(floor, "Network", ("uvicorn", "granian"), STALE, follows=False)
