"""The scan page in a browser, with a scanner that types: a scan is a whole sentence, and none is lost."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from jitapp.pull.models import Card, Receipt
from jitapp.symbology.cardcode import COMBINATIONS, make_code
from tests.journeys.pages import Site, aside, kept, log_in, scan, waiting
from tests.live.served import wait_until
from tests.web.shop import Shop, with_many_cards

pytestmark = pytest.mark.django_db(transaction=True)
logger = logging.getLogger(__name__)  # the figures: -o log_cli=true


@pytest.fixture
def shop() -> Shop:
    return with_many_cards(timezone.now(), 50)


@pytest.fixture
def page(pages: Site) -> Iterator[Page]:
    with pages.context() as context:
        tab = context.new_page()
        log_in(tab, pages.url, "SHIP")
        yield tab


def codes(shop: Shop) -> list[str]:
    return list(shop.loops["L-MANY"].cards.order_by("number").values_list("code", flat=True))


def result(page: Page) -> Any:
    return expect(page.locator("#result"))


def test_every_way_a_scanner_may_type_gives_the_right_card(page: Page, shop: Shop) -> None:
    ways: list[Callable[[str], object]] = [
        lambda code: scan(page, code),
        lambda code: scan(page, code, "Tab"),
        lambda code: scan(page, code, ""),
        lambda code: scan(page, code.lower()),
        lambda code: scan(page, f"https://kanban.example/k/{code}"),
        lambda code: scan(page, f"xyz{code}"),
        lambda code: page.evaluate(
            """code => { const clipboardData = new DataTransfer(); clipboardData.setData('text', code);
                         document.dispatchEvent(new ClipboardEvent('paste', {clipboardData, bubbles: true})); }""",
            code,
        ),
        lambda code: _azerty(page, code),
    ]
    for number, (way, code) in enumerate(zip(ways, codes(shop), strict=False), start=1):
        way(code)
        result(page).to_have_attribute("data-look", "ok")
        expect(page.locator("#last li:first-child b")).to_have_text(f"PCB-MANY {number}/50")


def _azerty(page: Page, code: str) -> None:
    """A scanner that presses US keys at a computer with a French layout: letters and digits come out wrong."""
    session = page.context.new_cdp_session(page)
    french = dict(zip("QWAZM1234567890", "aqzw,&é\"'(-è_çà", strict=False)) | {
        "A": "q",
        "Z": "w",
        "Q": "a",
        "W": "z",
    }
    for symbol in code:
        name = f"Digit{symbol}" if symbol.isdigit() else f"Key{symbol}"
        text = french.get(symbol, symbol.lower())
        session.send("Input.dispatchKeyEvent", {"type": "keyDown", "code": name, "key": text, "text": text})
        session.send("Input.dispatchKeyEvent", {"type": "keyUp", "code": name, "key": text})
    page.keyboard.press("Enter")


def test_a_scan_works_wherever_the_focus_is_and_leaves_the_field_as_it_was(page: Page, shop: Shop) -> None:
    places = ["body", ".top .button", "#sound", "#code", "#typing button"]
    for place, code in zip(places, codes(shop), strict=False):
        if place == "#code":
            page.fill("#code", "note")
        page.locator(place).focus()
        scan(page, code)
        result(page).to_have_attribute("data-look", "ok")
        expect(page.locator("#last li:first-child b")).to_have_text(
            f"PCB-MANY {codes(shop).index(code) + 1}/50"
        )
        if place == "#code":
            expect(page.locator("#code")).to_have_value("note")
    wait_until(lambda: Receipt.objects.count() == len(places))


def test_c05_fifty_scans_at_ten_a_second_are_applied_in_order_and_the_last_eight_are_listed(
    page: Page, shop: Shop
) -> None:
    """Faster would be as good: nothing here waits for an answer before the next scan."""
    began = time.monotonic()
    for place, code in enumerate(codes(shop)):
        page.wait_for_timeout(max(0.0, 1000 * (began + place / 10 - time.monotonic())))
        scan(page, code)
    typed = time.monotonic() - began
    wait_until(lambda: Receipt.objects.count() == 50, 30)
    logger.info(
        "50 scans typed in %.1f s, all on record %.1f s later", typed, time.monotonic() - began - typed
    )
    receipts = list(Receipt.objects.order_by("id").values_list("card__number", "outcome"))
    assert receipts == [(number, "applied") for number in range(1, 51)]
    expect(page.locator("#last li")).to_have_count(8)
    for place in range(8):
        expect(page.locator("#last li b").nth(place)).to_have_text(f"PCB-MANY {50 - place}/50")
    expect(page.locator("#last li[data-look=ok]")).to_have_count(8)
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    assert waiting(page) == []


def test_ordinary_typing_and_bad_reads_are_never_sent(page: Page, shop: Shop) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/s/scans" in request.url else None)
    page.keyboard.type("the quick brown fox jumps over 0123456789", delay=90)  # as people type
    page.wait_for_timeout(400)
    page.keyboard.press("Enter")
    result(page).to_have_attribute("data-state", "not_a_card_code")
    good = codes(shop)[0]
    scan(page, good[:-1] + ("0" if good[-1] != "0" else "1"))
    result(page).to_have_attribute("data-state", "bad_check")
    result(page).to_have_attribute("role", "alert")
    assert sent == []


def test_the_same_card_twice_is_counted_once_and_can_be_undone(page: Page, shop: Shop) -> None:
    code = codes(shop)[0]
    scan(page, code)
    result(page).to_have_attribute("data-state", "emptied")
    scan(page, code)
    expect(page.locator("#last li")).to_have_count(2)
    result(page).to_have_attribute("data-state", re.compile("bounced|just_moved|already"))
    assert Card.objects.get(code=code).turn_number == 1
    page.get_by_role("button", name="Undo PCB-MANY 1/50").click()
    result(page).to_have_attribute("data-state", "undone")
    assert Card.objects.get(code=code).supply_status in ("FULL", "IN_USE")


def test_without_a_connection_a_scan_is_kept_shown_and_sent_later_with_the_same_id(
    page: Page, shop: Shop
) -> None:
    ids: list[str] = []

    def lose_the_answer(route: Route) -> None:
        ids.extend(scan["id"] for scan in json.loads(route.request.post_data or "{}")["scans"])
        if len(ids) == 1:
            route.abort()
        elif len(ids) == 2:
            route.fetch()  # the server has it, the answer is lost
            route.abort()
        else:
            route.continue_()

    page.route("**/s/scans", lose_the_answer)
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-look", "saved")
    expect(page.locator("#link .word")).to_contain_text("1 waiting")
    result(page).to_have_attribute("data-look", "ok", timeout=15_000)
    assert len(ids) == 3
    assert len(set(ids)) == 1
    assert Receipt.objects.count() == 1
    expect(page.locator("#link")).to_have_attribute("data-state", "live")


SAYS_NOTHING: list[tuple[str, dict[str, Any]]] = [
    ("the database is away", {"status": 503, "json": {"code": "store_unreachable"}}),
    ("it said so once more, and for how long", {"status": 503, "headers": {"Retry-After": "30"}}),
    ("too many requests", {"status": 429, "json": {"code": "too_many_requests"}}),
    ("a proxy without a server", {"status": 502, "body": "<h1>Bad gateway</h1>"}),
    ("a server that refuses something else", {"status": 400, "json": {"id": "another", "code": "malformed"}}),
    ("too few answers", {"status": 200, "json": {"results": []}}),
    ("an address that is not there", {"status": 404, "json": {"detail": "Not found"}}),
    ("a page of the guests' network", {"status": 200, "body": "<h1>Welcome</h1>"}),
    ("an answer to nobody", {"status": 200, "json": {"outcome": "applied", "look": "ok"}}),
    ("the way to the login", {"status": 302, "headers": {"Location": "/login/?next=/s/"}}),
    ("the device is not known", {"status": 401, "json": {"code": "device_unknown"}}),
    ("a fault", {"status": 500, "body": "<h1>Something broke</h1>"}),
]


def test_s01_what_says_nothing_about_a_scan_never_sets_it_aside(page: Page, shop: Shop) -> None:
    left = list(SAYS_NOTHING)
    tried: list[str] = []
    mended = False

    def answer(route: Route) -> None:
        tried.append(json.loads(route.request.post_data or "{}")["scans"][0]["code"])
        if left:
            route.fulfill(**left.pop(0)[1])
        elif mended:
            route.continue_()
        else:
            route.abort()

    page.clock.install()
    page.route("**/s/scans", answer)
    for code in codes(shop)[:3]:
        scan(page, code)
    result(page).to_have_attribute("data-look", "saved")
    wait_until(lambda: len(waiting(page)) == 3)
    for _ in range(200):
        if not left:
            break
        page.clock.fast_forward(61_000)
        page.wait_for_timeout(50)
        assert aside(page) == []
        assert len(waiting(page)) == 3
    assert left == []
    mended = True
    page.clock.fast_forward(61_000)
    expect(page.locator("#last li")).to_have_count(3)
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    assert set(tried[: len(SAYS_NOTHING)]) == {codes(shop)[0]}  # in order: nobody overtakes the first
    assert kept(page) == []
    assert list(Receipt.objects.order_by("id").values_list("card__number", "outcome")) == [
        (number, "applied") for number in (1, 2, 3)
    ]


def test_scans_that_wait_survive_a_reload_and_are_sent_in_order(page: Page, shop: Shop) -> None:
    page.route("**/s/scans", lambda route: route.abort())
    for code in codes(shop)[:5]:
        scan(page, code)
    expect(page.locator("#link .word")).to_contain_text("5 waiting")
    page.reload()
    expect(page.locator("#link .word")).to_contain_text("5 waiting")
    page.unroute("**/s/scans")
    wait_until(lambda: Receipt.objects.filter(outcome="applied").count() == 5, 25)
    assert list(Receipt.objects.order_by("id").values_list("card__number", flat=True)) == [1, 2, 3, 4, 5]


def test_each_outcome_has_its_own_sound_once(page: Page, shop: Shop) -> None:
    page.evaluate(
        "window.heard = []; document.addEventListener('jitapp:sound', e => window.heard.push(e.detail))"
    )
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-look", "ok")
    scan(page, "4006381333931")
    result(page).to_have_attribute("data-state", "makers_label")
    scan(page, make_code(COMBINATIONS - 1))
    result(page).to_have_attribute("data-state", "unknown_card")
    assert page.evaluate("window.heard") == ["rising", "level", "falling"]


def test_letters_and_targets_are_big_enough_for_gloves_and_distance(page: Page, shop: Shop) -> None:
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-look", "ok")
    assert (
        float(page.evaluate("parseFloat(getComputedStyle(document.querySelector('.headline')).fontSize)"))
        >= 56
    )
    sizes: dict[str, list[float]] = page.evaluate(
        """Object.fromEntries([...document.querySelectorAll('button, a.button, input:not([type=hidden]), select')]
           .filter(e => e.offsetParent).map((e, i) => [i + e.tagName + (e.textContent.trim() || e.name),
             [e.getBoundingClientRect().width, e.getBoundingClientRect().height]]))"""
    )
    assert all(min(box) >= 48 for box in sizes.values()), sizes
    big = [box for name, box in sizes.items() if name.endswith(("Record", "Undo"))]
    assert len(big) == 2
    assert all(min(box) >= 96 for box in big), sizes


@pytest.mark.parametrize("theme", ["day", "dim", "sun"])
def test_what_the_operator_reads_has_seven_to_one_contrast(
    pages: Site, shop: Shop, settings: LazySettings, theme: str
) -> None:
    settings.DEMO, settings.DEMO_PLANT = "live", shop.plant.code  # its banner is read too
    with pages.context() as context:
        page = context.new_page()
        log_in(page, pages.url, "SHIP")
        ratios = contrasts(page, shop, theme)
    assert all(ratio >= 7 for ratio in ratios.values()), ratios


def contrasts(page: Page, shop: Shop, theme: str) -> dict[str, float]:
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-look", "ok")
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    ratios: dict[str, float] = page.evaluate(
        """() => {
          const part = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 };
          const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(part);
                               return 0.2126 * r + 0.7152 * g + 0.0722 * b };
          const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
                                if (!/, 0\\)$/.test(c)) return c } return 'rgb(255,255,255)' };
          const seen = ['.headline', '.what', '.next', '.last b', '.last small', '.typing label', '.top h1',
                        '.demo button'];
          return Object.fromEntries(seen.map(s => { const e = document.querySelector(s);
            const [a, b] = [light(getComputedStyle(e).color), light(ground(e))];
            return [s, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)] })) }"""
    )
    return ratios


def test_a_station_starts_and_finishes_what_was_asked_for_from_its_list(
    page: Page, pages: Site, shop: Shop
) -> None:
    card = shop.loops["L-OUT"].cards.get(number=1)
    page.goto(f"{pages.url}/b/supply/PASTE")
    page.get_by_role("button", name="I stand here").click()
    expect(page.get_by_role("button", name="I stand here")).to_have_count(0)
    expect(page.locator("#queue[data-ready]")).to_have_count(1)
    job = page.locator(".job", has=page.locator(f"a[href='/k/{card.code}']"))
    page.route("**/s/", lambda route: route.fulfill(status=503, json={"code": "store_unreachable"}))
    job.get_by_role("button", name="Start").click()
    expect(page.locator("#said")).to_contain_text("The server does not answer.")
    page.unroute("**/s/")
    expect(page.locator("#said")).to_contain_text(
        "STARTED", timeout=60_000
    )  # it waits 15 s at most between tries
    job.get_by_role("button", name="Filled").click()
    expect(page.locator("#said")).to_contain_text("DONE")
    expect(job).to_have_count(0)
    assert Card.objects.get(pk=card.pk).supply_status == "COMPLETED"
