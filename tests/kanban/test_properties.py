"""Whatever is scanned, in whatever order: the rules of the book hold, and the ledger gives the state back."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from jitapp.kanban.book import decode_event, encode_event
from jitapp.kanban.conditions import is_dry
from jitapp.kanban.draws import book, draw, take_booked
from jitapp.kanban.events.base import Entry
from jitapp.kanban.fold import apply
from jitapp.kanban.ledger import Decision, Ledger
from jitapp.kanban.signals import finish
from jitapp.kanban.standing import standing_of
from jitapp.kanban.state import Loop
from jitapp.kanban.vocabulary import CardStatus, Intent, LoopKind, StationKind, SupplyStatus
from tests.kanban.loops import DEMAND, SUPPLY, Bench, make_loop, new_uuid

INTENTS = [None, *(intent.value for intent in Intent)]
SCANS = st.tuples(
    st.integers(1, 3),
    st.sampled_from(INTENTS),
    st.sampled_from([DEMAND, SUPPLY]),
    st.sampled_from([7, 8]),
    st.sampled_from([0.005, 0.5, 2, 90]),
    st.sampled_from([None, None, None, "4", "3", "9", "0"]),
    st.sampled_from(["", "scrap"]),
    st.booleans(),
)
LOOPS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([LoopKind.TWO_BIN, LoopKind.PRODUCTION, LoopKind.SUPPLIER]),
        "sequence": st.sampled_from(
            [
                {},
                {"COMPLETED": "MANDATORY"},
                {"IN_TRANSIT": "PROHIBITED"},
                {"IN_TRANSIT": "PROHIBITED", "COMPLETED": "PROHIBITED"},
            ]
        ),
    }
)


TOLD = ("count", "correct", "found")


def check(loop: Loop, now: datetime, told: set[int]) -> None:
    """The rules that one loop's state can show; `told`: cards whose contents a person stated."""
    assert (loop.runout is not None) == is_dry(loop, now)  # C9
    for card in loop.cards.values():
        assert Decimal(0) <= card.booked <= card.contents
        # C14: no more than the container holds, unless a person said so with a reason.
        assert card.contents <= card.quantity * Decimal("1.1") or card.id in told
        if card.turn is None:
            # C8: an empty card that takes part has asked, or waits for somebody who took its signal back.
            assert card.card_status is not CardStatus.IN_CIRCULATION or card.supply_status in (
                "FULL",
                "IN_USE",
                "WAIT",
            )
            continue
        turn = card.turn
        assert turn.number == card.turn_number  # C2
        assert (turn.standing, turn.owner) == standing_of(loop.config, card, turn)  # C10
        assert turn.owner_since is not None
        assert not turn.step or turn.released_at is not None  # C5
        if card.supply_status == "WAIT":
            assert turn.signal_state == "UNRELEASED"
        elif card.supply_status not in ("FULL", "IN_USE"):
            assert card.supply_status == (turn.step or "EMPTY")
    assert loop.been_full


@settings(max_examples=150)
@given(setup=LOOPS, scans=st.lists(SCANS, max_size=40))
def test_any_sequence_of_scans_keeps_the_rules(setup: dict[str, Any], scans: list[tuple[Any, ...]]) -> None:
    if setup["kind"] is LoopKind.SUPPLIER:
        setup = setup | {"supply_kind": StationKind.SUPPLIER}
    bench = Bench(make_loop(("FULL", "EMPTY", "NEW"), **setup))
    start = copy.deepcopy(bench.loop)
    ledger: list[Entry] = []
    told: set[int] = set()
    for number, intent, station, device, minutes, quantity, reason, leader in scans:
        before = bench.loop.cards[number].supply_status
        seq = bench.loop.seq
        decision = bench.scan(
            number,
            intent,
            at=station,
            minutes=minutes,
            device_id=device,
            quantity=quantity,
            reason=reason,
            is_leader=leader,
        )
        if not decision.entries:
            assert bench.loop.seq == seq
            assert bench.loop.cards[number].supply_status == before
        ledger += decision.entries
        _asks_once(decision)
        if decision.entries and intent in TOLD:
            told.add(number)
        check(bench.loop, bench.now, told)
    _chains(ledger)
    assert [entry.seq for entry in ledger] == list(range(start.seq + 1, bench.loop.seq + 1))
    refolded = copy.deepcopy(start)
    for entry in ledger:
        stored = decode_event(entry.type, encode_event(entry.event))  # as the store keeps it
        assert stored == entry.event
        apply(refolded, replace(entry, event=stored))
    assert refolded.cards == bench.loop.cards  # C11
    assert refolded.runout == bench.loop.runout
    assert refolded.register == bench.loop.register


def _asks_once(decision: Decision) -> None:
    """C8: no card asks twice for one emptying."""
    opened = [
        entry.card_id
        for entry in decision.entries
        if entry.type.startswith("turn.") and getattr(entry.event, "opens", False)
    ]
    assert len(opened) == len(set(opened))


def _chains(ledger: list[Entry]) -> None:
    """C4: `from` of a card's event is `to` of the one before."""
    last: dict[int, str] = {}
    for entry in ledger:
        if entry.to and entry.card_id is not None:
            assert last.get(entry.card_id, entry.frm) == entry.frm
            last[entry.card_id] = entry.to


@settings(max_examples=150)
@given(
    quantity=st.integers(1, 6),
    needs=st.lists(
        st.tuples(st.sampled_from(["draw", "book", "use", "refill"]), st.integers(1, 7)), max_size=40
    ),
)
def test_pieces_are_neither_made_nor_lost_by_draws(quantity: int, needs: list[tuple[str, int]]) -> None:
    """What went in is what is there, what was taken, and nothing else; bookings never exceed contents."""
    loop = make_loop(("FULL", "FULL", "FULL"), quantity=Decimal(quantity))
    bench = Bench(loop)
    went_in = Decimal(quantity) * 3
    taken = Decimal(0)
    promised: list[tuple[Any, Any]] = []
    for what, need in needs:
        bench.now += timedelta(minutes=5)
        ledger = Ledger(loop, at=bench.now)
        turn = new_uuid()
        if what == "draw":
            drawn = draw(ledger, need=Decimal(need), turn=turn, new_uuid=new_uuid)
            assert drawn.taken + drawn.short == need
            assert sum(link.quantity for link in drawn.links) == drawn.taken
            taken += drawn.taken
        elif what == "book":
            promised.append((turn, book(ledger, need=Decimal(need), turn=turn, new_uuid=new_uuid).links))
        elif what == "use" and promised:
            turn, links = promised.pop(0)
            got, _ = take_booked(ledger, links=links, turn=turn, new_uuid=new_uuid)
            taken += got
        elif what == "refill":
            for card in loop.cards.values():
                if card.supply_status is SupplyStatus.EMPTY and card.turn is not None:
                    went_in += card.turn.asked
                    assert bench.scan(card.number, "receive", minutes=1).code == "received"
        finish(ledger, new_uuid)
        for card in loop.cards.values():
            assert Decimal(0) <= card.booked <= card.contents
        assert sum(card.contents for card in loop.cards.values()) == went_in - taken
        check(loop, bench.now, set())
