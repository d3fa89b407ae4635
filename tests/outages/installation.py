"""A whole installation beside a PostgreSQL that can be stopped and started, and scan pages that are open in it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from playwright.sync_api import Browser, Page

from jitapp.workshop import processes
from jitapp.workshop.embedded.both import Running, start_both
from tests.shop import Shop

PLANT = "STOREAWAY"
PASSWORD = "scan-the-card"
PEOPLE = ("mia", "ole")
SERVER_PATIENCE_S = 120.0


def shop_file(loops: int, cards: int) -> dict[str, Any]:
    """A cell with so many loops from one press, each with so many full cards."""
    numbers = range(1, loops + 1)
    plant = {
        "code": PLANT,
        "areas": [{"code": f"{PLANT}-area", "name": "Cell"}],
        "people": [{"username": name, "name": name.title(), "role": "operator"} for name in PEOPLE],
        "stations": [
            {"code": "PRESS", "name": "Press", "area": f"{PLANT}-area", "kind": "PROCESS"},
            {"code": "CELL", "name": "Cell", "area": f"{PLANT}-area", "kind": "PROCESS"},
        ],
        "parts": [{"number": f"P-{number}"} for number in numbers],
        "loops": [
            {
                "code": f"L-{number}",
                "part": f"P-{number}",
                "supply": "PRESS",
                "demand": "CELL",
                "kind": "TWO_BIN",
                "cards": cards,
                "quantity": "4",
                "first": "FULL",
            }
            for number in numbers
        ],
    }
    return {"shop": 1, "plants": [plant]}


@dataclass(slots=True)
class Installation:
    """`manage.py up` with its PostgreSQL in our hands."""

    shop: Shop
    servers: Running
    folder: Path

    def stop_postgres(self) -> None:
        """As an administrator would: every session is ended."""
        child, command = self.servers.children[0]
        processes.stop(child, command.stop_signal, patience=60)

    def crash_postgres(self) -> None:
        """All of its processes at once; the next start recovers from the log of what was written."""
        child, _ = self.servers.children[0]
        processes.kill_group(child.pid)
        child.wait()

    def start_postgres(self) -> None:
        """Until it answers."""
        command = self.servers.children[0][1]
        with (self.folder / "postgres.log").open("ab") as output:
            child: subprocess.Popen[bytes] = processes.start(command, output=output)
        self.servers.children[0] = (child, command)
        deadline = time.monotonic() + SERVER_PATIENCE_S
        while not self.servers.postgres.answers():
            assert child.poll() is None, (self.folder / "postgres.log").read_text()[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def rows(self, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the database holds."""
        connection = psycopg2.connect(self.servers.postgres.admin_url)
        try:
            with connection.cursor() as cursor:
                cursor.execute(question, values)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def write(self, statement: str, *values: Any) -> None:
        """One change past the application, committed."""
        connection = psycopg2.connect(self.servers.postgres.admin_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, values)
        finally:
            connection.close()

    def codes(self, loop: str) -> list[str]:
        """The codes of a loop's cards, in their order."""
        question = (
            "SELECT c.code FROM pull_card c JOIN plant_loop l ON l.id = c.loop_id"
            " WHERE l.code = %s ORDER BY c.number"
        )
        return [row[0] for row in self.rows(question, loop)]

    def scan_page(self, browser: Browser, person: str, station: str = "CELL") -> Page:
        """An open scan page, in a browser profile of its own."""
        page = browser.new_context().new_page()
        page.goto(f"{self.shop.url}/login/")
        page.fill("[name=username]", person)
        page.fill("[name=password]", PASSWORD)
        page.click("main button.main")
        page.goto(f"{self.shop.url}/s/")
        page.click(f"button[value='{station}']")
        page.wait_for_selector("#result[data-ready]")
        return page


@contextmanager
def installation(folder: Path, *, loops: int, cards: int) -> Iterator[Installation]:
    """A running installation with a shop of this size, and two people who can log in."""
    servers = start_both(folder / "servers", durable=False)
    wishes = {
        "DATABASE_URL": servers.postgres.url,
        "DATABASE_OWNER_URL": servers.postgres.owner_url,
        "REDIS_URL": servers.valkey.url,
        "JITAPP_DEMO": "0",
    }
    shop = Shop(folder / "shop", wishes)
    try:
        shop.start()
        file = folder / "shop.json"
        file.write_text(json.dumps(shop_file(loops, cards)))
        shop.manage("load_shop", str(file))
        lines = ["from jitapp.accounts.models import Person"]
        lines += [
            "for person in Person.objects.all():",
            f"    person.set_password({PASSWORD!r})",
            "    person.save()",
        ]
        shop.manage("shell", "-c", "\n".join(lines))
        yield Installation(shop, servers, folder)
    finally:
        shop.stop()
        servers.stop(remove=True)
