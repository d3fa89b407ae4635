"""The camera on the scan page: a photograph of a shelf becomes scans there, under the policy of the page."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
import segno
from django.utils import timezone
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from jitapp.pull.models import Receipt
from tests.journeys.pages import Site, log_in, until
from tests.journeys.test_axe import violations
from tests.live.served import wait_until
from tests.web.shop import Shop, with_many_cards

LISTED = """() => new Promise((resolve) => {
  const opening = indexedDB.open('jitapp');
  opening.onsuccess = () => {
    const asked = opening.result.transaction('kept').objectStore('kept').get('cards');
    asked.onsuccess = () => { opening.result.close(); resolve(Boolean(asked.result)); };
  };
})"""
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop() -> Shop:
    return with_many_cards(timezone.now(), 6)


@pytest.fixture
def page(pages: Site) -> Iterator[Page]:
    with pages.context() as context:
        tab = context.new_page()
        log_in(tab, pages.url, "SHIP")
        yield tab


def photograph(codes: list[str]) -> bytes:
    """The codes beside each other, as a PNG."""
    picture = Image.new("L", (260 * len(codes), 260), 255)
    for place, code in enumerate(codes):
        out = io.BytesIO()
        segno.make_qr(f"https://kanban.example/k/{code}").save(out, kind="png", scale=6, border=4)
        picture.paste(Image.open(out).convert("L"), (260 * place + 10, 10))
    whole = io.BytesIO()
    picture.save(whole, "PNG")
    return whole.getvalue()


def test_a_photograph_of_six_cards_is_six_scans_and_again_none(page: Page, shop: Shop) -> None:
    codes = list(shop.loops["L-MANY"].cards.order_by("number").values_list("code", flat=True))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [url for url in loaded if "/camera/" in url or "zxing" in url] == []
    until(page, LISTED)  # cards are named from it
    page.get_by_role("button", name="Camera").click()
    expect(page.locator(".camera-said")).to_contain_text("No camera can be used here.", timeout=30_000)
    picture = FilePayload(name="shelf.png", mimeType="image/png", buffer=photograph(codes))
    for round_ in (1, 2):
        page.locator("#camera input[type=file]").set_input_files(picture)
        expect(page.locator(".photo-said")).to_contain_text("Cards read: 6", timeout=60_000)
        if round_ == 1:
            expect(page.locator(".photo-list b")).to_have_text(
                [f"PCB-MANY {number}/6" for number in range(1, 7)]
            )
            page.get_by_role("button", name="Record cards: 6").click()
            expect(page.locator(".photo-said")).to_have_text("Scans made: 6", timeout=30_000)
            wait_until(lambda: Receipt.objects.filter(outcome="applied").count() == 6, 30)
        else:
            expect(page.locator(".photo-said")).to_contain_text("Taken already: 6")
            expect(page.locator(".photo-record")).to_be_hidden()
        page.locator(".photo-done").click()
    assert list(Receipt.objects.order_by("id").values_list("card__number", flat=True)) == [1, 2, 3, 4, 5, 6]
    page.get_by_role("button", name="Camera").click()
    expect(page.locator("#camera")).to_be_hidden()
    expect(page.locator("#typing")).to_be_visible()


def test_scans_that_could_not_be_kept_are_not_told_as_made(page: Page, shop: Shop) -> None:
    codes = list(shop.loops["L-MANY"].cards.order_by("number").values_list("code", flat=True))
    page.get_by_role("button", name="Camera").click()
    expect(page.locator(".camera-said")).to_contain_text("No camera can be used here.", timeout=30_000)
    page.locator("#camera input[type=file]").set_input_files(
        FilePayload(name="shelf.png", mimeType="image/png", buffer=photograph(codes[:2]))
    )
    expect(page.locator(".photo-said")).to_contain_text("Cards read: 2", timeout=60_000)
    page.evaluate(
        "void (IDBObjectStore.prototype.add = () => { throw new DOMException('full', 'QuotaExceededError') })"
    )
    page.context.set_offline(True)
    page.get_by_role("button", name="Record cards: 2").click()
    expect(page.locator(".photo-said")).to_have_text("Scans made: 0", timeout=30_000)
    page.context.set_offline(False)
    page.get_by_role("button", name="Record cards: 2").click()
    expect(page.locator(".photo-said")).to_have_text("Scans made: 2", timeout=30_000)
    assert list(Receipt.objects.order_by("id").values_list("card__number", flat=True)) == [1, 2]


def test_the_camera_works_without_a_network_once_it_was_used(page: Page, shop: Shop) -> None:
    codes = list(shop.loops["L-MANY"].cards.order_by("number").values_list("code", flat=True))
    picture = FilePayload(name="shelf.png", mimeType="image/png", buffer=photograph(codes[:2]))
    page.evaluate("async () => { await navigator.serviceWorker.ready }")
    page.reload()  # the worker keeps what this page asks for
    page.wait_for_selector("#result[data-ready]")
    for offline in (False, True):
        page.context.set_offline(offline)
        if offline:
            page.reload()
            page.wait_for_selector("#result[data-ready]")
        page.get_by_role("button", name="Camera").click()
        page.locator("#camera input[type=file]").set_input_files(picture)
        expect(page.locator(".photo-said")).to_contain_text("Cards read: 2", timeout=60_000)
    kept = page.evaluate(
        """async () => { const names = [];
             for (const name of await caches.keys())
               for (const request of await (await caches.open(name)).keys()) names.push(new URL(request.url).pathname);
             return names; }"""
    )
    needed = {
        "camera.js",
        "photo.js",
        "reader.js",
        "decoder.js",
        "zxing-reader.js",
        "zxing_reader.wasm",
        "camera.css",
    }
    assert {name.rsplit("/", 1)[-1] for name in kept} >= needed
    assert "/s/camera.js" in kept


def test_axe_finds_nothing_in_the_camera_and_the_verdict(page: Page, pages: Site, shop: Shop) -> None:
    codes = list(shop.loops["L-MANY"].cards.order_by("number").values_list("code", flat=True))
    page.get_by_role("button", name="Camera").click()
    page.wait_for_selector("#camera[data-state=without]")
    wrong = {"camera": violations(page)}
    picture = FilePayload(name="shelf.png", mimeType="image/png", buffer=photograph(codes))
    page.locator("#camera input[type=file]").set_input_files(picture)
    expect(page.locator(".photo-said")).to_contain_text("Cards read: 6", timeout=60_000)
    wrong["photo"] = violations(page)
    sizes = page.evaluate(
        "[...document.querySelectorAll('#camera button, #camera label')].filter(e => e.offsetParent)"
        ".map(e => Math.round(e.getBoundingClientRect().height))"
    )
    assert min(sizes) >= 48
    page.goto(f"{pages.url}/device/doctor")
    for _ in range(6):
        page.locator("#skip").click()
    page.wait_for_selector("#verdict[data-done]", timeout=30_000)
    expect(page.locator("#verdict .stamp")).to_have_text("FAILED")
    wrong["verdict"] = violations(page)
    assert wrong == {"camera": [], "photo": [], "verdict": []}
