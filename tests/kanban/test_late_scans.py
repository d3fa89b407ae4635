"""Late and out-of-order scans: every case of the table (guard G12, domain 4.6), row by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from jitapp.kanban.draws import draw
from jitapp.kanban.events.cards import CardEmptied
from jitapp.kanban.ledger import Decision, Ledger
from jitapp.kanban.signals import finish
from jitapp.kanban.vocabulary import Accumulate, LoopStatus, Outcome, Trigger
from jitapp.kanban.warnings import WARNINGS
from tests.kanban.loops import Bench, make_loop, new_uuid

OTHER = 8  # a second device: its scans come late


@pytest.fixture
def bench() -> Bench:
    return Bench(make_loop())


def late(bench: Bench, number: int, intent: str, *, at: datetime, **facts: Any) -> Decision:
    """A scan of another device that happened at `at` and comes in now."""
    return bench.scan(number, intent, minutes=0.5, device_id=OTHER, occurred_at=at, **facts)


def test_empty_of_a_cycle_that_has_not_asked_yet_is_applied_and_marked_and_its_clock_starts_then(
    bench: Bench,
) -> None:
    bench.scan(2, "empty")
    bench.scan(1, "count", minutes=60, quantity=4, is_leader=True)
    decision = late(bench, 1, "empty", at=bench.now - timedelta(minutes=20))
    assert (decision.code, decision.outcome) == ("emptied", Outcome.APPLIED)
    assert all(event.late for event in decision.entries)
    turn, runout = bench.loop.cards[1].turn, bench.loop.runout
    assert turn is not None
    assert runout is not None
    assert turn.released_at == runout.opened_at == bench.now - timedelta(minutes=20.5)


def test_empty_after_a_draw_of_the_same_container_is_applied_too(bench: Bench) -> None:
    at = bench.now
    ledger = Ledger(bench.loop, at=at + timedelta(minutes=5))
    draw(ledger, need=Decimal(1), turn=new_uuid(), new_uuid=new_uuid)
    finish(ledger, new_uuid)
    drawn = next(card for card in bench.loop.cards.values() if card.supply_status == "IN_USE")
    bench.now = at + timedelta(minutes=10)
    assert late(bench, drawn.number, "empty", at=at + timedelta(minutes=2)).code == "emptied"


@pytest.mark.parametrize("status", ["EMPTY", "IN_PROCESS", "COMPLETED", "IN_TRANSIT"])
def test_empty_of_a_cycle_that_another_device_signalled_changes_nothing(bench: Bench, status: str) -> None:
    before = bench.now + timedelta(minutes=5)
    bench.bring(1, status)
    bench.now += timedelta(minutes=30)
    decision = late(bench, 1, "empty", at=before)
    assert (decision.code, decision.outcome) == ("already", Outcome.ALREADY)
    assert bench.loop.cards[1].supply_status == status


@pytest.mark.parametrize("then", ["FULL", "IN_USE", "EMPTY", "IN_TRANSIT"])
def test_empty_from_before_the_container_was_filled_is_history_and_sends_no_signal(
    bench: Bench, then: str
) -> None:
    bench.bring(1, "EMPTY")
    before = bench.now + timedelta(minutes=1)
    bench.scan(1, "receive")
    bench.bring(1, then)
    numbers = bench.loop.cards[1].turn_number
    bench.now += timedelta(minutes=30)
    assert late(bench, 1, "empty", at=before).outcome is Outcome.ALREADY
    assert bench.loop.cards[1].turn_number == numbers
    assert bench.loop.cards[1].supply_status == then


def test_full_while_it_is_already_full_changes_nothing(bench: Bench) -> None:
    bench.bring(1, "IN_TRANSIT")
    bench.scan(1, "receive")
    assert late(bench, 1, "receive", at=bench.now - timedelta(minutes=5)).code == "already_done"


@pytest.mark.parametrize("since", [["open"], ["open", "empty"], ["empty", "start"]])
def test_full_that_was_known_and_has_been_used_since_is_history(bench: Bench, since: list[str]) -> None:
    bench.bring(1, "IN_TRANSIT")
    bench.scan(1, "receive")
    at = bench.now + timedelta(minutes=2)
    for intent in since:
        assert bench.scan(1, intent).outcome is Outcome.APPLIED
    status = bench.loop.cards[1].supply_status
    decision = late(bench, 1, "receive", at=at)
    assert (decision.code, bench.loop.cards[1].supply_status) == ("late_passed", status)


def test_full_without_an_empty_scan_is_applied_with_an_inferred_one_and_said(bench: Bench) -> None:
    """The loop runs out of step with the floor: the empty scan was missed."""
    bench.scan(1, "open")
    bench.now += timedelta(minutes=60)
    at = bench.now - timedelta(minutes=30)
    decision = late(bench, 1, "receive", at=at)
    assert (decision.code, decision.warnings) == ("received", [WARNINGS["empty_inferred"]])
    told = [(event.type, event.frm, event.to) for event in decision.entries]
    assert told[:2] == [("card.emptied", "IN_USE", "EMPTY"), ("turn.released", "", "")]
    assert told[2] == ("scan.applied", "EMPTY", "FULL")
    assert decision.entries[0].event == CardEmptied(inferred=True, left=Decimal(4))
    card = bench.loop.cards[1]
    assert (str(card.supply_status), card.contents, card.full_since) == ("FULL", Decimal(4), at)
    assert card.turn is None
    assert card.turn_number == 1


def test_who_scans_full_in_time_is_told_that_nothing_was_asked_for(bench: Bench) -> None:
    bench.scan(1, "open")
    assert bench.scan(1, "receive").code == "overproduction"


@pytest.mark.parametrize(
    "settings",
    [
        {"status": LoopStatus.ON_HOLD, "hold_reason": "tool broken"},
        {"trigger": Trigger.ON_QTY, "reorder_level": Decimal(2)},
    ],
)
def test_nothing_is_inferred_where_an_empty_card_would_not_ask(settings: dict[str, Any]) -> None:
    bench = Bench(make_loop())
    bench.scan(1, "open")
    bench.loop.config = replace(bench.loop.config, **settings)
    bench.now += timedelta(minutes=60)
    decision = late(bench, 1, "receive", at=bench.now - timedelta(minutes=30))
    assert decision.code == "overproduction"


def test_a_step_that_the_card_is_past_is_history(bench: Bench) -> None:
    bench.bring(1, "EMPTY")
    at = bench.now + timedelta(minutes=1)
    bench.scan(1, "start")
    bench.scan(1, "complete")
    assert late(bench, 1, "start", at=at).code == "late_passed"


@pytest.mark.parametrize("intent", ["start", "complete", "load"])
def test_work_that_contradicts_what_came_after_is_parked(bench: Bench, intent: str) -> None:
    at = bench.now + timedelta(minutes=1)
    bench.bring(1, "EMPTY")
    decision = late(bench, 1, intent, at=at)
    assert (decision.code, decision.outcome) == ("late_conflict", Outcome.PARKED)
    assert bench.loop.cards[1].supply_status == "EMPTY"


@pytest.mark.parametrize("act", ["lost", "hold"])
@pytest.mark.parametrize("intent", ["empty", "receive", "start"])
def test_anything_of_a_card_that_takes_no_part_any_more_is_parked(
    bench: Bench, act: str, intent: str
) -> None:
    at = bench.now + timedelta(minutes=1)
    bench.scan(1, act, reason="fell down", is_leader=True)
    assert late(bench, 1, intent, at=at).code == "late_conflict"


@pytest.mark.parametrize("intent", ["empty", "open", "receive", "start", "count", "correct", "lost"])
def test_anything_older_than_the_loop_waits_for_is_parked(bench: Bench, intent: str) -> None:
    bench.now += timedelta(days=10)
    facts = {"quantity": 4} if intent == "count" else {}
    decision = late(bench, 1, intent, at=bench.now - timedelta(hours=72.1), is_leader=True, **facts)
    assert (decision.code, decision.outcome) == ("late_too_old", Outcome.PARKED)
    assert late(bench, 1, "empty", at=bench.now - timedelta(hours=71)).code == "emptied"


def test_how_old_is_too_old_is_a_setting_of_the_loop() -> None:
    bench = Bench(make_loop(late_hours=8))
    bench.now += timedelta(days=2)
    assert late(bench, 1, "empty", at=bench.now - timedelta(hours=9)).code == "late_too_old"
    assert late(bench, 1, "empty", at=bench.now - timedelta(hours=7)).code == "emptied"


def test_a_count_from_before_the_last_event_is_parked(bench: Bench) -> None:
    at = bench.now + timedelta(minutes=1)
    bench.scan(1, "open")
    assert late(bench, 1, "count", at=at, quantity=3, is_leader=True).code == "late_conflict"
    assert bench.scan(1, "count", quantity=3, is_leader=True).code == "counted"


def test_undo_of_a_signal_that_went_upstream_takes_it_back_by_a_new_event(bench: Bench) -> None:
    bench.scan(1, "empty")
    decision = bench.scan(1, "undo", at=1, minutes=1)
    assert [event.type for event in decision.entries] == ["scan.applied", "card.unopened", "turn.cancelled"]


def gathered(kind: str = "PRODUCTION") -> tuple[Bench, datetime]:
    """A card whose signal went out with a batch that another card completed, half an hour after its own last scan."""
    bench = Bench(make_loop(("FULL",) * 3, kind=kind, accumulate=Accumulate.CARDS, accumulate_cards=2))
    bench.scan(1, "empty")
    emptied = bench.now
    bench.scan(2, "empty", minutes=30)
    return bench, emptied


@pytest.mark.parametrize("intent", ["start", "complete", "load"])
def test_work_from_before_the_signal_went_out_is_parked(intent: str) -> None:
    bench, emptied = gathered()
    assert late(bench, 1, intent, at=emptied + timedelta(minutes=10)).code == "late_conflict"
    turn = bench.loop.cards[1].turn
    assert turn is not None
    assert turn.started_at is None


def test_a_clock_a_second_behind_starts_when_the_signal_went_out() -> None:
    bench, emptied = gathered()
    released = emptied + timedelta(minutes=30)
    assert late(bench, 1, "start", at=released - timedelta(seconds=1)).outcome is Outcome.APPLIED
    turn = bench.loop.cards[1].turn
    assert turn is not None
    assert turn.started_at == turn.released_at == released
