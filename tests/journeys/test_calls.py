"""A call in the browser: one press at the station, the board and the page of calls know, somebody solves it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, expect

from jitapp import switchboard
from jitapp.plant.models import Station
from jitapp.pull import actions
from jitapp.pull.models import AndonCall, Card
from jitapp.pull.scan_request import Source
from tests.journeys.pages import Site, log_in, scan
from tests.web.shop import Shop, a_person, every_state

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(settings: LazySettings) -> Shop:
    settings.DEMO = "1"
    settings.DEMO_PLANT = "ORLANDO"
    made = every_state(timezone.now())
    a_person(made, roles=("operator", "leader"))
    return made


def called(
    shop: Shop, minutes: float, kind: str = "machine", station: str = "REFLOW", **more: object
) -> AndonCall:
    return actions.call_for_help(
        station=station,
        kind=kind,
        now=timezone.now() - timedelta(minutes=minutes),
        source=Source(plant_ids=frozenset({shop.plant.pk})),
        **more,  # type: ignore[arg-type]
    )


def test_one_press_at_a_station_is_seen_on_the_board_taken_and_solved(pages: Site, shop: Shop) -> None:
    with pages.context() as mine, pages.context() as theirs:
        board = theirs.new_page()
        board.goto(f"{pages.url}/b/SMT")
        expect(board.locator("#truth")).to_have_attribute("data-state", "live")
        expect(board.locator("#calls-number b")).to_have_text("0")

        operator = mine.new_page()
        log_in(operator, pages.url, "SHIP")
        operator.locator(".calling .stops").click()
        operator.get_by_role("button", name="Machine").click()
        expect(operator.locator(".called")).to_contain_text("Team leader must come")
        expect(operator.locator(".called")).to_contain_text("LINE STOPPED")
        expect(operator.locator(".calling input[type=checkbox]")).not_to_be_checked()
        assert AndonCall.objects.get().stops_line

        switchboard.drain()
        expect(board.locator("#calls-number b")).to_have_text("1")
        expect(board.locator("#calls-number small")).to_contain_text("oldest")

        leader = mine.new_page()
        leader.goto(f"{pages.url}/calls")
        leader.evaluate("document.body.dataset.mark = 'not reloaded'")
        leader.get_by_role("button", name="I have it").click()
        expect(leader.locator(".call-who")).to_contain_text("Mia has it")
        leader.get_by_text("Solve", exact=True).click()
        leader.get_by_label("What was it?").fill("belt torn")
        leader.get_by_label("What keeps it").fill("spare belt at the line")
        leader.get_by_role("button", name="Solved").click()
        expect(leader.locator("#calls-list")).to_contain_text("No open calls")
        expect(leader.locator("table.data")).to_contain_text("spare belt at the line")
        assert leader.evaluate("document.body.dataset.mark") == "not reloaded"
        switchboard.drain()
        expect(board.locator("#calls-number b")).to_have_text("0")


def test_what_somebody_types_survives_the_renewal_of_the_list(pages: Site, shop: Shop) -> None:
    called(shop, 1)
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "SHIP")
        page.goto(f"{pages.url}/calls")
        page.get_by_text("Solve", exact=True).click()
        page.get_by_label("What was it?").fill("half a sen")
        called(shop, 0, "material", "PASTE")
        expect(page.locator(".call")).to_have_count(2, timeout=12_000)
        expect(page.get_by_label("What was it?").and_(page.locator(":focus"))).to_have_value("half a sen")


def test_a_call_climbs_before_the_eyes_and_a_silent_server_is_told(pages: Site, shop: Shop) -> None:
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "SHIP")
        called(shop, 1.85)
        page.goto(f"{pages.url}/calls")
        expect(page.locator(".call .chip").first).to_have_text("CALLED")
        expect(page.locator(".call .chip").first).to_have_text("UNANSWERED", timeout=25_000)
        page.route("**/calls/list", lambda route: route.abort())
        expect(page.locator("#calls-truth")).to_have_attribute("data-state", "stale", timeout=25_000)


def test_checks_are_ticked_on_the_scan_page_and_standard_work_is_linked(pages: Site, shop: Shop) -> None:
    Station.objects.filter(code="PASTE").update(
        readiness_checks=["stencil cleaned"], standard_work="https://work.example/paste"
    )
    code = shop.loops["L-OUT"].cards.get(number=1).code
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "PASTE")
        scan(page, code)
        expect(page.locator("#result")).to_have_attribute("data-state", "not_ready")
        page.get_by_label("stencil cleaned").check()
        page.get_by_role("button", name="Checked: start").click()
        expect(page.locator("#result")).to_have_attribute("data-state", "started")
        expect(page.locator("#work")).to_have_attribute("href", "https://work.example/paste")
        expect(page.locator("#checks")).to_be_hidden()
        assert Card.objects.get(code=code).supply_status == "IN_PROCESS"


def sizes(page: Page, selector: str) -> list[list[float]]:
    found: list[list[float]] = page.evaluate(
        "s => [...document.querySelectorAll(s)].map(e => e.getBoundingClientRect()).map(b => [b.width, b.height])",
        selector,
    )
    return found


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
def test_buttons_are_big_enough_for_gloves_and_nothing_flows_over(
    pages: Site, shop: Shop, width: int, height: int
) -> None:
    called(shop, 12, "quality", "SHIP", stops_line=True, note="crack in the housing, lot 4711", id=uuid4())
    with pages.context(width=width, height=height) as context:
        page = context.new_page()
        log_in(page, pages.url, "SHIP")
        for address in ("/s/", "/b/supply/SHIP"):
            page.goto(pages.url + address)
            buttons = sizes(page, ".calling [name=kind], .calling .stops")
            assert len(buttons) == 5
            assert all(min(box) >= 96 for box in buttons), (address, buttons)
            assert min(min(box) for box in sizes(page, ".calling .taking-back button")) >= 48
        for address in ("/s/", "/b/supply/SHIP", "/calls", "/b/SMT"):
            page.goto(pages.url + address)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        page.goto(pages.url + "/s/")
        inside = page.evaluate(
            "(e => e.scrollHeight <= e.clientHeight + 1)(document.getElementById('result'))"
        )
        assert inside


def test_b06_the_last_call_is_solved_by_the_enter_key(pages: Site, shop: Shop) -> None:
    for minutes in (30, 20):  # reasons that are offered while somebody types
        actions.solve_call(
            call_id=called(shop, minutes, "machine").uuid,
            reason="belt torn",
            now=timezone.now(),
            source=Source(plant_ids=frozenset({shop.plant.pk})),
        )
    called(shop, 1)
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "SHIP")
        page.goto(f"{pages.url}/calls")
        page.get_by_text("Solve", exact=True).click()
        field = page.get_by_label("What was it?")
        field.press_sequentially("belt torn")
        field.press("Enter")  # with a datalist the tab crashed here
        expect(page.locator("#calls-list")).to_contain_text("No open calls")
        expect(page.locator("table.data tbody tr")).to_have_count(3)


def test_a_reason_that_was_given_before_is_one_touch(pages: Site, shop: Shop) -> None:
    actions.solve_call(
        call_id=called(shop, 30).uuid,
        reason="belt torn",
        now=timezone.now(),
        source=Source(plant_ids=frozenset({shop.plant.pk})),
    )
    again = called(shop, 1)
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "SHIP")
        page.goto(f"{pages.url}/calls")
        page.get_by_text("Solve", exact=True).click()
        page.get_by_role("button", name="belt torn").click()
        expect(page.get_by_label("What was it?")).to_have_value("belt torn")
        page.get_by_role("button", name="Solved").click()
        expect(page.locator("#calls-list")).to_contain_text("No open calls")
    assert AndonCall.objects.get(pk=again.pk).reason == "belt torn"
