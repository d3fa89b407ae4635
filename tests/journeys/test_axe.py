"""axe-core finds nothing on the pages of operators and handlers, in every theme, and from right to left."""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from jitapp.accounts.models import Person
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Membership
from tests.journeys.pages import Site, log_in, scan
from tests.web.shop import Shop, a_person, every_state

pytestmark = pytest.mark.django_db(transaction=True)
AXE = lzma.decompress((Path(__file__).parents[1] / "vendor" / "axe.min.js.xz").read_bytes()).decode()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = ("/s/", "/s/tray", "/s/who", "/b/supply/TEST", "/r/", "/recv", "/walk/", "/calls", "/device/doctor")
LEADERS = ("/devices", "/devices/enrol", "/people", "/print", "/tags/", "/")


@pytest.fixture
def shop() -> Shop:
    made = every_state(timezone.now())
    a_person(made)
    mia = Person.objects.get(username="mia")
    Membership.objects.create(person=mia, plant=made.plant, role=Role.LEADER)
    return made


def violations(page: Page) -> list[str]:
    """What axe finds: rule and element."""
    page.evaluate(AXE)
    # What is not laid out while it is out of sight has no ground under it that axe could find.
    page.evaluate(
        "for (const bins of document.querySelectorAll('.loops .bins')) bins.style.contentVisibility = 'visible'"
    )
    found: dict[str, Any] = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", TAGS
    )
    return [f"{each['id']}: {node['html'][:120]}" for each in found["violations"] for node in each["nodes"]]


def test_axe_finds_nothing_on_operators_pages(pages: Site, shop: Shop) -> None:
    wrong: dict[str, list[str]] = {}
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "TEST")
        for path in (*PAGES, *LEADERS):
            page.goto(f"{pages.url}{path}")
            for theme in ("day", "dim", "sun"):
                page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
                if found := violations(page):
                    wrong[f"{path} {theme}"] = found
    assert wrong == {}


def test_axe_finds_nothing_in_the_states_of_the_scan_page(pages: Site, shop: Shop) -> None:
    wrong: dict[str, list[str]] = {}
    code = shop.loops["L-OUT"].cards.get(number=1).code
    with pages.context(width=375, height=667) as context:
        page = context.new_page()
        log_in(page, pages.url, "TEST")
        for state in ("asked", "unknown", "offline"):
            context.set_offline(state == "offline")
            scan(page, "KB00000000Q" if state == "unknown" else code)
            page.wait_for_selector("#result:not([data-state=sending])")
            page.evaluate("document.documentElement.dir = 'rtl'")
            if found := violations(page):
                wrong[state] = found
    assert wrong == {}
