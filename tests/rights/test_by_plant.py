"""By plant, always: calls, people, area leaders, and what the demonstration shows to strangers (S10)."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.test import Client

from jitapp.accounts.models import Person
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant.devices import place_device
from jitapp.plant.models import Area, Membership
from jitapp.workshop.demo.shop import plant_rows
from tests.floor import Floor

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> Floor:
    floor = Floor("HERE")
    floor.station("SMT")
    floor.station("TEST")
    return floor


@pytest.fixture
def there() -> Floor:
    floor = Floor("THERE")
    floor.station("MILL")
    floor.station("DOCK")
    floor.loop("L-THERE", part="SECRET-PART", supply="MILL", demand="DOCK", cards=2, quantity=4)
    return floor


def member(floor: Floor, name: str, role: Role = Role.LEADER) -> Person:
    person = floor.person(name, badge=f"B-{name}")
    Membership.objects.create(person=person, plant=floor.plant, role=role)
    return person


def post(floor: Floor, path: str, method: str = "post", **body: Any) -> Any:
    token = place_device(f"erp of {floor.plant_code}", DeviceKind.ERP, plant=floor.plant_code)
    headers = {"Authorization": f"Bearer {token}"}
    ask = getattr(Client(), method)
    return ask(f"/api/v1{path}", body, content_type="application/json", headers=headers)


def test_s10_the_number_of_another_plants_calls_is_not_told(here: Floor, there: Floor) -> None:
    assert post(there, "/calls", station="MILL", kind="help").status_code == 200
    client = Client()
    client.force_login(member(here, "mia"))
    assert client.get(f"/calls/number/{here.area.code}").status_code == 200
    assert client.get(f"/calls/number/{there.area.code}").status_code == 404


def test_s10_by_on_a_call_tells_nothing_of_another_plants_people(here: Floor, there: Floor) -> None:
    member(there, "tom")
    for by in ("tom", "B-tom", "nobody-at-all"):
        answer = post(here, "/calls", station="SMT", kind="help", by=by)
        assert (answer.status_code, answer.json()["code"]) == (422, "person_unknown")
    assert post(there, "/calls", station="MILL", kind="help", by="tom").json()["called_by"] == "Tom"


@pytest.mark.parametrize(
    "row",
    [{"leader": "tom"}, {"escalation": [{"after": 0, "who": "team_leader"}, {"after": 5, "who": "tom"}]}],
)
def test_s10_an_areas_people_work_in_its_plant(here: Floor, there: Floor, row: dict[str, Any]) -> None:
    member(there, "tom")
    answer = post(here, "/areas/HERE-AREA", "put", name="Hall", **row)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_reference")
    assert "'tom'" in answer.json()["detail"]
    ours = {"leader": "mia"} if "leader" in row else {"escalation": [{"after": 5, "who": "mia"}]}
    member(here, "mia")
    assert post(here, "/areas/HERE-AREA", "put", name="Hall", **ours).status_code == 200
    Area.objects.filter(code="HERE-AREA").update(leader=Person.objects.get(username="tom"))
    assert post(here, "/areas/HERE-AREA", "put", name="Other name").status_code == 200  # as it was before


def test_s10_the_administration_takes_no_leader_of_another_plant(here: Floor, there: Floor) -> None:
    tom = member(there, "tom")
    client = Client()
    client.force_login(Person.objects.create_superuser("root", password="x", name="Root"))
    form = {"plant": here.plant.pk, "code": "HERE-AREA", "name": "Hall", "escalation": "[]", "leader": tom.pk}
    page = client.post(f"/admin/plant/area/{here.area.pk}/change/", form).content.decode()
    assert "There is no person &#x27;tom&#x27;" in page
    assert Area.objects.get(code="HERE-AREA").leader is None


def test_s10_a_demonstration_shows_its_own_plant_to_strangers_and_no_other(
    there: Floor, settings: LazySettings
) -> None:
    settings.DEMO = "live"
    shown = Floor(settings.DEMO_PLANT)
    shown.station("PASTE")
    stranger = Client()
    home = stranger.get("/").content.decode()
    assert (f"/b/{shown.area.code}" in home, there.area.code in home) == (True, False)
    assert stranger.get(f"/b/{shown.area.code}").status_code == 200
    assert stranger.get(f"/calls/number/{shown.area.code}").status_code == 200
    for path in (
        f"/b/{there.area.code}",
        f"/b/{there.area.code}/rows",
        f"/calls/number/{there.area.code}",
        "/b/supply/MILL",
        "/calls/at/MILL",
    ):
        assert stranger.get(path).status_code == 404, path


def test_s10_the_demonstrations_plant_is_the_one_in_its_file() -> None:
    assert plant_rows()["code"] == settings.DEMO_PLANT
