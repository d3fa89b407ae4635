"""Scanners that type: which keys they press, and what a computer with another layout makes of them.

Each layout has its signs without and with Shift, for the keys in the order of `KEYS`. Caps Lock changes letters alone,
or (as on Windows in Germany, France and the Czech Republic) every key of the main block.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import CDPSession, Page

from jitapp.symbology.cardcode import find_card_code

_ROWS = ("`1234567890-=", "QWERTYUIOP[]", "ASDFGHJKL;'\\", "<ZXCVBNM,./")
_NAMES = {
    "`": "Backquote",
    "-": "Minus",
    "=": "Equal",
    "[": "BracketLeft",
    "]": "BracketRight",
    ";": "Semicolon",
    "'": "Quote",
    "\\": "Backslash",
    "<": "IntlBackslash",
    ",": "Comma",
    ".": "Period",
    "/": "Slash",
}
KEYS = [
    _NAMES.get(sign) or (f"Digit{sign}" if sign.isdigit() else f"Key{sign}") for row in _ROWS for sign in row
]
LAYOUTS = {
    "us": (
        "`1234567890-=qwertyuiop[]asdfghjkl;'\\\\zxcvbnm,./",
        '~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"||ZXCVBNM<>?',
    ),
    "uk": (
        "`1234567890-=qwertyuiop[]asdfghjkl;'#\\zxcvbnm,./",
        '¬!"£$%^&*()_+QWERTYUIOP{}ASDFGHJKL:@~|ZXCVBNM<>?',
    ),
    "de": (
        "^1234567890ß´qwertzuiopü+asdfghjklöä#<yxcvbnm,.-",
        "°!\"§$%&/()=?`QWERTZUIOPÜ*ASDFGHJKLÖÄ'>YXCVBNM;:_",
    ),
    "fr": (
        "²&é\"'(-è_çà)=azertyuiop^$qsdfghjklmù*<wxcvbn,;:!",
        "³1234567890°+AZERTYUIOP¨£QSDFGHJKLM%µ>WXCVBN?./§",
    ),
    "es": (
        "º1234567890'¡qwertyuiop`+asdfghjklñ´ç<zxcvbnm,.-",
        'ª!"·$%&/()=?¿QWERTYUIOP^*ASDFGHJKLÑ¨Ç>ZXCVBNM;:_',
    ),
    "cz": (
        ";+ěščřžýáíé=´qwertzuiopú)asdfghjklů§¨\\yxcvbnm,.-",
        "°1234567890%ˇQWERTZUIOP/(ASDFGHJKL\"!'|YXCVBNM?:_",
    ),
}
SHIFT_LOCK = frozenset({"de", "fr", "cz"})  # layouts in which Caps Lock may change digits and signs too
DEAD = "´`^¨ˇ"
SUFFIXES = {"\r": ("Enter", "Enter", 13), "\t": ("Tab", "Tab", 9)}


@dataclass(frozen=True)
class Stroke:
    """One key: its place, whether Shift was held, and what the computer makes of it."""

    code: str
    shift: bool
    sign: str
    caps: bool = False


def strokes(text: str, scanner: str = "us", computer: str = "us", caps: str = "") -> Iterator[Stroke]:
    """The keys of a text; `caps` is "", "letters" or "everything". KeyError for a sign the scanner has no key for."""
    places = {
        sign: (key, shift)
        for shift in (True, False)
        for key, sign in reversed(list(enumerate(LAYOUTS[scanner][shift])))
    }
    for sign in text:
        key, shift = places[sign]
        plain = LAYOUTS[computer][0][key]
        turned = caps == "everything" or (
            caps == "letters" and plain.isalpha() and plain.lower() != plain.upper()
        )
        shown = LAYOUTS[computer][shift != (turned and caps == "everything")][key]
        if turned and caps == "letters":
            shown = shown.swapcase() if len(shown.swapcase()) == 1 else shown
        yield Stroke(KEYS[key], shift, shown, bool(caps))


def shown(text: str, scanner: str = "us", computer: str = "us", caps: str = "") -> str:
    """What the computer shows of a text."""
    return "".join(stroke.sign for stroke in strokes(text, scanner, computer, caps))


def unmistakable(code: str) -> bool:
    """Whether no computer shows another valid code for this one: of a few codes it does, by chance."""
    return all(
        find_card_code(shown(code, scanner, computer, caps)) in (None, code)
        for computer in LAYOUTS
        for caps in ("", "letters", "everything")
        for scanner in ("us", "de", "fr")
    )


KEY_S = 0.008  # between two keys of a scanner


def burst(page: Page, text: str, suffix: str = "Enter") -> None:
    """What a scanner types. Each key says when it was pressed: a busy machine does not make a slow hand of it."""
    session = page.context.new_cdp_session(page)
    began = time.time()
    for place, stroke in enumerate(strokes(text)):
        press(session, stroke, at=began + place * KEY_S)
    session.detach()
    if suffix:
        page.keyboard.press(suffix)


def press(session: CDPSession, stroke: Stroke, at: float | None = None) -> None:
    """One key goes down and up, as the browser's own process would tell it; `at` in seconds since 1970."""
    modifiers = 8 if stroke.shift else 0
    dead = stroke.sign in DEAD
    key = {"code": stroke.code, "key": "Dead" if dead else stroke.sign, "modifiers": modifiers}
    text = {} if dead else {"text": stroke.sign}
    when = {} if at is None else {"timestamp": at}
    session.send("Input.dispatchKeyEvent", {"type": "keyDown", **key, **text, **when})
    session.send("Input.dispatchKeyEvent", {"type": "keyUp", **key, **when})


def hold(session: CDPSession, key: str, code: str, modifiers: int, number: int = 0) -> None:
    """One key with modifiers (1 Alt, 2 Ctrl, 8 Shift) that writes nothing."""
    named = {"key": key, "code": code, "modifiers": modifiers, "windowsVirtualKeyCode": number}
    session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **named})
    session.send("Input.dispatchKeyEvent", {"type": "keyUp", **named})
