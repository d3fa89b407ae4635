"""The API's description is true: every address is in it, every answer fits it, every code of a refusal is listed."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern
from openapi_spec_validator import validate

from jitapp.api import openapi
from jitapp.api.errors import CODES
from jitapp.api.urls import urlpatterns
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.devices import place_device
from tests.floor import Floor

NOT_DESCRIBED = {"docs"}  # a page for people


def described() -> dict[str, set[str]]:
    """Addresses as patterns without names, with their methods."""
    found: dict[str, set[str]] = {}
    for operation in openapi.OPERATIONS:
        found.setdefault(re.sub(r"\{\w+\}", "{}", operation.path.lstrip("/")), set()).add(operation.method)
    return found


def served() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        address = re.sub(r"<[^>]+>", "{}", str(pattern.pattern))
        view = getattr(pattern.callback, "cls", None)
        methods = (
            {name for name in view.http_method_names if hasattr(view, name)} - {"options"}
            if view
            else {"post"}
            if address.startswith("scans")
            else {"get"}
        )
        found.setdefault(address, set()).update(methods)
    return {address: methods for address, methods in found.items() if address not in NOT_DESCRIBED}


def test_the_description_names_exactly_the_addresses_that_are_served() -> None:
    assert described() == served()
    once = [(operation.method, operation.path) for operation in openapi.OPERATIONS]
    assert len(once) == len(set(once))


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
    for operation in openapi.OPERATIONS:
        assert openapi.BASE + operation.path in page
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
    ((media_type, content),) = response["content"].items()
    assert answer.headers["Content-Type"].partition(";")[0] == media_type
    schema = content["schema"] | {"components": document["components"]}
    jsonschema.validate(answer.json(), schema, format_checker=jsonschema.FormatChecker(["uuid", "date-time"]))


def test_answers_of_reads_fit_their_description(api: Client) -> None:
    document = json.loads(json.dumps(openapi.document()))
    turn = api.get("/api/v1/turns?open=1").json()["results"][0]
    names = {
        "number": "DOOR",
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
    for operation in openapi.OPERATIONS:
        if operation.method != "get":
            continue
        path = openapi.BASE + operation.path
        here = names | {
            "code": next((code for start, code in codes.items() if operation.path.startswith(start)), "?")
        }
        address = re.sub(r"\{(\w+)\}", lambda found, here=here: str(here[found[1]]), path)  # type: ignore[misc]
        answer = api.get(address)
        assert answer.status_code in (200, 404), (address, answer.content)
        # There is no call here, and no turn needs a document of the ERP.
        if not address.startswith("/api/v1/calls/") and not address.endswith("/document"):
            assert answer.status_code == 200, (address, answer.content)
        check(document, path, "get", answer)
        check(document, path, "get", api.get(address, headers={"Accept": "application/json"}))
        if operation.who != openapi.ANYBODY:
            check(document, path, "get", Client().get(address))


def test_answers_of_writes_fit_their_description(api: Client) -> None:
    document = json.loads(json.dumps(openapi.document()))
    base = openapi.BASE

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
