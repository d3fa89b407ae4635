"""S1: while the database is away, every door answers 503 with Retry-After, in the form that its callers read."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from jitapp.api.shortcut import shortcut
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant.devices import place_device
from tests.outages.conftest import Away
from tests.rights.test_table import case_of, path_of, rows
from tests.rights.world import HOME, World, session_of

pytestmark = pytest.mark.django_db(transaction=True)

# What needs nothing of the database, or says itself that it is away.
WITHOUT = {
    "/healthz": 200,
    "/readyz": 503,
    "/metrics": 200,
    "/api/v1/docs": 200,
    "/api/v1/openapi.json": 200,
    "/s/camera.js": 200,
    "/s/manifest.webmanifest": 200,
    "/s/sw.js": 200,
    "/s/words/<str:language>": 200,
    "/tv/rows": 401,  # without a token there is nothing to look up
}


@dataclass(frozen=True)
class Request:
    """A request that is known by heart before the database goes."""

    method: str
    address: str
    path: str
    body: dict[str, Any]
    form: bool

    def send(self, client: Client) -> Any:
        if self.method in ("GET", "HEAD"):
            return client.generic(self.method, self.path)
        if self.form:
            return client.post(self.path, self.body)
        return client.generic(self.method, self.path, json.dumps(self.body), content_type="application/json")


def requests(home: World) -> Iterator[Request]:
    """One for every route and method, of things that are there."""
    words = home.words
    for method, address, _ in rows():
        case = case_of(method, address)
        path = path_of(address, case, words)
        body = {
            name: words.get(value[1:], "0198c0de-0000-7000-8000-000000000001")
            if isinstance(value, str) and value.startswith("$")
            else value
            for name, value in (case.body or {}).items()
        }
        yield Request(method, address, path, body, case.form)


@pytest.fixture
def home(settings: LazySettings) -> World:
    settings.DEMO = "0"
    return World(HOME)


def browser(home: World) -> Client:
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = session_of(home.person("ada", Role.ADMIN))
    return client


def test_s01_every_route_answers_503_with_retry_after_while_the_database_is_away(
    home: World, away: Away
) -> None:
    person = browser(home)
    person.cookies["device"] = place_device("tablet", DeviceKind.TABLET, plant=HOME)
    token = place_device("erp", DeviceKind.ERP, plant=HOME)
    device = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {token}"})
    known = list(requests(home))
    found: dict[str, tuple[int, bool]] = {}
    with away():
        for request in known:
            answer = request.send(device if request.path.startswith("/api/") else person)
            found[f"{request.method} {request.address}"] = (answer.status_code, "Retry-After" in answer)
    assert len(found) > 80
    wrong = {
        name: answer
        for name, answer in found.items()
        if answer != (503, True) and answer[0] != WITHOUT.get(name.split(" ")[1])
    }
    assert wrong == {}


@pytest.mark.parametrize("path", ["/nothing/here", "/admin/nothing/", "/b/NOWHERE", "/k/KBNOTHING"])
def test_s01_an_unknown_address_is_503_and_never_500(home: World, away: Away, path: str) -> None:
    person = browser(home)
    with away():
        answer = person.get(path)
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (503, True)


def test_s01_a_page_says_it_in_the_persons_language_and_loads_itself_again(home: World, away: Away) -> None:
    person = browser(home)
    person.cookies["django_language"] = "de"
    with away():
        german = person.get("/calls?of=mine").content.decode()
        person.cookies["django_language"] = "en"
        english = person.get("/calls?of=mine").content.decode()
        sent = person.post(
            "/calls/new", {"kind": "help"}, headers={"Referer": "http://testserver/calls?of=mine"}
        ).content.decode()
        elsewhere = person.post(
            "/calls/new", {"kind": "help"}, headers={"Referer": "http://testserver//evil.example/"}
        ).content.decode()
        torn = person.post("/calls/new", {"kind": "help"}, headers={"Referer": "http://[torn"})
    assert torn.status_code == 503
    assert 'content="5;url=/"' in torn.content.decode()
    assert '<html lang="de"' in german
    assert "Die Datenbank ist nicht erreichbar" in german
    assert "The database cannot be reached" in english
    assert "Nothing is lost. This page tries again by itself." in english
    assert 'http-equiv="refresh" content="5;url=/calls?of=mine"' in english
    # What was sent is not sent again by the browser: the page before it comes back.
    assert "may not have been kept" in sent
    assert 'http-equiv="refresh" content="5;url=/calls?of=mine"' in sent
    assert 'content="5;url=/"' in elsewhere


def test_s01_a_piece_of_a_page_and_a_script_get_what_they_read(home: World, away: Away) -> None:
    person = browser(home)
    with away():
        piece = person.get("/calls/list", headers={"HX-Request": "true"})
        script = person.post("/s/", json.dumps({"id": "x"}), content_type="application/json")
        program = Client(raise_request_exception=False).get(
            "/api/v1/loops", headers={"Authorization": "Bearer jit_somebody"}
        )
    assert piece.status_code == script.status_code == program.status_code == 503
    assert "<html" not in piece.content.decode()
    assert "The database cannot be reached" in piece.content.decode()
    # A list that renews itself must not be replaced by a sentence: it would never ask again.
    assert piece["HX-Reswap"] == "none"
    for answer in (script, program):
        assert answer["Content-Type"] == "application/problem+json"
        assert json.loads(answer.content)["code"] == "store_unreachable"


def test_s01_health_for_machines_says_what_is_lacking(away: Away) -> None:
    machine = Client(raise_request_exception=False)
    with away():
        alive, ready, figures = (machine.get(path) for path in ("/healthz", "/readyz", "/metrics"))
    assert alive.status_code == 200
    assert (ready.status_code, ready.json()["lacks"]) == (503, ["database"])
    lines = figures.content.decode().splitlines()
    assert figures.status_code == 200
    assert "jitapp_store_up 0.0" in lines
    assert "jitapp_redis_up 1.0" in lines
    assert not any(line.startswith("jitapp_turns_open") for line in lines)
    assert "jitapp_store_up 1.0" in machine.get("/metrics").content.decode().splitlines()


def test_s01_a_scan_that_is_answered_503_was_read_whole_so_that_its_connection_stays(away: Away) -> None:
    body = io.BytesIO(json.dumps({"id": "x", "code": "y" * 4000}).encode())
    seen: list[Any] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/api/v1/scans",
        "CONTENT_LENGTH": str(len(body.getvalue())),
        "HTTP_AUTHORIZATION": "Bearer jit_somebody",
        "wsgi.input": body,
    }
    with away():
        list(shortcut(lambda *_: [])(environ, lambda *given: seen.extend(given)))
    assert seen[0].startswith("503")
    assert body.read() == b""


def test_s01_a_fault_of_ours_stays_500(home: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a fault")

    person = browser(home)
    monkeypatch.setattr("jitapp.web.calls.viewer_of", broken)
    answer = person.get("/calls")
    assert (answer.status_code, "Retry-After" in answer) == (500, False)
