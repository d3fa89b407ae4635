"""The page of components: every one readable in the three themes side by side, known to a stylesheet, axe clean, and
told apart without colour (checks 35 to 37)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import combinations

import pytest
from django.conf import LazySettings
from django.test import Client
from PIL import Image
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from jitapp.web.phrases import STATE_WORDS
from tests.journeys.pages import Site, give_login, site
from tests.journeys.test_axe import violations
from tests.web.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)
READABLE, TOLD_APART = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11
SHAPES_DIFFER = 0.15  # of the pixels that either shape covers

LIGHT = """
const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
const pixel = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data]; };
const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map(c => (c /= 255) <= 0.04045 ? c / 12.92
  : ((c + 0.055) / 1.055) ** 2.4); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
const over = (top, below) => { const a = top[3] / 255;
  return [0, 1, 2].map(i => top[i] * a + below[i] * (1 - a)).concat(255); };
const ground = each => { const layers = []; for (let e = each; e; e = e.parentElement) {
    const found = pixel(getComputedStyle(e).backgroundColor); if (found[3]) layers.push(found);
    if (found[3] === 255) break; }
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 255]); };
const ratio = (one, two) => { const [a, b] = [light(one), light(two)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); };
"""
TEXTS = f"""() => {{ {LIGHT}
  const wrong = [];
  let seen = 0;
  const walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {{
    const each = walk.currentNode.parentElement;
    const hidden = '.unseen, :disabled, option, .flag, .bins.some .w, .bins.many .w';
    if (!walk.currentNode.data.trim() || each.closest(hidden)) continue;
    if (each.closest('.bin') && getComputedStyle(each).backgroundImage !== 'none') continue;
    const below = ground(each);
    const found = ratio(over(pixel(getComputedStyle(each).color), below), below);
    seen += 1;
    if (found < {READABLE}) wrong.push([each.closest('.theme')?.dataset.theme, each.outerHTML.slice(0, 90), found]);
  }}
  return [seen, wrong]; }}"""
SHAPES = f"""() => {{ {LIGHT}
  const all = [...document.querySelectorAll('main svg.shape')];
  return [all.length, all.flatMap(each => {{ const below = ground(each);
    const found = ratio(pixel(getComputedStyle(each).fill), below);
    const where = [each.closest('.theme').dataset.theme, each.parentElement.outerHTML.slice(0, 90), found];
    return found < {TOLD_APART} ? [where] : []; }})]; }}"""
CLASSES = """() => {
  const known = new Set();
  const read = rules => { for (const rule of rules) {
    for (const [name] of (rule.selectorText ?? '').matchAll(/\\.[\\w-]+/g)) known.add(name.slice(1));
    if (rule.cssRules) read(rule.cssRules); } };
  for (const sheet of document.styleSheets) read(sheet.cssRules);
  const used = new Set([...document.querySelectorAll('main, main *')].flatMap(each => [...each.classList]));
  return [used.size, [...used].filter(name => !known.has(name))]; }"""
# Names for scripts and tests, and the usual size among several: nothing of its own to say about them.
NOT_STYLED = {"tick", "shown-component", "few", "bins-few"}


@pytest.fixture
def page(live_server: LiveServer, chromium: Browser, settings: LazySettings, shop: Shop) -> Iterator[Page]:
    with (
        site(live_server, chromium, settings) as running,
        running.context(width=1920, height=1080) as context,
    ):
        page = context.new_page()
        enter(page, running)
        page.goto(f"{running.url}/components")
        yield page


def enter(page: Page, running: Site) -> None:
    give_login(page.context, running.url, "mia")


def test_checks_35_to_37_every_component_is_readable_and_known_in_every_theme(page: Page) -> None:
    parts = page.locator(".shown-component")
    assert parts.count() == 13
    assert page.locator(".theme").count() == 3 * 13
    grounds = page.evaluate(
        "[...document.querySelectorAll('[data-part=chips] .theme')].map(e => getComputedStyle(e).backgroundColor)"
    )
    assert len(set(grounds)) == 3, grounds  # side by side in their own colours, whatever the page's theme is
    for theme in ("day", "dim", "sun"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        seen, wrong = page.evaluate(TEXTS)
        assert seen > 300
        assert wrong == [], theme
        seen, wrong = page.evaluate(SHAPES)
        assert seen > 60
        assert wrong == [], theme
    used, unknown = page.evaluate(CLASSES)
    assert used > 80
    assert set(unknown) - NOT_STYLED == set()


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_check_35_axe_finds_nothing_on_the_components(page: Page, direction: str) -> None:
    page.evaluate("to => { document.documentElement.dir = to }", direction)
    wrong = {}
    for theme in ("day", "dim", "sun"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        if found := violations(page):
            wrong[theme] = found
    assert wrong == {}


def test_the_components_keep_inside_every_screen(page: Page) -> None:
    for width in (1920, 1280, 375, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width


@pytest.mark.parametrize("theme", ["day", "dim", "sun"])
def test_check_37_a_screenshot_in_grey_still_tells_the_states_by_their_shapes(page: Page, theme: str) -> None:
    """Each chip's shape is cut out of a screenshot without colour; what is shape is what stands out from the chip."""
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    masks = {}
    for state in STATE_WORDS:
        chip = page.locator(f"[data-part=chips] .theme[data-theme={theme}] .chip.s-{state}").first
        chip.locator(".shape").evaluate("each => { each.style.width = each.style.height = '64px' }")
        picture = Image.open(io.BytesIO(chip.locator(".shape").screenshot())).convert("L").resize((48, 48))
        grey = picture.tobytes()  # a value from 0 to 255 for each pixel, row by row
        assert max(grey) - min(grey) > 60, state  # the shape stands out without its colour too
        ground = grey[2 * 48 + 24] if state == "held" else grey[48 + 1]  # held fills its corners
        masks[state] = [abs(value - ground) > 40 for value in grey]
        assert 0.15 < sum(masks[state]) / len(masks[state]) < 0.95, state
    apart = {}
    for one, two in combinations(masks, 2):
        pairs = list(zip(masks[one], masks[two], strict=True))
        apart[one, two] = sum(a != b for a, b in pairs) / sum(a or b for a, b in pairs)
    assert min(apart.values()) > SHAPES_DIFFER, min(apart.items(), key=lambda item: item[1])


def test_components_are_for_people_who_are_signed_in(
    client: Client, shop: Shop, settings: LazySettings
) -> None:
    settings.DEMO = "1"
    answer = client.get("/components")
    assert answer.status_code == 302
    assert "/login/" in answer.headers["Location"]
