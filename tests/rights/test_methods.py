"""A method that an address does not have is answered with 405 and the methods that it has (S14)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jitapp.api.operations import ANYBODY
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant.devices import place_device
from jitapp.workshop.management.commands.routes import STAFF
from tests.rights.test_table import case_of, path_of, rows
from tests.rights.world import HOME, World, session_of

pytestmark = pytest.mark.django_db


def test_s14_trace_is_answered_with_the_methods_that_there_are(settings: Any) -> None:
    settings.DEMO = "0"
    home = World(HOME)
    token = place_device("erp", DeviceKind.ERP, plant=HOME)
    client = Client(headers={"Authorization": f"Bearer {token}"})
    client.cookies["sessionid"] = session_of(home.person("ada", Role.ADMIN))
    asked = 0
    for method, address, who in rows():
        if who == STAFF:
            continue  # Django's own: it answers every method as a page
        asking = Client() if who == ANYBODY else client
        answer = asking.generic("TRACE", path_of(address, case_of(method, address), home.words))
        assert (answer.status_code, bool(answer.headers.get("Allow"))) == (405, True), address
        assert method in answer.headers["Allow"], address
        asked += 1
    assert asked > 80


@pytest.mark.parametrize("method", ["GET", "PUT", "TRACE"])
def test_s14_the_scan_doors_say_post(method: str) -> None:
    for path in ("/api/v1/scans", "/api/v1/scans/batch"):
        answer = Client().generic(method, path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
