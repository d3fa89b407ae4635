"""Command cards are read back, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from jitapp.symbology.cardcode import find_card_code, make_code
from jitapp.symbology.commandcode import Command, CommandName, read_command


@pytest.mark.parametrize("name", CommandName)
@pytest.mark.parametrize("number", [0, 1, 12, 999_999])
def test_a_command_is_read_back_in_any_case(name: CommandName, number: int) -> None:
    command = Command(name, number)
    assert read_command(command.code) == read_command(command.code.lower()) == command
    assert find_card_code(command.code) is None


@pytest.mark.parametrize("text", ["", "KC", make_code(17), "KCZZ000000" + "0", "UNDO"])
def test_what_is_no_command_is_none(text: str) -> None:
    assert read_command(text) is None


@pytest.mark.parametrize("number", [-1, 1_000_000])
def test_a_number_that_does_not_fit_is_said(number: int) -> None:
    with pytest.raises(ValueError, match="0 to 999999"):
        _ = Command(CommandName.QTY, number).code
