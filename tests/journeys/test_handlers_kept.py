"""What handlers do is on the disk before it is shown as saved, on each of their pages."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from jitapp.accounts.models import Person
from jitapp.plant.models import Membership
from jitapp.plant.routes import Route, RouteStop
from jitapp.pull.models import Receipt
from jitapp.rounds.models import ReadLabel, Sighting
from tests.conftest import chromium_path
from tests.journeys.pages import Site, give_login, scan, site, waiting
from tests.journeys.test_axe import violations
from tests.journeys.test_tablet import kill_profile
from tests.journeys.touch import too_small
from tests.rounds.dock import Dock, a_dock

pytestmark = pytest.mark.django_db(transaction=True)
logger = logging.getLogger(__name__)  # the figures: -o log_cli=true
DOORS = "**/s/*"
KILLED = 20


@pytest.fixture
def dock(settings: LazySettings) -> Dock:
    """Rita takes in, carries from the store to the line, and walks along it."""
    settings.DEMO = "0"
    settings.DATA_IDENTIFIERS = frozenset({"P", "Q", "15K", "1J", "1T"})
    made = a_dock(timezone.now() - timedelta(minutes=40))
    made.floor.station("STORE", "SUPERMARKET")
    made.floor.loop("SCREWS", part="SCREW", supply="STORE", demand="LINE", cards=8, quantity=100)
    route = Route.objects.create(plant=made.floor.plant, code="MILK", name="Milk run", every_minutes=30)
    for position, code in enumerate(("STORE", "LINE")):
        station = made.floor.plant.stations.get(code=code)
        RouteStop.objects.create(route=route, position=position, station=station)
    for number in range(1, 8):
        made.floor.scan("SCREWS", number, "empty")
    made.asked("WIRE", 1)
    rita = Person.objects.get(username="rita")
    Membership.objects.filter(person=rita).update(role="operator")
    rita.set_password("take-it-in")
    rita.save()
    return made


@pytest.fixture
def pages(live_server: LiveServer, chromium: Browser, settings: LazySettings, dock: Dock) -> Iterator[Site]:
    with site(live_server, chromium, settings) as running:
        yield running


@contextmanager
def profile(browser: Browser, folder: Path, *, close: bool = True) -> Iterator[BrowserContext]:
    """A browser with a profile on the disk; not closed if it is to be killed."""
    context = browser.browser_type.launch_persistent_context(
        str(folder / "profile"), executable_path=chromium_path(), headless=True
    )
    yield context
    if close:
        context.close()


def log_in(page: Page, url: str) -> None:
    give_login(page.context, url, "rita", "take-it-in")


def test_a_browser_killed_right_after_saved_has_lost_nothing_a_handler_did(
    chromium: Browser, pages: Site, dock: Dock, tmp_path: Path
) -> None:
    area = dock.floor.area.code
    picked = [dock.code("SCREWS", number) for number in range(1, 8)]
    seen = [dock.code("NUT", 1), dock.code("NUT", 2), *(dock.code("TAPE", n) for n in (1, 2))]
    seen += [dock.code("WIRE", 2), dock.code("WIRE", 3), dock.code("SCREWS", 8)]
    pieces = [f"15K{dock.code('WIRE', 1)}", "PWIRE-07", "Q5", "1T4711", "PTAPE-19", "Q7"]
    acts = [("/r/MILK", code) for code in picked]
    acts += [(f"/walk/{area}", code) for code in seen]
    acts += [("/recv", piece) for piece in pieces]
    assert len(acts) == KILLED
    with profile(chromium, tmp_path) as context:
        tab = context.new_page()
        log_in(tab, pages.url)
        tab.goto(f"{pages.url}/walk/{area}")
        tab.get_by_role("button", name="Begin the walk").click()
        tab.wait_for_selector("html[data-scans]")
    for place, (address, code) in enumerate(acts):
        with profile(chromium, tmp_path, close=False) as context:
            tab = context.new_page()
            tab.route(DOORS, lambda route: route.abort())
            tab.goto(f"{pages.url}{address}")
            tab.wait_for_selector("html[data-scans]")
            assert len(waiting(tab)) == place
            scan(tab, code)
            tab.wait_for_selector("#rounds-said .said[data-look=saved]", timeout=15_000)
            kill_profile(tmp_path)
    with profile(chromium, tmp_path) as context:
        tab = context.new_page()
        tab.goto(f"{pages.url}/recv")
        tab.wait_for_selector("html[data-scans]")
        expect(tab.locator("#rounds-link")).to_have_attribute("data-state", "live", timeout=60_000)
        assert waiting(tab) == []
        # Two labels were begun, as they were scanned: the second part number did not go into the first.
        expect(tab.locator(".gathered")).to_have_count(2)
    loaded = Receipt.objects.filter(outcome="applied", intent="load").order_by("pk")
    assert list(loaded.values_list("card__code", flat=True)) == picked
    assert set(Sighting.objects.values_list("code", flat=True)) == set(seen)
    logger.info(
        "%d of %d acts are there after %d kills", loaded.count() + len(seen) + len(pieces), KILLED, KILLED
    )


def test_a_label_of_several_barcodes_is_gathered_on_the_page(pages: Site, dock: Dock) -> None:
    with pages.context(width=375, height=667) as context:
        page = context.new_page()
        log_in(page, pages.url)
        page.goto(f"{pages.url}/recv")
        page.wait_for_selector("html[data-scans]")
        scan(page, "PWIRE-07")
        expect(page.locator(".gathered .lacks")).to_have_count(4)
        expect(page.get_by_role("button", name="Take it in")).to_have_count(0)
        scan(page, "Q5")  # the shortest barcode there is
        expect(page.locator(".gathered .lacks")).to_have_count(3)
        assert too_small(page, ".gathered") == []
        scan(page, "PTAPE-19")
        expect(page.locator("#rounds-said .said").first).to_contain_text("Another label?")
        expect(page.locator(".gathered")).to_have_count(2)
        assert too_small(page, ".gathered.before") == []
        assert violations(page) == []
        page.locator(".gathered").first.get_by_role("button", name="Put it away").click()
        expect(page.locator(".gathered")).to_have_count(1)
        scan(page, "Q100")  # another quantity: another label again
        expect(page.locator(".gathered")).to_have_count(2)
        page.locator(".gathered").first.get_by_role("button", name="Put it away").click()
        scan(page, f"15K{dock.code('WIRE', 1)}")
        scan(page, "1JUN1")
        expect(page.locator(".gathered .lacks")).to_have_count(1)
        page.get_by_role("button", name="Take it in").click()
        expect(page.locator("section.asks")).to_contain_text("Fewer than asked")
        page.reload()  # the question stays
        page.wait_for_selector("html[data-scans]")
        assert too_small(page, "section.asks") == []
        assert violations(page) == []
        page.get_by_role("button", name="supplier sent fewer").click()
        expect(page.locator("#rounds-said .said").first).to_contain_text("FULL recorded")
        expect(page.locator("section.asks")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert dock.floor.turn("WIRE", 1).received == 5
    assert ReadLabel.objects.get(outcome="taken").licence == "UN1"


def test_on_an_area_walk_the_place_tells_what_is_different(pages: Site, dock: Dock) -> None:
    area = dock.floor.area.code
    empty = dock.code("SCREWS", 1)
    with pages.context(width=375, height=667) as context:
        page = context.new_page()
        log_in(page, pages.url)
        page.goto(f"{pages.url}/walk/{area}")
        page.get_by_role("button", name="Begin the walk").click()
        page.wait_for_selector("html[data-scans]")
        page.get_by_role("button", name="Store").click()
        expect(page.get_by_role("button", name="Store")).to_have_attribute("aria-pressed", "true")
        assert too_small(page, ".standing") == []
        scan(page, empty)
        expect(page.locator("#rounds-said .said").first).to_contain_text("Right")
        scan(page, "LINE")  # the sign of the station
        expect(page.get_by_role("button", name="Line", exact=True)).to_have_attribute("aria-pressed", "true")
        scan(page, empty)
        expect(page.locator("#rounds-said .said").first).to_contain_text("Empty in the system")
        page.locator(f"#different-{empty}").get_by_role("button", name="It came in").click()
        expect(page.locator(f"#different-{empty}")).to_have_count(0)
        context.set_offline(True)
        scan(page, dock.code("SCREWS", 2))
        expect(page.locator("#rounds-link .word")).to_contain_text("1 waiting", timeout=15_000)
        page.get_by_role("button", name="Finish the walk").click()
        expect(page.locator("#rounds-said .said").first).to_contain_text("First let this device send")
        context.set_offline(False)
        expect(page.locator("#rounds-link")).to_have_attribute("data-state", "live", timeout=30_000)
        page.get_by_role("button", name="Finish the walk").click()
        expect(page.locator("table.data")).to_be_visible()
    assert dock.floor.status("SCREWS")[0] == "FULL"
