"""Answers that only the way from the code to the card gives, or that depend on what the supply source is."""

from __future__ import annotations

import pytest

from jitapp.plant.models import Identifier, Station
from jitapp.pull.models import Receipt
from tests.floor import Floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("STEEL", "SUPPLIER")
    floor.station("MARKET", "SUPERMARKET")
    floor.station("PRESS")
    floor.loop("BUY", part="SHEET", supply="STEEL", demand="PRESS", kind="SUPPLIER", quantity=10)
    floor.loop("MOVE", part="BOLT", supply="MARKET", demand="PRESS", kind="WITHDRAWAL", quantity=10)
    return floor


def test_an_emptied_card_of_a_supplier_is_ordered(floor: Floor) -> None:
    answer = floor.scan("BUY", 1, "empty")
    assert answer["code"] == "emptied_ordered"
    assert answer["message"].endswith("Ordered 10 from Steel.")


def test_an_emptied_card_of_a_supermarket_is_sent(floor: Floor) -> None:
    answer = floor.scan("MOVE", 1, "empty")
    assert answer["code"] == "emptied_sent"
    assert answer["message"].endswith("Asked Market to send 10.")


def test_the_code_of_a_station_is_no_card(floor: Floor) -> None:
    press = Station.objects.get(code="PRESS")
    Identifier.objects.create(code="PRESS-POST", kind=Identifier.Kind.STATION, target_id=press.pk)
    answer = floor.scan("BUY", 1, "empty", code="PRESS-POST")
    assert (answer["code"], answer["state"]) == ("not_a_card", "foreign")


def test_a_station_that_is_not_there_is_named(floor: Floor) -> None:
    answer = floor.scan("BUY", 1, "empty", at="NOWHERE")
    assert (answer["code"], answer["message"]) == ("unknown_station", "There is no station NOWHERE.")


def test_a_step_that_nobody_knows_is_refused_and_kept(floor: Floor) -> None:
    answer = floor.scan("BUY", 1, "explode", at="PRESS")
    assert (answer["code"], answer["outcome"]) == ("move_not_known", "refused")
    assert Receipt.objects.filter(code="move_not_known", intent="explode").count() == 1


def test_an_answer_says_its_sound_and_its_screen_the_second_time_too(floor: Floor) -> None:
    request = floor.request("BUY", 1, "empty")
    first = floor.send(request)
    again = floor.send(request)
    assert (first.body["sound"], first.body["state"]) == ("rising", "applied")  # type: ignore[union-attr]
    assert again.body == first.body | {"replayed": True}  # type: ignore[union-attr]


def test_a_sibling_that_was_probably_meant_is_named(floor: Floor) -> None:
    floor.scan("MOVE", 1, "empty")
    answer = floor.scan("MOVE", 1, "empty", after=300)
    assert (answer["outcome"], answer["state"]) == ("already", "wrong_card")
    assert "Did you mean card 2?" in answer["message"]
