"""The operator's pages in made-up languages: forty percent longer, and from right to left. Nothing is wider than the
screen of a phone, and nothing is cut off."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from django.utils.translation import gettext, override
from playwright.sync_api import Page

from jitapp.kanban.answers import say
from jitapp.plant import enrolling
from jitapp.plant.configs import zone
from jitapp.pull.models import Turn
from tests.journeys.made_up import LONG, RTL
from tests.journeys.pages import Site
from tests.web.shop import Shop

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("made_up")]
PHONE = {"width": 375, "height": 667}


def addresses(shop: Shop) -> list[str]:
    """What operators and handlers open, each where a phone opens it."""
    asked = enrolling.wanted(
        shop.plant, name="Line 2, left of the door", kind="tablet", station="", intent=""
    )
    person = shop.plant.memberships.values_list("person_id", flat=True)[0]
    _, code = enrolling.begin(asked, person_id=person, now=timezone.now())
    return [
        "/s/",
        "/s/tray",
        "/s/who",
        "/calls",
        "/b/supply/TEST",
        "/recv",
        "/r/",
        "/walk/",
        "/device/enrol",
        f"/device/enrol/{code}",
        "/devices",
        "/",
        "/b/SMT",
        f"/l/{shop.loops['L-OUT'].pk}",
        f"/k/{shop.loops['L-OUT'].cards.get(number=1).code}",
    ]


def too_wide(page: Page) -> str:
    """What sticks out of the screen: the first thing, with where it ends; nothing if all fits."""
    found: str = page.evaluate(
        """() => {
            const wide = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= wide + 1) return '';
            const out = [...document.querySelectorAll('body *')].find((one) => {
                const box = one.getBoundingClientRect();
                return box.width && (box.right > wide + 1 || box.left < -1);
            });
            return `${document.documentElement.scrollWidth} px: ${out?.tagName}.${out?.className}#${out?.id}`;
        }"""
    )
    return found


def too_wide_in_any_state(page: Page) -> str:
    """As too_wide, with each word that the page may say of its connection: which it says now is a matter of moments."""
    known = page.evaluate("JSON.parse(document.getElementById('words')?.textContent ?? '{}')")
    for state in ("live", "polling", "connecting", "stale"):
        if state in known and page.query_selector(".truth .word"):
            page.evaluate("word => (document.querySelector('.truth .word').textContent = word)", known[state])
            page.evaluate(
                "age => (document.querySelector('.truth .age').textContent = age)",
                known.get("ago", "{}").replace("{}", f"59 {known.get('min', '')}"),
            )
            if found := too_wide(page):
                return f"{state}: {found}"
    return too_wide(page)


@pytest.mark.parametrize("language", ["de", "fr", "pl", LONG, RTL])
def test_no_page_of_an_operator_is_wider_than_a_phone(pages: Site, shop: Shop, language: str) -> None:
    with pages.context(**PHONE) as context:
        context.add_cookies([{"name": "django_language", "value": language, "url": pages.url}])
        page = context.new_page()
        page.goto(f"{pages.url}/login/")
        wrong = {"/login/": too_wide(page)}
        page.fill("[name=username]", "mia")
        page.fill("[name=password]", "scan-the-card")
        page.click("main button.main")
        context.add_cookies([{"name": "django_language", "value": language, "url": pages.url}])
        page.goto(f"{pages.url}/s/")
        wrong["the choice of a station"] = too_wide(page)
        page.click("button[value='SHIP']")
        page.wait_for_selector("#result[data-ready]")
        for address in addresses(shop):
            page.goto(pages.url + address)
            assert page.get_attribute("html", "lang") == language, address
            assert page.get_attribute("html", "dir") == ("rtl" if language == RTL else "ltr")
            wrong[address] = too_wide_in_any_state(page)
        assert {address: what for address, what in wrong.items() if what} == {}


def test_the_styles_know_no_left_and_no_right() -> None:
    """Sides are named by the direction of writing, so that they change with it."""
    css = Path(__file__).parents[2] / "static" / "css"
    physical = re.compile(
        r"(?:margin|padding|border)-(?:left|right)\b|(?:^|\s)(?:left|right)\s*:|text-align:\s*(?:left|right)"
    )
    for file in sorted(css.glob("*.css")):
        assert physical.findall(file.read_text()) == [], file.name


def test_numbers_and_codes_keep_their_order_where_it_is_written_from_the_right(
    pages: Site, shop: Shop
) -> None:
    """Where a date far away stands in a sentence, its digits are one piece; the way of a part points along the line."""
    asked = Turn.objects.filter(closed_at__isnull=True, card__loop=shop.loops["L-OUT"])
    asked.update(promised_at=timezone.now() + timedelta(days=40))
    with pages.context() as context:
        page = context.new_page()
        page.goto(f"{pages.url}/login/")
        page.fill("[name=username]", "mia")
        page.fill("[name=password]", "scan-the-card")
        page.click("main button.main")
        context.add_cookies([{"name": "django_language", "value": RTL, "url": pages.url}])
        page.goto(f"{pages.url}/l/{shop.loops['L-OUT'].pk}")
        date = page.locator("table.data td", has_text=re.compile(r"\d{4}-\d\d-\d\d")).first
        assert re.fullmatch("\u2068\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d\u2069.*", date.inner_text().strip())
        assert page.evaluate("getComputedStyle(document.querySelector('.code')).direction") == "ltr"
        turned = "getComputedStyle(document.querySelector('.route .arrow')).transform"
        assert page.evaluate(turned) == "matrix(-1, 0, 0, 1, 0, 0)"
    with override(RTL):
        told, _ = say(
            "promised",
            {"part": "PCB-A", "number": 1, "of": 2, "promised": timezone.now() + timedelta(days=40)},
            time_zone=zone("UTC"),
            now=timezone.now(),
            translate=gettext,
        )
    assert "\u2068PCB-A\u2069" in told
    assert re.search("\u2068\\d{4}-\\d\\d-\\d\\d", told)
