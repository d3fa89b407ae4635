"""What each guard says, a story each; and what an undo takes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jitapp.kanban.answers import ANSWERS
from jitapp.kanban.vocabulary import Level, LoopKind, LoopStatus, Trigger
from tests.kanban.loops import ELSEWHERE, SUPPLY, Bench, make_loop


def test_the_same_device_reading_a_card_twice_counts_once() -> None:
    bench = Bench(make_loop())
    bench.scan(1, "empty")
    assert bench.scan(1, "empty", minutes=0.01).code == "bounced"
    assert bench.scan(1, None, at=1, minutes=0.01).code == "bounced"
    assert bench.scan(1, "empty", minutes=0.01, device_id=8).code == "already"


def test_a_default_never_moves_a_card_twice_at_one_station_within_a_minute() -> None:
    bench = Bench(make_loop())
    bench.scan(1, "empty")
    assert bench.scan(1, None, at=SUPPLY).code == "started"
    assert bench.scan(1, None, at=SUPPLY, minutes=0.5).code == "just_moved"
    assert bench.scan(1, None, at=SUPPLY, minutes=2).code == "completed"


@pytest.mark.parametrize(
    ("status", "station", "code"),
    [
        ("FULL", 1, "emptied"),
        ("IN_USE", 1, "emptied"),
        ("EMPTY", 1, "already"),
        ("IN_PROCESS", 1, "already"),
        ("COMPLETED", 1, "received"),
        ("IN_TRANSIT", 1, "received"),
        ("EMPTY", 2, "started"),
        ("IN_PROCESS", 2, "completed"),
        ("COMPLETED", 2, "loaded"),
        ("FULL", 2, "overproduction"),
        ("FULL", 3, "wrong_station"),
        ("FULL", None, "station_missing"),
    ],
)
def test_a_scan_without_an_intent_means_what_the_place_and_the_state_say(
    status: str, station: int | None, code: str
) -> None:
    bench = Bench(make_loop())
    bench.bring(1, status)
    bench.now += timedelta(hours=1)
    assert bench.scan(1, None, station_id=station).code == code


def test_the_other_side_may_not_do_it_unless_a_leader_overrides() -> None:
    bench = Bench(make_loop())
    assert bench.scan(1, "empty", at=SUPPLY).code == "not_your_side"
    assert bench.scan(1, "empty", at=ELSEWHERE).code == "wrong_station"
    assert bench.scan(1, "empty", at=SUPPLY, is_leader=True).code == "emptied"


def test_a_station_at_its_limit_declines_to_start_and_says_so() -> None:
    bench = Bench(make_loop(wip_limit=1))
    bench.bring(1, "EMPTY")
    decision = bench.scan(1, "start", in_process=1)
    assert (decision.code, decision.facts["count"]) == ("wip_limit", 1)
    assert bench.scan(1, "start", in_process=0).code == "started"


def test_a_bin_cannot_be_empty_sooner_than_its_pieces_can_be_used() -> None:
    bench = Bench(make_loop(min_turn_minutes=600, min_turn_level=Level.BLOCK))
    assert bench.scan(1, "empty").code == "too_soon"
    bench = Bench(make_loop(min_turn_minutes=600, min_turn_level=Level.WARN))
    decision = bench.scan(1, "empty")
    assert (decision.code, len(decision.warnings)) == ("emptied", 1)


@pytest.mark.parametrize(
    ("quantity", "reason", "code"),
    [
        ("4", "", "completed"),
        ("3", "", "quantity_needs_reason"),
        ("3", "scrap", "completed"),
        ("0", "", "quantity_unreadable"),
        ("-1", "", "quantity_unreadable"),
        ("1.5", "", "quantity_unreadable"),
        ("5", "", "quantity_exceeds_container"),
        ("900", "too many", "quantity_exceeds_container"),
    ],
)
def test_another_quantity_than_asked_needs_a_reason(quantity: str, reason: str, code: str) -> None:
    bench = Bench(make_loop())
    bench.bring(1, "IN_PROCESS")
    assert bench.scan(1, "complete", quantity=quantity, reason=reason).code == code


@pytest.mark.parametrize(
    ("status", "code"),
    [("HELD", "card_held"), ("SURPLUS", "card_retired"), ("OBSOLETE", "card_retired"), ("LOST", "card_lost")],
)
def test_a_card_out_of_circulation_says_where_to_put_it(status: str, code: str) -> None:
    bench = Bench(make_loop())
    bench.loop.cards[1].card_status = status  # type: ignore[assignment]
    assert bench.scan(1, "open").code == code


def test_a_new_card_is_activated_full_or_empty() -> None:
    bench = Bench(make_loop(first=("NEW", "NEW")))
    assert bench.scan(1, "empty").code == "card_new"
    assert bench.scan(1, None, at=1).code == "activated"
    assert bench.loop.cards[1].supply_status == "FULL"
    assert bench.scan(2, "activate", quantity=0).code == "activated"
    assert bench.loop.cards[2].turn is not None
    assert bench.scan(2, "activate", minutes=60).code == "card_active"


def test_a_loop_on_hold_counts_the_demand_and_sends_no_signal() -> None:
    bench = Bench(make_loop(status=LoopStatus.ON_HOLD, hold_reason="tool broken"))
    decision = bench.scan(1, "empty")
    assert decision.code == "emptied_on_hold"
    assert bench.loop.suppressed == 1
    turn = bench.loop.cards[1].turn
    assert turn is not None
    assert turn.signal_state == "UNRELEASED"
    assert bench.scan(1, "start").code == "loop_on_hold"
    assert bench.loop.runout is None


def test_a_late_scan_never_moves_a_card_that_has_moved_on() -> None:
    bench = Bench(make_loop())
    bench.scan(1, "empty")
    bench.scan(1, "receive")
    late = bench.now - timedelta(minutes=15)
    assert bench.scan(1, "empty", occurred_at=late, device_id=8).code == "late_history"
    assert (
        bench.scan(1, "start", occurred_at=late, device_id=8).code == "late_conflict"
    )  # nothing was asked yet
    meanwhile = late + timedelta(minutes=8)
    assert bench.scan(1, "start", occurred_at=meanwhile, device_id=8).code == "late_passed"
    assert bench.scan(1, "receive", occurred_at=late, device_id=8).code == "already_done"


def test_two_clocks_a_second_apart_do_not_make_a_scan_late() -> None:
    bench = Bench(make_loop())
    bench.scan(1, "empty")
    at = bench.now - timedelta(seconds=1)
    assert bench.scan(1, "start", occurred_at=at, device_id=8).code == "started"


def test_a_card_that_asked_at_its_first_piece_does_not_ask_again_when_it_is_empty() -> None:
    bench = Bench(make_loop(trigger=Trigger.ON_IN_USE))
    bench.scan(1, "open")
    turn = bench.loop.cards[1].turn
    assert turn is not None
    assert bench.scan(1, "empty").code == "emptied_under_way"
    assert bench.loop.cards[1].turn is turn


# -- undo ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", ["IN_USE", "EMPTY", "IN_PROCESS", "COMPLETED", "IN_TRANSIT"])
def test_the_last_scan_is_undone_one_step(status: str) -> None:
    before = {
        "IN_USE": "FULL",
        "EMPTY": "FULL",
        "IN_PROCESS": "EMPTY",
        "COMPLETED": "IN_PROCESS",
        "IN_TRANSIT": "COMPLETED",
    }
    bench = Bench(make_loop())
    bench.bring(1, status)
    station = 1 if status in ("IN_USE", "EMPTY") else SUPPLY
    assert bench.scan(1, "undo", at=station, minutes=1).code == "undone"
    card = bench.loop.cards[1]
    assert card.supply_status == before[status]
    assert card.turn is None or card.turn.step == (
        "" if card.supply_status == "EMPTY" else card.supply_status
    )
    assert bench.loop.cards[2].supply_status in ("FULL", "IN_USE")


def test_a_fill_without_transport_is_received_and_not_undone() -> None:
    """Found by a million random moves: the container went back to EMPTY, and nobody had asked for it (rule C8)."""
    shop = Bench(
        make_loop(
            ("FULL", "FULL"),
            kind=LoopKind.TRANSFER,
            sequence={"IN_TRANSIT": "PROHIBITED", "COMPLETED": "PROHIBITED"},
        )
    )
    shop.scan(1, "empty")
    assert shop.scan(1, "complete").code == "received"
    assert shop.loop.cards[1].supply_status == "FULL"
    assert shop.scan(1, "undo", minutes=0.5, at=SUPPLY).code == "undo_nothing"
    assert shop.loop.cards[1].supply_status == "FULL"


def test_undo_has_its_window_its_owner_and_its_end() -> None:
    bench = Bench(make_loop())
    assert bench.scan(1, "undo").code == "undo_nothing"
    bench.scan(1, "empty")
    assert bench.scan(1, "undo", minutes=1, device_id=8).code == "undo_not_yours"
    assert bench.scan(1, "undo", minutes=5).code == "undo_too_late"
    bench.scan(1, "start", minutes=0.1)
    bench.scan(1, "abort", minutes=0.1)
    assert bench.scan(1, "undo", at=SUPPLY, minutes=0.1).code == "undo_nothing"


def test_every_sentence_of_the_catalogue_has_a_message_and_a_next_step() -> None:
    for code, sentence in ANSWERS.items():
        assert sentence.message.endswith((".", "?")), code
        assert sentence.next.endswith((".", "?")), code
