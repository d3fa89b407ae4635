"""What an undo takes back: all that the scan caused at its own loop, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from jitapp.kanban.draws import Link, book, take_booked
from jitapp.kanban.events.turns import TurnAcknowledged
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.vocabulary import Accumulate, Consumption, DocPolicy, LoopKind, StationKind, Trigger
from tests.kanban.loops import DEMAND, SUPPLY, Bench, make_loop, new_uuid

MARKET = 4


def signals(bench: Bench) -> list[str | None]:
    """The state of each card's open turn."""
    turns = [card.turn for card in bench.loop.cards.values()]
    return [turn.signal_state if turn is not None else None for turn in turns]


def places(bench: Bench) -> list[str]:
    return [card.supply_status for card in bench.loop.cards.values()]


# -- the early trigger: a container that counts as opened has asked for its own refill ---------------------
def test_an_undone_emptying_takes_the_siblings_opening_back_and_leaves_the_cards_older_turn() -> None:
    bench = Bench(make_loop(trigger=Trigger.ON_IN_USE))
    bench.scan(1, "open")
    older = bench.loop.cards[1].turn
    assert bench.scan(1, "empty").code == "emptied_under_way"
    assert (places(bench), signals(bench)) == (["EMPTY", "IN_USE"], ["RELEASED", "RELEASED"])
    assert bench.scan(1, "undo", at=DEMAND, minutes=1).code == "undone"
    assert (places(bench), signals(bench)) == (["IN_USE", "FULL"], ["RELEASED", None])
    assert bench.loop.cards[1].turn is older


def test_an_emptying_is_undone_although_the_refill_that_was_asked_for_earlier_has_begun() -> None:
    bench = Bench(make_loop(trigger=Trigger.ON_IN_USE))
    bench.scan(1, "open")
    bench.scan(1, "start")
    bench.scan(1, "empty")
    assert bench.scan(1, "undo", at=DEMAND, minutes=1).code == "undone"
    assert (places(bench), signals(bench)) == (["IN_USE", "FULL"], ["RELEASED", None])
    turn = bench.loop.cards[1].turn
    assert turn is not None
    assert turn.step == "IN_PROCESS"


def test_an_emptying_is_not_undone_once_the_siblings_refill_has_begun() -> None:
    bench = Bench(make_loop(trigger=Trigger.ON_IN_USE))
    bench.scan(1, "empty")
    bench.scan(2, "start", minutes=0.5)
    decision = bench.scan(1, "undo", at=DEMAND, minutes=0.5)
    assert decision.code == "undo_acted_on"
    assert (decision.facts["number"], decision.facts["status"]) == (2, "IN PROCESS")


def test_a_sibling_that_is_empty_by_now_keeps_the_turn_that_it_needs() -> None:
    bench = Bench(make_loop(trigger=Trigger.ON_IN_USE))
    bench.scan(1, "empty")
    bench.scan(2, "empty", minutes=0.5)
    assert bench.scan(1, "undo", at=DEMAND, minutes=0.5).code == "undone"
    assert (places(bench), signals(bench)) == (["FULL", "EMPTY"], [None, "RELEASED"])


def test_an_opening_is_not_undone_once_its_refill_is_acknowledged() -> None:
    bench = Bench(make_loop(trigger=Trigger.ON_IN_USE))
    bench.scan(1, "open")
    card = bench.loop.cards[1]
    Ledger(bench.loop, at=bench.now).write(TurnAcknowledged(), card, turn=card.turn)
    assert bench.scan(1, "undo", at=DEMAND, minutes=1).code == "undo_acted_on"


def test_an_undone_turn_is_none_of_the_cards_last_turns() -> None:
    bench = Bench(make_loop(trigger=Trigger.ON_IN_USE))
    for card in bench.loop.cards.values():
        card.turns_left = 1
    bench.scan(1, "empty")
    assert [card.turns_left for card in bench.loop.cards.values()] == [0, 0]
    bench.scan(1, "undo", at=DEMAND, minutes=1)
    assert [card.turns_left for card in bench.loop.cards.values()] == [1, 1]
    assert bench.scan(1, "empty").code == "emptied"


# -- signals of other cards --------------------------------------------------------------------------------
def test_a_signal_by_stock_is_taken_back_from_whichever_card_it_went_to() -> None:
    bench = Bench(make_loop(("FULL", "FULL", "FULL"), trigger=Trigger.ON_QTY, reorder_level=5))
    bench.scan(1, "empty")
    assert bench.scan(2, "empty").code == "emptied_enough"
    assert signals(bench) == ["RELEASED", None, None]
    assert bench.scan(2, "undo", at=DEMAND, minutes=1).code == "undone"
    assert signals(bench) == [None, None, None]


def test_a_signal_by_stock_goes_out_again_if_there_is_too_little_without_the_undone_scan() -> None:
    bench = Bench(make_loop(("FULL", "FULL", "FULL"), trigger=Trigger.ON_QTY, reorder_level=9))
    bench.scan(1, "empty")
    bench.scan(2, "empty", minutes=0.5)
    assert signals(bench) == ["RELEASED", None, None]
    assert bench.scan(1, "undo", at=DEMAND, minutes=0.5).code == "undone"
    assert signals(bench) == [None, "RELEASED", None]


def test_the_sibling_that_an_opening_released_waits_again() -> None:
    bench = Bench(make_loop(trigger=Trigger.ON_SIBLING_IN_USE))
    bench.loop.cards[2].blocked = True  # so that emptying the first one opens nothing
    bench.scan(1, "empty")
    bench.loop.cards[2].blocked = False
    assert (places(bench), signals(bench)) == (["WAIT", "FULL"], ["UNRELEASED", None])
    bench.scan(2, "open")
    assert (places(bench), signals(bench)) == (["EMPTY", "IN_USE"], ["RELEASED", None])
    assert bench.scan(2, "undo", at=DEMAND, minutes=1).code == "undone"
    assert (places(bench), signals(bench)) == (["WAIT", "FULL"], ["UNRELEASED", None])


def test_the_sibling_that_an_opening_released_goes_on_once_somebody_has_begun() -> None:
    bench = Bench(make_loop(trigger=Trigger.ON_SIBLING_IN_USE))
    bench.loop.cards[2].blocked = True
    bench.scan(1, "empty")
    bench.loop.cards[2].blocked = False
    bench.scan(2, "open")
    bench.scan(1, "start", minutes=0.5)
    assert bench.scan(2, "undo", at=DEMAND, minutes=0.5).code == "undone"
    assert places(bench) == ["IN_PROCESS", "FULL"]


@pytest.mark.parametrize("policy", [DocPolicy.NONE, DocPolicy.WAIT_FOR_DOC_NUMBER])
def test_a_batch_completed_by_an_undone_emptying_is_gathered_again(policy: DocPolicy) -> None:
    bench = Bench(
        make_loop(("FULL",) * 3, accumulate=Accumulate.CARDS, accumulate_cards=2, doc_policy=policy)
    )
    bench.scan(1, "empty")
    bench.scan(2, "empty")
    sent = "RELEASED" if policy is DocPolicy.NONE else "PENDING_DOC"
    assert signals(bench) == [sent, sent, None]
    assert bench.scan(2, "undo", at=DEMAND, minutes=1).code == "undone"
    assert (places(bench), signals(bench)) == (["EMPTY", "IN_USE", "FULL"], ["ACCUMULATING", None, None])
    bench.scan(3, "empty")
    assert signals(bench) == [sent, None, sent]


# -- what is in the container, and promised ----------------------------------------------------------------
def booked(bench: Bench, need: int) -> tuple[UUID, tuple[Link, ...]]:
    """A turn downstream is promised pieces."""
    ledger, turn = Ledger(bench.loop, at=bench.now), new_uuid()
    return turn, book(ledger, need=Decimal(need), turn=turn, new_uuid=new_uuid).links


def taken(bench: Bench, turn: UUID, links: tuple[Link, ...]) -> Decimal:
    """What the turn downstream then takes of its promise."""
    return take_booked(Ledger(bench.loop, at=bench.now), links=links, turn=turn, new_uuid=new_uuid)[0]


def pieces(bench: Bench) -> tuple[object, ...]:
    """What is in the first card's container, and promised of it."""
    return bench.loop.cards[1].contents, bench.loop.cards[1].booked


@pytest.mark.parametrize("intent", ["start", "empty"])
def test_what_is_promised_of_a_container_is_promised_after_an_undo(intent: str) -> None:
    bench = Bench(make_loop(trigger=Trigger.ON_IN_USE))
    bench.scan(1, "open")
    turn, links = booked(bench, 3)
    bench.scan(1, intent)
    at = SUPPLY if intent == "start" else DEMAND
    assert bench.scan(1, "undo", at=at, minutes=1).code == "undone"
    assert (places(bench)[0], pieces(bench)) == ("IN_USE", (4, 3))
    assert taken(bench, turn, links) == 3
    assert pieces(bench) == (1, 0)


def test_a_promise_of_a_refill_that_is_cancelled_binds_no_pieces() -> None:
    """Found by its links: they name the turn that is cancelled, and nobody could ever take or free the pieces."""
    bench = Bench(make_loop())
    turn, links = booked(bench, 3)
    bench.scan(1, "empty")
    assert bench.scan(1, "undo", at=DEMAND, minutes=1).code == "undone"
    assert taken(bench, turn, links) == 0
    assert pieces(bench) == (4, 0)


# -- what was counted on the way ---------------------------------------------------------------------------
def turn_of(bench: Bench) -> tuple[object, ...]:
    """How far the first card's turn is, with its count and reason."""
    turn = bench.loop.cards[1].turn
    assert turn is not None
    return turn.step, turn.made, turn.reason


@pytest.mark.parametrize("intent", ["load", "ship"])
def test_the_count_of_an_undone_departure_is_forgotten_with_its_reason(intent: str) -> None:
    bench = Bench(make_loop())
    bench.scan(1, "empty")
    bench.scan(1, "start")
    bench.scan(1, "complete", quantity=3, reason="scrap")
    assert bench.scan(1, intent, at=SUPPLY, quantity=2, reason="one fell down").code == "loaded"
    assert turn_of(bench) == ("IN_TRANSIT", 2, "one fell down")
    assert bench.scan(1, "undo", at=SUPPLY, minutes=1).code == "undone"
    assert turn_of(bench) == ("COMPLETED", 3, "scrap")
    assert bench.scan(1, "undo", at=SUPPLY, minutes=1).code == "undo_nothing"


@pytest.mark.parametrize("intent", ["complete", "load"])
def test_the_reason_of_an_undone_step_is_forgotten_with_it(intent: str) -> None:
    bench = Bench(make_loop())
    bench.bring(1, "IN_PROCESS")
    bench.scan(1, intent, at=SUPPLY, quantity=3, reason="scrap")
    assert turn_of(bench)[1:] == (3, "scrap")
    bench.scan(1, "undo", at=SUPPLY, minutes=1)
    assert turn_of(bench) == ("IN_PROCESS", None, "")


# -- the swap ----------------------------------------------------------------------------------------------
def test_a_swap_is_not_undone_because_two_cards_moved() -> None:
    fetching = Bench(
        make_loop(kind=LoopKind.WITHDRAWAL, supply_kind=StationKind.SUPERMARKET, supply_id=MARKET)
    )
    filling = Bench(
        make_loop(
            id=2,
            kind=LoopKind.PRODUCTION,
            demand_id=MARKET,
            demand_consumption=Consumption.BACKFLUSH,
            hand_detached=True,
        )
    )
    fetching.scan(1, "empty")
    assert fetching.swap(1, filling, 1, at=MARKET).decision.code == "swapped"
    assert fetching.scan(1, "undo", at=MARKET, minutes=1).code == "undo_swapped"
    assert (places(fetching)[0], signals(fetching)[0]) == ("IN_TRANSIT", "RELEASED")
    fetching.now += timedelta(minutes=1)
    assert fetching.scan(1, "receive").code == "received"
