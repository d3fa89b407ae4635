"""What only the real web server shows: bodies in chunks, and addresses as they are written."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest

from tests.shop import Shop


class Caller:
    """A program that writes its requests itself."""

    def __init__(self, shop: Shop, token: str) -> None:
        self.place = urlsplit(shop.url).netloc
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def __call__(
        self, method: str, path: str, body: Any = None, *, chunked: bool = False
    ) -> tuple[int, dict[str, Any]]:
        raw = b"" if body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection(self.place, timeout=30)
        try:
            if chunked:
                headers = self.headers | {"Transfer-Encoding": "chunked"}
                connection.request(
                    method, f"/api/v1{path}", iter((raw[:5], raw[5:])), headers, encode_chunked=True
                )
            else:
                connection.request(method, f"/api/v1{path}", raw or None, self.headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def call(running_shop: Shop) -> Caller:
    plant = "AT-THE-DOOR"
    shop = running_shop.folder / "door.json"
    shop.write_text(json.dumps({"shop": 1, "plants": [{"code": plant}]}))
    running_shop.manage("load_shop", str(shop))
    token = running_shop.manage("api_token", "at-the-door", "--kind", "erp", "--plant", plant).stdout.strip()
    return Caller(running_shop, token)


def test_a01_a_body_in_chunks_is_refused_and_a_missing_one_too(call: Caller) -> None:
    status, said = call("PUT", "/parts/IN-CHUNKS", {"unit": "kg"}, chunked=True)
    assert (status, said["code"]) == (411, "length_required")
    status, said = call("PUT", "/parts/IN-CHUNKS")
    assert (status, said["code"]) == (400, "malformed")
    assert call("GET", "/parts/IN-CHUNKS")[0] == 404
    status, said = call("PUT", "/parts/IN-CHUNKS", {"unit": "kg"})
    assert (status, said["unit"]) == (201, "kg")
    turn = f"/turns/{uuid4()}/receive"
    assert [call("POST", turn, chunked=chunked)[1]["code"] for chunked in (False, True)] == [
        "malformed",
        "length_required",
    ]
    status, said = call("POST", "/loops/ANY/resume", {"reason": "late"}, chunked=True)
    assert (status, said["code"]) == (411, "length_required")


def test_a01_the_scan_doors_read_chunks(call: Caller) -> None:
    scan = {"id": str(uuid4()), "code": "NO SUCH CARD"}
    status, said = call("POST", "/scans", scan, chunked=True)
    assert (status, said["id"], said["outcome"]) == (200, scan["id"], "refused")
    status, said = call("POST", "/scans/batch", {"scans": [scan]}, chunked=True)
    assert (status, said["results"][0]["replayed"]) == (200, True)


@pytest.mark.parametrize(
    "number", ["RN2483A-I/RM105", "KXT 321 LHS", "SSM3J338R,LF", "#1 + (A)", "/Z", "A//B", "50%"]
)
def test_a05_part_numbers_in_addresses(call: Caller, number: str) -> None:
    path = f"/parts/{quote(number, safe='')}"
    status, said = call("PUT", path, {"unit": "kg"})
    assert (status, said.get("number")) == (201, number)
    assert call("GET", path)[1]["number"] == number
    assert call("GET", f"/parts/{quote(number)}")[1]["number"] == number
    assert call("PUT", f"/bills/{quote(number, safe='')}", {"components": []})[0] in (200, 201)
