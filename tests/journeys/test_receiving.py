"""Goods-in on a tablet: the supplier's label closes the card, a label without a card asks, a wrong part is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from jitapp.accounts.models import Person
from jitapp.pull.models import Turn
from jitapp.rounds.models import ReadLabel
from tests.journeys.pages import Site, give_login, site
from tests.journeys.touch import too_small
from tests.rounds.dock import Dock, a_dock, gtl

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dock(settings: LazySettings) -> Dock:
    settings.DEMO = "0"
    made = a_dock(timezone.now() - timedelta(minutes=40))
    made.asked("WIRE", 1, 2)
    made.asked("NUT", 1)
    Turn.objects.update(due_at=timezone.now() - timedelta(minutes=14))
    rita = Person.objects.get(username="rita")
    rita.set_password("take-it-in")
    rita.save()
    return made


@pytest.fixture
def pages(live_server: LiveServer, chromium: Browser, settings: LazySettings, dock: Dock) -> Iterator[Site]:
    with site(live_server, chromium, settings) as running:
        yield running


def open_page(page: Page, url: str) -> None:
    give_login(page.context, url, "rita", "take-it-in")
    page.goto(f"{url}/recv")
    page.wait_for_selector("html[data-scans] #typed-code")


def photographed(page: Page, *codes: str) -> None:
    """What the camera says that it has read."""
    event = "new CustomEvent('jitapp:codes', {detail: codes})"
    page.evaluate(f"codes => document.dispatchEvent({event})", list(codes))


def keyed(page: Page, label: str) -> None:
    """What a keyboard scanner that sends control characters types for a label."""
    keys = {"\x1d": "Control+]", "\x1e": "Control+^", "\x04": "Control+d"}
    for sign in label:
        if sign in keys:
            page.keyboard.press(keys[sign])
        else:
            page.keyboard.type(sign)
    page.keyboard.press("Enter")


def test_labels_one_after_the_other(pages: Site, dock: Dock) -> None:
    with pages.context(width=375, height=667) as context:
        page = context.new_page()
        open_page(page, pages.url)
        expect(page.locator(".supplier .line")).to_have_count(3)
        assert too_small(page, "#rounds-now") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        # One label by the scanner, with its separators and nothing focused, one by the camera.
        keyed(page, gtl("1JUN1", "PWIRE-07", "Q100", f"15K{dock.code('WIRE', 1)}", "1T4711"))
        expect(page.locator(".supplier .line")).to_have_count(2)
        photographed(page, gtl("1JUN2", "PNUT-M4", "Q500", f"15K{dock.code('NUT', 1)}"))
        expect(page.locator(".supplier .line")).to_have_count(1)
        expect(page.locator("#rounds-said .said[data-look=ok]").first).to_contain_text("NUT-M4")
        photographed(page, gtl("1JUN1", "PWIRE-07", "Q100", f"15K{dock.code('WIRE', 1)}"))
        expect(page.locator("#rounds-said .said[data-look=amber]").first).to_contain_text("Already taken in")
        photographed(page, gtl("1JUN3", "PTAPE-19", "Q12", f"15K{dock.code('WIRE', 2)}"))
        expect(page.locator("#rounds-said .said[data-look=red]").first).to_contain_text("TAPE-19")
        expect(page.locator("#open-head")).to_be_visible()
        for width, height in ((1280, 800), (1920, 1080), (375, 667)):
            page.set_viewport_size({"width": width, "height": height})
            assert too_small(page, "#rounds-now") == []
    assert dock.floor.status("WIRE")[0] == "FULL"
    assert ReadLabel.objects.filter(outcome="taken", lot="4711", licence="UN1").exists()
    assert ReadLabel.objects.count() == 4


def test_a_label_without_a_card_asks_and_the_answer_is_one_touch(pages: Site, dock: Dock) -> None:
    with pages.context() as context:
        page = context.new_page()
        open_page(page, pages.url)
        photographed(page, gtl("1JUN1", "PWIRE-07", "Q60"))
        expect(page.locator(".asks .choice")).to_have_count(2)
        page.locator(".asks .choice").nth(1).click()
        expect(page.get_by_role("button", name="More packages follow")).to_be_visible()
        assert too_small(page, ".asks") == []
        page.get_by_role("button", name="supplier sent fewer").click()
        expect(page.locator("#rounds-said .said[data-look=ok]").first).to_contain_text("FULL recorded")
        page.fill("#sought", "UN1")
        page.click(".find button")
        expect(page.locator("table.data tbody tr").first).to_contain_text("WIRE-07")
    assert dock.floor.turn("WIRE", 2).received == 60
