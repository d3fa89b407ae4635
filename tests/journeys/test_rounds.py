"""A handler walks a round on a phone: take, leave, say why not; what was scanned elsewhere shows at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from jitapp.accounts.models import Person
from jitapp.plant.routes import Route
from jitapp.pull.models import AndonCall, Receipt
from tests.journeys.pages import Site, give_login, scan, site, waiting
from tests.journeys.touch import too_small
from tests.rounds.milk import Run, milk_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(settings: LazySettings) -> Run:
    settings.DEMO = "0"
    made = milk_run(timezone.now() - timedelta(minutes=15))
    Route.objects.update(every_minutes=None, departures=["00:01" if timezone.now().hour else "12:00"])
    made.floor.scan("SCREWS", 1, "empty")
    made.floor.scan("OIL", 1, "empty")
    hugo = Person.objects.get(username="hugo")
    hugo.set_password("walk-the-round")
    hugo.save()
    return made


@pytest.fixture
def pages(live_server: LiveServer, chromium: Browser, settings: LazySettings, run: Run) -> Iterator[Site]:
    with site(live_server, chromium, settings) as running:
        yield running


def log_in(page: Page, url: str) -> None:
    give_login(page.context, url, "hugo", "walk-the-round")


def photographed(page: Page, *codes: str) -> None:
    """What the camera says that it has read."""
    event = "new CustomEvent('jitapp:codes', {detail: codes})"
    page.evaluate(f"codes => document.dispatchEvent({event})", list(codes))


def test_a_round_on_a_phone(pages: Site, run: Run) -> None:
    code = run.floor.card("SCREWS", 1).code
    with pages.context(width=375, height=667) as context:
        page = context.new_page()
        log_in(page, pages.url)
        page.goto(f"{pages.url}/r/MILK")
        page.wait_for_selector("html[data-scans] #typed-code")
        page.evaluate("document.body.dataset.mark = 'not reloaded'")
        expect(page.locator(".errand.pick")).to_have_count(2)
        assert too_small(page, "#rounds-now") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        page.fill("#typed-code", code)
        page.keyboard.press("Enter")
        expect(page.locator("#rounds-said .said").first).to_contain_text("ON ITS WAY")
        expect(page.locator(f"#errand-{code}")).to_contain_text("Left here")
        page.locator(f"#errand-{code} button.main").click()
        expect(page.locator("#rounds-said .said").first).to_contain_text("FULL recorded")
        expect(page.locator(".errand")).to_have_count(1)
        page.locator(".errand summary").click()
        for width, height in ((1280, 800), (1920, 1080), (375, 667)):
            page.set_viewport_size({"width": width, "height": height})
            assert too_small(page, "#rounds-now") == []
        page.get_by_role("button", name="Not there").click()
        expect(page.locator(".errand-when")).to_contain_text("Not there")
        assert page.evaluate("document.body.dataset.mark") == "not reloaded"
    assert AndonCall.objects.get().card == run.floor.card("OIL", 1)
    assert run.floor.status("SCREWS") == ["FULL", "IN_USE", "FULL"]


def test_codes_captured_on_the_page_are_scans_of_the_round(pages: Site, run: Run) -> None:
    codes = [run.floor.card("SCREWS", 1).code, run.floor.card("OIL", 1).code]
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url)
        page.goto(f"{pages.url}/r/MILK")
        page.wait_for_selector("html[data-scans] #typed-code")
        expect(page.locator(".errand.pick")).to_have_count(2)
        scan(page, codes[0])  # by the scanner, with nothing focused
        expect(page.locator(".errand.drop")).to_have_count(1)
        photographed(page, codes[1])
        expect(page.locator(".errand.drop")).to_have_count(2)
        run.floor.now = timezone.now()
        run.floor.scan("SCREWS", 1, "receive")
        page.evaluate("document.dispatchEvent(new CustomEvent('jitapp:recorded', {detail: {}}))")
        expect(page.locator(".errand.drop")).to_have_count(1, timeout=3_000)


def test_a_scan_waits_for_a_server_that_does_not_answer_and_counts_once(pages: Site, run: Run) -> None:
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url)
        page.goto(f"{pages.url}/r/MILK")
        page.wait_for_selector("html[data-scans] #typed-code")
        page.route("**/s/scans", lambda route: route.fulfill(status=503, body="away"))
        page.fill("#typed-code", run.floor.card("OIL", 1).code)
        page.keyboard.press("Enter")
        expect(page.locator("#rounds-said .said[data-look=saved]")).to_contain_text("1 waiting")
        expect(page.locator("#rounds-link .word")).to_contain_text("OFFLINE – 1 waiting")
        expect(page.locator("#typed-code")).to_have_value("")
        page.unroute("**/s/scans")
        expect(page.locator(".errand.drop")).to_have_count(1, timeout=12_000)
        expect(page.locator("#rounds-link")).to_have_attribute("data-state", "live")
        expect(page.locator("#rounds-said .said")).to_contain_text("ON ITS WAY")


def test_a_whole_round_without_a_network(pages: Site, run: Run) -> None:
    """Taken and left at the stops, a reason given, buttons touched twice: sent in order when the network is back."""
    screws, oil = run.floor.card("SCREWS", 1).code, run.floor.card("OIL", 1).code
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url)
        page.goto(f"{pages.url}/r/MILK")
        page.wait_for_selector("html[data-scans] #typed-code")
        page.clock.install()
        context.set_offline(True)
        scan(page, screws)
        expect(page.locator("#rounds-said .said").first).to_have_attribute("data-look", "saved")
        scan(page, screws)  # the scanner reads twice
        expect(page.locator("#rounds-link .word")).to_contain_text("2 waiting")
        page.clock.fast_forward(60_000)
        expect(page.locator(f"#errand-{screws} button.main")).to_have_text(
            "Left here"
        )  # as far as this device knows
        scan(page, screws)  # at the line
        expect(page.locator("#rounds-link .word")).to_contain_text("3 waiting")
        page.locator(f"#errand-{oil} summary").click()
        for _ in range(2):  # a glove touches twice
            page.locator(f"#errand-{oil} button[value=not_there]").click()
        expect(page.locator("#rounds-link .word")).to_contain_text("4 waiting")
        assert [each["act"].get("doing") for each in waiting(page)] == ["pick", "pick", "drop", "pick"]
        context.set_offline(False)
        for _ in range(100):
            page.clock.run_for(1_000)
            if not waiting(page):
                break
            page.wait_for_timeout(100)
        expect(page.locator(f"#errand-{oil} .errand-when")).to_contain_text("Not there")
    assert run.floor.status("SCREWS") == ["FULL", "IN_USE", "FULL"]
    applied = Receipt.objects.filter(outcome="applied", card__code=screws, intent__in=["load", "receive"])
    assert list(applied.order_by("pk").values_list("intent", flat=True)) == ["load", "receive"]
    assert AndonCall.objects.count() == 1
