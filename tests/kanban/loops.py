"""Loops for tests of the pure rules: no database, no settings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from jitapp.kanban.answers import say
from jitapp.kanban.events.base import Entry
from jitapp.kanban.events.cards import CardActivated, CardAdded
from jitapp.kanban.ledger import Decision, Ledger, Scan
from jitapp.kanban.lifecycle import decide
from jitapp.kanban.signals import finish, signal
from jitapp.kanban.state import ZERO, Card, Loop, LoopConfig, exact
from jitapp.kanban.swap import Swap, swap
from jitapp.kanban.vocabulary import (
    ConsumeAt,
    Consumption,
    Intent,
    Level,
    LoopKind,
    LoopStatus,
    StationKind,
    SupplyStatus,
    Trigger,
)
from jitapp.kanban.worktime import WorkCalendar

START = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
DEMAND, SUPPLY, ELSEWHERE = 1, 2, 3
ALWAYS = WorkCalendar("UTC", [], [])
_numbers = count(1)


def new_uuid() -> UUID:
    return UUID(int=next(_numbers))


def config(**settings: Any) -> LoopConfig:
    """A two-bin loop of PART from MAKER to USER, four pieces a bin; `settings` override."""
    plain: dict[str, Any] = {
        "id": 1,
        "code": "L",
        "plant_id": 1,
        "plant_code": "P",
        "time_zone": "UTC",
        "area_id": 1,
        "area_code": "A",
        "kind": LoopKind.TWO_BIN,
        "status": LoopStatus.ACTIVE,
        "hold_reason": "",
        "part_id": 1,
        "part": "PART",
        "unit": "pcs",
        "decimals": 0,
        "quantity": Decimal(4),
        "lead_time_minutes": 60,
        "demand_id": DEMAND,
        "demand": "USER",
        "demand_name": "User",
        "demand_consumption": Consumption.SCAN,
        "supply_id": SUPPLY,
        "supply": "MAKER",
        "supply_name": "Maker",
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
        "calendar": ALWAYS,
    }
    return LoopConfig(**(plain | settings))


def make_loop(first: Sequence[str] = ("FULL", "FULL"), **settings: Any) -> Loop:
    """A loop whose cards are activated as `first` says ("NEW" stays new)."""
    return begin(first, **settings)[0]


def begin(first: Sequence[str] = ("FULL", "FULL"), **settings: Any) -> tuple[Loop, list[Entry]]:
    """The same, and the entries that its ledger begins with."""
    loop = Loop(config=config(**settings))
    ledger = Ledger(loop, at=START)
    for number, state in enumerate(first, start=1):
        card = add_card(ledger, number)
        if state == "NEW":
            continue
        contents = exact(card.quantity) if state == "FULL" else ZERO
        ledger.write(CardActivated(contents=contents), card, to=SupplyStatus(state))
        if state == "EMPTY":
            signal(ledger, card, new_uuid)
    finish(ledger, new_uuid)
    return loop, ledger.entries


def add_card(ledger: Ledger, number: int, **facts: Any) -> Card:
    """One more card, NEW."""
    loop = ledger.loop
    # The row of a card exists before its first event.
    loop.cards[number] = Card(id=number, code=f"C{number}", number=number, quantity=loop.config.quantity)
    added = CardAdded(code=f"C{number}", number=number, quantity=exact(loop.config.quantity), **facts)
    ledger.write(added, loop.cards[number])
    return loop.cards[number]


class Bench:
    """A loop and a clock: scans happen ten minutes apart unless told."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.now = START + timedelta(hours=1)
        self.history: list[Decision] = []
        self.written: dict[UUID | None, list[Entry]] = {}  # by scan, of a swap onto both loops

    def scan(
        self, number: int, intent: str | None, *, at: int | None = None, minutes: float = 10, **facts: Any
    ) -> Decision:
        """Scans card `number`; by default at the end of the loop where the intent belongs, by device 7."""
        self.now += timedelta(minutes=minutes)
        if at is None:
            at = SUPPLY if intent in ("start", "complete", "load", "abort") else DEMAND
        quantity = facts.pop("quantity", None)
        given: dict[str, Any] = {
            "id": new_uuid(),
            "intent": Intent(intent) if intent else None,
            "station_id": at,
            "device_id": 7,
            "occurred_at": self.now,
            "recorded_at": self.now,
            "quantity": None if quantity is None else Decimal(str(quantity)),
            "new_uuid": new_uuid,
        }
        if intent == "undo":
            given["last_entries"] = tuple(self.written.get(self.loop.cards[number].last_scan, ()))
        decision = decide(self.loop, self.loop.cards[number], Scan(**(given | facts)))
        # Whatever is tested here is also said: a sentence whose fact nobody gives fails where it is told.
        said = say(
            decision.code,
            decision.facts,
            time_zone=ZoneInfo("UTC"),
            now=self.now,
            warnings=tuple(decision.warnings),
        )
        assert "{" not in "".join(said)
        self._keep(decision, [])
        return decision

    def swap(self, number: int, other: Bench, other_number: int, *, at: int, minutes: float = 10) -> Swap:
        """Card `number` of a withdrawal loop takes the place of another bench's card at the supermarket `at`."""
        self.now = other.now = max(self.now, other.now) + timedelta(minutes=minutes)
        scan = Scan(
            id=new_uuid(),
            intent=Intent.LOAD,
            station_id=at,
            device_id=7,
            occurred_at=self.now,
            recorded_at=self.now,
            new_uuid=new_uuid,
        )
        done = swap(self.loop, self.loop.cards[number], other.loop, other.loop.cards[other_number], scan)
        self._keep(done.decision, done.detached)
        return done

    def _keep(self, decision: Decision, beside: list[Entry]) -> None:
        if decision.entries:
            self.history.append(decision)
            self.written[decision.entries[0].scan_id] = decision.entries + beside

    def bring(self, number: int, status: str) -> None:
        """Brings a FULL card to `status` by the shortest way of scans."""
        way = {
            "FULL": [],
            "IN_USE": ["open"],
            "EMPTY": ["empty"],
            "IN_PROCESS": ["empty", "start"],
            "COMPLETED": ["empty", "start", "complete"],
            "IN_TRANSIT": ["empty", "start", "complete", "load"],
        }[status]
        for intent in way:
            decision = self.scan(number, intent)
            assert decision.outcome == "applied", decision
        assert self.loop.cards[number].supply_status == status
