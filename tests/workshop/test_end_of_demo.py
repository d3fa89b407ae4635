"""A demonstration goes whole, and nothing else ever goes: every table is counted."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from jitapp.accounts.models import Device, Person, new_uuid
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.outbox.models import Message
from jitapp.plant import shown
from jitapp.plant.demonstrations import Demonstration
from jitapp.plant.devices import place_device
from jitapp.plant.models import Membership, Plant
from jitapp.pull import actions
from jitapp.pull.models import Card, Event, Receipt
from jitapp.pull.proof.verify import verify
from jitapp.pull.scan_request import Answer, ScanRequest, Source
from jitapp.switchboard import drain
from jitapp.workshop.demo.shop import fill
from jitapp.workshop.functions import FILES
from tests.floor import Floor
from tests.superuser import superuser

pytestmark = pytest.mark.django_db
# Not of any plant: what the migrations write, what counts changes, sessions, and the line that says what was ended.
OF_NO_PLANT = {
    "accounts_wrongtries",
    "auth_group",
    "auth_permission",
    "django_content_type",
    "django_session",
    "plant_demonstration",
    "plant_epoch",
    "pull_history",
}


def counts() -> dict[str, int]:
    """How many rows each table has."""
    tables = [model._meta.db_table for model in apps.get_models()]
    tables += [
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.auto_created
    ]
    found = {}
    with connection.cursor() as database:
        for table in sorted(set(tables)):
            database.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608
            found[table] = database.fetchone()[0]
    return found


def real_shop(code: str = "REAL") -> Floor:
    """A plant of somebody's own, with a ledger, a call, a device and people."""
    floor = Floor(code)
    for station in ("MAKE", "USE"):
        floor.station(f"{code}-{station}")
    floor.loop(f"{code}-L", part="SHAFT", supply=f"{code}-MAKE", demand=f"{code}-USE")
    assert floor.scan(f"{code}-L", 1, "empty")["outcome"] == "applied"
    floor.cycle(f"{code}-L", 1)
    floor.propagate()
    who = Person.objects.create(username=f"{code}-anna", name="Anna")
    Membership.objects.create(person=who, plant=floor.plant, role="leader")
    return floor


def mark(plant: Plant) -> Demonstration:
    """As the owner of the database does it."""
    with superuser():
        shown.mark(plant, now=timezone.now())
    return Demonstration.objects.get(plant_number=plant.pk)


def end(plant_number: int) -> None:
    with transaction.atomic():
        shown.end(plant_number, by="Dana")


@pytest.fixture
def demo() -> Plant:
    """The demonstration's own shop at its first minute, with a card that went round."""
    assert fill(timezone.now())
    plant = Plant.objects.get(code="BOARDWORKS")
    place_device("Bench", DeviceKind.TABLET, station="SHIP")
    bench = Device.objects.get(name="Bench")
    source = Source(device_id=bench.pk, plant_ids=frozenset({plant.pk}), name="Bench")
    for card in Card.objects.filter(loop__demand__code="SHIP", number=1):
        asked = ScanRequest(id=new_uuid(), code=card.code, station="SHIP", intent="empty")
        answer = actions.scan(asked, source=source, now=timezone.now() + timedelta(minutes=5))
        assert isinstance(answer, Answer)
        assert answer.body["outcome"] == "applied"
    drain()
    return plant


def test_of_the_demonstration_nothing_is_left_and_of_the_other_plant_everything(demo: Plant) -> None:
    busy = counts()
    assert busy["pull_event"] > 50
    assert busy["pull_receipt"] >= 3
    assert busy["pull_turn"] >= 3
    with_demo = real_shop()
    real = {**counts()}
    both = Person.objects.get(username="paul")
    Membership.objects.create(person=both, plant=with_demo.plant, role="planner")
    found = mark(demo)
    end(demo.pk)
    after = counts()
    gone = {table: real[table] - after[table] for table in real if table not in OF_NO_PLANT}
    # What is left is the other plant's, row for row, with the one person who works in both.
    assert after["plant_plant"] == 1
    assert gone["pull_event"] == busy["pull_event"]
    assert gone["pull_receipt"] == busy["pull_receipt"]
    assert gone["accounts_person"] == busy["accounts_person"] - 1
    assert set(Person.objects.values_list("username", flat=True)) >= {"paul", "REAL-anna"}
    assert not Person.objects.filter(username="dana").exists()
    assert set(Event.objects.values_list("plant_id", flat=True)) == {with_demo.plant.pk}
    assert set(Receipt.objects.values_list("plant_id", flat=True)) == {with_demo.plant.pk}
    assert verify().differences == []
    found.refresh_from_db()
    assert (found.ending, found.ended_by) == ("", "Dana")
    assert found.ended_at is not None


def test_an_installation_without_another_plant_has_no_row_of_one_left(demo: Plant) -> None:
    mark(demo)
    end(demo.pk)
    left = {table: number for table, number in counts().items() if number and table not in OF_NO_PLANT}
    assert left == {}


def test_a_plant_that_is_no_demonstration_is_never_removed(demo: Plant) -> None:
    floor = real_shop()
    before = counts()
    mark(demo)
    for number in (floor.plant.pk, 0, 10**9):
        with pytest.raises(DatabaseError, match="no demonstration"):
            end(number)
    after = counts()
    assert {table: after[table] for table in after if table not in OF_NO_PLANT} == {
        table: before[table] for table in before if table not in OF_NO_PLANT
    }


def test_the_application_marks_no_plant_and_deletes_no_row_of_the_ledger_by_itself() -> None:
    floor = real_shop()
    mark(floor.plant)
    forbidden = [
        "INSERT INTO plant_demonstration (plant_number, code, made_at) VALUES (1, 'X', now())",
        "UPDATE plant_demonstration SET ending = pg_current_xact_id()::text",
        "DELETE FROM plant_demonstration",
        "DELETE FROM pull_event",
        "DELETE FROM pull_card",
        "DELETE FROM plant_plant",
    ]
    for statement in forbidden:
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as it,
        ):
            it.execute(statement)


def test_even_the_owner_deletes_nothing_of_the_ledger_outside_of_it() -> None:
    floor = real_shop()
    mark(floor.plant)
    with superuser(), connection.cursor() as database:
        for table in ("pull_event", "pull_receipt", "pull_card"):
            with pytest.raises(DatabaseError, match="refused"), transaction.atomic():
                database.execute(f"DELETE FROM {table}")  # noqa: S608
    assert Card.objects.count() == 2


def test_what_came_in_meanwhile_goes_with_the_second_look(demo: Plant) -> None:
    mark(demo)
    station = demo.pk
    end(demo.pk)
    with transaction.atomic():
        shown.look_again_later(demo.pk, now=timezone.now() - timedelta(hours=1))
    # A scan that had been let in before, and was refused after the plant was gone.
    late = Receipt.objects.create(
        scan_id=uuid4(),
        fingerprint=b"x" * 32,
        plant_id=station,
        raw="KBLATE",
        occurred_at=timezone.now(),
        recorded_at=timezone.now(),
        outcome="refused",
        code="unknown_card",
        answer={},
    )
    drain()
    assert not Receipt.objects.filter(pk=late.pk).exists()
    assert not Message.objects.filter(topic=shown.TOPIC, done_at__isnull=True).exists()


def test_places_in_the_feed_and_numbers_are_never_given_again(demo: Plant) -> None:
    last = {
        model: model.objects.order_by("-pk").values_list("pk", flat=True)[0] for model in (Event, Card, Plant)
    }
    mark(demo)
    end(demo.pk)
    real_shop()
    for model, number in last.items():
        assert min(model.objects.values_list("pk", flat=True)) > number


def test_somebody_whom_another_plant_names_stays_as_a_name_without_any_right(demo: Plant) -> None:
    floor = real_shop()
    dana = Person.objects.get(username="dana")
    dana.is_superuser = dana.is_staff = True
    dana.set_password("fast-cart")
    dana.save()
    by_dana = replace(floor.source, person_id=dana.pk)
    actions.call_for_help(
        station="REAL-USE", kind="help", note="", now=timezone.now(), source=by_dana, id=uuid4()
    )
    mark(demo)
    end(demo.pk)
    dana.refresh_from_db()
    assert {dana.is_active, dana.is_superuser, dana.is_staff} == {False}
    assert not dana.badge
    assert not dana.check_password("fast-cart")


def test_every_table_with_rows_of_a_plant_is_named_in_the_function() -> None:
    text = FILES[0].read_text(encoding="utf-8")
    named = set(re.findall(r"DELETE FROM (\w+)", text))
    assert plant_tables() - named == set()


def plant_tables() -> set[str]:
    """Tables that lead to a plant by their foreign keys, directly or through others."""
    tables = {Plant._meta.db_table}
    grown = True
    while grown:
        grown = False
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            if table in tables:
                continue
            keys = [field for field in model._meta.get_fields() if isinstance(field, models.ForeignKey)]
            if any(key.related_model._meta.db_table in tables for key in keys):
                tables.add(table)
                grown = True
    return tables


def test_it_is_not_made_again_by_the_next_start_unless_somebody_asks(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

    def started(**options: Any) -> str:
        out = StringIO()
        call_command("demo_shop", days=0, stdout=out, **options)
        return out.getvalue()

    with superuser():
        assert "Demo logins" in started()
        plant = Plant.objects.get(code="BOARDWORKS")
        assert Demonstration.objects.filter(plant_number=plant.pk).exists()
        assert Person.objects.get(username="dana").is_superuser
        real_shop()
        end(plant.pk)
        assert "was ended on" in started()
        assert not Plant.objects.filter(code="BOARDWORKS").exists()
        assert "Demo logins" in started(again=True)
        assert shown.running() is not None
        # Beside a real shop nobody of the demonstration, whose passwords are printed, may do anything there.
        assert not Person.objects.get(username="dana").is_superuser
