"""From the start of the demonstration to the first scan, by controls that everybody sees: a phone reads the code on the
board, one button, and the row on the other screen says whose scan it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from jitapp.symbology.decode import decode
from jitapp.web.qr import qr
from tests.floor import Floor
from tests.journeys.pages import Site, scan, site
from tests.journeys.showroom import showroom

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def floor(settings: LazySettings) -> Floor:
    return showroom(settings)


@pytest.fixture
def pages(live_server: LiveServer, chromium: Browser, settings: LazySettings, floor: Floor) -> Iterator[Site]:
    with site(live_server, chromium, settings) as running:
        yield running


def test_a_visitor_scans_by_phone_and_sees_the_row_say_so(pages: Site, floor: Floor) -> None:
    touches = 0
    with pages.context() as desk, pages.context(width=375, height=667) as pocket:
        board = desk.new_page()
        board.goto(pages.url)
        board.get_by_role("link", name="Log in").first.click()
        board.fill("[name=username]", "mia")
        board.fill("[name=password]", "scan-the-card")
        board.locator("main button.main").click()
        board.get_by_role("link", name="Hall").first.click()
        touches += 5
        panel = board.locator("#trying")
        expect(panel.locator(".inside")).to_be_hidden()  # it lies over the rows only when it is asked for
        panel.locator("summary").click()
        touches += 1
        expect(panel.locator(".inside")).to_contain_text("Scan it with your phone")
        address = panel.locator("a.code-picture").get_attribute("href")
        assert address is not None
        # The picture is the code of that address.
        assert panel.locator("path").get_attribute("d") == qr(address).path

        phone = pocket.new_page()
        phone.goto(address)
        phone.get_by_role("button", name="Scan this card").click()
        touches += 2
        expect(phone.locator(".said")).to_have_attribute("data-look", "ok")
        row = board.locator("tr.row.yours")
        expect(row).to_contain_text("That was you", timeout=10_000)
        expect(panel.locator(".said")).to_contain_text("the row of PART has changed")
        # Done once, it stays away; the lesson brings it back.
        board.reload()
        board.wait_for_selector("#loops tbody tr")
        expect(panel).to_be_hidden()
        board.goto(f"{pages.url}/b/SHOW-AREA#trying")
        board.reload()
        expect(panel.locator(".inside")).to_be_visible()
    assert floor.status("L")[0] == "EMPTY"
    assert touches <= 8


def test_a_scanner_at_the_board_does_the_same(pages: Site, floor: Floor) -> None:
    with pages.context() as desk:
        board = desk.new_page()
        board.goto(f"{pages.url}/login/?next=/b/SHOW-AREA")
        board.fill("[name=username]", "mia")
        board.fill("[name=password]", "scan-the-card")
        board.locator("main button.main").click()
        board.locator("#trying summary").click()
        board.get_by_role("button", name="I have a scanner here").click()
        address = board.locator("#trying a.code-picture").get_attribute("href")
        assert address is not None
        assert decode(address).card == floor.card("L", 1).code
        board.wait_for_selector("html[data-scans]")
        scan(board, address)
        expect(board.locator("tr.row.yours")).to_contain_text("That was you", timeout=10_000)
    assert floor.status("L")[0] == "EMPTY"


def test_the_panel_pushes_no_row_down_and_whoever_wants_no_more_of_it_is_left_alone(pages: Site) -> None:
    for width in (375, 1280, 1920):
        with pages.context(width=width, height=900) as desk:
            board = desk.new_page()
            board.goto(f"{pages.url}/login/?next=/b/SHOW-AREA")
            board.fill("[name=username]", "mia")
            board.fill("[name=password]", "scan-the-card")
            board.locator("main button.main").click()
            panel = board.locator("#trying")
            expect(panel).to_be_visible()
            is_open = board.locator("#trying .inside").is_visible()
            assert is_open is (width == 1920)
            # Of the line that it stands in: banners above it come and go by themselves.
            tall = "() => document.querySelector('.band-row').getBoundingClientRect().height"
            before = board.evaluate(tall)
            panel.locator("summary").click()
            assert board.evaluate(tall) == before, width
            if is_open:
                panel.locator("summary").click()
            board.get_by_role("button", name="Do not show this again").click()
            expect(panel).to_be_hidden()
            board.reload()
            board.wait_for_selector("#loops tbody tr")
            expect(panel).to_be_hidden()
