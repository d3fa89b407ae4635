"""Card codes: every wrong symbol and every swap of neighbours is caught."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitapp.symbology.cardcode import ALPHABET, COMBINATIONS, find_card_code, is_card_code, make_code

numbers = st.integers(0, COMBINATIONS - 1)


@given(numbers)
def test_a_made_code_is_valid_and_found_in_what_a_scanner_sends(number: int) -> None:
    code = make_code(number)
    assert is_card_code(code)
    for sent in (code, code.lower(), f"https://shop.example/k/{code}", f"KB12{code}", f"xx {code}\r\n"):
        assert find_card_code(sent) == code


@given(numbers)
def test_every_single_wrong_symbol_is_caught(number: int) -> None:
    code = make_code(number)
    for place in range(2, len(code)):
        for symbol in ALPHABET:
            wrong = code[:place] + symbol + code[place + 1 :]
            assert is_card_code(wrong) == (wrong == code)


@given(numbers)
def test_every_swap_of_neighbours_is_caught(number: int) -> None:
    code = make_code(number)
    for place in range(2, len(code) - 1):
        swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        assert is_card_code(swapped) == (swapped == code)


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
