"""One way to read a quantity: what is a number is read exactly, everything else is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from jitapp.kanban.quantity import NotAQuantity, read_quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", "12"),
        ("0.5", "0.5"),
        (" 12 \n", "12"),
        ("007", "7"),
        ("-4", "-4"),
        ("+4", "4"),
        ("0", "0"),
        ("99999999999999.999999", "99999999999999.999999"),
        ("\u0661\u0662", "12"),
        ("\uff11\uff12", "12"),
    ],
)
def test_a_number_is_read_exactly(text: str, number: str) -> None:
    assert read_quantity(text) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-",
        ".5",
        "5.",
        "1.2.3",
        "12,5",
        "12,000",
        "1_000",
        "1 000",
        "1e3",
        "NaN",
        "Infinity",
        "12 pcs",
        "many",
        "0x10",
        "--4",
        "100000000000000",
        "0.0000001",
        "\u00bd",
        "12\x00",
    ],
)
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(NotAQuantity, match="no decimal number"):
        read_quantity(text)
