"""One declaration per kind: what the row names is what the tables, the rules, the API and the administration have."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import MISSING, fields
from enum import StrEnum
from typing import Any, get_type_hints

import pytest
from django.db.models import NOT_PROVIDED
from django.test import Client
from django.urls import reverse

from jitapp.accounts.models import Person
from jitapp.kanban.state import LoopConfig
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.configs import configs
from jitapp.plant.devices import place_device
from jitapp.plant.loading import load_shop
from jitapp.plant.masters.areas import AREAS
from jitapp.plant.masters.loops import LOOPS, LoopRow
from jitapp.plant.masters.master import Master
from jitapp.plant.masters.parts import PARTS
from jitapp.plant.masters.stations import STATIONS
from jitapp.plant.masters.suppliers import SUPPLIERS
from jitapp.plant.masters.table import MASTERS
from jitapp.plant.models import Area, Calendar, Loop, Part, Plant, Station, Supplier
from tests.plant.test_loading import SHOP, plant_of

pytestmark = pytest.mark.django_db
# They make cards, and stand in no column.
NO_SETTINGS = {"cards", "first"}


@pytest.fixture
def shop() -> dict[str, Any]:
    shop = deepcopy(SHOP)
    assert load_shop(shop).errors == []
    return shop


def test_a_loop_setting_has_the_same_default_everywhere() -> None:
    columns = {column.name: column for column in Loop._meta.fields}
    settings = {field.name: field for field in fields(LoopConfig)}
    checked = 0
    for name in LoopRow.__struct_fields__:
        if name in NO_SETTINGS:
            continue
        column = columns[name]
        assert name in settings or f"{name}_id" in settings, name
        default = settings[name].default if name in settings else MISSING
        if default is not MISSING and column.default is not NOT_PROVIDED:
            found = column.get_default()
            assert (tuple(found) if isinstance(found, list) else found) == default, name
            checked += 1
    assert checked >= 9


def test_settings_reach_the_rules_in_the_types_of_the_rules(shop: dict[str, Any]) -> None:
    loop = Loop.objects.get(code="SHEET-PRESS")
    plant_of(shop)["loops"][0] |= {
        "ack_required": True,
        "ack_within_minutes": 90,
        "accumulate": "CLOCK",
        "accumulate_times": ["10:00"],
        "sequence": {"IN_TRANSIT": "PROHIBITED"},
        "late_hours": 8,
    }
    assert load_shop(shop).errors == []
    config = configs().loops[loop.pk]
    assert (config.ack_required, config.ack_within_minutes, config.late_hours) == (True, 90, 8)
    assert (config.accumulate_times, config.sequence) == (("10:00",), {"IN_TRANSIT": "PROHIBITED"})
    assert (config.part, config.part_id, config.supply, config.decimals) == (
        "SHEET",
        loop.part_id,
        "STEEL",
        1,
    )
    for name, wanted in get_type_hints(LoopConfig).items():
        if isinstance(wanted, type) and issubclass(wanted, (StrEnum, int, str)):
            assert type(getattr(config, name)) is wanted, name


@pytest.mark.parametrize(
    ("master", "model", "beside"),
    [
        (AREAS, Area, set()),
        (SUPPLIERS, Supplier, {"version"}),
        (STATIONS, Station, {"version"}),
        (PARTS, Part, {"version", "standard_work"}),
        (LOOPS, Loop, {"version", "revision", "hold_reason", "cards"}),
    ],
)
def test_the_api_shows_the_members_of_the_row(
    shop: dict[str, Any], master: Master[Any, Any], model: type[Any], beside: set[str]
) -> None:
    token = place_device("erp", DeviceKind.ERP, plant="HALL-1")
    client = Client(headers={"Authorization": f"Bearer {token}"})
    rows = list(model.objects.order_by("pk"))
    assert rows
    for row in rows:
        key = getattr(row, master.key)
        shown = client.get(f"/api/v1/{master.kind}/{key}").json()
        expected = master.members(row)
        assert {name: shown[name] for name in expected} == expected
        assert shown.keys() == expected.keys() | beside | {"plant"}


def test_every_kind_says_its_list_its_key_and_its_row_once() -> None:
    assert len({master.kind for master in MASTERS}) == len(MASTERS)
    for master in MASTERS:
        assert master.key in master.row.__struct_fields__
        for name in master.refers:
            assert name in master.row.__struct_fields__


@pytest.fixture
def admin(shop: dict[str, Any]) -> Client:
    client = Client()
    client.force_login(Person.objects.create_superuser("dana", None, None, name="Dana"))
    return client


def errors_of(client: Client, thing: Any, change: dict[str, Any]) -> str:
    """What the administration says to a change by hand; empty if it is saved."""
    page = reverse(f"admin:plant_{thing._meta.model_name}_change", args=[thing.pk])
    form = client.get(page).context["adminform"].form
    fields = {name: form[name].value() for name in form.fields}
    fields = {
        name: value for name, value in fields.items() if value is not None and value is not False
    } | change
    answer = client.post(page, fields)
    if answer.status_code == 302:
        return ""
    return " ".join(text for texts in answer.context["adminform"].form.errors.values() for text in texts)


@pytest.mark.parametrize(
    ("model", "change", "says"),
    [
        (Plant, {"time_zone": "Europe/Berlyn"}, "no time zone 'Europe/Berlyn'"),
        (Supplier, {"delivery_days": "7"}, "delivery_days: '7' stands there, expected a list"),
        (
            Supplier,
            {"delivery_days": '["someday"]'},
            "delivery_days[0]: 'someday' stands there, expected one of",
        ),
        (
            Station,
            {"default_intent": "nonsense"},
            "default_intent: 'nonsense' stands there, expected one of activate,",
        ),
        (Station, {"readiness_checks": '[""]'}, "readiness_checks[0]: '' stands there, expected a text of 1"),
        (Station, {"wip_limit": "0"}, "wip_limit: '0' stands there, expected a whole number from 1"),
        (Station, {"standard_work": "ftp://work.example/1"}, "expected an address that begins with http"),
        (Station, {"kind": "SUPERMARKET"}, "names its supplier, and no other station does"),
        (Part, {"decimals": "9"}, "decimals: '9' stands there, expected a whole number from 0 to 6"),
        (Part, {"gtin": "4006381333930"}, "check digit of GTIN"),
        (Area, {"code": "supply"}, "/b/supply/ is a page of its own"),
        (
            Area,
            {"escalation": '[{"after": 99999, "who": "dana"}]'},
            "escalation[0].after: '99999' stands there, expected a whole number",
        ),
        (Area, {"escalation": '[{"after": 5, "who": "dana"}, {"after": 1e12, "who": "lea"}]'}, "escalation"),
        (Calendar, {"holidays": '["Christmas"]'}, "'Christmas' is not a date"),
    ],
)
def test_f04_what_a_file_could_not_load_cannot_be_saved_by_hand(
    admin: Client, model: type[Any], change: dict[str, str], says: str
) -> None:
    thing = model.objects.first()
    before = model.objects.filter(pk=thing.pk).values().get()
    assert says in errors_of(admin, thing, change)
    assert model.objects.filter(pk=thing.pk).values().get() == before


def test_lists_typed_by_hand_are_kept_as_a_file_keeps_them(admin: Client) -> None:
    press = Station.objects.get(code="PRESS")
    assert errors_of(admin, press, {"readiness_checks": "[1, true]"}) == ""
    press.refresh_from_db()
    assert press.readiness_checks == ["1", "true"]
    assert errors_of(admin, Supplier.objects.get(), {"delivery_days": '["tue"]'}) == ""


def test_by_hand_too_what_is_referred_to_is_of_the_same_plant(admin: Client) -> None:
    other = Plant.objects.create(code="HALL-2", name="Hall two")
    theirs = Calendar.objects.create(plant=other, code="THEIRS")
    says = errors_of(admin, Station.objects.get(code="PRESS"), {"calendar": str(theirs.pk)})
    assert says == "There is no calendar 'THEIRS' in plant HALL-1."
