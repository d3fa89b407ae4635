"""The small shops of the stories, other people on their floors, and the HTTP API as a device calls it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.test import Client

from jitapp.accounts.models import Device, new_token, token_hash
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant.models import Placement
from jitapp.pull.models import Runout
from jitapp.pull.scan_request import Source
from tests.floor import START, Floor


def two_bins(cards: int = 2, quantity: int = 4, now: datetime = START, **more: Any) -> Floor:
    """CELL fills PART for LINE: loop L."""
    floor = Floor(now=now)
    floor.station("CELL")
    floor.station("LINE")
    floor.loop("L", part="PART", supply="CELL", demand="LINE", cards=cards, quantity=quantity, **more)
    return floor


def supplied(cards: int = 2, quantity: int = 100, **more: Any) -> Floor:
    """ACME ships SCREW to LINE: loop S."""
    floor = Floor()
    floor.station("ACME", "SUPPLIER")
    floor.station("LINE")
    floor.loop(
        "S",
        part="SCREW",
        supply="ACME",
        demand="LINE",
        kind="SUPPLIER",
        cards=cards,
        quantity=quantity,
        **more,
    )
    return floor


def supermarket(withdrawals: int = 2, productions: int = 2, **more: Any) -> Floor:
    """CELL makes BOX for the supermarket SM (loop P), LINE fetches it there (loop W)."""
    floor = Floor()
    floor.station("CELL")
    floor.station("SM", "SUPERMARKET")
    floor.station("LINE", "SHIPPING")
    floor.loop("P", part="BOX", supply="CELL", demand="SM", kind="PRODUCTION", cards=productions, quantity=4)
    floor.loop(
        "W", part="BOX", supply="SM", demand="LINE", kind="WITHDRAWAL", cards=withdrawals, quantity=4, **more
    )
    return floor


def counted_station(consume_at: str = "START", blanks: int = 2, boards: int = 2) -> Floor:
    """SMT makes BOARD for TEST (loop B) out of one BLANK each, which software draws from loop A, filled by MAKER."""
    floor = Floor()
    floor.station("MAKER", "SUPPLIER")
    floor.station("SMT", consumption="BACKFLUSH")
    floor.station("TEST")
    floor.bill("BOARD", BLANK=1)
    floor.loop("A", part="BLANK", supply="MAKER", demand="SMT", kind="SUPPLIER", cards=blanks, quantity=4)
    floor.loop(
        "B",
        part="BOARD",
        supply="SMT",
        demand="TEST",
        kind="PRODUCTION",
        cards=boards,
        quantity=4,
        consume_at=consume_at,
    )
    return floor


# -- people and devices --------------------------------------------------------------------------------
def with_roles(floor: Floor, username: str, *roles: Role) -> Source:
    """A person with these roles, signed in at no station."""
    person = floor.person(username)
    return Source(
        person_id=person.pk,
        plant_ids=frozenset({floor.plant.pk}),
        roles={floor.plant.pk: frozenset(roles)},
        name=username,
    )


def another_device(floor: Floor, name: str = "tablet") -> Source:
    """A second device of the plant."""
    device = Device.objects.create(name=name, kind=DeviceKind.TABLET, token_hash=token_hash(new_token()))
    Placement.objects.create(device=device, plant=floor.plant)
    return Source(device_id=device.pk, plant_ids=frozenset({floor.plant.pk}), name=name)


def leading_device(floor: Floor) -> Source:
    """The floor's own device with a leader signed in."""
    return replace(floor.leader(), device_id=floor.device.pk)


# -- what stands in the register -----------------------------------------------------------------------
def dry_spells(loop: str) -> list[tuple[datetime, datetime | None]]:
    """The runouts of a loop in order of time: without those of no length, and those that meet as one."""
    found: list[tuple[datetime, datetime | None]] = []
    rows = Runout.objects.filter(loop__code=loop).order_by("opened_at", "pk")
    for opened, closed in rows.values_list("opened_at", "closed_at"):
        if opened == closed:
            continue
        if found and found[-1][1] == opened:
            found[-1] = (found[-1][0], closed)
        else:
            found.append((opened, closed))
    return found


def last_runout(loop: str) -> Runout:
    """The newest runout of a loop."""
    return Runout.objects.filter(loop__code=loop).order_by("-opened_at", "-pk")[0]


# -- the API -------------------------------------------------------------------------------------------
def as_erp(floor: Floor) -> None:
    """The floor's device is an ERP client from now on: it belongs to no station and may act on turns and loops."""
    floor.device.kind = DeviceKind.ERP
    floor.device.save()


def get(floor: Floor, path: str) -> Any:
    """GET below /api/v1 with the floor's token; the body."""
    answer = Client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {floor.token}"})
    assert answer.status_code == 200, (path, answer.status_code, answer.content)
    return answer.json()


def listed(floor: Floor, path: str) -> list[dict[str, Any]]:
    """The rows of a list of the API, its first page."""
    rows: list[dict[str, Any]] = get(floor, path)["results"]
    return rows


def post(floor: Floor, path: str, body: dict[str, Any] | None = None, key: str = "") -> Any:
    """POST below /api/v1 with the floor's token; the response."""
    return Client().post(
        f"/api/v1{path}",
        body or {},
        content_type="application/json",
        headers={"Authorization": f"Bearer {floor.token}"} | ({"Idempotency-Key": key} if key else {}),
    )
