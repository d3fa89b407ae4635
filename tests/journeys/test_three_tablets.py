"""Three tablets, 300 scans, a network cut at random, answers lost, requests that come twice and late, a clock that is
seven minutes fast, a killed browser: what the shop knows in the end is what was scanned, once each."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, Route
from pytest_django.live_server_helper import LiveServer

from jitapp.accounts.models import Device
from jitapp.pull.models import Card, Receipt
from jitapp.pull.proof.verify import verify
from tests.conftest import chromium_path
from tests.floor import Floor
from tests.journeys.pages import Site, known_to_tablet, scan, sign_in, site, waiting
from tests.journeys.test_tablet import kill_profile

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]
logger = logging.getLogger(__name__)
CARDS = 100
AHEAD = timedelta(minutes=7)
FAST_CLOCK = """{ const real = Date; const off = MS;
  globalThis.Date = class extends real {
    constructor(...given) { given.length ? super(...given) : super(real.now() + off); }
    static now() { return real.now() + off; } }; }""".replace("MS", str(int(AHEAD.total_seconds() * 1000)))


@dataclass
class Network:
    """What happens to the requests of one tablet: by chance, always the same for a seed."""

    chance: random.Random
    told: Counter[str] = field(default_factory=Counter)
    late: list[str] = field(default_factory=list)  # bodies that come once more, after others
    cut: bool = False

    def handle(self, route: Route) -> None:
        if self.cut:
            self.told["cut"] += 1
            route.abort()
            return
        throw = self.chance.random()
        if throw < 0.2:
            self.told["twice"] += 1
            route.fetch()
            route.continue_()
        elif throw < 0.3:
            self.told["late"] += 1
            self.late.append(route.request.post_data or "")
            route.continue_()
        elif throw < 0.4:
            self.told["answer lost"] += 1
            route.fetch()
            route.abort()
        else:
            route.continue_()


@dataclass
class Tablet:
    """A browser at a station, and the cards that it scans."""

    station: str
    codes: list[str]
    network: Network
    page: Page

    def step(self, site_url: str) -> None:
        """Once in a while the network goes or comes, and something old arrives again."""
        if self.network.chance.random() < 0.1:
            self.network.cut = not self.network.cut
        if self.network.late and self.network.chance.random() < 0.3:
            body = self.network.late.pop(0)
            self.page.context.request.post(
                f"{site_url}/s/scans", data=body, headers={"Content-Type": "application/json"}
            )


@pytest.fixture
def floor(settings: LazySettings) -> Floor:
    settings.DEMO = "0"
    floor = Floor(now=timezone.now() - timedelta(hours=3))
    floor.station("CELL")
    for number in (1, 2, 3):
        floor.station(f"LINE{number}")
        floor.loop(f"L{number}", part=f"PART-{number}", supply="CELL", demand=f"LINE{number}", cards=CARDS)
    sign_in(floor)
    return floor


@pytest.fixture
def pages(live_server: LiveServer, chromium: Browser, settings: LazySettings, floor: Floor) -> Iterator[Site]:
    with site(live_server, chromium, settings) as running:
        yield running


def opened(context: BrowserContext, site_url: str, station: str, network: Network, *, first: bool) -> Page:
    page = context.pages[0] if context.pages else context.new_page()
    if first:
        page.goto(f"{site_url}/login/")
        page.fill("[name=username]", "mia")
        page.fill("[name=password]", "scan-the-card")
        page.click("main button.main")
        page.goto(f"{site_url}/s/")
        page.click(f"button[value='{station}']")
        page.wait_for_selector("#result[data-ready]")
        known_to_tablet(page)
        page.route("**/s/scans", network.handle)
    else:
        page.route("**/s/scans", network.handle)
        page.goto(f"{site_url}/s/")
        page.wait_for_selector("#result[data-ready]")
    return page


def profile(browser: Browser, folder: Path) -> BrowserContext:
    return browser.browser_type.launch_persistent_context(
        str(folder / "profile"), executable_path=chromium_path(), headless=True
    )


def test_three_tablets_three_hundred_scans_nothing_lost_nothing_doubled(
    pages: Site, chromium: Browser, floor: Floor, tmp_path: Path
) -> None:
    networks = [Network(random.Random(seed)) for seed in (1, 2, 3)]
    plain, fast = (chromium.new_context() for _ in range(2))
    fast.add_init_script(FAST_CLOCK)
    mortal = profile(chromium, tmp_path)
    tablets = []
    for number, (context, network) in enumerate(zip((plain, fast, mortal), networks, strict=True), start=1):
        cards = Card.objects.filter(loop__code=f"L{number}").order_by("number")
        page = opened(context, pages.url, f"LINE{number}", network, first=True)
        tablets.append(Tablet(f"LINE{number}", [card.code for card in cards], network, page))
    # A browser writes cookies to the disk half a minute later; this one has been a tablet for longer.
    mortal.close()
    mortal = profile(chromium, tmp_path)
    tablets[2].page = opened(mortal, pages.url, "LINE3", networks[2], first=False)
    began = timezone.now()
    for place in range(CARDS):
        for tablet in tablets:
            scan(tablet.page, tablet.codes[place])
            if tablet.network.chance.random() < 0.05:
                scan(tablet.page, tablet.codes[place])  # read twice
            tablet.step(pages.url)
        if place == CARDS // 2:
            dying = tablets[2]
            dying.page.wait_for_timeout(500)  # its last scan is on the disk
            kill_profile(tmp_path)
            mortal = profile(chromium, tmp_path)
            dying.page = opened(mortal, pages.url, dying.station, dying.network, first=False)
    for tablet in tablets:
        tablet.network.cut = False
    for tablet in tablets:
        for _ in range(600):
            if not waiting(tablet.page):
                break
            tablet.page.wait_for_timeout(100)
        assert waiting(tablet.page) == []
    logger.info("drained after %s: %s", timezone.now() - began, [dict(network.told) for network in networks])
    for context in (plain, fast, mortal):
        context.close()

    # The oracle: every card was emptied once, at its station, by its tablet, near the moment when it was scanned.
    assert set(Card.objects.values_list("supply_status", "turn_number")) == {("EMPTY", 1)}
    applied = Receipt.objects.filter(outcome="applied")
    assert applied.count() == 3 * CARDS
    for number, tablet in enumerate(tablets, start=1):
        mine = applied.filter(loop__code=f"L{number}")
        assert set(mine.values_list("station__code", flat=True)) == {tablet.station}
        assert mine.values("device").distinct().count() == 1
        assert list(mine.order_by("occurred_at").values_list("card__code", flat=True)) == tablet.codes
        assert list(mine.order_by("seq").values_list("card__code", flat=True)) == tablet.codes
        assert began - timedelta(seconds=60) < min(mine.values_list("occurred_at", flat=True))
    others = Counter(Receipt.objects.exclude(outcome="applied").values_list("outcome", flat=True))
    assert set(others) <= {"bounced", "already"}, others
    assert Device.objects.filter(kind="tablet").count() == 3
    assert all(network.told["twice"] and network.told["answer lost"] for network in networks)
    assert verify().differences == []
