"""What a tablet keeps: taken back before it was sent, called for without a network, through upgrades of its database,
and when the browser refuses to keep anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from jitapp.pull.models import AndonCall, Card, Receipt
from jitapp.symbology.commandcode import Command, CommandName
from tests.journeys.pages import Site, aside, kept, known_to_tablet, log_in, scan, until, waiting
from tests.journeys.test_tablet import booked, codes, drained, person, result
from tests.live.served import wait_until
from tests.web.shop import Shop, with_many_cards

pytestmark = pytest.mark.django_db(transaction=True)
UNDO = Command(CommandName.UNDO).code


@pytest.fixture
def shop() -> Shop:
    return with_many_cards(timezone.now(), 30)


@pytest.fixture
def page(pages: Site) -> Iterator[Page]:
    with pages.context() as context:
        tab = context.new_page()
        log_in(tab, pages.url, "SHIP")
        known_to_tablet(tab)
        yield tab


def status(code: str) -> str:
    return Card.objects.get(code=code).supply_status


# -- taken back before it was sent -------------------------------------------------------------------------
def test_a_scan_that_waits_is_taken_back_by_the_card_and_by_the_button(page: Page, shop: Shop) -> None:
    first, second, third = codes(shop, last=3)
    page.context.set_offline(True)
    for code in (first, second, third):
        scan(page, code)
    result(page).to_have_attribute("data-state", "offline")
    expect(page.locator("#result .undo")).to_have_text("Undo")
    scan(page, UNDO)
    result(page).to_have_attribute("data-state", "withdrawn")
    expect(page.locator("#result .part")).to_have_text("PCB-MANY")
    expect(page.locator("#result .undo")).to_be_hidden()
    scan(page, UNDO)  # the last one is taken back already; an older one is not meant
    result(page).to_have_attribute("data-state", "undo_nothing")
    page.get_by_role("button", name="Undo PCB-MANY 1/30").click()
    result(page).to_have_attribute("data-state", "withdrawn")
    page.reload()
    expect(page.locator("#last li:first-child small")).to_contain_text("Taken back")
    assert [bool(each.get("withdrawn")) for each in waiting(page)] == [True, False, True]
    page.context.set_offline(False)
    drained(page)
    assert [number for number, *_ in booked()] == [2]
    recorded = Receipt.objects.order_by("seq").values_list("card__number", "code")
    assert list(recorded) == [(1, "withdrawn"), (2, "emptied"), (3, "withdrawn")]
    assert aside(page) == []
    assert set(Card.objects.filter(code__in=[first, third]).values_list("turn_number", flat=True)) == {0}


AT_ONCE = """(codes) => { for (const code of codes) for (const key of [...code, 'Enter']) {
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key, code: key, bubbles: true, cancelable: true }));
} }"""


def test_undo_means_the_scan_just_before_it_though_that_is_still_on_its_way_to_the_disk(
    page: Page, shop: Shop
) -> None:
    first, second = codes(shop, last=2)
    page.context.set_offline(True)
    scan(page, first)
    expect(page.locator("#last li")).to_have_count(1)
    page.evaluate(AT_ONCE, [second, UNDO])
    result(page).to_have_attribute("data-state", "withdrawn")
    assert [(each["code"], bool(each.get("withdrawn"))) for each in waiting(page)] == [
        (first, False),
        (second, True),
    ]


def test_a_scan_that_had_come_in_when_it_was_taken_back_is_undone(page: Page, shop: Shop) -> None:
    """Its answer was lost: the tablet thought that it waited."""
    code = codes(shop)[0]

    answers_arrive = False

    def lost(route: Route) -> None:
        if answers_arrive:
            route.continue_()
        else:
            route.fetch()
            route.abort()

    page.route("**/s/scans", lost)
    scan(page, code)
    result(page).to_have_attribute("data-state", "offline")
    assert status(code) == "EMPTY"
    scan(page, UNDO)
    result(page).to_have_attribute("data-state", "withdrawn")
    answers_arrive = True
    result(page).to_have_attribute("data-state", "undone", timeout=20_000)
    assert status(code) == "FULL"
    assert list(Receipt.objects.order_by("pk").values_list("code", flat=True)) == ["emptied", "undone"]
    assert waiting(page) == []


def test_taking_back_while_the_scan_is_on_its_way_undoes_it_once(page: Page, shop: Shop) -> None:
    code = codes(shop)[0]
    held: list[Route] = []
    page.route("**/s/scans", lambda route: route.continue_() if held else held.append(route))
    scan(page, code)
    until(page, "document.getElementById('result').dataset.state === 'sending'")
    while not held:
        page.wait_for_timeout(20)  # the handler runs meanwhile
    scan(page, UNDO)
    result(page).to_have_attribute("data-state", "withdrawn")
    held[0].continue_()
    result(page).to_have_attribute("data-state", "undone", timeout=20_000)
    drained(page)
    assert status(code) == "FULL"
    assert list(Receipt.objects.order_by("pk").values_list("code", flat=True)) == ["emptied", "undone"]


def test_undo_takes_back_the_last_scan_or_nothing(page: Page, shop: Shop) -> None:
    """Not the one before it: whoever scans UNDO means what they did last."""
    first = codes(shop)[0]
    scan(page, first)
    result(page).to_have_attribute("data-state", "emptied")
    brought = shop.card(shop.loops["L-MANY"], 99, "COMPLETED")
    shop.turn(brought, minutes_ago=5, due_in=60, step="COMPLETED")
    scan(page, brought.code)
    result(page).to_have_attribute("data-state", "received")
    scan(page, UNDO)
    result(page).to_have_attribute("data-state", "undo_nothing")
    assert status(first) == "EMPTY"


def test_nobody_takes_back_what_somebody_else_scanned(page: Page, shop: Shop) -> None:
    person(shop, "otto", badge="B-OTTO")
    page.reload()
    known_to_tablet(page)
    until(page, "fetch('/s/cards').then(r => r.json()).then(l => l.people.length > 0)")
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-state", "emptied")
    expect(page.locator("#last li button")).to_be_visible()
    scan(page, "B-OTTO")
    result(page).to_have_attribute("data-state", "signed_in")
    expect(page.locator("#last li button")).to_be_hidden()
    scan(page, UNDO)
    result(page).to_have_attribute("data-state", "undo_nothing")
    assert status(codes(shop)[0]) == "EMPTY"


def test_a_slow_press_of_undo_counts(page: Page, shop: Shop) -> None:
    """The list is drawn again every second; a glove may press longer."""
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-state", "emptied")
    box = page.locator("#last li button").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.wait_for_timeout(2200)
    page.mouse.up()
    result(page).to_have_attribute("data-state", "undone")


# -- without a network -------------------------------------------------------------------------------------
def test_a_call_for_help_without_a_network_says_that_nobody_comes_yet(page: Page, shop: Shop) -> None:
    page.context.set_offline(True)
    until(page, "document.getElementById('link').dataset.state === 'offline'")
    scan(page, codes(shop)[0])
    scan(page, Command(CommandName.HELP).code)
    result(page).to_have_attribute("data-state", "help_waits")
    expect(page.locator("#result .next")).to_have_text("Go and fetch somebody.")
    page.context.set_offline(False)
    drained(page)
    result(page).to_have_attribute("data-state", "called")
    assert AndonCall.objects.get().station.code == "SHIP"
    # It is no scan: nothing is missing in the numbers of the device.
    page.context.set_offline(True)
    until(page, "document.getElementById('link').dataset.state === 'offline'")
    scan(page, Command(CommandName.HELP).code)
    result(page).to_have_attribute("data-state", "help_waits")
    scan(page, UNDO)  # somebody came
    result(page).to_have_attribute("data-state", "withdrawn")
    scan(page, codes(shop)[1])
    page.context.set_offline(False)
    drained(page)
    assert AndonCall.objects.count() == 1
    assert list(Receipt.objects.order_by("pk").values_list("seq", flat=True)) == [1, 2]


def test_whoever_left_without_a_network_is_not_named_by_the_next_page(
    page: Page, pages: Site, shop: Shop
) -> None:
    page.context.set_offline(True)
    scan(page, Command(CommandName.END_SHIFT).code)
    result(page).to_have_attribute("data-state", "signed_out")
    page.reload()  # the page that was kept names whoever was logged in then
    page.wait_for_selector("#result[data-ready]")
    expect(page.locator("#who")).to_have_text("Who is here")
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-state", "offline")
    page.context.set_offline(False)
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    scan(page, codes(shop)[1])
    drained(page)
    assert [username for _, _, username, _ in booked()] == ["", ""]
    until(page, "JSON.parse(localStorage.getItem('jitapp.left')).told")
    assert "sessionid" not in {each["name"] for each in page.context.cookies()}  # the server has heard of it


def test_what_a_scan_means_is_chosen_without_a_network_too(page: Page, shop: Shop) -> None:
    page.context.set_offline(True)
    page.select_option("#intent", "open")
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    expect(page.locator("#intent")).to_have_value("open")
    scan(page, codes(shop)[0])
    page.context.set_offline(False)
    drained(page)
    assert status(codes(shop)[0]) == "IN_USE"
    until(page, "localStorage.getItem('jitapp.intent') === null")
    page.reload()
    expect(page.locator("#intent")).to_have_value("open")


def test_what_the_next_scan_means_survives_a_reload(page: Page, shop: Shop) -> None:
    scan(page, Command(CommandName.QTY, 7).code)
    expect(page.locator("#armed")).to_contain_text("Next scan: 7 pieces")
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    expect(page.locator("#armed")).to_contain_text("Next scan: 7 pieces")
    scan(page, UNDO)  # no scan of a card: what is armed stays
    expect(page.locator("#armed")).to_be_visible()
    page.route("**/s/scans", lambda route: route.abort())
    scan(page, codes(shop)[0])
    wait_until(lambda: len(waiting(page)) == 1)
    assert waiting(page)[0]["quantity"] == "7"


def test_a_browser_that_is_no_device_any_more_says_what_waits_there(
    page: Page, pages: Site, shop: Shop
) -> None:
    """A browser that is killed right after its enrolment forgets its cookie; one may also be revoked."""
    page.route("**/s/scans", lambda route: route.abort())
    for code in codes(shop, last=2):
        scan(page, code)
    wait_until(lambda: len(waiting(page)) == 2)
    page.context.clear_cookies()
    page.goto(f"{pages.url}/s/")
    expect(page.locator("#left-behind")).to_contain_text("2 scans are safe on this tablet")
    page.unroute("**/s/scans")
    log_in(page, pages.url, "SHIP")
    drained(page)
    assert [number for number, *_ in booked()] == [1, 2]
    page.context.clear_cookies()
    page.goto(f"{pages.url}/s/")
    expect(page.locator("h1")).to_have_text("Log in")
    expect(page.locator("#left-behind")).to_be_hidden()


# -- other pages -------------------------------------------------------------------------------------------
def test_command_cards_and_bad_reads_are_answered_on_every_page(page: Page, pages: Site, shop: Shop) -> None:
    page.goto(f"{pages.url}/calls")
    page.wait_for_selector("html[data-scans]")
    panel = expect(page.locator("aside.scanned"))
    code = codes(shop)[0]
    scan(page, code[:-1] + ("0" if code[-1] != "0" else "1"))
    panel.to_have_attribute("data-state", "bad_check")
    scan(page, code)
    panel.to_have_attribute("data-state", "emptied")
    scan(page, UNDO)
    panel.to_have_attribute("data-state", "undone")
    scan(page, Command(CommandName.HOLD).code)
    panel.to_have_attribute("data-state", "armed")
    scan(page, codes(shop)[1])
    panel.to_have_attribute("data-state", "not_allowed")
    scan(page, Command(CommandName.END_SHIFT).code)
    panel.to_have_attribute("data-state", "signed_out")


def test_a_scan_on_another_page_is_kept_before_anything_is_asked_for(
    page: Page, pages: Site, shop: Shop
) -> None:
    page.goto(f"{pages.url}/calls")
    page.wait_for_selector("html[data-scans]")
    page.route("**/s/words/*", lambda route: None)  # never answered
    page.route("**/s/scans", lambda route: route.abort())
    scan(page, codes(shop)[0])
    wait_until(lambda: len(waiting(page)) == 1, 2)
    page.unroute("**/s/scans")
    page.goto(f"{pages.url}/s/")  # at once
    page.wait_for_selector("#result[data-ready]")
    drained(page)
    assert [number for number, *_ in booked()] == [1]


def test_a_tab_whose_scans_another_tab_sent_says_live(page: Page, pages: Site, shop: Shop) -> None:
    page.route("**/s/scans", lambda route: route.abort())
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-state", "offline")
    other = page.context.new_page()
    other.goto(f"{pages.url}/s/")
    other.wait_for_selector("#result[data-ready]")
    drained(other)
    expect(page.locator("#link")).to_have_attribute("data-state", "live")


# -- a scan at which the server fails ----------------------------------------------------------------------
def test_a_scan_at_which_the_server_fails_goes_to_the_tray_when_others_pass(page: Page, shop: Shop) -> None:
    poison = codes(shop)[0]

    def fail(route: Route) -> None:
        body = route.request.post_data or ""
        if poison in body:
            route.fulfill(status=500, body="{}", content_type="application/json")
        else:
            route.continue_()

    page.route("**/s/scans", fail)
    page.clock.install()
    page.reload()
    page.wait_for_selector("#result[data-ready]")

    def faults() -> int:
        return sum(each.get("faults", 0) for each in waiting(page))

    for code in codes(shop, last=4):
        scan(page, code)
    for code in codes(shop, first=5):
        before = faults()
        scan(page, code)
        while not aside(page) and faults() == before:
            page.clock.run_for(1_000)
            page.wait_for_timeout(50)
        if aside(page):
            break
    assert [each["code"] for each in aside(page)] == [poison]
    assert aside(page)[0]["refusal"]["message"] == "The server fails at this scan."
    assert sorted(number for number, *_ in booked())[:3] == [2, 3, 4]


# -- the database of the browser ---------------------------------------------------------------------------
UPGRADE = """async (more) => {
  const { Store, UPGRADES } = await import(IMPORT);
  const store = new Store([...UPGRADES, (db) => db.createObjectStore(more)]);
  const began = performance.now();
  try {
    const scans = await store.waiting();
    const db = await store.open();
    return { codes: scans.map(scan => scan.code), version: db.version, stores: [...db.objectStoreNames] };
  } catch (error) {
    return { error: error.message, took: performance.now() - began };
  } finally { store.close(); }
}""".replace("IMPORT", "'/static/js/store.js'")


def test_a_newer_version_of_the_database_takes_what_waits_while_another_tab_has_the_older_one_open(
    page: Page, pages: Site, shop: Shop
) -> None:
    page.route("**/s/scans", lambda route: route.abort())
    for code in codes(shop, last=3):
        scan(page, code)
    wait_until(lambda: len(waiting(page)) == 3)
    other = page.context.new_page()
    other.goto(f"{pages.url}/s/manifest.webmanifest")
    upgraded: dict[str, Any] = other.evaluate(UPGRADE, "later")
    assert upgraded == {"codes": codes(shop, last=3), "version": 2, "stores": ["kept", "later", "scans"]}
    # The page of the older version goes on with the newer database.
    scan(page, codes(shop)[3])
    wait_until(lambda: len(waiting(page)) == 4)
    expect(page.locator("#link")).not_to_have_attribute("data-state", "storage")
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    page.unroute("**/s/scans")
    drained(page)
    assert [number for number, *_ in booked()] == [1, 2, 3, 4]
    assert [each["number"] for each in kept(page)] == []
    assert list(Receipt.objects.order_by("pk").values_list("seq", flat=True)) == [1, 2, 3, 4]


def test_a_tab_that_does_not_let_go_of_the_older_version_is_said_and_loses_nothing(
    page: Page, pages: Site, shop: Shop
) -> None:
    page.route("**/s/scans", lambda route: route.abort())
    scan(page, codes(shop)[0])
    wait_until(lambda: len(waiting(page)) == 1)
    holder = page.context.new_page()
    holder.goto(f"{pages.url}/s/manifest.webmanifest")
    holder.evaluate(  # frozen: it does not hear of the newer version
        """() => new Promise(resolve => { const opening = indexedDB.open('jitapp');
             opening.onsuccess = () => { window.held = opening.result; resolve(); } })"""
    )
    other = page.context.new_page()
    other.goto(f"{pages.url}/s/manifest.webmanifest")
    blocked: dict[str, Any] = other.evaluate(UPGRADE, "later")
    assert blocked["error"] == "another tab holds an older version open"
    holder.close()
    wait_until(lambda: other.evaluate(UPGRADE, "later").get("version") == 2)
    page.unroute("**/s/scans")
    drained(page)
    assert [number for number, *_ in booked()] == [1]


def test_a_browser_without_room_says_so_and_sends_at_once(page: Page, shop: Shop) -> None:
    """Room is lacking when the transaction ends, after every write of it was taken."""
    page.evaluate(
        """() => { globalThis.isFull = true;
             const real = IDBDatabase.prototype.transaction;
             IDBDatabase.prototype.transaction = function (names, mode, more) {
               const made = real.call(this, names, mode, more);
               if (mode === 'readwrite' && globalThis.isFull) queueMicrotask(() => made.abort());
               return made; }; }"""
    )
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-state", "emptied")
    expect(page.locator("#link .word")).to_have_text("STORAGE PROBLEM – connected")
    expect(page.locator("#notice")).to_contain_text("This browser can keep no scans")
    page.context.set_offline(True)
    scan(page, codes(shop)[1])
    result(page).to_have_attribute("data-state", "not_saved")
    expect(page.locator("#link .word")).to_have_text("STORAGE PROBLEM – stop scanning", timeout=15_000)
    page.evaluate("void (globalThis.isFull = false)")
    scan(page, codes(shop)[1])
    result(page).to_have_attribute("data-state", "offline")
    page.context.set_offline(False)
    drained(page)
    assert [number for number, *_ in booked()] == [1, 2]


def test_a_browser_that_refuses_its_storage_records_what_is_scanned_while_connected(
    page: Page, pages: Site, shop: Shop
) -> None:
    """As browsers do that block all data of a site, but for the cookie by which it is known."""
    page.add_init_script(
        """for (const name of ['localStorage', 'sessionStorage', 'indexedDB'])
             Object.defineProperty(globalThis, name,
               { get() { throw new DOMException('Access is denied.', 'SecurityError'); } });"""
    )
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    expect(page.locator("#link .word")).to_have_text("STORAGE PROBLEM – connected")
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-state", "emptied")
    page.goto(f"{pages.url}/calls")
    page.wait_for_selector("html[data-scans]")
    scan(page, codes(shop)[1])
    expect(page.locator("aside.scanned")).to_have_attribute("data-state", "emptied")
    assert [number for number, *_ in booked()] == [1, 2]


def test_what_cannot_be_taken_is_said_where_nothing_can_be_kept(page: Page, shop: Shop) -> None:
    # In the page itself: while a service worker takes a page over, Playwright may see none of its requests.
    page.evaluate(
        """() => {
          IDBObjectStore.prototype.add = () => { throw new DOMException('full', 'QuotaExceededError') };
          const asked = window.fetch;
          window.fetch = (address, more) => {
            if (address !== "/s/scans") return asked(address, more);
            const { id } = JSON.parse(more.body).scans[0];
            const told = { id, status: 422, message: "That is no quantity: a heap." };
            return Promise.resolve(Response.json({ results: [told] }));
          };
        }"""
    )
    scan(page, Command(CommandName.OVERRIDE).code)
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-state", "not_saved")
    expect(page.locator("#result .next")).to_have_text("That is no quantity: a heap.")
