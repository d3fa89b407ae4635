"""A board of very many loops in a browser: a page of its rows, kept true by single rows.

The suite tries 400 loops; `JITAPP_WIDE=10000` tries so many and is meant for the figures (`-o log_cli=true`).
"""

from __future__ import annotations

import logging
import os
import time
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, expect

from jitapp import switchboard
from jitapp.plant.models import Loop
from jitapp.pull.models import BoardLine, Card, LoopState
from jitapp.pull.reading.window import MOST_MEASURED, PAGE
from tests.journeys.pages import Site, until
from tests.live.served import wait_until
from tests.web.crowd import crowd
from tests.web.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)
logger = logging.getLogger(__name__)
LOOPS = int(os.environ.get("JITAPP_WIDE", "400"))
LONG_TASKS = """() => { window.longest = 0; window.tasks = []; new PerformanceObserver((list) => {
  for (const task of list.getEntries()) {
    window.longest = Math.max(window.longest, task.duration);
    window.tasks.push([Math.round(task.startTime), Math.round(task.duration)]);
  }
}).observe({ type: "longtask", buffered: true }) }"""
# ms since the address was entered: the server's first byte, its last, the first paint, all loaded; then each long task.
TIMES = """() => { const [to] = performance.getEntriesByType("navigation");
  const paint = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
  const ms = { first: to.responseStart, last: to.responseEnd, paint, loaded: to.loadEventEnd };
  for (const name in ms) ms[name] = Math.round(ms[name]);
  return JSON.stringify({ ...ms, tasks: window.tasks }); }"""


@pytest.fixture
def shop(settings: LazySettings) -> Shop:
    settings.DEMO = "1"
    settings.DEMO_PLANT = "ORLANDO"
    made = crowd(LOOPS, timezone.now())
    for _ in range(LOOPS // MOST_MEASURED + 1):
        switchboard.look_again()
    assert BoardLine.objects.count() == LOOPS
    return made


def open_board(page: Page, pages: Site, asked: str = "") -> None:
    page.goto(f"{pages.url}/b/SMT{asked}")
    expect(page.locator("#truth")).to_have_attribute("data-state", "live")


def empties(shop: Shop, loop: Loop, *, minutes_ago: int = 600) -> None:
    """The loop has nothing left, as its scans would leave it."""
    Card.objects.filter(loop=loop).update(supply_status="EMPTY", contents=0)
    shop.runout(loop, minutes_ago=minutes_ago)
    changed(loop)


def changed(loop: Loop) -> None:
    LoopState.objects.filter(loop=loop).update(seq=LoopState.objects.get(loop=loop).seq + 1)
    switchboard.tell_boards([loop.pk])


def calm(shop: Shop) -> Loop:
    return Loop.objects.filter(board_line__state="ok").order_by("-pk").first() or pytest.fail("none is calm")


def test_a_row_that_becomes_urgent_comes_to_the_first_page_and_another_leaves(
    pages: Site, shop: Shop
) -> None:
    loop = calm(shop)
    with pages.context() as context:  # the first page of a process is slower: its templates are read
        open_board(context.new_page(), pages)
    with pages.context(width=1920, height=1080) as context:
        page = context.new_page()
        page.add_init_script(f"({LONG_TASKS})()")
        begun = time.perf_counter()
        page.goto(f"{pages.url}/b/SMT")
        first_rows = page.locator("tr[data-loop]").count()
        shown_after = time.perf_counter() - begun
        expect(page.locator("#truth")).to_have_attribute("data-state", "live")
        assert first_rows == PAGE
        expect(page.locator("#where")).to_have_text(f"Rows 1 to {PAGE} of {LOOPS}")
        before = int(page.locator(".number.s-out b").inner_text())
        begun = time.perf_counter()
        empties(shop, loop)
        told_after = time.perf_counter() - begun
        until(page, "id => document.querySelector('#loops tbody tr').id === id", f"loop-{loop.pk}")
        changed_after = time.perf_counter() - begun
        expect(page.locator(".number.s-out b")).to_have_text(str(before + 1))
        until(page, "most => document.querySelectorAll('tr[data-loop]').length === most", PAGE)
        logger.info(
            "%d loops: first rows %.2f s, change drawn and sent %.2f s, shown %.2f s, longest task %.0f ms, %d kB",
            LOOPS,
            shown_after,
            told_after,
            changed_after,
            page.evaluate("window.longest"),
            len(page.content()) // 1000,
        )
        logger.info("of these: %s", page.evaluate(TIMES))


def test_the_other_pages_are_reached_and_show_what_changes_on_them(pages: Site, shop: Shop) -> None:
    with pages.context() as context:
        page = context.new_page()
        open_board(page, pages)
        page.get_by_role("link", name="Less urgent").click()
        expect(page.locator("#where")).to_have_text(f"Rows {PAGE + 1} to {2 * PAGE} of {LOOPS}")
        row = page.locator("tr[data-loop]").nth(PAGE // 2)
        number = int(row.get_attribute("data-loop") or "0")
        changed(Loop.objects.get(pk=number))
        expect(page.locator(f"#loop-{number}")).to_have_attribute("data-v", "21")
        expect(page.locator("tr[data-loop]")).to_have_count(PAGE)
        empties(shop, Loop.objects.get(pk=number))  # it goes to the first page, and the next one comes up
        expect(page.locator(f"#loop-{number}")).to_have_count(0)
        expect(page.locator("tr[data-loop]")).to_have_count(PAGE)


def test_what_is_looked_for_comes_and_goes_as_it_fits(pages: Site, shop: Shop) -> None:
    loop = calm(shop)
    with pages.context() as context:
        page = context.new_page()
        open_board(page, pages)
        page.locator(".number.s-out").click()
        expect(page.locator(".number.s-out")).to_have_attribute("aria-current", "true")
        out = BoardLine.objects.filter(state="out").count()
        expect(page.locator("tr[data-loop]")).to_have_count(min(out, PAGE))
        empties(shop, loop, minutes_ago=1)  # the least urgent of them
        expect(page.locator(f"#loop-{loop.pk}")).to_be_visible()
        loop.runouts.update(closed_at=timezone.now(), opened_at=timezone.now() - timedelta(hours=1))
        Card.objects.filter(loop=loop).update(supply_status="FULL", contents=12)
        changed(loop)
        expect(page.locator(f"#loop-{loop.pk}")).to_have_count(0)
        page.fill("#find", shop.loops["LOOP-00123"].part.number)
        page.press("#find", "Enter")
        expect(page.locator("#none-fit")).to_be_visible()
        page.locator("#none-fit a").click()
        page.fill("#find", "PART-00123")
        page.press("#find", "Enter")
        expect(page.locator("tr[data-loop]")).to_have_count(1)
        changed(shop.loops["LOOP-00123"])
        row = page.locator(f"#loop-{shop.loops['LOOP-00123'].pk}")
        expect(row).to_have_attribute("data-v", "21")


def test_a_board_that_lost_a_row_has_it_with_its_next_reading(pages: Site, shop: Shop) -> None:
    loop = calm(shop)
    with pages.context() as context:
        page = context.new_page()
        open_board(page, pages)
        with connection.cursor() as cursor:  # nobody is told
            cursor.execute("UPDATE pull_loopstate SET seq = seq + 1 WHERE loop_id = %s", [loop.pk])
        Card.objects.filter(loop=loop).update(supply_status="EMPTY", contents=0)
        shop.runout(loop, minutes_ago=900)
        switchboard.look_again()
        wait_until(lambda: BoardLine.objects.get(loop=loop).state == "out")
        until(page, "id => document.querySelector('#loops tbody tr').id === id", f"loop-{loop.pk}")
