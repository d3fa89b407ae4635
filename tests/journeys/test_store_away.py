"""S1: PostgreSQL is stopped while two scan pages are open: what is scanned meanwhile is kept, and sent in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.journeys.pages import aside, scan
from tests.outages.installation import Installation, installation

pytestmark = pytest.mark.timeout(900)
PATIENCE_MS = 240_000  # a busy machine takes its time; a page tries at least every quarter of a minute


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Ours alone: nobody else's database may go away."""
    with installation(tmp_path_factory.mktemp("away"), loops=4, cards=3) as made:
        yield made


def statuses(page: Page) -> list[int]:
    """The statuses of the answers to what the page sends, as they come."""
    found: list[int] = []

    def note(response: Response) -> None:
        if response.url.endswith("/s/scans"):
            found.append(response.status)

    page.on("response", note)
    return found


def of_the_list(status: int) -> Callable[[Response], bool]:
    """Whether an answer is that of the renewed list of calls, with this status."""
    return lambda answer: "/calls/list" in answer.url and answer.status == status


@pytest.mark.parametrize(
    ("away", "loops"),
    [(Installation.stop_postgres, ("L-1", "L-2")), (Installation.crash_postgres, ("L-3", "L-4"))],
    ids=["stopped", "crashed"],
)
def test_s01_two_open_scan_pages_lose_and_set_aside_nothing_while_postgresql_is_away(
    running: Installation,
    chromium: Browser,
    away: Callable[[Installation], None],
    loops: tuple[str, str],
) -> None:
    pages = {
        loop: running.scan_page(chromium, person) for loop, person in zip(loops, ("mia", "ole"), strict=True)
    }
    codes = {loop: running.codes(loop) for loop in pages}
    said = {loop: statuses(page) for loop, page in pages.items()}
    calls = pages[loops[0]].context.new_page()  # a list that asks again every five seconds
    calls.goto(f"{running.shop.url}/calls")
    away(running)
    try:
        for number in range(3):
            for loop, page in pages.items():
                scan(page, codes[loop][number])
                expect(page.locator("#result")).to_have_attribute("data-look", "saved", timeout=PATIENCE_MS)
        for loop, page in pages.items():
            expect(page.locator("#link .word")).to_contain_text("3 waiting")
            while len(said[loop]) < 5:  # as often as once made the page give up, and once more
                page.wait_for_timeout(100)
            assert set(said[loop]) == {503}
            assert aside(page) == []
        with calls.expect_response(of_the_list(503), timeout=PATIENCE_MS):
            pass
        expect(calls.locator("#calls-list")).to_have_count(1)
        board = chromium.new_context().new_page()
        answer = board.goto(f"{running.shop.url}/calls", timeout=PATIENCE_MS)
        assert answer is not None
        assert answer.status == 503
        expect(board.locator("main")).to_contain_text("Nothing is lost. This page tries again by itself.")
    finally:
        running.start_postgres()
    for loop, page in pages.items():
        expect(page.locator("#link")).to_have_attribute("data-state", "live", timeout=PATIENCE_MS)
        expect(page.locator("#last li")).to_have_count(3)
        assert aside(page) == []
        applied = running.rows(
            "SELECT c.code, r.outcome FROM pull_receipt r JOIN pull_card c ON c.id = r.card_id"
            " JOIN plant_loop l ON l.id = c.loop_id WHERE l.code = %s ORDER BY r.id",
            loop,
        )
        assert applied == [(code, "applied") for code in codes[loop]]
    with calls.expect_response(of_the_list(200), timeout=PATIENCE_MS):
        pass
    expect(calls.locator("#calls-list")).to_have_count(1)
    # The page that said so has loaded itself again: it is the login, which needs the database.
    expect(board).to_have_url(re.compile("/login/"), timeout=PATIENCE_MS)
    assert "Traceback" not in running.shop.log
