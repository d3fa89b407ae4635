"""The supply board in a browser: live, honest of its age, and true to what somebody has begun to type."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from jitapp.plant.models import Station
from jitapp.pull.models import Card, Receipt
from tests.journeys.pages import Site, log_in, scan
from tests.journeys.test_axe import violations
from tests.web.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)


def open_queue(page: Page, pages: Site) -> Page:
    log_in(page, pages.url, "PASTE")
    page.goto(f"{pages.url}/b/supply/PASTE")
    expect(page.locator("#truth")).to_have_attribute("data-state", "live")
    return page


def test_a_card_that_is_asked_for_elsewhere_comes_by_itself_and_what_is_typed_stays(
    pages: Site, shop: Shop
) -> None:
    Station.objects.filter(code="PASTE").update(keeps_sequence=True, readiness_checks=["stencil cleaned"])
    with pages.context() as context:
        page = open_queue(context.new_page(), pages)
        jobs = page.locator(".job")
        expect(jobs).to_have_count(2)
        first, second = jobs.nth(0), jobs.nth(1)
        first.get_by_label("stencil cleaned").check()
        second.get_by_label("Why before the others?").fill("customer waits")
        page.evaluate("document.body.dataset.mark = 'not reloaded'")
        loop = shop.loop("L-NEW", "PCB-Z-PASTED", "PASTE", "REFLOW")
        shop.turn(shop.card(loop, 1, "EMPTY"), minutes_ago=1, due_in=300)
        expect(jobs).to_have_count(3, timeout=30_000)
        expect(first.get_by_label("stencil cleaned")).to_be_checked()
        expect(second.get_by_label("Why before the others?")).to_have_value("customer waits")
        expect(second.get_by_label("Why before the others?")).to_be_focused()
        assert page.evaluate("document.body.dataset.mark") == "not reloaded"


def test_f7_a_card_is_started_before_its_turn_with_a_reason_and_refused_steps_can_be_made_again(
    pages: Site, shop: Shop
) -> None:
    Station.objects.filter(code="PASTE").update(keeps_sequence=True, readiness_checks=["stencil cleaned"])
    with pages.context() as context:
        page = open_queue(context.new_page(), pages)
        second = page.locator(".job").nth(1)
        code = second.get_attribute("data-card")
        second.get_by_label("Why before the others?").fill("customer waits")
        second.get_by_role("button", name="Start").click()
        expect(page.locator("#said")).to_contain_text("NOT RECORDED")  # the check was not ticked
        again = page.locator(f".job[data-card={code}]")
        again.get_by_label("stencil cleaned").check()
        again.get_by_label("Why before the others?").fill("customer waits")
        again.get_by_role("button", name="Start").click()
        expect(page.locator("#said")).to_contain_text("STARTED")
        expect(again).to_contain_text("Started out of order: customer waits")
        expect(again.get_by_role("button", name="Filled")).to_be_visible()
        assert Card.objects.get(code=code).supply_status == "IN_PROCESS"
        assert Receipt.objects.filter(outcome="applied").count() == 1


def test_a_queue_that_hears_nothing_says_so_and_recovers(pages: Site) -> None:
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "PASTE")
        page.clock.install()
        page.goto(f"{pages.url}/b/supply/PASTE")
        expect(page.locator("#truth")).to_have_attribute("data-state", "live")
        page.route("**/b/supply/PASTE/now", lambda route: route.abort())
        page.clock.fast_forward(16_000)
        expect(page.locator("#truth")).to_have_attribute("data-state", "stale")
        page.clock.fast_forward(40_000)
        expect(page.locator("#stale")).to_be_visible()
        page.clock.fast_forward(300_000)
        expect(page.locator("body")).to_have_class("supply old")
        page.unroute("**/b/supply/PASTE/now")
        page.clock.run_for(6_000)
        expect(page.locator("#stale")).to_be_hidden()
        expect(page.locator("body")).to_have_class("supply")


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "pl"])
def test_nothing_flows_over_on_any_size_and_the_next_card_is_the_largest(pages: Site, language: str) -> None:
    Station.objects.filter(code="PASTE").update(keeps_sequence=True, wip_limit=1)
    with pages.context() as context:
        page = open_queue(context.new_page(), pages)
        context.add_cookies([{"name": "django_language", "value": language, "url": pages.url}])
        page.reload()
        assert page.evaluate("document.documentElement.lang") == language
        for width, height in ((1920, 1080), (1280, 800), (375, 667), (320, 640)):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
            sizes = page.evaluate(
                "[...document.querySelectorAll('.job-part')].map(e => parseFloat(getComputedStyle(e).fontSize))"
            )
            assert sizes[0] >= 32, width
            assert sizes[0] > max(sizes[1:])
            buttons = page.evaluate(
                "[...document.querySelectorAll('.job button')].map(e => e.getBoundingClientRect().height)"
            )
            assert buttons[0] >= 96
            assert min(buttons) >= 48


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_axe_finds_nothing_on_the_queue(pages: Site, direction: str) -> None:
    Station.objects.filter(code="PASTE").update(keeps_sequence=True, readiness_checks=["stencil cleaned"])
    with pages.context() as context:
        page = open_queue(context.new_page(), pages)
        page.evaluate("to => { document.documentElement.dir = to }", direction)
        wrong = {}
        for theme in ("day", "dim", "sun"):
            page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            if found := violations(page):
                wrong[theme] = found
        assert wrong == {}


def test_a_card_that_is_scanned_here_is_started_and_seen_before_the_next_turn_of_asking(
    pages: Site, shop: Shop
) -> None:
    with pages.context() as context:
        page = open_queue(context.new_page(), pages)
        # A page that is not looked at does not ask by the clock.
        page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
        code = shop.loops["L-OUT"].cards.get(number=1).code
        scan(page, code)
        expect(page.locator(f".job.started[data-card={code}]")).to_be_visible(timeout=30_000)
