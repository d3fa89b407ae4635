"""Tokens: printed once and alone, stored hashed, ended within a second."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from jitapp.accounts.models import Device, token_hash
from jitapp.plant.models import Placement, Plant
from jitapp.pull import sources
from tests.floor import Floor

pytestmark = pytest.mark.django_db


def token(*arguments: str) -> str:
    out = StringIO()
    call_command("api_token", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("PRESS")
    return floor


def test_a_token_is_printed_alone_and_kept_as_a_hash(floor: Floor) -> None:
    printed = token("gate", "--kind", "scanner", "--station", "PRESS")
    assert printed == printed.strip() + "\n"
    device = Device.objects.get(name="gate")
    assert device.token_hash == token_hash(printed.strip())
    assert printed.strip() not in str(vars(device))
    placement = Placement.objects.get(device=device)
    assert placement.station is not None
    assert (placement.station.code, placement.plant) == ("PRESS", floor.plant)
    answer = Client().get("/api/v1/boards/PRESS", headers={"Authorization": f"Bearer {printed.strip()}"})
    assert answer.status_code == 200


def test_a_new_token_of_a_device_ends_the_old_one(floor: Floor) -> None:
    old = token("erp", "--kind", "erp").strip()
    new = token("erp", "--kind", "erp", "--plant", floor.plant_code).strip()
    sources._sources.clear()  # what is remembered for a second is forgotten now
    statuses = [
        Client().get("/api/v1/parts", headers={"Authorization": f"Bearer {each}"}).status_code
        for each in (old, new)
    ]
    assert statuses == [401, 200]
    assert Device.objects.filter(name="erp").count() == 1


def test_a_revoked_token_ends_within_a_second(floor: Floor) -> None:
    printed = token("erp", "--kind", "erp", "--plant", floor.plant_code).strip()
    client = Client(headers={"Authorization": f"Bearer {printed}"})
    assert client.get("/api/v1/parts").status_code == 200
    Device.objects.filter(name="erp").update(active=False)
    assert sources.REMEMBERED_SECONDS <= 1
    sources._sources.clear()
    assert client.get("/api/v1/parts").status_code == 401


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["x", "--kind", "scanner", "--station", "NOWHERE"], "There is no station 'NOWHERE'"),
        (["x", "--kind", "erp", "--plant", "MOON"], "There is no plant 'MOON'"),
        (["x", "--kind", "scanner", "--station", "PRESS", "--plant", "OTHER"], "belongs to plant PLANT"),
        (["x", "--kind", "erp"], "There are several plants"),
        ([" ", "--kind", "erp", "--plant", "OTHER"], "at most 80 characters"),
        (["x" * 81, "--kind", "erp", "--plant", "OTHER"], "at most 80 characters"),
    ],
)
@pytest.mark.usefixtures("floor")
def test_a_device_that_cannot_be_placed_gets_no_token(arguments: list[str], says: str) -> None:
    Plant.objects.create(code="OTHER", name="Other")
    before = Device.objects.count()
    with pytest.raises(CommandError, match=says):
        token(*arguments)
    assert Device.objects.count() == before


def test_without_a_plant_the_command_says_what_to_do_first() -> None:
    with pytest.raises(CommandError, match=r"manage\.py load_shop"):
        token("erp", "--kind", "erp")
