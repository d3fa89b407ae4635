"""Scanners that type: what comes out when their keyboard layout is not the computer's.

A scanner set to the US layout presses keys. Which characters they give is decided by the layout of the computer and by
Caps Lock. `LAYOUTS` has the 47 keys of the main block in the order of the US keyboard, so that any of them can be read
back; the tables are plain data, which the browser's twin of this module is made from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from jitapp.symbology.cardcode import ALPHABET, CODE_LENGTH, PREFIX, is_card_code
from jitapp.symbology.commandcode import PREFIX as COMMAND_PREFIX
from jitapp.symbology.commandcode import read_command

# The rows from the top, left to right; behind the second and the third row the key that stands left of Enter or above.
US_PLAIN = "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./"
US_SHIFTED = '~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:"ZXCVBNM<>?'


class Layout(NamedTuple):
    """What the keys give, plain and with Shift. `shift_lock`: Caps Lock also shifts digits and signs (Windows)."""

    name: str
    plain: str
    shifted: str
    shift_lock: bool = False


LAYOUTS: Mapping[str, Layout] = {
    "us": Layout("US", US_PLAIN, US_SHIFTED),
    "uk": Layout(
        "UK",
        "`1234567890-=qwertyuiop[]#asdfghjkl;'zxcvbnm,./",
        '¬!"£$%^&*()_+QWERTYUIOP{}~ASDFGHJKL:@ZXCVBNM<>?',
    ),
    "de": Layout(
        "German",
        "^1234567890ß´qwertzuiopü+#asdfghjklöäyxcvbnm,.-",
        "°!\"§$%&/()=?`QWERTZUIOPÜ*'ASDFGHJKLÖÄYXCVBNM;:_",
        shift_lock=True,
    ),
    "fr": Layout(
        "French",
        "²&é\"'(-è_çà)=azertyuiop^$*qsdfghjklmùwxcvbn,;:!",
        "³1234567890°+AZERTYUIOP¨£µQSDFGHJKLM%WXCVBN?./§",
        shift_lock=True,
    ),
    "es": Layout(
        "Spanish",
        "º1234567890'¡qwertyuiop`+çasdfghjklñ´zxcvbnm,.-",
        'ª!"·$%&/()=?¿QWERTYUIOP^*ÇASDFGHJKLÑ¨ZXCVBNM;:_',
    ),
    "cz": Layout(
        "Czech",
        ";+ěščřžýáíé=´qwertzuiopú)¨asdfghjklů§yxcvbnm,.-",
        "°1234567890%ˇQWERTZUIOP/('ASDFGHJKL\"!YXCVBNM?:_",
        shift_lock=True,
    ),
    "cz-qwerty": Layout(
        "Czech",
        ";+ěščřžýáíé=´qwertyuiopú)¨asdfghjklů§zxcvbnm,.-",
        "°1234567890%ˇQWERTYUIOP/('ASDFGHJKL\"!ZXCVBNM?:_",
        shift_lock=True,
    ),
}
OFF, LETTERS, EVERYTHING = "off", "letters", "everything"  # what Caps Lock changes
_LONGEST = 300


def ways() -> Iterator[tuple[str, str]]:
    """Every layout with every way of Caps Lock that its computers have."""
    for key, layout in LAYOUTS.items():
        yield key, OFF
        yield key, LETTERS
        if layout.shift_lock:
            yield key, EVERYTHING


def pressed(text: str, layout: str, caps: str = OFF) -> str:
    """What a computer with this layout shows of a text that a scanner types by the US layout."""
    return text.translate(_forth(layout, caps))


@cache
def _forth(layout: str, caps: str) -> Mapping[int, str]:
    return {ord(meant): shown for meant, shown in _keys(layout, caps)}


def _keys(layout: str, caps: str) -> Iterator[tuple[str, str]]:
    """Each character of the US layout with what is shown for it."""
    table = LAYOUTS[layout]
    for meant, plain, shifted in (
        *zip(US_PLAIN, table.plain, table.shifted, strict=True),
        *zip(US_SHIFTED, table.shifted, table.plain, strict=True),
    ):
        if caps == EVERYTHING:
            yield meant, shifted
        elif caps == LETTERS and len(plain.swapcase()) == 1:
            yield meant, plain.swapcase()
        else:
            yield meant, plain


class _Back(NamedTuple):
    """One way back: the layout's name, the characters it can show, and what was meant by each."""

    layout: str
    shown: frozenset[str]
    meant: Mapping[int, str]


def _back(layout: str, caps: str, wanted: str) -> _Back:
    """The way back to the wanted characters; what two keys show is left out."""
    keys: dict[str, set[str]] = {}
    for meant, shown in _keys(layout, caps):
        if meant in wanted:
            keys.setdefault(shown, set()).add(meant)
    table = {ord(shown): meant.pop() for shown, meant in keys.items() if len(meant) == 1}
    return _Back(LAYOUTS[layout].name, frozenset(map(chr, table)), table)


@cache
def _backs(wanted: str, first: str) -> tuple[_Back, ...]:
    """The different ways back for texts that begin with this character, which every layout has on the same key."""
    found: dict[frozenset[tuple[int, str]], _Back] = {}
    for layout, caps in ways():
        back = _back(layout, caps, wanted)
        if first in back.shown:
            found.setdefault(frozenset(back.meant.items()), back)
    return tuple(found.values())


class ReadBack(NamedTuple):
    """A card code, and the keyboard through which a text means it."""

    code: str
    layout: str


_ADDRESS = re.compile(r"https?://[^\s]*?/k/(KB[0-9A-Z]{9})(?![0-9A-Za-z])[^\s]*")


def read_back(text: str) -> list[ReadBack]:
    """The card codes that a text means through a keyboard layout, each once; the code alone or in an address.

    A code is read as it is printed, in capitals: that leaves one meaning for nearly every text. It proves little by
    itself, because of 32 texts that look like a code one has the right check symbol: where a text is not clearly of
    another layout, ask whether there is such a card.
    """
    if not CODE_LENGTH <= len(text) <= _LONGEST or text[0] not in "KkHh":
        return []
    alone = len(text) == CODE_LENGTH
    shown = set(text)
    found: dict[str, ReadBack] = {}
    for back in _backs(ALPHABET if alone else US_PLAIN + US_SHIFTED, text[0]):
        if not shown <= back.shown:
            continue
        meant = text.translate(back.meant)
        if not alone:
            address = _ADDRESS.fullmatch(meant)
            meant = address[1] if address else ""
        if is_card_code(meant):
            found.setdefault(meant, ReadBack(meant, back.layout))
    return list(found.values())


def is_unmistakable(code: str) -> bool:
    """Whether what every layout makes of this code means this code and no other, and one wrong letter makes no command
    of it. Codes of new cards are chosen so."""
    if read_command(COMMAND_PREFIX + code.removeprefix(PREFIX)) is not None:
        return False
    shown = {pressed(code, layout, caps) for layout, caps in ways()}
    return all({back.code for back in read_back(text)} | _as_it_stands(text) == {code} for text in shown)


def _as_it_stands(text: str) -> set[str]:
    return {text.upper()} if is_card_code(text.upper()) else set()
