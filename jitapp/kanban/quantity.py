"""The one way to read a quantity that a device, a person or another program wrote."""

from __future__ import annotations

import re
from decimal import Decimal
from unicodedata import decimal

WHOLE_DIGITS, DECIMALS = 14, 6  # what the columns of the ledger hold
_NUMBER = re.compile(rf"[+-]?\d{{1,{WHOLE_DIGITS}}}(\.\d{{1,{DECIMALS}}})?")


def in_ascii(text: str) -> str:
    """The text with the digits of every script as 0 to 9."""
    if text.isascii():
        return text
    return "".join(str(decimal(char)) if char.isdecimal() else char for char in text)


class NotAQuantity(ValueError):
    """The text is no decimal number like 12 or 0.5."""


def read_quantity(text: str) -> Decimal:
    """The number that the text writes, in the unit of whatever is counted.

    Accepted: an optional sign, 1 to 14 digits, and a point with 1 to 6 decimals; blanks around it are ignored, and
    digits of every script count (a tablet may write Arabic ones). Refused: an exponent, a comma (12,000 means two
    things), a unit, NaN, infinity, an empty text. A negative number is read; whether it makes sense is for the rules
    to say. Raises NotAQuantity.
    """
    written = in_ascii(text.strip())
    if not _NUMBER.fullmatch(written):
        raise NotAQuantity(f"{text[:40]!r} is no decimal number like 12 or 0.5.")
    return Decimal(written)
