"""The navigation says where a page lies."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from jitapp.web.templatetags.rooms import room_of
from tests.web.shop import a_person, make_shop

LIES_IN = [
    ("/", "home"),
    ("/b/SMT", "home"),
    ("/l/3", "home"),
    ("/l/3/edit", "plan"),
    ("/l/new", "plan"),
    ("/people", "plan"),
    ("/people/new", "plan"),
    ("/print", "plan"),
    ("/plan/parts", "plan"),
    ("/calls", "calls"),
    ("/shift/SMT", "shifts"),
    ("/map/PCB-A", "map"),
    ("/device/doctor", "devices"),
    ("/sys/erp", "status"),
    ("/learn", "learn"),
    ("/s/tray", "scan"),
    ("/status", "status"),
    ("/statuses", ""),
    ("/login/", ""),
]


@pytest.mark.parametrize(("path", "room"), LIES_IN)
def test_each_page_lies_in_one_room(path: str, room: str) -> None:
    assert room_of(path) == room


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "marked"), [("/plan/", ("plan", "page")), ("/people", ("plan", "true")), ("/", ("home", "page"))]
)
def test_one_link_of_the_navigation_is_marked(client: Client, path: str, marked: tuple[str, str]) -> None:
    client.force_login(a_person(make_shop(), roles=("admin",)))
    page = client.get(path).content.decode()
    nav = page[page.index("<nav") : page.index("</nav>")]
    name, kind = marked
    assert re.findall(r'<a href="([^"]*)" aria-current="(\w+)"', nav) == [(reverse(name), kind)]
