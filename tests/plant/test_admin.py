"""The admin's pages open, and what must not be changed by hand cannot be."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from jitapp.accounts.models import Person
from jitapp.plant.models import Area, Calendar, Loop, Part, Station
from tests.floor import Floor

pytestmark = pytest.mark.django_db
CHANGED_ELSEWHERE = {"loop", "billofmaterials", "identifier"}


@pytest.fixture
def client() -> Client:
    floor = Floor()
    floor.station("PRESS")
    floor.station("CELL")
    floor.bill("DOOR", SHEET=2)
    floor.loop("L1", part="DOOR", supply="PRESS", demand="CELL")
    Calendar.objects.create(plant=floor.plant, code="DAY")
    client = Client()
    client.force_login(Person.objects.create_superuser("dana", None, None, name="Dana"))
    return client


def test_every_list_and_every_row_of_it_can_be_opened(client: Client) -> None:
    opened = 0
    for room in ("accounts", "plant"):
        for model in apps.get_app_config(room).get_models():
            if not admin.site.is_registered(model):
                continue
            name = f"admin:{room}_{model._meta.model_name}"
            assert client.get(reverse(f"{name}_changelist")).status_code == 200, model
            assert client.get(reverse(f"{name}_changelist") + "?q=a").status_code == 200, model
            for row in model._default_manager.all()[:1]:
                assert client.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200, model
                opened += 1
            status = client.get(reverse(f"{name}_add")).status_code
            assert status == (
                403 if model._meta.model_name in {*CHANGED_ELSEWHERE, "device", "placement"} else 200
            )
            assert client.get(reverse(f"{name}_delete", args=[0])).status_code in (302, 403)
    assert opened >= 8


def test_a_change_by_hand_is_a_new_version(client: Client) -> None:
    part = Part.objects.get(number="DOOR")
    page = reverse("admin:plant_part_change", args=[part.pk])
    form = {
        "plant": part.plant_id,
        "number": "DOOR",
        "description": "pressed",
        "unit": "pcs",
        "decimals": 0,
        "gtin": "",
    }
    assert client.post(page, form).status_code == 302
    part.refresh_from_db()
    assert (part.description, part.version) == ("pressed", 2)


def test_bills_and_loops_are_changed_elsewhere(client: Client) -> None:
    loop = Loop.objects.get()
    assert (
        client.post(reverse("admin:plant_loop_change", args=[loop.pk]), {"quantity": "99"}).status_code == 403
    )
    loop.refresh_from_db()
    assert loop.quantity == 1


def test_a_calendar_that_cannot_be_read_is_not_saved(client: Client) -> None:
    calendar = Calendar.objects.get()
    page = reverse("admin:plant_calendar_change", args=[calendar.pk])
    form = {"plant": calendar.plant_id, "code": "DAY", "shifts": '[{"days": ["someday"]}]', "holidays": "[]"}
    answer = client.post(page, form)
    assert answer.status_code == 200
    assert "days must be some of" in answer.content.decode()
    for shifts in ("5", '"text"', "[1]", '{"a": 1}'):
        assert client.post(page, form | {"shifts": shifts}).status_code == 200, shifts
    assert client.post(page, form | {"shifts": "[]"}).status_code == 302


def test_steps_of_escalation_that_do_not_climb_are_not_saved(client: Client) -> None:
    area = Area.objects.get()
    page = reverse("admin:plant_area_change", args=[area.pk])
    form = {"plant": area.plant_id, "code": area.code, "name": area.name}

    def save(steps: str) -> tuple[int, object]:
        status = client.post(page, form | {"escalation": steps}).status_code
        area.refresh_from_db()
        return status, area.escalation

    for wrong in (
        '[{"after": 0, "who": "x"}]',
        '[{"after": 0, "who": "nobody"}, {"after": 5, "who": "dana"}]',
        '[{"when": 0}]',
        '["soon"]',
        "5",
    ):
        assert save(wrong) == (200, []), wrong
    good = [{"after": 0, "who": "area_leader"}, {"after": 9, "who": "dana"}]
    assert save('[{"after": "0", "who": "area_leader"}, {"after": 9, "who": "dana"}]') == (302, good)
    assert save("[]") == (302, [])


def test_a_person_can_be_made_and_a_stranger_sees_no_admin(client: Client) -> None:
    form = {
        "username": "otto",
        "name": "Otto",
        "usable_password": "true",
        "password1": "a long and odd sentence",
        "password2": "a long and odd sentence",
    }
    assert client.post(reverse("admin:accounts_person_add"), form).status_code == 302
    assert Person.objects.get(username="otto").check_password("a long and odd sentence")
    stranger = Client()
    stranger.force_login(Person.objects.get(username="otto"))
    assert stranger.get(reverse("admin:plant_part_changelist")).status_code == 302
    assert Station.objects.count() == 2
