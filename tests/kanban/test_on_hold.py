"""A loop on hold: no signal leaves it, whatever is done to its cards, and what is said there is true."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jitapp.kanban.answers import say
from jitapp.kanban.ledger import Decision, Ledger
from jitapp.kanban.signals import resume
from jitapp.kanban.vocabulary import Accumulate, LoopStatus, SignalState, Trigger
from tests.kanban.loops import SUPPLY, Bench, make_loop, new_uuid


def put_on(bench: Bench, status: LoopStatus) -> None:
    """The planner holds the loop, or ends its hold."""
    bench.loop.config = replace(bench.loop.config, status=status, hold_reason="tool broken")
    if status is LoopStatus.ACTIVE:
        resume(Ledger(bench.loop, at=bench.now), new_uuid)


def states(bench: Bench) -> list[str]:
    """The state of each card's signal; empty: none is open."""
    return [card.turn.signal_state if card.turn else "" for card in bench.loop.cards.values()]


def told(bench: Bench, decision: Decision) -> tuple[str, str]:
    """The sentence and the next step as a person reads them."""
    return say(decision.code, decision.facts, time_zone=ZoneInfo("UTC"), now=bench.now)


def gathering() -> Bench:
    """Two of three cards are gathered, and that is a batch; the first of them was held before, and still is."""
    batch: dict[str, Any] = {"accumulate": Accumulate.CARDS, "accumulate_cards": 2}
    bench = Bench(make_loop(("FULL", "FULL", "FULL"), **batch))
    bench.scan(1, "empty")
    bench.scan(1, "hold", reason="check", is_leader=True)
    bench.scan(2, "empty")
    return bench


def test_a_batch_that_is_complete_stays_while_its_loop_is_on_hold() -> None:
    bench = gathering()
    put_on(bench, LoopStatus.ON_HOLD)
    assert bench.scan(1, "release", is_leader=True).code == "hold_released"
    assert states(bench) == [SignalState.ACCUMULATING, SignalState.ACCUMULATING, ""]
    put_on(bench, LoopStatus.ACTIVE)
    assert states(bench) == [SignalState.RELEASED, SignalState.RELEASED, ""]


def test_a_held_card_is_not_counted_among_the_gathered_ones() -> None:
    bench = gathering()
    assert bench.history[-1].code == "emptied_gathers"
    assert "1 of 2 gathered" in told(bench, bench.history[-1])[0]


def test_a_withheld_signal_that_is_released_goes_out_when_the_hold_ends() -> None:
    bench = Bench(make_loop())
    bench.scan(1, "empty")
    bench.scan(1, "recall", is_leader=True)
    put_on(bench, LoopStatus.ON_HOLD)
    decision = bench.scan(1, "release", at=SUPPLY)
    assert decision.code == "release_on_hold"
    assert told(bench, decision) == (
        "PART card 1 of 2: PART is on hold: tool broken; no signal went out.",
        "The signal goes out when the hold of PART ends.",
    )
    assert states(bench) == [SignalState.UNRELEASED, ""]
    put_on(bench, LoopStatus.ACTIVE)
    assert states(bench) == [SignalState.RELEASED, ""]


def rejected(bench: Bench) -> None:
    bench.scan(1, "empty")
    bench.scan(1, "reject", at=SUPPLY, reason="no steel")


def cancelled(bench: Bench) -> None:
    bench.scan(1, "empty")
    bench.scan(1, "cancel", reason="no need", is_leader=True)


def waiting(bench: Bench) -> None:
    bench.scan(1, "empty")


@pytest.mark.parametrize(
    ("before", "settings"),
    [
        (rejected, {}),
        (cancelled, {}),
        (waiting, {"independent_supply": True}),
        (waiting, {"trigger": Trigger.ON_SIBLING_WAIT}),
        (waiting, {"accumulate": Accumulate.CARDS, "accumulate_cards": 2}),
    ],
)
def test_what_would_not_go_out_by_itself_is_released_after_the_hold(before: Any, settings: Any) -> None:
    bench = Bench(make_loop(**settings))
    before(bench)
    put_on(bench, LoopStatus.ON_HOLD)
    stands = (states(bench), bench.loop.cards[1].supply_status)
    decision = bench.scan(1, "release", at=SUPPLY, reason="go on", is_leader=True)
    assert decision.code == "release_after_hold"
    assert (states(bench), bench.loop.cards[1].supply_status) == stands
    put_on(bench, LoopStatus.ACTIVE)
    assert bench.scan(1, "release", at=SUPPLY, reason="go on", is_leader=True).code == "released"
    assert states(bench)[0] == SignalState.RELEASED


def test_a_batch_that_goes_out_at_a_fixed_time_says_when() -> None:
    clock: dict[str, Any] = {"accumulate": Accumulate.CLOCK, "accumulate_times": ("06:00", "14:00")}
    bench = Bench(make_loop(time_zone="Europe/Berlin", **clock))
    decision = bench.scan(1, "empty")  # at 9:10 UTC
    assert decision.code == "emptied_until"
    message, _next = say(decision.code, decision.facts, time_zone=ZoneInfo("Europe/Berlin"), now=bench.now)
    assert message == "PART card 1 of 2 is EMPTY. Its signal goes out at 14:00, with 1 gathered in all."
    late = Bench(make_loop(time_zone="Europe/Berlin", **clock)).scan(1, "empty", minutes=8 * 60)
    message, _next = say(late.code, late.facts, time_zone=ZoneInfo("Europe/Berlin"), now=bench.now)
    assert "goes out at 2026-11-17 06:00" in message
