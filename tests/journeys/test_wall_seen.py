"""The wall board as it is seen: read from five metres, in every language and theme, and nothing flows over."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from jitapp.pull import actions
from tests.journeys.made_up import LONG, RTL
from tests.journeys.pages import Site, until
from tests.journeys.test_axe import violations
from tests.journeys.walls import MEASURED, a_wall, many, open_wall
from tests.web.shop import Shop, leader_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "pl", LONG, RTL])
def test_check_33_everything_is_read_from_five_metres_and_nothing_flows_over(
    pages: Site, shop: Shop, made_up: None, language: str
) -> None:
    many(shop)
    actions.call_for_help(
        station="TEST", kind="machine", note="spindle", now=timezone.now(), source=leader_of(shop)
    )
    token = a_wall(shop, languages=(language,))
    with pages.context(width=1920, height=1080) as context:
        wall = open_wall(context, pages, token)
        expect(wall.locator("html")).to_have_attribute("dir", "rtl" if language == RTL else "ltr")
        until(wall, "() => document.fonts.status === 'loaded' && !document.getElementById('more').hidden")
        found = wall.evaluate(MEASURED)
        assert found["texts"] > 20
        assert found["small"] == []
        assert found["primary"] >= 64
        assert found["beyond"] == []
        assert found["spilled"] == []
        assert found["bars"] == 0
        assert 2 <= found["rows"] <= 12
        expect(wall.locator("#more")).to_be_visible()


@pytest.mark.parametrize("theme", ["day", "dim", "sun"])
def test_axe_finds_nothing_on_a_wall(pages: Site, shop: Shop, theme: str) -> None:
    many(shop)
    actions.call_for_help(
        station="TEST", kind="machine", note="spindle", now=timezone.now(), source=leader_of(shop)
    )
    token = a_wall(shop, theme=theme)
    with pages.context(width=1920, height=1080) as context:
        wall = open_wall(context, pages, token)
        assert violations(wall) == []
        wall.goto(f"{pages.url}/tv/nobody")
        assert violations(wall) == []


def test_a_short_list_says_all_of_each_row_and_a_nearer_screen_shows_more(pages: Site, shop: Shop) -> None:
    many(shop)
    token = a_wall(shop, metres="2.5")
    with pages.context(width=1920, height=1080) as context:
        wall = open_wall(context, pages, token)
        until(wall, "() => document.querySelectorAll('#rows .row:not([hidden])').length >= 11")
        assert wall.evaluate(MEASURED)["bars"] == 0
        states = wall.evaluate("[...document.querySelectorAll('#rows .row')].map(row => row.dataset.state)")
        assert states == sorted(states, key=["out", "act", "soon"].index)
        whole = wall.locator("#rows .row").first
        for part in (".chip use", ".big", ".c-part b", ".bins .n", ".who", ".why", ".age"):
            expect(whole.locator(part).first).to_be_attached()
        assert wall.locator("a[href]").count() == 0
