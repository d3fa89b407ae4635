"""R2: whether a loop ever had a full container is a fact of the loop, whatever became of the card; and an order is
missed only from its due time on."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from jitapp.plant.models import Loop
from jitapp.pull import actions
from tests.floor import Floor
from tests.stories.shops import dry_spells, last_runout, two_bins

LEAD = 240  # minutes, by which an order is due


def ordered() -> Floor:
    """CELL makes UNIT for SHIP to order only: loop E, without cards."""
    floor = Floor()
    floor.station("CELL")
    floor.station("SHIP", "SHIPPING")
    floor.loop(
        "E",
        part="UNIT",
        supply="CELL",
        demand="SHIP",
        kind="EVENT",
        cards=0,
        first=None,
        lead_time_minutes=LEAD,
    )
    return floor


def order(floor: Floor, quantity: int = 4) -> None:
    floor.now += timedelta(minutes=1)
    loop = Loop.objects.get(code="E")
    actions.order(loop_id=loop.pk, quantity=Decimal(quantity), now=floor.now, source=floor.source)


def deliver(floor: Floor, number: int) -> None:
    floor.cycle("E", number)
    assert floor.scan("E", number, "empty")["outcome"] == "applied"


def test_r02_a_runout_lasts_until_something_is_usable_also_when_the_card_that_was_full_is_gone() -> None:
    floor = ordered()
    order(floor)
    order(floor)
    deliver(floor, 1)
    assert floor.card("E", 1).card_status == "REMOVED"
    due_at = floor.turn("E", 2).due_at
    assert due_at is not None
    floor.now = due_at + timedelta(minutes=30)
    actions.sweep(now=floor.now)
    runout = floor.open_runout("E")
    assert runout is not None
    assert runout.opened_at == due_at
    floor.scan("E", 2, "start")
    assert floor.open_runout("E") is not None
    floor.scan("E", 2, "receive")
    assert dry_spells("E") == [(due_at, floor.now)]


def test_r02_the_runout_of_an_order_begins_at_its_due_time_also_when_nobody_swept() -> None:
    floor = ordered()
    order(floor)
    order(floor)
    deliver(floor, 1)
    due_at = floor.turn("E", 2).due_at
    assert due_at is not None
    floor.now = due_at + timedelta(minutes=30)
    floor.scan("E", 2, "start")
    floor.scan("E", 2, "receive")
    assert dry_spells("E") == [(due_at, floor.now)]


def test_r02_an_order_that_is_not_due_is_no_runout() -> None:
    floor = ordered()
    order(floor)
    deliver(floor, 1)
    order(floor)
    actions.sweep(now=floor.now + timedelta(minutes=30))
    assert dry_spells("E") == []
    floor.cycle("E", 2)
    assert dry_spells("E") == []


def test_r02_a_loop_without_an_order_is_in_no_runout() -> None:
    floor = ordered()
    order(floor)
    deliver(floor, 1)
    floor.now += timedelta(days=2)
    actions.sweep(now=floor.now)
    assert dry_spells("E") == []


def test_r02_the_second_of_two_late_orders_keeps_the_runout_open() -> None:
    floor = ordered()
    order(floor)
    order(floor)
    order(floor)
    deliver(floor, 1)
    second = floor.turn("E", 2).due_at
    third = floor.turn("E", 3).due_at
    assert second is not None
    assert third is not None
    floor.now = third + timedelta(minutes=10)
    deliver(floor, 2)
    received = floor.turn("E", 2).closed_at
    emptied = floor.card("E", 2).moved_at
    assert dry_spells("E") == [(second, received), (emptied, None)]
    assert floor.open_runout("E") is not None


def test_r02_a_removed_card_was_full_once_and_the_others_go_on_being_dry() -> None:
    floor = two_bins(first=["FULL", "EMPTY"])
    floor.scan("L", 1, "empty")
    began = floor.now
    floor.scan("L", 1, "remove", reason="torn", source=floor.leader())
    floor.scan("L", 2, "start")
    floor.scan("L", 2, "complete")
    assert floor.open_runout("L") is not None
    floor.scan("L", 2, "receive")
    assert dry_spells("L") == [(began, floor.now)]
    assert last_runout("L").cause == "queue"


def test_r02_a_loop_that_never_had_a_full_container_is_in_no_runout() -> None:
    floor = two_bins(first="EMPTY")
    floor.scan("L", 1, "start")
    actions.sweep(now=floor.now)
    assert dry_spells("L") == []
