"""Every cell of the table: each status, each intent, each kind; allowed with its effect, refused with its words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from jitapp.kanban.answers import say
from jitapp.kanban.state import Card
from jitapp.kanban.vocabulary import CardStatus, Intent, LoopKind, SupplyStatus
from tests.kanban.cells import brought, scanned
from tests.kanban.loops import Bench, make_loop

UTC = ZoneInfo("UTC")

# What each cell answers, for every kind of loop: a code of the catalogue and, where it is applied, `>` the supply
# status that follows, `/` the card status if it is no longer in circulation, and the state of its open turn. Literal,
# and held against the book cell by cell: nothing here is computed from the tables of the rules. A leader scans, with
# all that may be asked for, at the end of the loop where it is done; scans brought the container to its status.
CELLS = """
at          | FULL                   | IN_USE                 | EMPTY
activate    | card_active            | card_active            | card_active
open        | opened>IN_USE          | already_done           | wrong_step
empty       | emptied>EMPTY RELEASED | emptied>EMPTY RELEASED | already
acknowledge | no_open_turn           | no_open_turn           | acknowledged>EMPTY ACKNOWLEDGED
start       | overproduction         | overproduction         | started>IN_PROCESS RELEASED
complete    | overproduction         | overproduction         | completed>COMPLETED RELEASED
abort       | overproduction         | overproduction         | wrong_step
load        | overproduction         | overproduction         | loaded>IN_TRANSIT RELEASED
receive     | already_done           | overproduction         | received>FULL
hold        | held>FULL/HELD         | held>IN_USE/HELD       | held>WAIT/HELD UNRELEASED
release     | nothing_to_release     | nothing_to_release     | nothing_to_release
undo        | undo_nothing           | undone>FULL            | undone>FULL
found       | not_lost               | not_lost               | not_lost
count       | counted_right>FULL     | counted_right>IN_USE   | count_not_here
correct     | already_done           | corrected>FULL         | corrected>FULL
promise     | no_open_turn           | no_open_turn           | promised>EMPTY RELEASED
reject      | no_open_turn           | no_open_turn           | rejected>EMPTY REJECTED
ship        | overproduction         | overproduction         | loaded>IN_TRANSIT RELEASED
dock        | no_open_turn           | no_open_turn           | not_on_its_way
cancel      | no_open_turn           | no_open_turn           | cancelled>WAIT
lost        | lost>FULL/LOST         | lost>IN_USE/LOST       | lost>EMPTY/LOST
remove      | removed>FULL/REMOVED   | removed>IN_USE/REMOVED | removed>EMPTY/REMOVED
retry       | not_in_error           | not_in_error           | not_in_error
recall      | no_open_turn           | no_open_turn           | recalled>WAIT UNRELEASED
block       | blocked>FULL           | blocked>IN_USE         | block_not_here
unblock     | not_blocked            | not_blocked            | not_blocked

at          | WAIT                      | ERROR                    | IN_PROCESS
activate    | card_active               | card_active              | card_active
open        | wrong_step                | card_in_error            | wrong_step
empty       | already_done              | card_in_error            | already
acknowledge | not_released              | card_in_error            | too_late_to_answer
start       | not_released              | card_in_error            | already
complete    | not_released              | card_in_error            | completed>COMPLETED RELEASED
abort       | wrong_step                | card_in_error            | aborted>EMPTY RELEASED
load        | not_released              | card_in_error            | loaded>IN_TRANSIT RELEASED
receive     | not_released              | card_in_error            | received>FULL
hold        | held>WAIT/HELD UNRELEASED | held>ERROR/HELD RELEASED | held>IN_PROCESS/HELD RELEASED
release     | released>EMPTY RELEASED   | card_in_error            | nothing_to_release
undo        | undo_nothing              | card_in_error            | undone>EMPTY RELEASED
found       | not_lost                  | not_lost                 | not_lost
count       | count_not_here            | count_not_here           | count_not_here
correct     | corrected>FULL            | corrected>FULL           | corrected>FULL
promise     | not_released              | card_in_error            | promised>IN_PROCESS RELEASED
reject      | not_released              | card_in_error            | too_late_to_answer
ship        | not_released              | card_in_error            | loaded>IN_TRANSIT RELEASED
dock        | not_on_its_way            | card_in_error            | not_on_its_way
cancel      | cancelled>WAIT            | card_in_error            | too_late_to_cancel
lost        | lost>WAIT/LOST            | lost>ERROR/LOST          | lost>IN_PROCESS/LOST RELEASED
remove      | removed>WAIT/REMOVED      | removed>ERROR/REMOVED    | remove_under_way
retry       | not_in_error              | recovered>EMPTY RELEASED | not_in_error
recall      | already_recalled          | card_in_error            | too_late_to_cancel
block       | block_not_here            | block_not_here           | block_not_here
unblock     | not_blocked               | not_blocked              | not_blocked

at          | COMPLETED                    | IN_TRANSIT
activate    | card_active                  | card_active
open        | wrong_step                   | wrong_step
empty       | wrong_step                   | wrong_step
acknowledge | too_late_to_answer           | too_late_to_answer
start       | wrong_step                   | wrong_step
complete    | already                      | wrong_step
abort       | wrong_step                   | wrong_step
load        | loaded>IN_TRANSIT RELEASED   | already
receive     | received>FULL                | received>FULL
hold        | held>COMPLETED/HELD RELEASED | held>IN_TRANSIT/HELD RELEASED
release     | nothing_to_release           | nothing_to_release
undo        | undone>IN_PROCESS RELEASED   | undone>COMPLETED RELEASED
found       | not_lost                     | not_lost
count       | count_not_here               | count_not_here
correct     | corrected>FULL               | corrected>FULL
promise     | promised>COMPLETED RELEASED  | promised>IN_TRANSIT RELEASED
reject      | too_late_to_answer           | too_late_to_answer
ship        | loaded>IN_TRANSIT RELEASED   | already
dock        | not_on_its_way               | docked>IN_TRANSIT RELEASED
cancel      | too_late_to_cancel           | too_late_to_cancel
lost        | lost>COMPLETED/LOST RELEASED | lost>IN_TRANSIT/LOST RELEASED
remove      | remove_under_way             | remove_under_way
retry       | not_in_error                 | not_in_error
recall      | too_late_to_cancel           | too_late_to_cancel
block       | block_not_here               | block_not_here
unblock     | not_blocked                  | not_blocked

at          | NEW                   | HELD                    | SURPLUS
activate    | activated>FULL        | card_held               | card_retired
open        | card_new              | card_held               | card_retired
empty       | card_new              | card_held               | card_retired
acknowledge | no_open_turn          | no_open_turn            | no_open_turn
start       | card_new              | card_held               | card_retired
complete    | card_new              | card_held               | card_retired
abort       | card_new              | card_held               | card_retired
load        | card_new              | card_held               | card_retired
receive     | card_new              | card_held               | card_retired
hold        | card_new              | already_held            | card_retired
release     | card_new              | hold_released>FULL      | card_retired
undo        | undo_nothing          | undo_nothing            | undone>FULL
found       | not_lost              | not_lost                | not_lost
count       | card_new              | counted_right>FULL/HELD | card_retired
correct     | card_new              | card_held               | card_retired
promise     | no_open_turn          | no_open_turn            | no_open_turn
reject      | no_open_turn          | no_open_turn            | no_open_turn
ship        | card_new              | card_held               | card_retired
dock        | no_open_turn          | no_open_turn            | no_open_turn
cancel      | no_open_turn          | no_open_turn            | no_open_turn
lost        | card_new              | lost>FULL/LOST          | card_retired
remove      | removed>EMPTY/REMOVED | removed>FULL/REMOVED    | removed>EMPTY/REMOVED
retry       | not_in_error          | not_in_error            | not_in_error
recall      | card_new              | card_held               | card_retired
block       | card_new              | card_held               | card_retired
unblock     | not_blocked           | not_blocked             | not_blocked

at          | OBSOLETE             | LOST                 | REMOVED
activate    | card_retired         | card_lost            | card_retired
open        | card_retired         | card_lost            | card_retired
empty       | card_retired         | card_lost            | card_retired
acknowledge | no_open_turn         | no_open_turn         | no_open_turn
start       | card_retired         | card_lost            | card_retired
complete    | card_retired         | card_lost            | card_retired
abort       | card_retired         | card_lost            | card_retired
load        | card_retired         | card_lost            | card_retired
receive     | card_retired         | card_lost            | card_retired
hold        | card_retired         | card_lost            | card_retired
release     | card_retired         | card_lost            | card_retired
undo        | undo_nothing         | undo_nothing         | undo_nothing
found       | not_lost             | found>FULL           | not_lost
count       | card_retired         | card_lost            | card_retired
correct     | card_retired         | card_lost            | card_retired
promise     | no_open_turn         | no_open_turn         | no_open_turn
reject      | no_open_turn         | no_open_turn         | no_open_turn
ship        | card_retired         | card_lost            | card_retired
dock        | no_open_turn         | no_open_turn         | no_open_turn
cancel      | no_open_turn         | no_open_turn         | no_open_turn
lost        | card_retired         | already_lost         | card_retired
remove      | removed>FULL/REMOVED | removed>FULL/REMOVED | card_retired
retry       | not_in_error         | not_in_error         | not_in_error
recall      | card_retired         | card_lost            | card_retired
block       | card_retired         | card_lost            | card_retired
unblock     | not_blocked          | not_blocked          | not_blocked
"""

# An order of an EVENT loop is a card with one turn: it ends with its container, or with its signal.
OF_AN_ORDER = """
at     | in     | of an order
empty  | FULL   | emptied_last>EMPTY/REMOVED
empty  | IN_USE | emptied_last>EMPTY/REMOVED
undo   | EMPTY  | undo_nothing
cancel | EMPTY  | cancelled_last>WAIT/REMOVED
cancel | WAIT   | cancelled_last>WAIT/REMOVED
undo   | ERROR  | undo_nothing
found  | LOST   | found_last>EMPTY/REMOVED
remove | LOST   | removed>EMPTY/REMOVED
"""
SUPPLY_STATUSES = frozenset(SupplyStatus)
LIVES = frozenset(CardStatus) - {CardStatus.IN_CIRCULATION}


def _rows(table: str) -> list[list[str]]:
    return [[word.strip() for word in line.split("|")] for line in table.strip().splitlines() if line]


def _cells() -> dict[tuple[LoopKind, str, str], str]:
    """(kind, status, intent) -> what is expected."""
    plain: dict[tuple[str, str], str] = {}
    for table in CELLS.split("\n\n"):
        (_, *statuses), *rows = _rows(table)
        for intent, *cells in rows:
            plain |= {(status, intent): cell for status, cell in zip(statuses, cells, strict=True)}
    orders = plain | {(status, intent): cell for intent, status, cell in _rows(OF_AN_ORDER)[1:]}
    return {
        (kind, *place): cell
        for kind in LoopKind
        for place, cell in (orders if kind is LoopKind.EVENT else plain).items()
    }


EXPECTED = _cells()


def test_there_is_a_cell_for_every_status_every_intent_and_every_kind() -> None:
    whole = {
        (kind, str(status), str(intent))
        for kind in LoopKind
        for status in SUPPLY_STATUSES | LIVES
        for intent in Intent
    }
    assert set(EXPECTED) == whole
    assert len(EXPECTED) == 6 * (8 + 6) * 26 == 2_184


@pytest.mark.parametrize(("kind", "status", "intent"), EXPECTED)
def test_a_cell_of_the_table(kind: LoopKind, status: str, intent: str) -> None:
    code, _, state = EXPECTED[kind, status, intent].partition(">")
    bench = brought(kind, status)
    card = bench.loop.cards[1]
    before = (bench.loop.seq, _state_of(card))
    decision = scanned(bench, intent)
    assert decision.code == code
    message, next_step = say(decision.code, decision.facts, time_zone=UTC, now=bench.now)
    assert "{" not in message + next_step
    assert len(message) > 10
    assert len(next_step) > 2
    if state:
        assert decision.outcome == "applied"
        assert decision.entries
        assert _state_of(card) == state
        return
    assert decision.outcome in ("refused", "already")
    assert not decision.entries
    assert (bench.loop.seq, _state_of(card)) == before
    if code in SAY_WHAT_FITS:
        assert str(decision.facts["expected"]) in next_step
    else:
        assert next_step[0].isupper()  # one sentence of its own that says what to do


# Refusals of a step name the step that fits the card now.
SAY_WHAT_FITS = frozenset({"wrong_step", "step_prohibited", "move_not_known"})


def _state_of(card: Card) -> str:
    """As the tables write it."""
    status = str(card.supply_status)
    if card.card_status is not CardStatus.IN_CIRCULATION:
        status += f"/{card.card_status}"
    return f"{status} {card.turn.signal_state}" if card.turn is not None else status


def test_a_refusal_says_what_is_expected_now() -> None:
    bench = Bench(make_loop())
    bench.bring(1, "IN_TRANSIT")
    decision = bench.scan(1, "complete")
    message, next_step = say(decision.code, decision.facts, time_zone=UTC, now=bench.now)
    assert message == "PART card 1 of 2 is IN TRANSIT; complete does not follow."
    assert next_step == "Expected now: receive."


def test_steps_left_out_are_implied_in_order_with_the_same_instant() -> None:
    bench = Bench(make_loop())
    bench.bring(1, "EMPTY")
    decision = bench.scan(1, "receive")
    types = [event.type for event in decision.entries]
    assert types == ["scan.applied", "turn.started", "turn.completed", "turn.received"]
    assert {event.occurred_at for event in decision.entries} == {bench.now}
    assert [getattr(event.event, "implied", None) for event in decision.entries] == [None, True, True, None]


def test_a_mandatory_step_cannot_be_left_out() -> None:
    bench = Bench(make_loop(sequence={"COMPLETED": "MANDATORY"}))
    bench.bring(1, "EMPTY")
    decision = bench.scan(1, "receive")
    assert (decision.code, decision.facts["missing"]) == ("step_missing", "COMPLETED")


def test_a_prohibited_step_is_refused() -> None:
    bench = Bench(make_loop(sequence={"IN_TRANSIT": "PROHIBITED"}))
    bench.bring(1, "COMPLETED")
    assert bench.scan(1, "load").code == "step_prohibited"


def test_a_loop_without_transport_is_full_once_it_is_completed() -> None:
    bench = Bench(make_loop(sequence={"IN_TRANSIT": "PROHIBITED", "COMPLETED": "PROHIBITED"}))
    bench.bring(1, "EMPTY")
    bench.scan(1, "start")
    assert bench.scan(1, "complete").code == "received"
    assert bench.loop.cards[1].supply_status == "FULL"
