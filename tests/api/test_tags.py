"""Tags and their cards over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.devices import place_device
from jitapp.pull import sources
from jitapp.tags.models import Binding
from jitapp.tags.words import How
from tests.tags.portal import LOOP, Portal, epc

pytestmark = pytest.mark.django_db
TAG = "urn:epc:id:sgtin:0614141.812345.9"


@pytest.fixture
def portal() -> Portal:
    sources._sources.clear()
    return Portal()


@pytest.fixture
def erp(portal: Portal) -> Client:
    token = place_device("ERP", DeviceKind.ERP, plant=portal.floor.plant.code)
    return Client(headers={"Authorization": f"Bearer {token}"})


def put(erp: Client, tag: str, **body: Any) -> tuple[int, Any]:
    answer = erp.put(f"/api/v1/tags/{tag}", body, content_type="application/json")
    return answer.status_code, answer.json()


def test_a_tag_is_put_on_a_card_by_its_memory_or_its_identity(portal: Portal, erp: Client) -> None:
    card = portal.floor.card(LOOP, 1)
    status, told = put(erp, epc(9).lower(), card=card.code)
    assert (status, told["tag"], told["card"], told["number"]) == (200, TAG, card.code, 1)
    assert put(erp, TAG, card=card.code)[0] == 200, "the same again changes nothing"
    binding = Binding.objects.get(tag__identity=TAG)
    assert (binding.how, binding.device_id is not None) == (How.API, True)
    assert erp.get(f"/api/v1/tags/{TAG}").json()["card"] == card.code
    assert [each["tag"] for each in erp.get(f"/api/v1/tags?card={card.code}").json()["results"]] == [
        "urn:epc:id:sgtin:0614141.812345.1",
        TAG,
    ]
    assert [each.answer["card"]["code"] for each in portal.see(9).shown] == [card.code]  # type: ignore[index]


def test_a_tag_moves_only_if_that_is_said(portal: Portal, erp: Client) -> None:
    other = portal.floor.card(LOOP, 2).code
    status, told = put(erp, epc(1), card=other)
    assert (status, told["code"]) == (409, "taken")
    assert "move" in told["detail"]
    assert put(erp, epc(1), card=other, move=True)[1]["card"] == other


def test_a_tag_is_taken_off_with_a_reason(portal: Portal, erp: Client) -> None:
    def unbind(reason: str) -> Any:
        return erp.post(f"/api/v1/tags/{epc(1)}/unbind", {"reason": reason}, content_type="application/json")

    assert unbind(" ").json()["code"] == "reason_missing"
    assert unbind("torn off").json()["card"] == ""
    assert unbind("torn off").status_code == 409


def test_what_cannot_be_bound_is_refused_by_name(portal: Portal, erp: Client) -> None:
    card = portal.floor.card(LOOP, 1).code
    for tag, given, status in (
        (epc(9), "KB00000000", 422),
        ("nonsense", card, 422),
        ("00" * 12, card, 422),
        (card, card, 422),
    ):
        assert put(erp, tag, card=given)[0] == status, tag
    assert erp.get(f"/api/v1/tags/{epc(77)}").status_code == 404


def test_pages_of_tags_go_on_where_they_ended(portal: Portal, erp: Client) -> None:
    first = erp.get("/api/v1/tags?limit=1").json()
    second = erp.get(first["next"]).json()
    assert [len(first["results"]), len(second["results"]), second["next"]] == [1, 1, None]
    assert first["results"][0]["id"] < second["results"][0]["id"]
