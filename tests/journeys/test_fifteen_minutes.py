"""Check 40: a fresh installation, by controls that everybody sees, from the demonstration to a shop of one's own and
its first scan; of the demonstration no row is left, and the next start does not make it again."""

from __future__ import annotations

import json
import logging
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.shop import Shop

MOST_INTERACTIONS = 40
MOST_SECONDS = 15 * 60
# Rows that belong to no plant and no person of one.
KEPT = {
    "accounts_wrongtries",
    "auth_permission",
    "django_content_type",
    "django_migrations",
    "django_session",
    "plant_demonstration",
    "plant_epoch",
    "pull_history",
}
# Of the new shop: its plant, its area, its administrator, and the message that has the second look made.
NEW = {"plant_plant": 1, "plant_area": 1, "plant_membership": 1, "accounts_person": 1, "outbox_message": 1}


@dataclass
class Hand:
    """Touches what is visible, and counts: a click, a field filled, a choice, a scan are one each."""

    page: Page
    touches: int = 0

    def click(self, what: Locator) -> None:
        expect(what).to_be_visible()
        what.click()
        self.touches += 1

    def fill(self, label: str, text: str) -> None:
        field = self.page.get_by_label(label, exact=True)
        expect(field).to_be_visible()
        field.fill(text)
        self.touches += 1

    def choose(self, label: str, *, value: str) -> None:
        field = self.page.get_by_label(label, exact=True)
        expect(field).to_be_visible()
        field.select_option(value)
        self.touches += 1

    def link(self, name: str) -> None:
        self.click(self.page.get_by_role("link", name=name, exact=True).first)

    def button(self, name: str) -> None:
        self.click(self.page.get_by_role("button", name=name, exact=True))


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with tempfile.TemporaryDirectory(prefix="jitapp-first-") as name:
        shop = Shop(Path(name), wishes={"JITAPP_DEMO": "live"})
        try:
            shop.start()
            yield shop
        finally:
            shop.stop()


def rows(shop: Shop) -> dict[str, int]:
    """How many rows each table has that has any."""
    with closing(psycopg2.connect(shop.servers["DATABASE_URL"])) as server, server.cursor() as it:
        it.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found: dict[str, int] = {}
        for (table,) in it.fetchall():
            it.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608
            if number := one(it):
                found[table] = int(number)
        return found


def test_from_a_fresh_installation_to_the_first_scan_of_ones_own_shop(
    shop: Shop, chromium: Browser, record_property: Any
) -> None:
    began = time.monotonic()
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, timezone_id="Europe/Warsaw")
    page = context.new_page()
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2].split(":")[0]))
    hand = Hand(page)
    password = json.loads((shop.folder / "data" / "demo_logins.json").read_text())["dana"]
    page.goto(shop.url)
    hand.link("Log in")
    hand.fill("Name", "dana")
    hand.fill("Password", password)
    hand.click(page.locator("main").get_by_role("button", name="Log in"))
    busy = rows(shop)
    assert busy["pull_event"] > 100
    assert busy["accounts_person"] == 25

    hand.link("Start my own shop")
    hand.fill("Name of the plant", "Hala Łódź 2")
    assert page.get_by_label("Its code").input_value() == "HALA-LODZ-2"
    assert page.get_by_label("Time zone").input_value() == "Europe/Warsaw"
    hand.fill("Name", "Ada Kowal")
    hand.fill("Password", "a-long-word-7")
    hand.fill("The same again", "a-long-word-7")
    hand.fill("Type BOARDWORKS to end the demonstration", "boardworks")
    hand.button("End the demonstration and start my shop")
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("body")).to_contain_text(re.compile("First steps|broke"))
    assert "broke" not in page.inner_text("body"), shop.log[-6000:]
    left = {table: number for table, number in rows(shop).items() if table not in KEPT}
    assert left == NEW

    for code, name in (("MAKE", "Press"), ("USE", "Assembly")):
        if code == "MAKE":
            hand.link("New station")
        hand.fill("Code", code)
        hand.fill("Name", name)
        hand.button("Save and make another" if code == "MAKE" else "Save")
        expect(page.locator("main")).to_contain_text(f"{code} is there now.")
    page.goto(f"{shop.url}/start/steps")
    hand.link("Make the first loop")
    hand.fill("Part", "BRACKET")
    hand.choose("From: who fills it", value="MAKE")
    hand.choose("To: who uses it", value="USE")
    hand.fill("Pieces in a container", "10")
    hand.fill("How many", "2")
    hand.choose("The containers today", value="FULL")
    hand.button("Make the loop and its cards")
    expect(page.locator("main")).to_contain_text("Print them")

    hand.link("Scan")
    hand.click(page.locator("button[value='USE']"))
    page.wait_for_selector("#result[data-ready]")
    code = first_card(shop)
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    hand.touches += 1
    expect(page.locator("#result")).to_have_attribute("data-state", "emptied")
    page.goto(f"{shop.url}/start/steps")
    expect(page.locator(".runs")).to_contain_text("Next: put card 1 on the bin of BRACKET")
    hand.link("Operator sheet, one page")
    expect(page.locator(".commands li")).to_have_count(6)
    seconds = time.monotonic() - began
    record_property("interactions", hand.touches)
    record_property("seconds", round(seconds, 1))
    logging.getLogger(__name__).info("%d interactions, %.1f s", hand.touches, seconds)
    assert hand.touches <= MOST_INTERACTIONS
    assert seconds <= MOST_SECONDS
    assert hosts == {"127.0.0.1"}
    context.close()

    # The operators have ended, quietly and for good.
    shop.wait_for(r"demo has nothing to do any more")
    shop.stop()
    shop.start()
    assert "The demonstration was ended on" in shop.log
    again = rows(shop)
    assert again["plant_plant"] == 1
    assert again["accounts_person"] == 1
    assert re.search(r"Traceback|ERROR", shop.log) is None


def first_card(shop: Shop) -> str:
    """What a scanner reads from the first card."""
    with closing(psycopg2.connect(shop.servers["DATABASE_URL"])) as server, server.cursor() as it:
        it.execute("SELECT code FROM pull_card WHERE number = 1")
        return str(one(it))


def one(cursor: Any) -> Any:
    """The one value that was asked for."""
    row = cursor.fetchone()
    assert row is not None
    return row[0]
