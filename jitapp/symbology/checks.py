"""Check digits of GS1: modulo 10, weights 3 and 1 from the right (GS1 General Specifications, section 7.9)."""

from __future__ import annotations

from jitapp.symbology.ascii import is_digits

GTIN_LENGTHS = frozenset({8, 12, 13, 14})


def mod10(payload: str) -> str:
    """The check digit behind these digits."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(payload)))
    return str(-total % 10)


def has_check_digit(digits: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    return len(digits) > 1 and is_digits(digits) and mod10(digits[:-1]) == digits[-1]


def gtin14(digits: str) -> str | None:
    """A retail number of 8, 12 (UPC-A), 13 or 14 digits as GTIN-14; None if it is none.

    Zeros alone have a right check digit and name nothing.
    """
    if len(digits) in GTIN_LENGTHS and has_check_digit(digits) and digits.strip("0"):
        return digits.zfill(14)
    return None
