"""The dock: what arrives there is measured like what is received, and takes its place in the same way."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from jitapp.kanban.steps.dock import Docked
from jitapp.kanban.vocabulary import GrPolicy, LoopKind, SignalState, StationKind, Trigger
from tests.kanban.loops import SUPPLY, Bench, make_loop


def sent(**settings: Any) -> Bench:
    """A container of four pieces is on its way from a supplier."""
    plain: dict[str, Any] = {"kind": LoopKind.SUPPLIER, "supply_kind": StationKind.SUPPLIER}
    bench = Bench(make_loop(**(plain | settings)))
    bench.scan(1, "empty" if "trigger" not in settings else "count", quantity=None if not settings else 1)
    bench.scan(1, "ship", at=SUPPLY)
    return bench


SETS_FULL: dict[str, Any] = {"gr_policy": GrPolicy.RECEIPT_SETS_FULL}
COUNTED: dict[str, Any] = SETS_FULL | {"trigger": Trigger.ON_QTY, "reorder_level": Decimal(6)}


@pytest.mark.parametrize("policy", GrPolicy)
@pytest.mark.parametrize(
    ("quantity", "reason", "code"),
    [
        (400, "they sent more", "quantity_exceeds_container"),
        (3, "", "quantity_needs_reason"),
        (0, "none came", "quantity_unreadable"),
    ],
)
def test_the_dock_measures_as_the_receipt_does(
    policy: GrPolicy, quantity: int, reason: str, code: str
) -> None:
    bench = Bench(make_loop(kind=LoopKind.SUPPLIER, supply_kind=StationKind.SUPPLIER, gr_policy=policy))
    bench.scan(1, "empty")
    bench.scan(1, "ship", at=SUPPLY)
    assert bench.scan(1, "dock", quantity=quantity, reason=reason).code == code
    assert bench.scan(1, "receive", quantity=quantity, reason=reason).code == code


def test_what_was_sent_short_with_a_reason_needs_no_other_one_at_the_dock() -> None:
    bench = Bench(make_loop(kind=LoopKind.SUPPLIER, supply_kind=StationKind.SUPPLIER))
    bench.scan(1, "empty")
    bench.scan(1, "ship", at=SUPPLY, quantity=3, reason="short")
    assert bench.scan(1, "dock", quantity=3).code == "docked"
    assert bench.scan(1, "dock").code == "already_docked"


@pytest.mark.parametrize("intent", ["dock", "receive"])
def test_stock_on_hand_grows_by_what_arrives(intent: str) -> None:
    bench = sent(**COUNTED)
    card = bench.loop.cards[1]
    assert card.turn is not None
    assert card.contents == 1
    decision = bench.scan(1, intent)
    assert decision.code == "received"
    assert bench.loop.cards[1].turn is None
    assert card.contents == 5
    assert card.supply_status == "FULL"


def test_the_dock_says_what_was_left_in_the_old_container() -> None:
    bench = Bench(
        make_loop(
            kind=LoopKind.SUPPLIER,
            supply_kind=StationKind.SUPPLIER,
            trigger=Trigger.ON_IN_USE,
            **SETS_FULL,
        )
    )
    bench.scan(1, "open")
    bench.scan(1, "ship", at=SUPPLY)
    decision = bench.scan(1, "dock")
    event = decision.entries[0].event
    assert isinstance(event, Docked)
    assert event.counted == event.quantity == event.left == 4
    assert not event.adds
    assert bench.loop.cards[1].contents == 4


def test_stock_that_is_still_low_after_the_dock_asks_again() -> None:
    bench = sent(**(COUNTED | {"reorder_level": Decimal(8)}))
    bench.scan(2, "count", quantity=1)
    decision = bench.scan(1, "dock")
    assert decision.code == "received"
    released = [card.turn for card in bench.loop.cards.values() if card.turn is not None]
    assert [turn.signal_state for turn in released] == [SignalState.RELEASED]
