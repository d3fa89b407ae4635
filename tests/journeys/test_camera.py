"""The camera in Chromium: single codes from a real video, and photographs of many cards.

`JITAPP_PHOTOS=all` tries every size of card (`make photos`); the suite tries one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import segno
from django.utils import translation
from playwright.sync_api import Browser, FilePayload, Page, expect

from jitapp.symbology.cardcode import make_code
from jitapp.web.camera import camera_words
from tests.journeys.bench import Bench, bench
from tests.journeys.cardposts import ADDRESS, Post, card_post
from tests.journeys.pages import until

# Pixels across a code, blur in pixels, and how many of 40 cards must be read at least.
SIZES = [
    *((300, 1.2, 40), (300, 2.2, 40), (180, 1.2, 40), (180, 2.2, 40), (140, 1.2, 40), (140, 2.2, 40)),
    (140, 2.6, 36),
]
SUITE = [(140, 1.2, 40)]
TRIED = SIZES if os.environ.get("JITAPP_PHOTOS") == "all" else SUITE
PAGE = """<!doctype html><html lang="en" data-theme="day"><head><meta charset="utf-8"><title>camera</title>
<link rel="stylesheet" href="/static/css/tokens.css"><link rel="stylesheet" href="/static/css/base.css"></head>
<body><section id="camera" aria-label="Camera"></section></body></html>"""
OPEN = """async ([words, names]) => {
  const { Camera } = await import('/static/js/camera/camera.js');
  window.heard = []; window.recorded = []; window.refuse = null;
  window.camera = new Camera({ root: document.getElementById('camera'), words,
    onCodes: (codes, meta) => window.heard.push([codes, meta.how]),
    name: async (code) => names[code] ?? null,
    record: async (code) => { if (code === window.refuse) throw new Error('full'); window.recorded.push(code) } });
  await window.camera.open();
}"""


@dataclass(frozen=True)
class Shot:
    """What came of one photograph."""

    cards: list[str]
    unread: int
    others: int
    ms: int


@pytest.fixture(scope="module")
def files() -> Iterator[Bench]:
    with bench() as made:
        made.pages["/"] = PAGE
        yield made


@pytest.fixture
def page(chromium: Browser, files: Bench) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    made = context.new_page()
    made.goto(f"{files.url}/")
    yield made
    context.close()


def opened(page: Page, names: dict[str, str] | None = None) -> None:
    with translation.override("en"):
        page.evaluate(OPEN, [camera_words(), names or {}])


def choose(page: Page, jpeg: bytes) -> None:
    """A picture is chosen; returns when it was read, or was no picture."""
    page.evaluate("document.querySelector('.camera-photo').dataset.state = ''")
    chosen = FilePayload(name="shelf.jpg", mimeType="image/jpeg", buffer=jpeg)
    page.locator("#camera input[type=file]").set_input_files(chosen)
    page.wait_for_selector(".photo[data-state=read], .photo[data-state=failed]", timeout=120_000)


def shot(page: Page, post: Post) -> Shot:
    choose(page, post.jpeg)
    found: dict[str, Any] = page.evaluate(
        "(() => { const { cards, unread, others } = window.camera.photo;"
        " return { cards: cards.map((card) => card.code), unread: unread.length, others: others.length } })()"
    )
    return Shot(found["cards"], found["unread"], found["others"], 0)


@pytest.mark.parametrize(("pixels", "blur", "least"), TRIED)
def test_a_photograph_of_forty_cards_is_read(page: Page, pixels: int, blur: float, least: int) -> None:
    post = card_post(pixels, seed=pixels, blur=blur)
    opened(page)
    began = time.monotonic()
    found = shot(page, post)
    seconds = time.monotonic() - began
    wrong = set(found.cards) - set(post.codes)
    print(f"{pixels} px, blur {blur}: {len(found.cards)}/40 read, {len(wrong)} wrong, {seconds:.1f} s")  # noqa: T201
    assert wrong == set()
    assert len(found.cards) == len(set(found.cards)) >= least
    assert found.others == 0
    assert len(found.cards) + found.unread >= least


@pytest.fixture(scope="module")
def shelf() -> Post:
    """38 cards and two labels of a maker."""
    return card_post(180, seed=8, strange=2)


def test_cards_are_named_counted_and_recorded_with_one_touch_and_only_once(page: Page, shelf: Post) -> None:
    opened(page, {shelf.codes[0]: "PCB-4711 3/8"})
    choose(page, shelf.jpeg)
    expect(page.locator(".photo-said")).to_have_text("Cards read: 38 · Codes that are no cards: 2")
    expect(page.locator(".photo-list li")).to_have_count(38)
    expect(page.locator(".photo-list li").nth(0)).to_contain_text("PCB-4711 3/8")
    expect(page.locator(".photo-list li").nth(1)).to_contain_text("not in the list of this tablet")
    page.get_by_role("button", name="Record cards: 38").click()
    expect(page.locator(".photo-said")).to_have_text("Scans made: 38")
    assert page.evaluate("window.recorded") == shelf.codes, "row by row, from left to right"
    expect(page.locator(".photo-record")).to_be_hidden()
    page.get_by_role("button", name="Close").click()
    choose(page, shelf.jpeg)
    expect(page.locator(".photo-said")).to_have_text(
        "Cards read: 38 · Taken already: 38 · Codes that are no cards: 2"
    )
    expect(page.locator(".photo-record")).to_be_hidden()
    assert len(page.evaluate("window.recorded")) == 38


def test_what_was_taken_is_remembered_over_a_reload_and_may_be_taken_again(page: Page, shelf: Post) -> None:
    opened(page)
    choose(page, shelf.jpeg)
    page.locator(".photo-list button").nth(4).click()  # one is left out
    page.get_by_role("button", name="Record cards: 37").click()
    expect(page.locator(".photo-said")).to_have_text("Scans made: 37")
    page.reload()
    opened(page)
    choose(page, shelf.jpeg)
    expect(page.locator(".photo-said")).to_contain_text("Taken already: 37")
    page.locator(".photo-list button").nth(0).click()
    page.get_by_role("button", name="Record cards: 2").click()
    expect(page.locator(".photo-said")).to_have_text("Scans made: 2")
    assert page.evaluate("window.recorded") == [shelf.codes[0], shelf.codes[4]]


def test_a_card_that_was_taken_a_round_ago_is_offered_like_any_other(page: Page, shelf: Post) -> None:
    """It may have come back full and be empty again; that it is not, the server says."""
    opened(page)
    page.evaluate(
        """([old, fresh]) => sessionStorage.setItem('jitapp.photographed', JSON.stringify(
             [[old, Date.now() - 31 * 60_000], [fresh, Date.now() - 29 * 60_000]]))""",
        shelf.codes[:2],
    )
    choose(page, shelf.jpeg)
    expect(page.locator(".photo-said")).to_contain_text("Taken already: 1")
    expect(page.get_by_role("button", name="Record cards: 37")).to_be_visible()


def test_a_card_in_sight_is_one_scan_however_slowly_pictures_are_read(page: Page) -> None:
    code = make_code(2_718_281)
    opened(page)
    seen = [{"text": ADDRESS + code}]
    for symbols in (seen, seen, [], seen, [], [], seen):
        page.evaluate("symbols => window.camera.found(symbols)", symbols)
        page.wait_for_timeout(450)
    assert page.evaluate("window.heard") == [[[code], "camera"]] * 2, "at first, and after two without it"


def test_a_card_that_could_not_be_recorded_is_offered_again(page: Page, shelf: Post) -> None:
    opened(page)
    choose(page, shelf.jpeg)
    page.evaluate("code => { window.refuse = code }", shelf.codes[7])
    page.get_by_role("button", name="Record cards: 38").click()
    expect(page.locator(".photo-said")).to_have_text("Scans made: 37")
    page.evaluate("window.refuse = null")
    page.get_by_role("button", name="Record cards: 1").click()
    expect(page.locator(".photo-said")).to_have_text("Scans made: 1")
    assert set(page.evaluate("window.recorded")) == set(shelf.codes)


def test_what_is_no_picture_is_said(page: Page) -> None:
    opened(page)
    choose(page, b"no picture at all")
    expect(page.locator(".photo-said")).to_have_text("This picture could not be read. Take another one.")


def test_without_a_camera_pictures_may_still_be_chosen(page: Page) -> None:
    opened(page)
    expect(page.locator(".camera-said")).to_contain_text("No camera can be used here.")
    expect(page.get_by_text("Choose a picture", exact=True)).to_be_visible()


def test_nothing_of_the_camera_is_loaded_before_it_is_opened_and_nothing_from_elsewhere(
    page: Page, files: Bench, shelf: Post
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.context.on("request", lambda request: asked.append(request.url))
    opened(page)
    choose(page, shelf.jpeg)
    assert any(url.endswith("zxing_reader.wasm") for url in asked)
    assert [url for url in asked if not url.startswith((files.url, "blob:"))] == []


def video(folder: Path, code: str) -> Path:
    """Two seconds of a card that comes into sight, as raw video: black, then the code."""
    width, height = 640, 480
    matrix = [list(row) for row in segno.make_qr(ADDRESS + code, error="m").matrix]
    scale = 8
    left, top = (width - scale * len(matrix)) // 2, (height - scale * len(matrix)) // 2
    card = bytearray(b"\xeb" * (width * height))
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            for line in range(scale * y, scale * (y + 1)):
                if dark:
                    start = (top + line) * width + left + scale * x
                    card[start : start + scale] = b"\x10" * scale
    colour = b"\x80" * (width * height // 2)
    frames = [b"\x10" * (width * height)] * 20 + [bytes(card)] * 20
    file = folder / "card.y4m"
    head = f"YUV4MPEG2 W{width} H{height} F20:1 Ip A1:1 C420jpeg\n".encode()
    file.write_bytes(head + b"".join(b"FRAME\n" + frame + colour for frame in frames))
    return file


def test_the_live_camera_reads_a_card_once_for_each_time_it_comes_into_sight(
    chromium: Browser, files: Bench, tmp_path: Path
) -> None:
    """The video is played again and again: the card is there for a second and away for a second."""
    code = make_code(31_415_926)
    program = os.environ.get("CHROMIUM") or "chromium"
    flags = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={video(tmp_path, code)}",
    ]
    browser = chromium.browser_type.launch(channel=None, executable_path=_path(program), args=flags)
    try:
        page = browser.new_page()
        page.goto(f"{files.url}/")
        opened(page)
        page.wait_for_selector("#camera[data-state=live]")
        until(page, "window.heard.length >= 2")
        heard = page.evaluate("window.heard")
        assert heard[:2] == [[[code], "camera"]] * 2
        expect(page.locator(".camera-said")).to_have_text(code)
        # However fast this machine is: a card in sight is far fewer scans than the pictures that were read of it.
        pictures, scans = page.evaluate("[window.camera.reader.last, window.heard.length]")
        assert scans < pictures / 2
        page.get_by_role("button", name="Photograph", exact=True).click()
        page.wait_for_selector(".photo[data-state=read]", timeout=60_000)
        page.get_by_role("button", name="Close").click()
        page.get_by_role("button", name="Close").click()
        expect(page.locator("#camera")).to_be_hidden()
        assert page.evaluate("window.camera.stream") is None
    finally:
        browser.close()


def _path(program: str) -> str:
    import shutil

    found = shutil.which(program) or shutil.which("chromium-browser")
    assert found
    return found
