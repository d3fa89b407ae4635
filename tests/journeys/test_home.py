"""The home page in a browser: alive over one stream, and honest about its age."""

from __future__ import annotations

import re

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import APIResponse, Page, Route, expect

from jitapp import switchboard
from jitapp.plant.models import Loop
from jitapp.pull import actions
from jitapp.pull.models import LoopState
from tests.journeys.pages import Site, until
from tests.journeys.test_board import dry, raise_version
from tests.live.served import wait_until
from tests.web.shop import Shop, a_person, every_state, leader_of, second_area

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(settings: LazySettings) -> Shop:
    settings.DEMO = "1"
    settings.DEMO_PLANT = "ORLANDO"
    made = every_state(timezone.now())
    a_person(made)
    second_area(made)
    return made


HEARD = """() => {
  window.heard = [];
  new BroadcastChannel(`live:${document.getElementById('areas').dataset.channel}`)
    .addEventListener('message', ({ data }) => heard.push(data));
}"""


def open_home(page: Page, pages: Site) -> Page:
    page.goto(pages.url)
    expect(page.locator("#truth")).to_have_attribute("data-state", "live")
    return page


def test_b07_home_moves_with_its_areas_over_one_stream(pages: Site, shop: Shop) -> None:
    with pages.context() as context:
        home = open_home(context.new_page(), pages)
        assert pages.live.hub.clients == 1
        home.evaluate("document.body.dataset.same = 'page'")
        assembly, packing = (home.locator(f".area[data-area='{code}']") for code in ("SMT", "PACK"))
        expect(packing.locator(".part")).to_have_text("BOX-40")
        expect(assembly.locator(".part")).to_have_text("PCB-A-PASTED")
        expect(assembly.locator(".called")).to_be_hidden()
        dry(shop, "L-OK", 100)
        expect(assembly.locator(".part")).to_have_text("PCB-C-TESTED")
        expect(assembly.locator("[data-state='out'] b")).to_have_text("2")
        actions.call_for_help(
            station="TEST", kind="machine", note="spindle", now=timezone.now(), source=leader_of(shop)
        )
        switchboard.drain()
        expect(assembly.locator(".called b")).to_have_text("1")
        expect(assembly.locator(".called time")).to_be_visible()
        assert "1" in (assembly.locator(".strip").get_attribute("aria-label") or "")
        expect(packing.locator(".called")).to_be_hidden()
        assembly.locator(".part").focus()
        raise_version(shop.loops["L-OK"])
        switchboard.tell_boards([shop.loops["L-OK"].pk])
        version = str(LoopState.objects.get(loop=shop.loops["L-OK"]).seq)
        expect(assembly.locator(".worst")).to_have_attribute("data-v", version)
        expect(assembly.locator(".part")).to_be_focused()
        assert home.evaluate("document.body.dataset.same") == "page"


def test_an_area_without_trouble_says_so_and_takes_it_back(pages: Site, shop: Shop) -> None:
    Loop.objects.exclude(code__in=("L-OK", "L-MOVE", "L-PACK")).update(status="RETIRED")
    with pages.context() as context:
        home = open_home(context.new_page(), pages)
        assembly = home.locator(".area[data-area='SMT']")
        expect(assembly.locator(".quiet")).to_have_text("Nothing here needs anybody.")
        dry(shop, "L-OK", 1)
        expect(assembly.locator(".quiet")).to_be_hidden()
        expect(assembly.locator(".worst .chip")).to_have_text("OUT")


def test_a_row_that_comes_while_all_are_on_their_way_is_not_lost(pages: Site, shop: Shop) -> None:
    """The answer was drawn before the row came, and arrives after it."""
    Loop.objects.exclude(code__in=("L-OK", "L-MOVE", "L-PACK")).update(status="RETIRED")
    held: list[tuple[Route, APIResponse]] = []
    with pages.context() as context:
        home = context.new_page()
        home.route("**/areas", lambda route: held.append((route, route.fetch())))
        open_home(home, pages)
        wait_until(lambda: home.title() and len(held) == 1, 60)  # asking the page lets its requests go on
        home.evaluate(HEARD)
        dry(shop, "L-OK", 1)
        until(home, "heard.some(({ type }) => type === 'row')")
        (route, answer), *others = held
        assert others == []
        row = f'id="loop-{shop.loops["L-OK"].pk}"[^>]* data-state="ok"'
        assert re.search(row, answer.text())
        route.fulfill(response=answer)
        expect(home.locator(".area[data-area='SMT'] .worst .chip")).to_have_text("OUT")
        assert len(held) == 1  # nothing else was asked for


def test_stale_looks_stale_on_home_and_it_recovers(pages: Site, shop: Shop) -> None:
    with pages.context() as context:
        home = context.new_page()
        home.clock.install()
        open_home(home, pages)
        home.route("**/areas", lambda route: route.abort())
        context.route("**/live/board*", lambda route: route.abort())
        pages.live.hub._clients.clear()
        home.clock.fast_forward(16_000)
        expect(home.locator("#truth")).to_have_attribute("data-state", "stale")
        pages.live.hub._clients.clear()
        home.clock.fast_forward(45_000)
        expect(home.locator("#stale")).to_contain_text("NO DATA SINCE")
        home.unroute("**/areas")
        context.unroute("**/live/board*")
        home.clock.run_for(30_000)
        expect(home.locator("#stale")).to_be_hidden()


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "pl"])
def test_nothing_flows_over_on_any_size_and_in_any_language(pages: Site, shop: Shop, language: str) -> None:
    with pages.context() as context:
        context.add_cookies([{"name": "django_language", "value": language, "url": pages.url}])
        home = open_home(context.new_page(), pages)
        for width, height in ((1920, 1080), (1280, 800), (640, 400), (375, 667), (320, 640)):
            home.set_viewport_size({"width": width, "height": height})
            assert home.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
