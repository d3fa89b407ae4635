"""Master data does not contradict the floor: refused by file, API and administration alike while it would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.forms import model_to_dict
from django.test import Client
from django.urls import reverse

from jitapp.accounts.models import Person
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.devices import place_device
from jitapp.plant.models import BillOfMaterials, Loop, Part, Plant, Station, Supplier
from jitapp.pull import actions
from jitapp.pull.models import Card, Turn
from jitapp.pull.setup import set_up_shop
from tests.floor import Floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]
MODELS: dict[str, tuple[type[Any], str]] = {
    "parts": (Part, "number"),
    "stations": (Station, "code"),
    "loops": (Loop, "code"),
    "bills": (BillOfMaterials, "part"),
}


@dataclass
class Said:
    """What a door said to a change: whether it was made, the code where there is one, and the sentence."""

    done: bool
    code: str
    sentence: str


Door = Callable[[Floor, str, str, dict[str, Any]], Said]


def by_file(floor: Floor, kind: str, key: str, change: dict[str, Any]) -> Said:
    row = {MODELS[kind][1]: key} | change
    report = set_up_shop(
        {"shop": 1, "plants": [{"code": floor.plant_code, kind: [row]}]}, now=floor.now
    ).report
    error = report.errors[0] if report.errors else None
    return Said(
        error is None, error.code if error else "", error.message if error else "; ".join(report.notes)
    )


def by_api(floor: Floor, kind: str, key: str, change: dict[str, Any]) -> Said:
    token = place_device("erp", DeviceKind.ERP, plant=floor.plant_code)
    answer = Client(headers={"Authorization": f"Bearer {token}"}).put(
        f"/api/v1/{kind}/{key}", change, content_type="application/json"
    )
    body = answer.json()
    assert answer.status_code in (200, 409), body
    return Said(answer.status_code == 200, body.get("code", ""), body.get("detail", ""))


def by_hand(floor: Floor, kind: str, key: str, change: dict[str, Any]) -> Said:
    model, name = MODELS[kind]
    thing = model.objects.get(**{name: key})
    fields = model_to_dict(thing) | change
    if change.get("supplier"):
        fields["supplier"] = Supplier.objects.get(code=change["supplier"]).pk
    form = {field: value for field, value in fields.items() if value is not None}
    form |= {field: "[]" for field, value in form.items() if value == []}
    client = Client()
    client.force_login(
        Person.objects.filter(username="dana").first()
        or Person.objects.create_superuser("dana", None, None, name="Dana")
    )
    page = reverse(f"admin:plant_{model._meta.model_name}_change", args=[thing.pk])
    answer = client.post(page, form)
    if answer.status_code == 302:
        return Said(True, "in_use", client.get(answer["Location"]).content.decode())
    errors = answer.context["adminform"].form.errors
    assert set(errors) <= {"__all__"}, errors
    return Said(False, "in_use", errors["__all__"][0])


ALL_DOORS = pytest.mark.parametrize("door", [by_file, by_api, by_hand])
FILE_AND_API = pytest.mark.parametrize("door", [by_file, by_api])


@pytest.fixture
def floor() -> Floor:
    """Two cards of a quarter kilogram each, full; PRESS makes DOOR of SHEET that ACME brings."""
    floor = Floor()
    floor.station("ACME", "SUPPLIER")
    floor.station("PRESS")
    floor.station("CELL")
    floor.bill("DOOR", SHEET=1)
    floor.loop("L1", part="DOOR", supply="PRESS", demand="CELL", quantity=4)
    floor.part("SHEET")
    Part.objects.filter(number="SHEET").update(unit="kg", decimals=3)
    floor.loop("S1", part="SHEET", supply="ACME", demand="PRESS", kind="SUPPLIER", quantity="0.25")
    return floor


def refused(door: Door, floor: Floor, kind: str, key: str, change: dict[str, Any]) -> str:
    """The sentence of a change that was not made."""
    model, name = MODELS[kind]
    before = model.objects.filter(**{name: key}).values().get()
    said = door(floor, kind, key, change)
    assert (said.done, said.code) == (False, "in_use"), said
    assert model.objects.filter(**{name: key}).values().get() == before
    return said.sentence


# -- parts ---------------------------------------------------------------------------------------------------
@ALL_DOORS
def test_decimals_are_not_lowered_below_what_is_stored(floor: Floor, door: Door) -> None:
    sentence = refused(door, floor, "parts", "SHEET", {"decimals": 0})
    assert "holds 0.25 kg, which 0 decimals cannot say. Use it up or count it first." in sentence
    assert Card.objects.filter(loop__code="S1").first().code in sentence  # type: ignore[union-attr]
    assert door(floor, "parts", "SHEET", {"decimals": 2}).done


@ALL_DOORS
def test_settings_turns_and_plans_count_as_stored_too(floor: Floor, door: Door) -> None:
    for number in (1, 2):
        floor.scan("S1", number, "empty")
    assert "turn of card" in refused(door, floor, "parts", "SHEET", {"decimals": 1})
    assert floor.scan("S1", 1, "receive", quantity="0.2", reason="less")["outcome"] == "applied"
    assert floor.scan("S1", 2, "receive", quantity="0.2", reason="less")["outcome"] == "applied"
    assert "Loop S1 has as its quantity 0.25 kg" in refused(door, floor, "parts", "SHEET", {"decimals": 1})
    actions.resize_loop(loop_id=Loop.objects.get(code="S1").pk, quantity=Decimal(1), now=floor.now)
    assert "asks for 0.25 kg" in refused(door, floor, "parts", "SHEET", {"decimals": 1})
    for number in (1, 2):
        floor.scan("S1", number, "empty")
    actions.plan_revision(
        loop_id=Loop.objects.get(code="S1").pk,
        effective_at=floor.now + timedelta(days=1),
        values={"quantity": "1.75"},
        now=floor.now,
    )
    assert "Revision 1 of loop S1 plans 1.75" in refused(door, floor, "parts", "SHEET", {"decimals": 1})
    assert door(floor, "parts", "SHEET", {"decimals": 2}).done


@ALL_DOORS
def test_a_retired_loop_does_not_bind_its_part(floor: Floor, door: Door) -> None:
    """Its quantities could never be changed, so that the part could not be either."""
    assert "holds 0.25 kg" in refused(door, floor, "parts", "SHEET", {"decimals": 0})
    actions.retire_loop(loop_id=Loop.objects.get(code="S1").pk, reason="other sheets", now=floor.now)
    assert door(floor, "parts", "SHEET", {"decimals": 0}).done


@ALL_DOORS
def test_a_unit_changes_only_while_nothing_is_counted_in_it(floor: Floor, door: Door) -> None:
    sentence = refused(door, floor, "parts", "SHEET", {"unit": "g"})
    assert "loop S1 has 2 containers with 0.5 kg." in sentence
    for number in (1, 2):
        floor.scan("S1", number, "empty")
    Turn.objects.filter(loop__code="S1", card__number=1).update(document="4500017")
    sentence = refused(door, floor, "parts", "SHEET", {"unit": "g"})
    assert "2 open turns, 1 open document" in sentence
    Turn.objects.update(document="")
    floor.part("NEW")
    assert door(floor, "parts", "NEW", {"unit": "g"}).done


def test_a_number_stays_that_is_printed_on_cards(floor: Floor) -> None:
    sentence = refused(by_hand, floor, "parts", "SHEET", {"number": "PLATE"})
    assert "stands on the cards of loop S1" in sentence
    floor.part("NEW")
    assert by_hand(floor, "parts", "NEW", {"number": "NEWER"}).done


# -- stations ------------------------------------------------------------------------------------------------
@ALL_DOORS
@pytest.mark.parametrize("change", [{"kind": "SUPERMARKET"}, {"consumption": "BACKFLUSH"}])
def test_s08_a_station_stays_what_it_is_while_turns_are_open_there(
    floor: Floor, door: Door, change: dict[str, str]
) -> None:
    floor.scan("L1", 1, "empty")
    floor.scan("L1", 1, "start")
    sentence = refused(door, floor, "stations", "PRESS", change)
    assert f"PRESS has 1 open turn in L1, begun with its {min(change)} as it is." in sentence
    refused(door, floor, "stations", "CELL", change)  # where the turn is waited for
    for intent in ("complete", "load", "receive"):
        floor.scan("L1", 1, intent)
    assert door(floor, "stations", "PRESS", change).done


@ALL_DOORS
def test_s08_a_station_fits_the_loops_that_it_supplies(floor: Floor, door: Door) -> None:
    assert "PRESS is the customer's end" in refused(door, floor, "stations", "PRESS", {"kind": "SHIPPING"})
    change = {"kind": "PROCESS", "supplier": None}
    if door is by_hand:
        change = {"kind": "PROCESS", "supplier": ""}
    sentence = refused(door, floor, "stations", "ACME", change)
    assert "A SUPPLIER loop is supplied by a station of kind SUPPLIER" in sentence
    Loop.objects.filter(code="L1").update(status="RETIRED")
    assert door(floor, "stations", "PRESS", {"kind": "SHIPPING"}).done


@ALL_DOORS
def test_a_supplier_keeps_the_station_while_it_owes_refills(floor: Floor, door: Door) -> None:
    Supplier.objects.create(plant=floor.plant, code="BETA", name="Beta")
    floor.scan("S1", 1, "empty")
    sentence = refused(door, floor, "stations", "ACME", {"supplier": "BETA"})
    assert "ACME-CO was asked for 1 refill in S1" in sentence
    floor.scan("S1", 1, "receive")
    assert door(floor, "stations", "ACME", {"supplier": "BETA"}).done


@ALL_DOORS
def test_a_limit_of_cards_in_process_is_not_set_below_their_number(floor: Floor, door: Door) -> None:
    for number in (1, 2):
        floor.scan("L1", number, "empty")
        floor.scan("L1", number, "start")
    sentence = refused(door, floor, "stations", "PRESS", {"wip_limit": 1})
    assert "PRESS has 2 cards in process, more than the limit of 1." in sentence
    floor.scan("L1", 1, "complete")
    assert door(floor, "stations", "PRESS", {"wip_limit": 1}).done


@ALL_DOORS
def test_a_limit_of_full_cards_below_their_number_is_kept_and_said(floor: Floor, door: Door) -> None:
    said = door(floor, "stations", "PRESS", {"receiving_limit": 1})
    assert said.done
    assert door is by_api or "PRESS has 2 full cards, more than its limit of 1" in said.sentence
    assert Station.objects.get(code="PRESS").receiving_limit == 1


def test_what_the_administration_can_change_beside_a_file_is_held_against_the_floor_too(floor: Floor) -> None:
    assert "stands on the cards of L1" in refused(by_hand, floor, "stations", "CELL", {"code": "CELL-9"})
    other = Plant.objects.create(code="OTHER", name="Other")
    assert "belongs to its plant" in refused(by_hand, floor, "parts", "DOOR", {"plant": other.pk})
    # As supermarkets the two would take DOOR from each other's loops for ever.
    floor.loop("BACK", part="SHEET", supply="CELL", demand="PRESS")
    Loop.objects.filter(code="BACK").update(part=Part.objects.get(number="DOOR"), status="RETIRED")
    Loop.objects.filter(code="BACK").update(status="DRAFT")
    assert "go in a circle" in refused(by_hand, floor, "stations", "CELL", {"kind": "SUPERMARKET"})


# -- loops ---------------------------------------------------------------------------------------------------
@FILE_AND_API
def test_another_supply_takes_over_when_nothing_is_under_way(floor: Floor, door: Door) -> None:
    floor.station("SAW")
    floor.scan("L1", 1, "empty")
    assert "PRESS was asked for 1 refill of loop L1" in refused(door, floor, "loops", "L1", {"supply": "SAW"})
    floor.cycle("L1", 1)
    assert door(floor, "loops", "L1", {"supply": "SAW"}).done


@FILE_AND_API
def test_a_status_is_not_prohibited_while_a_card_stands_in_it(floor: Floor, door: Door) -> None:
    floor.scan("L1", 1, "empty")
    floor.scan("L1", 1, "start")
    floor.scan("L1", 1, "complete")
    change = {"sequence": {"COMPLETED": "PROHIBITED"}}
    assert "is COMPLETED. Move them on first" in refused(door, floor, "loops", "L1", change)
    floor.scan("L1", 1, "load")
    floor.scan("L1", 1, "receive")
    assert door(floor, "loops", "L1", change).done


@FILE_AND_API
def test_signals_that_only_the_old_setting_sends_out_go_first(floor: Floor, door: Door) -> None:
    floor.station("SHOP")
    for code, settings, change in (
        ("G", {"accumulate": "CARDS", "accumulate_cards": 2}, {"accumulate": "NONE"}),
        ("D", {"doc_policy": "WAIT_FOR_DOC_NUMBER"}, {"doc_policy": "NONE"}),
        ("W", {"independent_supply": True}, {"independent_supply": False}),
        ("T", {"trigger": "ON_SIBLING_WAIT"}, {"trigger": "ON_EMPTY"}),
    ):
        floor.loop(code, part=f"P-{code}", supply="SHOP", demand="CELL", cards=3, quantity=4, **settings)
        floor.scan(code, 1, "empty")
        refused(door, floor, "loops", code, change)
        calm = floor.loop(f"{code}2", part=f"P-{code}", supply="SHOP", demand="PRESS", cards=3, **settings)
        assert door(floor, "loops", calm.code, change).done


@FILE_AND_API
def test_a_loop_whose_stock_asks_is_full_before_its_cards_ask(floor: Floor, door: Door) -> None:
    floor.loop(
        "Q", part="P-Q", supply="PRESS", demand="CELL", cards=3, quantity=4, trigger="ON_QTY", reorder_level=2
    )
    floor.scan("Q", 1, "empty")
    sentence = refused(door, floor, "loops", "Q", {"trigger": "ON_EMPTY"})
    assert "is empty and ask" in sentence


@FILE_AND_API
def test_components_of_a_turn_are_drawn_as_it_was_begun(floor: Floor, door: Door) -> None:
    Station.objects.filter(code="PRESS").update(consumption="BACKFLUSH")
    floor.scan("L1", 1, "empty")
    sentence = refused(door, floor, "loops", "L1", {"consume_at": "COMPLETE"})
    assert "components are drawn at START" in sentence
    floor.cycle("L1", 1)
    assert door(floor, "loops", "L1", {"consume_at": "COMPLETE"}).done


@FILE_AND_API
def test_a_bill_keeps_the_lines_that_open_turns_have_booked(floor: Floor, door: Door) -> None:
    Station.objects.filter(code="PRESS").update(consumption="BACKFLUSH")
    Loop.objects.filter(code="L1").update(consume_at="RELEASE", quantity=Decimal("0.1"))
    floor.scan("L1", 1, "empty")
    floor.propagate()
    assert Card.objects.get(loop__code="S1", number=1).booked > 0
    rows = [{"part": "SHEET", "quantity": "2"}]
    said = door(floor, "bills", "DOOR", {"components": rows})
    assert (said.done, said.code) == (False, "in_use")
    assert "Open turns of DOOR have booked SHEET by the bill as it is." in said.sentence
    assert not door(floor, "bills", "DOOR", {"components": []}).done
    floor.part("PAINT")
    more = [{"part": "SHEET", "quantity": "1"}, {"part": "PAINT", "quantity": "0.01"}]
    assert door(floor, "bills", "DOOR", {"components": more}).done
    floor.cycle("L1", 1)
    floor.propagate()
    assert Card.objects.get(loop__code="S1", number=1).booked == 0
    assert door(floor, "bills", "DOOR", {"components": rows}).done


def test_a_change_of_many_rows_asks_the_floor_once(floor: Floor, django_assert_max_num_queries: Any) -> None:
    for number in range(40):
        floor.station(f"ST-{number}")
        floor.loop(f"L-{number}", part="DOOR", supply=f"ST-{number}", demand="CELL")
    rows = [{"code": f"ST-{number}", "kind": "SUPERMARKET"} for number in range(40)]
    document = {"shop": 1, "plants": [{"code": floor.plant_code, "stations": rows}]}
    with django_assert_max_num_queries(40):
        assert set_up_shop(document, now=floor.now).report.changed == 40
