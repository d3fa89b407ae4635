"""Guessing passwords: it takes longer and longer, at every door, and locks nobody else out (S7)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from jitapp.accounts import hashing
from jitapp.accounts.backend import CLIENT, NAME, address_of
from jitapp.accounts.models import Person, WrongTries
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.devices import place_device
from tests.floor import Floor

pytestmark = pytest.mark.django_db
RIGHT = "the-right-one"


@pytest.fixture(autouse=True)
def people() -> list[Person]:
    hashed = make_password(RIGHT)
    names = ("ines", "bruno", "root")
    return [
        Person.objects.create(username=name, name=name.title(), password=hashed, is_staff=True)
        for name in names
    ]


def login(client: Client, name: str, password: str, address: str = "10.0.0.9", to: str = "/login/") -> Any:
    return client.post(to, {"username": name, "password": password, "next": "/"}, REMOTE_ADDR=address)


def let_time_pass(minutes: float) -> None:
    """As if everything that was counted had happened so long ago."""
    for row in WrongTries.objects.all():
        row.last_at -= timedelta(minutes=minutes)
        row.shut_until = row.shut_until and row.shut_until - timedelta(minutes=minutes)
        row.save()


def test_s07_after_five_wrong_guesses_the_right_one_waits_too() -> None:
    client = Client()
    assert [login(client, "ines", f"guess {n}").status_code for n in range(5)] == [200] * 5
    answer = login(client, "ines", RIGHT)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 30
    assert "Too many wrong passwords from here" in answer.content.decode()
    let_time_pass(0.6)
    assert login(client, "ines", RIGHT).status_code == 302


def test_s07_each_further_guess_waits_twice_as_long() -> None:
    client, waits = Client(), []
    for _ in range(5):
        login(client, "ines", "guess")
    for _ in range(7):
        waits.append(int(login(client, "ines", "guess").headers["Retry-After"]) / 60)
        let_time_pass(waits[-1] + 0.1)
        assert login(client, "ines", "guess").status_code == 200
    # A slow machine takes some seconds of it for its answer.
    assert waits == pytest.approx([0.5, 1, 2, 4, 8, 15, 15], abs=0.4)


def test_s07_guesses_from_one_address_lock_nobody_out_elsewhere() -> None:
    for n in range(8):
        login(Client(), "ines", f"guess {n}")
    assert login(Client(), "ines", RIGHT, address="10.0.0.10").status_code == 302
    assert login(Client(), "bruno", RIGHT).status_code == 302  # the same address, another name


def test_s07_a_browser_in_which_somebody_logged_in_before_goes_on_behind_the_guessers_address() -> None:
    tablet = Client()
    assert login(tablet, "ines", RIGHT).status_code == 302
    tablet.post("/logout/")
    for name in ("ines", "bruno"):
        for n in range(40):
            login(Client(), name, f"guess {n}")
    assert login(Client(), "ines", RIGHT).status_code == 429
    assert login(tablet, "ines", RIGHT).status_code == 302
    tablet.post("/logout/")
    assert login(tablet, "bruno", RIGHT).status_code == 302  # a shared tablet
    forged = Client()
    forged.cookies["known"] = "1:1abcde:AAAA"
    assert login(forged, "ines", RIGHT).status_code == 429


def test_s07_guessing_many_names_waits_too() -> None:
    statuses = [login(Client(), f"name {n}", "guess").status_code for n in range(40)]
    assert statuses == [200] * CLIENT.free + [429] * (40 - CLIENT.free)
    assert WrongTries.objects.count() == CLIENT.free + 1


def test_s07_the_administration_has_the_same_door() -> None:
    client = Client()
    shown = client.get("/admin/", follow=True)
    assert shown.redirect_chain[-1][0] == "/login/?next=/admin/"
    assert client.post("/admin/login/", {"username": "root", "password": RIGHT}).status_code == 405
    for n in range(5):
        login(client, "root", f"guess {n}")
    assert login(client, "root", RIGHT).status_code == 429
    worker = Client()
    worker.force_login(Person.objects.create(username="ole", name="Ole"))
    assert worker.get("/admin/", follow=True).status_code == 403  # no circle of redirects


def test_s07_the_guard_stands_at_whatever_checks_a_password() -> None:
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = "10.0.0.9"
    for _ in range(NAME.free):
        assert authenticate(request, username="ines", password="guess") is None
    assert authenticate(request, username="ines", password=RIGHT) is None
    assert authenticate(None, username="ines", password=RIGHT) is not None


def test_s07_while_a_password_is_checked_the_next_one_is_told_and_scans_go_on() -> None:
    floor = Floor(now=timezone.now() - timedelta(hours=1))
    floor.station("SMT")
    floor.station("TEST")
    floor.loop("L1", part="BOARD", supply="SMT", demand="TEST", cards=2, quantity=4)
    token = place_device("tablet", DeviceKind.TABLET, plant=floor.plant_code)
    with hashing.one_at_a_time(0):
        answer = login(Client(), "ines", RIGHT)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
        assert "Press again" in answer.content.decode()
        scan = {
            "id": "018f3b9e-0000-7000-8000-000000000001",
            "code": floor.card("L1", 1).code,
            "intent": "empty",
        }
        said = Client().post(
            "/api/v1/scans",
            {**scan, "station": "TEST"},
            content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert said.json()["outcome"] == "applied"
    assert not WrongTries.objects.filter(wrong__gt=0).exists()
    assert login(Client(), "ines", RIGHT).status_code == 302


@pytest.mark.parametrize(
    ("proxy", "forwarded", "address"),
    [
        (False, "1.2.3.4", "10.0.0.9"),
        (True, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (True, "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        (True, "nonsense", "unknown"),
    ],
)
def test_s07_the_address_is_the_one_that_our_own_proxy_tells(
    settings: Any, proxy: bool, forwarded: str, address: str
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if proxy else None
    request = HttpRequest()
    request.META |= {"REMOTE_ADDR": "10.0.0.9", "HTTP_X_FORWARDED_FOR": forwarded}
    assert address_of(request) == address
