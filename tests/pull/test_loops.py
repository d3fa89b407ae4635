"""Planners change a loop while its cards are on the floor: nothing is lost, nothing asks twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from jitapp.plant.models import Loop, LoopRevision
from jitapp.pull import actions
from jitapp.pull.models import Card, Event, LoopState, Turn, TurnLink
from tests.floor import Floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    return floor


def loop_id(code: str) -> int:
    return Loop.objects.get(code=code).pk


def test_resizing_down_with_every_card_out_makes_exactly_one_turn_less(floor: Floor) -> None:
    floor.scan("L1", 1, "empty")
    floor.scan("L1", 2, "empty")
    actions.resize_loop(loop_id=loop_id("L1"), cards=1, now=floor.now)
    assert Turn.objects.filter(closed_at__isnull=True).count() == 2  # what was asked is still made
    floor.cycle("L1", 1)
    floor.cycle("L1", 2)
    assert floor.scan("L1", 2, "empty")["code"] == "emptied_surplus"
    assert floor.card("L1", 2).card_status == "SURPLUS"
    assert floor.scan("L1", 1, "empty")["code"] == "emptied"
    assert Turn.objects.count() == 3


def test_resizing_up_takes_surplus_cards_back_before_new_ones_are_made(floor: Floor) -> None:
    actions.resize_loop(loop_id=loop_id("L1"), cards=1, now=floor.now)
    floor.scan("L1", 1, "empty")
    assert floor.card("L1", 1).card_status == "SURPLUS"
    new = actions.resize_loop(loop_id=loop_id("L1"), cards=3, now=floor.now)
    assert floor.card("L1", 1).card_status == "IN_CIRCULATION"
    assert floor.turn("L1", 1).signal_state == "RELEASED"
    assert len(new) == 1
    assert Card.objects.get(code=new[0]).card_status == "NEW"


def test_a_reduction_that_was_not_needed_is_taken_back_without_a_trace_on_the_floor(floor: Floor) -> None:
    actions.resize_loop(loop_id=loop_id("L1"), cards=1, now=floor.now)
    assert actions.resize_loop(loop_id=loop_id("L1"), cards=2, now=floor.now) == []
    assert LoopState.objects.get(loop__code="L1").surplus_due == 0
    assert floor.scan("L1", 1, "empty")["code"] == "emptied"


def test_a_new_quantity_holds_from_the_next_signal_and_the_labels_are_stale_until_printed(
    floor: Floor,
) -> None:
    floor.scan("L1", 1, "empty")
    actions.resize_loop(loop_id=loop_id("L1"), quantity=Decimal(6), now=floor.now)
    assert floor.turn("L1", 1).asked == 4
    assert Card.objects.filter(label_stale=True).count() == 2
    floor.scan("L1", 2, "empty")
    assert floor.turn("L1", 2).asked == 6
    assert actions.mark_printed(loop_id=loop_id("L1"), now=floor.now) == 2
    assert not Card.objects.filter(label_stale=True).exists()


IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"cards": 0}, "at least one card. Retire the loop"),
    ({"cards": 1_001}, "at most 1,000 cards. Name fewer"),
    ({"quantity": Decimal(0)}, "must be more than 0; .* stands there. Name another"),
    ({"quantity": Decimal("0.5")}, "more than 0 decimals: 0.5. Name another"),
    ({"quantity": Decimal(10) ** 13}, "must be more than 0"),
    ({}, "Name `cards`, `quantity` or both"),
]


@pytest.mark.parametrize(("change", "says"), IMPOSSIBLE)
def test_what_a_loop_cannot_take_is_refused_now_and_not_planned(
    floor: Floor, change: dict[str, Any], says: str
) -> None:
    before = (Loop.objects.values().get(), Card.objects.count(), Event.objects.count())
    with pytest.raises(actions.Refused, match=says):
        actions.resize_loop(loop_id=loop_id("L1"), now=floor.now, **change)
    values = {name: value if name == "cards" else str(value) for name, value in change.items()}
    with pytest.raises(actions.Refused, match=says if change else "A revision changes"):
        plan(floor, "L1", values)
    assert (Loop.objects.values().get(), Card.objects.count(), Event.objects.count()) == before
    assert not LoopRevision.objects.exists()


def test_a_batch_can_never_be_larger_than_the_loop_allows(floor: Floor) -> None:
    Loop.objects.filter(code="L1").update(accumulate="CARDS", accumulate_cards=3)
    with pytest.raises(actions.Refused, match="at most 2"):
        actions.resize_loop(loop_id=loop_id("L1"), cards=3, now=floor.now)
    with pytest.raises(actions.Refused, match="at most 2"):
        plan(floor, "L1", {"cards": 3})


def plan(floor: Floor, loop: str, values: dict[str, Any]) -> LoopRevision:
    at = floor.now + timedelta(days=1)
    return actions.plan_revision(loop_id=loop_id(loop), effective_at=at, values=values, now=floor.now)


def test_a_revision_that_the_loop_cannot_take_any_more_is_refused_and_stops_no_other(floor: Floor) -> None:
    """Between plan and instant the loop began to gather three cards: two are too few by then."""
    floor.loop("L2", part="OTHER", supply="SMT", demand="TEST", cards=2, quantity=4)
    bad = plan(floor, "L1", {"cards": 2, "quantity": "8"})
    good = plan(floor, "L2", {"cards": 3})
    Loop.objects.filter(code="L1").update(accumulate="CARDS", accumulate_cards=3)
    when = bad.effective_at
    for _ in range(2):
        actions.sweep(now=when)
        bad.refresh_from_db()
        good.refresh_from_db()
        assert (bad.applied_at, bad.refused_at) == (None, when)
        assert bad.refusal == (
            "Loop L1 gathers 3 cards: of 2 at most 1 can be gathered. Lower accumulate_cards first."
        )
        assert (good.applied_at, good.refused_at, good.refusal) == (when, None, "")
    assert Loop.objects.get(code="L1").quantity == 4
    assert Card.objects.filter(loop__code="L2").count() == 3


def test_a_planned_revision_comes_into_force_at_its_instant(floor: Floor) -> None:
    when = floor.now + timedelta(days=1)
    actions.plan_revision(
        loop_id=loop_id("L1"), effective_at=when, values={"cards": 3, "quantity": "8"}, now=floor.now
    )
    assert actions.apply_due_revisions(now=floor.now) == set()
    assert actions.apply_due_revisions(now=when) == {loop_id("L1")}
    assert Loop.objects.get(code="L1").quantity == 8
    assert Card.objects.filter(loop__code="L1").count() == 3
    assert actions.apply_due_revisions(now=when) == set()
    with pytest.raises(actions.Refused, match="A revision changes"):
        actions.plan_revision(loop_id=loop_id("L1"), effective_at=when, values={"colour": 1}, now=floor.now)


@pytest.mark.parametrize(
    ("planned", "says"),
    [
        ({"effective_at": datetime(2020, 1, 1, tzinfo=UTC)}, "2020-01-01 00:00 UTC is past"),
        ({"values": {"cards": None}}, "Nothing would change"),
    ],
)
def test_a_revision_that_could_never_hold_is_not_planned(
    floor: Floor, planned: dict[str, Any], says: str
) -> None:
    wanted: dict[str, Any] = {"effective_at": floor.now + timedelta(days=1), "values": {"quantity": "8"}}
    with pytest.raises(actions.Refused, match=says):
        actions.plan_revision(loop_id=loop_id("L1"), now=floor.now, **wanted | planned)
    assert not Loop.objects.get(code="L1").revisions.exists()


def test_a_loop_on_hold_counts_suppressed_demand_and_sends_it_when_it_goes_on(floor: Floor) -> None:
    floor.scan("L1", 1, "empty")
    floor.scan("L1", 2, "empty")
    assert floor.open_runout("L1") is not None
    floor.cycle("L1", 1)
    actions.hold_loop(loop_id=loop_id("L1"), reason="tool broken", now=floor.now)
    answer = floor.scan("L1", 1, "empty")
    assert answer["code"] == "emptied_on_hold"
    assert "tool broken" in answer["message"]
    assert LoopState.objects.get(loop__code="L1").suppressed == 1
    assert floor.open_runout("L1") is None
    actions.resume_loop(loop_id=loop_id("L1"), now=floor.now)
    assert floor.turn("L1", 1).signal_state == "RELEASED"
    assert floor.open_runout("L1") is not None


def test_holding_closes_a_runout_with_that_reason(floor: Floor) -> None:
    floor.scan("L1", 1, "empty")
    floor.scan("L1", 2, "empty")
    actions.hold_loop(loop_id=loop_id("L1"), reason="stocktaking", now=floor.now)
    assert Event.objects.get(type="runout.closed").data["cause"] == "loop_on_hold"


def test_a_document_number_sends_the_signal_once() -> None:
    floor = Floor()
    floor.station("ACME", "SUPPLIER")
    floor.station("LINE")
    floor.loop(
        "S1", part="SCREW", supply="ACME", demand="LINE", kind="SUPPLIER", doc_policy="WAIT_FOR_DOC_NUMBER"
    )
    floor.scan("S1", 1, "empty")
    turn = floor.turn("S1", 1)
    for _ in range(2):
        actions.give_document(turn=str(turn.uuid), document="4500017", now=floor.now)
    turn.refresh_from_db()
    assert (turn.signal_state, turn.document) == ("RELEASED", "4500017")
    with pytest.raises(actions.Refused, match="4500017 already"):
        actions.give_document(turn=str(turn.uuid), document="4500018", now=floor.now)


def test_a_limited_use_card_does_its_turns_and_goes_into_the_red_box(floor: Floor) -> None:
    actions.add_extra_card(loop_id=loop_id("L1"), turns=1, now=floor.now)
    assert floor.turn("L1", 3).signal_state == "RELEASED"
    floor.cycle("L1", 3)
    assert floor.scan("L1", 3, "empty")["code"] == "emptied_last"
    assert Card.objects.get(loop__code="L1", number=3).card_status == "REMOVED"


# -- orders ----------------------------------------------------------------------------------------------
def works() -> Floor:
    floor = Floor()
    floor.station("MILL", "SUPPLIER")
    floor.station("CUT", consumption="BACKFLUSH")
    floor.station("WELD", consumption="BACKFLUSH")
    floor.station("SHIP", "SHIPPING")
    floor.bill("FRAME", PLATE=2)
    floor.bill("PLATE", SHEET="0.25")
    for code, part, supply, demand in (
        ("FRAMES", "FRAME", "WELD", "SHIP"),
        ("PLATES", "PLATE", "CUT", "WELD"),
        ("SHEETS", "SHEET", "MILL", "CUT"),
    ):
        floor.loop(code, part=part, supply=supply, demand=demand, kind="EVENT", cards=0)
    return floor


def test_an_order_asks_at_every_tier_at_once_in_its_own_quantity() -> None:
    floor = works()
    actions.order(loop_id=loop_id("FRAMES"), quantity=Decimal(10), now=floor.now)
    floor.propagate()
    asked = {turn.loop.code: turn.asked for turn in Turn.objects.select_related("loop")}
    assert asked == {"FRAMES": 10, "PLATES": 20, "SHEETS": 5}
    assert TurnLink.objects.filter(kind="EVENT").count() == 2
    floor.propagate()
    assert Turn.objects.count() == 3


def test_an_order_is_cancelled_as_a_tree_except_where_somebody_has_begun() -> None:
    floor = works()
    actions.order(loop_id=loop_id("FRAMES"), quantity=Decimal(10), now=floor.now)
    floor.propagate()
    floor.scan("SHEETS", 1, "start")
    leader = floor.leader()
    floor.scan("FRAMES", 1, "cancel", source=leader, reason="customer withdrew")
    floor.propagate()
    states = {turn.loop.code: turn.signal_state for turn in Turn.objects.select_related("loop")}
    assert states == {"FRAMES": "CANCELLED", "PLATES": "CANCELLED", "SHEETS": "RELEASED"}
    assert floor.turn("PLATES", 1).reason == "the order was cancelled"


def test_orders_are_placed_at_event_loops_only(floor: Floor) -> None:
    with pytest.raises(actions.Refused, match="EVENT loops"):
        actions.order(loop_id=loop_id("L1"), quantity=Decimal(1), now=floor.now)


def test_an_order_at_a_loop_on_hold_keeps_its_quantity_and_goes_out_when_the_loop_goes_on() -> None:
    floor = works()
    actions.hold_loop(loop_id=loop_id("FRAMES"), reason="audit", now=floor.now)
    actions.order(loop_id=loop_id("FRAMES"), quantity=Decimal(10), now=floor.now)
    floor.propagate()
    (turn,) = Turn.objects.all()
    assert (turn.signal_state, turn.asked, turn.due_at) == ("UNRELEASED", 10, None)
    assert LoopState.objects.get(loop__code="FRAMES").suppressed == 1
    actions.hold_loop(loop_id=loop_id("PLATES"), reason="audit", now=floor.now)
    actions.resume_loop(loop_id=loop_id("FRAMES"), now=floor.now)
    floor.propagate()
    states = {turn.loop.code: (turn.signal_state, turn.asked) for turn in Turn.objects.select_related("loop")}
    assert states == {"FRAMES": ("RELEASED", 10), "PLATES": ("UNRELEASED", 20)}
    actions.resume_loop(loop_id=loop_id("PLATES"), now=floor.now)
    floor.propagate()
    states = {turn.loop.code: (turn.signal_state, turn.asked) for turn in Turn.objects.select_related("loop")}
    assert states == {"FRAMES": ("RELEASED", 10), "PLATES": ("RELEASED", 20), "SHEETS": ("RELEASED", 5)}


@pytest.mark.parametrize("state", ["RETIRED", "DRAFT"])
def test_a_loop_that_is_retired_or_a_draft_takes_no_order_and_stops_none_below(state: str) -> None:
    floor = works()
    for code in ("FRAMES", "PLATES"):
        if state == "RETIRED":
            actions.retire_loop(loop_id=loop_id(code), reason="over", now=floor.now)
        else:
            Loop.objects.filter(code=code).update(status=state)
    says = {"RETIRED": "FRAMES was retired, for good. Make a new", "DRAFT": "FRAMES is a draft. Resume it"}
    with pytest.raises(actions.Refused, match=says[state]):
        actions.order(loop_id=loop_id("FRAMES"), quantity=Decimal(10), now=floor.now)
    assert not Card.objects.exists()
    floor.loop("FRAMES2", part="FRAME", supply="WELD", demand="SHIP", kind="EVENT", cards=0)
    actions.order(loop_id=loop_id("FRAMES2"), quantity=Decimal(10), now=floor.now)
    floor.propagate()
    assert {turn.loop.code for turn in Turn.objects.select_related("loop")} == {"FRAMES2"}


# -- between plants ----------------------------------------------------------------------------------------
def test_a_transfer_is_seen_and_scanned_at_both_plants() -> None:
    here, there = Floor("HERE"), Floor("THERE")
    there.station("DEPOT")
    here.station("LINE")
    here.loop("T1", part="AXLE", supply="DEPOT", demand="LINE", kind="TRANSFER", cards=1)
    here.scan("T1", 1, "empty")
    there.now = here.now
    assert there.scan("T1", 1, "load")["code"] == "loaded"
    here.now = there.now
    assert here.scan("T1", 1, "receive")["code"] == "received"
    stranger = Floor("ELSEWHERE")
    assert stranger.scan("T1", 1, "empty", at="LINE")["code"] == "unknown_card"
