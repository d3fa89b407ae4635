"""From keys to scans (static/js/capture.js), on a blank page: the ways of scanners, and that typing is left alone."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page

from jitapp.symbology.cardcode import COMBINATIONS, make_code
from jitapp.symbology.commandcode import Command, CommandName
from tests.journeys.bench import Bench, bench
from tests.journeys.keyboards import LAYOUTS, SHIFT_LOCK, Stroke, hold, press, strokes, unmistakable
from tests.journeys.pages import until

GS, RS, EOT = "\x1d", "\x1e", "\x04"
BODY = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>bench</title>
<script src="/static/js/early.js"></script></head><body>
<form id="form" action="/sent"><input id="text" name="text"><input id="number" type="number" name="n">
<textarea id="area" name="area"></textarea><button id="submit">Send</button></form>
<button id="button" type="button">Press</button><a id="link" href="#there">Link</a><select id="select">
<option>A</option><option>K</option></select><details id="drawer"><summary>Drawer</summary><input id="inside"></details>
<div id="editable" contenteditable="true">note</div><div id="off" data-capture="off"><input id="own"></div>
SCRIPTS</body></html>"""
STARTED = """<script type="module">
import { Capture } from "/static/js/capture.js";
window.heard = []; window.pressed = 0; window.sent = 0;
const tell = (kind) => (what, ...more) => window.heard.push([kind, what, ...more]);
document.getElementById("button").addEventListener("click", () => { window.pressed += 1 });
document.getElementById("form").addEventListener("submit", (event) => { event.preventDefault(); window.sent += 1 });
window.capture = new Capture({ onCodes: tell("codes"), onCommand: tell("command"), onOther: tell("other"),
  onNoSuffix: tell("bare") }).listen(document);
</script>"""


@pytest.fixture(scope="module")
def files() -> Iterator[Bench]:
    with bench() as made:
        made.pages["/"] = BODY.replace("SCRIPTS", STARTED)
        yield made


@pytest.fixture
def page(chromium: Browser, files: Bench) -> Iterator[Page]:
    context = chromium.new_context()
    made = context.new_page()
    made.goto(f"{files.url}/")
    until(made, "!!window.capture")
    yield made
    context.close()


@pytest.fixture
def keys(page: Page) -> CDPSession:
    return page.context.new_cdp_session(page)


def some(count: int, seed: int) -> list[str]:
    """Codes of cards that exist: see keyboards.unmistakable."""
    chance = random.Random(seed)
    made = (make_code(chance.randrange(COMBINATIONS)) for _ in iter(int, 1))
    return list(islice((code for code in made if unmistakable(code)), count))


A, B, C = some(3, seed=3)


@dataclass
class Heard:
    """What the page was told, by kind."""

    all: list[list[Any]]

    def of(self, kind: str) -> list[Any]:
        return [call[1] for call in self.all if call[0] == kind]

    @property
    def codes(self) -> list[str]:
        return [code for codes in self.of("codes") for code in codes]


def heard(page: Page) -> Heard:
    return Heard(page.evaluate("window.heard"))


def type_in(page: Page, text: str, suffix: str = "Enter") -> None:
    page.keyboard.type(text)
    if suffix:
        page.keyboard.press(suffix)


def told(page: Page, count: int) -> None:
    """The page was told so many things: a code without a suffix is taken after a silence."""
    until(page, "count => window.heard.length >= count", count)


def any_speed(page: Page) -> None:
    """However slowly this machine types, it is a scanner that types."""
    page.evaluate("window.capture.profile = { gap: 60_000 }")


def test_c07_seven_ways_give_the_right_card(page: Page, keys: CDPSession) -> None:
    ways = some(8, seed=5)
    type_in(page, ways[0])
    type_in(page, ways[1], "Tab")
    type_in(page, ways[2], "")
    told(page, 4)
    page.evaluate(
        """code => { const clipboardData = new DataTransfer(); clipboardData.setData('text', code);
                     document.dispatchEvent(new ClipboardEvent('paste', {clipboardData, bubbles: true})); }""",
        ways[3],
    )
    for sign in ways[4]:
        pad = f"Numpad{sign}" if sign.isdigit() else f"Key{sign}"
        press(keys, Stroke(pad, False, sign))
    page.keyboard.press("Enter")
    type_in(page, ways[5].lower())
    for stroke in strokes(ways[6], "us", "fr"):
        press(keys, stroke)
    page.keyboard.press("Enter")
    type_in(page, f"https://kanban.example/k/{ways[7]}")
    assert heard(page).codes == ways
    assert [call[2]["suffix"] for call in heard(page).all if call[0] == "codes"] == [
        "Enter", "Tab", "", "", "Enter", "Enter", "Enter", "Enter",
    ]  # fmt: skip
    assert len(heard(page).of("bare")) == 1, "the third did not send its suffix"


@pytest.mark.parametrize(
    ("computer", "caps"),
    [(name, caps) for name in LAYOUTS for caps in ("", "letters")]
    + [(name, "everything") for name in sorted(SHIFT_LOCK)],
)
def test_every_layout_gives_the_right_card_by_its_keys(
    page: Page, keys: CDPSession, computer: str, caps: str
) -> None:
    ways = some(4, seed=29)
    for place, code in enumerate(ways):
        for stroke in strokes(code if place % 2 else f"https://kanban.test/k/{code}", "us", computer, caps):
            press(keys, stroke)
        page.keyboard.press("Enter")
    assert heard(page).codes == ways
    assert heard(page).of("other") == []


def test_two_codes_in_one_read_are_two_scans_in_order(page: Page) -> None:
    type_in(page, A + B)
    type_in(page, f"https://a.example/k/{B}https://a.example/k/{A}")
    type_in(page, C + C)
    assert heard(page).of("codes") == [[A, B], [B, A], [C]]
    wrong = B[:-1] + ("0" if B[-1] != "0" else "1")
    type_in(page, A + wrong)
    assert heard(page).of("codes") == [[A, B], [B, A], [C]]
    assert heard(page).all[-1][2] == "bad_check"


def test_cards_and_commands_in_one_read_come_in_their_order(page: Page) -> None:
    """A scanner that sees several labels at once: none is left out, and a command stands where it stood."""
    hold_it, quantity = Command(CommandName.HOLD).code, Command(CommandName.QTY, 5).code
    type_in(page, quantity + hold_it)
    type_in(page, A + hold_it + B)
    assert [call[:2] for call in heard(page).all] == [
        ["command", {"name": "QTY", "number": 5}],
        ["command", {"name": "HOLD", "number": 0}],
        ["codes", [A]],
        ["command", {"name": "HOLD", "number": 0}],
        ["codes", [B]],
    ]


def test_command_cards_are_told_as_such(page: Page) -> None:
    type_in(page, Command(CommandName.QTY, 120).code)
    type_in(page, Command(CommandName.UNDO).code.lower())
    assert heard(page).of("command") == [{"name": "QTY", "number": 120}, {"name": "UNDO", "number": 0}]
    assert heard(page).codes == []


PLACES = ["body", "#button", "#link", "#text", "#area", "#number", "#select", "#inside", "#editable"]


@pytest.mark.parametrize("place", PLACES)
def test_c04_a_scan_is_taken_wherever_the_focus_is_and_a_field_stays_as_it_was(
    page: Page, place: str
) -> None:
    """Twenty scans in each of nine places; every one is taken."""
    any_speed(page)
    page.evaluate("document.getElementById('drawer').open = true")
    field = {"#text": "note", "#area": "two\nlines", "#number": "12", "#inside": "x"}.get(place)
    if field is not None:
        page.fill(place, field)
    if place != "body":
        page.locator(place).focus()
    page.evaluate(
        "s => s === '#editable' && getSelection().collapse(document.querySelector(s).firstChild, 4)", place
    )
    ways = some(20, seed=31)
    for number, code in enumerate(ways):
        type_in(
            page,
            f"https://a.example/k/{code}" if number % 3 == 0 else code,
            "Tab" if number % 4 == 0 else "Enter",
        )
    assert heard(page).codes == ways
    if field is not None:
        assert page.input_value(place) == field
    assert page.inner_text("#editable") == "note"
    assert page.evaluate("[window.pressed, window.sent, location.hash, document.getElementById('select').value]") == [
        0, 0, "", "A",
    ]  # fmt: skip
    if place != "body":
        assert page.evaluate("s => document.activeElement === document.querySelector(s)", place)


def test_what_a_person_typed_before_the_scan_stays_in_the_field(page: Page) -> None:
    any_speed(page)
    page.fill("#text", "abc")
    page.focus("#text")
    page.keyboard.type("more ")
    type_in(page, f"https://a.example/k/{A}")
    assert page.input_value("#text") == "abcmore "
    page.evaluate(
        "document.getElementById('text').select()"
    )  # the first letter of a scan replaces what is marked
    type_in(page, B)
    assert page.input_value("#text") == "abcmore "
    assert heard(page).codes == [A, B]


def test_a_field_that_keeps_its_keys_is_left_alone(page: Page) -> None:
    page.focus("#own")
    page.keyboard.type(A)
    page.keyboard.press("Enter")
    assert page.input_value("#own") == A
    assert heard(page).all == []


def test_c08_ordinary_typing_is_never_a_scan_and_enter_submits_the_form_only(page: Page) -> None:
    chance = random.Random(37)
    letters = "the quick brown fox jumps over the lazy dog, lot KB 0815 k b 4711 1 2 3 and so on "
    typed = "".join(letters[place % len(letters)] for place in range(200))
    for place in ("#text", "#button"):
        page.focus(place)
        for letter in typed if place == "#text" else typed[:12].replace(" ", "x"):
            page.keyboard.type(letter)
            page.wait_for_timeout(chance.randrange(80, 200))
    assert heard(page).codes == []
    page.focus("#text")
    assert page.input_value("#text") == typed
    page.keyboard.press("Enter")
    assert page.evaluate("[window.sent, window.pressed]") == [1, 0]
    assert [call for call in heard(page).all if call[0] != "bare"] == []


@pytest.mark.parametrize("suffix", ["Enter", "Tab"])
def test_a_code_that_a_person_types_into_a_form_belongs_to_the_form(page: Page, suffix: str) -> None:
    """Whoever looks for a card, or writes about one, moves none."""
    page.focus("#text")
    for letter in A:
        page.keyboard.type(letter)
        page.wait_for_timeout(90)
    page.keyboard.press(suffix)
    assert page.input_value("#text") == A
    assert page.evaluate("[window.sent, document.activeElement.id]") == (
        [1, "text"] if suffix == "Enter" else [0, "number"]
    )
    assert heard(page).all == []


def test_what_was_typed_by_hand_without_a_field_is_named_so(page: Page) -> None:
    for letter in "hello there":
        page.keyboard.type(letter)
        page.wait_for_timeout(90)
    page.keyboard.press("Enter")
    assert [call[1:3] for call in heard(page).all] == [["hello there", "typed"]]


def test_c03_a_slow_tablet_cuts_no_code(page: Page, keys: CDPSession) -> None:
    """Four times slower, and stopped for 120 of each 300 ms: 200 of 200 codes whole, and nothing but codes."""
    keys.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.evaluate(
        "setInterval(() => { const until = performance.now() + 120; while (performance.now() < until); }, 300)"
    )
    ways = some(200, seed=41)
    for code in ways:
        for sign in code:
            press(keys, Stroke(f"Digit{sign}" if sign.isdigit() else f"Key{sign}", not sign.isdigit(), sign))
        hold(keys, "Enter", "Enter", 0, 13)
    keys.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    found = heard(page)
    assert found.codes == ways
    assert [call for call in found.all if call[0] not in ("codes", "bare")] == []


def test_control_characters_of_a_label_are_kept(page: Page, keys: CDPSession) -> None:
    """GS, RS and EOT as Ctrl and a key, as Ctrl by the key's place on another layout, and as Alt with a number."""
    label = f"[)>{RS}06{GS}P4711{GS}Q100{GS}1JUN123{RS}{EOT}"

    def by_ctrl(sign: str) -> None:
        key, code, shift = {GS: ("]", "BracketRight", 0), RS: ("^", "Digit6", 8), EOT: ("d", "KeyD", 0)}[sign]
        hold(keys, key, code, 2 | shift)

    def by_place(sign: str) -> None:
        key, code, shift = {GS: ("+", "BracketRight", 0), RS: ("&", "Digit6", 8), EOT: ("d", "KeyD", 0)}[sign]
        hold(keys, key, code, 2 | shift)

    def by_alt(sign: str) -> None:
        keys.send(
            "Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Alt", "code": "AltLeft", "modifiers": 1}
        )
        for digit in f"{ord(sign):04d}":
            hold(keys, digit, f"Numpad{digit}", 1)
        keys.send("Input.dispatchKeyEvent", {"type": "keyUp", "key": "Alt", "code": "AltLeft"})

    any_speed(page)
    for way in (by_ctrl, by_place, by_alt):
        for sign in label:
            if sign < " ":
                way(sign)
            else:
                page.keyboard.type(sign)
        page.keyboard.press("Enter")
    assert [call[1:3] for call in heard(page).all if call[0] == "other"] == [[label, "foreign"]] * 3


def test_gs1_with_its_separators_comes_whole(page: Page, keys: CDPSession) -> None:
    any_speed(page)
    for stroke in strokes("]C1010950110153000310ABC"):
        press(keys, stroke)
    hold(keys, "]", "BracketRight", 2)
    page.keyboard.type("3725")
    page.keyboard.press("Enter")
    assert heard(page).all[-1][1:3] == [f"]C1010950110153000310ABC{GS}3725", "foreign"]
    assert heard(page).all[-1][3]["physical"] == f"]C1010950110153000310ABC{GS}3725"


def test_shortcuts_of_people_are_left_to_the_browser(page: Page) -> None:
    page.evaluate(
        """() => { window.free = [];
           document.addEventListener('keydown', e => window.free.push([e.key, e.defaultPrevented])); }"""
    )
    for shortcut in (
        "Control+c",
        "Control+d",
        "Control+=",
        "Control+f",
        "Alt+1",
        "ArrowDown",
        "Tab",
        "Enter",
    ):
        page.keyboard.press(shortcut)
    free = page.evaluate("window.free.filter(([key]) => !['Control', 'Alt'].includes(key))")
    assert [key for key, prevented in free if prevented] == []
    assert len(free) == 8
    assert heard(page).all == []


def test_repeats_and_input_methods_are_no_keys_of_a_scanner(page: Page, keys: CDPSession) -> None:
    for sign in A:
        code = f"Digit{sign}" if sign.isdigit() else f"Key{sign}"
        for repeat in (False, True, True):
            keys.send(
                "Input.dispatchKeyEvent",
                {"type": "keyDown", "code": code, "key": sign, "text": sign, "autoRepeat": repeat},
            )
        keys.send("Input.dispatchKeyEvent", {"type": "keyUp", "code": code, "key": sign})
    page.keyboard.press("Enter")
    page.evaluate(
        """code => { for (const key of [...code, 'Enter']) document.body.dispatchEvent(
             new KeyboardEvent('keydown', {key, code: 'KeyK', isComposing: true, bubbles: true})) }""",
        B,
    )
    assert heard(page).codes == [A]


def test_a_suffix_that_comes_late_presses_nothing(page: Page) -> None:
    page.focus("#button")
    type_in(page, A, "")
    until(page, "window.heard.length >= 2")
    page.keyboard.press("Enter")
    assert heard(page).codes == [A]
    assert page.evaluate("window.pressed") == 0
    page.wait_for_timeout(700)
    page.keyboard.press("Enter")
    assert page.evaluate("window.pressed") == 1


@pytest.mark.parametrize("second", ["Enter", "Control+j", "Control+m", "Tab"])
def test_the_second_of_two_suffixes_presses_nothing(page: Page, second: str) -> None:
    """CR and LF, however the scanner sends them: no button is pressed, the focus stays, the browser does nothing."""
    page.evaluate(
        """() => { window.free = [];
           document.addEventListener('keydown', e => window.free.push([e.key, e.defaultPrevented])); }"""
    )
    page.focus("#button")
    for code in (A, "4006381333931"):
        type_in(page, code)
        page.keyboard.press(second)
    assert page.evaluate("[window.pressed, document.activeElement.id]") == [0, "button"]
    assert [key for key, prevented in page.evaluate("window.free") if not prevented] == (
        ["Control"] * 2 if second.startswith("Control") else []
    )
    assert [call[:2] for call in heard(page).all] == [["codes", [A]], ["other", "4006381333931"]]


def test_a_scanner_that_ends_codes_with_ctrl_m_is_read(page: Page) -> None:
    type_in(page, A, "Control+m")
    assert heard(page).codes == [A]
    assert heard(page).all[0][2]["suffix"] == "Enter"


def test_a_scanner_without_a_suffix_is_hinted_at_and_rubbish_is_not_taken(page: Page) -> None:
    any_speed(page)
    type_in(page, "4006381333931", "")
    told(page, 1)
    assert [call[0] for call in heard(page).all] == ["bare"]
    type_in(page, A[:-1] + ("0" if A[-1] != "0" else "1"), "")
    told(page, 2)
    assert heard(page).codes == []


def test_a_foreign_label_is_told_with_its_text_but_not_from_a_field(page: Page) -> None:
    any_speed(page)
    type_in(page, "4006381333931")
    type_in(page, "Q50")
    page.focus("#text")
    type_in(page, "4006381333931")
    assert [call[1:3] for call in heard(page).all if call[0] == "other"] == [
        ["4006381333931", "foreign"],
        ["Q50", "foreign"],
    ]
    assert page.input_value("#text") == "4006381333931"
    assert page.evaluate("window.sent") == 1


def test_keys_pressed_while_the_page_loads_are_kept(chromium: Browser, files: Bench) -> None:
    """The first half before capture.js is there, in the body and in a field."""
    files.pages["/loading"] = BODY.replace("SCRIPTS", "")
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{files.url}/loading")
    page.focus("#button")
    type_in(page, A)
    page.focus("#text")
    type_in(page, "lot 1 ", "")
    page.keyboard.type(B[:5])
    page.evaluate(
        "(source) => { const script = document.createElement('script'); script.type = 'module';"
        " script.textContent = source; document.body.append(script) }",
        STARTED.removeprefix('<script type="module">').removesuffix("</script>"),
    )
    until(page, "!!window.capture")
    type_in(page, B[5:])
    found = heard(page)
    assert found.codes == [A, B]
    assert [call[2]["early"] for call in found.all if call[0] == "codes"] == [True, True]
    assert page.input_value("#text") == "lot 1 "
    assert page.evaluate("[window.pressed, window.sent]") == [0, 0]
    context.close()


def test_a_scan_during_which_the_page_changes_is_continued_on_the_next(page: Page, files: Bench) -> None:
    page.keyboard.type(A[:6])
    page.goto(f"{files.url}/?again")
    until(page, "!!window.capture")
    type_in(page, A[6:])
    type_in(page, B)
    assert heard(page).codes == [A, B]


def test_a_device_whose_keys_have_no_names_types_into_a_field_of_a_pixel(
    chromium: Browser, files: Bench
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.add_init_script("localStorage.setItem('jitapp.scanner', JSON.stringify({unidentified: true}))")
    page.goto(f"{files.url}/")
    until(page, "!!window.capture")
    keys = context.new_cdp_session(page)
    until(page, "!!window.capture.sink")
    until(page, "document.activeElement === window.capture.sink")
    box = page.evaluate(
        "(() => { const e = document.activeElement; const r = e.getBoundingClientRect();"
        " return [e.tagName, e.inputMode, r.width, r.height] })()"
    )
    assert box == ["INPUT", "none", 1, 1]
    keys.send("Input.insertText", {"text": A})
    hold(keys, "Enter", "Enter", 0, 13)
    for length in range(1, len(B) + 1):  # as a soft keyboard: the whole word again with each letter
        keys.send(
            "Input.imeSetComposition", {"text": B[:length], "selectionStart": length, "selectionEnd": length}
        )
    keys.send("Input.insertText", {"text": B})
    hold(keys, "Enter", "Enter", 0, 13)
    page.focus("#button")
    type_in(page, C)  # a second scanner, whose keys have names
    page.evaluate("document.activeElement.blur()")
    until(page, "document.activeElement.tagName === 'INPUT'")
    keys.send("Input.insertText", {"text": A})
    told(page, 5)
    found = heard(page)
    assert found.codes == [A, B, C, A]
    assert [call[2]["how"] for call in found.all if call[0] == "codes"] == ["input", "input", "keys", "input"]
    context.close()


def test_such_a_device_is_read_after_a_button_was_touched_and_several_codes_at_once(
    chromium: Browser, files: Bench
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.add_init_script("localStorage.setItem('jitapp.scanner', JSON.stringify({unidentified: true}))")
    page.goto(f"{files.url}/")
    in_sink = "document.activeElement === window.capture?.sink"
    until(page, in_sink)
    keys = context.new_cdp_session(page)
    page.click("#button")
    until(page, in_sink)
    keys.send("Input.insertText", {"text": A})
    hold(keys, "Enter", "Enter", 0, 13)
    assert (heard(page).codes, page.evaluate("window.pressed")) == ([A], 1)
    page.evaluate(  # as DataWedge sends it: one piece of text with its ends of lines
        """data => document.activeElement.dispatchEvent(new InputEvent('beforeinput',
             {data, inputType: 'insertText', bubbles: true, cancelable: true}))""",
        f"{B}\n{C}\n{A}",
    )
    assert heard(page).codes == [A, B, C]
    told(page, 5)  # the last one had no end: it is taken after a silence
    assert heard(page).codes == [A, B, C, A]
    page.click("#text")
    assert page.evaluate("document.activeElement.id") == "text"
    context.close()


def test_the_time_of_a_scan_is_that_of_its_keys(page: Page) -> None:
    before = time.time() * 1000
    type_in(page, A)
    after = time.time() * 1000
    assert before - 50 <= heard(page).all[0][2]["at"] <= after + 50
