"""R4: whoever goes on filling for a demand that is no more is told of it, with both turns named."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from jitapp.accounts.models import Person
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Loop
from jitapp.pull import actions
from jitapp.pull.models import Event, Turn
from tests.floor import Floor
from tests.stories.shops import as_erp, counted_station, get, listed, with_roles


def told(loop: str) -> list[Event]:
    return list(Event.objects.filter(loop__code=loop, type="turn.demand_cancelled").order_by("loop_seq"))


def an_order_over_two_tiers() -> tuple[Floor, Turn, Turn]:
    """An order at FRAMES that has asked MILL for its sheets: the floor, the order's turn, the sheets' turn."""
    floor = Floor()
    floor.station("MILL", "SUPPLIER")
    floor.station("CUT")
    floor.station("SHIP", "SHIPPING")
    floor.bill("FRAME", SHEET=2)
    many: dict[str, Any] = {"kind": "EVENT", "cards": 0, "first": None}
    floor.loop("SHEETS", part="SHEET", supply="MILL", demand="CUT", **many)
    floor.loop("FRAMES", part="FRAME", supply="CUT", demand="SHIP", **many)
    frames = Loop.objects.get(code="FRAMES")
    actions.order(loop_id=frames.pk, quantity=Decimal(3), now=floor.now, source=floor.source)
    floor.propagate()
    return floor, floor.turn("FRAMES", 1), floor.turn("SHEETS", 1)


def cancel(floor: Floor, loop: str, number: int) -> None:
    buyer = with_roles(floor, "bea", Role.BUYER, Role.LEADER)
    answer = floor.scan(loop, number, "cancel", reason="customer withdrew", source=buyer)
    assert answer["code"] in ("cancelled", "cancelled_last"), answer
    floor.propagate()
    floor.propagate()


def is_a_task_of_its_owner(floor: Floor, station: str, upstream: Turn, downstream: Turn) -> None:
    """The ledger of the upstream turn names both; lists, board and the station's page show it to who must act."""
    upstream.refresh_from_db()
    assert upstream.closed_at is None
    (event,) = told(upstream.loop.code)
    assert (event.turn, event.turn_number) == (upstream.uuid, upstream.number)
    assert event.data["by_turn"] == str(downstream.uuid)
    rows = {row["id"]: row for row in listed(floor, "/turns?open=1")}
    assert rows[str(upstream.uuid)]["demand_cancelled"] is True
    assert rows[str(upstream.uuid)]["owner"] != ""
    assert get(floor, f"/turns/{upstream.uuid}")["demand_cancelled"] is True
    to_fill = {row["id"]: row for row in get(floor, f"/boards/{station}")["to_fill"]}
    assert to_fill[str(upstream.uuid)]["demand_cancelled"] is True
    person = floor.person("root", is_superuser=True)
    assert told_on_pages(floor, station, person) == [True, True]


def told_on_pages(floor: Floor, station: str, reader: Person) -> list[bool]:
    """Whether the board of the area and the station's page say that something is cancelled."""
    client = Client()
    client.force_login(reader)
    pages = (f"/b/{floor.area.code}", f"/b/supply/{station}")
    return ["cancelled" in client.get(page).content.decode().lower() for page in pages]


def test_r04_an_order_cancelled_after_the_supplier_started_is_reported_to_him() -> None:
    floor, frames, sheets = an_order_over_two_tiers()
    assert floor.scan("SHEETS", 1, "start")["code"] == "started"
    cancel(floor, "FRAMES", 1)
    is_a_task_of_its_owner(floor, "MILL", sheets, frames)


def test_r04_an_order_cancelled_after_the_supplier_acknowledged_is_reported_to_him() -> None:
    floor, frames, sheets = an_order_over_two_tiers()
    assert floor.scan("SHEETS", 1, "acknowledge", at="MILL")["code"] == "acknowledged"
    cancel(floor, "FRAMES", 1)
    is_a_task_of_its_owner(floor, "MILL", sheets, frames)


def a_pull_over_two_tiers() -> tuple[Floor, Turn, Turn]:
    """A pull of four boards that booked the last blanks, whose refill went out to MAKER."""
    floor = counted_station(consume_at="RELEASE")
    floor.scan("B", 1, "empty")
    floor.propagate()
    upstream = floor.turn("A", 1)
    assert upstream.signal_state == "RELEASED"
    return floor, floor.turn("B", 1), upstream


@pytest.mark.parametrize("act", ["acknowledge", "start", "reject"])
def test_r04_a_pull_undone_after_the_supplier_acted_is_reported_upstream(act: str) -> None:
    floor, pull, upstream = a_pull_over_two_tiers()
    assert floor.scan("A", 1, act, at="MAKER", reason="no copper", after=0.5)["outcome"] == "applied"
    assert floor.scan("B", 1, "undo", after=0.5)["code"] == "undone"
    floor.propagate()
    upstream.refresh_from_db()
    assert upstream.closed_at is None
    (event,) = told("A")
    assert (event.turn, event.data["by_turn"]) == (upstream.uuid, str(pull.uuid))
    if act != "reject":
        is_a_task_of_its_owner(floor, "MAKER", upstream, pull)


def test_r04_a_pull_undone_before_anybody_acted_takes_the_signal_back_and_reports_nothing() -> None:
    floor, _, upstream = a_pull_over_two_tiers()
    assert floor.scan("B", 1, "undo", after=0.5)["code"] == "undone"
    floor.propagate()
    upstream.refresh_from_db()
    assert upstream.signal_state == "CANCELLED"
    assert told("A") == []


def test_r04_an_order_whose_refill_is_still_wanted_is_no_task() -> None:
    floor, _, sheets = an_order_over_two_tiers()
    floor.scan("SHEETS", 1, "start")
    floor.propagate()
    assert told("SHEETS") == []
    rows = {row["id"]: row for row in listed(floor, "/turns?open=1")}
    assert {row["demand_cancelled"] for row in rows.values()} == {False}
    assert str(sheets.uuid) in rows
    assert told_on_pages(floor, "MILL", floor.person("root", is_superuser=True)) == [False, False]


def test_r04_the_task_ends_with_its_turn() -> None:
    floor, _, sheets = an_order_over_two_tiers()
    floor.scan("SHEETS", 1, "start")
    cancel(floor, "FRAMES", 1)
    as_erp(floor)
    assert floor.scan("SHEETS", 1, "receive", at="CUT")["outcome"] == "applied"
    assert str(sheets.uuid) not in {row["id"] for row in listed(floor, "/turns?open=1")}
    assert len(told("SHEETS")) == 1
