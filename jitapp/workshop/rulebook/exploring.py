"""Which states a card can be brought to, by trying: every move of the tables from every state that a move leads to.

The diagrams of docs/rules/states.md are drawn from what is found here, so they show what the code does.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from jitapp.kanban.conditions import usable
from jitapp.kanban.events.base import Entry
from jitapp.kanban.events.cards import CardActivated, CardAdded
from jitapp.kanban.events.loops import LoopChanged
from jitapp.kanban.events.turns import TurnDocumented
from jitapp.kanban.ledger import Ledger, Scan
from jitapp.kanban.lifecycle import decide
from jitapp.kanban.market import balance
from jitapp.kanban.resizing import resize
from jitapp.kanban.signals import dispatch, fail, gather, signal
from jitapp.kanban.state import ZERO, Card, Loop, LoopConfig, exact
from jitapp.kanban.steps.all import STEPS
from jitapp.kanban.swap import swap
from jitapp.kanban.vocabulary import (
    Accumulate,
    ConsumeAt,
    Consumption,
    DocPolicy,
    GrPolicy,
    Intent,
    Level,
    LoopKind,
    LoopStatus,
    Role,
    SignalState,
    StationKind,
    SupplyStatus,
    Trigger,
)
from jitapp.kanban.worktime import WorkCalendar

S = SupplyStatus
DEMAND, SUPPLY = 1, 2
BEGIN = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
QUANTITY = Decimal(4)
# Where the demand side does it; everything else that names no side is done at the supply side.
AT_DEMAND = frozenset({Intent.ACTIVATE, Intent.UNBLOCK})
# They lead from anywhere to anywhere, or back where one came from: said in words.
IN_WORDS = frozenset({Intent.CORRECT, Intent.UNDO})

Edges = dict[tuple[str, str], set[str]]
Move = Callable[[Loop], list[Entry]]


@dataclass
class Map:
    """The edges found: (from, to) -> the moves that lead there, for each of the three fields."""

    supply: Edges = field(default_factory=lambda: defaultdict(set))
    card: Edges = field(default_factory=lambda: defaultdict(set))
    signal: Edges = field(default_factory=lambda: defaultdict(set))


# The settings that shape each kind; each is explored by itself.
VARIANTS: dict[LoopKind, tuple[dict[str, Any], ...]] = {
    LoopKind.TWO_BIN: ({}, {"trigger": Trigger.ON_IN_USE}, {"independent_supply": True}),
    LoopKind.PRODUCTION: (
        {},
        {"accumulate": Accumulate.CARDS, "accumulate_cards": 2},
        {"trigger": Trigger.ON_SIBLING_IN_USE},
    ),
    LoopKind.WITHDRAWAL: ({"supply_kind": StationKind.SUPERMARKET},),
    LoopKind.SUPPLIER: (
        {"supply_kind": StationKind.SUPPLIER},
        {"supply_kind": StationKind.SUPPLIER, "gr_policy": GrPolicy.RECEIPT_SETS_FULL},
        {"supply_kind": StationKind.SUPPLIER, "doc_policy": DocPolicy.WAIT_FOR_DOC_NUMBER},
        {
            "supply_kind": StationKind.SUPPLIER,
            "doc_policy": DocPolicy.WAIT_FOR_DOC_NUMBER,
            "accumulate": Accumulate.CARDS,
            "accumulate_cards": 2,
        },
    ),
    LoopKind.TRANSFER: (
        {"supply_plant_id": 2},
        {"sequence": {S.COMPLETED: "PROHIBITED", S.IN_TRANSIT: "PROHIBITED"}},
    ),
    LoopKind.EVENT: ({},),
}


def explore(kind: LoopKind) -> Map:
    """What can happen to the first card of a loop of the kind, under each of its variants."""
    found = Map()
    for settings in VARIANTS[kind]:
        _explore(_shop(kind, settings), kind, found)
    return found


def _explore(first: Loop, kind: LoopKind, found: Map) -> None:
    seen = {_key(first)}
    queue = deque([(first, BEGIN)])
    while queue:
        loop, now = queue.popleft()
        now += timedelta(hours=2)
        turn = loop.cards[1].turn
        for name, move in _moves(kind, now):
            if turn is not None and turn.failed and name != str(Intent.RETRY):
                continue  # out of ERROR it comes to where it stood; the rest was seen from there
            after = _copied(loop)
            events = move(after)
            if not events:
                continue
            _note(found, name, loop.cards[1], after.cards[1], events)
            if (key := _key(after)) not in seen:
                seen.add(key)
                queue.append((after, now))


def _copied(loop: Loop) -> Loop:
    """A loop of its own; settings and past turns are shared, because nothing changes them."""
    fresh = copy(loop)
    fresh.cards = {number: copy(card) for number, card in loop.cards.items()}
    for card in fresh.cards.values():
        card.turn = copy(card.turn)
    fresh.runout = copy(loop.runout)
    fresh.fresh, fresh.register, fresh.ended = list(loop.fresh), dict(loop.register), list(loop.ended)
    return fresh


def _note(found: Map, name: str, before: Card, after: Card, events: list[Entry]) -> None:
    if before.supply_status != after.supply_status and before.card_status == "IN_CIRCULATION":
        found.supply[before.supply_status, after.supply_status].add(name)
    if before.card_status != after.card_status:
        found.card[before.card_status, after.card_status].add(name)
    was = before.turn.signal_state if before.turn else ""
    ends = [event.type for event in events if event.card_id == 1 and event.type in _ENDS]
    if ends:
        found.signal[was, _ENDS[ends[0]]].add(name)
    elif after.turn is not None and after.turn.signal_state != was:
        found.signal[was, after.turn.signal_state].add(name)


_ENDS = {"turn.received": SignalState.CLOSED, "turn.cancelled": SignalState.CANCELLED}


def _key(loop: Loop) -> tuple[object, ...]:
    """What of a loop's state decides what can come next, as far as the first card is concerned."""
    card, other = loop.cards[1], loop.cards[2]
    turn = card.turn
    return (
        card.card_status,
        card.supply_status,
        turn
        and (
            turn.signal_state,
            turn.step,
            turn.docked_at is None,
            turn.document,
            turn.failed,
            turn.supply_short,
        ),
        card.turns_left,
        bool(loop.surplus_due),
        card.blocked,
        usable(other),
        other.supply_status == S.IN_USE,
        other.turn and other.turn.signal_state,
    )


def _moves(kind: LoopKind, now: datetime) -> Iterator[tuple[str, Move]]:
    """Every move by its name: all scans, and what planners, clocks, the ERP and siblings do."""
    for intent in Intent:
        if intent in IN_WORDS or (intent is Intent.SHIP and kind is not LoopKind.SUPPLIER):
            continue
        for quantity in _quantities(intent):
            yield _named(intent, quantity), _scan(1, intent, now, quantity)
    yield "sibling emptied", _scan(2, Intent.EMPTY, now, None)
    yield "sibling opened", _scan(2, Intent.OPEN, now, None)
    if kind is not LoopKind.EVENT:
        yield "resized down", lambda loop: _fitted(loop, now, -1)
        yield "resized up", lambda loop: _fitted(loop, now, +1)
    yield "batch complete, clock, runout or near-runout", lambda loop: _gathered(loop, now)
    yield "the ERP refuses or closes the order", lambda loop: _failed(loop, now)
    yield "document number", lambda loop: _documented(loop, now)
    if kind is LoopKind.WITHDRAWAL:
        yield "swap", lambda loop: _swapped(loop, now, at_market=False)
        yield "no full container", lambda loop: _in_vain(loop, now)
        yield "next full container", lambda loop: _served(loop, now)
    if kind is LoopKind.PRODUCTION:
        yield "swap", lambda loop: _swapped(loop, now, at_market=True)


def _quantities(intent: Intent) -> tuple[Decimal | None, ...]:
    if intent is Intent.COUNT:
        return (Decimal(0),)
    return (None, Decimal(0)) if intent in (Intent.ACTIVATE, Intent.FOUND) else (None,)


def _named(intent: Intent, quantity: Decimal | None) -> str:
    return f"{intent} (0 pieces)" if quantity is not None else str(intent)


def _scan(number: int, intent: Intent, now: datetime, quantity: Decimal | None) -> Move:
    def move(loop: Loop) -> list[Entry]:
        side = STEPS[intent].side or ("demand" if intent in AT_DEMAND else "supply")
        scan = Scan(
            id=_uuid(),
            intent=intent,
            station_id=DEMAND if side == "demand" else SUPPLY,
            device_id=1,
            occurred_at=now,
            recorded_at=now,
            quantity=quantity,
            reason="a reason",
            roles=frozenset(Role),
            promised_at=now + timedelta(days=1),
            new_uuid=_uuid,
        )
        return decide(loop, loop.cards[number], scan).entries

    return move


def _fitted(loop: Loop, now: datetime, by: int) -> list[Entry]:
    """A resize writes events only where it takes surplus cards back; a due surplus is noted on the loop."""
    ledger = Ledger(loop, at=now)
    there = sum(1 for card in loop.cards.values() if card.card_status in ("IN_CIRCULATION", "HELD", "NEW"))
    due = loop.surplus_due
    resize(ledger, max(1, there - due + by), _uuid)
    return ledger.entries or ([Entry(LoopChanged(), now)] if loop.surplus_due != due else [])


def _gathered(loop: Loop, now: datetime) -> list[Entry]:
    ledger = Ledger(loop, at=now)
    gather(ledger, _uuid, why="clock")
    return ledger.entries


def _documented(loop: Loop, now: datetime) -> list[Entry]:
    card = loop.cards[1]
    turn = card.turn
    if turn is None or turn.signal_state is not SignalState.PENDING_DOC:
        return []
    ledger = Ledger(loop, at=now)
    ledger.write(TurnDocumented(document="4500001"), card, turn=turn)
    dispatch(ledger, card, _uuid())
    return ledger.entries


def _failed(loop: Loop, now: datetime) -> list[Entry]:
    ledger = Ledger(loop, at=now)
    turn = loop.cards[1].turn
    if turn is not None and not turn.failed:
        fail(ledger, loop.cards[1], "4500001 was closed")
    return ledger.entries


def _in_vain(loop: Loop, now: datetime) -> list[Entry]:
    return decide(loop, loop.cards[1], replace(_scan_of(now, SUPPLY), market_empty=True)).entries


def _served(loop: Loop, now: datetime) -> list[Entry]:
    ledger = Ledger(loop, at=now)
    balance([ledger], [_shop(LoopKind.PRODUCTION, {"id": 2, "demand_id": SUPPLY, "supply_id": 3})], _uuid)
    return ledger.entries


def _swapped(loop: Loop, now: datetime, *, at_market: bool) -> list[Entry]:
    """The swap with a loop of the same part on the other side of the supermarket."""
    if at_market:
        moves = _shop(
            LoopKind.WITHDRAWAL,
            {"id": 2, "supply_kind": StationKind.SUPERMARKET, "supply_id": DEMAND, "demand_id": 4},
        )
        decide(moves, moves.cards[1], _scan_of(now - timedelta(hours=1), 4, Intent.EMPTY))
        return swap(moves, moves.cards[1], loop, loop.cards[1], _scan_of(now, DEMAND)).detached
    makes = _shop(LoopKind.PRODUCTION, {"id": 2, "demand_id": SUPPLY, "supply_id": 3})
    return swap(loop, loop.cards[1], makes, makes.cards[1], _scan_of(now, SUPPLY)).decision.entries


def _scan_of(now: datetime, station: int, intent: Intent = Intent.LOAD) -> Scan:
    return Scan(
        id=_uuid(),
        intent=intent,
        station_id=station,
        device_id=1,
        occurred_at=now,
        recorded_at=now,
        reason="a reason",
        new_uuid=_uuid,
    )


_numbers = count(1)


def _uuid() -> UUID:
    return UUID(int=next(_numbers))


def _shop(kind: LoopKind, settings: dict[str, Any]) -> Loop:
    """A loop of two cards: NEW where cards come by print, empty and asked for where an order makes them."""
    loop = Loop(config=LoopConfig(**({"kind": kind} | _PLAIN | settings)))
    ledger = Ledger(loop, at=BEGIN)
    for number in (1, 2):
        card = loop.cards[number] = Card(number, f"C{number}", number, QUANTITY)
        ledger.write(CardAdded(code=card.code, number=number, quantity=exact(QUANTITY)), card)
    card, sibling = loop.cards[1], loop.cards[2]
    if kind is LoopKind.EVENT:
        card.turns_left = 1
        ledger.write(CardActivated(contents=ZERO), card)
        signal(ledger, card, _uuid)
    elif settings.get("id"):
        ledger.write(CardActivated(contents=QUANTITY), card, to=S.FULL)
    ledger.write(CardActivated(contents=QUANTITY), sibling, to=S.FULL)
    return loop


_PLAIN: dict[str, Any] = {
    "id": 1,
    "code": "L",
    "plant_id": 1,
    "plant_code": "P",
    "time_zone": "UTC",
    "area_id": 1,
    "area_code": "A",
    "status": LoopStatus.ACTIVE,
    "hold_reason": "",
    "part_id": 1,
    "part": "PART",
    "unit": "pcs",
    "decimals": 0,
    "quantity": QUANTITY,
    "lead_time_minutes": 60,
    "demand_id": DEMAND,
    "demand": "DEMAND",
    "demand_name": "Demand",
    "demand_consumption": Consumption.SCAN,
    "supply_id": SUPPLY,
    "supply": "SUPPLY",
    "supply_name": "Supply",
    "supply_kind": StationKind.PROCESS,
    "supply_consumption": Consumption.SCAN,
    "wip_limit": None,
    "consume_at": ConsumeAt.START,
    "trigger": Trigger.ON_EMPTY,
    "sequence": {},
    "min_turn_minutes": 0,
    "min_turn_level": Level.WARN,
    "bounce_ms": 1500,
    "undo_window_s": 120,
    "max_empty_allowed": 0,
    "demand_intent": "",
    "supply_intent": "",
    "calendar": WorkCalendar("UTC", [], []),
}
