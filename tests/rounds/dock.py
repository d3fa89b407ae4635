"""Deliveries for tests: a shop with suppliers, and labels as suppliers print them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from jitapp.plant.models import Membership
from jitapp.pull.scan_request import Source
from jitapp.rounds.gathering import Gathered, read_at_dock
from jitapp.rounds.receiving import Receipt, TakenIn, take_in
from tests.floor import START, Floor

RS, GS, EOT = "\x1e", "\x1d", "\x04"


def gtl(*fields: str) -> str:
    """A Global Transport Label: an ISO 15434 envelope of format 06."""
    return f"[)>{RS}06{GS}{GS.join(fields)}{RS}{EOT}"


@dataclass
class Dock:
    """A floor whose wire and tape come from ACME, and who takes them in."""

    floor: Floor
    source: Source

    def code(self, loop: str, number: int) -> str:
        return self.floor.card(loop, number).code

    def asked(self, loop: str, *numbers: int) -> None:
        for number in numbers:
            assert self.floor.scan(loop, number, "empty")["outcome"] == "applied"

    def take(self, raw: str, *, id: UUID | None = None, **more: Any) -> TakenIn:
        self.floor.now += timedelta(minutes=1)
        receipt = Receipt(id or uuid4(), raw, **more)
        return take_in(receipt, source=self.source, now=self.floor.now)

    def read(self, raw: str, *, id: UUID | None = None, seconds: int = 5) -> TakenIn | Gathered:
        """One barcode, as somebody scans it who goes on with the same label."""
        self.floor.now += timedelta(seconds=seconds)
        return read_at_dock(Receipt(id or uuid4(), raw), source=self.source, now=self.floor.now)


def a_dock(now: datetime = START) -> Dock:
    floor = Floor(now=now)
    floor.station("LINE")
    floor.station("ACME", "SUPPLIER")
    floor.station("BOLTS", "SUPPLIER")
    floor.loop("WIRE", part="WIRE-07", supply="ACME", demand="LINE", kind="SUPPLIER", cards=3, quantity=100)
    floor.loop("TAPE", part="TAPE-19", supply="ACME", demand="LINE", kind="SUPPLIER", cards=2, quantity=12)
    floor.loop("NUT", part="NUT-M4", supply="BOLTS", demand="LINE", kind="SUPPLIER", cards=2, quantity=500)
    rita = floor.person("rita")
    Membership.objects.create(person=rita, plant=floor.plant, role="handler")
    roles = {floor.plant.pk: frozenset({"handler"})}
    return Dock(floor, Source(person_id=rita.pk, plant_ids=frozenset({floor.plant.pk}), roles=roles))
