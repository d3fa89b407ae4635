"""Figures on an installation of its own: `python -m tests.outages.measures away` or `settings`.

`away`: PostgreSQL is stopped for so many seconds under clients that send each scan until it is answered 200, and two
open scan pages on which three cards each are scanned meanwhile. `settings`: master data is written so many times a
second beside scans, none of which is sent again.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from playwright.sync_api import Page, sync_playwright

from tests.outages.installation import PLANT, Installation, installation

ROUND = ("empty", "start", "complete", "load", "receive")
PATIENCE_S = 60.0
WRITERS = 6


@dataclass
class Client:
    """A program with a token; counts what it is answered."""

    place: str
    token: str
    answers: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    sent: set[str] = field(default_factory=set)
    _line: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """(status, answer); status 0 without one."""
        begun = time.monotonic()
        try:
            if self._line is None:
                self._line = http.client.HTTPConnection(self.place, timeout=20)
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            self._line.request(method, f"/api/v1{path}", json.dumps(body), headers)
            answer = self._line.getresponse()
            status, said = answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._line = None
            status, said = 0, {"code": f"{type(error).__name__} {error}"}
        self.seconds.append(time.monotonic() - begun)
        self.answers[f"{status} {said.get('code', '')}" if status >= 400 or not status else str(status)] += 1
        return status, said

    def scan(self, code: str, intent: str, *, until_taken: bool, stopped: threading.Event) -> None:
        """One scan, with one id however often it is sent."""
        body = {"id": str(uuid4()), "code": code, "intent": intent}
        for _ in range(1_000):
            status, said = self.ask("POST", "/scans", body)
            if status == 200:
                self.sent.add(body["id"])
                self.answers[f"outcome {said['outcome']}"] += 1
            if status == 200 or not until_taken:
                return
            time.sleep(0.5)


def crowd(
    running: Installation, number: int, *, until_taken: bool, stopped: threading.Event
) -> tuple[list[Client], ThreadPoolExecutor]:
    """So many clients, each with a loop of its own, scanning until they are stopped."""
    clients = []
    pool = ThreadPoolExecutor(number)
    for place in range(1, number + 1):
        token = running.shop.manage("api_token", f"client {place}", "--kind", "erp", "--plant", PLANT)
        client = Client(urlsplit(running.shop.url).netloc, token.stdout.strip())
        clients.append(client)
        pool.submit(_rounds, client, running.codes(f"L-{place}"), until_taken, stopped)
    return clients, pool


def _rounds(client: Client, codes: list[str], until_taken: bool, stopped: threading.Event) -> None:
    while not stopped.is_set():
        for code in codes:
            for intent in ROUND:
                if stopped.is_set():
                    return
                client.scan(code, intent, until_taken=until_taken, stopped=stopped)
                time.sleep(0.02)


def away(running: Installation, seconds: float, number: int) -> dict[str, Any]:
    """PostgreSQL is away for so long."""
    stopped = threading.Event()
    clients, pool = crowd(running, number, until_taken=True, stopped=stopped)
    with sync_playwright() as playwright:
        program = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program)
        people = {f"L-{number + 1}": "mia", f"L-{number + 2}": "ole"}
        pages = {loop: running.scan_page(browser, person) for loop, person in people.items()}
        codes = {loop: running.codes(loop) for loop in pages}
        posts: Counter[str] = Counter()
        for page in pages.values():
            page.on("response", _noting(posts))
        page.wait_for_timeout(3_000)
        begun = time.monotonic()
        running.stop_postgres()
        for place in range(3):
            for loop, page in pages.items():
                page.keyboard.type(codes[loop][place])
                page.keyboard.press("Enter")
                page.wait_for_timeout(2_000)
        page.wait_for_timeout(max(0.0, seconds - (time.monotonic() - begun)) * 1000)
        running.start_postgres()
        lasted, back = time.monotonic() - begun, time.monotonic()
        _until(lambda: all(_kept(page, "waiting") == 0 for page in pages.values()))
        page.wait_for_timeout(5_000)
        healed = time.monotonic() - back - 5
        aside = sum(_kept(page, "aside") for page in pages.values())
        stopped.set()
        pool.shutdown()
        browser.close()
    kept = {str(row[0]) for row in running.rows("SELECT scan_id FROM pull_receipt")}
    ours = running.rows(
        "SELECT l.code, c.code, r.outcome FROM pull_receipt r JOIN pull_card c ON c.id = r.card_id"
        " JOIN plant_loop l ON l.id = c.loop_id WHERE l.code = ANY(%s) ORDER BY r.id",
        list(pages),
    )
    return {
        "postgresql away, s": round(lasted, 1),
        "clients": number,
        "answers to clients": _added(clients),
        "scans of clients answered 200": sum(len(client.sent) for client in clients),
        "of these not in the database": len(set().union(*(client.sent for client in clients)) - kept),
        "answers to the two pages": dict(posts.most_common()),
        "set aside": aside,
        "applied once and in order": all(
            [row[1:] for row in ours if row[0] == loop] == [(code, "applied") for code in codes[loop]]
            for loop in pages
        ),
        "pages empty after, s": round(healed, 1),
        "tracebacks in the log": running.shop.log.count("Traceback"),
        "lines about the outage": [
            line for line in running.shop.log.splitlines() if "jitapp.outages" in line
        ],
    }


def _added(clients: list[Client]) -> dict[str, int]:
    return dict(sum((client.answers for client in clients), Counter[str]()).most_common())


def _noting(posts: Counter[str]) -> Callable[[Any], None]:
    def note(response: Any) -> None:
        if response.request.method == "POST":
            posts[str(response.status)] += 1

    return note


def _kept(page: Page, name: str) -> int:
    return len(json.loads(page.evaluate(f"localStorage.getItem('jitapp.{name}')") or "[]"))


def _until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not so():
        if time.monotonic() > deadline:
            return
        time.sleep(0.2)


def changing(running: Installation, seconds: float, number: int, rate: float, *, sql: bool) -> dict[str, Any]:
    """Master data is written at this rate beside scans: by the API, or (`sql`) past it where a machine is too slow."""
    stopped = threading.Event()
    token = running.shop.manage("api_token", "writer", "--kind", "erp", "--plant", PLANT).stdout.strip()
    writers = [Client(urlsplit(running.shop.url).netloc, token) for _ in range(WRITERS)]
    clients, pool = crowd(running, number, until_taken=False, stopped=stopped)
    for client in clients:
        client.answers.clear()
        client.seconds.clear()
    begun = time.monotonic()

    def write(writer: Client, place: int) -> None:
        """Its share of the writes, on time where it can."""
        for done in range(place, int(seconds * rate), WRITERS):
            time.sleep(max(0.0, begun + done / rate - time.monotonic()))
            said = {"description": f"written {done} times"}
            if sql:
                running.write(
                    "UPDATE plant_part SET description = %s WHERE number = 'P-1'", said["description"]
                )
                writer.seconds.append(0.0)
                writer.answers["by SQL"] += 1
            else:
                writer.ask("PUT", f"/parts/P-{done % number + 1}", said)

    with ThreadPoolExecutor(WRITERS) as writing:
        list(writing.map(write, writers, range(WRITERS)))
    lasted = time.monotonic() - begun
    stopped.set()
    pool.shutdown()
    writes = sum(len(writer.seconds) for writer in writers)
    times = sorted(second for client in clients for second in client.seconds)
    return {
        "seconds": round(lasted, 1),
        "writes a second": round(writes / lasted, 1),
        "answers to writes": _added(writers),
        "scans": len(times),
        "answers to scans": _added(clients),
        "scan p50, ms": round(median(times) * 1000, 1),
        "scan p99, ms": round(times[int(len(times) * 0.99)] * 1000, 1),
        "tracebacks in the log": running.shop.log.count("Traceback"),
    }


def main() -> None:
    """Prints the figures as JSON."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("what", choices=("away", "settings"))
    asked.add_argument("--seconds", type=float, default=45.0)
    asked.add_argument("--clients", type=int, default=16)
    asked.add_argument("--rate", type=float, default=25.0, help="writes a second")
    asked.add_argument("--sql", action="store_true", help="write past the API")
    given = asked.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="jitapp-away-") as name,
        installation(Path(name), loops=given.clients + 2, cards=3) as running,
    ):
        found = (
            away(running, given.seconds, given.clients)
            if given.what == "away"
            else changing(running, given.seconds, given.clients, given.rate, sql=given.sql)
        )
    json.dump(found, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
