"""A leader allows one scan at the tablet where somebody else made it: by badge and PIN, on the pad or a keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from jitapp.accounts.models import Person
from jitapp.accounts.pins import set_pin
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Membership, UnknownBadge
from jitapp.pull.models import Event, Receipt
from jitapp.symbology.commandcode import Command, CommandName
from tests.journeys.pages import Site, aside, known_to_tablet, log_in, scan, waiting
from tests.live.served import wait_until
from tests.web.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)
PIN = "2580"


@pytest.fixture
def lea(shop: Shop) -> Person:
    made = Person.objects.create(username="lea", name="Lea", badge="B-LEA-77")
    Membership.objects.create(person=made, plant=shop.plant, role=Role.LEADER)
    set_pin(made, PIN)
    return made


@pytest.fixture
def page(pages: Site, lea: Person) -> Iterator[Page]:
    with pages.context() as context:
        tab = context.new_page()
        log_in(tab, pages.url, "SHIP")
        known_to_tablet(tab)
        yield tab


def refused_here(page: Page, shop: Shop) -> str:
    """Scans OVERRIDE and a card that belongs elsewhere; the page asks for a leader."""
    code: str = shop.loops["L-OUT"].cards.get(number=1).code
    scan(page, Command(CommandName.OVERRIDE).code)
    scan(page, code)
    expect(page.locator("#allow")).to_be_visible()
    return code


def by_hand(page: Page, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(90)


def test_a_leader_allows_it_by_badge_and_a_pin_on_the_keyboard(page: Page, shop: Shop, lea: Person) -> None:
    code = refused_here(page, shop)
    assert Receipt.objects.get(card__code=code).outcome == "refused"
    scan(page, "B-LEA-77")
    expect(page.locator("#pad h2")).to_have_text("PIN of Lea")
    by_hand(page, "0001")
    page.keyboard.press("Backspace")
    expect(page.locator("#dots")).to_have_text("•••")
    by_hand(page, "9")
    page.keyboard.press("Enter")
    expect(page.locator("#allow [role=alert]")).to_contain_text("That PIN is wrong")
    by_hand(page, PIN)
    page.keyboard.press("Enter")
    expect(page.locator("#result")).to_have_attribute("data-look", "ok")
    expect(page.locator("#result .what")).to_contain_text("Lea allowed it here.")
    expect(page.locator("#allow")).to_be_hidden()
    event = Event.objects.get(type="scan.applied", card__code=code, data__has_key="allowed_by")
    assert (event.person, event.data["allowed_by"]) == (Person.objects.get(username="mia"), str(lea.uuid))
    # For that one scan: the next one is Mia's own again, and nobody was signed in by the leader's badge.
    scan(page, shop.loops["L-OUT"].cards.get(number=2).code)
    expect(page.locator("#result")).to_have_attribute("data-screen", "wrong_place")
    expect(page.locator("#who")).to_have_text("Mia")
    assert not UnknownBadge.objects.exists()


def test_keys_and_names_are_big_enough_and_it_is_left_by_a_touch(page: Page, shop: Shop) -> None:
    for width, height in ((375, 667), (1280, 800), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        refused_here(page, shop)
        page.fill("#leader", "lea")
        page.click("#allow form button")
        expect(page.locator("#pad")).to_be_visible()
        for key in page.locator("#allow button").all():
            box = key.bounding_box()
            if box is not None:
                assert min(box["width"], box["height"]) >= 48
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width
        page.click("#allow .away")
        expect(page.locator("#leader")).to_be_visible()
        page.click("#allow .not-here")
        expect(page.locator("#allow")).to_be_hidden()
        page.wait_for_timeout(3100)  # the same card again at once would be a double read
    assert not Receipt.objects.filter(outcome="applied").exists()


def test_without_a_connection_nobody_allows_it_and_the_scan_is_kept(page: Page, shop: Shop) -> None:
    page.route("**/s/*", lambda route: route.abort())
    expect(page.locator("#link")).to_have_attribute("data-state", "offline", timeout=20_000)
    scan(page, Command(CommandName.OVERRIDE).code)
    code = shop.loops["L-OUT"].cards.get(number=1).code
    scan(page, code)
    expect(page.locator("#result .next")).to_contain_text("nobody can allow it here")
    expect(page.locator("#allow")).to_be_hidden()
    assert [each["code"] for each in waiting(page)] == [code]
    page.wait_for_timeout(5500)  # whoever scanned has gone on
    page.unroute("**/s/*")
    wait_until(lambda: not waiting(page))
    assert Receipt.objects.get(card__code=code).outcome == "refused"
    assert [each["code"] for each in aside(page)] == [code]
