"""Faults are planted in the rules, one at a time: each must make the test fail that is named beside it.

Faults of the store (no lock, no key check, publish after commit) are planted in tests/races.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from jitapp.kanban import (
    conditions,
    draws,
    fold,
    guards,
    ledger,
    market,
    signals,
    standing,
    swap,
    waits,
)
from jitapp.kanban.events.base import Event, Inconsistent
from jitapp.kanban.events.cards import CardHeld
from jitapp.kanban.events.turns import TurnDocked, TurnShipped
from jitapp.kanban.state import AT_HAND, Card, LoopConfig, Stretch, Turn
from jitapp.kanban.step import STEPS
from jitapp.kanban.steps import empty, hold
from jitapp.kanban.vocabulary import CardStatus, LoopKind, Party, SignalState
from tests.kanban import test_every_cell as cells
from tests.kanban import test_guards as guarding
from tests.kanban import test_market as markets
from tests.kanban import test_properties as properties
from tests.kanban import test_runouts as runouts
from tests.kanban import test_waits as waiting
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
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def without(name: str) -> Plant:
    """A guard of the moving steps is removed."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        left = tuple(guard for guard in guards.MOVING if guard.__name__ != name)
        assert len(left) == len(guards.MOVING) - 1, name
        for intent, step in list(STEPS.items()):
            if step.guards == guards.MOVING:
                patch.setitem(STEPS, intent, replace(step, guards=left))

    return plant


def dropped(type_: str) -> Plant:
    """An event is never written."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        honest = ledger.Ledger.write

        def write(self: ledger.Ledger, event: Event, *args: Any, **facts: Any) -> Any:
            return None if event.type == type_ else honest(self, event, *args, **facts)

        patch.setattr(ledger.Ledger, "write", write)

    return plant


def asks_twice(patch: pytest.MonkeyPatch) -> None:
    """An emptied card asks although its turn is open."""
    patch.setattr(
        empty, "signal", lambda book, card, new_uuid: (signals.dispatch(book, card, new_uuid()), "emptied")[1]
    )


def anything_may_be_filled(patch: pytest.MonkeyPatch) -> None:
    """C5: filling no longer needs a released signal."""
    patch.setattr(guards, "MAY_FILL", frozenset(SignalState))


def nothing_is_recalled(patch: pytest.MonkeyPatch) -> None:
    """C12: a held card keeps its signal out."""
    patch.setattr(hold, "recall_signal", lambda book, card: None)


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
    patch.setattr(ledger, "dry_since", lambda loop, at: None)


def the_newest_is_served_first(patch: pytest.MonkeyPatch) -> None:
    """W5: the supermarket serves whoever asked last."""
    patch.setattr(market, "_order", lambda pair: -pair[1].turn.opened_at.timestamp())


def a_batch_leaves_one_behind(patch: pytest.MonkeyPatch) -> None:
    """4.5: not all that was gathered goes out."""
    honest = signals.accumulating
    patch.setattr(signals, "accumulating", lambda loop: honest(loop)[1:])


def held_cards_stay_with_whoever_had_them(patch: pytest.MonkeyPatch) -> None:
    """C10: a hold does not make whoever held the card the owner of its turn."""
    honest = standing.standing_of

    def standing_of(config: LoopConfig, card: Card, turn: Turn) -> tuple[str, Party]:
        card = copy(card)
        card.card_status = CardStatus.IN_CIRCULATION
        return honest(config, card, turn)

    patch.setattr(standing, "standing_of", standing_of)


def the_dock_is_the_handlers(patch: pytest.MonkeyPatch) -> None:
    """C10: what stands at the dock stays with the handler."""
    patch.setattr(standing, "PUT_AWAY", ("put_away", Party.HANDLER))


def only_reasons_begin_stretches(patch: pytest.MonkeyPatch) -> None:
    """A new owner of the same wait begins nothing."""
    honest = standing.stand

    def stand(config: LoopConfig, card: Card, turn: Turn, *when: Any) -> None:
        if standing.standing_of(config, card, turn)[0] != turn.standing:
            honest(config, card, turn, *when)

    patch.setattr(fold, "stand", stand)


def stretches_of_no_length_stay(patch: pytest.MonkeyPatch) -> None:
    """Steps of one instant leave a stretch each."""

    def kept(stretches: tuple[Stretch, ...], new: Stretch) -> tuple[Stretch, ...]:
        return (*stretches, new)

    patch.setattr(standing, "_with", kept)


def waits_never_end(patch: pytest.MonkeyPatch) -> None:
    """The wait that was open is forgotten instead of closed."""

    def end(self: waits.TurnWaits, at: Any, seq: int) -> None:
        self.open, self.seen = None, max(self.seen, seq)

    patch.setattr(waits.TurnWaits, "_end", end)


def what_is_told_late_revises_nothing(patch: pytest.MonkeyPatch) -> None:
    """C9: a runout begins and ends when it is heard of."""
    patch.setattr(ledger, "revisions", lambda *_args: [])


def held_containers_are_used(patch: pytest.MonkeyPatch) -> None:
    """C9: a held container counts as usable."""

    def usable(card: conditions.Container) -> bool:
        return conditions.participates(card) and not card.blocked and card.supply_status in AT_HAND

    patch.setattr(conditions, "usable", usable)
    patch.setattr(fold, "usable", usable)


def a_late_scan_rewrites_its_siblings(patch: pytest.MonkeyPatch) -> None:
    """C9: what follows for other cards is as old as the scan that was told late."""
    patch.setattr(ledger.Ledger, "_at", lambda self, *_args: self.at)


MUTANTS: dict[str, tuple[Plant, Proof]] = {
    "the repeated-signal guard (G8) is removed": (
        without("repeated"),
        guarding.test_a_default_never_moves_a_card_twice_at_one_station_within_a_minute,
    ),
    "the place guard (G7) is removed": (
        without("place"),
        guarding.test_the_other_side_may_not_do_it_unless_a_leader_overrides,
    ),
    "the late guard (G12) is removed": (
        without("late"),
        guarding.test_a_late_scan_never_moves_a_card_that_has_moved_on,
    ),
    "the quantity guard (G11) is removed": (
        without("quantity_fits"),
        lambda: guarding.test_another_quantity_than_asked_needs_a_reason("3", "", "quantity_needs_reason"),
    ),
    "the loop-on-hold guard (G6) is removed": (
        without("loop_status"),
        guarding.test_a_loop_on_hold_counts_the_demand_and_sends_no_signal,
    ),
    "filling needs no released signal (C5)": (anything_may_be_filled, machine),
    "an emptied card asks twice (C8)": (
        asks_twice,
        guarding.test_a_card_that_asked_at_its_first_piece_does_not_ask_again_when_it_is_empty,
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
        without("failed"),
        lambda: cells.test_a_cell_of_the_table(LoopKind.TWO_BIN, "ERROR", "start"),
    ),
    "the supermarket serves the newest first (W5)": (
        the_newest_is_served_first,
        markets.test_whoever_was_empty_first_is_served_first_one_container_each,
    ),
    "a near-runout leaves a signal behind (4.5)": (a_batch_leaves_one_behind, machine),
    "a held card's turn stays with whoever had it (C10)": (
        held_cards_stay_with_whoever_had_them,
        lambda: waiting.test_what_a_turn_waits_for_after_its_last_event(
            [waiting.RELEASED, CardHeld(reason="x")], ("held", "person"), None
        ),
    ),
    "what is at the dock stays with the handler (C10)": (
        the_dock_is_the_handlers,
        lambda: waiting.test_what_a_turn_waits_for_after_its_last_event(
            [waiting.RELEASED, TurnShipped(), TurnDocked(quantity=Decimal(4))],
            ("put_away", "receiving"),
            None,
        ),
    ),
    "a stretch does not begin with a new owner": (
        only_reasons_begin_stretches,
        waiting.test_a_stretch_begins_where_the_reason_or_the_owner_changes,
    ),
    "a stretch of no length is kept": (
        stretches_of_no_length_stay,
        waiting.test_the_waits_that_were_followed_are_those_of_the_state,
    ),
    "a wait is never closed": (waits_never_end, waiting.test_a_turns_life_is_cut_into_waits),
    "what is told late revises no runout (C9)": (
        what_is_told_late_revises_nothing,
        runouts.test_a_bin_that_was_empty_while_the_other_one_was_away_is_found_out_later,
    ),
    "a held container counts as usable (C9)": (
        held_containers_are_used,
        runouts.test_a_loop_all_of_whose_containers_are_held_is_dry_for_quality,
    ),
    "a scan told late rewrites what came of other cards (C9)": (
        a_late_scan_rewrites_its_siblings,
        runouts.test_a_bin_that_was_empty_while_the_other_one_was_away_is_found_out_later,
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_fault_is_caught(name: str) -> None:
    plant, proof = MUTANTS[name]
    with pytest.MonkeyPatch.context() as patch:
        plant(patch)
        try:
            proof()
        except BaseException as found:
            if _is_verdict(found):
                return
            raise
    pytest.fail(f"Nobody noticed that {name}.")


def _is_verdict(found: BaseException) -> bool:
    """Whether a test or the book itself said no: a crash for another reason catches nothing. The machine may have
    found several stories."""
    if isinstance(found, BaseExceptionGroup):
        return all(_is_verdict(each) for each in found.exceptions)
    return isinstance(found, AssertionError | Inconsistent | pytest.fail.Exception)


def test_without_a_fault_the_same_proofs_pass() -> None:
    for _plant, proof in MUTANTS.values():
        if proof is not machine:
            proof()
