"""R13 and R18: a lost card has a replacement at once, once, and the loop knows for good whom it replaces."""

from __future__ import annotations

from decimal import Decimal

import pytest

from jitapp.plant.models import Loop
from jitapp.pull import actions
from jitapp.pull.models import Card
from jitapp.pull.reading import sheets
from tests.floor import Floor
from tests.stories.shops import two_bins


def lose(floor: Floor, number: int) -> Card:
    """Reports a card lost; the one that takes its place."""
    answer = floor.scan("L", number, "lost")
    assert answer["code"] == "lost"
    return replacement(number)


def replacement(number: int) -> Card:
    return Card.objects.get(loop__code="L", replaces=number)


def test_r13_a_card_reported_lost_has_a_replacement_to_be_printed() -> None:
    floor = two_bins()
    made = lose(floor, 1)
    assert (made.number, made.card_status, made.label_stale) == (3, "NEW", True)
    assert Card.objects.filter(loop__code="L").count() == 3
    loop_id = Loop.objects.get(code="L").pk
    assert actions.mark_printed(loop_id=loop_id, now=floor.now) == 1
    assert actions.mark_printed(loop_id=loop_id, now=floor.now) == 0


def test_only_labels_that_are_listed_count_as_printed() -> None:
    """Nobody has the lost card: its label is not offered to be printed, so it stays out of date until it is found."""
    floor = two_bins()
    loop = Loop.objects.get(code="L")
    actions.resize_loop(loop_id=loop.pk, quantity=Decimal(9), now=floor.now)
    lose(floor, 1)
    listed = [label.number for label in sheets.stale_labels_of(loop.pk)]
    assert listed == [3, 2]
    assert actions.mark_printed(loop_id=loop.pk, now=floor.now) == len(listed)
    assert list(Card.objects.filter(label_stale=True).values_list("number", flat=True)) == [1]


def test_r13_reporting_it_again_makes_no_second_one() -> None:
    floor = two_bins()
    lose(floor, 1)
    assert floor.scan("L", 1, "lost")["code"] == "already_lost"
    assert Card.objects.filter(loop__code="L", replaces__isnull=False).count() == 1


def test_r13_the_replacement_takes_its_place() -> None:
    floor = two_bins()
    made = lose(floor, 1)
    assert floor.scan("L", made.number, "activate", quantity=0)["outcome"] == "applied"
    assert floor.turn("L", made.number).signal_state == "RELEASED"
    in_circulation = Card.objects.filter(loop__code="L", card_status="IN_CIRCULATION")
    assert in_circulation.count() == 2


@pytest.mark.parametrize("before", [["empty"], ["empty", "start"], ["empty", "start", "complete", "load"]])
def test_r13_also_a_card_with_an_open_turn_is_replaced(before: list[str]) -> None:
    floor = two_bins()
    for intent in before:
        floor.scan("L", 1, intent)
    assert lose(floor, 1).card_status == "NEW"


def test_r13_a_held_card_that_is_lost_is_replaced() -> None:
    floor = two_bins()
    floor.scan("L", 1, "hold", reason="look", source=floor.leader())
    assert lose(floor, 1).card_status == "NEW"


def test_r13_a_replacement_that_is_lost_is_replaced_in_its_turn() -> None:
    floor = two_bins()
    made = lose(floor, 1)
    floor.scan("L", made.number, "activate")
    again = lose(floor, made.number)
    assert (again.number, again.replaces) == (4, 3)


def test_r18_whom_a_card_replaces_survives_its_holds() -> None:
    floor = two_bins()
    made = lose(floor, 1)
    floor.scan("L", made.number, "activate")
    floor.scan("L", made.number, "hold", reason="label torn", source=floor.leader())
    assert replacement(1).pk == made.pk
    floor.scan("L", made.number, "release", reason="fine", source=floor.leader())
    assert replacement(1).pk == made.pk
    answer = floor.scan("L", 1, "found", source=floor.leader())
    assert answer["code"] == "found_removed"
    assert floor.card("L", 1).card_status == "REMOVED"


def test_r18_the_lost_card_is_not_asked_for_while_its_replacement_is_held() -> None:
    floor = two_bins()
    made = lose(floor, 1)
    floor.scan("L", made.number, "activate")
    floor.scan("L", made.number, "hold", reason="label torn", source=floor.leader())
    assert floor.scan("L", 1, "found", source=floor.leader())["code"] == "found_removed"


def test_r18_a_found_card_comes_back_where_its_replacement_was_removed() -> None:
    floor = two_bins()
    made = lose(floor, 1)
    floor.scan("L", made.number, "remove", reason="not needed", source=floor.leader())
    assert floor.scan("L", 1, "found", source=floor.leader())["code"] == "found"
    assert floor.card("L", 1).replaces is None


def test_r18_a_card_that_replaces_none_says_so() -> None:
    floor = two_bins()
    assert floor.card("L", 1).replaces is None
