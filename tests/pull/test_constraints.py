"""What the database itself refuses, whoever asks: the rules last where no code can forget them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from jitapp.accounts.models import new_uuid
from jitapp.plant.models import Area, BillOfMaterials, Identifier, Station
from jitapp.pull.models import Card, Event, Receipt, Runout, Turn, TurnLink
from tests.floor import Floor
from tests.superuser import TAKE_OFF

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE_OFF
        )  # what the application's role may not even try is in tests/workshop/test_roles.py
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    floor.scan("L1", 1, "empty")
    return floor


def refused(change: Callable[[], object], constraint: str) -> None:
    """The change breaks the named constraint (or a trigger whose text holds the words)."""
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        change()


@pytest.mark.parametrize("verb", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
@pytest.mark.parametrize("table", ["pull_event", "pull_receipt"])
def test_the_ledger_and_the_receipts_only_grow(floor: Floor, table: str, verb: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # TRUNCATE waits for no deferred checks
        refused(lambda: cursor.execute(verb.format(table)), "it only grows")


@pytest.mark.parametrize("verb", ["DELETE FROM", "TRUNCATE"])
def test_a_card_is_never_deleted(floor: Floor, verb: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        more = " CASCADE" if verb == "TRUNCATE" else ""
        refused(lambda: cursor.execute(f"{verb} pull_card{more}"), "withdrawn, never deleted")


def test_an_entry_of_the_ledger_never_changes(floor: Floor) -> None:
    refused(lambda: Event.objects.update(type="scan.forged"), "it only grows")
    refused(lambda: Event.objects.update(data={}), "it only grows")


def test_of_a_receipt_only_the_settling_may_change(floor: Floor) -> None:
    Receipt.objects.update(settled_at=floor.now)
    refused(lambda: Receipt.objects.update(answer={}), "it only grows")
    refused(lambda: Receipt.objects.update(outcome="refused"), "it only grows")


def test_a_card_has_at_most_one_open_turn(floor: Floor) -> None:
    turn = floor.turn("L1", 1)
    again = {
        "card": turn.card,
        "loop": turn.loop,
        "supply": turn.supply,
        "asked": 1,
        "opened_at": floor.now,
        "owner": "station",
        "owner_since": floor.now,
    }
    refused(lambda: Turn.objects.create(number=2, **again), "turn_one_open_per_card")
    refused(lambda: Turn.objects.create(number=1, **again), "turn_")


def test_a_turn_keeps_its_rules(floor: Floor) -> None:
    turns = Turn.objects.filter(pk=floor.turn("L1", 1).pk)
    refused(lambda: turns.update(owner=""), "turn_open_has_owner")
    refused(lambda: turns.update(released_at=None, step="IN_PROCESS"), "turn_step_needs_release")
    refused(lambda: turns.update(received=3), "turn_difference_needs_reason")
    refused(lambda: turns.update(signal_state="CLOSED"), "turn_closed_says_when")
    refused(lambda: turns.update(signal_state="MAYBE"), "turn_signal_state_known")


def test_contents_and_bookings_have_their_bounds(floor: Floor) -> None:
    cards = Card.objects.filter(pk=floor.card("L1", 2).pk)
    refused(lambda: cards.update(contents=-1), "card_contents_bounds")
    refused(lambda: cards.update(booked=5), "card_contents_bounds")
    refused(lambda: cards.update(supply_status="LOST"), "card_supply_status_known")


def test_a_link_of_the_chain_is_written_once(floor: Floor) -> None:
    link = {
        "downstream": floor.turn("L1", 1),
        "upstream_card": floor.card("L1", 2),
        "upstream_number": 1,
        "kind": "DRAW",
        "quantity": 1,
    }
    TurnLink.objects.create(**link)
    refused(lambda: TurnLink.objects.create(**link), "link_once")


def test_a_loop_has_one_open_runout_and_a_dense_sequence(floor: Floor) -> None:
    card = floor.card("L1", 1)
    Runout.objects.create(loop=card.loop, opened_at=floor.now, opened_seq=90)
    refused(
        lambda: Runout.objects.create(loop=card.loop, opened_at=floor.now, opened_seq=91),
        "runout_one_open_per_loop",
    )
    newest = Event.objects.order_by("pk").last()
    assert newest is not None
    refused(
        lambda: Event.objects.create(
            type="x",
            plant=newest.plant,
            loop=newest.loop,
            loop_seq=newest.loop_seq,
            occurred_at=floor.now,
            recorded_at=floor.now,
        ),
        "event_loop_seq_once",
    )


def test_a_code_points_to_one_thing_for_ever(floor: Floor) -> None:
    code = floor.card("L1", 1).code
    refused(lambda: Identifier.objects.create(code=code, kind="bin", target_id=1), "unique")


def test_the_plant_keeps_its_shape(floor: Floor) -> None:
    refused(lambda: Area.objects.create(plant=floor.plant, code="supply", name="x"), "area_code_not_reserved")
    refused(lambda: Station.objects.filter(code="SMT").update(kind="SUPPLIER"), "station_supplier_fits_kind")
    part = floor.part("BOARD")
    refused(
        lambda: BillOfMaterials.objects.create(parent=part, component=part, quantity=1), "bill_not_of_itself"
    )


def test_a_scan_id_is_unique(floor: Floor) -> None:
    receipt = Receipt.objects.first()
    assert receipt is not None
    receipt.pk = None
    refused(receipt.save, "scan_id")
    receipt.scan_id = new_uuid()
    receipt.pk = None
    receipt.save()
