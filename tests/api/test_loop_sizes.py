"""The number of cards and the status of a loop in its master data: they happen, or are refused with the way to it."""

from __future__ import annotations

import pytest

from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.devices import place_device
from jitapp.plant.models import Loop
from jitapp.pull import actions
from jitapp.pull.models import Card, Event
from jitapp.pull.proof.verify import verify
from tests.api.test_master_data import Api, problem
from tests.floor import Floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("PRESS")
    floor.station("CELL")
    floor.loop("L1", part="DOOR", supply="PRESS", demand="CELL", cards=2, quantity=4)
    return floor


@pytest.fixture
def erp(floor: Floor) -> Api:
    return Api(place_device("erp", DeviceKind.ERP, plant=floor.plant_code))


def sent_back(erp: Api) -> None:
    """Reads the loop and writes what was read; nothing may change."""
    body, events = erp.get("/loops/L1").json(), Event.objects.count()
    answer = erp.put("/loops/L1", body)
    assert (answer.status_code, answer.json()) == (200, body)
    assert Event.objects.count() == events


def test_f05_a_loop_that_is_read_and_sent_back_is_as_it_was(floor: Floor, erp: Api) -> None:
    loop = Loop.objects.get()
    actions.add_extra_card(loop_id=loop.pk, turns=1, now=floor.now)
    sent_back(erp)


def test_f05_a_retired_loop_that_is_sent_back_is_as_it_was(floor: Floor, erp: Api) -> None:
    actions.retire_loop(loop_id=Loop.objects.get().pk, reason="no longer made", now=floor.now)
    sent_back(erp)


def test_f05_put_changes_how_many_cards_a_loop_has(floor: Floor, erp: Api) -> None:
    answer = erp.put("/loops/L1", {"cards": 4})
    assert (answer.status_code, answer.json()["cards"]) == (200, 4)
    assert Card.objects.filter(card_status="NEW").count() == 2
    assert erp.put("/loops/L1", {"cards": 1}).json()["cards"] == 1
    assert Event.objects.filter(type="loop.changed").count() == 2
    assert "needs at least one" in problem(erp.put("/loops/L1", {"cards": 0}), 409, "refused")
    assert verify().differences == []


def test_f05_put_refuses_another_status_with_the_way_to_it(floor: Floor, erp: Api) -> None:
    says = problem(erp.put("/loops/L1", {"status": "RETIRED"}), 409, "refused")
    assert says.startswith("Loop L1 is ACTIVE, not RETIRED.")
    assert "POST /api/v1/loops/L1/retire" in says
    assert erp.post("/loops/L1/retire", {"reason": "no longer made"}).status_code == 200
    assert erp.put("/loops/L1", {"status": "RETIRED"}).status_code == 200
