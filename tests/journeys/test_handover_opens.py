"""A leader's board opens the handover by itself before the shift ends; nobody else's does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from jitapp.plant.models import Calendar
from jitapp.plant.shifts import ends_after
from tests.journeys.pages import Site, site
from tests.web.shop import Shop, a_person, every_state

pytestmark = pytest.mark.django_db(transaction=True)
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
LEFT = timedelta(minutes=40)  # until the shift ends, when it is made


@pytest.fixture
def shop() -> Shop:
    made = every_state(timezone.now())
    zone = ZoneInfo(made.plant.time_zone)
    now = timezone.now().astimezone(zone)
    shift = {
        "days": DAYS,
        "start": f"{now - timedelta(hours=2):%H:%M}",
        "end": f"{now + LEFT:%H:%M}",
        "breaks": [],
    }
    calendar, _ = Calendar.objects.get_or_create(plant=made.plant, is_default=True, defaults={"code": "DAY"})
    Calendar.objects.filter(pk=calendar.pk).update(shifts=[shift], holidays=[])
    a_person(made, roles=("leader",))
    a_person(made, roles=("operator",), username="otto")
    return made


@pytest.fixture
def pages(live_server: LiveServer, chromium: Browser, settings: LazySettings, shop: Shop) -> Iterator[Site]:
    with site(live_server, chromium, settings) as running:
        yield running


def open_board(page: Page, pages: Site, name: str = "mia") -> None:
    page.goto(f"{pages.url}/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", "scan-the-card")
    page.click("main button.main")
    expect(page.locator("#areas")).to_be_visible()
    page.clock.install(time=timezone.now())
    page.goto(f"{pages.url}/b/SMT")
    expect(page.locator("#truth")).to_be_visible()


def go_to(page: Page, shop: Shop, before: int) -> None:
    """The page's clock stands at so many minutes before the shift ends, and goes on only when the test says so."""
    (end, *_) = ends_after(shop.plant.pk, shop.plant.time_zone, timezone.now())
    page.clock.pause_at(end - timedelta(minutes=before))
    page.clock.run_for(2_000)  # the board looks once a second


def test_it_opens_ten_minutes_before_the_end_when_no_hand_is_at_the_board(pages: Site, shop: Shop) -> None:
    with pages.context() as context:
        page = context.new_page()
        open_board(page, pages)
        expect(page.locator("#handover")).to_be_hidden()
        go_to(page, shop, 16)
        expect(page.locator("#handover")).to_be_hidden()
        page.mouse.move(300, 400)
        page.mouse.move(320, 420)
        go_to(page, shop, 5)
        expect(page).to_have_url(f"{pages.url}/shift/SMT")  # the hand had gone
        (end, *_) = ends_after(shop.plant.pk, shop.plant.time_zone, timezone.now())
        assert page.evaluate("localStorage.getItem('handover:SMT')") == str(int(end.timestamp() * 1000))


def test_where_it_was_opened_for_this_end_the_board_only_says_so(pages: Site, shop: Shop) -> None:
    (end, *_) = ends_after(shop.plant.pk, shop.plant.time_zone, timezone.now())
    with pages.context() as context:
        page = context.new_page()
        page.add_init_script(f"localStorage.setItem('handover:SMT', '{int(end.timestamp() * 1000)}')")
        open_board(page, pages)
        go_to(page, shop, 5)
        expect(page.locator("#handover")).to_be_visible()
        expect(page.locator("#handover a")).to_have_attribute("href", "/shift/SMT")
        expect(page).to_have_url(f"{pages.url}/b/SMT")


def test_a_hand_at_the_board_holds_it_back(pages: Site, shop: Shop) -> None:
    with pages.context() as context:
        page = context.new_page()
        open_board(page, pages)
        go_to(page, shop, 13)
        for _ in range(18):  # six minutes, with a key every twenty seconds
            page.keyboard.press("Shift")
            page.clock.run_for(20_000)
        expect(page.locator("#handover")).to_be_visible()
        expect(page).to_have_url(f"{pages.url}/b/SMT")
        page.clock.run_for(40_000)
        expect(page).to_have_url(f"{pages.url}/shift/SMT")


def test_an_operators_board_knows_nothing_of_it(pages: Site) -> None:
    with pages.context() as context:
        page = context.new_page()
        open_board(page, pages, "otto")
        expect(page.locator("#loops")).to_be_visible()
        expect(page.locator("#handover")).to_have_count(0)


def test_ends_are_those_of_the_plants_own_shifts_a_week_ahead(shop: Shop) -> None:
    now = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)  # a Friday
    rows = Calendar.objects.filter(plant=shop.plant, is_default=True)
    work = [
        {"days": DAYS[:5], "start": start, "end": end, "breaks": []}
        for start, end in (("06:00", "14:00"), ("22:00", "06:00"))
    ]
    rows.update(shifts=work, holidays=["2026-12-01"])
    found = ends_after(shop.plant.pk, "UTC", now)
    assert [f"{end:%a %d %H}" for end in found] == [
        "Fri 27 14",
        "Sat 28 06",
        "Mon 30 14",
        "Tue 01 06",
        "Wed 02 14",
        "Thu 03 06",
        "Thu 03 14",
        "Fri 04 06",
        "Fri 04 14",
        "Sat 05 06",
    ]
    rows.update(shifts=[])
    assert ends_after(shop.plant.pk, "UTC", now) == []
