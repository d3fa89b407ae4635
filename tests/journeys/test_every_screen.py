"""Every page that the product serves, found by its routes and opened by an administrator in a plant that has something
of everything: axe finds nothing in any theme and direction, and nothing moves sideways on a phone (check 35, fault B4).

A page that is new is on this list by being served. `JITAPP_AXE=all` tries every theme in both directions.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.conf import LazySettings
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from jitapp.accounts.models import Person
from jitapp.kanban.vocabulary import Role
from jitapp.web.masters.kinds import KINDS
from tests.journeys.pages import Site, site
from tests.journeys.test_axe import violations
from tests.rights.test_table import case_of, path_of, rows
from tests.rights.world import HOME, World, session_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1200)]
PARTS = 4
LOOKS = (("day", "ltr"), ("dim", "rtl"), ("sun", "ltr"))
EVERY_LOOK = tuple((theme, direction) for theme in ("day", "dim", "sun") for direction in ("ltr", "rtl"))
PHONES = (375, 320)
# Django's own administration: its pages are those of the framework, in our colours.
ELSEWHERE = ("/admin/",)
# Pages of other answers than the usual one.
MORE = ("/nowhere", "/k/KB00000000Q", "/map?at=1999-01-01T00:00", "/t?at=now", "/shift", "/b/{area}?at=now")


@dataclass
class Screens:
    """The site, the session of its administrator, and the addresses of its pages."""

    pages: Site
    session: str
    paths: list[str]


def found_screens(world: World, session: str) -> list[str]:
    """The addresses that answer an administrator with a whole page."""
    client = Client()
    client.cookies["sessionid"] = session
    paths = {
        path_of(address, case_of(method, address), world.words)
        for method, address, _ in rows()
        if method == "GET" and not address.startswith(ELSEWHERE)
    }
    paths |= {f"/plan/{kind}{more}" for kind in KINDS for more in ("", "/new")}
    paths |= {each.format(**world.words) for each in MORE}
    found: dict[str, str] = {}
    for path in sorted(paths):
        answer = client.get(path, follow=True)
        is_page = answer.headers.get("Content-Type", "").startswith("text/html")
        if is_page and b"<html" in answer.content[:2000]:
            last = answer.redirect_chain[-1][0] if answer.redirect_chain else path
            found.setdefault(last, path)
    return sorted(found.values())


@pytest.fixture
def screens(live_server: LiveServer, chromium: Browser, settings: LazySettings) -> Iterator[Screens]:
    settings.DEMO = "0"
    world = World(HOME)
    admin = world.person("ada", Role.ADMIN)
    Person.objects.filter(pk=admin.pk).update(is_staff=True)
    session = session_of(admin)
    with site(live_server, chromium, settings) as running:
        yield Screens(running, session, found_screens(world, session))


@pytest.mark.parametrize("part", range(PARTS))
def test_check_35_axe_finds_nothing_on_any_page_and_none_moves_sideways(screens: Screens, part: int) -> None:
    assert len(screens.paths) > 60
    wrong: list[str] = []
    looks = EVERY_LOOK if os.environ.get("JITAPP_AXE") == "all" else LOOKS
    with screens.pages.context() as context:
        context.add_cookies([{"name": "sessionid", "value": screens.session, "url": screens.pages.url}])
        page = context.new_page()
        for path in screens.paths[part::PARTS]:
            page.goto(f"{screens.pages.url}{path}")
            for theme, direction in looks:
                dress(page, theme, direction)
                wrong += [f"{path} {theme} {direction}: {each}" for each in violations(page)]
            dress(page, "day", "ltr")
            for width in PHONES:
                page.set_viewport_size({"width": width, "height": 667})
                over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                if over > 0:
                    wrong.append(f"{path} at {width} px: {over} px too wide")
            page.set_viewport_size({"width": 1280, "height": 800})
    assert not wrong, "\n".join(wrong)


def dress(page: Page, theme: str, direction: str) -> None:
    """The page in a theme, from left to right or from right to left."""
    page.evaluate(
        "([theme, dir]) => { document.documentElement.dataset.theme = theme; document.documentElement.dir = dir }",
        [theme, direction],
    )
