"""The code of a bin stands for a card: a scan of the bin moves it, whichever card that is at the time."""

from __future__ import annotations

from typing import Any

import pytest

from jitapp.accounts.models import new_uuid
from jitapp.plant.models import Identifier
from jitapp.pull import actions
from jitapp.pull.models import Bin, Receipt, Turn
from jitapp.pull.scan_request import Answer, ScanRequest
from tests.floor import Floor
from tests.stories.shops import two_bins

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]


@pytest.fixture
def floor() -> Floor:
    return two_bins()


def bind(floor: Floor, code: str, card: int) -> None:
    actions.bind_bin(code=code, card_id=floor.card("L", card).pk)


def scan_bin(floor: Floor, code: str) -> dict[str, Any]:
    answer = floor.send(ScanRequest(id=new_uuid(), code=code, station="LINE", intent="empty"))
    assert isinstance(answer, Answer), answer
    return answer.body


def test_a_scan_of_the_bin_empties_the_container_of_its_card(floor: Floor) -> None:
    bind(floor, "BIN-1", 2)
    assert scan_bin(floor, "BIN-1")["code"] == "emptied"
    assert floor.status("L") == ["IN_USE", "EMPTY"]
    assert Turn.objects.get().card == floor.card("L", 2)


def test_bound_to_another_card_the_bin_moves_that_one(floor: Floor) -> None:
    bind(floor, "BIN-1", 1)
    assert scan_bin(floor, "BIN-1")["code"] == "emptied"
    bind(floor, "BIN-1", 2)
    assert scan_bin(floor, "BIN-1")["code"] == "emptied"
    assert list(Turn.objects.order_by("id").values_list("card__number", flat=True)) == [1, 2]
    assert Bin.objects.count() == 1


def test_bound_twice_to_the_same_card_it_is_bound_once(floor: Floor) -> None:
    bind(floor, "BIN-1", 1)
    bind(floor, "BIN-1", 1)
    assert list(Bin.objects.values_list("code", "card__number", "plant")) == [("BIN-1", 1, floor.plant.pk)]
    assert Identifier.objects.filter(code="BIN-1").count() == 1


def test_a_card_has_one_bin_and_the_one_before_is_refused_and_recorded(floor: Floor) -> None:
    bind(floor, "BIN-1", 1)
    bind(floor, "BIN-2", 1)
    said = scan_bin(floor, "BIN-1")
    assert (said["outcome"], said["code"]) == ("refused", "not_a_card")
    assert "BIN-1" in said["message"]
    assert "bin" in said["message"]
    receipt = Receipt.objects.get(scan_id=said["id"])
    assert (receipt.outcome, receipt.card) == ("refused", None)
    assert floor.status("L") == ["FULL", "FULL"]
    assert scan_bin(floor, "BIN-2")["code"] == "emptied"


@pytest.mark.parametrize("code", ["", " BIN", "BIN ", "B\nN", "B\0N", "B" * 61])
def test_what_no_scanner_would_send_is_no_code_of_a_bin(floor: Floor, code: str) -> None:
    with pytest.raises(actions.Refused, match="1 to 60 printable characters"):
        bind(floor, code, 1)
    bind(floor, "B" * 60, 1)


@pytest.mark.parametrize("shape", ["{}", "https://kanban.example/k/{}", "{}-BIN"])
def test_a_code_that_reads_like_a_card_is_refused(floor: Floor, shape: str) -> None:
    with pytest.raises(actions.Refused, match="reads like the code of a card"):
        bind(floor, shape.format(floor.card("L", 2).code), 1)


def test_the_code_of_something_else_is_refused(floor: Floor) -> None:
    Identifier.objects.create(code="GATE", kind="station", target_id=floor.card("L", 1).loop.demand_id)
    with pytest.raises(actions.Refused, match="GATE is the code of a station already"):
        bind(floor, "GATE", 1)
    assert not Bin.objects.exists()


def test_a_bin_of_another_plant_stays_there(floor: Floor) -> None:
    bind(floor, "BIN-1", 1)
    other = Floor("OTHER")
    for code in ("FAR", "NEAR"):
        other.station(code)
    other.loop("M", part="ELSE", supply="FAR", demand="NEAR")
    with pytest.raises(actions.Refused, match="a bin of another plant"):
        actions.bind_bin(code="BIN-1", card_id=other.card("M", 1).pk)
    assert Bin.objects.get().card == floor.card("L", 1)


def test_a_card_that_was_removed_or_retired_gets_no_bin(floor: Floor) -> None:
    assert floor.scan("L", 1, "remove", reason="torn", source=floor.leader())["outcome"] == "applied"
    actions.retire_loop(loop_id=floor.card("L", 2).loop_id, reason="over", now=floor.now)
    for number in (1, 2):
        with pytest.raises(actions.Refused, match="takes part no more"):
            bind(floor, "BIN-1", number)
    assert not Identifier.objects.filter(code="BIN-1").exists()
