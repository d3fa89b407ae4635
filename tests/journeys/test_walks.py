"""A line walk with a phone: twenty bins scanned, six differences shown, mended, and the walk kept over a reload."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from jitapp.plant.models import Membership
from tests.journeys.pages import Site, give_login, scan, site
from tests.journeys.touch import too_small
from tests.rounds.shelf import BINS, Shelf, a_shelf

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shelf(settings: LazySettings) -> Shelf:
    settings.DEMO = "0"
    made = a_shelf(timezone.now() - timedelta(minutes=60))
    made.walker.set_password("walk-the-line")
    made.walker.save()
    Membership.objects.create(person=made.walker, plant=made.floor.plant, role="leader")
    return made


@pytest.fixture
def pages(live_server: LiveServer, chromium: Browser, settings: LazySettings, shelf: Shelf) -> Iterator[Site]:
    with site(live_server, chromium, settings) as running:
        yield running


def begin(page: Page, url: str) -> None:
    give_login(page.context, url, "willa", "walk-the-line")
    page.goto(f"{url}/walk/LINE")
    page.get_by_role("button", name="Begin the walk").click()
    page.wait_for_selector("html[data-scans] #typed-code")


def photographed(page: Page, *codes: str) -> None:
    """What the camera says that it has read."""
    event = "new CustomEvent('jitapp:codes', {detail: codes})"
    page.evaluate(f"codes => document.dispatchEvent({event})", list(codes))


def number(page: Page, word: str) -> str:
    """A figure of the band by its word."""
    return page.locator(".round-sums > div").filter(has_text=word).locator("dd").first.inner_text()


def test_twenty_bins_six_planted_differences_all_reported_and_mended(pages: Site, shelf: Shelf) -> None:
    with pages.context(width=375, height=667) as context:
        page = context.new_page()
        begin(page, pages.url)
        # Three by the scanner, one after the other; the rest by two photographs that overlap.
        for code in shelf.standing[:3]:
            scan(page, code)
        expect(page.locator(".round-sums dd").first).to_have_text("3")
        photographed(page, *shelf.standing[:12])
        photographed(page, *shelf.standing[10:])
        expect(page.locator(".round-sums dd").first).to_have_text(str(BINS))
        expect(page.locator("#rounds-now .line")).to_have_count(6)
        for code in shelf.planted.values():
            expect(page.locator(f"#different-{code}")).to_be_visible()
        for width, height in ((1280, 800), (1920, 1080), (375, 667)):
            page.set_viewport_size({"width": width, "height": height})
            assert too_small(page, "#rounds-now") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        page.reload()
        expect(page.locator("#rounds-now .line")).to_have_count(6)
        assert (number(page, "differences"), number(page, "not seen yet")) == ("5", "1")
        for kind, button in (
            ("not_full", "It is full"),
            ("missing", "It is empty"),
            ("elsewhere", "Taken where it belongs"),
            ("held", "It is right as it stands"),
            ("withdrawn", "Put in the red box"),
            ("unknown", "Put in the red box"),
        ):
            row = page.locator(f"#different-{shelf.planted[kind]}")
            row.get_by_role("button", name=button).click()
            expect(row).to_have_count(0)
        expect(page.locator("#rounds-now")).to_contain_text("No differences")
        page.get_by_role("button", name="Finish the walk").click()
        expect(page.locator("table.data tbody tr")).to_have_count(6)
        expect(page.locator(".round-sums")).to_contain_text("71 %")
    assert shelf.floor.status("SOME")[0] == "FULL"
    assert shelf.floor.status("MANY")[11] == "EMPTY"
