"""A planner's day by browser alone: part, station, loop of three cards, print, five cards of another quantity, hold,
successor, retire. Clicks, fields and seconds are counted and printed."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, expect

from jitapp.plant.models import Loop, LoopRevision, Part, Station
from jitapp.printing.models import PrintedCard
from jitapp.pull.models import Card
from jitapp.pull.reading.plans import state_of
from tests.journeys.pages import Site, give_login, until
from tests.journeys.test_axe import violations
from tests.web.shop import Shop, a_person, every_state

pytestmark = pytest.mark.django_db(transaction=True)
# What the day may cost at most: a page that asks for more than it needs fails here.
MOST_CLICKS, MOST_FIELDS = 45, 30


@pytest.fixture
def shop(settings: LazySettings) -> Shop:
    settings.DEMO = "0"
    settings.SITE_URL = "https://kanban.example.com"
    made = every_state(timezone.now())
    a_person(made, roles=("planner",), username="mia")
    return made


@dataclass
class Hands:
    """A person at a browser whose clicks and fields are counted; the words on a button are what is pressed."""

    page: Page
    clicks: int = 0
    fields: int = 0

    def press(self, name: str, within: str = "main") -> None:
        self.clicks += 1
        self.page.locator(within).get_by_role("button", name=name, exact=True).first.click()

    def follow(self, name: str, within: str = "body") -> None:
        self.clicks += 1
        self.page.locator(within).get_by_role("link", name=name, exact=True).first.click()

    def fill(self, **values: str) -> None:
        for name, value in values.items():
            self.fields += 1
            field = self.page.locator(f"main [name={name}]").first
            if field.evaluate("one => one.matches('select')"):
                field.select_option(value)
            else:
                field.fill(value)

    def act(self, do: str, **values: str) -> None:
        """Fills the form of an act, looks at what would happen, and does it."""
        self.fill(**values)
        form = f"form:has(input[name=do][value={do}])"
        self.clicks += 1
        self.page.locator(form).get_by_role("button").first.click()
        expect(self.page.get_by_text("Nothing is changed yet.")).to_be_visible()
        self.clicks += 1
        self.page.locator("button[name=confirm]").click()
        self.page.wait_for_selector("p.done")


def entered(page: Page, url: str, path: str = "/") -> None:
    give_login(page.context, url, "mia")
    page.goto(f"{url}{path}")
    page.wait_for_selector("main h1")


def test_a_planners_day_by_browser_alone(pages: Site, shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    with pages.context() as mine:
        page = mine.new_page()
        entered(page, pages.url)
        began, hands = time.monotonic(), Hands(page)
        _things(hands)
        _loop(hands)
        _print(hands)
        loop = Loop.objects.get(part__number="AX-100")
        hands.act("size", cards="5", quantity="8")
        assert page.locator("#todo").get_by_text("5 cards are to be printed.").is_visible()
        hands.act("hold", hold_reason="new tool")
        expect(page.locator("main .head")).to_contain_text("on hold: new tool")
        hands.act("resume")
        when = timezone.now() + timedelta(days=3)
        hands.act("successor", s_part="CAP-100N", s_at=f"{when:%Y-%m-%dT%H:%M}")
        expect(page.locator("#planned")).to_contain_text("CAP-100N-WASH follows")
        hands.act("retire", retire_reason="design ended")
        expect(page.locator("main .head")).to_contain_text("retired")
        seconds = time.monotonic() - began
    loop.refresh_from_db()
    assert (loop.status, loop.quantity) == ("RETIRED", 8)
    assert len(state_of(loop.pk).collect) == 5
    assert LoopRevision.objects.get(loop=loop).refused_at is not None  # what was planned ended with the loop
    assert hands.clicks <= MOST_CLICKS
    assert hands.fields <= MOST_FIELDS
    with capsys.disabled():
        sys.stdout.write(f"\nplanner's day: {hands.clicks} clicks, {hands.fields} fields, {seconds:.1f} s\n")


def _things(hands: Hands) -> None:
    """A new part and a new station."""
    hands.follow("Plan", "header")
    hands.follow("Parts", "main")
    hands.follow("New part", "main")
    hands.fill(number="AX-100", description="Axle", unit="pcs")
    hands.press("Save")
    hands.page.wait_for_selector("p.done")
    assert Part.objects.get(number="AX-100").description == "Axle"
    hands.follow("Plan", "main")
    hands.follow("Stations", "main")
    hands.follow("New station", "main")
    hands.fill(code="WASH", name="Washing", kind="PROCESS", area="SMT")
    hands.press("Save")
    hands.page.wait_for_selector("p.done")
    assert Station.objects.get(code="WASH").area == Station.objects.get(code="PASTE").area


def _loop(hands: Hands) -> None:
    """A loop of three cards: the formula says so, with its numbers."""
    hands.follow("Plan", "main")
    hands.follow("New loop", "main")
    hands.fill(part="AX-100", supply="PASTE", demand="WASH", quantity="12", use="100", lead="4")
    expect(hands.page.locator("#look .big-number b")).to_have_text("3")
    expect(hands.page.locator("#look")).to_contain_text("AX-100")
    hands.press("Make the loop and its cards")
    hands.page.wait_for_selector("#todo")
    found = Card.objects.filter(loop__part__number="AX-100")
    assert [(card.card_status, card.quantity) for card in found] == [("NEW", 12)] * 3


def _print(hands: Hands) -> None:
    """The file of the three cards, and back to the loop."""
    page = hands.page
    address = page.url
    hands.follow("Print", "main")
    page.wait_for_selector("#printer")
    page.select_option("#form", "zpl203")
    hands.fields += 1
    with page.expect_download() as found:
        hands.clicks += 1
        page.locator("#go").click()
    assert found.value.suggested_filename.endswith(".zpl")
    assert PrintedCard.objects.count() == 3
    page.goto(address)
    hands.clicks += 1


def test_a_draft_stays_in_the_browser_until_the_loop_is_made(pages: Site, shop: Shop) -> None:
    with pages.context() as mine:
        page = mine.new_page()
        entered(page, pages.url, "/l/new")
        page.fill("#part", "AX-200")
        page.fill("#quantity", "6")
        page.goto(f"{pages.url}/plan/")
        page.goto(f"{pages.url}/l/new")
        expect(page.locator("#part")).to_have_value("AX-200")
        expect(page.locator("#draft")).to_be_visible()
        page.locator("[data-afresh]").click()
        expect(page.locator("#part")).to_have_value("")
        expect(page.locator("#draft")).to_be_hidden()


def test_lists_and_forms_by_keyboard(pages: Site, shop: Shop) -> None:
    with pages.context() as mine:
        page = mine.new_page()
        entered(page, pages.url, "/plan/stations")
        links = page.locator("table.list tbody th a")
        links.first.focus()
        page.keyboard.press("ArrowDown")
        expect(links.nth(1)).to_be_focused()
        ticks = page.locator("[name=pick]")
        ticks.first.focus()
        for keys, count in (("Space", "1 ticked"), ("ArrowDown Space", "2 ticked")):
            for key in keys.split():
                page.keyboard.press(key)
            expect(page.locator("[data-ticked]")).to_have_text(count)
        links.first.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("form.typed")
        page.fill("[name=name]", "Acme's dock")
        page.keyboard.press("Control+s")
        page.wait_for_selector("p.done")
    assert Station.objects.get(code="ACME-DOCK").name == "Acme's dock"


@pytest.mark.parametrize("theme", ["day", "dim", "sun"])
def test_axe_finds_nothing_on_the_planners_pages(pages: Site, shop: Shop, theme: str) -> None:
    loop, part = shop.loops["L-OUT"], Part.objects.get(number="CAP-100N")
    paths = (
        "/plan/", "/plan/loops", "/plan/bills", "/plan/parts/new", f"/plan/parts/{part.pk}", "/plan/calendars/new",
        "/plan/words?place=ORLANDO:SMT&language=de", "/l/new", f"/l/{loop.pk}/edit", f"/l/{loop.pk}/settings",
    )  # fmt: skip
    found: list[str] = []
    with pages.context() as mine:
        page = mine.new_page()
        entered(page, pages.url)
        mine.add_cookies([{"name": "theme", "value": theme, "url": pages.url}])
        for path in paths:
            page.goto(f"{pages.url}{path}")
            found += [f"{path} {each}" for each in violations(page)]
        page.fill("[name=accumulate_cards]", "many")  # a refusal at its field
        page.locator("form.typed button.main").click()
        page.wait_for_selector("[role=alert]")
        found += [f"refused {each}" for each in violations(page)]
        page.goto(f"{pages.url}/l/{loop.pk}/edit")
        page.fill("#cards", "1")
        page.locator("form:has(input[value=size]) button").first.click()
        until(page, "() => document.querySelector('button[name=confirm]') !== null")
        found += [f"shown {each}" for each in violations(page)]
    assert found == []


@pytest.mark.parametrize("width", [375, 320])
def test_no_page_of_the_planner_moves_sideways_on_a_phone(pages: Site, shop: Shop, width: int) -> None:
    loop = shop.loops["L-OUT"]
    paths = [
        "/plan/",
        "/plan/loops",
        "/plan/parts",
        "/plan/stations/new",
        "/plan/calendars/new",
        "/plan/areas/new",
        "/plan/words?place=ORLANDO:SMT&language=pl",
    ]
    paths += ["/l/new", f"/l/{loop.pk}/edit", f"/l/{loop.pk}/settings"]
    wide: dict[str, int] = {}
    with pages.context(width=width, height=667) as mine:
        page = mine.new_page()
        entered(page, pages.url)
        for path in paths:
            page.goto(f"{pages.url}{path}")
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                wide[path] = over
    assert wide == {}


@pytest.mark.parametrize("theme", ["day", "dim", "sun"])
def test_words_are_renamed_by_keyboard_and_stand_on_the_board(pages: Site, shop: Shop, theme: str) -> None:
    """Enter in a field saves: the first button of the form must not be the one that gives a word up."""
    with pages.context() as mine:
        page = mine.new_page()
        entered(page, pages.url)
        mine.add_cookies([{"name": "theme", "value": theme, "url": pages.url}])
        page.goto(f"{pages.url}/plan/words?place=ORLANDO:SMT&language=en")
        page.fill("[name=bin-singular]", "tray")
        page.press("[name=bin-singular]", "Enter")
        page.wait_for_selector("[role=alert]")  # a form is missing
        assert violations(page) == []
        expect(page.locator("[name=bin-singular]")).to_have_value("tray")
        page.fill("[name=bin-plural]", "trays")
        page.locator("button[value=look]").click()
        page.wait_for_selector("p.notice")
        expect(page.locator("#bin .sentences")).to_contain_text("Put the tray in its place.")
        page.press("[name=bin-plural]", "Enter")
        page.wait_for_selector("p.done")
        page.fill("[name=part-singular]", "item")
        page.fill("[name=part-plural]", "items")
        page.press("[name=part-plural]", "Enter")
        page.wait_for_selector("p.done")
        expect(page.locator("[name=bin-plural]")).to_have_value("trays")
        page.goto(f"{pages.url}/b/SMT")
        expect(page.locator("thead")).to_contain_text("Trays")
        expect(page.locator("thead")).to_contain_text("Item")
