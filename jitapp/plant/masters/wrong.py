"""Why master data is refused, and the checks that several kinds share."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

_MOST_DIGITS = Decimal(10) ** 13


class Wrong(ValueError):
    """A row that can be read but not kept. `code` is stable; the text is one sentence for whoever wrote the row, and
    `member` leads to what is to blame in it."""

    def __init__(self, code: str, message: str, member: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.member = member


def twins(key: str, other: str) -> str:
    """Two keys that differ only in large and small letters would be taken for one another."""
    return f"{key} and {other} differ only in capital letters. Give one of them another name."


def decimals_of(quantity: Decimal) -> int:
    """How many decimals a finite quantity needs; 0 for whole numbers."""
    exponent = quantity.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def quantity_fits(
    value: Decimal, decimals: int, part: str, member: tuple[str | int, ...] = ("quantity",)
) -> Decimal:
    """The quantity with the column's six decimals. Raises Wrong if it is none, or the part has fewer decimals."""
    if not value.is_finite() or not 0 < value < _MOST_DIGITS:
        raise Wrong("malformed", f"The quantity of {part} must be more than 0; {value} stands there.", member)
    if decimals_of(value) > decimals:
        raise Wrong(
            "malformed", f"The quantity of {part} has more than {decimals} decimals: {value}.", member
        )
    return value.quantize(Decimal("0.000001"))


def counted(number: int, one: str, many: str) -> str:
    """1 card, 2 cards."""
    return f"{number} {one if number == 1 else many}"


def named(codes: Collection[str], most: int = 3) -> str:
    """Codes for a sentence, in their order: the first few, and how many more."""
    found = sorted(codes)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
