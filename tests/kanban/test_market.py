"""A supermarket between a withdrawal loop and a production loop: who waits for it, and who is served first (4.3)."""

from __future__ import annotations

from jitapp.kanban.ledger import Ledger
from jitapp.kanban.market import balance, full
from jitapp.kanban.vocabulary import LoopKind, StationKind
from tests.kanban.loops import Bench, make_loop, new_uuid

MARKET = 4


def benches(*, auto_detach: bool = False) -> tuple[Bench, Bench]:
    """Three withdrawal cards, and one production card whose container is being made."""
    fetching = make_loop(
        ("FULL", "FULL", "FULL"),
        kind=LoopKind.WITHDRAWAL,
        supply_kind=StationKind.SUPERMARKET,
        supply_id=MARKET,
        auto_detach=auto_detach,
    )
    filling = make_loop(("EMPTY",), kind=LoopKind.PRODUCTION, demand_id=MARKET, id=2)
    return Bench(fetching), Bench(filling)


def served(fetching: Bench, filling: Bench) -> list[int]:
    """The numbers of the cards that the worker released."""
    fetching.now = max(fetching.now, filling.now)
    ledger = Ledger(fetching.loop, at=fetching.now)
    balance([ledger], [filling.loop], new_uuid)
    cards = fetching.loop.cards
    return [cards[event.card_id or 0].number for event in ledger.entries if event.type == "turn.released"]


def in_vain(bench: Bench, number: int) -> str:
    """Scans a withdrawal card at the empty supermarket."""
    return bench.scan(number, "load", at=MARKET, market_empty=True).code


def test_whoever_was_empty_first_is_served_first_one_container_each() -> None:
    fetching, filling = benches()
    for number in (3, 1):
        fetching.scan(number, "empty")
    assert [in_vain(fetching, number) for number in (1, 3)] == ["supply_short", "supply_short"]
    assert served(fetching, filling) == []
    filling.scan(1, "receive", at=MARKET)
    assert full([filling.loop]) == 1
    assert served(fetching, filling) == [3]
    assert served(fetching, filling) == []  # the container is promised to it
    assert fetching.loop.cards[3].urgent
    assert in_vain(fetching, 1) == "already_short"


def test_a_held_card_and_a_held_container_are_left_alone() -> None:
    fetching, filling = benches()
    fetching.scan(1, "empty")
    in_vain(fetching, 1)
    filling.scan(1, "receive", at=MARKET)
    filling.scan(1, "hold", reason="check", is_leader=True)
    assert served(fetching, filling) == []
    filling.scan(1, "release", is_leader=True)
    fetching.scan(1, "hold", reason="check", is_leader=True)
    assert served(fetching, filling) == []
    fetching.scan(1, "release", is_leader=True)
    assert fetching.loop.cards[1].supply_status == "WAIT"
    assert served(fetching, filling) == [1]


def test_where_software_takes_the_container_nobody_has_to_come_in_vain() -> None:
    fetching, filling = benches(auto_detach=True)
    fetching.scan(1, "empty")
    assert served(fetching, filling) == []
    assert fetching.loop.cards[1].supply_status == "WAIT"
    filling.scan(1, "receive", at=MARKET)
    assert served(fetching, filling) == [1]
    fetching.scan(1, "cancel", reason="cut", is_leader=True)
    assert not fetching.loop.cards[1].out_of_stock
