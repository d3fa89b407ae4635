"""What empties the database between tests leaves what Django's own `flush` leaves."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from jitapp.plant.models import Part
from jitapp.pull.models import Card
from tests import emptying
from tests.superuser import superuser
from tests.web.shop import a_person, every_state

pytestmark = pytest.mark.django_db(transaction=True)
# As it is called after a transactional test.
AS_TESTS_DO: dict[str, Any] = {"verbosity": 0, "interactive": False, "reset_sequences": False}


def rows() -> dict[str, int]:
    """How many rows each table has."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in sorted(tables))  # noqa: S608 (Django's)
    with superuser(), connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts}")
        return dict(zip(sorted(tables), cursor.fetchone(), strict=True))


def a_shop() -> None:
    a_person(every_state(timezone.now()))
    Group.objects.create(name="Everybody").permissions.add(*Permission.objects.all()[:3])


def flush(monkeypatch: pytest.MonkeyPatch, *, large: int) -> tuple[dict[str, int], bool]:
    """What stands in the tables afterwards, and whether it was deleted row by row."""
    said: list[bool] = []
    deleting = emptying.delete_rows

    def watched() -> bool:
        said.append(deleting())
        return said[-1]

    with monkeypatch.context() as patch:
        patch.setattr(emptying, "LARGE_BYTES", large)
        patch.setattr(emptying, "delete_rows", watched)
        call_command("flush", **AS_TESTS_DO)
    return rows(), said == [True]


def test_deleting_and_truncating_leave_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("flush", **AS_TESTS_DO)
    a_shop()
    truncated, by_rows = flush(monkeypatch, large=0)
    assert not by_rows
    a_shop()
    filled = rows()
    assert filled["pull_card"] > 0
    assert filled["auth_group_permissions"] == 3
    deleted, by_rows = flush(monkeypatch, large=10_000_000)
    assert by_rows
    assert deleted == truncated
    assert {table for table, count in deleted.items() if count} == {*emptying.STAYS, "pull_history"}


def test_deleting_again_and_again_never_uses_a_number_twice() -> None:
    seen: set[int] = set()
    for _ in range(3):
        a_shop()
        now = set(Card.objects.values_list("pk", flat=True))
        assert now
        assert not now & seen
        seen |= now
        call_command("flush", **AS_TESTS_DO)
        assert not Card.objects.exists()
        assert not Part.objects.exists()


def test_what_a_test_did_to_the_tables_that_stay_is_undone() -> None:
    before = set(ContentType.objects.values_list("app_label", "model"))
    call_command("flush", **AS_TESTS_DO)
    permission = Permission.objects.order_by("pk").first()
    assert permission is not None
    name = permission.name
    with superuser():
        Permission.objects.filter(pk=permission.pk).update(name="Changed")
        Permission.objects.order_by("-pk")[:1].get().delete()
    call_command("flush", **AS_TESTS_DO)
    assert not Permission.objects.filter(name="Changed").exists()
    assert Permission.objects.filter(name=name).exists()
    assert set(ContentType.objects.values_list("app_label", "model")) == before
