"""What a scan is answered with: codes that no other story tells, the words, the sound and the screen of an answer."""

from __future__ import annotations

import ast
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import jitapp
from jitapp.kanban.answers import ANSWERS, feedback, say
from jitapp.kanban.events.cards import CardRelabelled
from jitapp.kanban.events.turns import TurnAcknowledged
from jitapp.kanban.ledger import Decision, Ledger, Scan
from jitapp.kanban.lifecycle import facts_of
from jitapp.kanban.state import Loop
from jitapp.kanban.swap import Swap, swap
from jitapp.kanban.vocabulary import (
    DocPolicy,
    LoopKind,
    LoopStatus,
    Outcome,
    ScanClass,
    ScreenState,
    Sound,
    StationKind,
    SupplyStatus,
    Trigger,
)
from jitapp.kanban.warnings import WARNINGS
from tests.kanban.loops import DEMAND, ELSEWHERE, START, SUPPLY, Bench, make_loop, new_uuid

UTC = ZoneInfo("UTC")


def told(bench: Bench, decision: Decision) -> tuple[str, str]:
    """The sentence and the next step as a person reads them."""
    return say(decision.code, decision.facts, time_zone=UTC, now=bench.now, warnings=tuple(decision.warnings))


@pytest.fixture
def bench() -> Bench:
    return Bench(make_loop())


@pytest.fixture
def supplier() -> Bench:
    """A loop that a supplier fills, its first card emptied."""
    bench = Bench(make_loop(kind=LoopKind.SUPPLIER, supply_kind=StationKind.SUPPLIER))
    bench.scan(1, "empty")
    return bench


# -- emptied --------------------------------------------------------------------------------------------
def test_an_emptied_card_waits_for_its_document_where_the_loop_asks_for_one() -> None:
    bench = Bench(make_loop(doc_policy=DocPolicy.WAIT_FOR_DOC_NUMBER))
    assert bench.scan(1, "empty").code == "emptied_pending_doc"


def test_a_quantity_loop_with_enough_stock_asks_for_nothing() -> None:
    bench = Bench(make_loop(trigger=Trigger.ON_QTY, reorder_level=Decimal(3)))
    assert bench.scan(1, "empty").code == "emptied_enough"


def test_a_loop_that_is_not_in_use_takes_no_scans() -> None:
    assert Bench(make_loop(status=LoopStatus.RETIRED)).scan(1, "empty").code == "loop_not_active"


# -- said twice -----------------------------------------------------------------------------------------
def test_a_card_is_held_once(bench: Bench) -> None:
    assert bench.scan(1, "hold", reason="scratches", is_leader=True).code == "held"
    assert bench.scan(1, "hold", reason="scratches", is_leader=True).code == "already_held"


def test_a_card_is_lost_once(bench: Bench) -> None:
    bench.scan(1, "lost")
    assert bench.scan(1, "lost").code == "already_lost"


def test_a_signal_is_acknowledged_once(supplier: Bench) -> None:
    assert supplier.scan(1, "acknowledge", at=SUPPLY).code == "acknowledged"
    assert supplier.scan(1, "acknowledge", at=SUPPLY).code == "already_acknowledged"


def test_a_container_comes_to_the_dock_once(supplier: Bench) -> None:
    supplier.scan(1, "ship", at=SUPPLY)
    assert supplier.scan(1, "dock").code == "docked"
    assert supplier.scan(1, "dock").code == "already_docked"


def test_a_late_scan_of_a_step_that_is_behind_the_card_only_goes_into_the_history(bench: Bench) -> None:
    bench.scan(1, "empty")
    bench.scan(1, "complete", minutes=30)
    late = bench.scan(1, "start", occurred_at=bench.now - timedelta(minutes=20), device_id=8)
    assert late.code == "late_passed"


# -- holds, losses, counts, corrections -------------------------------------------------------------------
def test_a_held_card_with_a_full_container_takes_part_again_without_a_signal(bench: Bench) -> None:
    bench.scan(1, "hold", reason="check", is_leader=True)
    assert bench.scan(1, "release", is_leader=True).code == "hold_released"


def test_a_card_that_waits_for_nothing_cannot_be_released(bench: Bench) -> None:
    assert bench.scan(1, "release", is_leader=True).code == "nothing_to_release"


def test_only_a_lost_card_can_be_found(bench: Bench) -> None:
    assert bench.scan(1, "found", is_leader=True).code == "not_lost"


def test_a_card_whose_container_is_under_way_stays(bench: Bench) -> None:
    bench.bring(1, "IN_TRANSIT")
    assert bench.scan(1, "remove", is_leader=True).code == "remove_under_way"


def test_a_count_without_a_number_counts_nothing(bench: Bench) -> None:
    assert bench.scan(1, "count").code == "quantity_missing"


def test_a_count_that_agrees_says_so(bench: Bench) -> None:
    assert bench.scan(1, "count", quantity=4).code == "counted_right"


def test_a_container_that_is_away_cannot_be_counted(bench: Bench) -> None:
    bench.bring(1, "IN_PROCESS")
    assert bench.scan(1, "count", quantity=4).code == "count_not_here"


def test_a_correction_names_the_status_that_is_true(bench: Bench) -> None:
    assert bench.scan(1, "correct", reason="mixed up", is_leader=True).code == "status_missing"


def test_a_card_without_a_signal_is_not_corrected_into_work(bench: Bench) -> None:
    decision = bench.scan(1, "correct", reason="mixed up", is_leader=True, target=SupplyStatus.IN_PROCESS)
    assert decision.code == "correct_needs_signal"


# -- suppliers, buyers, docks ------------------------------------------------------------------------------
def test_a_card_without_an_open_signal_has_nothing_to_acknowledge(supplier: Bench) -> None:
    assert supplier.scan(2, "acknowledge", at=SUPPLY).code == "no_open_turn"


def test_a_promise_has_a_date(supplier: Bench) -> None:
    assert supplier.scan(1, "promise", at=SUPPLY).code == "promise_missing"
    date = supplier.now + timedelta(days=1)
    assert supplier.scan(1, "promise", at=SUPPLY, promised_at=date).code == "promised"


def test_a_promise_after_the_due_date_is_taken_and_said(supplier: Bench) -> None:
    date = supplier.now + timedelta(days=9)
    decision = supplier.scan(1, "acknowledge", at=SUPPLY, promised_at=date)
    assert (decision.code, decision.warnings) == ("acknowledged", [WARNINGS["promise_late"]])


def test_a_supplier_says_no_with_a_reason(supplier: Bench) -> None:
    assert supplier.scan(1, "reject", at=SUPPLY).code == "reason_missing"
    assert supplier.scan(1, "reject", at=SUPPLY, reason="no steel").code == "rejected"


def test_what_is_begun_is_not_rejected_any_more(supplier: Bench) -> None:
    supplier.scan(1, "start", at=SUPPLY)
    assert supplier.scan(1, "reject", at=SUPPLY, reason="no steel").code == "too_late_to_answer"


def test_what_was_not_sent_cannot_arrive(supplier: Bench) -> None:
    assert supplier.scan(1, "dock").code == "not_on_its_way"


def test_what_is_begun_is_not_cancelled_any_more(supplier: Bench) -> None:
    supplier.scan(1, "start", at=SUPPLY)
    assert supplier.scan(1, "cancel", reason="no need", is_leader=True).code == "too_late_to_cancel"


def test_what_is_promised_is_cancelled_by_a_leader_alone(supplier: Bench) -> None:
    supplier.scan(1, "acknowledge", at=SUPPLY)
    assert supplier.scan(1, "cancel", reason="no need", roles=frozenset({"buyer"})).code == (
        "cancel_needs_consent"
    )
    assert supplier.scan(1, "cancel", reason="no need", is_leader=True).code == "cancelled"


def test_an_emptying_is_not_undone_once_the_other_side_has_acted() -> None:
    bench = Bench(make_loop(trigger=Trigger.ON_EMPTY))
    emptied = bench.scan(1, "empty")
    turn = bench.loop.cards[1].turn
    assert turn is not None
    Ledger(bench.loop, at=bench.now).write(TurnAcknowledged(), bench.loop.cards[1], turn=turn)
    assert bench.scan(1, "undo", minutes=1, last_entries=tuple(emptied.entries)).code == "undo_acted_on"


def test_a_line_that_stands_still_starts_nothing(bench: Bench) -> None:
    bench.scan(1, "empty")
    assert bench.scan(1, "start", line_stopped="tool broken").code == "line_stopped"


# -- the swap ----------------------------------------------------------------------------------------------
def swapped(**market: Any) -> Swap:
    """A withdrawal card, emptied, and the first card of a production loop in its supermarket."""
    moves = make_loop(kind=LoopKind.WITHDRAWAL, supply_kind=StationKind.SUPERMARKET, supply_id=4)
    makes = make_loop(id=2, kind=LoopKind.PRODUCTION, demand_id=4, **market)
    bench, other = Bench(moves), Bench(makes)
    bench.scan(1, "empty")
    if not market:
        other.scan(1, "empty", at=4)
    scan = _scan(bench)
    return swap(moves, moves.cards[1], makes, makes.cards[1], scan)


def swapped_with(**counters: Any) -> Swap:
    """A swap with a full container of a production loop with these counters."""
    moves = make_loop(kind=LoopKind.WITHDRAWAL, supply_kind=StationKind.SUPERMARKET, supply_id=4)
    makes = make_loop(id=2, kind=LoopKind.PRODUCTION, demand_id=4)
    for name, count in counters.items():
        setattr(makes, name, count)
    bench = Bench(moves)
    bench.scan(1, "empty")
    return swap(moves, moves.cards[1], makes, makes.cards[1], _scan(bench))


def _scan(bench: Bench) -> Scan:
    at = bench.now + timedelta(minutes=10)
    return Scan(id=new_uuid(), occurred_at=at, recorded_at=at, new_uuid=new_uuid, station_id=4, device_id=7)


def test_a_swap_with_a_container_of_another_part_changes_nothing() -> None:
    assert swapped(part_id=2, part="OTHER").decision.code == "swap_other_part"


def test_a_swap_with_an_empty_container_changes_nothing() -> None:
    assert swapped().decision.code == "swap_not_full"


# -- what a scan was, in its sequence --------------------------------------------------------------------------
def test_the_card_of_the_bin_before_is_asked_about_when_the_next_one_must_be_empty(bench: Bench) -> None:
    bench.scan(1, "empty")
    again = bench.scan(1, "empty", minutes=70, device_id=8)
    assert (again.code, again.kind) == ("already", ScanClass.WRONG_CARD)
    assert told(bench, again)[0].endswith("Did you mean card 2?")


def test_the_same_card_scanned_again_within_minutes_is_a_signal_repeated(bench: Bench) -> None:
    bench.scan(1, "empty")
    again = bench.scan(1, "empty", minutes=2, device_id=8)
    assert (again.code, again.kind, again.warnings) == ("already", ScanClass.REPEATED_SIGNAL, [])


def test_emptying_a_full_bin_beside_an_open_one_counts_and_is_asked_about() -> None:
    bench = Bench(make_loop(("FULL", "FULL", "FULL"), kind=LoopKind.PRODUCTION))
    bench.scan(1, "open")
    decision = bench.scan(2, "empty")
    assert (decision.code, decision.kind) == ("emptied", ScanClass.WRONG_CARD)
    assert told(bench, decision)[0].endswith("Did you mean card 1?")


def test_a_second_open_bin_is_said(bench: Bench) -> None:
    bench.scan(1, "open")
    assert told(bench, bench.scan(2, "open"))[0].endswith("Card 1 is still in use: use it up first.")


def test_a_filled_container_is_not_begun_again_and_the_waiting_card_is_named() -> None:
    bench = Bench(make_loop(("FULL", "FULL", "FULL"), kind=LoopKind.PRODUCTION))
    bench.bring(1, "COMPLETED")
    bench.bring(2, "EMPTY")
    decision = bench.scan(1, "start")
    assert (decision.code, decision.kind, decision.facts["meant"]) == ("wrong_step", ScanClass.WRONG_CARD, 2)


def test_a_stale_label_works_and_asks_for_its_reprint(bench: Bench) -> None:
    Ledger(bench.loop, at=START).write(CardRelabelled(), bench.loop.cards[1])
    decision = bench.scan(1, "empty")
    assert (decision.code, decision.kind) == ("emptied", ScanClass.STALE_LABEL)
    assert "Its label is out of date: a container holds 4 now." in told(bench, decision)[0]


def test_a_scan_elsewhere_is_of_the_wrong_station(bench: Bench) -> None:
    assert bench.scan(1, "empty", at=ELSEWHERE).kind is ScanClass.WRONG_STATION
    assert bench.scan(1, "start", at=DEMAND).kind is ScanClass.WRONG_STATION


def test_a_guess_about_the_card_changes_nothing(bench: Bench) -> None:
    bench.scan(1, "empty")
    before = bench.loop.seq
    assert bench.scan(1, "empty", minutes=70).kind is ScanClass.WRONG_CARD
    assert bench.loop.seq == before


# -- sound and screen --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "kind", "warned", "sound", "state"),
    [
        ("emptied", None, False, "rising", "applied"),
        ("emptied", None, True, "rising", "flagged"),
        ("emptied", ScanClass.WRONG_CARD, True, "rising", "wrong_card"),
        ("bounced", ScanClass.BOUNCE, False, "tick", "repeat"),
        ("already", ScanClass.REPEATED_SIGNAL, False, "level", "attention"),
        ("already", ScanClass.WRONG_CARD, True, "level", "wrong_card"),
        ("quantity_needs_reason", ScanClass.STALE_LABEL, True, "level", "stale_label"),
        ("wrong_station", None, False, "level", "wrong_place"),
        ("unknown_card", None, False, "falling", "unknown"),
        ("bad_check", None, False, "falling", "unread"),
        ("not_a_card_code", None, False, "level", "foreign"),
        ("card_retired", None, False, "falling", "withdrawn"),
        ("late_conflict", ScanClass.LATE, False, "level", "parked"),
    ],
)
def test_an_answer_is_heard_and_seen_for_what_it_is(
    code: str, kind: ScanClass | None, warned: bool, sound: str, state: str
) -> None:
    heard = feedback(code, kind=kind, warned=warned)
    assert (heard.sound, heard.state) == (sound, state)


@pytest.mark.parametrize("code", ANSWERS)
def test_what_is_recorded_rises_and_nothing_else_does(code: str) -> None:
    heard = feedback(code)
    assert (heard.sound is Sound.RISING) == (ANSWERS[code].outcome is Outcome.APPLIED)
    assert (heard.state in (ScreenState.APPLIED, ScreenState.FLAGGED)) == (heard.sound is Sound.RISING)


# -- the words ---------------------------------------------------------------------------------------------------
def known_facts(loop: Loop) -> set[str]:
    """What every decision knows, whatever it is about."""
    bench = Bench(loop)
    return set(facts_of(loop, loop.cards[1], _scan(bench), None))


def facts_added() -> set[str]:
    """What guards, steps and the doors of a scan add, read from their code: what is passed to `no`, and what is a key
    of facts. Bench.scan renders every answer, so each is proved where it is told."""
    found: set[str] = set()
    for folder in ("kanban", "pull"):
        for path in (Path(jitapp.__file__).parent / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "no":
                    found |= {keyword.arg for keyword in node.keywords if keyword.arg}
                elif isinstance(node, ast.Dict):
                    found |= {word for key in node.keys for word in _word(key)}
                elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                    found |= _word(node.slice)
    return found


def _word(node: ast.expr | None) -> set[str]:
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def test_every_sentence_is_filled_by_facts_that_somebody_gives() -> None:
    given = known_facts(make_loop()) | facts_added()
    for pattern in [text for s in ANSWERS.values() for text in (s.message, s.next)] + list(WARNINGS.values()):
        names = {name for _, name, _, _ in Formatter().parse(pattern) if name}
        assert names <= given, pattern


def test_words_inside_a_sentence_are_translated_too(bench: Bench) -> None:
    bench.bring(1, "IN_TRANSIT")
    decision = bench.scan(1, "complete")
    german = {"IN TRANSIT": "UNTERWEGS", "complete (step)": "Fertigmelden", "receive (step)": "Annehmen"}
    message, next_step = say(
        decision.code,
        decision.facts,
        time_zone=UTC,
        now=bench.now,
        translate=lambda text: german.get(text, text),
    )
    assert message == "PART card 1 of 2 is UNTERWEGS; Fertigmelden does not follow."
    assert next_step == "Expected now: Annehmen."


# -- what only the tables of test_every_cell get otherwise ----------------------------------------------------
def test_a_container_is_opened_and_filling_broken_off(bench: Bench) -> None:
    assert bench.scan(1, "open").code == "opened"
    bench.bring(2, "IN_PROCESS")
    assert bench.scan(2, "abort").code == "aborted"


def test_a_lost_card_whose_last_turn_is_over_goes_into_the_red_box(bench: Bench) -> None:
    bench.scan(1, "empty")
    bench.loop.cards[1].turns_left = 0
    bench.scan(1, "lost")
    found = bench.scan(1, "found", is_leader=True)
    assert (found.code, bench.loop.cards[1].card_status) == ("found_last", "REMOVED")
