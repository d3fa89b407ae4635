"""How many cards a loop needs, and what it then costs in stock.

The plain formula (Monden; Roser 2019, doi 10.1007/978-3-030-30000-5_2): N = use x lead time x (1 + safety) / Q, rounded
up. A card that asks when its container is empty has nothing of its own left while it is filled: it needs one card more
than a card that asks when its container is opened (release on empty and on first piece; SAP's constant 1 or 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

LEAST = 2  # one container in use while the other is filled
HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Size:
    """What the formula gives. `exact` is N before it is rounded up, `spare` the card for release on empty.

    `most` and `average` are pieces in stock: of all containers full, and on average with steady use on which refills
    arrive in time.
    """

    use_per_day: Decimal
    lead_days: Decimal
    safety: Decimal
    quantity: Decimal
    exact: Decimal
    spare: int
    cards: int
    most: Decimal
    average: Decimal


def cards_needed(
    *, use_per_day: Decimal, lead_days: Decimal, safety: Decimal, quantity: Decimal, on_empty: bool = True
) -> Size:
    """The number of cards of `quantity` pieces for a use in pieces per working day, a lead time in working days from
    the signal until the full container is usable, and a safety allowance as a fraction (0.2 for 20 %).

    Raises ValueError for a quantity that is not positive, and for anything negative.
    """
    if quantity <= 0 or min(use_per_day, lead_days, safety) < 0:
        raise ValueError("The quantity must be positive, and the rest not negative.")
    exact = use_per_day * lead_days * (1 + safety) / quantity
    spare = 1 if on_empty else 0
    cards = max(LEAST, int(exact.to_integral_value(ROUND_CEILING)) + spare)
    return _size(use_per_day, lead_days, safety, quantity, exact, spare, cards)


def stock_of(size: Size, cards: int) -> Size:
    """The same loop with a number of cards that somebody chose."""
    return _size(size.use_per_day, size.lead_days, size.safety, size.quantity, size.exact, size.spare, cards)


def _size(
    use: Decimal, lead: Decimal, safety: Decimal, quantity: Decimal, exact: Decimal, spare: int, cards: int
) -> Size:
    """The position falls to (N - 1) Q and is restored: on average (N - 1/2) Q less what is on its way, use x lead time
    (two bins: 1.5 Q - use x lead time)."""
    most = cards * quantity
    average = max(quantity / 2, (cards - HALF) * quantity - use * lead)
    return Size(use, lead, safety, quantity, exact, spare, cards, most, min(average, most))
