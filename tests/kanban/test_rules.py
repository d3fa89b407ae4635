"""Rules that a story tells best: blocked containers, answers of suppliers, quantities along the way, lots, remainders,
withdrawn demand, missing components, the swap."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitapp.kanban.answers import say
from jitapp.kanban.draws import book, draw, free, give_back, to_take
from jitapp.kanban.events.turns import TurnAnswerLate, TurnCancelled, TurnDemandCancelled
from jitapp.kanban.ledger import Decision, Ledger, Scan
from jitapp.kanban.promises import unanswered
from jitapp.kanban.signals import finish
from jitapp.kanban.state import Loop
from jitapp.kanban.swap import swap
from jitapp.kanban.vocabulary import (
    Accumulate,
    GrPolicy,
    LoopKind,
    Role,
    StationKind,
    SupplyStatus,
    Trigger,
)
from jitapp.kanban.warnings import WARNINGS
from tests.kanban.loops import ELSEWHERE, START, SUPPLY, Bench, make_loop, new_uuid

MARKET = 4


def told(bench: Bench, decision: Decision) -> str:
    """The big line as a person reads it."""
    return say(
        decision.code,
        decision.facts,
        time_zone=ZoneInfo("UTC"),
        now=bench.now,
        warnings=tuple(decision.warnings),
    )[0]


@pytest.fixture
def bench() -> Bench:
    return Bench(make_loop())


def supplier(**settings: Any) -> Bench:
    """A loop that a supplier fills, its first card emptied."""
    loop = make_loop(kind=LoopKind.SUPPLIER, supply_kind=StationKind.SUPPLIER, **settings)
    bench = Bench(loop)
    bench.scan(1, "empty")
    return bench


# -- blocked containers --------------------------------------------------------------------------------
def test_nobody_takes_from_a_blocked_container_until_it_was_looked_at(bench: Bench) -> None:
    assert bench.scan(1, "block").code == "reason_missing"
    assert bench.scan(1, "block", reason="scratches").code == "blocked"
    assert bench.scan(1, "block", reason="again").code == "already_blocked"
    for intent in ("open", "empty"):
        decision = bench.scan(1, intent)
        assert (decision.code, decision.facts["held"]) == ("card_blocked", "scratches")
    assert bench.scan(1, "unblock").code == "not_allowed"
    assert bench.scan(1, "unblock", roles=frozenset({Role.QUALITY})).code == "unblocked"
    assert bench.scan(1, "unblock", roles=frozenset({Role.QUALITY})).code == "not_blocked"
    assert bench.scan(1, "empty").code == "emptied"


def test_quality_blocks_anywhere_and_only_what_is_there(bench: Bench) -> None:
    quality = frozenset({Role.QUALITY})
    assert bench.scan(1, "block", at=ELSEWHERE, reason="x").code == "not_allowed"
    assert bench.scan(1, "block", at=ELSEWHERE, reason="x", roles=quality).code == "blocked"
    bench.bring(2, "IN_PROCESS")
    assert bench.scan(2, "block", reason="x", roles=quality).code == "block_not_here"


def test_software_takes_from_no_blocked_container_and_opens_none(bench: Bench) -> None:
    bench.scan(2, "block", reason="x")
    bench.scan(1, "empty")
    assert bench.loop.cards[2].supply_status == "FULL"  # not opened in its place
    ledger = Ledger(bench.loop, at=bench.now)
    drawn = draw(ledger, need=Decimal(1), turn=new_uuid(), new_uuid=new_uuid)
    assert (drawn.taken, drawn.short) == (Decimal(0), Decimal(1))
    assert bench.loop.cards[2].contents == 4


# -- answers of suppliers ------------------------------------------------------------------------------
@pytest.mark.parametrize("intent", ["start", "complete", "load", "ship"])
def test_where_the_supplier_must_answer_nothing_is_sent_before(intent: str) -> None:
    bench = supplier(ack_required=True)
    assert bench.scan(1, intent, at=SUPPLY).code == "answer_missing"
    assert bench.scan(1, "acknowledge", at=SUPPLY).code == "acknowledged"
    assert bench.scan(1, intent, at=SUPPLY).outcome == "applied"


def test_what_has_come_in_all_the_same_is_taken_in() -> None:
    assert supplier(ack_required=True).scan(1, "receive").code == "received"


def test_a_process_of_our_own_answers_by_working() -> None:
    bench = Bench(make_loop(ack_required=True))
    bench.scan(1, "empty")
    assert bench.scan(1, "start").code == "started"


def test_a_silent_supplier_is_noted_once_until_an_answer_comes() -> None:
    bench = supplier(ack_required=True, ack_within_minutes=30)
    released = bench.now
    assert unanswered(bench.loop, released + timedelta(minutes=30)) == []
    assert [card.number for card in unanswered(bench.loop, released + timedelta(minutes=31))] == [1]
    card = bench.loop.cards[1]
    ledger = Ledger(bench.loop, at=released + timedelta(minutes=31))
    ledger.write(TurnAnswerLate(), card, turn=card.turn)
    assert unanswered(bench.loop, released + timedelta(hours=9)) == []
    assert card.turn is not None
    assert card.turn.answer_late
    bench.scan(1, "acknowledge", at=SUPPLY)
    assert not card.turn.answer_late


def test_nobody_waits_for_an_answer_that_is_not_asked_for() -> None:
    bench = supplier(ack_required=False, ack_within_minutes=30)
    assert unanswered(bench.loop, bench.now + timedelta(days=9)) == []


@pytest.mark.parametrize("intent", ["acknowledge", "promise"])
def test_a_promise_lies_ahead_and_one_after_the_due_date_is_said(intent: str) -> None:
    bench = supplier()
    turn = bench.loop.cards[1].turn
    assert turn is not None
    assert turn.due_at is not None
    yesterday = bench.now - timedelta(days=1)
    assert bench.scan(1, intent, at=SUPPLY, promised_at=yesterday).code == "promise_past"
    assert turn.promised_at is None
    decision = bench.scan(1, intent, at=SUPPLY, promised_at=turn.due_at + timedelta(hours=1))
    assert (decision.outcome, decision.warnings) == ("applied", [WARNINGS["promise_late"]])
    assert turn.promised_at == turn.due_at + timedelta(hours=1)


def test_the_same_promise_again_changes_nothing() -> None:
    bench = supplier(lead_time_minutes=600)
    promised = bench.now + timedelta(hours=5)
    decision = bench.scan(1, "promise", at=SUPPLY, promised_at=promised)
    assert (decision.code, decision.warnings) == ("promised", [])
    assert bench.scan(1, "promise", at=SUPPLY, promised_at=promised).code == "already_promised"
    assert bench.scan(1, "promise", at=SUPPLY, promised_at=promised - timedelta(hours=1)).code == "promised"


# -- quantities along the way --------------------------------------------------------------------------
@pytest.mark.parametrize("intent", ["receive", "load", "dock"])
def test_more_than_was_made_needs_a_reason_at_every_step(intent: str) -> None:
    bench = Bench(make_loop())
    bench.scan(1, "empty")
    assert bench.scan(1, "complete", quantity=3, reason="scrap").code == "completed"
    if intent == "dock":
        assert bench.scan(1, "load").code == "loaded"
    more = bench.scan(1, intent, quantity=4)
    assert (more.code, more.facts["asked"]) == ("quantity_needs_reason", Decimal(3))
    assert bench.scan(1, intent, quantity=4, reason="one was found").outcome == "applied"


@pytest.mark.parametrize("quantity", [None, 3])
def test_what_was_made_short_with_a_reason_comes_in_without_another(
    bench: Bench, quantity: int | None
) -> None:
    bench.scan(1, "empty")
    bench.scan(1, "complete", quantity=3, reason="scrap")
    bench.scan(1, "load")
    decision = bench.scan(1, "receive", quantity=quantity)
    assert (decision.code, bench.loop.cards[1].contents) == ("received", Decimal(3))


def test_what_is_short_of_what_was_made_is_explained_too(bench: Bench) -> None:
    bench.scan(1, "empty")
    bench.scan(1, "complete", quantity=3, reason="scrap")
    assert bench.scan(1, "receive", quantity=2).code == "quantity_needs_reason"


def test_what_was_counted_at_the_dock_is_what_may_be_put_away() -> None:
    bench = supplier(gr_policy=GrPolicy.SEPARATE)
    bench.scan(1, "ship", at=SUPPLY)
    assert bench.scan(1, "dock", quantity=2).code == "quantity_needs_reason"
    assert bench.scan(1, "dock", quantity=2, reason="short").code == "docked"
    assert bench.scan(1, "receive", quantity=4).code == "quantity_needs_reason"
    assert bench.scan(1, "receive").code == "received"
    assert bench.loop.cards[1].contents == 2


# -- lots of a signal kanban ---------------------------------------------------------------------------
def signal_kanban() -> Bench:
    """Seven containers of 50: a lot of 300, asked for when 100 are left."""
    return Bench(
        make_loop(
            ("FULL",) * 7,
            kind=LoopKind.PRODUCTION,
            quantity=Decimal(50),
            accumulate=Accumulate.QUANTITY,
            lot_quantity=Decimal(300),
            triangle_quantity=Decimal(100),
        )
    )


def test_gathered_pieces_are_told_against_the_pieces_of_a_lot() -> None:
    bench = signal_kanban()
    assert "50 of 300 gathered" in told(bench, bench.scan(1, "empty"))
    assert "100 of 300 gathered" in told(bench, bench.scan(2, "empty"))


def test_one_lot_is_outstanding_and_the_next_card_waits_for_its_own() -> None:
    bench = signal_kanban()
    codes = [bench.scan(number, "empty").code for number in range(1, 6)]
    assert codes == ["emptied_gathers"] * 4 + ["emptied"]  # 100 are left: the triangle is met
    batches = {card.turn.batch for card in bench.loop.cards.values() if card.turn is not None}
    assert len(batches) == 1
    late = bench.scan(6, "empty")
    assert (late.code, "50 of 300 gathered" in told(bench, late)) == ("emptied_gathers", True)
    for number in range(1, 6):
        bench.scan(number, "receive")
    assert bench.loop.cards[6].turn is not None
    assert bench.loop.cards[6].turn.signal_state == "ACCUMULATING"  # 300 stand there: nothing is missing
    for number in (7, 1, 2):
        assert bench.scan(number, "empty").code == "emptied_gathers"
    assert bench.scan(3, "empty").code == "emptied"  # 100 left again, and no lot is on its way


def test_a_dry_loop_waits_for_no_lot() -> None:
    bench = signal_kanban()
    for number in range(1, 8):
        bench.scan(number, "empty")
    last = bench.loop.cards[7].turn
    assert last is not None
    assert last.signal_state == "RELEASED"


# -- said twice, and said otherwise --------------------------------------------------------------------
def test_a_bounce_is_the_same_content_again(bench: Bench) -> None:
    assert bench.scan(1, "count", quantity=3).code == "counted"
    assert bench.scan(1, "count", quantity=3, minutes=0.01).code == "bounced"
    assert bench.scan(1, "count", quantity=2, minutes=0.01).code == "counted"
    assert bench.loop.cards[1].contents == 2


def test_a_promise_put_right_at_once_is_no_bounce() -> None:
    bench = supplier(lead_time_minutes=600)
    first = bench.now + timedelta(hours=5)
    bench.scan(1, "promise", at=SUPPLY, promised_at=first)
    assert bench.scan(1, "promise", at=SUPPLY, promised_at=first, minutes=0.01).code == "bounced"
    right = first + timedelta(hours=1)
    assert bench.scan(1, "promise", at=SUPPLY, promised_at=right, minutes=0.01).code == "promised"


def test_a_late_promise_does_not_make_the_last_touch_older() -> None:
    bench = supplier(lead_time_minutes=600)
    before = bench.now
    promised = bench.now + timedelta(hours=5)
    early = before - timedelta(minutes=5)
    assert bench.scan(1, "promise", at=SUPPLY, promised_at=promised, occurred_at=early).code == "promised"
    assert bench.loop.cards[1].moved_at == before


def test_an_undo_told_late_was_about_another_scan(bench: Bench) -> None:
    bench.scan(1, "open")
    early = bench.now - timedelta(minutes=1)
    decision = bench.scan(1, "undo", minutes=0.5, occurred_at=early)
    assert (decision.code, bench.loop.cards[1].supply_status) == ("late_conflict", "IN_USE")


def test_an_act_on_a_closed_turn_is_not_for_the_next_one(bench: Bench) -> None:
    bench.scan(1, "empty")
    first = bench.loop.cards[1].turn
    assert first is not None
    bench.scan(1, "receive")
    bench.scan(1, "empty")
    for intent in ("receive", "ship", "cancel", "promise"):
        at = SUPPLY if intent in ("ship", "promise") else 1
        decision = bench.scan(1, intent, at=at, turn=first.uuid, is_leader=True, reason="x")
        assert (decision.code, decision.entries) == ("turn_closed", [])


# -- remainders ----------------------------------------------------------------------------------------
def taken(loop: Loop, *needs: str) -> list[Decimal]:
    """How many pieces each of several turns takes."""
    ledger = Ledger(loop, at=START + timedelta(hours=1))
    return [to_take(ledger, Decimal(need), new_uuid()) for need in needs]


def test_six_turns_that_need_a_part_of_a_sheet_draw_one() -> None:
    loop = make_loop(("FULL", "FULL"))
    assert taken(loop, *["0.004"] * 6) == [1, 0, 0, 0, 0, 0]
    assert loop.drawn_ahead == Decimal("0.976")


def test_a_cancelled_turn_gives_its_part_back() -> None:
    loop = make_loop(("FULL", "FULL"))
    assert taken(loop, "0.4", "0.4") == [1, 0]
    give_back(Ledger(loop, at=START + timedelta(hours=2)), Decimal("0.4"), Decimal(0), new_uuid())
    assert loop.drawn_ahead == Decimal("0.6")
    assert taken(loop, "0.6") == [0]
    assert loop.drawn_ahead == 0


@given(
    decimals=st.integers(0, 2),
    needs=st.lists(st.decimals("0.001", "7", places=3), min_size=1, max_size=20),
)
def test_over_many_turns_less_than_a_piece_too_many_is_drawn(decimals: int, needs: list[Decimal]) -> None:
    loop = make_loop(("FULL", "FULL"), decimals=decimals)
    pieces = taken(loop, *map(str, needs))
    too_many = sum(pieces) - sum(needs)
    assert 0 <= too_many < Decimal(1).scaleb(-decimals)
    assert too_many == loop.drawn_ahead
    assert all(piece == round(piece, decimals) for piece in pieces)


# -- demand that is not needed any more ----------------------------------------------------------------
def booked_out() -> tuple[Bench, Any, Any]:
    """A container whose last piece was promised to a turn, so that its refill was asked for early."""
    bench = Bench(make_loop())
    ledger = Ledger(bench.loop, at=bench.now)
    turn = new_uuid()
    links = book(ledger, need=Decimal(4), turn=turn, new_uuid=new_uuid).links
    finish(ledger, new_uuid)
    assert bench.loop.cards[1].turn is not None
    return bench, turn, links


def test_what_a_cancelled_turn_had_asked_for_is_cancelled_with_it() -> None:
    bench, turn, links = booked_out()
    ledger = Ledger(bench.loop, at=bench.now + timedelta(minutes=5))
    assert free(ledger, links=links, turn=turn) == 4
    assert [type(entry.event) for entry in ledger.entries][-1] is TurnCancelled
    assert bench.loop.cards[1].turn is None


def test_what_was_begun_runs_on_and_its_owner_has_a_task() -> None:
    bench, turn, links = booked_out()
    assert bench.scan(1, "start").code == "started"
    upstream = bench.loop.cards[1].turn
    assert upstream is not None
    for _ in range(2):
        ledger = Ledger(bench.loop, at=bench.now + timedelta(minutes=5))
        free(ledger, links=links, turn=turn)
        told_of = [entry for entry in ledger.entries if isinstance(entry.event, TurnDemandCancelled)]
        assert [entry.turn for entry in told_of] == ([upstream.uuid] if _ == 0 else [])
    assert bench.loop.cards[1].turn is upstream
    assert upstream.demand_cancelled == turn
    assert upstream.step == "IN_PROCESS"


def test_what_was_acknowledged_runs_on_too() -> None:
    bench, turn, links = booked_out()
    bench.scan(1, "acknowledge", at=SUPPLY)
    ledger = Ledger(bench.loop, at=bench.now + timedelta(minutes=5))
    free(ledger, links=links, turn=turn)
    upstream = bench.loop.cards[1].turn
    assert upstream is not None
    assert upstream.demand_cancelled == turn


# -- what a station says before it starts --------------------------------------------------------------
def test_missing_components_are_named_and_refused_where_the_station_says_so(bench: Bench) -> None:
    bench.scan(1, "empty")
    decision = bench.scan(1, "start", missing=("BOLT", "NUT"))
    assert (decision.code, decision.warnings) == ("started", [WARNINGS["components_missing"]])
    assert "BOLT, NUT has run out" in told(bench, decision)
    decision = bench.scan(1, "complete", missing=("BOLT",))
    assert "BOLT has run out" in told(bench, decision)
    strict = Bench(make_loop(refuses_without_components=True))
    strict.scan(1, "empty")
    decision = strict.scan(1, "start", missing=("BOLT",))
    assert decision.code == "components_missing"
    assert told(strict, decision) == "Maker has run out of BOLT."
    assert strict.loop.cards[1].supply_status == "EMPTY"
    assert strict.scan(1, "start").code == "started"


@pytest.mark.parametrize(
    ("prohibited", "way", "intent", "expected"),
    [
        (("IN_PROCESS",), [], "start", "complete"),
        (("COMPLETED",), ["start"], "complete", "load"),
        (("IN_TRANSIT",), ["start", "complete"], "load", "receive"),
        (("IN_PROCESS", "COMPLETED"), [], "start", "load"),
    ],
)
def test_a_step_that_the_loop_does_not_have_is_refused_for_one_that_it_has(
    prohibited: tuple[str, ...], way: list[str], intent: str, expected: str
) -> None:
    bench = Bench(make_loop(sequence=dict.fromkeys(prohibited, "PROHIBITED")))
    for step in ("empty", *way):
        assert bench.scan(1, step).outcome == "applied"
    decision = bench.scan(1, intent)
    assert (decision.code, decision.facts["expected"]) == ("step_prohibited", expected)
    assert bench.scan(1, expected).outcome == "applied"


def test_filling_that_is_broken_off_is_urgent_when_the_buffer_is_nearly_dry() -> None:
    near = Bench(make_loop(("FULL", "FULL")))
    far = Bench(make_loop(("FULL", "FULL", "FULL")))
    for bench in (near, far):
        bench.bring(1, "IN_PROCESS")
        assert bench.scan(1, "abort", reason="tool broken").code == "aborted"
    assert (near.loop.cards[1].urgent, far.loop.cards[1].urgent) == (True, False)


def test_a_card_that_its_siblings_opening_released_is_not_told_to_wait() -> None:
    bench = Bench(make_loop(trigger=Trigger.ON_SIBLING_IN_USE))
    decision = bench.scan(1, "empty")
    turn = bench.loop.cards[1].turn
    assert turn is not None
    assert (decision.code, turn.signal_state) == ("emptied", "RELEASED")


# -- the swap ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("leader", [False, True])
@pytest.mark.parametrize("intent", ["empty", "open", None])
def test_a_production_card_leaves_its_container_only_by_a_swap(intent: str | None, leader: bool) -> None:
    moves = make_loop(kind=LoopKind.WITHDRAWAL, supply_kind=StationKind.SUPERMARKET, supply_id=MARKET)
    makes = make_loop(id=2, kind=LoopKind.PRODUCTION, demand_id=MARKET, hand_detached=True)
    fetching, filling = Bench(moves), Bench(makes)
    fetching.scan(1, "empty")
    decision = filling.scan(1, intent, at=MARKET, is_leader=leader)
    assert (decision.code, makes.cards[1].supply_status) == ("swap_needs_withdrawal", "FULL")
    at = fetching.now + timedelta(minutes=10)
    scan = Scan(id=new_uuid(), occurred_at=at, recorded_at=at, new_uuid=new_uuid, station_id=MARKET)
    assert swap(moves, moves.cards[1], makes, makes.cards[1], scan).decision.code == "swapped"
    assert (moves.cards[1].supply_status, makes.cards[1].supply_status) == ("IN_TRANSIT", "EMPTY")


def test_a_correction_detaches_a_production_card_too() -> None:
    bench = Bench(make_loop(kind=LoopKind.PRODUCTION, demand_id=MARKET, hand_detached=True))
    decision = bench.scan(
        1, "correct", at=MARKET, is_leader=True, reason="nothing there", target=SupplyStatus.EMPTY
    )
    assert (decision.code, bench.loop.cards[1].supply_status) == ("corrected", "EMPTY")
