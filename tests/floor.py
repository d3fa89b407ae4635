"""A small language for stories of the floor: make a shop, scan, look.

floor = Floor()
floor.station("SMT", "PROCESS"); floor.station("SHIP", "SHIPPING")
loop = floor.loop("L1", part="BOARD", supply="SMT", demand="SHIP", cards=2, quantity=4)
floor.scan("L1", 1, "empty").code == "emptied"
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from jitapp.accounts.models import Device, Person, new_token, new_uuid, token_hash
from jitapp.kanban.vocabulary import DeviceKind, Role, StationKind
from jitapp.outbox import relay
from jitapp.plant.models import Area, BillOfMaterials, Loop, Part, Placement, Plant, Station, Supplier
from jitapp.pull import actions, store
from jitapp.pull.models import Card, Runout, Turn
from jitapp.pull.scan_request import Answer, Conflict, ScanRequest, Source

START = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)


@dataclass
class Floor:
    """A plant in the making, and its clock: every scan happens a minute after the one before unless told."""

    plant_code: str = "PLANT"
    now: datetime = START
    plant: Plant = field(init=False)
    area: Area = field(init=False)
    source: Source = field(init=False)
    token: str = field(init=False)
    device: Device = field(init=False)

    def __post_init__(self) -> None:
        self.plant = Plant.objects.create(code=self.plant_code, name=self.plant_code)
        self.area = Area.objects.create(plant=self.plant, code=f"{self.plant_code}-AREA", name="Hall")
        self.token = new_token()
        self.device = Device.objects.create(
            name=f"{self.plant_code} scanner", kind=DeviceKind.SCANNER, token_hash=token_hash(self.token)
        )
        Placement.objects.create(device=self.device, plant=self.plant)
        self.source = Source(device_id=self.device.pk, plant_ids=frozenset({self.plant.pk}), name="scanner")

    def person(self, username: str, **more: Any) -> Person:
        return Person.objects.create(username=username, name=username.title(), **more)

    def leader(self) -> Source:
        """A person who leads the plant, without a device."""
        person, _ = Person.objects.get_or_create(username=f"{self.plant_code} leader", name="Lea")
        return Source(
            person_id=person.pk,
            plant_ids=frozenset({self.plant.pk}),
            roles={self.plant.pk: frozenset({Role.LEADER})},
        )

    def station(self, code: str, kind: str = "PROCESS", **more: Any) -> Station:
        supplier = None
        if kind == StationKind.SUPPLIER:
            supplier = Supplier.objects.create(plant=self.plant, code=f"{code}-CO", name=code.title())
        return Station.objects.create(
            plant=self.plant,
            area=self.area,
            code=code,
            name=code.title(),
            kind=kind,
            supplier=supplier,
            **more,
        )

    def part(self, number: str) -> Part:
        return Part.objects.get_or_create(plant=self.plant, number=number)[0]

    def bill(self, parent: str, **components: float | int | str) -> None:
        for component, quantity in components.items():
            BillOfMaterials.objects.create(
                parent=self.part(parent), component=self.part(component), quantity=Decimal(str(quantity))
            )

    def loop(
        self,
        code: str,
        *,
        part: str,
        supply: str,
        demand: str,
        kind: str = "TWO_BIN",
        cards: int = 2,
        quantity: int | str = 1,
        first: str | Sequence[str] | None = "FULL",
        **more: Any,
    ) -> Loop:
        loop = Loop.objects.create(
            plant=self.plant,
            code=code,
            part=self.part(part),
            supply=Station.objects.get(code=supply),
            demand=Station.objects.get(code=demand),
            kind=kind,
            quantity=Decimal(quantity),
            **more,
        )
        actions.add_cards(loop_id=loop.pk, count=cards, first=first, now=self.now)
        return loop

    def card(self, loop: str, number: int) -> Card:
        return Card.objects.get(loop__code=loop, number=number)

    def status(self, loop: str) -> list[str]:
        """The supply statuses of a loop's cards, in their order."""
        return list(
            Card.objects.filter(loop__code=loop).order_by("number").values_list("supply_status", flat=True)
        )

    def turn(self, loop: str, number: int) -> Turn:
        """The newest turn of a card."""
        turn = Turn.objects.filter(card=self.card(loop, number)).order_by("-number").first()
        assert turn is not None, f"card {number} of {loop} has no turn"
        return turn

    def open_runout(self, loop: str) -> Runout | None:
        return Runout.objects.filter(loop__code=loop, closed_at__isnull=True).first()

    def request(
        self,
        loop: str,
        number: int,
        intent: str | None,
        *,
        at: str | None = None,
        id: UUID | None = None,
        **more: Any,
    ) -> ScanRequest:
        """A scan of a card; `at` is a station code, by default the end of the loop where the intent belongs."""
        card = self.card(loop, number)
        if at is None:
            at_supply = intent in ("start", "complete", "load", "abort")
            at = card.loop.supply.code if at_supply else card.loop.demand.code
        quantity = more.pop("quantity", None)
        return ScanRequest(
            id=id or new_uuid(),
            code=more.pop("code", card.code),
            station=at,
            intent=intent,
            quantity=None if quantity is None else Decimal(str(quantity)),
            **more,
        )

    def send(
        self, request: ScanRequest, *, source: Source | None = None, after: float = 1
    ) -> Answer | Conflict:
        """Sends a scan `after` minutes of the floor's clock."""
        self.now += timedelta(minutes=after)
        return actions.scan(request, source=source or self.source, now=self.now)

    def scan(
        self,
        loop: str,
        number: int,
        intent: str | None = None,
        *,
        source: Source | None = None,
        after: float = 1,
        **more: Any,
    ) -> dict[str, Any]:
        """Scans a card and gives the answer's body; fails on a conflict."""
        answer = self.send(self.request(loop, number, intent, **more), source=source, after=after)
        assert isinstance(answer, Answer), answer
        return answer.body

    def replace_lost(self, loop: str, number: int) -> str:
        """Makes the NEW card that takes a lost card's place; answers its code."""
        card = self.card(loop, number)
        return actions.replace_card(card_id=card.pk, now=self.now)

    def cycle(self, loop: str, number: int) -> None:
        """Starts, completes, loads and receives an emptied card."""
        for intent in ("start", "complete", "load", "receive"):
            answer = self.scan(loop, number, intent)
            assert answer["outcome"] == "applied", answer

    def propagate(self) -> int:
        """Drains the outbox without boards; answers how many rows were handled."""
        handled = 0
        while count := relay.drain_once(
            lambda jobs: _ignore(
                actions.propagate(
                    [(job.key, job.payload) for job in jobs if job.topic == "pull.changed"], now=self.now
                )
            ),
            decode=store.decode,
        ):
            handled += count
        return handled


def _ignore(_value: object) -> None:
    return None


def wait_for_the_feed(patience_s: float = 120) -> None:
    """Until the feed may show all that was committed: another test's open transaction on the same server delays it."""
    until = time.monotonic() + patience_s
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(
                "SELECT 1 FROM pull_event WHERE xid >= pg_snapshot_xmin(pg_current_snapshot()) LIMIT 1"
            )
            if cursor.fetchone() is None:
                return
            time.sleep(0.05)
    raise AssertionError("some transaction was open all the time")
