"""A NUL in an address, a form or a query is no server error: no table can hold it, so nothing has that name."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from tests.web.shop import a_person, every_state

pytestmark = pytest.mark.django_db
PLACES = (
    "/b/supply/%00",
    "/b/a%00b",
    "/b/%00/rows",
    "/k/%00",
    "/calls/at/%00",
    "/calls/number/%00",
    "/holds/%00",
)
FORMS = {
    "/s/station/": {"station": "\0"},
    "/s/": {"code": "KB\0", "id": str(uuid4())},
    "/calls/new": {"station": "\0", "kind": "machine", "id": str(uuid4())},
    "/calls/new?": {"station": "PASTE", "kind": "machine", "note": "a\0b", "card": "\0", "id": str(uuid4())},
    "/changeovers/%00": {"to_family": "a"},
    "/changeovers/PASTE": {"to_family": "a\0", "from_family": "\0"},
    "/login/": {"username": "\0", "password": "a\0"},
    "/language/": {"language": "\0", "next": "/\0"},
}


@pytest.fixture
def client(settings: LazySettings, client: Client) -> Client:
    settings.DEMO = "0"
    shop = every_state(timezone.now())
    client.force_login(a_person(shop, roles=("operator", "quality", "leader", "planner")))
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("address", PLACES)
def test_an_address_with_a_nul_names_nothing(client: Client, address: str) -> None:
    assert client.get(address).status_code in (404, 405)  # 405: of an address that is only sent to


@pytest.mark.parametrize("address", ["/s/?code=%00", "/s/?next=%00", "/calls?area=%00"])
def test_a_question_with_a_nul_is_no_server_error(client: Client, address: str) -> None:
    assert client.get(address).status_code < 500


@pytest.mark.parametrize("address", FORMS)
def test_a_form_with_a_nul_is_no_server_error(client: Client, address: str) -> None:
    assert client.post(address, FORMS[address]).status_code < 500


def test_a_page_that_is_not_there_says_so_in_words(client: Client) -> None:
    for address in ("/b/%00", "/nowhere", "/s/nowhere"):
        answer = client.get(address)
        page = answer.content.decode()
        assert answer.status_code == 404, address
        assert "The address may have a typing mistake, or the thing was removed." in page, address
        assert "404" not in page.partition("<main")[2], address
