"""The operator's pages in made-up languages: forty percent longer, and from right to left. Nothing is wider than the
screen of a phone, and nothing is cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from jitapp.plant import enrolling
from jitapp.web.phrases import words_of
from tests.journeys.pages import Site, site
from tests.web.catalogue import PLURAL, compiled, of_answers, of_pages
from tests.web.shop import Shop, a_person, every_state

pytestmark = pytest.mark.django_db(transaction=True)
_FACTS = re.compile(r"(\{\w*\}|%\(\w+\)s)")
LONGER = 0.4
# Languages that Django knows and that are none of ours: their catalogues are made here.
LONG, RTL = "sv", "ar"
LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyz", "".join(chr(0x0627 + place % 20) for place in range(26))
)
PHONE = {"width": 375, "height": 667}


def longer(text: str) -> str:
    """The sentence with two fifths more letters, as words that may be broken between lines."""
    return text + " " + " ".join(["åäö" * 2] * max(1, round(len(text) * LONGER / 7)))


def from_the_right(text: str) -> str:
    """The sentence in letters that are written from right to left; facts stay as they are."""
    parts = _FACTS.split(text)
    return "".join(part if _FACTS.fullmatch(part) else part.lower().translate(LETTERS) for part in parts)


@pytest.fixture(autouse=True)
def made_up(tmp_path: Path, settings: LazySettings) -> Iterator[None]:
    said = of_pages() | of_answers()
    for language, change in ((LONG, longer), (RTL, from_the_right)):
        folder = tmp_path / language / "LC_MESSAGES"
        folder.mkdir(parents=True)
        catalogue = {text: PLURAL.join(change(form) for form in text.split(PLURAL)) for text in said}
        head = {"": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"}
        (folder / "django.mo").write_bytes(compiled(head | catalogue))
    settings.LANGUAGES = [*settings.LANGUAGES, (LONG, "Long"), (RTL, "Right to left")]
    settings.LOCALE_PATHS = [tmp_path, *settings.LOCALE_PATHS]
    words_of.cache_clear()
    yield
    words_of.cache_clear()


@pytest.fixture
def shop() -> Shop:
    made = every_state(timezone.now())
    a_person(made)
    return made


@pytest.fixture
def pages(live_server: LiveServer, chromium: Browser, settings: LazySettings, shop: Shop) -> Iterator[Site]:
    with site(live_server, chromium, settings) as running:
        yield running


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
            wrong[address] = too_wide(page)
        assert {address: what for address, what in wrong.items() if what} == {}


def test_the_styles_know_no_left_and_no_right() -> None:
    """Sides are named by the direction of writing, so that they change with it."""
    css = Path(__file__).parents[2] / "static" / "css"
    physical = re.compile(
        r"(?:margin|padding|border)-(?:left|right)\b|(?:^|\s)(?:left|right)\s*:|text-align:\s*(?:left|right)"
    )
    for file in sorted(css.glob("*.css")):
        assert physical.findall(file.read_text()) == [], file.name
