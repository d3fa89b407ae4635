"""The scanner doctor: its judgement of scanners of every kind, and the page with its sheet."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Page, expect

from jitapp.accounts.models import Device
from jitapp.web.doctor import CODES, PROBLEMS
from tests.journeys.bench import bench, call
from tests.journeys.keyboards import LAYOUTS, hold, press, strokes
from tests.journeys.pages import Site, log_in
from tests.live.served import wait_until

CONTROL_KEYS = {
    "\x1d": ("]", "BracketRight", False),
    "\x1e": ("^", "Digit6", True),
    "\x04": ("d", "KeyD", False),
}
Keys = dict[str, list[dict[str, Any]]]


def pressed(text: str, scanner: str = "us", computer: str = "us", caps: str = "") -> list[dict[str, Any]]:
    """What the page records of a text, control characters as Ctrl and a key."""
    keys: list[dict[str, Any]] = []
    for sign in text:
        common = {"type": "key", "ctrl": False, "alt": False, "caps": bool(caps), "at": 8 * len(keys)}
        if sign in CONTROL_KEYS:
            key, code, shift = CONTROL_KEYS[sign]
            keys.append({**common, "key": key, "code": code, "shift": shift, "ctrl": True})
        else:
            (stroke,) = strokes(sign, scanner, computer, caps)
            keys.append({**common, "key": stroke.sign, "code": stroke.code, "shift": stroke.shift})
    return keys


def ended(keys: list[dict[str, Any]], suffix: str) -> list[dict[str, Any]]:
    end = {
        "type": "key",
        "key": suffix,
        "code": suffix,
        "shift": False,
        "ctrl": False,
        "alt": False,
        "caps": False,
    }
    return [*keys, {**end, "at": 8 * len(keys)}] if suffix else keys


def scanned(
    scanner: str = "us", computer: str = "us", caps: str = "", suffix: str = "Enter", **codes: str
) -> Keys:
    """All six codes by one scanner; `codes` says what it sends instead of some."""
    keys: Keys = {}
    for name, held in CODES.items():
        texts = [held] if isinstance(held, str) else held
        sent = [codes[name]] if name in codes else texts
        keys[name] = [key for text in sent for key in ended(pressed(text, scanner, computer, caps), suffix)]
    return keys


@pytest.fixture(scope="module")
def blank(chromium: Browser) -> Iterator[Page]:
    with bench() as files:
        made = chromium.new_page()
        made.goto(f"{files.url}/")
        yield made
        made.close()


def judged(page: Page, keys: Keys) -> dict[str, Any]:
    found: dict[str, Any] = call(page, "doctor-verdict.js", "verdict", keys, CODES)
    return found


def test_a_scanner_that_is_set_up_passes(blank: Page) -> None:
    assert judged(blank, scanned()) == {
        "stamp": "passed", "problems": [], "layout": "", "suffix": "Enter", "numpad": False, "letters": "kept",
        "controls": "kept", "several": "apart", "gap": 8, "unidentified": False,
    }  # fmt: skip
    assert judged(blank, scanned(suffix="Tab"))["stamp"] == "passed"


@pytest.mark.parametrize("computer", ["de", "fr", "cz"])
def test_a_scanner_that_thinks_of_a_us_keyboard_is_told_so_and_its_layout_is_kept(
    blank: Page, computer: str
) -> None:
    found = judged(blank, scanned(computer=computer))
    assert (found["stamp"], found["problems"], found["layout"]) == ("usable", ["layout"], f"us>{computer}")
    assert (found["letters"], found["controls"], found["several"]) == ("kept", "kept", "apart")


@pytest.mark.parametrize("scanner", ["de", "fr", "cz"])
def test_a_scanner_that_thinks_of_another_keyboard_than_this_us_computer(blank: Page, scanner: str) -> None:
    keys = scanned(scanner=scanner, controls=f"{CODES['card']}")  # whose layout has no key for every bracket
    found = judged(blank, keys)
    assert found["stamp"] == "usable"
    assert found["problems"][0] == "layout"
    assert found["layout"] == f"{scanner}>us"


@pytest.mark.parametrize("computer", ["uk", "es"])
def test_a_layout_that_changes_signs_alone_is_seen(blank: Page, computer: str) -> None:
    found = judged(blank, scanned(computer=computer))
    if computer == "uk":
        assert found["stamp"] == "passed", "it differs in @ and # alone"
    else:
        assert (found["stamp"], found["layout"]) == ("usable", "")
        assert "signs" in found["problems"]


@pytest.mark.parametrize(
    ("name", "keys", "stamp"),
    [
        ("suffix_none", scanned(suffix=""), "usable"),
        ("controls", scanned(controls="[)>06PKT1Q1"), "usable"),
        ("controls", scanned(controls="[)>|06~PKT1~Q1|"), "usable"),
        ("caps", scanned(caps="letters"), "usable"),
        ("lost", scanned(letters="ABCDEFGHIJKLMNOPQRSTUVW"), "failed"),
        ("layout_unknown", scanned(letters="QWERTZUIOPASDFGHJKLYXCVBNM"), "failed"),
        ("nothing", {}, "failed"),
        ("suffix_mixed", {**scanned(), "card": pressed(str(CODES["card"]))}, "usable"),
    ],
)
def test_each_fault_is_named_and_has_a_sentence(blank: Page, name: str, keys: Keys, stamp: str) -> None:
    found = judged(blank, keys)
    assert (found["stamp"], found["problems"][0]) == (stamp, name)
    assert name in PROBLEMS


def test_digits_of_a_number_pad_without_num_lock_are_lost(blank: Page) -> None:
    def pad(text: str, locked: bool) -> list[dict[str, Any]]:
        keys = pressed(text)
        for key in keys:
            if key["key"].isdigit():
                key |= {"code": f"Numpad{key['key']}", "key": key["key"] if locked else "End"}
        return ended(keys, "Enter")

    on = judged(blank, {**scanned(), "digits": pad(str(CODES["digits"]), True)})
    assert (on["stamp"], on["numpad"]) == ("passed", True)
    off = judged(blank, {**scanned(), "digits": pad(str(CODES["digits"]), False)})
    assert (off["stamp"], off["problems"]) == ("failed", ["numlock"])


@pytest.mark.parametrize("ends", [("m",), ("m", "j"), ("Enter", "j"), ("Enter", "Enter")])
def test_carriage_return_and_line_feed_are_one_ending(blank: Page, ends: tuple[str, ...]) -> None:
    """As keys with Ctrl or as Enter, alone or both."""
    common = {"type": "key", "shift": False, "alt": False, "caps": False}
    keys: Keys = {}
    for name, pressed_keys in scanned(suffix="Enter").items():
        keys[name] = []
        for key in pressed_keys:
            if key["key"] != "Enter":
                keys[name].append(key)
                continue
            for end in ends:
                letter = len(end) == 1
                code = f"Key{end.upper()}" if letter else end
                keys[name].append({**common, "key": end, "code": code, "ctrl": letter, "at": key["at"]})
    found = judged(blank, keys)
    assert (found["stamp"], found["suffix"], found["problems"]) == ("passed", "Enter", [])


def test_prefixes_case_and_several_codes_at_once(blank: Page) -> None:
    aim = {name: f"]C0{held}" for name, held in CODES.items() if isinstance(held, str)}
    assert judged(blank, scanned(**aim))["stamp"] == "passed"
    capital = judged(blank, scanned(address=str(CODES["address"]).upper()))
    assert (capital["stamp"], capital["letters"]) == ("passed", "upper")
    assert judged(blank, scanned(pair="KTPAIR1KTPAIR2"))["several"] == "together"
    assert judged(blank, scanned(pair="KTPAIR2"))["several"] == "one"
    soft = {
        name: [{"type": "text", "key": held + "\n", "at": 1}]
        for name, held in CODES.items()
        if isinstance(held, str)
    }
    soft["pair"] = [{"type": "text", "key": "KTPAIR1\nKTPAIR2\n", "at": 1}]
    found = judged(blank, soft)
    assert (found["stamp"], found["unidentified"], found["several"], found["suffix"]) == (
        "passed", True, "apart", "Enter",
    )  # fmt: skip


def test_every_layout_is_judged_without_an_exception(blank: Page) -> None:
    for computer in LAYOUTS:
        for caps in ("", "letters", "everything"):
            assert judged(blank, scanned(computer=computer, caps=caps))["stamp"] in (
                "passed",
                "usable",
                "failed",
            )


# -- the page -------------------------------------------------------------------------------------------------
@pytest.fixture
def page(pages: Site) -> Iterator[Page]:
    with pages.context() as context:
        tab = context.new_page()
        log_in(tab, pages.url, "SHIP")
        tab.goto(f"{pages.url}/device/doctor")
        tab.wait_for_selector("#doctor-steps[data-ready]")
        yield tab


def type_all(page: Page, keys: CDPSession, computer: str = "us", suffix: str = "Enter") -> None:
    for number, held in enumerate(CODES.values(), start=1):
        expect(page.locator("figure[data-now] figcaption b")).to_have_text(str(number), timeout=30_000)
        for text in [held] if isinstance(held, str) else held:
            for sign in text:
                if sign in CONTROL_KEYS:
                    key, code, shift = CONTROL_KEYS[sign]
                    hold(keys, key, code, 2 | (8 if shift else 0))
                else:
                    (stroke,) = strokes(sign, "us", computer)
                    press(keys, stroke)
            if suffix:
                hold(keys, suffix, suffix, 0, 13)
    page.wait_for_selector("#verdict[data-done]", timeout=30_000)


@pytest.mark.django_db(transaction=True)
def test_six_scans_give_a_stamp_that_the_device_keeps(page: Page) -> None:
    keys = page.context.new_cdp_session(page)
    type_all(page, keys)
    expect(page.locator("#verdict .stamp")).to_have_text("PASSED")
    expect(page.locator("#verdict .change")).to_have_text("Nothing needs to be changed.")
    wait_until(lambda: Device.objects.filter(doctor__stamp="passed").count() == 1)
    device = Device.objects.get(doctor__stamp="passed")
    assert device.doctor_at is not None
    assert page.evaluate("JSON.parse(localStorage.getItem('jitapp.scanner')).suffix") == "Enter"
    page.get_by_role("button", name="Begin again").click()
    type_all(page, keys, "de")
    expect(page.locator("#verdict .stamp")).to_have_text("USABLE")
    expect(page.locator("#verdict .change")).to_contain_text("The scanner thinks of another keyboard")
    assert page.evaluate("JSON.parse(localStorage.getItem('jitapp.scanner')).layout") == "us>de"
    wait_until(lambda: Device.objects.filter(doctor__stamp="usable").count() == 1)


@pytest.mark.django_db(transaction=True)
def test_a_device_whose_keys_have_no_names_is_seen(page: Page) -> None:
    keys = page.context.new_cdp_session(page)
    for number, held in enumerate(CODES.values(), start=1):
        expect(page.locator("figure[data-now] figcaption b")).to_have_text(str(number), timeout=30_000)
        for text in [held] if isinstance(held, str) else held:
            keys.send("Input.insertText", {"text": text})
            hold(keys, "Enter", "Enter", 0, 13)
    page.wait_for_selector("#verdict[data-done]", timeout=30_000)
    assert page.evaluate("JSON.parse(localStorage.getItem('jitapp.scanner')).unidentified") is True


@pytest.mark.django_db(transaction=True)
def test_every_code_on_the_printed_sheet_is_read(page: Page) -> None:
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})  # A4 at 96 dpi
    page.evaluate("document.body.style.zoom = 2.5")
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("L")
    found = zxingcpp.read_barcodes(shot)
    wanted = {text for held in CODES.values() for text in ([held] if isinstance(held, str) else held)}
    for kind in (zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.Code128):
        assert {each.bytes.decode() for each in found if each.format == kind} == wanted
    assert len(page.pdf(format="A4")) > 10_000
    for hidden in ("#skip", ".carriers", ".makers", ".top"):
        expect(page.locator(hidden).first).to_be_hidden()


@pytest.mark.django_db(transaction=True)
def test_buttons_of_the_page_work_by_the_keyboard(page: Page) -> None:
    page.locator("#skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("figure[data-now] figcaption b")).to_have_text("2")
    sizes = page.evaluate(
        "[...document.querySelectorAll('main button, main summary, .carriers label')].filter(e => e.offsetParent)"
        ".map(e => Math.round(Math.min(e.getBoundingClientRect().width, e.getBoundingClientRect().height)))"
    )
    assert min(sizes) >= 48
