"""Card codes come back through every keyboard layout that a scanner may wrongly be set to."""

from __future__ import annotations

import random
from itertools import islice

import pytest

from jitapp.symbology.cardcode import ALPHABET, COMBINATIONS, is_card_code, make_code
from jitapp.symbology.decode import decode
from jitapp.symbology.layouts import (
    EVERYTHING,
    LAYOUTS,
    LETTERS,
    OFF,
    US_PLAIN,
    is_unmistakable,
    pressed,
    read_back,
    ways,
)
from jitapp.symbology.reading import How, Kind

CODES = 10_000


def codes(seed: int = 8) -> list[str]:
    chance = random.Random(seed)
    return [make_code(chance.randrange(COMBINATIONS)) for _ in range(CODES)]


def test_every_layout_has_every_key_and_knows_the_letters() -> None:
    for layout in LAYOUTS.values():
        assert len(layout.plain) == len(layout.shifted) == len(US_PLAIN) == 47
        assert set("abcdefghijklmnopqrstuvwxyz") <= set(layout.plain)
        assert set("0123456789") <= set(layout.plain) | set(layout.shifted)


@pytest.mark.parametrize(
    ("layout", "caps", "shown"),
    [
        ("us", OFF, "KB1Z-M/Q"),
        ("us", LETTERS, "kb1z-m/q"),
        ("uk", LETTERS, "kb1z-m/q"),
        ("de", OFF, "KB1YßM-Q"),
        ("de", EVERYTHING, "kb!y?m_q"),
        ("fr", OFF, "KB&W)?!A"),
        ("fr", LETTERS, "kb&w)?!a"),
        ("fr", EVERYTHING, "kb1w°,§a"),
        ("es", OFF, "KB1Z'M-Q"),
        ("cz", OFF, "KB+Y=M-Q"),
    ],
)
def test_keys_give_what_people_see_on_their_screens(layout: str, caps: str, shown: str) -> None:
    assert pressed("KB1Z-M/Q", layout, caps) == shown


def test_ten_thousand_codes_come_back_through_every_layout_with_and_without_caps_lock() -> None:
    """Each is among what its picture may mean; nearly all, and all that new cards get, are the only meaning."""
    certain = 0
    for code in codes():
        sure = True
        for shown in {pressed(code, layout, caps) for layout, caps in ways()}:
            meant = {back.code for back in read_back(shown)}
            assert code in meant, (code, shown)
            sure &= meant == {code}
        certain += sure
    assert certain >= 0.97 * CODES


@pytest.mark.parametrize(("layout", "caps"), list(ways()))
def test_codes_of_new_cards_are_decoded_through_every_layout_alone_and_in_an_address(
    layout: str, caps: str
) -> None:
    for code in islice(filter(is_unmistakable, codes()), 60):
        for text in (code, f"https://shop.example:8443/k/{code}"):
            reading = decode(pressed(text, layout, caps))
            assert (reading.kind, reading.card) == (Kind.CARD, code), text


def test_what_is_read_through_a_layout_says_so() -> None:
    reading = decode(pressed("KB00015NM7C", "fr"))
    assert (reading.card, reading.how) == ("KB00015NM7C", How.LAYOUT)
    assert reading.problems == (
        "Read through a French keyboard: set the scanner to the layout of its computer.",
    )


def test_single_errors_and_swaps_are_never_read_as_a_clean_code() -> None:
    """One wrong symbol or two swapped ones, bare, with KB, in lower case: refused, or said to come through another
    keyboard, which counts only if there is such a card (tests/pull/test_reads.py)."""
    through = tried = 0
    for code in codes()[:20]:
        wrong = {code[:place] + symbol + code[place + 1 :] for place in range(2, 11) for symbol in ALPHABET}
        wrong |= {code[:at] + code[at + 1] + code[at] + code[at + 2 :] for at in range(2, 10)}
        for text in wrong - {code}:
            for typed in (text, text.lower(), text[2:]):
                reading = decode(typed)
                tried += 1
                assert not reading.card or (reading.how is How.LAYOUT and reading.problems), typed
                through += bool(reading.card)
    assert through < 0.02 * tried


def test_no_text_is_read_back_that_is_no_code() -> None:
    for text in ("", "KB", "é" * 11, "KB0000000", "x" * 400):
        assert all(is_card_code(back.code) for back in read_back(text))
