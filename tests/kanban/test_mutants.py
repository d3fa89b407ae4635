"""The tests have teeth: sixteen faults are planted in the rules, one at a time, and each is caught by name.

Faults of the store (no lock, no key check, publish after commit) are planted in tests/races.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from jitapp.kanban import acts, draws, guards, ledger, lifecycle, market, moves, signals, swap
from jitapp.kanban.vocabulary import LoopKind, SignalState
from tests.kanban import test_every_cell as cells
from tests.kanban import test_market as markets
from tests.kanban import test_properties as properties
from tests.kanban.test_machine import Shop

Plant = Callable[[pytest.MonkeyPatch], None]
Proof = Callable[[], object]


def machine() -> None:
    """Up to 15,000 random moves with a fixed seed, without looking for the shortest story."""
    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=300,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def without(name: str) -> Plant:
    """A guard is removed."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        left = tuple(guard for guard in guards.GUARDS if guard.__name__ != name)
        assert len(left) == len(guards.GUARDS) - 1, name
        patch.setattr(lifecycle, "GUARDS", left)

    return plant


def dropped(type_: str) -> Plant:
    """An event is never written."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        honest = ledger.Ledger.write

        def write(self: ledger.Ledger, name: str, *args: Any, **facts: Any) -> Any:
            return None if name == type_ else honest(self, name, *args, **facts)

        patch.setattr(ledger.Ledger, "write", write)

    return plant


def asks_twice(patch: pytest.MonkeyPatch) -> None:
    """An emptied card asks although its turn is open."""
    patch.setattr(
        moves, "signal", lambda book, card, new_uuid: (signals.dispatch(book, card, new_uuid()), "emptied")[1]
    )


def anything_may_be_filled(patch: pytest.MonkeyPatch) -> None:
    """C5: filling no longer needs a released signal."""
    patch.setattr(guards, "MAY_FILL", frozenset(SignalState))


def nothing_is_recalled(patch: pytest.MonkeyPatch) -> None:
    """C12: a held card keeps its signal out."""
    patch.setattr(acts, "recall", lambda book, card: None)


def takes_what_is_promised(patch: pytest.MonkeyPatch) -> None:
    """A draw takes one piece more than it says."""
    honest = draws._take

    def take(book: ledger.Ledger, card: Any, pieces: Decimal, **more: Any) -> None:
        honest(book, card, min(pieces + 1, card.contents), **more)

    patch.setattr(draws, "_take", take)


def any_container_may_be_swapped(patch: pytest.MonkeyPatch) -> None:
    """The swap no longer looks at the production card."""
    patch.setattr(swap, "_fits", lambda *_args: None)


def no_runout(patch: pytest.MonkeyPatch) -> None:
    """C9: nobody notices that a loop is dry."""
    patch.setattr(ledger, "is_dry", lambda loop: False)


def the_newest_is_served_first(patch: pytest.MonkeyPatch) -> None:
    """W5: the supermarket serves whoever asked last."""
    patch.setattr(market, "_order", lambda pair: -pair[1].turn.opened_at.timestamp())


def a_batch_leaves_one_behind(patch: pytest.MonkeyPatch) -> None:
    """4.5: not all that was gathered goes out."""
    honest = signals.accumulating
    patch.setattr(signals, "accumulating", lambda loop: honest(loop)[1:])


MUTANTS: dict[str, tuple[Plant, Proof]] = {
    "the repeated-signal guard (G8) is removed": (
        without("_repeated"),
        cells.test_a_default_never_moves_a_card_twice_at_one_station_within_a_minute,
    ),
    "the place guard (G7) is removed": (
        without("_place"),
        cells.test_the_other_side_may_not_do_it_unless_a_leader_overrides,
    ),
    "the late guard (G12) is removed": (
        without("_late"),
        cells.test_a_late_scan_never_moves_a_card_that_has_moved_on,
    ),
    "the quantity guard (G11) is removed": (
        without("_quantity"),
        lambda: cells.test_another_quantity_than_asked_needs_a_reason("3", "", "quantity_needs_reason"),
    ),
    "the loop-on-hold guard (G6) is removed": (
        without("_loop_status"),
        cells.test_a_loop_on_hold_counts_the_demand_and_sends_no_signal,
    ),
    "filling needs no released signal (C5)": (anything_may_be_filled, machine),
    "an emptied card asks twice (C8)": (
        asks_twice,
        cells.test_a_card_that_asked_at_its_first_piece_does_not_ask_again_when_it_is_empty,
    ),
    "the release of a signal is not written (C8)": (dropped("turn.released"), machine),
    "an undo leaves the turn open (C2)": (dropped("turn.cancelled"), machine),
    "a held card keeps its signal out (C12)": (nothing_is_recalled, machine),
    "a draw takes a piece too many (C14)": (
        takes_what_is_promised,
        properties.test_pieces_are_neither_made_nor_lost_by_draws,
    ),
    "a swap takes any container (4.3)": (any_container_may_be_swapped, machine),
    "a dry loop is not noticed (C9)": (no_runout, machine),
    "a turn in ERROR is filled all the same (G13)": (
        without("_failed"),
        lambda: cells.test_a_cell_of_the_table(LoopKind.TWO_BIN, "ERROR", "start"),
    ),
    "the supermarket serves the newest first (W5)": (
        the_newest_is_served_first,
        markets.test_whoever_was_empty_first_is_served_first_one_container_each,
    ),
    "a near-runout leaves a signal behind (4.5)": (a_batch_leaves_one_behind, machine),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_fault_is_caught(name: str) -> None:
    plant, proof = MUTANTS[name]
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        try:
            proof()
        except (pytest.fail.Exception, Exception):
            return
    pytest.fail(f"Nobody noticed that {name}.")


def test_without_a_fault_the_same_proofs_pass() -> None:
    for _plant, proof in MUTANTS.values():
        if proof is not machine:
            proof()
