"""The shop of all kinds of loops that test_machine moves at random: its settings, what people do there, what a store
keeps of it, and what the book says of a loop's state."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from jitapp.kanban.conditions import usable
from jitapp.kanban.events.base import Entry
from jitapp.kanban.state import Change, Loop, Span, Turn
from jitapp.kanban.vocabulary import (
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
from tests.kanban.independent import History

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
    {
        "kind": LoopKind.PRODUCTION,
        "demand_id": MARKET,
        "demand_consumption": Consumption.BACKFLUSH,
        "hand_detached": True,
    },
    {"kind": LoopKind.TRANSFER, "sequence": {"IN_TRANSIT": "PROHIBITED", "COMPLETED": "PROHIBITED"}},
    {
        "kind": LoopKind.WITHDRAWAL,
        "supply_kind": StationKind.SUPERMARKET,
        "supply_id": MARKET,
        "auto_detach": True,
    },
    {"kind": LoopKind.EVENT, "trigger": Trigger.ON_SIBLING_WAIT},
)
FETCHING, FILLING = (8, 11), 9
CARDS = ("FULL", "EMPTY", "FULL", "NEW")
MOST_CARDS = 6  # with the replacements of lost ones


SCANS = st.fixed_dictionaries(
    {
        "number": st.integers(1, MOST_CARDS),
        "intent": st.sampled_from([None, *Intent]),
        "side": st.sampled_from(["its own", "its own", "its own", "demand", "supply", "nowhere"]),
        "device": st.sampled_from([7, 8]),
        "minutes": st.sampled_from([0.005, 0.3, 5, 100]),
        "late": st.sampled_from([0, 0, 0, 0, 0, 0, 3, 60, 5000]),
        "quantity": st.sampled_from([None, None, None, "4", "3", "1", "0", "9", "1.5"]),
        "reason": st.sampled_from(["", "scrap", "scrap"]),
        "role": st.sampled_from(
            [None, Role.LEADER, Role.LEADER, Role.PLANNER, Role.BUYER, Role.QUALITY, Role.HANDLER]
        ),
        "status": st.sampled_from([None, *SupplyStatus]),
    }
)


# What people do with a card that stands so, if they do what fits; scans at random are mostly refused.
FITTING: dict[str, tuple[Intent, ...]] = {
    "NEW": (Intent.ACTIVATE,),
    "HELD": (Intent.RELEASE, Intent.RELEASE, Intent.RECEIVE, Intent.EMPTY, Intent.LOST),
    "LOST": (Intent.FOUND,),
    "FULL": (Intent.EMPTY, Intent.EMPTY, Intent.OPEN, Intent.HOLD, Intent.BLOCK, Intent.COUNT),
    "IN_USE": (Intent.EMPTY, Intent.EMPTY, Intent.UNDO, Intent.HOLD, Intent.BLOCK, Intent.LOST),
    "EMPTY": (Intent.START, Intent.RECEIVE, Intent.ACKNOWLEDGE, Intent.LOAD, Intent.HOLD, Intent.UNDO),
    "IN_PROCESS": (Intent.COMPLETE, Intent.RECEIVE, Intent.ABORT, Intent.HOLD, Intent.LOST),
    "COMPLETED": (Intent.LOAD, Intent.RECEIVE, Intent.UNDO),
    "IN_TRANSIT": (Intent.RECEIVE, Intent.DOCK, Intent.HOLD),
    "WAIT": (Intent.RELEASE, Intent.RELEASE, Intent.CANCEL, Intent.HOLD),
    "ERROR": (Intent.RETRY, Intent.CORRECT),
}
WORK = st.tuples(
    st.integers(1, MOST_CARDS),
    st.integers(0, 5),
    st.sampled_from([0.3, 5, 100]),
    st.sampled_from([0, 0, 0, 0, 2, 20, 150]),
)


# The rest of such a scan: by a leader, at the end where it is done.
PLAIN: dict[str, Any] = {
    "side": "its own",
    "device": 7,
    "reason": "scrap",
    "role": Role.LEADER,
    "status": SupplyStatus.FULL,
}


class Told:
    """What earlier transactions wrote of a loop, as a store keeps it; the loop itself forgets it after each move."""

    def __init__(self, loop: Loop, entries: list[Entry]) -> None:
        self.entries: list[Entry] = []
        self.spans: dict[int, Span] = {}
        self._changes: list[Change] = []
        self._ended: list[tuple[int, Turn]] = []
        self.commit(loop, entries)
        loop.past = self

    def commit(self, loop: Loop, entries: list[Entry]) -> None:
        """The end of a transaction."""
        assert loop.told_late is None
        self.entries += entries
        self.spans |= loop.register
        self._changes += loop.fresh
        self._ended += loop.ended
        loop.register, loop.fresh, loop.ended = {}, [], []

    def changes(self) -> list[Change]:
        return list(self._changes)

    def runouts(self) -> list[Span]:
        return list(self.spans.values())

    def turns(self, since: datetime) -> list[tuple[int, Turn]]:
        return [pair for pair in self._ended if pair[1].closed_at and pair[1].closed_at >= since]


def history_of(loop: Loop, entries: list[Entry]) -> History:
    """The same loop as tests/kanban/independent.py sees it."""
    return History(
        entries,
        orders=loop.config.kind is LoopKind.EVENT,
        outside=loop.config.supply_kind is StationKind.SUPPLIER,
    )


def check(loop: Loop, now: datetime) -> None:
    """What one loop's state can show of C1 to C14."""
    taking_part = [card for card in loop.cards.values() if card.card_status in ("IN_CIRCULATION", "HELD")]
    can_use = [
        card
        for card in taking_part
        if card.card_status == "IN_CIRCULATION"
        and not card.blocked
        and card.supply_status in ("FULL", "IN_USE")
    ]
    due = any(card.turn and card.turn.due_at and card.turn.due_at <= now for card in taking_part)
    dry = loop.been_full and bool(taking_part) and not can_use and loop.config.status == "ACTIVE"
    if loop.config.kind is LoopKind.EVENT:
        # It falls due with the clock; the register follows at the loop's next move (_judge_runouts).
        assert loop.runout is None or (dry and due)
    else:
        assert (loop.runout is not None) == dry  # C9
    for card in loop.cards.values():
        assert 0 <= card.booked <= card.contents  # C14
        turn = card.turn
        if turn is None:
            waits = card.supply_status in ("FULL", "IN_USE", "WAIT")
            assert card.supply_status != "ERROR" or card.card_status != "IN_CIRCULATION"
            counted = loop.config.trigger is Trigger.ON_QTY
            assert waits or counted or card.card_status != "IN_CIRCULATION"  # C8
            continue
        assert turn.closed_at is None
        assert turn.number == card.turn_number  # C2
        assert turn.owner  # C10
        assert turn.owner_since is not None
        assert not turn.step or turn.released_at is not None  # C5
        assert not turn.step or turn.signal_state in ("RELEASED", "ACKNOWLEDGED")  # C5
        assert not turn.supply_short or card.out_of_stock
        if card.supply_status == "WAIT":
            assert turn.signal_state == "UNRELEASED"
        if card.supply_status == "ERROR":
            assert turn.failed
            assert not usable(card)
        if turn.failed:
            assert turn.owner == "buyer" or card.card_status == "HELD"
        if card.card_status in ("HELD", "LOST", "SURPLUS", "REMOVED"):
            sent = turn.signal_state in ("RELEASED", "ACKNOWLEDGED")
            assert not sent or turn.to_recall  # C12
        if card.supply_status not in ("FULL", "IN_USE", "WAIT", "ERROR"):
            assert card.supply_status == (turn.step or "EMPTY")
            assert not turn.failed
