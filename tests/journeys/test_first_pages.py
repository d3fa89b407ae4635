"""The pages of the first fifteen minutes in a browser: nothing for axe to find, nothing beside the screen, and each
role's sheet on one page of A4."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from jitapp.plant import shown
from jitapp.symbology.commandcode import CommandName
from jitapp.web.first.lessons import TAUGHT
from tests.floor import Floor
from tests.journeys.pages import Site, site
from tests.journeys.showroom import showroom
from tests.journeys.test_axe import violations
from tests.superuser import superuser

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = ("/start", "/start/steps", *(f"/learn?role={role.value}" for role in TAUGHT), "/learn/sheet/operator")


@pytest.fixture
def floor(settings: LazySettings) -> Floor:
    floor = showroom(settings)
    assert floor.scan("L", 1, "empty")["outcome"] == "applied"
    with superuser():
        shown.mark(floor.plant, now=timezone.now())
    return floor


@pytest.fixture
def pages(live_server: LiveServer, chromium: Browser, settings: LazySettings, floor: Floor) -> Iterator[Site]:
    with site(live_server, chromium, settings) as running:
        yield running


def log_in(page: Page, url: str) -> None:
    page.goto(f"{url}/login/")
    page.fill("[name=username]", "mia")
    page.fill("[name=password]", "scan-the-card")
    page.locator("main button.main").click()
    expect(page.get_by_role("link", name="Learn", exact=True)).to_be_visible()


@pytest.mark.parametrize("language", ["en", "de"])
def test_axe_finds_nothing_and_no_page_is_wider_than_its_screen(pages: Site, language: str) -> None:
    wrong: dict[str, object] = {}
    for width, height in ((375, 667), (1280, 800), (1920, 1080)):
        with pages.context(width=width, height=height) as context:
            page = context.new_page()
            log_in(page, pages.url)
            context.add_cookies([{"name": "django_language", "value": language, "url": pages.url}])
            for path in PAGES:
                page.goto(f"{pages.url}{path}")
                if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    wrong[f"{path} {width}"] = "wider than the screen"
                for theme in ("day", "dim", "sun") if width == 1280 else ():
                    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
                    if found := violations(page):
                        wrong[f"{path} {theme}"] = found
    assert wrong == {}


@pytest.mark.parametrize("language", ["en", "de", "pl"])
def test_each_sheet_is_one_page_of_a4(pages: Site, language: str) -> None:
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url)
        context.add_cookies([{"name": "django_language", "value": language, "url": pages.url}])
        for role in TAUGHT:
            page.goto(f"{pages.url}/learn/sheet/{role.value}")
            paper = page.pdf(format="A4", margin={"top": "12mm", "bottom": "12mm"})
            assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1, (role, language)
        page.goto(f"{pages.url}/learn/sheet/operator")
        expect(page.locator(".commands li")).to_have_count(len(CommandName) - 1)


def test_the_time_zone_and_the_code_are_proposed(pages: Site) -> None:
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url)
        page.get_by_role("link", name="Start my own shop").click()
        page.fill("#plant", "Straße 7 & Łódź")
        expect(page.locator("#code")).to_have_value("STRASSE-7-LODZ")
        page.fill("#code", "MINE")
        page.fill("#plant", "Other")
        expect(page.locator("#code")).to_have_value("MINE")
        expect(page.locator("#username")).to_be_hidden()
        page.get_by_label("Somebody new").check()
        expect(page.locator("#username")).to_be_visible()
