"""A tablet becomes a device in a real browser, and somebody signs in there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from jitapp.accounts.models import Device, Person
from jitapp.accounts.pins import set_pin
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant.devices import place_device
from jitapp.plant.models import Membership, Placement, Station, UnknownBadge
from jitapp.web.device import COOKIE
from tests.journeys.keyboards import burst
from tests.journeys.pages import Site, give_login
from tests.web.shop import Shop, a_person, every_state

pytestmark = pytest.mark.django_db(transaction=True)
PIN = "2580"


@pytest.fixture
def shop() -> Shop:
    made = every_state(timezone.now())
    a_person(made)
    Membership.objects.create(person=Person.objects.get(username="mia"), plant=made.plant, role=Role.LEADER)
    return made


def log_in(page: Page, site_url: str) -> None:
    give_login(page.context, site_url, "mia")
    page.goto(f"{site_url}/devices")


def test_a_leader_shows_a_code_and_a_tablet_arrives(pages: Site) -> None:
    with pages.context() as desk, pages.context(width=800, height=1280) as hall:
        leader, tablet = desk.new_page(), hall.new_page()
        log_in(leader, pages.url)
        leader.click("text=New device")
        leader.fill("[name=name]", "Line 2")
        leader.select_option("[name=station]", "SHIP")
        leader.click("main form.card button.main")
        expect(leader.locator("#arrival")).to_have_attribute("data-standing", "open")
        address = leader.locator(".code-card a").get_attribute("href")
        assert address is not None
        tablet.goto(address)
        tablet.evaluate(
            "document.addEventListener('jitapp:sound', (e) => sessionStorage.setItem('heard', e.detail))"
        )
        button = tablet.locator("#become button")
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 96
        button.click()
        tablet.wait_for_url(lambda url: "/device/enrol/" not in url)
        assert tablet.evaluate("sessionStorage.getItem('heard')") == "rising"
        cookie = next(each for each in hall.cookies() if each["name"] == COOKIE)
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
        assert COOKIE not in tablet.evaluate("document.cookie")
        # The touch lets the pages that follow make sounds: an AudioContext begins without another one.
        assert tablet.evaluate("new AudioContext().state") == "running"
        expect(leader.locator("#arrival")).to_have_attribute("data-standing", "used")
        expect(leader.locator("#arrival")).to_contain_text("Line 2 has arrived")
        assert Device.objects.get(name="Line 2").enrolled_by == Person.objects.get(username="mia")
        second = hall.new_page()
        second.goto(address)
        expect(second.locator("[role=alert]")).to_contain_text("was used already")


@pytest.fixture
def tablet(pages: Site, shop: Shop) -> Iterator[Page]:
    token = place_device("Line 2", DeviceKind.TABLET, plant=shop.plant.code, station="SHIP")
    with pages.context(width=1280, height=800) as context:
        context.add_cookies([{"name": COOKIE, "value": token, "url": pages.url}])
        page = context.new_page()
        page.goto(f"{pages.url}/s/who")
        page.wait_for_selector("[data-scans] #here[data-ready]")
        yield page


def somebody(shop: Shop, name: str, pin: str = "") -> Person:
    made = Person.objects.create(username=name, name=name.title(), badge=f"B-{name}")
    Membership.objects.create(person=made, plant=shop.plant, role=Role.OPERATOR)
    if pin:
        set_pin(made, pin)
    return made


def scan_badge(page: Page, badge: str) -> None:
    burst(page, badge)


def test_a_badge_signs_in_and_the_last_four_are_a_touch_away(tablet: Page, shop: Shop) -> None:
    for name in ("ana", "bea", "cem", "dora", "eve"):
        somebody(shop, name)
        scan_badge(tablet, f"B-{name}")
        expect(tablet.locator("#here-name")).to_have_text(name.title())
    names = tablet.locator("#names button")
    expect(names).to_have_text(["Eve", "Dora", "Cem", "Bea"])
    names.nth(2).click()
    expect(tablet.locator("#here-name")).to_have_text("Cem")
    expect(names.first).to_have_attribute("aria-pressed", "true")
    kept = tablet.evaluate("JSON.parse(localStorage.getItem('jitapp.actor'))")
    assert kept["uuid"] == str(Person.objects.get(username="cem").uuid)
    assert kept["until"] - kept["since"] == 12 * 3600_000
    tablet.click("#leave")
    expect(tablet.locator("#here-name")).to_have_text("–")
    assert tablet.evaluate("localStorage.getItem('jitapp.actor')") is None


def test_the_pages_follow_the_language_of_the_badge(tablet: Page, shop: Shop) -> None:
    Person.objects.filter(pk=somebody(shop, "ewa").pk).update(language="pl")
    scan_badge(tablet, "B-ewa")
    expect(tablet.locator("h1")).to_have_text("Kto tu jest")
    expect(tablet.locator("#said")).to_have_text("Cześć, Ewa.")
    expect(tablet.locator("#here-name")).to_have_text("Ewa")


def test_an_unknown_badge_is_said_and_nobody_is_signed_in(tablet: Page) -> None:
    scan_badge(tablet, "4711-0815")
    expect(tablet.locator("#said")).to_contain_text("Nobody here has this badge")
    expect(tablet.locator("#said")).to_have_attribute("role", "alert")
    expect(tablet.locator("#here-name")).to_have_text("–")
    assert UnknownBadge.objects.get().badge == "4711-0815"


def test_a_pin_is_asked_for_where_somebody_has_one(tablet: Page, shop: Shop) -> None:
    somebody(shop, "lea", PIN)
    tablet.fill("#name", "lea")
    tablet.click("#typed button")
    expect(tablet.locator("#pad-head")).to_have_text("PIN of Lea")
    for box in [key.bounding_box() for key in tablet.locator("#pad [data-key]").all()]:
        assert box is not None
        assert min(box["width"], box["height"]) >= 96
    for digit in "0001":
        tablet.click(f"#pad [data-key='{digit}']")
    tablet.click("#pad [data-key=enter]")
    expect(tablet.locator("#said")).to_contain_text("That PIN is wrong")
    for digit in PIN:
        tablet.click(f"#pad [data-key='{digit}']")
    tablet.click("#pad [data-key=enter]")
    expect(tablet.locator("#here-name")).to_have_text("Lea")
    expect(tablet.locator("#pad")).to_be_hidden()


def test_somebody_is_signed_out_by_time_and_by_another_tab(tablet: Page, shop: Shop) -> None:
    told = tablet.evaluate(
        """async () => {
            const { Actor } = await import('/static/js/actor.js');
            let now = 1_000_000;
            const one = new Actor(() => now);
            const why = [];
            one.addEventListener('change', ({ detail }) => why.push(detail.why));
            one.signIn({ person: 'u', name: 'Una', idle_minutes: 10 });
            now += 9 * 60_000; one.touch();
            now += 9 * 60_000; const touched = one.current?.name;
            now += 2 * 60_000; const idle = one.current;
            one.signIn({ person: 'u', name: 'Una', idle_minutes: null });
            now += 11 * 3600_000; const late = one.current?.name;
            now += 2 * 3600_000; const over = one.current;
            return { touched, idle, late, over, why };
        }"""
    )
    assert told == {
        "touched": "Una",
        "idle": None,
        "late": "Una",
        "over": None,
        "why": ["in", "idle", "in", "over"],
    }
    somebody(shop, "ana")
    scan_badge(tablet, "B-ana")
    expect(tablet.locator("#here-name")).to_have_text("Ana")
    other = tablet.context.new_page()
    other.goto(tablet.url)
    other.wait_for_selector("[data-scans] #here[data-ready]")
    expect(other.locator("#here-name")).to_have_text("Ana")
    other.click("#leave")
    expect(tablet.locator("#here-name")).to_have_text("–")


@pytest.mark.parametrize("size", [(375, 667), (1280, 800), (1920, 1080)])
def test_targets_are_big_enough_and_nothing_is_wider_than_the_screen(
    tablet: Page, shop: Shop, size: tuple[int, int]
) -> None:
    tablet.set_viewport_size({"width": size[0], "height": size[1]})
    somebody(shop, "lea", PIN)
    scan_badge(tablet, "B-lea")
    expect(tablet.locator("#here-name")).to_have_text("Lea")
    tablet.click("#names button")
    expect(tablet.locator("#pad")).to_be_visible()
    for box in [
        each.bounding_box()
        for each in tablet.locator("main button, main a.button").all()
        if each.is_visible()
    ]:
        assert box is not None
        assert min(box["width"], box["height"]) >= 48
    wide, seen = tablet.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= seen


def by_hand(page: Page, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(90)


def test_the_pad_takes_a_keyboard_and_a_pin_is_never_told_as_a_badge(tablet: Page, shop: Shop) -> None:
    somebody(shop, "lea", "25802580")
    tablet.fill("#name", "lea")
    tablet.keyboard.press("Enter")
    expect(tablet.locator("#pad")).to_be_focused()
    by_hand(tablet, "123")
    tablet.keyboard.press("Enter")
    expect(tablet.locator("#said")).to_have_text("A PIN has at least 4 digits.")
    by_hand(tablet, "12345678")
    tablet.keyboard.press("Enter")
    expect(tablet.locator("#said")).to_contain_text("That PIN is wrong")
    # As fast as a scanner: still a PIN, because nobody has such a badge. A touch before it changes nothing.
    tablet.click("#pad [data-key='2']")
    tablet.keyboard.type("5802580")
    tablet.keyboard.press("Enter")
    expect(tablet.locator("#here-name")).to_have_text("Lea")
    expect(tablet.locator("#pad")).to_be_hidden()
    assert not UnknownBadge.objects.exists()


def test_a_scan_while_the_pad_is_open_is_a_scan_and_escape_closes_it(tablet: Page, shop: Shop) -> None:
    somebody(shop, "lea", PIN)
    somebody(shop, "ana")
    tablet.fill("#name", "lea")
    tablet.keyboard.press("Enter")
    expect(tablet.locator("#pad")).to_be_visible()
    by_hand(tablet, "25")
    scan_badge(tablet, "4711-0815")
    expect(tablet.locator("#said")).to_contain_text("Nobody here has this badge")
    tablet.locator("#name").press_sequentially("lea")
    tablet.keyboard.press("Enter")
    expect(tablet.locator("#pad")).to_be_visible()
    tablet.keyboard.press("Escape")
    expect(tablet.locator("#pad")).to_be_hidden()
    scan_badge(tablet, "B-ana")
    expect(tablet.locator("#here-name")).to_have_text("Ana")


def test_a_tablet_follows_when_its_leader_places_it_elsewhere(tablet: Page, pages: Site) -> None:
    tablet.goto(f"{pages.url}/s/")
    tablet.wait_for_selector("#result[data-ready]")
    expect(tablet.locator("h1")).to_have_text("Shipping")
    Placement.objects.filter(device__name="Line 2").update(
        station=Station.objects.get(code="TEST"), intent="start"
    )
    expect(tablet.locator("h1")).to_have_text("Test bench", timeout=30_000)
    expect(tablet.locator("#intent")).to_have_value("start")
    # What is chosen here is no leader's: the page stays.
    tablet.wait_for_selector("#result[data-ready]")
    tablet.evaluate("window.stays = true")
    with tablet.expect_response("**/s/station/"):
        tablet.select_option("#intent", "complete")
    tablet.wait_for_timeout(9_000)  # two signs of life after the page was idle
    assert tablet.evaluate("window.stays") is True
    assert Placement.objects.get(device__name="Line 2").intent == "complete"
