"""The number of cards by the plain formula, against the worked examples of the literature."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from jitapp.kanban.sizing import cards_needed, stock_of
from jitapp.kanban.worktime import WorkCalendar


def size(use: str, lead: str, safety: str, quantity: str, *, on_empty: bool) -> int:
    return cards_needed(
        use_per_day=Decimal(use),
        lead_days=Decimal(lead),
        safety=Decimal(safety),
        quantity=Decimal(quantity),
        on_empty=on_empty,
    ).cards


@pytest.mark.parametrize(
    ("given", "opened", "emptied"),
    [
        (("1200", "0.25", "0.1", "25"), 14, 15),  # Monden
        (("400", "1", "0.1", "20"), 22, 23),
        (("120", "1.5", "0.1", "40"), 5, 6),  # SAP: 5 released at the first piece, 6 at the last
        (("0", "1", "0.1", "20"), 2, 2),  # a container in use while the other is filled
        (("40", "1", "0", "20"), 2, 3),  # exact, so nothing is rounded up
    ],
)
def test_the_worked_examples(given: tuple[str, str, str, str], opened: int, emptied: int) -> None:
    assert size(*given, on_empty=False) == opened
    assert size(*given, on_empty=True) == emptied


def test_stock_of_two_bins_is_that_of_the_two_bin_rule() -> None:
    """Use 50 a day, two days, bins of 130: on average 1.5 Q - use x lead time."""
    found = cards_needed(
        use_per_day=Decimal(50), lead_days=Decimal(2), safety=Decimal("0.3"), quantity=Decimal(130)
    )
    assert (found.cards, found.most, found.average) == (2, Decimal(260), Decimal(95))
    assert stock_of(found, 4).most == 520


@pytest.mark.parametrize("wrong", [{"quantity": Decimal(0)}, {"use_per_day": Decimal(-1)}])
def test_nonsense_is_refused(wrong: dict[str, Decimal]) -> None:
    usual: dict[str, Any] = {
        "use_per_day": Decimal(1),
        "lead_days": Decimal(1),
        "safety": Decimal(0),
        "quantity": Decimal(1),
    }
    with pytest.raises(ValueError, match="must be positive"):
        cards_needed(**usual | wrong)


def test_a_working_day_is_the_mean_of_the_days_with_work() -> None:
    shifts: list[dict[str, Any]] = [
        {"days": ["mon", "tue"], "start": "06:00", "end": "14:00", "breaks": [["09:00", "09:30"]]},
        {"days": ["tue"], "start": "13:00", "end": "15:00"},
    ]
    assert WorkCalendar("UTC", shifts).minutes_a_day() == (450 + 510) / 2
    assert WorkCalendar().minutes_a_day() == 1440
