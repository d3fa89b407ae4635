"""What people and programs see of documents: API, status page, figures, card page, administration."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.api import openapi
from jitapp.erp.adapter import Kind, Reply
from jitapp.erp.models import DocumentRequest, ErpConnection, RequestState
from jitapp.erp.verdicts import OWN_PROBLEMS, not_done
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.devices import place_device
from jitapp.plant.models import Membership
from jitapp.web.documents import ORDER_WORDS, PROBLEM_WORDS
from tests.erp.orders import call, shop
from tests.erp.stub import StubErp
from tests.floor import Floor

pytestmark = pytest.mark.django_db


def as_device(kind: DeviceKind) -> Client:
    return Client(headers={"Authorization": f"Bearer {place_device(kind.value, kind, plant='PLANT')}"})


def as_person(floor: Floor) -> Client:
    person = floor.person("bea")
    Membership.objects.create(person=person, plant=floor.plant, role="buyer")
    client = Client()
    client.force_login(person)
    return client


def refused(erp: StubErp) -> Floor:
    erp.mood, erp.answer = "refuse", {"detail": "supplier <b>blocked</b>"}
    floor = shop()
    floor.scan("S1", 1, "empty")
    call(floor)
    return floor


def test_the_api_says_how_far_a_document_is_and_asks_again(erp: StubErp) -> None:
    floor = refused(erp)
    turn = floor.turn("S1", 1)
    document = json.loads(json.dumps(openapi.document()))
    reader, client = as_device(DeviceKind.TABLET), as_device(DeviceKind.ERP)
    answer = reader.get(f"/api/v1/turns/{turn.uuid}/document")
    schema = document["components"]["schemas"]["RequestFacts"] | {"components": document["components"]}
    jsonschema.validate(answer.json(), schema)
    assert answer.json()["state"] == "FAILED"
    assert answer.json()["detail"] == "supplier <b>blocked</b>"
    assert reader.get(f"/api/v1/turns/{uuid4()}/document").status_code == 404
    again = f"/api/v1/turns/{turn.uuid}/retry-document"
    assert reader.post(again).status_code == 403
    unknown = f"/api/v1/turns/{uuid4()}/retry-document"
    assert client.post(unknown, content_type="application/json").status_code == 404
    erp.mood, erp.answer = "ok", {}
    assert client.post(again, content_type="application/json").json()["state"] == "WAITING"
    floor.now = timezone.now()
    call(floor)
    assert client.get(f"/api/v1/turns/{turn.uuid}").json()["document"] == "4500000"
    assert client.post(again, content_type="application/json").status_code == 409


def test_a02_asking_again_under_its_key_is_asking_once(erp: StubErp) -> None:
    turn = refused(erp).turn("S1", 1)
    client, again = as_device(DeviceKind.ERP), f"/api/v1/turns/{turn.uuid}/retry-document"
    first = client.post(again, content_type="application/json", headers={"Idempotency-Key": "k"})
    assert first.json()["state"] == "WAITING"
    repeated = client.post(again, content_type="application/json", headers={"Idempotency-Key": "k"})
    assert (repeated.content, repeated.headers["Idempotent-Replayed"]) == (first.content, "true")
    said = client.post(again, {"by": "bea"}, content_type="application/json")
    assert (said.status_code, said.json()["code"]) == (422, "field_unreadable")


def test_another_plant_sees_no_document(erp: StubErp) -> None:
    turn = refused(erp).turn("S1", 1)
    Floor("OTHER")
    token = place_device("other", DeviceKind.ERP, plant="OTHER")
    stranger = Client(headers={"Authorization": f"Bearer {token}"})
    assert stranger.get(f"/api/v1/turns/{turn.uuid}/document").status_code == 404
    assert (
        stranger.post(
            f"/api/v1/turns/{turn.uuid}/retry-document", content_type="application/json"
        ).status_code
        == 404
    )


def test_what_is_sent_is_what_the_openapi_document_says(erp: StubErp) -> None:
    floor = shop()
    floor.scan("S1", 1, "empty")
    call(floor)
    document = json.loads(json.dumps(openapi.document()))
    schema = document["components"]["schemas"]["DocumentOrder"]
    order = json.loads(erp.seen[0].body)
    jsonschema.validate(order, schema, format_checker=jsonschema.FormatChecker(["uuid", "date-time"]))
    assert set(order) == set(schema["properties"])
    described = document["webhooks"]["documentWanted"]["post"]["parameters"]
    assert {parameter["name"].lower() for parameter in described} <= set(erp.seen[0].headers)
    assert set(document["webhooks"]) == {"documentWanted", "documentCancelled"}


def test_status_page_and_figures_count_documents(erp: StubErp) -> None:
    erp.mood = "broken"
    floor = shop()
    floor.scan("S1", 1, "empty")
    call(floor)
    figures = Client().get("/metrics").content.decode()
    assert "jitapp_documents_pending 1.0" in figures
    assert "jitapp_documents_failing 1.0" in figures
    assert "jitapp_erps_down 1.0" in figures
    assert "The ERP does not answer." in as_person(floor).get("/status").content.decode()
    DocumentRequest.objects.update(state="FAILED")
    assert "jitapp_documents_failed 1.0" in Client().get("/metrics").content.decode()


def test_the_card_names_the_problem_to_the_buyer(erp: StubErp) -> None:
    floor = refused(erp)
    page = as_person(floor).get(f"/k/{floor.card('S1', 1).code}").content.decode()
    assert "Stands in ERROR" in page
    assert "the ERP refused it" in page
    assert "supplier &lt;b&gt;blocked&lt;/b&gt;" in page
    assert "Buyer to put it right" in page


def test_while_the_erp_owes_the_number_card_and_board_say_so(erp: StubErp) -> None:
    erp.stop()
    floor = shop()
    floor.scan("S1", 1, "empty")
    call(floor)
    person = as_person(floor)
    page = person.get(f"/k/{floor.card('S1', 1).code}").content.decode()
    assert "ERP to give the order number" in page
    assert "the ERP did not answer" in page
    board = person.get(f"/b/{floor.area.code}").content.decode()
    assert "waits for an order number" in board
    assert "to give the order number" in board


def test_strangers_see_no_document_on_the_card(erp: StubErp, settings: Any) -> None:
    settings.DEMO = "0"  # there everybody may look
    floor = refused(erp)
    assert "ERP" not in Client().get(f"/k/{floor.card('S1', 1).code}").content.decode()


def test_every_state_and_problem_has_its_words() -> None:
    assert set(ORDER_WORDS) == set(RequestState)
    of_http = {
        failed.problem
        for status in (*range(300, 600), 0)
        if (failed := not_done(Reply(status), said="", now=0))
    }
    of_numbers = {"number_unusable", "number_later", "answer_unreadable"}
    assert of_http | of_numbers | OWN_PROBLEMS == set(PROBLEM_WORDS)


# -- the administration --------------------------------------------------------------------------------
@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(Person.objects.create_superuser("dana", None, None, name="Dana"))
    return client


def test_the_administration_shows_everything_but_the_secret(erp: StubErp, admin: Client) -> None:
    refused(erp)
    connection = ErpConnection.objects.get()
    for page in (
        reverse("admin:erp_erpconnection_changelist"),
        reverse("admin:erp_erpconnection_change", args=[connection.pk]),
        reverse("admin:erp_erpconnection_add"),
        reverse("admin:erp_documentrequest_changelist") + "?q=45",
        reverse("admin:erp_documentrequest_change", args=[DocumentRequest.objects.get().pk]),
    ):
        answer = admin.get(page)
        assert answer.status_code == 200, page
        assert "whsec" not in answer.content.decode()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://169.254.169.254/latest", "JITAPP_ERP_HOSTS"),
        ("http://127.0.0.1:1/documents", "JITAPP_ERP_HOSTS"),
        ("file:///etc/passwd", "must begin with https"),
        ("https://user:pass@erp.example/", "no user"),
        ("https://erp.example/?token=1", "no ?"),
        ("https://[broken", "cannot be read"),
    ],
)
def test_an_address_that_may_not_be_called_is_refused_with_a_sentence(
    erp: StubErp, admin: Client, url: str, said: str
) -> None:
    refused(erp)
    page = reverse("admin:erp_erpconnection_change", args=[ErpConnection.objects.get().pk])
    answer = admin.post(page, {"url": url, "adapter": "generic", "enabled": "on"})
    assert said in answer.content.decode()
    assert ErpConnection.objects.get().url == ""


def test_an_address_on_a_host_that_the_environment_names_is_taken(
    erp: StubErp, admin: Client, settings: Any
) -> None:
    refused(erp)
    settings.ERP_HOSTS = ["erp.example"]
    page = reverse("admin:erp_erpconnection_change", args=[ErpConnection.objects.get().pk])
    assert (
        admin.post(
            page, {"url": "https://erp.example/documents", "adapter": "generic", "enabled": "on"}
        ).status_code
        == 302
    )
    assert ErpConnection.objects.get().url == "https://erp.example/documents"


def test_refused_documents_are_asked_for_again_from_the_list(erp: StubErp, admin: Client) -> None:
    floor = refused(erp)
    erp.mood, erp.answer = "ok", {}
    page = reverse("admin:erp_documentrequest_changelist")
    chosen = {"action": "ask_again", "_selected_action": [DocumentRequest.objects.get().pk]}
    assert "1 of 1 documents" in admin.post(page, chosen, follow=True).content.decode()
    floor.now = timezone.now()
    call(floor)
    assert floor.turn("S1", 1).document == "4500000"
    assert "0 of 1 documents" in admin.post(page, chosen, follow=True).content.decode()


def test_final_is_only_what_the_data_is_to_blame_for() -> None:
    judged = {status: not_done(Reply(status), said="", now=0.0) for status in range(100, 600)}
    final = [status for status, failed in judged.items() if failed and failed.kind is Kind.REFUSED]
    assert final == [400, 409, 422]
    assert [status for status, failed in judged.items() if not failed] == list(range(200, 300))


# -- the page ------------------------------------------------------------------------------------------


def of_role(floor: Floor, role: str) -> Client:
    person = floor.person(f"a {role}")
    Membership.objects.create(person=person, plant=floor.plant, role=role)
    client = Client()
    client.force_login(person)
    return client


def test_the_page_says_what_was_refused_and_lets_those_ask_again_who_may(erp: StubErp) -> None:
    floor = refused(erp)
    turn = floor.turn("S1", 1).uuid
    page = as_person(floor).get("/sys/erp").content.decode()
    assert "supplier &lt;b&gt;blocked&lt;/b&gt;" in page
    assert "The ERP refused it." in page
    assert "ANSWERS" in page
    assert "part: SCREW" in page
    again = f"/sys/erp/documents/{turn}/again"
    assert again in page
    operator = of_role(floor, "operator")
    assert again not in operator.get("/sys/erp").content.decode()
    assert operator.post(again).status_code == 403
    assert DocumentRequest.objects.get().state == RequestState.FAILED
    erp.mood, erp.answer = "ok", {}
    answer = as_person_again(floor).post(again, follow=True)
    assert "The ERP is asked again" in answer.content.decode()
    floor.now = timezone.now()
    call(floor)
    assert DocumentRequest.objects.get().state == RequestState.DONE
    page = as_person_again(floor).post(again, follow=True).content.decode()
    assert "somebody was faster" in page
    assert "Nothing was refused." in page


def as_person_again(floor: Floor) -> Client:
    client = Client()
    client.force_login(Person.objects.get(username="bea"))
    return client


def test_the_page_says_why_nothing_is_asked_and_who_may_stops_the_calls(erp: StubErp, settings: Any) -> None:
    floor = shop()
    assert "NOT USED" in as_person(floor).get("/sys/erp").content.decode()
    floor.scan("S1", 1, "empty")
    call(floor)
    admin = of_role(floor, "admin")
    assert as_person_again(floor).post("/sys/erp/PLANT/calls", {"calls": "off"}).status_code == 403
    stopped = admin.post("/sys/erp/PLANT/calls", {"calls": "off"}, follow=True).content.decode()
    assert not ErpConnection.objects.get().enabled
    assert "Calls to the ERP are stopped" in stopped
    assert "Switch the calls on again" in stopped
    admin.post("/sys/erp/PLANT/calls", {"calls": "on"})
    assert ErpConnection.objects.get().enabled
    settings.ERP_SECRETS = {}
    assert "JITAPP_ERP_SECRET," in admin.get("/sys/erp/list").content.decode()


def test_an_erp_that_is_silent_is_said_to_be_and_another_plant_sees_nothing_of_it(erp: StubErp) -> None:
    erp.mood = "broken"
    floor = shop()
    floor.scan("S1", 1, "empty")
    call(floor)
    page = as_person(floor).get("/sys/erp").content.decode()
    assert "SILENT" in page
    assert "1 call in vain so far." in page
    other = Floor("OTHER")
    assert "SCREW" in page
    assert "SCREW" not in of_role(other, "admin").get("/sys/erp").content.decode()
    turn = floor.turn("S1", 1).uuid
    assert of_role(other, "planner").post(f"/sys/erp/documents/{turn}/again").status_code == 404
