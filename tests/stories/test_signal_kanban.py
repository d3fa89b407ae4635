"""R8: a signal kanban has one lot outstanding at a time, and its sentence counts pieces against pieces."""

from __future__ import annotations

from jitapp.pull.models import Turn
from tests.floor import Floor
from tests.stories.shops import two_bins

LOT, TRIANGLE, EACH, CARDS = 300, 100, 50, 8


def shop() -> Floor:
    """Eight containers of fifty; the triangle hangs where a hundred are left, and a lot is three hundred."""
    return two_bins(
        cards=CARDS,
        quantity=EACH,
        kind="PRODUCTION",
        accumulate="QUANTITY",
        lot_quantity=LOT,
        triangle_quantity=TRIANGLE,
    )


def state(floor: Floor, number: int) -> str:
    return floor.turn("L", number).signal_state


def states(floor: Floor, *numbers: int) -> set[str]:
    return {state(floor, number) for number in numbers}


def empty(floor: Floor, *numbers: int) -> list[str]:
    """Empties containers; what was said."""
    return [str(floor.scan("L", number, "empty")["message"]) for number in numbers]


def test_r08_the_lot_gathered_goes_out_at_the_triangle_and_each_sentence_counts_pieces() -> None:
    floor = shop()
    said = empty(floor, 1, 2, 3, 4, 5)
    for place, message in enumerate(said, start=1):
        assert f"{place * EACH} of {LOT} gathered" in message
    assert states(floor, 1, 2, 3, 4, 5) == {"ACCUMULATING"}
    assert floor.scan("L", 6, "empty")["code"] == "emptied"
    assert states(floor, 1, 2, 3, 4, 5, 6) == {"RELEASED"}
    assert len(set(Turn.objects.values_list("batch", flat=True))) == 1


def test_r08_with_a_lot_on_its_way_the_next_container_is_gathered_for_the_next_lot() -> None:
    floor = shop()
    empty(floor, 1, 2, 3, 4, 5, 6)
    answer = floor.scan("L", 7, "empty")
    assert answer["code"] == "emptied_gathers"
    assert f"{EACH} of {LOT} gathered" in answer["message"]
    assert state(floor, 7) == "ACCUMULATING"
    for number in (1, 2):
        floor.scan("L", number, "start")
    assert state(floor, 7) == "ACCUMULATING"


def test_r08_a_loop_that_runs_dry_waits_for_no_lot() -> None:
    floor = shop()
    empty(floor, 1, 2, 3, 4, 5, 6, 7)
    assert state(floor, 7) == "ACCUMULATING"
    empty(floor, 8)
    assert floor.open_runout("L") is not None
    assert states(floor, 7, 8) == {"RELEASED"}


def test_r08_the_lot_is_outstanding_until_its_last_container_has_come() -> None:
    floor = shop()
    empty(floor, 1, 2, 3, 4, 5, 6, 7)
    for number in (1, 2, 3, 4, 5):
        floor.cycle("L", number)
    assert state(floor, 7) == "ACCUMULATING"
    # 250 + 50 are there; back to the triangle with the sixth container of the lot still out.
    empty(floor, 1, 2, 3, 4)
    assert states(floor, 1, 2, 3, 4, 7) == {"ACCUMULATING"}
    floor.cycle("L", 6)
    assert states(floor, 1, 2, 3, 4, 7) == {"ACCUMULATING"}
    empty(floor, 5)
    assert states(floor, 1, 2, 3, 4, 5, 7) == {"RELEASED"}


def test_r08_a_lot_that_was_received_lets_the_next_one_go_at_the_triangle() -> None:
    floor = shop()
    empty(floor, 1, 2, 3, 4, 5, 6)
    for number in (1, 2, 3, 4, 5, 6):
        floor.cycle("L", number)
    said = empty(floor, 7, 8, 1, 2, 3)
    assert f"{5 * EACH} of {LOT} gathered" in said[-1]
    assert states(floor, 7, 8, 1, 2, 3) == {"ACCUMULATING"}
    empty(floor, 4)
    assert states(floor, 7, 8, 1, 2, 3, 4) == {"RELEASED"}


def test_r08_a_lot_without_a_triangle_counts_pieces_too() -> None:
    floor = two_bins(cards=4, quantity=4, kind="PRODUCTION", accumulate="QUANTITY", lot_quantity=8)
    assert "4 of 8 gathered" in empty(floor, 1)[0]
    assert floor.scan("L", 2, "empty")["code"] == "emptied"
    assert states(floor, 1, 2) == {"RELEASED"}


def test_r08_a_batch_of_cards_goes_on_counting_cards() -> None:
    floor = two_bins(cards=4, quantity=50, kind="PRODUCTION", accumulate="CARDS", accumulate_cards=3)
    said = empty(floor, 1, 2)
    assert "1 of 3 gathered" in said[0]
    assert "2 of 3 gathered" in said[1]
