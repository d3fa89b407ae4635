"""Letters and digits of barcodes are ASCII: Python's own upper() and isdigit() know more of them than a scanner sends
(`ß` becomes SS, `ſ` becomes S, Arabic digits are digits)."""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase

_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)


def is_digits(text: str) -> bool:
    """Whether these are one or more digits 0 to 9."""
    return text.isascii() and text.isdigit()


def upper(text: str) -> str:
    """The text with a to z in upper case; every other character, and so the length, as it is."""
    return text.upper() if text.isascii() else text.translate(_UPPER)
