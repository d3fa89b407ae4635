"""The living board in a browser: changes without reload, calm order, and an honest age."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from jitapp import switchboard
from jitapp.plant.models import Loop
from jitapp.pull.models import LoopState, Receipt
from jitapp.pulse import beats
from tests.journeys.pages import Site, log_in, scan, site
from tests.live.served import wait_until
from tests.web.shop import Shop, a_person, every_state

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(settings: LazySettings) -> Shop:
    settings.DEMO = "1"
    settings.DEMO_PLANT = "ORLANDO"
    made = every_state(timezone.now())
    a_person(made)
    return made


@pytest.fixture
def pages(live_server: LiveServer, chromium: Browser, settings: LazySettings, shop: Shop) -> Iterator[Site]:
    with site(live_server, chromium, settings) as running:
        yield running


def open_board(page: Page, pages: Site) -> Page:
    page.goto(f"{pages.url}/b/SMT")
    expect(page.locator("#truth")).to_have_attribute("data-state", "live")
    return page


def raise_version(loop: Loop) -> None:
    LoopState.objects.filter(loop=loop).update(seq=LoopState.objects.get(loop=loop).seq + 1)


def test_a_scan_in_one_browser_changes_the_row_in_another_without_reload(pages: Site, shop: Shop) -> None:
    with pages.context() as mine, pages.context() as theirs:
        board = open_board(theirs.new_page(), pages)
        board.evaluate("document.body.dataset.mark = 'not reloaded'")
        row = board.locator(f"#loop-{shop.loops['L-OK'].pk}")
        expect(row).to_have_attribute("data-state", "ok")
        operator = mine.new_page()
        log_in(operator, pages.url, "SHIP")
        for number, card in enumerate(shop.loops["L-OK"].cards.order_by("number"), start=1):
            scan(operator, card.code)
            applied = Receipt.objects.filter(outcome="applied")
            wait_until(lambda applied=applied, number=number: applied.count() == number)
            switchboard.drain()
        expect(row).to_have_attribute("data-state", "out")
        expect(board.locator(".number.s-out b")).to_have_text("2")
        expect(row.locator(".tile")).to_have_count(2)
        assert board.evaluate("document.body.dataset.mark") == "not reloaded"


def test_ten_tabs_share_one_stream_and_another_takes_over(pages: Site, shop: Shop) -> None:
    with pages.context() as context:
        tabs = [context.new_page() for _ in range(10)]
        for tab in tabs:
            open_board(tab, pages)
        assert pages.live.hub.clients == 1
        raise_version(shop.loops["L-OK"])
        switchboard.tell_boards([shop.loops["L-OK"].pk])
        for tab in tabs:
            expect(tab.locator(f"#loop-{shop.loops['L-OK'].pk}")).to_have_attribute("data-v", "11")
        tabs[0].close()
        wait_until(lambda: pages.live.hub.clients == 1)
        raise_version(shop.loops["L-OK"])
        switchboard.tell_boards([shop.loops["L-OK"].pk])
        expect(tabs[5].locator(f"#loop-{shop.loops['L-OK'].pk}")).to_have_attribute("data-v", "12")


def test_an_older_drawing_never_replaces_a_newer_one(pages: Site, shop: Shop) -> None:
    loop = shop.loops["L-OK"]
    with pages.context() as context:
        board = open_board(context.new_page(), pages)
        raise_version(loop)
        switchboard.tell_boards([loop.pk])
        row = board.locator(f"#loop-{loop.pk}")
        expect(row).to_have_attribute("data-v", "11")
        LoopState.objects.filter(loop=loop).update(seq=3)
        switchboard.tell_boards([loop.pk])
        raise_version(shop.loops["L-MOVE"])
        switchboard.tell_boards([shop.loops["L-MOVE"].pk])
        expect(board.locator(f"#loop-{shop.loops['L-MOVE'].pk}")).to_have_attribute("data-v", "11")
        expect(row).to_have_attribute("data-v", "11")


def test_a_board_that_hears_nothing_says_so_and_recovers_by_itself(pages: Site, shop: Shop) -> None:
    with pages.context() as context:
        board = context.new_page()
        board.clock.install()
        open_board(board, pages)
        board.route("**/b/SMT/rows", lambda route: route.abort())
        context.route("**/live/board*", lambda route: route.abort())
        pages.live.hub._clients.clear()  # the stream stays open and falls silent
        board.clock.fast_forward(16_000)
        expect(board.locator("#truth")).to_have_attribute("data-state", "stale")
        expect(board.locator("#stale")).to_be_hidden()
        pages.live.hub._clients.clear()  # a stream that was on its way when the others were cut
        board.clock.fast_forward(45_000)
        expect(board.locator("#stale")).to_be_visible()
        expect(board.locator("#stale")).to_contain_text("NO DATA SINCE")
        box = board.locator("#stale").bounding_box()
        assert box is not None
        assert box["width"] == 1280
        board.clock.fast_forward(300_000)
        expect(board.locator("body")).to_have_class("board old")
        board.unroute("**/b/SMT/rows")
        context.unroute("**/live/board*")
        board.clock.run_for(30_000)
        expect(board.locator("#stale")).to_be_hidden()
        expect(board.locator("body")).to_have_class("board")


def test_rows_never_jump_under_the_readers_hand(pages: Site, shop: Shop) -> None:
    with pages.context() as context:
        board = context.new_page()
        board.clock.install()
        open_board(board, pages)
        first = "#loops tbody tr:first-child"
        dry, calm = shop.loops["L-OUT"].pk, shop.loops["L-OK"].pk
        board.locator(f"#loop-{dry} a").focus()
        for card in shop.loops["L-OK"].cards.all():
            card.supply_status = "EMPTY"
            card.save(update_fields=["supply_status"])
        shop.runout(shop.loops["L-OK"], minutes_ago=100)
        raise_version(shop.loops["L-OK"])
        switchboard.tell_boards([calm])
        expect(board.locator(f"#loop-{calm}")).to_have_attribute("data-state", "out")
        board.clock.run_for(11_000)
        expect(board.locator(first)).to_have_id(f"loop-{dry}")
        expect(board.locator(".held-back")).to_be_visible()
        board.locator(f"#loop-{dry} a").blur()
        board.mouse.move(5, 5)
        board.clock.run_for(11_000)
        expect(board.locator(first)).to_have_id(f"loop-{calm}")
        expect(board.locator(".held-back")).to_be_hidden()


def test_a_row_that_is_replaced_keeps_the_focus(pages: Site, shop: Shop) -> None:
    loop = shop.loops["L-ACT"]
    with pages.context() as context:
        board = open_board(context.new_page(), pages)
        board.locator(f"#loop-{loop.pk} a").focus()
        raise_version(loop)
        switchboard.tell_boards([loop.pk])
        expect(board.locator(f"#loop-{loop.pk}")).to_have_attribute("data-v", "11")
        expect(board.locator(f"#loop-{loop.pk} a")).to_be_focused()


@pytest.mark.parametrize("restarted", [False, True], ids=["stream cut", "stream server restarted"])
def test_what_was_missed_while_the_stream_was_cut_is_there_after_it(
    pages: Site, shop: Shop, restarted: bool
) -> None:
    loop = shop.loops["L-OK"]
    with pages.context() as context:
        board = open_board(context.new_page(), pages)
        context.set_offline(True)
        pages.live.hub.end_streams()
        wait_until(lambda: pages.live.hub.clients == 0)
        raise_version(loop)
        if restarted:
            pages.live.hub._boot = "another"
        else:
            switchboard.tell_boards([loop.pk])
        pages.live.hub.ending.clear()
        context.set_offline(False)
        expect(board.locator(f"#loop-{loop.pk}")).to_have_attribute("data-v", "11", timeout=15_000)
        expect(board.locator("#truth")).to_have_attribute("data-state", "live")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
def test_nothing_flows_over_on_the_desk_and_on_the_wall(pages: Site, width: int, height: int) -> None:
    with pages.context(width=width, height=height) as context:
        board = open_board(context.new_page(), pages)
        assert board.evaluate("document.documentElement.scrollWidth <= innerWidth")
        spilled = board.evaluate(
            """[...document.querySelectorAll('.row > *')].filter(cell => cell.scrollWidth > cell.clientWidth + 1)
               .map(cell => cell.className + ': ' + cell.textContent)"""
        )
        assert spilled == []


def test_s11_a_board_says_what_stands_still_and_takes_it_back(pages: Site) -> None:
    client = beats.connection()
    client.delete(beats.HASH)
    with pages.context() as context:
        board = open_board(context.new_page(), pages)
        line = board.locator("#stands")
        expect(line).to_be_hidden()
        said = {"signals": int(timezone.now().timestamp() * 1000), "given_up": 2}

        def comes_up(word: str) -> bool:
            beats.tell(client, said)  # what is told is kept for some seconds only
            return word in (line.text_content() or "")

        wait_until(lambda: comes_up("SIGNALS STAND STILL SINCE"), 60)
        expect(line).to_be_visible()
        expect(line).to_contain_text("tell whoever looks after the server")
        del said["signals"]
        wait_until(lambda: comes_up("2 SIGNALS WERE GIVEN UP"), 60)
        client.delete(beats.STANDS)
        expect(line).to_be_hidden(timeout=60_000)
