"""Random days on the floor, with tablets that were offline: after each hour the table of runouts is the calculated one.

A day is told by its number; the same number has the same day again. More days: JITAPP_DAYS=500.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from jitapp.accounts.models import Device, new_token, token_hash
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant.models import Loop, Placement
from jitapp.pull import actions
from jitapp.pull.models import Card, Turn
from jitapp.pull.scan_request import Source
from tests.floor import Floor
from tests.independent.adapters import all_differences

DAYS = int(os.environ.get("JITAPP_DAYS", "4"))
HOURS, SCANS = 8, 25

pytestmark = pytest.mark.django_db


def a_shop() -> Floor:
    """Every kind of loop: BACKFLUSH in the middle, a supermarket, suppliers with and without documents, orders."""
    floor = Floor()
    for code in ("ACME", "MILL"):
        floor.station(code, "SUPPLIER")
    floor.station("SMT", consumption="BACKFLUSH")
    floor.station("CELL")
    floor.station("SM", "SUPERMARKET")
    floor.station("LINE", "SHIPPING")
    floor.bill("BOARD", BLANK=1)
    waits_for_number: dict[str, Any] = {"doc_policy": "WAIT_FOR_DOC_NUMBER"}
    gathers: dict[str, Any] = {"accumulate": "CARDS", "accumulate_cards": 2}
    floor.loop("BINS", part="NUT", supply="CELL", demand="LINE", quantity=2)
    floor.loop("SCREWS", part="SCREW", supply="ACME", demand="LINE", kind="SUPPLIER", quantity=50)
    floor.loop(
        "BLANKS", part="BLANK", supply="MILL", demand="SMT", kind="SUPPLIER", quantity=4, **waits_for_number
    )
    floor.loop("BOARDS", part="BOARD", supply="SMT", demand="LINE", kind="PRODUCTION", quantity=2)
    floor.loop("LOTS", part="CAP", supply="CELL", demand="LINE", kind="PRODUCTION", cards=3, **gathers)
    floor.loop("P", part="BOX", supply="CELL", demand="SM", kind="PRODUCTION", quantity=1)
    floor.loop("W", part="BOX", supply="SM", demand="LINE", kind="WITHDRAWAL", quantity=1)
    floor.loop("ASKED", part="KIT", supply="CELL", demand="LINE", independent_supply=True)
    floor.loop(
        "ORDERS",
        part="UNIT",
        supply="CELL",
        demand="LINE",
        kind="EVENT",
        cards=0,
        first=None,
        lead_time_minutes=45,
    )
    return floor


class Day:
    """People who scan what fits, sometimes what does not, and some of them an hour later than they did it."""

    def __init__(self, number: int) -> None:
        self.dice = random.Random(number)
        self.floor = a_shop()
        plants = frozenset({self.floor.plant.pk})
        lea, vera = self.floor.person("lea"), self.floor.person("vera")
        plant = self.floor.plant.pk
        roles = {plant: frozenset({Role.LEADER, Role.BUYER})}
        self.lea = Source(person_id=lea.pk, plant_ids=plants, roles=roles)
        self.vera = Source(person_id=vera.pk, plant_ids=plants, roles={plant: frozenset({Role.QUALITY})})
        self.devices = [self.floor.source, *(self.device(name) for name in ("tablet", "phone"))]
        self.story: list[str] = []
        self.outcomes: Counter[str] = Counter()

    def device(self, name: str) -> Source:
        made = Device.objects.create(name=name, kind=DeviceKind.TABLET, token_hash=token_hash(new_token()))
        Placement.objects.create(device=made, plant=self.floor.plant)
        return replace(self.floor.source, device_id=made.pk, name=name)

    def hour(self) -> None:
        for _ in range(SCANS):
            self.floor.now += timedelta(minutes=self.dice.choice([0.2, 1, 2, 5]))
            self.dice.choices(
                [self.scan, self.act, self.place_an_order, self.give_numbers, self.workers],
                [60, 15, 2, 10, 13],
            )[0]()
        self.workers()

    def workers(self) -> None:
        self.floor.propagate()
        actions.sweep(now=self.floor.now)
        self.floor.propagate()

    def scan(self) -> None:
        """The usual next step of some card, or any step."""
        card = self.a_card()
        usual = {
            "FULL": ("empty", "open"),
            "IN_USE": ("empty",),
            "EMPTY": ("start", "load", "receive"),
            "IN_PROCESS": ("complete",),
            "COMPLETED": ("load", "receive"),
            "IN_TRANSIT": ("receive",),
            "WAIT": ("release",),
        }.get(card.supply_status, ("retry",))
        intents = (
            usual if self.dice.random() < 0.85 else ("empty", "receive", "start", "complete", "load", "abort")
        )
        late = self.dice.choice([0, 0, 0, 0, 1, 10, 30, 60, 90])
        more: dict[str, Any] = {"source": self.dice.choice(self.devices), "reason": "as found"}
        if late:
            more["occurred_at"] = self.floor.now - timedelta(minutes=late)
        intent = self.dice.choice(intents)
        if intent == "load" and card.loop.code == "W" and self.dice.random() < 0.8:
            full = Card.objects.filter(loop__code="P", supply_status="FULL").first()
            more["pair"] = full.code if full else None
        if intent in ("release", "retry"):
            more["source"] = self.lea
        self.send(card, intent, **more)

    def act(self) -> None:
        """What leaders, quality, suppliers and undoing hands do."""
        card = self.a_card()
        acts: list[tuple[str, dict[str, Any]]] = [
            ("hold", {"source": self.vera}),
            ("release", {"source": self.vera}),
            ("release", {"source": self.vera}),
            ("undo", {"source": self.lea}),
            ("cancel", {"source": self.lea}),
            ("recall", {"source": self.lea}),
            ("acknowledge", {"at": card.loop.supply.code}),
            ("reject", {"at": card.loop.supply.code}),
            ("count", {"quantity": self.dice.choice([0, 1]), "source": self.lea}),
            ("lost", {"source": self.lea}),
            ("found", {"source": self.lea}),
        ]
        statuses = ["FULL", "IN_USE", "EMPTY", "WAIT", "IN_PROCESS", "COMPLETED", "IN_TRANSIT"]
        acts += [("correct", {"status": status, "source": self.lea}) for status in statuses]
        intent, more = self.dice.choice(acts)
        self.send(card, intent, reason="as found", **more)

    def send(self, card: Card, intent: str, **more: Any) -> None:
        answer = self.floor.scan(card.loop.code, card.number, intent, after=0, **more)
        late = more.get("occurred_at")
        told = f", of {late:%H:%M:%S}" if late else ""
        self.story.append(
            f"{self.floor.now:%H:%M:%S} {card.loop.code} {card.number} {intent}{told}: {answer['code']}"
        )
        self.outcomes[answer["outcome"]] += 1

    def a_card(self) -> Card:
        cards = Card.objects.exclude(card_status__in=["REMOVED", "NEW"]).select_related("loop__supply")
        return self.dice.choice(list(cards.order_by("pk")))

    def place_an_order(self) -> None:
        loop = Loop.objects.get(code="ORDERS")
        actions.order(loop_id=loop.pk, quantity=Decimal(2), now=self.floor.now, source=self.lea)
        self.story.append(f"{self.floor.now:%H:%M:%S} an order")

    def give_numbers(self) -> None:
        """The ERP is asked, answers, or says that an order is closed."""
        waiting = Turn.objects.filter(closed_at__isnull=True, signal_state="PENDING_DOC", document="").first()
        what: Callable[[], object] | None = None
        if waiting is not None:
            uuid, now = waiting.uuid, self.floor.now
            what = self.dice.choice(
                [
                    lambda: actions.ask_for_documents([uuid], now=now),
                    lambda: actions.give_document(turn=str(uuid), document=f"D{waiting.pk}", now=now),
                    lambda: actions.fail_turn(uuid, reason="closed", now=now),
                ]
            )
        if what is not None:
            self.story.append(f"{self.floor.now:%H:%M:%S} the ERP")
            what()


@pytest.mark.parametrize("number", range(DAYS))
def test_after_every_hour_the_runouts_are_those_of_the_ledger(number: int) -> None:
    day = Day(number)
    for _ in range(HOURS):
        day.hour()
        differences = all_differences(now=day.floor.now)
        assert not differences, "\n".join([f"day {number}", *differences, *day.story])
    assert day.outcomes["applied"] > HOURS * SCANS / 4, day.outcomes
