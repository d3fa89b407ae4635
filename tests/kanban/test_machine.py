"""All kinds of loops together, moved at random: a million moves never break a rule.

20,000 moves in the suite; nightly `make nightly`, or JITAPP_MOVES=1000000. A failure prints its shortest story and
how to have it again.
"""

from __future__ import annotations

import os
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from jitapp.kanban.draws import Link, book, draw, free, take_booked
from jitapp.kanban.events import Event
from jitapp.kanban.ledger import Ledger, Scan
from jitapp.kanban.lifecycle import decide
from jitapp.kanban.resizing import fit
from jitapp.kanban.signals import gather, resume, settle
from jitapp.kanban.state import Loop
from jitapp.kanban.swap import swap
from jitapp.kanban.words import (
    Accumulate,
    Consumption,
    DocPolicy,
    GrPolicy,
    Intent,
    LoopKind,
    Role,
    StationKind,
    SupplyStatus,
    Trigger,
)
from tests.kanban.loops import START, make_loop, new_uuid

MOVES = int(os.environ.get("JITAPP_MOVES", "20000"))
STEPS = 50
MARKET = 4

# Every kind, and every setting that shapes the machine; ids 8 and 9 meet in one supermarket.
SHOP: tuple[dict[str, Any], ...] = (
    {"kind": LoopKind.TWO_BIN},
    {"kind": LoopKind.TWO_BIN, "quantity": Decimal(1), "trigger": Trigger.ON_IN_USE},
    {"kind": LoopKind.PRODUCTION, "accumulate": Accumulate.CARDS, "accumulate_cards": 2},
    {
        "kind": LoopKind.PRODUCTION,
        "accumulate": Accumulate.QUANTITY,
        "lot_quantity": Decimal(8),
        "triangle_quantity": Decimal(4),
    },
    {"kind": LoopKind.PRODUCTION, "independent_supply": True, "sequence": {"COMPLETED": "MANDATORY"}},
    {"kind": LoopKind.PRODUCTION, "trigger": Trigger.ON_SIBLING_IN_USE},
    {
        "kind": LoopKind.SUPPLIER,
        "supply_kind": StationKind.SUPPLIER,
        "doc_policy": DocPolicy.WAIT_FOR_DOC_NUMBER,
        "gr_policy": GrPolicy.RECEIPT_SETS_FULL,
    },
    {
        "kind": LoopKind.SUPPLIER,
        "supply_kind": StationKind.SUPPLIER,
        "gr_policy": GrPolicy.SEPARATE,
        "trigger": Trigger.ON_QTY,
        "reorder_level": Decimal(5),
    },
    {"kind": LoopKind.WITHDRAWAL, "supply_kind": StationKind.SUPERMARKET, "supply_id": MARKET},
    {"kind": LoopKind.PRODUCTION, "demand_id": MARKET, "demand_consumption": Consumption.BACKFLUSH},
    {"kind": LoopKind.TRANSFER, "sequence": {"IN_TRANSIT": "PROHIBITED", "COMPLETED": "PROHIBITED"}},
)
CARDS = ("FULL", "EMPTY", "FULL", "NEW")


class Shop(RuleBasedStateMachine):
    """Loops under random scans, draws, swaps, resizes and clocks; each move is checked against the book."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START + timedelta(hours=1)
        self.loops: list[Loop] = []
        self.focus: list[int] = [0]
        self.last: dict[Any, list[Event]] = {}
        self.promised: list[tuple[int, Any, tuple[Link, ...]]] = []

    @initialize(focus=st.lists(st.integers(0, len(SHOP) - 1), min_size=1, max_size=2))
    def open_the_shop(self, focus: list[int]) -> None:
        """All loops are there; the story of one example happens at one or two of them, to get deep."""
        self.focus = focus
        for number, setting in enumerate(SHOP, start=1):
            loop = make_loop(CARDS, **({"id": number} | setting))
            self.loops.append(loop)

    def _at(self, number: int) -> Loop:
        return self.loops[self.focus[number % len(self.focus)]]

    def _after(self, events: list[Event]) -> None:
        for event in events:
            if event.scan_id is not None:
                self.last.setdefault(event.scan_id, []).append(event)
            if event.to and event.card_id is not None:
                assert event.frm != event.to

    @rule(
        at=st.integers(0, len(SHOP) - 1),
        number=st.integers(1, len(CARDS)),
        intent=st.sampled_from([None, *Intent]),
        side=st.sampled_from(["demand", "supply", "nowhere"]),
        device=st.sampled_from([7, 8]),
        minutes=st.sampled_from([0.005, 0.3, 5, 100]),
        late=st.sampled_from([0, 0, 0, 3, 60, 5000]),
        quantity=st.sampled_from([None, None, None, "4", "3", "1", "0", "9", "1.5"]),
        reason=st.sampled_from(["", "scrap"]),
        role=st.sampled_from([None, Role.LEADER, Role.PLANNER, Role.BUYER, Role.QUALITY, Role.HANDLER]),
        status=st.sampled_from([None, *SupplyStatus]),
    )
    def scan(self, **drawn: Any) -> None:
        """Any scan by anybody."""
        loop = self._at(drawn["at"])
        card = loop.cards.get(drawn["number"])
        if card is None:
            return
        self.now += timedelta(minutes=drawn["minutes"])
        station = {"demand": loop.config.demand_id, "supply": loop.config.supply_id}.get(drawn["side"])
        intent = drawn["intent"]
        before = loop.seq
        facts = Scan(
            id=new_uuid(),
            intent=intent,
            station_id=station,
            device_id=drawn["device"],
            occurred_at=self.now - timedelta(minutes=drawn["late"]),
            recorded_at=self.now,
            quantity=None if drawn["quantity"] is None else Decimal(drawn["quantity"]),
            reason=drawn["reason"],
            is_leader=drawn["role"] is Role.LEADER,
            roles=frozenset({drawn["role"]} if drawn["role"] else ()),
            target=drawn["status"],
            promised_at=self.now if drawn["late"] else None,
            new_uuid=new_uuid,
            last_events=self.last.get(card.last_scan, ()) if intent is Intent.UNDO else (),
        )
        decision = decide(loop, card, facts)
        assert bool(decision.events) == (decision.outcome == "applied")
        if not decision.events:
            assert loop.seq == before  # a refusal changes nothing
        opened = [event.card_id for event in decision.events if event.data.get("opens")]
        assert len(opened) == len(set(opened))  # C8
        self._after(decision.events)

    @rule(
        at=st.integers(0, len(SHOP) - 1),
        need=st.integers(1, 9),
        what=st.sampled_from(["draw", "book", "use", "free"]),
    )
    def consume(self, at: int, need: int, what: str) -> None:
        """What a worker does for a BACKFLUSH station: pieces leave containers, and none is made or lost."""
        at = self.focus[at % len(self.focus)]
        loop = self.loops[at]
        self.now += timedelta(minutes=1)
        ledger = Ledger(loop, at=self.now)
        had = sum(card.contents for card in loop.cards.values())
        taken = Decimal(0)
        if what == "draw":
            taken = draw(ledger, need=Decimal(need), turn=new_uuid(), new_uuid=new_uuid).taken
        elif what == "book":
            turn = new_uuid()
            self.promised.append(
                (at, turn, book(ledger, need=Decimal(need), turn=turn, new_uuid=new_uuid).links)
            )
        elif self.promised:
            place, turn, links = self.promised.pop(0)
            loop = self.loops[place]
            had = sum(card.contents for card in loop.cards.values())
            ledger = Ledger(loop, at=self.now)
            if what == "use":
                taken, _ = take_booked(ledger, links=links, turn=turn, new_uuid=new_uuid)
            else:
                free(ledger, links=links, turn=turn)
        settle(ledger, new_uuid)
        assert sum(card.contents for card in loop.cards.values()) == had - taken
        self._after(ledger.events)

    @rule(w_number=st.integers(1, 4), p_number=st.integers(1, 4), reason=st.sampled_from(["", "damaged"]))
    def exchange(self, w_number: int, p_number: int, reason: str) -> None:
        """W takes the place of P: one card on every full container before and after (4.3)."""
        w_loop, p_loop = self.loops[8], self.loops[9]
        w_card, p_card = w_loop.cards[w_number], p_loop.cards[p_number]
        self.now += timedelta(minutes=2)
        before = (w_card.supply_status, p_card.supply_status)
        scan = Scan(
            id=new_uuid(),
            intent=Intent.LOAD,
            station_id=MARKET,
            device_id=9,
            occurred_at=self.now,
            recorded_at=self.now,
            reason=reason,
            new_uuid=new_uuid,
        )
        done = swap(w_loop, w_card, p_loop, p_card, scan)
        if done.decision.code == "swapped":
            assert before == ("EMPTY", "FULL")
            assert w_card.supply_status == "IN_TRANSIT"
            assert p_card.supply_status in ("EMPTY", "WAIT")
        else:
            assert (w_card.supply_status, p_card.supply_status) == before
        self._after(done.decision.events + done.detached)

    @rule(at=st.integers(0, len(SHOP) - 1), cards=st.integers(1, 4))
    def resize(self, at: int, cards: int) -> None:
        """N changes with the cards on the floor; never more out than there are."""
        loop = self._at(at)
        self.now += timedelta(minutes=1)
        ledger = Ledger(loop, at=self.now)
        fit(ledger, cards, new_uuid)
        ledger.write("loop.changed", surplus_due=loop.surplus_due)
        settle(ledger, new_uuid)
        assert 0 <= loop.surplus_due <= len(loop.cards)
        self._after(ledger.events)

    @rule(at=st.integers(0, len(SHOP) - 1))
    def clock(self, at: int) -> None:
        """The time of a batch has come, or a hold is over."""
        self.now += timedelta(hours=3)
        ledger = Ledger(self._at(at), at=self.now)
        gather(ledger, new_uuid, why="clock")
        resume(ledger, new_uuid)
        settle(ledger, new_uuid)
        self._after(ledger.events)

    @invariant()
    def the_book_holds(self) -> None:
        for loop in self.loops:
            check(loop)


def check(loop: Loop) -> None:
    """What one loop's state can show of C1 to C14."""
    dry = not any(card.usable for card in loop.cards.values()) and any(
        card.been_full for card in loop.cards.values()
    )
    assert (loop.runout is not None) == (dry and loop.circulating > 0)  # C9
    for card in loop.cards.values():
        assert 0 <= card.booked <= card.contents  # C14
        turn = card.turn
        if turn is None:
            waits = card.supply_status in ("FULL", "IN_USE", "WAIT")
            counted = loop.config.trigger is Trigger.ON_QTY
            assert waits or counted or card.card_status != "IN_CIRCULATION"  # C8
            continue
        assert turn.closed_at is None
        assert turn.number == card.turn_number  # C2
        assert turn.owner  # C10
        assert turn.owner_since is not None
        assert not turn.step or turn.released_at is not None  # C5
        if card.card_status in ("HELD", "LOST", "SURPLUS", "REMOVED"):
            sent = turn.signal_state in ("RELEASED", "ACKNOWLEDGED")
            assert not sent or turn.recall  # C12
        if card.supply_status not in ("FULL", "IN_USE", "WAIT"):
            assert card.supply_status == (turn.step or "EMPTY")


Shop.TestCase.settings = settings(
    max_examples=max(1, MOVES // STEPS),
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
TestShop = Shop.TestCase
