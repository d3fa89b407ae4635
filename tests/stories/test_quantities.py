"""R7 and R12: pieces are counted along the way of a turn, and no rounding makes material."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from jitapp.pull.models import Card, Draw
from tests.floor import Floor
from tests.stories.shops import supplied, two_bins

SCRAP = "scrap"


def asks_for_a_reason(floor: Floor, loop: str, intent: str, quantity: int, **more: Any) -> None:
    """The quantity is refused without a reason, nothing has moved, and with a reason it is taken."""
    before = floor.status(loop)
    answer = floor.scan(loop, 1, intent, quantity=quantity, **more)
    assert (answer["outcome"], answer["code"]) == ("refused", "quantity_needs_reason"), answer
    assert floor.status(loop) == before
    answer = floor.scan(loop, 1, intent, quantity=quantity, reason="counted twice", **more)
    assert answer["outcome"] == "applied", answer


def test_r07_more_received_than_was_made_needs_a_reason() -> None:
    floor = two_bins(quantity=20)
    floor.scan("L", 1, "empty")
    floor.scan("L", 1, "complete", quantity=3, reason=SCRAP)
    asks_for_a_reason(floor, "L", "receive", 20)
    turn = floor.turn("L", 1)
    assert (turn.made, turn.received, turn.reason) == (3, 20, "counted twice")


def test_r07_a_receipt_without_a_quantity_takes_in_what_was_made() -> None:
    floor = two_bins(quantity=20)
    floor.scan("L", 1, "empty")
    floor.scan("L", 1, "complete", quantity=3, reason=SCRAP)
    assert floor.scan("L", 1, "receive")["code"] == "received"
    assert floor.card("L", 1).contents == 3


def test_r07_what_was_made_is_received_without_a_reason() -> None:
    floor = two_bins(quantity=20)
    floor.scan("L", 1, "empty")
    floor.scan("L", 1, "complete", quantity=20)
    assert floor.scan("L", 1, "receive", quantity=20)["code"] == "received"


def test_r07_more_received_than_was_shipped_needs_a_reason() -> None:
    floor = supplied()
    floor.scan("S", 1, "empty")
    floor.scan("S", 1, "ship", at="ACME", quantity=90, reason="short")
    asks_for_a_reason(floor, "S", "receive", 100)


def test_r07_more_at_the_dock_than_was_shipped_needs_a_reason() -> None:
    floor = supplied(gr_policy="SEPARATE")
    floor.scan("S", 1, "empty")
    floor.scan("S", 1, "ship", at="ACME", quantity=90, reason="short")
    asks_for_a_reason(floor, "S", "dock", 100, at="LINE")


def test_r07_more_put_away_than_came_to_the_dock_needs_a_reason() -> None:
    floor = supplied(gr_policy="SEPARATE")
    floor.scan("S", 1, "empty")
    floor.scan("S", 1, "ship", at="ACME")
    floor.scan("S", 1, "dock", at="LINE", quantity=60, reason="damaged")
    asks_for_a_reason(floor, "S", "receive", 100)


def test_r07_more_sent_than_was_made_needs_a_reason() -> None:
    floor = supplied()
    floor.scan("S", 1, "empty")
    floor.scan("S", 1, "complete", at="ACME", quantity=70, reason=SCRAP)
    asks_for_a_reason(floor, "S", "ship", 100, at="ACME")


# -- R12 -----------------------------------------------------------------------------------------------
def panels(per_piece: str, consume_at: str = "START", cards: int = 6, decimals: int = 0) -> Floor:
    """SAW makes panels of one piece each out of sheets, of which a container holds ten."""
    floor = Floor()
    floor.station("MILL", "SUPPLIER")
    floor.station("SAW", consumption="BACKFLUSH")
    floor.station("LINE")
    floor.bill("PANEL", SHEET=per_piece)
    sheet = floor.part("SHEET")
    sheet.decimals = decimals
    sheet.save()
    floor.loop("SHEETS", part="SHEET", supply="MILL", demand="SAW", kind="SUPPLIER", quantity=10)
    floor.loop(
        "PANELS",
        part="PANEL",
        supply="SAW",
        demand="LINE",
        kind="PRODUCTION",
        cards=cards,
        quantity=1,
        consume_at=consume_at,
    )
    return floor


def saw(floor: Floor, turns: int) -> list[Decimal]:
    """Starts a panel for each card; what all of them have drawn after each."""
    drawn: list[Decimal] = []
    for number in range(1, turns + 1):
        floor.scan("PANELS", number, "empty")
        floor.propagate()
        floor.scan("PANELS", number, "start")
        floor.propagate()
        drawn.append(Draw.objects.aggregate(n=Sum("drawn"))["n"] or Decimal(0))
    return drawn


def sheets(floor: Floor) -> Decimal:
    contents = Card.objects.filter(loop__code="SHEETS").aggregate(n=Sum("contents"))["n"]
    return Decimal(contents)


def test_r12_six_turns_of_a_small_need_draw_one_sheet_in_all() -> None:
    floor = panels("0.004")
    assert saw(floor, 6) == [1] * 6
    assert sheets(floor) == 19


@pytest.mark.parametrize(
    ("per_piece", "decimals", "expected"),
    [
        ("0.3", 0, ["1", "1", "1", "2", "2", "2"]),
        ("1.5", 0, ["2", "3", "5", "6", "8", "9"]),
        ("0.004", 2, ["0.01", "0.01", "0.02", "0.02", "0.02", "0.03"]),
        ("1", 0, ["1", "2", "3", "4", "5", "6"]),
    ],
)
def test_r12_all_turns_together_have_drawn_their_need_rounded_up_once(
    per_piece: str, decimals: int, expected: list[str]
) -> None:
    floor = panels(per_piece, decimals=decimals)
    assert saw(floor, 6) == [Decimal(drawn) for drawn in expected]


def test_r12_what_is_booked_at_release_carries_its_remainder_too() -> None:
    floor = panels("0.3", consume_at="RELEASE")
    for number in range(1, 7):
        floor.scan("PANELS", number, "empty")
        floor.propagate()
    assert Draw.objects.aggregate(n=Sum("booked"))["n"] == 2
    for number in range(1, 7):
        floor.scan("PANELS", number, "start")
        floor.propagate()
    assert sheets(floor) == 18


def test_r12_a_turn_broken_off_and_begun_again_does_not_count_twice() -> None:
    floor = panels("0.3")
    floor.scan("PANELS", 1, "empty")
    for _ in range(3):
        floor.scan("PANELS", 1, "start")
        floor.propagate()
        floor.scan("PANELS", 1, "abort", reason="blade")
        floor.propagate()
    floor.scan("PANELS", 1, "start")
    floor.propagate()
    floor.scan("PANELS", 2, "empty")
    floor.scan("PANELS", 2, "start")
    floor.propagate()
    assert sheets(floor) == 19


def test_r12_each_component_carries_a_remainder_of_its_own() -> None:
    floor = panels("0.3")
    floor.bill("PANEL", GLUE="0.5")
    floor.loop("GLUES", part="GLUE", supply="MILL", demand="SAW", kind="SUPPLIER", quantity=10)
    saw(floor, 6)
    drawn = dict(Draw.objects.values_list("loop__code").annotate(Sum("drawn")))
    assert drawn == {"SHEETS": 2, "GLUES": 3}
