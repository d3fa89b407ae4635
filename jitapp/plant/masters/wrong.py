"""Why master data is refused, and the checks that several kinds share."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from jitapp.kanban.stated import Stated, stated

_MOST_DIGITS = Decimal(10) ** 13


class Wrong(ValueError):
    """A row that can be read but not kept. `code` is stable; `said` is one sentence for whoever wrote the row, and
    `member` leads to what is to blame in it."""

    def __init__(self, code: str, said: Stated, member: tuple[str | int, ...] = ()) -> None:
        super().__init__(str(said))
        self.code = code
        self.said = said
        self.member = member


def twins(key: str, other: str) -> Stated:
    """Two keys that differ only in large and small letters would be taken for one another."""
    return stated(
        "{key} and {other} differ only in capital letters. Give one of them another name.",
        key=key,
        other=other,
    )


def used_elsewhere(key: str) -> Stated:
    """Codes are unique over all plants."""
    return stated("{key} already names something in another plant. Codes are used once.", key=key)


def no_such(word: str, key: str, plant: str) -> Stated:
    """A reference that leads nowhere."""
    return stated("There is no {word} {key} in plant {plant}.", word=stated(word), key=repr(key), plant=plant)


def faulty(word: str, key: str) -> Stated:
    """A reference to a row that is in the file and cannot be loaded."""
    return stated(
        "The {word} {key} stands in the file, with a fault of its own.", word=stated(word), key=repr(key)
    )


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
        said = stated(
            "The quantity of {part} must be more than 0; {value} stands there.", part=part, value=value
        )
        raise Wrong("malformed", said, member)
    if decimals_of(value) > decimals:
        said = stated(
            "The quantity of {part} has more than {decimals} decimals: {value}.",
            part=part,
            decimals=decimals,
            value=value,
        )
        raise Wrong("malformed", said, member)
    return value.quantize(Decimal("0.000001"))


def named(codes: Collection[str], most: int = 3) -> str:
    """Codes for a sentence, in their order: the first few, and how many more."""
    found = sorted(codes)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
