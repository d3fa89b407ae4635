"""A sheet is entered by keyboard and scanner; a reload keeps it, and so does a connection that is gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Membership
from jitapp.printing.models import PaperMove
from jitapp.web import paper
from tests.floor import Floor
from tests.journeys.pages import Site, site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def floor(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Floor:
    monkeypatch.setattr(paper, "HANDLED_SECONDS", 0.0)  # no relay runs here
    settings.DEMO = "0"
    floor = Floor(now=timezone.now() - timedelta(hours=40))
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="PCB-A-SOLDERED", supply="SMT", demand="TEST", cards=3, quantity=12)
    mia = floor.person("mia")
    mia.set_password("scan-the-card")
    mia.save()
    Membership.objects.create(person=mia, plant=floor.plant, role=Role.LEADER)
    return floor


@pytest.fixture
def pages(live_server: LiveServer, chromium: Browser, settings: LazySettings, floor: Floor) -> Iterator[Site]:
    with site(live_server, chromium, settings) as running:
        yield running


def enter(page: Page, code: str, time: str, what: str) -> None:
    """A line as hands do it: the scanner, the time, the first letter of what happened; Enter after each."""
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    page.keyboard.type(time)
    page.keyboard.press("Enter")
    page.keyboard.type(what)
    page.keyboard.press("Enter")


def test_a_sheet_is_entered_by_keyboard_survives_a_reload_and_a_cut_and_is_booked(
    pages: Site, floor: Floor
) -> None:
    codes = [floor.card("L1", number).code for number in (1, 2)]
    yesterday = f"{timezone.now() - timedelta(days=1):%Y-%m-%d}"
    with pages.context() as context:
        page = context.new_page()
        page.goto(f"{pages.url}/login/?next=/b/PLANT-AREA/paper/entry")
        page.fill("[name=username]", "mia")
        page.fill("[name=password]", "scan-the-card")
        page.click("main button.main")
        lines = page.locator("tr.line")
        expect(lines).to_have_count(1)
        expect(lines.first.locator("[name=code]")).to_be_focused()
        lines.first.locator("[name=day]").fill(yesterday)
        lines.first.locator("[name=code]").focus()
        enter(page, codes[0], "0905", "emp")
        expect(lines).to_have_count(2)
        expect(lines.nth(1).locator("[name=code]")).to_be_focused()
        expect(lines.nth(1).locator("[name=day]")).to_have_value(yesterday)
        expect(lines.first).to_have_class("line l-ok")
        enter(page, "KB123", "0910", "st")
        expect(lines.nth(1).locator("output")).to_contain_text("Nobody here knows KB123")

        context.set_offline(True)
        enter(page, codes[1], "0920", "emp")
        expect(page.locator("#said")).to_contain_text("No connection")
        assert PaperMove.objects.count() == 2
        context.set_offline(False)
        expect(lines.nth(2)).to_have_class("line l-ok")
        assert PaperMove.objects.count() == 3

        page.reload()
        expect(lines).to_have_count(4)
        expect(lines.nth(1).locator("[name=code]")).to_have_value("KB123")
        lines.nth(1).locator("button.away").click()
        expect(lines).to_have_count(3)
        assert PaperMove.objects.count() == 2
        page.click("#book")
        expect(page.locator(".done")).to_have_text("Booked: 2 lines.")
        expect(lines).to_have_count(1)
    assert floor.status("L1") == ["EMPTY", "EMPTY", "IN_USE"]
    assert set(PaperMove.objects.values_list("outcome", flat=True)) == {"applied"}


@pytest.mark.parametrize("width", [375, 1280])
def test_the_pages_reflow(pages: Site, floor: Floor, width: int) -> None:
    with pages.context(width=width) as context:
        page = context.new_page()
        page.goto(f"{pages.url}/login/?next=/b/PLANT-AREA/paper")
        page.fill("[name=username]", "mia")
        page.fill("[name=password]", "scan-the-card")
        page.click("main button.main")
        for path in ("paper", "paper/entry"):
            page.goto(f"{pages.url}/b/PLANT-AREA/{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
