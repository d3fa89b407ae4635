"""The tablet: what is scanned is kept before anybody is told, booked where and by whom it was scanned, once."""

from __future__ import annotations

import json
import logging
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from jitapp.accounts.models import Device, Person
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Membership
from jitapp.pull.models import AndonCall, Card, Receipt, Turn
from jitapp.symbology.commandcode import Command, CommandName
from tests.conftest import chromium_path
from tests.journeys.pages import Site, aside, known_to_tablet, log_in, scan, until, waiting
from tests.live.served import wait_until
from tests.web.shop import Shop, with_many_cards

pytestmark = pytest.mark.django_db(transaction=True)
logger = logging.getLogger(__name__)  # the figures: -o log_cli=true
DOORS = "**/s/*"  # what a tablet asks: scans, beat, cards, last; not the page itself


@pytest.fixture
def shop() -> Shop:
    return with_many_cards(timezone.now(), 60)


@pytest.fixture
def page(pages: Site) -> Iterator[Page]:
    with pages.context() as context:
        tab = context.new_page()
        log_in(tab, pages.url, "SHIP")
        known_to_tablet(tab)
        yield tab


def codes(shop: Shop, first: int = 1, last: int = 60) -> list[str]:
    cards = shop.loops["L-MANY"].cards.filter(number__gte=first, number__lte=last)
    return list(cards.order_by("number").values_list("code", flat=True))


def result(page: Page) -> Any:
    return expect(page.locator("#result"))


def person(shop: Shop, username: str, *, badge: str = "", role: str = Role.OPERATOR) -> Person:
    made = Person(username=username, name=username.title(), badge=badge or None)
    made.set_password("scan-the-card")
    made.save()
    Membership.objects.create(person=made, plant=shop.plant, role=role)
    return made


def booked(page: Page | None = None) -> list[tuple[int, str, str, str]]:
    """What was applied: card, station, person and device, in the order of recording."""
    if page is not None:
        page.wait_for_timeout(1)
    rows = Receipt.objects.filter(outcome="applied").order_by("pk")
    return [
        (row.card.number, row.station.code, row.person.username if row.person else "", row.device.name)
        for row in rows.select_related("card", "station", "person", "device")
        if row.card and row.station and row.device
    ]


def drained(page: Page, *, seconds: float = 60) -> None:
    """Until nothing waits; the browser's routes are served meanwhile."""
    until(page, "document.querySelector('#link').dataset.state === 'live'", seconds=seconds)
    for _ in range(int(seconds * 10)):
        if not waiting(page):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{len(waiting(page))} scans still wait")


# -- offline -----------------------------------------------------------------------------------------
def test_check_15_fifty_scans_offline_survive_a_reload_and_are_applied_once_in_order(
    page: Page, shop: Shop
) -> None:
    page.context.set_offline(True)
    result_text = page.locator("#result .headline")
    for place, code in enumerate(codes(shop, last=50), start=1):
        scan(page, code)
        if place == 1:
            result(page).to_have_attribute("data-state", "offline")
            expect(result_text).to_contain_text("PCB-MANY")
            expect(result_text).to_contain_text("EMPTY")
    wait_until(lambda: len(waiting(page)) == 50)
    expect(page.locator("#result .what")).to_have_text("On this tablet, 50 waiting.")
    page.reload()
    expect(page.locator("#link .word")).to_contain_text("50 waiting")
    scan(page, codes(shop)[50])
    result(page).to_have_attribute("data-state", "offline")
    expect(page.locator("#last li:first-child b")).to_have_text("PCB-MANY 51/60")
    page.context.set_offline(False)
    began = timezone.now()
    drained(page)
    took = (timezone.now() - began).total_seconds()
    logger.info("51 scans drained %.2f s after the network came back", took)
    assert [number for number, *_ in booked()] == list(range(1, 52))
    assert Receipt.objects.count() == 51
    assert list(Receipt.objects.order_by("seq").values_list("card__number", flat=True)) == list(range(1, 52))


def test_check_16_answers_that_are_lost_double_nothing(page: Page, shop: Shop) -> None:
    chance = random.Random(16)
    lost = 0

    def cut(route: Route) -> None:
        nonlocal lost
        if chance.random() < 0.3:
            lost += 1
            route.fetch()  # the server has it
            route.abort()
        else:
            route.continue_()

    page.route("**/s/scans", cut)
    for code in codes(shop, last=40):
        scan(page, code)
        page.wait_for_timeout(20)
    drained(page)
    assert lost > 0
    assert [number for number, *_ in booked()] == list(range(1, 41))
    assert Receipt.objects.count() == 40


def test_check_17_a_browser_killed_50_ms_after_saved_has_lost_nothing(
    chromium: Browser, pages: Site, shop: Shop, tmp_path: Path
) -> None:
    lasting = 0
    with _profile(chromium, tmp_path) as context:
        tab = context.new_page()
        log_in(tab, pages.url, "SHIP")
        known_to_tablet(tab)
    for attempt, code in enumerate(codes(shop, last=20), start=1):
        with _profile(chromium, tmp_path, close=False) as context:
            tab = context.new_page()
            tab.route(DOORS, lambda route: route.abort())
            tab.goto(f"{pages.url}/s/")
            tab.wait_for_selector("#result[data-ready]")
            lasting = len(waiting(tab))
            assert lasting == attempt - 1
            scan(tab, code)
            tab.wait_for_selector("#result[data-state=offline]", timeout=15_000)
            tab.wait_for_timeout(50)
            kill_profile(tmp_path)
    with _profile(chromium, tmp_path) as context:
        tab = context.new_page()
        tab.goto(f"{pages.url}/s/")
        tab.wait_for_selector("#result[data-ready]")
        drained(tab)
    assert [number for number, *_ in booked()] == list(range(1, 21))


@contextmanager
def _profile(browser: Browser, folder: Path, *, close: bool = True) -> Iterator[BrowserContext]:
    """A browser with a profile on the disk, as a tablet has it; not closed if it is to be killed."""
    context = browser.browser_type.launch_persistent_context(
        str(folder / "profile"), executable_path=chromium_path(), headless=True
    )
    yield context
    if close:
        context.close()


def kill_profile(folder: Path) -> None:
    """SIGKILL to the browser of this profile and all its processes."""
    for process in psutil.process_iter(["cmdline"]):
        if any(str(folder / "profile") in part for part in process.info["cmdline"] or ()):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(
        [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(str(folder / "profile") in part for part in process.info["cmdline"] or ())
        ],
        timeout=30,
    )


# -- black holes, poison, tabs ---------------------------------------------------------------------------
def test_check_18_a_server_that_never_answers_is_said_without_scanning(page: Page, shop: Shop) -> None:
    page.route(DOORS, lambda route: None)  # connected, and no answer
    began = page.evaluate("performance.now()")
    expect(page.locator("#link")).to_have_attribute("data-state", "offline", timeout=20_000)
    logger.info("a dead server is said after %.1f s", (page.evaluate("performance.now()") - began) / 1000)
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-state", "offline")
    expect(page.locator("#link .age")).not_to_be_empty()
    page.unroute(DOORS)
    drained(page)
    assert [number for number, *_ in booked()] == [1]


def test_check_19_one_poisoned_item_of_twenty_goes_to_the_tray_and_stops_nobody(
    page: Page, pages: Site, shop: Shop
) -> None:
    page.context.set_offline(True)
    for code in codes(shop, last=20):
        scan(page, code)
    wait_until(lambda: len(waiting(page)) == 20)
    # The tenth was damaged on the disk: no server can read what it says of the time.
    page.evaluate(
        """() => new Promise(resolve => { const opening = indexedDB.open('jitapp');
             opening.onsuccess = () => { const change = opening.result.transaction('scans', 'readwrite');
               const scans = change.objectStore('scans');
               scans.openCursor().onsuccess = ({target: {result: at}}) => { if (!at) return;
                 if (at.value.code === CODE) { at.update({...at.value, quantity: 'a heap'}); return; } at.continue(); };
               change.oncomplete = () => { opening.result.close(); resolve(); } } })""".replace(
            "CODE", json.dumps(codes(shop)[9])
        )
    )
    page.context.set_offline(False)
    drained(page)
    assert [number for number, *_ in booked()] == [n for n in range(1, 21) if n != 10]
    assert [scan["code"] for scan in aside(page)] == [codes(shop)[9]]
    page.click("#aside-link")
    expect(page.locator("#aside .own-scan")).to_contain_text("That is no quantity: a heap.")


def test_check_20_two_tabs_offline_lose_and_double_nothing(pages: Site, page: Page, shop: Shop) -> None:
    other = page.context.new_page()
    other.goto(f"{pages.url}/s/")
    other.wait_for_selector("#result[data-ready]")
    page.context.set_offline(True)
    for place, code in enumerate(codes(shop, last=30)):
        scan((page, other)[place % 2], code)
    wait_until(lambda: len(waiting(page)) == 30)
    other.close()
    another = page.context.new_page()
    another.goto(f"{pages.url}/s/")
    another.wait_for_selector("#result[data-ready]")
    page.context.set_offline(False)
    drained(page)
    assert sorted(number for number, *_ in booked()) == list(range(1, 31))
    assert Receipt.objects.count() == 30
    assert Device.objects.filter(kind="tablet").count() == 1


@pytest.mark.parametrize("hours", [3, -24], ids=["+3 h", "-1 day"])
def test_check_21_a_clock_that_is_wrong_is_corrected_and_said(pages: Site, shop: Shop, hours: int) -> None:
    wrong = timedelta(hours=hours)
    with pages.context() as context:
        context.add_init_script(
            f"{{ const real = Date; const off = {int(wrong.total_seconds() * 1000)};"
            " globalThis.Date = class extends real {"
            " constructor(...a) { a.length ? super(...a) : super(real.now() + off); }"
            " static now() { return real.now() + off; } }; }"
        )
        tab = context.new_page()
        log_in(tab, pages.url, "SHIP")
        expect(tab.locator("#notice")).to_contain_text("The clock of this tablet is")
        context.set_offline(True)
        made = []
        for code in codes(shop, last=3):
            made.append(timezone.now())
            scan(tab, code)
            tab.wait_for_timeout(300)
        wait_until(lambda: len(waiting(tab)) == 3)
        tab.wait_for_timeout(1500)
        context.set_offline(False)
        drained(tab)
    occurred = list(Receipt.objects.order_by("pk").values_list("occurred_at", flat=True))
    errors = [abs((said - true).total_seconds()) for said, true in zip(occurred, made, strict=True)]
    logger.info("occurred times are %.2f s off at most", max(errors))
    assert max(errors) < 60  # the clock is hours off
    assert occurred == sorted(occurred)
    assert Device.objects.get(kind="tablet").clock_error_ms == pytest.approx(
        wrong.total_seconds() * 1000, abs=60_000
    )


# -- whose scans, and where -------------------------------------------------------------------------------
def test_q1_scans_stay_where_and_by_whom_they_were_made_whoever_is_signed_in_when_they_go(
    pages: Site, page: Page, shop: Shop
) -> None:
    person(shop, "otto", badge="B-OTTO")
    mia = Person.objects.get(username="mia")
    page.route("**/s/scans", lambda route: route.abort())
    for code in codes(shop, last=5):
        scan(page, code)
    wait_until(lambda: len(waiting(page)) == 5)
    # Another station, then another person: the queue stays as it is.
    page.click("text=Other station")
    page.click("button[value='TEST']")
    page.wait_for_selector("#result[data-ready]")
    page.context.clear_cookies(name="sessionid")
    page.goto(f"{pages.url}/login/")
    page.fill("[name=username]", "otto")
    page.fill("[name=password]", "scan-the-card")
    page.click("main button.main")
    page.goto(f"{pages.url}/s/")
    page.wait_for_selector("#result[data-ready]")
    asked = shop.card(shop.loops["L-MANY"], 99, "EMPTY")
    shop.turn(asked, minutes_ago=5, due_in=60)
    scan(page, asked.code)
    wait_until(lambda: len(waiting(page)) == 6)
    page.unroute("**/s/scans")
    drained(page)
    device = Device.objects.get(kind="tablet").name
    assert booked() == [
        *((number, "SHIP", mia.username, device) for number in range(1, 6)),
        (99, "TEST", "otto", device),
    ]


def test_q1_a_scan_whose_person_or_station_is_gone_waits_for_a_leader(page: Page, shop: Shop) -> None:
    person(shop, "olga", badge="OLGA-7")
    page.evaluate("fetch('/s/cards').then(() => 0)")
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    known_to_tablet(page)
    page.route("**/s/scans", lambda route: route.abort())
    scan(page, codes(shop)[0])
    wait_until(lambda: len(waiting(page)) == 1)
    Person.objects.filter(username="mia").update(is_active=False)
    page.unroute("**/s/scans")
    drained(page)
    receipt = Receipt.objects.get()
    assert (receipt.outcome, receipt.code) == ("parked", "person_gone")
    assert Card.objects.get(code=codes(shop)[0]).supply_status == "FULL"


def test_check_22_a_session_that_ended_strands_no_scan(page: Page, shop: Shop) -> None:
    page.route("**/s/scans", lambda route: route.abort())
    for code in codes(shop, last=3):
        scan(page, code)
    wait_until(lambda: len(waiting(page)) == 3)
    page.context.clear_cookies(name="sessionid")
    page.unroute("**/s/scans")
    drained(page)
    assert {username for _, _, username, _ in booked()} == {"mia"}
    page.reload()  # an enrolled tablet needs no session
    page.wait_for_selector("#result[data-ready]")
    scan(page, codes(shop)[3])
    drained(page)
    assert booked()[-1][2] == ""  # nobody is signed in any more


def test_a_badge_signs_in_without_a_network_and_end_of_shift_signs_out(page: Page, shop: Shop) -> None:
    person(shop, "otto", badge="B-OTTO")
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    until(page, "fetch('/s/cards').then(r => r.json()).then(l => l.people.length > 0)")
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    page.wait_for_timeout(500)
    page.context.set_offline(True)
    scan(page, "b-otto")
    result(page).to_have_attribute("data-state", "signed_in")
    expect(page.locator("#who")).to_have_text("Otto")
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-state", "offline")
    scan(page, Command(CommandName.END_SHIFT).code)
    result(page).to_have_attribute("data-state", "signed_out")
    expect(page.locator("#result .what")).to_have_text("1 scans are safe on this tablet.")
    page.context.set_offline(False)
    drained(page)
    assert [username for _, _, username, _ in booked()] == ["otto"]


def test_the_page_speaks_the_language_of_the_badge(page: Page, shop: Shop) -> None:
    greta = person(shop, "greta", badge="B-GRETA")
    Person.objects.filter(pk=greta.pk).update(language="de")
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    until(page, "fetch('/s/cards').then(r => r.json()).then(l => l.people.length > 0)")
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    scan(page, "B-GRETA")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("#result .what")).to_have_text("Sie sind hier angemeldet.")
    scan(page, codes(shop)[0])
    expect(page.locator("#result .happened")).to_have_text("LEER gemeldet")
    assert booked()[0][2] == "greta"


def test_what_is_refused_when_nobody_looks_any_more_stays_on_the_device(page: Page, shop: Shop) -> None:
    elsewhere = shop.loops["L-OUT"].cards.get(number=1).code
    page.route("**/s/scans", lambda route: route.abort())
    for code in (codes(shop)[0], elsewhere, codes(shop)[1]):
        scan(page, code)
    wait_until(lambda: len(waiting(page)) == 3)
    page.wait_for_timeout(5500)  # whoever scanned has gone on
    page.unroute("**/s/scans")
    drained(page)
    assert [number for number, *_ in booked()] == [1, 2]
    assert [scan["code"] for scan in aside(page)] == [elsewhere]
    page.click("#aside-link")
    expect(page.locator("#aside .own-scan")).to_contain_text("this card belongs at")


def test_a_revoked_tablet_keeps_its_scans_and_says_so(page: Page, shop: Shop) -> None:
    Device.objects.filter(kind="tablet").update(active=False)
    expect(page.locator("#link")).to_have_attribute("data-state", "device", timeout=20_000)
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-state", "offline")
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    expect(page.locator("#notice")).to_contain_text("have your leader enrol it again", timeout=20_000)
    assert len(waiting(page)) == 1
    assert Receipt.objects.count() == 0
    Device.objects.filter(kind="tablet").update(active=True)
    drained(page)
    assert [number for number, *_ in booked()] == [1]


# -- the storage, the worker, the panel -------------------------------------------------------------------
def test_a_browser_that_keeps_nothing_says_so_and_sends_at_once(pages: Site, page: Page, shop: Shop) -> None:
    page.evaluate(
        "void (IDBObjectStore.prototype.add = () => { throw new DOMException('full', 'QuotaExceededError') })"
    )
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-state", "emptied")
    expect(page.locator("#link")).to_have_attribute("data-state", "storage")
    page.context.set_offline(True)
    scan(page, codes(shop)[1])
    result(page).to_have_attribute("data-state", "not_saved")
    result(page).to_have_attribute("data-look", "red")
    page.context.set_offline(False)
    assert [number for number, *_ in booked()] == [1]


def test_what_the_version_before_kept_in_local_storage_is_sent_too(
    page: Page, pages: Site, shop: Shop
) -> None:
    made = timezone.now() - timedelta(seconds=40)
    page.evaluate(
        "list => localStorage.setItem('jitapp.waiting', JSON.stringify(list))",
        [
            {"id": f"0190a000-0000-7000-8000-00000000000{n}", "code": code, "occurred_at": made.isoformat()}
            for n, code in enumerate(codes(shop, last=3))
        ],
    )
    page.goto(f"{pages.url}/s/")
    page.wait_for_selector("#result[data-ready]")
    drained(page)
    assert [number for number, *_ in booked()] == [1, 2, 3]
    assert page.evaluate("localStorage.getItem('jitapp.waiting')") is None
    occurred = Receipt.objects.values_list("occurred_at", flat=True)
    assert all(abs((at - made).total_seconds()) < 10 for at in occurred)


def test_a_torn_list_of_the_version_before_stops_nothing(page: Page, pages: Site, shop: Shop) -> None:
    page.evaluate("localStorage.setItem('jitapp.waiting', '[{')")
    page.goto(f"{pages.url}/s/")
    page.wait_for_selector("#result[data-ready]")
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-state", "emptied")
    assert page.evaluate("localStorage.getItem('jitapp.waiting.unread')") == "[{"


def test_check_23_a_new_version_waits_until_nothing_is_in_the_queue(
    page: Page, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    page.route("**/s/scans", lambda route: route.abort())
    for code in codes(shop, last=10):
        scan(page, code)
    wait_until(lambda: len(waiting(page)) == 10)
    before = page.evaluate("caches.keys()")
    monkeypatch.setattr("jitapp.web.shell.version", lambda: "0123456789ab")
    update = "navigator.serviceWorker.getRegistration('/s/').then(r => r.update()).then(() => 0)"
    # While the scan page is of another version still, the new worker could not start without a network: it is none yet.
    page.evaluate(f"{update}.catch(() => 0)")
    page.wait_for_timeout(1000)
    assert not page.evaluate("navigator.serviceWorker.getRegistration('/s/').then(r => Boolean(r.waiting))")
    monkeypatch.setattr("jitapp.web.scan.version", lambda: "0123456789ab")
    page.evaluate("navigator.serviceWorker.getRegistration('/s/').then(r => r.update()).then(() => 0)")
    until(page, "navigator.serviceWorker.getRegistration('/s/').then(r => Boolean(r.waiting))", seconds=20)
    page.click("#update")
    result(page).to_have_attribute("data-state", "update_waits")
    # Loaded again meanwhile, the page is the new one and the worker the old one: what is kept stays the old page.
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    page.context.set_offline(True)
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    page.context.set_offline(False)
    page.wait_for_timeout(7000)  # longer than the page must be idle
    assert page.evaluate("navigator.serviceWorker.getRegistration('/s/').then(r => Boolean(r.waiting))")
    assert len(waiting(page)) == 10
    page.unroute("**/s/scans")
    until(page, "before => caches.keys().then(now => !now.includes(before[0]))", before)
    page.wait_for_selector("#result[data-ready]")
    drained(page)
    assert [number for number, *_ in booked()] == list(range(1, 11))


def test_command_cards_say_what_the_next_scan_means(page: Page, shop: Shop) -> None:
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-state", "emptied")
    scan(page, Command(CommandName.UNDO).code)
    result(page).to_have_attribute("data-state", "undone")
    scan(page, Command(CommandName.UNDO).code)
    result(page).to_have_attribute("data-state", "undo_nothing")
    scan(page, Command(CommandName.HELP).code)
    result(page).to_have_attribute("data-state", "called")
    assert AndonCall.objects.get().station.code == "SHIP"
    scan(page, Command(CommandName.QTY, 7).code)
    expect(page.locator("#armed")).to_contain_text("Next scan: 7 pieces")
    scan(page, codes(shop)[1])
    expect(page.locator("#armed")).to_be_hidden()
    result(page).to_have_attribute("data-state", "emptied")
    scan(page, Command(CommandName.HOLD).code)
    scan(page, codes(shop)[2])
    result(page).to_have_attribute("data-state", "not_allowed")
    scan(page, Command(CommandName.OVERRIDE).code)
    elsewhere = shop.loops["L-OUT"].cards.get(number=1).code
    scan(page, elsewhere)
    result(page).to_have_attribute("data-screen", "wrong_place")


def test_a_leader_who_is_logged_in_may_take_a_card_elsewhere(page: Page, shop: Shop) -> None:
    Membership.objects.create(person=Person.objects.get(username="mia"), plant=shop.plant, role=Role.LEADER)
    scan(page, Command(CommandName.OVERRIDE).code)
    scan(page, shop.loops["L-OUT"].cards.get(number=1).code)
    result(page).to_have_attribute("data-look", "ok")


def test_q7_undo_counts_down_survives_a_reload_and_goes_when_somebody_has_acted(
    page: Page, shop: Shop
) -> None:
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-state", "emptied")
    expect(page.locator("#result .undo")).to_contain_text("1:")
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    expect(page.locator("#last li:first-child b")).to_have_text("PCB-MANY 1/60")
    expect(page.locator("#last li:first-child button")).to_be_visible()
    card = Card.objects.get(code=codes(shop)[0])
    Turn.objects.filter(card=card, closed_at__isnull=True).update(step="IN_PROCESS")
    expect(page.locator("#last li:first-child button")).to_be_hidden(timeout=20_000)


def test_the_answer_fades_to_ready_and_names_the_last(page: Page, shop: Shop) -> None:
    page.clock.install()
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    scan(page, codes(shop)[0])
    result(page).to_have_attribute("data-state", "emptied")
    expect(page.locator("#result .bins li[aria-current] span")).to_have_text("1")
    page.clock.fast_forward(21_000)
    result(page).to_have_attribute("data-state", "ready")
    expect(page.locator("#result .what")).to_contain_text("Last: PCB-MANY EMPTY recorded")


def test_the_page_is_installable_and_asks_no_other_host(page: Page, pages: Site) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.wait_for_selector("#result[data-ready]")
    described = page.evaluate("fetch(document.querySelector('link[rel=manifest]').href).then(r => r.json())")
    assert (described["start_url"], described["scope"], described["display"]) == ("/s/", "/s/", "standalone")
    for icon in described["icons"]:
        assert page.request.get(pages.url + icon["src"]).status == 200
    # The streams have a port of their own on the same host.
    assert {urlsplit(url).hostname for url in asked} == {urlsplit(pages.url).hostname}
