"""Needs a look in the browser: both stories, one press; and what the server cannot take waits on the device."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from jitapp.accounts.models import new_uuid
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Membership
from jitapp.pull import actions
from jitapp.pull.models import Receipt, Settlement
from jitapp.pull.scan_request import ScanRequest
from jitapp.symbology.cardcode import make_code
from tests.floor import Floor
from tests.journeys.pages import Site, kept, log_in, scan, site, waiting
from tests.live.served import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
UNKNOWN = make_code(123_456_789)


@pytest.fixture
def floor(settings: LazySettings) -> Floor:
    settings.DEMO = "0"
    floor = Floor(now=timezone.now() - timedelta(hours=3))
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="PCB-A-SOLDERED", supply="SMT", demand="TEST", cards=3, quantity=12)
    mia = floor.person("mia")
    mia.set_password("scan-the-card")
    mia.save()
    Membership.objects.create(person=mia, plant=floor.plant, role=Role.LEADER)
    return floor


@pytest.fixture
def pages(live_server: LiveServer, chromium: Browser, settings: LazySettings, floor: Floor) -> Iterator[Site]:
    with site(live_server, chromium, settings) as running:
        yield running


def park(floor: Floor, number: int, intent: str = "start") -> UUID:
    """A card was emptied; a scan from before that comes in late."""
    before = floor.now + timedelta(minutes=7)
    floor.scan("L1", number, "empty", after=22)
    id = new_uuid()
    assert floor.scan("L1", number, intent, id=id, occurred_at=before, after=31)["outcome"] == "parked"
    return id


def unknown(floor: Floor, times: int = 3) -> None:
    for _ in range(times):
        floor.send(ScanRequest(id=new_uuid(), code=UNKNOWN, station="TEST"))


def test_a_leader_is_led_to_the_tray_and_settles_each_with_one_press(pages: Site, floor: Floor) -> None:
    first, second = park(floor, 1), park(floor, 2)
    unknown(floor)
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "TEST")
        expect(page.locator("#needs-look")).to_contain_text("3 NEED A LOOK")
        page.click("#needs-look")
        expect(page.locator(".look")).to_have_count(3)
        page.evaluate("document.body.dataset.mark = 'not reloaded'")

        one = page.locator(f"#scan-{first}")
        expect(one.locator(".story .here")).to_contain_text("this scan")
        expect(one.locator(".now")).to_contain_text("empty")
        accept = one.get_by_role("button", name="Accept it: Start filling")
        expect(accept).to_contain_text("PCB-A-SOLDERED card 1 of 3: started. Make 12.")
        accept.click()
        expect(page.locator(".settled")).to_contain_text("Accepted: PCB-A-SOLDERED card 1 of 3: started.")
        expect(page.locator(".look")).to_have_count(2)
        assert floor.status("L1")[0] == "IN_PROCESS"

        other = page.locator(f"#scan-{second}")
        other.get_by_role("button", name="Discard it").click()
        expect(other).to_be_visible()  # without a reason nothing is sent
        other.get_by_label("Why is it discarded?").fill("wrong card in hand")
        other.get_by_role("button", name="Discard it").click()
        expect(page.locator(".settled")).to_contain_text("Discarded")

        label = page.locator(".look")
        expect(label).to_contain_text("3 × scanned")
        label.get_by_label("Card it belongs to").fill(floor.card("L1", 3).code)
        label.get_by_role("button", name="This label belongs").click()
        expect(page.locator("#tray-list")).to_contain_text("Nothing waiting")
        assert page.evaluate("document.body.dataset.mark") == "not reloaded"
        page.goto(f"{pages.url}/s/")
        scan(page, UNKNOWN)
        expect(page.locator("#result")).to_have_attribute("data-state", "emptied")
        expect(page.locator("#needs-look")).to_be_hidden()
    assert sorted(Settlement.objects.values_list("how", flat=True)) == sorted(
        ["accepted", "discarded", *["assigned"] * 3]
    )


def test_whoever_was_second_is_told_who_was_first(pages: Site, floor: Floor) -> None:
    waits = park(floor, 1)
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "TEST")
        page.goto(f"{pages.url}/s/tray")
        ole = floor.person("ole")
        Membership.objects.create(person=ole, plant=floor.plant, role=Role.PLANNER)
        actions.settle_scan(
            scan_id=waits,
            how="discard",
            reason="no",
            key=new_uuid(),
            now=timezone.now(),
            source=floor.leader().__class__(person_id=ole.pk, plant_ids=frozenset({floor.plant.pk})),
        )
        page.get_by_role("button", name="Accept it").click()
        expect(page.locator(".error")).to_contain_text("Ole has settled it at")
        expect(page.locator("#tray-list")).to_contain_text("Nothing waiting")


def test_an_operator_sees_what_waits_and_cannot_settle_it(pages: Site, floor: Floor) -> None:
    Membership.objects.update(role=Role.OPERATOR)
    park(floor, 1)
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "TEST")
        expect(page.locator("#needs-look")).to_have_count(0)
        page.goto(f"{pages.url}/s/tray")
        expect(page.locator(".look")).to_contain_text("Your leader settles it")
        expect(page.locator(".look button")).to_have_count(0)


def refusing(codes: set[str], status: int, **more: str) -> Callable[[Route], None]:
    """A server that answers the scans of these cards so, as long as they are in the set."""

    def handle(route: Route) -> None:
        said = json.loads(route.request.post_data or "{}")["scans"]
        if codes.isdisjoint(scan["code"] for scan in said):
            route.continue_()
        elif more:
            route.fulfill(json={"results": [{"id": scan["id"], "status": status, **more} for scan in said]})
        else:
            route.fulfill(status=status, body="<h1>Server error</h1>", content_type="text/html")

    return handle


def test_s01_a_scan_that_the_server_refuses_is_set_aside_and_the_others_go_on(
    pages: Site, floor: Floor
) -> None:
    refused, good = floor.card("L1", 1).code, floor.card("L1", 2).code
    codes = {refused}
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "TEST")
        page.route("**/s/scans", refusing(codes, 400, code="malformed", message="That step is not known."))
        scan(page, refused)
        expect(page.locator("#result")).to_contain_text("That step is not known.")
        expect(page.locator("#aside-link")).to_contain_text("1 NOT TAKEN")
        expect(page.locator("#link")).to_have_attribute("data-state", "live")
        scan(page, good)
        expect(page.locator("#result")).to_have_attribute("data-state", "emptied")
        expect(page.locator("#aside-link")).to_contain_text("1 NOT TAKEN")
        assert Receipt.objects.count() == 1

        page.click("#aside-link")
        mine = page.locator("#aside .own-scan")
        expect(mine).to_contain_text(refused)
        expect(mine).to_contain_text("That step is not known.")
        codes.clear()
        mine.get_by_role("button", name="Send again").click()
        # Sent by the page that is left or by the next one, which shows the answer only if it comes there.

        def is_sent() -> bool:
            page.wait_for_timeout(50)  # routes need the browser's loop
            return Receipt.objects.count() == 2

        wait_until(is_sent)
        expect(page.locator("#aside-link")).to_be_hidden()
        assert Receipt.objects.count() == 2

        # What the version before kept in localStorage is taken over, once.
        page.evaluate(
            "localStorage.setItem('jitapp.aside', JSON.stringify([{scan: {id: 'x', code: 'KBX',"
            " occurred_at: new Date().toISOString()}, status: 400, message: 'unreadable', at: 0}]))"
        )
        page.goto(f"{pages.url}/s/tray")
        assert page.evaluate("localStorage.getItem('jitapp.aside')") is None
        page.get_by_role("button", name="Put away").click()
        page.get_by_role("button", name="Really put it away?").click()
        expect(page.locator("#aside")).to_be_hidden()


def test_s01_a_scan_that_breaks_the_server_makes_way_and_is_never_set_aside(
    pages: Site, floor: Floor
) -> None:
    poison, good = floor.card("L1", 1).code, floor.card("L1", 2).code
    codes = {poison}
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "TEST")
        page.route("**/s/scans", refusing(codes, 500))
        scan(page, poison)
        scan(page, good)
        expect(page.locator("#result")).to_have_attribute("data-state", "emptied", timeout=60_000)
        wait_until(lambda: [each["code"] for each in waiting(page)] == [poison])
        expect(page.locator("#aside-link")).to_be_hidden()
        page.unroute("**/s/scans")
        expect(page.locator("#link .word")).to_have_text("LIVE", timeout=60_000)
        wait_until(lambda: Receipt.objects.filter(outcome="applied").count() == 2, 60)
        expect(page.locator("#link")).to_have_attribute("data-state", "live")
        assert kept(page) == []
        assert Receipt.objects.filter(outcome="applied").count() == 2


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
def test_the_page_fits_and_its_buttons_are_big(pages: Site, floor: Floor, width: int, height: int) -> None:
    park(floor, 1)
    park(floor, 2, "complete")
    unknown(floor)
    with pages.context(width=width, height=height) as context:
        page = context.new_page()
        log_in(page, pages.url, "TEST")
        page.goto(f"{pages.url}/s/tray")
        heights = page.evaluate(
            "[...document.querySelectorAll('.ways button')].map(e => e.getBoundingClientRect().height)"
        )
        assert heights
        assert min(heights) >= 64
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        _picture(page, f"tray-{width}")
        context.add_cookies([{"name": "django_language", "value": "de", "url": pages.url}])
        page.reload()
        expect(page.get_by_role("heading", name="Zu klären")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        _picture(page, f"tray-de-{width}")
        for address in ("/s/", "/b/PLANT-AREA"):
            page.goto(pages.url + address)
            expect(page.locator("#needs-look")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
            _picture(page, f"{'scan' if address == '/s/' else 'board'}-{width}")


def _picture(page: Page, name: str) -> None:
    """For people who want to look: PICTURES names a folder."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_nothing_waiting_is_said(pages: Site, floor: Floor) -> None:
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "TEST")
        page.goto(f"{pages.url}/s/tray")
        expect(page.locator(".empty")).to_contain_text("Nothing waiting")
        _picture(page, "tray-empty")
