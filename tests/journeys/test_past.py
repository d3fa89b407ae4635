"""The player of a board of the past in a browser: slider, steps, keys, the address, and without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Membership
from jitapp.pull.models import Handover, HandoverSignature
from jitapp.web.past_instants import write_instant
from tests.floor import Floor
from tests.journeys.pages import Site, give_login, sign_in, site
from tests.journeys.test_axe import violations

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def floor() -> Floor:
    """A loop that was emptied at one minute and dry at another, yesterday at noon by its own clock."""
    noon = (timezone.now() - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
    floor = Floor(now=noon)
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    floor.scan("L1", 1, "empty", after=10)
    floor.scan("L1", 2, "empty", after=10)
    floor.propagate()
    person = sign_in(floor)
    Membership.objects.create(person=person, plant=floor.plant, role=Role.LEADER)
    return floor


@pytest.fixture
def pages(live_server: LiveServer, chromium: Browser, settings: LazySettings, floor: Floor) -> Iterator[Site]:
    with site(live_server, chromium, settings) as running:
        yield running


def open_at(page: Page, pages: Site, at: datetime) -> None:
    give_login(page.context, pages.url, "mia")
    page.goto(f"{pages.url}/b/PLANT-AREA?at={write_instant(at, 'UTC')}")


def shown(page: Page) -> str:
    return page.locator("#frame tr[data-loop]").get_attribute("data-state") or ""


def test_the_player_moves_through_time_and_its_address_can_be_shared(pages: Site, floor: Floor) -> None:
    noon = floor.now - timedelta(minutes=20)
    with pages.context() as context:
        page = context.new_page()
        open_at(page, pages, noon + timedelta(minutes=5))
        assert shown(page) == "ok"
        page.click("[data-event=next]")
        expect(page.locator("#frame tr[data-loop]")).not_to_have_attribute("data-state", "ok")
        assert page.url.endswith(f"at={write_instant(noon + timedelta(minutes=10), 'UTC')}")
        page.click("[data-step='900']")
        expect(page.locator("#frame tr[data-loop]")).to_have_attribute("data-state", "out")
        address = page.url
        assert address.endswith(f"at={write_instant(noon + timedelta(minutes=25), 'UTC')}")
        expect(page.locator(".past-at")).to_contain_text(f"{noon + timedelta(minutes=25):%H:%M}")
        page.goto(address)
        assert shown(page) == "out"
        page.focus("#slider")
        page.keyboard.press("Shift+ArrowLeft")
        expect(page.locator("#frame tr[data-loop]")).not_to_have_attribute("data-state", "out")
        page.keyboard.press("n")
        expect(page.locator("#frame tr[data-loop]")).to_have_attribute("data-state", "out")
        page.keyboard.press("p")
        expect(page.locator("#frame tr[data-loop]")).not_to_have_attribute("data-state", "out")
        page.evaluate(
            "ms => { const s = document.getElementById('slider'); s.value = ms;"
            " s.dispatchEvent(new Event('input', { bubbles: true })); }",
            int((noon + timedelta(minutes=30)).timestamp() * 1000),
        )
        expect(page.locator("#frame tr[data-loop]")).to_have_attribute("data-state", "out")


def test_playing_goes_a_minute_a_beat_and_stops_when_asked(pages: Site, floor: Floor) -> None:
    begin = floor.now - timedelta(minutes=2)
    with pages.context() as context:
        page = context.new_page()
        open_at(page, pages, begin)
        assert shown(page) != "out"
        page.click("#play")
        expect(page.locator("#play")).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#frame tr[data-loop]")).to_have_attribute("data-state", "out", timeout=60_000)
        page.click("#play")
        expect(page.locator("#play")).to_have_attribute("aria-pressed", "false")


def test_without_an_answer_the_board_stands_and_says_so(pages: Site, floor: Floor) -> None:
    with pages.context() as context:
        page = context.new_page()
        open_at(page, pages, floor.now)
        context.set_offline(True)
        page.click("[data-step='-60']")
        expect(page.locator("#player-error")).to_be_visible()
        assert shown(page) == "out"
        context.set_offline(False)
        page.click("[data-step='-60']")
        expect(page.locator("#player-error")).to_be_hidden()


def test_without_javascript_the_links_do_the_same(pages: Site, floor: Floor) -> None:
    context = pages.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    open_at(page, pages, floor.now - timedelta(minutes=15))
    assert shown(page) == "ok"
    page.click("[data-event=next]")
    assert shown(page) != "ok"
    page.click("[data-step='900']")
    assert shown(page) == "out"
    page.click("text=Back to now")
    expect(page.locator("body")).not_to_have_class("board past")
    context.close()


def test_axe_finds_nothing_and_nothing_moves_sideways(pages: Site, floor: Floor) -> None:
    at, wrong = write_instant(floor.now, "UTC"), {}
    card = floor.card("L1", 1)
    since = write_instant(floor.now - timedelta(minutes=15), "UTC")
    with pages.context(width=375, height=667) as context:
        page = context.new_page()
        open_at(page, pages, floor.now)
        page.goto(f"{pages.url}/shift/PLANT-AREA?since={since}")
        page.fill("[name=notes]", "Reel of MCU ends")
        page.click("main button.main")
        handover = Handover.objects.get()
        for path in (
            f"/b/PLANT-AREA?at={at}",
            f"/l/{card.loop_id}?at={at}",
            f"/k/{card.code}?at={at}",
            "/b/PLANT-AREA?at=soon",
            f"/b/PLANT-AREA/changes?since={since}",
            "/t",
            "/shift",
            f"/shift/PLANT-AREA/{handover.uuid}",
        ):
            page.goto(f"{pages.url}{path}")
            for theme in ("day", "dim", "sun"):
                page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
                if found := violations(page):
                    wrong[f"{path} {theme}"] = found
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                wrong[f"{path} {over} px too wide"] = []
    assert wrong == {}


def test_notes_stay_in_the_browser_until_they_are_signed(pages: Site, floor: Floor) -> None:
    with pages.context() as context:
        page = context.new_page()
        open_at(page, pages, floor.now)
        page.goto(f"{pages.url}/shift/PLANT-AREA")
        page.fill("[name=notes]", "Reel of MCU ends")
        page.goto(f"{pages.url}/shift/PLANT-AREA")
        expect(page.locator("[name=notes]")).to_have_value("Reel of MCU ends")
        page.click("main button.main")
        expect(page.locator(".written")).to_have_text("Reel of MCU ends")
        assert HandoverSignature.objects.get().person.username == "mia"
        page.goto(f"{pages.url}/shift/PLANT-AREA")
        expect(page.locator("[name=notes]")).to_have_value("")
