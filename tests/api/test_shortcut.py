"""The short way to the scan doors answers as the long one does, and survives what the middleware used to catch."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

import psycopg2
import pytest
from django.db import connection

from jitapp.accounts.models import new_uuid
from jitapp.api.shortcut import shortcut
from jitapp.pull import actions
from jitapp.pull.models import Event, Receipt
from tests.floor import Floor

pytestmark = pytest.mark.django_db


def behind(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("418 I'm a teapot", [])
    return [b"the rest of the site"]


def call(path: str, body: bytes, token: str = "", **environ: Any) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) of a request past Django's handlers."""
    seen: list[Any] = []
    basis = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "wsgi.input": io.BytesIO(body),
    }
    answer = b"".join(shortcut(behind)(basis | environ, lambda *given: seen.extend(given)))
    return int(seen[0].split()[0]), dict(seen[1]), answer


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    return floor


def scan(floor: Floor, number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": str(new_uuid()),
        "code": floor.card("L1", number).code,
        "station": "TEST",
        "intent": "empty",
    } | more


def test_a_scan_is_applied_and_sent_again_gets_its_first_answer(floor: Floor) -> None:
    body = json.dumps(scan(floor, 1)).encode()
    status, headers, answer = call("/api/v1/scans", body, floor.token)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert headers["Content-Length"] == str(len(answer))
    assert json.loads(answer)["outcome"] == "applied"
    status, headers, again = call("/api/v1/scans", body, floor.token)
    assert (status, headers["Idempotent-Replayed"]) == (200, "true")
    assert json.loads(again) == json.loads(answer) | {"replayed": True}


def test_a_batch_goes_the_short_way_too(floor: Floor) -> None:
    body = json.dumps({"scans": [scan(floor, 1), {"id": "no"}, scan(floor, 2)]}).encode()
    status, _, answer = call("/api/v1/scans/batch", body, floor.token)
    results = json.loads(answer)["results"]
    assert status == 200
    assert [result.get("outcome", result["code"]) for result in results] == [
        "applied",
        "field_unreadable",
        "applied",
    ]


def test_what_is_refused_at_the_door_says_why_in_the_same_words(floor: Floor) -> None:
    one = json.dumps(scan(floor, 1)).encode()
    for path, body, token, more, expected in (
        ("/api/v1/scans", one, "wrong", {}, (401, "token_unknown")),
        ("/api/v1/scans", one, floor.token, {"REQUEST_METHOD": "GET"}, (405, "method_not_allowed")),
        ("/api/v1/scans", b"{", floor.token, {}, (400, "malformed_json")),
        ("/api/v1/scans", b"x" * 20_000, floor.token, {}, (413, "body_too_large")),
        ("/api/v1/scans", one, floor.token, {"CONTENT_LENGTH": "9999"}, (400, "body_cut_off")),
        ("/api/v1/scans", one, floor.token, {"CONTENT_LENGTH": "nonsense"}, (400, "malformed_json")),
    ):
        status, headers, answer = call(path, body, token, **more)
        assert (status, json.loads(answer)["code"]) == expected
        assert headers["Content-Type"] == "application/problem+json"
    assert not Receipt.objects.exists()


def test_a_body_in_chunks_is_read(floor: Floor) -> None:
    body = json.dumps(scan(floor, 1)).encode()
    status, _, answer = call(
        "/api/v1/scans", body, floor.token, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked"
    )
    assert (status, json.loads(answer)["outcome"]) == (200, "applied")


def test_every_other_address_is_served_behind() -> None:
    assert call("/api/v1/scans/", b"")[2] == b"the rest of the site"
    assert call("/", b"")[0] == 418


def test_a_fault_of_ours_is_a_problem_and_is_written_down(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(actions, "scan", broken)
    status, _, answer = call("/api/v1/scans", json.dumps(scan(floor, 1)).encode(), floor.token)
    assert (status, json.loads(answer)["code"]) == (500, "internal_error")
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_cut_is_made_anew_and_the_scan_is_applied_once(floor: Floor) -> None:
    floor.scan("L1", 1, "empty")
    events = Event.objects.count()
    body = json.dumps(scan(floor, 1, intent="start", station="SMT")).encode()
    pid = connection.connection.info.backend_pid
    password = connection.settings_dict["PASSWORD"]
    with psycopg2.connect(connection.connection.dsn, password=password, options="") as other:  # a superuser's
        other.cursor().execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()
    status, _, answer = call("/api/v1/scans", body, floor.token)
    assert (status, json.loads(answer)["outcome"]) == (200, "applied")
    assert connection.connection.info.backend_pid != pid
    assert Event.objects.count() == events + 2
