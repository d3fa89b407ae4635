"""The API's description is true: every address is in it, every answer fits it, every code of a refusal is listed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jsonschema
import msgspec
import pytest
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import resolve
from openapi_spec_validator import validate
from rest_framework.request import Request
from rest_framework.response import Response

from jitapp.api import openapi
from jitapp.api.endpoint import Endpoint, addresses, operation
from jitapp.api.errors import CODES
from jitapp.api.operations import ANYBODY, BASE, ERP_ONLY, Operation
from jitapp.api.urls import ADDRESSES
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.devices import place_device
from tests.floor import Floor

PAGES = {"api-docs"}  # pages for people
WORDS = {"uuid": str(uuid4()), "str": "X", "text": "X/Y"}


def test_every_endpoint_is_in_the_table_and_every_method_that_it_serves_is_declared() -> None:
    served = {address.path: address for address in ADDRESSES}
    assert len(served) == len(ADDRESSES), "two views for one address"
    for endpoint in endpoints(Endpoint):
        has = {name for name in endpoint.http_method_names if hasattr(endpoint, name)} - {"options"}
        assert has == set(endpoint.declared), f"{endpoint.__name__} serves what it does not declare"
        (address,) = (each for each in ADDRESSES if getattr(each.view, "cls", None) is endpoint)
        assert {operation.method for operation in address.operations} == has
    for address in ADDRESSES:
        assert address.operations or address.name in PAGES, f"{address.path} declares nothing"


def endpoints(base: type[Endpoint]) -> Iterator[type[Endpoint]]:
    """All endpoints of the api room; bases that endpoints share have no path."""
    for endpoint in base.__subclasses__():
        if endpoint.__module__.startswith("jitapp.api.") and hasattr(endpoint, "path"):
            yield endpoint
        yield from endpoints(endpoint)


def test_every_address_is_found_under_its_own_path() -> None:
    """A word and a place at the same spot do not hide each other."""
    for address in ADDRESSES:
        asked = re.sub(r"<(\w+):\w+>", lambda found: WORDS[found[1]], f"{BASE}/{address.path}")
        match = resolve(asked)
        assert match.route == f"{BASE}/{address.path}".lstrip("/")
        assert match.url_name == address.name
    assert {f"{BASE}/{address.path}" for address in ADDRESSES if address.operations} == {
        re.sub(r"\{(\w+)\}", lambda found, of=operation: place(of, found[1]), BASE + operation.path)  # type: ignore[misc]
        for operation in openapi.OPERATIONS
    }


def place(operation: Operation, name: str) -> str:
    (parameter,) = (each for each in operation.parameters if (each.place, each.name) == ("path", name))
    kind = "text" if name in ("number", "part") else "str"  # a part number may hold slashes
    return f"<{'uuid' if parameter.schema.get('format') == 'uuid' else kind}:{name}>"


class Parcel(msgspec.Struct):
    weight: str


class Weighed(msgspec.Struct):
    label: str
    weight: str


class Scales(Endpoint):
    """An endpoint that the API does not have, to see what follows from a declaration alone."""

    path, url_name, group = "scales/<uuid:id>/<str:side>", "scales", "Trial"
    words = {"side": ("left", "right")}

    @operation("Weigh", answer=Weighed, body=Parcel, problems=(404,), who=ERP_ONLY)
    def post(self, _request: Request, body: Parcel, id: UUID, side: str) -> Weighed:
        return Weighed(f"{side} {id}", body.weight)

    def delete(self, _request: Request, **_places: object) -> Response:
        return Response()


def test_check_of_the_body_rights_and_words_follow_from_the_declaration(api: Client) -> None:
    (described,) = addresses(Scales)[0].operations
    assert (described.method, described.path) == ("post", "/scales/{id}/{side}")
    assert described.statuses == [400, 401, 403, 404, 405, 406, 408, 409, 411, 413, 415, 422, 429, 503]
    assert [parameter.schema for parameter in described.parameters] == [
        {"type": "string", "format": "uuid"},
        {"type": "string", "enum": ["left", "right"]},
        {"type": "string", "maxLength": 200},
    ]
    view, id = Scales.as_view(), uuid4()

    def ask(token: str, body: Any, side: str = "left", method: str = "post") -> tuple[int, Any]:
        request = getattr(RequestFactory(), method)(
            "/", body, content_type="application/json", headers={"Authorization": token}
        )
        answer = view(request, id=id, side=side)
        answer.render()
        return answer.status_code, json.loads(answer.content)

    erp = f"Bearer {place_device('another erp', DeviceKind.ERP, plant='PLANT')}"
    scanner = f"Bearer {place_device('scanner', DeviceKind.SCANNER, station='PRESS')}"
    assert ask(erp, {"weight": "3"}) == (200, {"label": f"left {id}", "weight": "3"})
    said = [
        ask(erp, {"weight": "3"}, side="top"),
        ask(erp, {"weight": []}),
        ask(erp, {}),
        ask(erp, ["weight"]),
        ask(scanner, {"weight": "3"}),
        ask("", {"weight": "3"}),
        ask(erp, {"weight": "3"}, method="put"),
        ask(erp, {}, method="delete"),
    ]
    assert [(status, body["code"]) for status, body in said] == [
        (404, "not_found"),
        (422, "field_unreadable"),
        (422, "field_unreadable"),
        (400, "malformed"),
        (403, "not_allowed"),
        (401, "token_missing"),
        (405, "method_not_allowed"),
        (403, "not_allowed"),  # nobody has declared it
    ]


def test_the_document_keeps_the_openapi_standard() -> None:
    document = openapi.document()
    validate(document)
    assert document["openapi"].startswith("3.1")


def test_every_refusal_in_the_code_has_its_code_listed() -> None:
    used = set()
    for file in Path(openapi.__file__).parent.glob("*.py"):
        used |= set(re.findall(r'Problem\(\s*(\d{3}),\s*"(\w+)"', file.read_text(encoding="utf-8")))
    assert used
    listed = {(str(status), code) for code, (status, _) in CODES.items()}
    assert used <= listed, used - listed


def test_the_command_prints_what_the_address_serves() -> None:
    out = StringIO()
    call_command("openapi", stdout=out)
    served_document = Client().get("/api/v1/openapi.json")
    assert served_document.headers["Content-Type"] == "application/json"
    assert json.loads(out.getvalue()) == served_document.json()


@pytest.mark.django_db
def test_the_page_for_people_shows_every_operation_and_loads_nothing_from_elsewhere() -> None:
    page = Client().get("/api/v1/docs").content.decode()
    for each in openapi.OPERATIONS:
        assert BASE + each.path in page
    for code in CODES:
        assert code in page or code in ("internal_error",), code
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page)
    assert "<script>" not in page


@pytest.fixture
def api(db: None) -> Client:
    floor = Floor()
    floor.station("PRESS")
    floor.station("CELL", consumption="BACKFLUSH")
    floor.station("DOCK", "SHIPPING")
    floor.station("ACME", "SUPPLIER")
    floor.bill("DOOR", SHEET=2)
    floor.loop("DOORS", part="DOOR", supply="CELL", demand="DOCK", quantity=1, consume_at="RELEASE")
    floor.loop("SHEETS", part="SHEET", supply="PRESS", demand="CELL", quantity=2)
    for number in (1, 2):
        floor.scan("DOORS", number, "empty")
        floor.propagate()
    return Client(headers={"Authorization": f"Bearer {place_device('erp', DeviceKind.ERP, plant='PLANT')}"})


def check(document: dict[str, Any], path: str, method: str, answer: Any) -> None:
    """The answer has the media type and the shape that the description gives its status."""
    responses = document["paths"][path][method]["responses"]
    assert str(answer.status_code) in responses, f"{method} {path} answered {answer.status_code}"
    response = responses[str(answer.status_code)]
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    if "content" not in response:
        assert answer.content == b""
        return
    media_type = answer.headers["Content-Type"].partition(";")[0]
    assert media_type in response["content"]
    content = response["content"][media_type]
    if content["schema"].get("format") == "binary":
        assert answer.content
        return
    schema = content["schema"] | {"components": document["components"]}
    jsonschema.validate(answer.json(), schema, format_checker=jsonschema.FormatChecker(["uuid", "date-time"]))


def test_the_body_of_a_put_is_described_as_it_is_read(api: Client) -> None:
    """The address names the row already, and what a GET shows may be sent back."""
    schemas = openapi.document()["components"]["schemas"]
    for name, key in (("PartBody", "number"), ("LoopBody", "code"), ("BillBody", "part")):
        assert key in schemas[name]["properties"]
        assert key not in schemas[name].get("required", [])
    read = api.get("/api/v1/parts?limit=1").json()["results"][0]
    assert set(read) <= set(schemas["PartBody"]["properties"])


def test_answers_of_reads_fit_their_description(api: Client) -> None:
    document = json.loads(json.dumps(openapi.document()))
    turn = api.get("/api/v1/turns?open=1").json()["results"][0]
    put = api.put("/api/v1/tags/AABB", {"card": turn["card"]}, content_type="application/json")
    check(document, f"{BASE}/tags/{{tag}}", "put", put)
    assert put.status_code == 200, put.content
    names = {
        "number": "DOOR",
        "tag": "AABB",
        "part": "DOOR",
        "station": "CELL",
        "id": turn["id"],
    }
    codes = {
        "/areas": "PLANT-AREA",
        "/cards": turn["card"],
        "/stations": "CELL",
        "/loops": "DOORS",
        "/suppliers": "ACME-CO",
    }
    said = {"cards": [turn["card"]], "paper": "100x50"}
    made = api.post(f"{BASE}/print-jobs", said, content_type="application/json")
    check(document, f"{BASE}/print-jobs", "post", made)
    job = made.json()["id"]
    for each in openapi.OPERATIONS:
        if each.method != "get":
            continue
        path = BASE + each.path
        here = names | {
            "id": job if each.path.startswith("/print-jobs/") else names["id"],
            "code": next((code for start, code in codes.items() if each.path.startswith(start)), "?"),
        }
        address = re.sub(r"\{(\w+)\}", lambda found, here=here: str(here[found[1]]), path)  # type: ignore[misc]
        answer = api.get(address)
        assert answer.status_code in (200, 404), (address, answer.content)
        # There is no call here, and no turn needs a document of the ERP.
        if not address.startswith("/api/v1/calls/") and not address.endswith("/document"):
            assert answer.status_code == 200, (address, answer.content)
        check(document, path, "get", answer)
        check(document, path, "get", api.get(address, headers={"Accept": "application/json"}))
        if each.who != ANYBODY:
            check(document, path, "get", Client().get(address))


def test_answers_of_writes_fit_their_description(api: Client) -> None:
    document = json.loads(json.dumps(openapi.document()))
    base = BASE

    def put(path: str, address: str, body: Any) -> None:
        answer = api.put(base + address, body, content_type="application/json")
        check(document, base + path, "put", answer)

    put("/parts/{number}", "/parts/NEW", {})
    put("/parts/{number}", "/parts/NEW", {"decimals": 99})
    put("/bills/{part}", "/bills/NEW", {"components": [{"part": "SHEET", "quantity": "1"}]})
    put("/stations/{code}", "/stations/CELL", {"wip_limit": 3})
    put("/loops/{code}", "/loops/DOORS", {"demand": "PRESS"})

    def post(path: str, address: str, body: Any) -> Any:
        answer = api.post(base + address, body, content_type="application/json")
        check(document, base + path, "post", answer)
        return answer

    post("/upserts", "/upserts", {"upserts": [{"type": "part", "number": "X"}, {"type": "part"}]})
    card = api.get(base + "/cards?loop=SHEETS").json()["results"][1]["code"]
    scan = {"id": str(uuid4()), "code": card, "station": "CELL", "intent": "empty"}
    first = post("/scans", "/scans", scan)
    assert first.json()["outcome"] == "applied"
    assert post("/scans", "/scans", scan).json()["replayed"] is True
    assert post("/scans", "/scans", scan | {"intent": "open"}).status_code == 409
    post("/scans", "/scans", {"id": "x"})
    post("/scans/batch", "/scans/batch", {"scans": [scan, {"id": "x"}, scan | {"id": str(uuid4())}]})
