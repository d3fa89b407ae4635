"""The flow map in a browser: zoom, keys, live, stale, and one sheet of A3."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, expect

from jitapp.pull.models import LoopState
from tests.journeys.pages import Site, until
from tests.journeys.test_axe import violations
from tests.web.shop import Shop, every_state

pytestmark = pytest.mark.django_db(transaction=True)
VIEW = "() => document.getElementById('flow').getAttribute('viewBox').split(' ').map(Number)"


@pytest.fixture
def shop(settings: LazySettings) -> Shop:
    settings.DEMO = "1"
    settings.DEMO_PLANT = "ORLANDO"
    return every_state(timezone.now())


def open_map(page: Page, pages: Site) -> Page:
    page.goto(f"{pages.url}/map")
    expect(page.locator("#truth")).to_have_attribute("data-state", "live")
    return page


def view(page: Page) -> list[float]:
    found: list[float] = page.evaluate(VIEW)
    return found


def test_buttons_and_keys_zoom_and_move_and_never_leave_the_picture(pages: Site) -> None:
    with pages.context() as context:
        page = open_map(context.new_page(), pages)
        page.get_by_role("button", name="All of it").click()
        whole = view(page)
        assert whole[:2] == [0, 0]
        page.get_by_role("button", name="Closer").click()
        page.get_by_role("button", name="Closer").click()
        close = view(page)
        assert close[2] < whole[2]
        page.locator("#sheet").focus()
        page.keyboard.press("ArrowRight")
        right = view(page)
        assert right[0] > close[0]
        for _ in range(30):
            page.keyboard.press("ArrowRight")
        last = view(page)
        assert last[0] + last[2] == pytest.approx(whole[2], abs=1)
        page.keyboard.press("-")
        assert view(page)[2] > last[2]
        page.keyboard.press("0")
        assert view(page) == whole
        page.get_by_role("button", name="The most urgent loop").click()
        seen = page.locator(f"#map-{page.locator('#drawn').get_attribute('data-urgent')}").bounding_box()
        sheet = page.locator("#sheet").bounding_box()
        assert seen is not None
        assert sheet is not None
        assert sheet["x"] <= seen["x"]
        assert seen["x"] + seen["width"] <= sheet["x"] + sheet["width"]
        assert sheet["y"] <= seen["y"]
        assert seen["y"] + seen["height"] <= sheet["y"] + sheet["height"]


def test_a_drag_moves_the_map_and_a_click_leads_to_the_loop(pages: Site, shop: Shop) -> None:
    with pages.context() as context:
        page = open_map(context.new_page(), pages)
        for _ in range(4):
            page.get_by_role("button", name="Closer").click()
        before = view(page)
        box = page.locator("#sheet").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 120, y - 40, steps=5)
        page.mouse.up()
        assert page.url.endswith("/map")
        assert view(page)[0] > before[0]
        loop = shop.loops["L-ACT"]
        page.get_by_role("button", name="All of it").click()
        page.locator(f"#map-{loop.pk}").click()
        page.wait_for_url(f"**/l/{loop.pk}")


def test_a_change_comes_without_reload_and_zoom_focus_and_scroll_stay(pages: Site, shop: Shop) -> None:
    loop = shop.loops["L-OK"]
    with pages.context() as context:
        page = open_map(context.new_page(), pages)
        page.evaluate("document.body.dataset.mark = 'not reloaded'")
        page.get_by_role("button", name="Closer").click()
        page.locator(f"#map-{loop.pk}").focus()
        before = view(page)
        expect(page.locator(f"#map-{loop.pk}")).to_have_attribute("data-state", "ok")
        loop.cards.update(supply_status="EMPTY")
        shop.runout(loop, minutes_ago=3)
        LoopState.objects.filter(loop=loop).update(seq=11)
        expect(page.locator(f"#map-{loop.pk}")).to_have_attribute("data-state", "out", timeout=30_000)
        expect(page.locator(f"#map-{loop.pk}")).to_be_focused()
        assert view(page) == before
        assert page.evaluate("document.body.dataset.mark") == "not reloaded"


def test_a_map_that_hears_nothing_says_so_and_recovers(pages: Site) -> None:
    with pages.context() as context:
        page = context.new_page()
        page.clock.install()
        open_map(page, pages)
        page.route("**/map-now*", lambda route: route.abort())
        page.clock.fast_forward(16_000)
        expect(page.locator("#truth")).to_have_attribute("data-state", "stale")
        page.clock.fast_forward(40_000)
        expect(page.locator("#stale")).to_be_visible()
        expect(page.locator("#stale")).to_contain_text("NO DATA SINCE")
        page.unroute("**/map-now*")
        page.clock.run_for(5_000)
        expect(page.locator("#stale")).to_be_hidden()
        expect(page.locator("#truth")).to_have_attribute("data-state", "live")


BOXES = """() => [...document.querySelectorAll('.m-station, .m-bundle')].map(each => {
  const {x, y, width, height} = each.getBBox();
  return [each.textContent.trim().slice(0, 20), x, y, x + width, y + height]; })"""
# Texts that reach beyond the box they stand in, in the picture's own units.
SPILLED = """() => [...document.querySelectorAll('.m-station, .m-bundle')].flatMap(each => {
  const frame = each.querySelector('.m-box, .m-inside, .m-stock').getBBox();
  return [...each.querySelectorAll('text')].filter(text => { const box = text.getBBox();
    return box.x < frame.x - 1 || box.x + box.width > frame.x + frame.width + 1; }).map(text => text.textContent); })"""


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "pl"])
def test_boxes_are_apart_and_texts_inside_them_in_every_language(pages: Site, language: str) -> None:
    with pages.context() as context:
        context.add_cookies([{"name": "django_language", "value": language, "url": pages.url}])
        page = context.new_page()
        page.goto(f"{pages.url}/map")
        assert page.evaluate("document.documentElement.lang") == language
        boxes = page.evaluate(BOXES)
        assert len(boxes) == 10  # five stations, and what stands between five pairs of them
        touching = [
            (one[0], two[0])
            for one, two in combinations(boxes, 2)
            if one[1] < two[3] and two[1] < one[3] and one[2] < two[4] and two[2] < one[4]
        ]
        assert touching == []
        assert page.evaluate(SPILLED) == []
        for width, height in ((1920, 1080), (375, 667), (320, 640)):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width


def test_it_prints_on_exactly_one_sheet_of_a3(pages: Site) -> None:
    with pages.context() as context:
        page = open_map(context.new_page(), pages)
        page.get_by_role("button", name="Closer").click()
        page.evaluate("document.documentElement.dataset.theme = 'dim'")
        close = view(page)
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert view(page)[:2] == [0, 0]  # all of it, in the colours of the day
        assert page.evaluate("document.documentElement.dataset.theme") == "day"
        assert re.fullmatch(r"\d\d:\d\d", page.locator("#printed-at").text_content() or "")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert view(page) == close
        assert page.evaluate("document.documentElement.dataset.theme") == "dim"
        paper = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", paper)) == 1
    sizes = {
        tuple(float(each) for each in box.split()[2:])
        for box in re.findall(rb"/MediaBox\s*\[([^\]]*)\]", paper)
    }
    assert len(sizes) == 1
    (width, height) = sizes.pop()
    assert width * 25.4 / 72 == pytest.approx(420, abs=0.5)
    assert height * 25.4 / 72 == pytest.approx(297, abs=0.5)


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_axe_finds_nothing_on_the_map(pages: Site, direction: str) -> None:
    with pages.context() as context:
        page = open_map(context.new_page(), pages)
        page.evaluate("to => { document.documentElement.dir = to }", direction)
        wrong = {}
        for theme in ("day", "dim", "sun"):
            page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            if found := violations(page):
                wrong[theme] = found
        assert wrong == {}
        until(page, "() => document.getElementById('truth').dataset.state === 'live'")
