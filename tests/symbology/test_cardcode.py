"""Card codes: every wrong symbol and every swap of neighbours is caught."""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_uppercase, digits

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jitapp.symbology.cardcode import (
    ALPHABET,
    BODY_LENGTH,
    COMBINATIONS,
    VALUE,
    check_symbol,
    find_card_code,
    is_card_code,
    make_code,
)
from jitapp.symbology.commandcode import Command, CommandName, read_command
from jitapp.symbology.decode import decode
from jitapp.symbology.layouts import is_unmistakable
from jitapp.symbology.reading import How

numbers = st.integers(0, COMBINATIONS - 1)
SAME = str.maketrans("OIL", "011")  # of what people type


def errors_of(code: str) -> set[str]:
    """The code with one wrong letter or digit, or with two neighbours exchanged."""
    wrong = {
        code[:place] + sign + code[place + 1 :]
        for place in range(len(code))
        for sign in ascii_uppercase + digits
    }
    wrong |= {code[:at] + code[at + 1] + code[at] + code[at + 2 :] for at in range(len(code) - 1)}
    return {text for text in wrong if text.translate(SAME) != code.translate(SAME)}


def bare(code: str) -> str:
    return code[2:]


def in_groups(code: str) -> str:
    return f" {code[:2]}-{code[2:5]} {code[5:8]}-{code[8:]}"


SPELLINGS: list[Callable[[str], str]] = [str, str.lower, in_groups, bare]


@given(numbers)
def test_a_made_code_is_valid_and_found_in_what_a_scanner_sends(number: int) -> None:
    code = make_code(number)
    assert is_card_code(code)
    for sent in (code, code.lower(), f"https://shop.example/k/{code}", f"KB12{code}", f"xx {code}\r\n"):
        assert find_card_code(sent) == code


def test_every_single_wrong_symbol_and_every_swap_of_neighbours_is_caught_in_all_codes() -> None:
    """The check is linear (the test below), so that what an error does to it does not depend on the code: the 9 x 31
    differences of one symbol and the 8 x 31 of two neighbours stand for all 32**8 codes."""

    def is_right(differences: dict[int, int]) -> bool:
        """Whether a right code, changed by these differences at these places, is right again."""
        body = "".join(ALPHABET[differences.get(place, 0)] for place in range(BODY_LENGTH))
        return check_symbol(body) == ALPHABET[differences.get(BODY_LENGTH, 0)]

    for difference in range(1, 32):
        for place in range(BODY_LENGTH + 1):
            assert not is_right({place: difference})
        for place in range(BODY_LENGTH):
            assert not is_right({place: difference, place + 1: difference})


@given(numbers, numbers)
def test_the_check_is_linear(one: int, other: int) -> None:
    both = [VALUE[make_code(number)[-1]] for number in (one, other, one ^ other)]
    assert both[0] ^ both[1] == both[2]


@pytest.mark.parametrize("spell", SPELLINGS, ids=["as printed", "small", "in groups", "without KB"])
@settings(max_examples=10, deadline=None)
@given(number=numbers)
def test_no_error_of_somebody_who_types_gives_a_card(spell: Callable[[str], str], number: int) -> None:
    """All places, the prefix too, and all letters and digits. Another keyboard may be meant by chance: such a code
    counts only if there is a card of it."""
    code = make_code(number)
    assert decode(spell(code)).card == code or spell is bare
    for wrong in errors_of(code):
        if spell is bare and wrong[:2] != "KB":
            continue
        reading = decode(spell(wrong))
        assert not reading.card or reading.how is How.LAYOUT, (spell(wrong), reading)
        assert read_command(spell(wrong)) is None


@pytest.mark.parametrize("name", CommandName)
def test_no_error_makes_a_command_of_a_card_or_a_card_of_a_command(name: CommandName) -> None:
    """C for B is one wrong letter, and the check is the same: no card gets a code whose twin is a command."""
    command = Command(name, 250)
    twin = f"KB{command.code[2:]}"
    assert is_card_code(twin)
    assert not is_unmistakable(twin)
    for wrong in errors_of(command.code) - {twin}:
        assert read_command(wrong) is None
        assert find_card_code(wrong) is None


def test_different_numbers_have_different_codes() -> None:
    assert len({make_code(number) for number in range(5_000)}) == 5_000


@pytest.mark.parametrize("number", [-1, COMBINATIONS])
def test_a_number_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="A card code holds"):
        make_code(number)


@given(st.text(max_size=60))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    found = find_card_code(text)
    assert found is None or is_card_code(found)
