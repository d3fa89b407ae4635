"""The living board in a browser: changes without reload, calm order, and an honest age."""

from __future__ import annotations

import re
from datetime import UTC, timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, expect

from jitapp import switchboard
from jitapp.plant.models import Loop, Plant
from jitapp.pull.models import LoopState, Receipt, Turn
from jitapp.pulse import beats
from tests.journeys.pages import Site, log_in, scan
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
        expect(row.locator(".bin")).to_have_count(2)
        assert board.evaluate("document.body.dataset.mark") == "not reloaded"


def test_check_29_twenty_tabs_share_one_stream_and_another_takes_over(pages: Site, shop: Shop) -> None:
    with pages.context() as context:
        tabs = [context.new_page() for _ in range(20)]
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


def dry(shop: Shop, code: str, minutes_ago: int) -> None:
    """The loop has been empty for so long, and its board hears of it."""
    loop = shop.loops[code]
    loop.cards.update(supply_status="EMPTY")
    shop.runout(loop, minutes_ago=minutes_ago)
    raise_version(loop)
    switchboard.tell_boards([loop.pk])


def asked(shop: Shop) -> None:
    """A row that was at rest asks for more than its calm neighbour, and its board hears of it; nothing is urgent."""
    loop = shop.loops["L-OK"]
    shop.turn(shop.card(loop, 3, "EMPTY"), minutes_ago=5, due_in=300)
    loop.cards.filter(number=2).update(supply_status="EMPTY", contents=0)
    shop.turn(loop.cards.get(number=2), minutes_ago=2, due_in=300)
    raise_version(loop)
    switchboard.tell_boards([loop.pk])


def order_of(board: Page) -> list[str]:
    return [
        str(each)
        for each in board.evaluate("[...document.querySelectorAll('.c-part b')].map(b => b.textContent)")
    ]


FIRST = "#loops tbody tr:first-child"


def test_b02_a_row_that_becomes_out_stands_at_its_place_at_once_whatever_the_hand_does(
    pages: Site, shop: Shop
) -> None:
    with pages.context() as context:
        board = context.new_page()
        board.clock.install()
        open_board(board, pages)
        board.locator(f"#loop-{shop.loops['L-OUT'].pk} a").focus()
        board.locator(FIRST).hover()
        dry(shop, "L-OK", 100)
        expect(board.locator(FIRST)).to_have_id(f"loop-{shop.loops['L-OK'].pk}")
        expect(board.locator(f"#loop-{shop.loops['L-OUT'].pk} a")).to_be_focused()
        expect(board.locator(".held-back")).to_be_hidden()


def test_b02_calm_rows_wait_while_the_hand_moves_and_a_resting_hand_stops_nothing(
    pages: Site, shop: Shop
) -> None:
    with pages.context() as context:
        board = context.new_page()
        board.clock.install()
        open_board(board, pages)
        before = order_of(board)
        for place in range(3):  # a hand that moves
            board.mouse.move(300 + 20 * place, 300)
            board.clock.run_for(4_000)
        asked(shop)
        chip = board.locator(".held-back")
        expect(chip).to_be_visible()
        expect(chip).to_contain_text("1 change waits")
        assert order_of(board) == before
        board.clock.run_for(11_000)  # and rests
        expect(chip).to_be_hidden()
        after = order_of(board)
        assert after != before
        assert after.index("PCB-C-TESTED") < before.index("PCB-C-TESTED")


def test_b02_the_chip_shows_the_new_order_when_it_is_pressed(pages: Site, shop: Shop) -> None:
    with pages.context() as context:
        board = context.new_page()
        board.clock.install()
        open_board(board, pages)
        before = order_of(board)
        asked(shop)
        board.locator(".held-back button").click()
        expect(board.locator(".held-back")).to_be_hidden()
        assert order_of(board) != before


def test_check_28_focus_and_selection_survive_a_hundred_changes_and_new_orders(
    pages: Site, shop: Shop
) -> None:
    with pages.context() as context:
        board = context.new_page()
        board.clock.install()
        open_board(board, pages)
        watched = shop.loops["L-LATE"]
        board.locator(f"#loop-{watched.pk} a").focus()
        board.evaluate(
            "id => getSelection().selectAllChildren(document.querySelector(`#loop-${id} .desc`))", watched.pk
        )
        others = [shop.loops["L-ACT"], shop.loops["L-OK"]]
        for place in range(50):
            stock = shop.loops["L-OK"].cards.filter(number=1)
            stock.update(contents=1 + place % 10, supply_status="IN_USE")
            if place == 10:
                dry(shop, "L-OK", 100)
            for loop in others:
                raise_version(loop)
            switchboard.tell_boards([loop.pk for loop in others])
            board.clock.run_for(1_000)
        last = str(LoopState.objects.get(loop=others[1]).seq)
        expect(board.locator(f"#loop-{others[1].pk}")).to_have_attribute("data-v", last)
        expect(board.locator(FIRST)).to_have_id(f"loop-{others[1].pk}")
        expect(board.locator(f"#loop-{watched.pk} a")).to_be_focused()
        assert board.evaluate("getSelection().toString()") == watched.part.description


def test_check_34_every_row_that_is_not_ok_says_all_that_must_be_known(pages: Site) -> None:
    with pages.context() as context:
        board = open_board(context.new_page(), pages)
        lacking = board.evaluate(
            """[...document.querySelectorAll('.row:not(.s-ok)')].flatMap(row => ['.c-state use', '.c-dry > *',
                 '.c-part b', '.c-who .who', '.c-who .why'].filter(part => {
                   const found = row.querySelector(part);
                   return !found || (found.tagName !== 'use' && !found.textContent.trim());
                 }).map(part => row.id + ' ' + part))"""
        )
        assert lacking == []
        ages = board.locator(".row.s-out .age, .row.s-act .age, .row.s-soon .age")
        assert ages.count() == board.locator(".row.s-out, .row.s-act, .row.s-soon").count()


def test_when_nothing_needs_anybody_one_sentence_says_so_and_what_comes_next(pages: Site, shop: Shop) -> None:
    quiet = ("L-OK", "L-MOVE")
    Loop.objects.exclude(code__in=quiet).update(status="RETIRED")
    with pages.context() as context:
        board = open_board(context.new_page(), pages)
        expect(board.locator("#well")).to_be_visible()
        expect(board.locator("#well b")).to_have_text("Every buffer is filled in time.")
        expect(board.locator("#well span")).to_contain_text("Next: PCB-B-TESTED comes back at")
        dry(shop, "L-OK", 1)
        expect(board.locator("#well")).to_be_hidden()


@pytest.mark.parametrize(
    ("hours", "said"), [(1, r"\d\d:\d\d"), (48, r"[A-Z]\w\w \d\d:\d\d"), (240, r"20\d\d-\d\d-\d\d")]
)
def test_the_page_says_what_comes_next_before_its_script_does_and_in_the_same_words(
    pages: Site, shop: Shop, hours: int, said: str
) -> None:
    Loop.objects.exclude(code__in=("L-OK", "L-MOVE")).update(status="RETIRED")
    now = timezone.now()
    Plant.objects.update(time_zone=f"Etc/GMT{now.astimezone(UTC).hour - 12:+d}")  # where it is about noon
    Turn.objects.filter(loop__code="L-MOVE").update(due_at=now + timedelta(hours=hours))
    with pages.context() as context:
        page = context.new_page()
        page.route("**/js/board.js", lambda route: route.abort())
        page.goto(f"{pages.url}/b/SMT")
        before = page.locator("#well").inner_text()
        page.unroute("**/js/board.js")
        board = open_board(page, pages)
        expect(board.locator("#well b")).to_have_text("Every buffer is filled in time.")
        assert re.search(f"comes back at {said}\\.$", board.locator("#well span").inner_text())
        assert board.locator("#well").inner_text() == before


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


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "pl"])
def test_b04_nothing_flows_over_on_any_size_and_in_any_language(
    pages: Site, shop: Shop, language: str
) -> None:
    long = shop.loop(
        "L-LONG",
        "BRACKET-STAINLESS-LEFT-0815",
        "REFLOW",
        "TEST",
        description="Bracket with four threaded bushes",
    )
    for number in range(1, 13):
        shop.card(long, number, "FULL")
    spilled = """[...document.querySelectorAll('.row > *, .row .chip, .number, .call-number, .top')]
        .filter(each => each.scrollWidth > each.clientWidth + 1)
        .map(each => each.className + ': ' + each.textContent)"""
    with pages.context(width=1280, height=800) as context:
        context.add_cookies([{"name": "django_language", "value": language, "url": pages.url}])
        board = open_board(context.new_page(), pages)
        assert board.evaluate("document.documentElement.lang") == language
        for density in ("roomy", "compact"):
            board.evaluate("name => { document.documentElement.dataset.density = name; }", density)
            for width, height in ((1920, 1080), (1280, 800), (640, 400), (375, 667), (320, 640)):
                board.set_viewport_size({"width": width, "height": height})
                where = f"{density} {width}"
                assert board.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, where
                assert board.evaluate(spilled) == [], where


def test_rows_are_roomy_or_compact_as_the_device_was_told(pages: Site) -> None:
    with pages.context() as context:
        board = open_board(context.new_page(), pages)
        tall = board.locator(".row.s-ok").bounding_box()
        board.get_by_role("button", name="Rows").click()
        board.reload()
        low = board.locator(".row.s-ok").bounding_box()
        assert tall is not None
        assert low is not None
        assert low["height"] < tall["height"]


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
