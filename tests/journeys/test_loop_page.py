"""The page of a loop in a browser: it follows its loop without reload, says how old it is, and zooms when asked."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from jitapp import switchboard
from jitapp.accounts.models import Person
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Membership, Station
from jitapp.pull.models import Receipt
from tests.journeys.pages import Site, log_in, scan, until
from tests.journeys.test_axe import violations
from tests.live.served import wait_until
from tests.web.shop import Shop, a_person, every_state

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop() -> Shop:
    made = every_state(timezone.now())
    a_person(made)
    mia = Person.objects.get(username="mia")
    Membership.objects.create(person=mia, plant=made.plant, role=Role.LEADER)
    return made


def scan_empty(operator: Page, shop: Shop, number: int) -> None:
    applied = Receipt.objects.filter(outcome="applied")
    before = applied.count()
    scan(operator, shop.loops["L-OK"].cards.get(number=number).code)
    wait_until(lambda: applied.count() == before + 1)
    switchboard.drain()


def test_a_scan_changes_the_page_and_leaves_focus_and_what_is_open(pages: Site, shop: Shop) -> None:
    loop = shop.loops["L-OK"]
    with pages.context() as context:
        operator = context.new_page()
        log_in(operator, pages.url, "SHIP")
        scan_empty(operator, shop, 1)
        page = context.new_page()
        page.goto(f"{pages.url}/l/{loop.pk}")
        expect(page.locator("#truth")).to_have_attribute("data-state", "live")
        page.evaluate("document.body.dataset.mark = 'not reloaded'")
        page.locator("#stock-table summary").click()
        page.locator(".choice a").nth(1).focus()
        expect(page.locator("#part-state .chip")).to_have_text("MOVING")
        scan_empty(operator, shop, 2)
        expect(page.locator("#part-state .chip")).to_have_text("OUT")
        expect(page.locator("#part-state .dry")).to_contain_text("Nothing has been left for")
        expect(page.locator(".cards-table .b-empty")).to_have_count(2)
        expect(page.locator("#part-runouts")).to_contain_text("still open")
        assert page.evaluate("document.body.dataset.mark") == "not reloaded"
        assert page.locator("#stock-table").get_attribute("open") is not None
        assert page.evaluate("document.activeElement.getAttribute('href')") == "?days=7"


def test_a_loop_without_an_area_is_asked_for(pages: Site, shop: Shop) -> None:
    Station.objects.filter(code="SHIP").update(area=None)
    loop = shop.loops["L-OK"]
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "TEST")
        page.goto(f"{pages.url}/l/{loop.pk}")
        expect(page.locator("#truth")).to_have_attribute("data-state", "live")
        loop.status, loop.hold_reason = "ON_HOLD", "audit of the rack"
        loop.save()
        expect(page.locator("#part-state")).to_contain_text("audit of the rack", timeout=20_000)


def test_a_page_that_hears_nothing_says_so(pages: Site, shop: Shop) -> None:
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "TEST")
        page.clock.install()
        page.goto(f"{pages.url}/l/{shop.loops['L-OK'].pk}")
        expect(page.locator("#truth")).to_have_attribute("data-state", "live")
        page.route("**/now*", lambda route: route.abort())
        context.route("**/live/board*", lambda route: route.abort())
        pages.live.hub._clients.clear()  # the stream stays open and falls silent
        page.clock.fast_forward(16_000)
        expect(page.locator("#truth")).to_have_attribute("data-state", "stale")
        pages.live.hub._clients.clear()
        page.clock.fast_forward(45_000)
        expect(page.locator("#stale")).to_contain_text("NO DATA SINCE")


def test_the_picture_is_zoomed_by_what_is_loaded_only_then(pages: Site, shop: Shop) -> None:
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "SHIP")
        scan_empty(page, shop, 1)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{pages.url}/l/{shop.loops['L-OK'].pk}")
        button = page.locator("[data-zoom]")
        expect(button).to_be_visible()
        assert not [url for url in asked if "uPlot" in url]
        button.click()
        expect(page.locator(".zoomed canvas")).to_be_visible()
        expect(button).to_have_text("Close the zoom")
        assert all(url.startswith(pages.url) or "/live/" in url for url in asked), asked
        # What is painted: the line is not of the ground's colour.
        until(
            page,
            """() => {
              const canvas = document.querySelector('.zoomed canvas');
              const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
              return data.some((value, i) => i % 4 === 3 && value > 200);
            }""",
        )
        button.click()
        expect(page.locator(".zoomed")).to_have_count(0)
        page.route("**/stock", lambda route: route.abort())
        button.click()
        expect(button).to_have_text("The picture could not be loaded. Try again.")


def test_axe_finds_nothing_on_a_loop_a_card_and_an_event(pages: Site, shop: Shop) -> None:
    wrong: dict[str, list[str]] = {}
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "SHIP")
        scan_empty(page, shop, 1)
        paths = [f"/l/{loop.pk}" for loop in shop.loops.values()]
        paths += [
            f"/k/{shop.loops['L-OUT'].cards.get(number=1).code}",
            f"/l/{shop.loops['L-OK'].pk}/e/11",
            "/k/KB000000010",
        ]
        for path in paths:
            page.goto(f"{pages.url}{path}")
            for theme in ("day", "dim", "sun"):
                page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
                if found := violations(page):
                    wrong[f"{path} {theme}"] = found
            page.evaluate("document.documentElement.dir = 'rtl'")
            if found := violations(page):
                wrong[f"{path} rtl"] = found
    assert wrong == {}


@pytest.mark.parametrize("width", [320, 375, 1280])
def test_no_page_moves_sideways(pages: Site, shop: Shop, width: int) -> None:
    wide: dict[str, int] = {}
    with pages.context(width=width, height=667) as context:
        page = context.new_page()
        log_in(page, pages.url, "SHIP")
        scan_empty(page, shop, 1)
        for path in (
            *(f"/l/{loop.pk}?days=30" for loop in shop.loops.values()),
            f"/l/{shop.loops['L-OK'].pk}/e/11",
            f"/k/{shop.loops['L-ACT'].cards.get(number=2).code}",
        ):
            page.goto(f"{pages.url}{path}")
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                wide[path] = over
    assert wide == {}
