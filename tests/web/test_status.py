"""The status page: the same facts for the page and for the plain text, in words, and of the viewer's plants alone."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Device, Person
from jitapp.plant.models import Membership
from jitapp.printing.models import StateSheet
from jitapp.pull.reading.standstill import Standstill
from jitapp.web import status_report
from jitapp.web.phrases import words_of
from tests.floor import Floor
from tests.stories.shops import two_bins

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor(settings: LazySettings, client: Client) -> Floor:
    settings.DEMO = "0"
    floor = two_bins(now=timezone.now() - timedelta(minutes=3))
    person = Person.objects.create(username="lea", name="Lea")
    Membership.objects.create(person=person, plant=floor.plant, role="leader")
    client.force_login(person)
    return floor


def facts(page: str) -> dict[str, str]:
    """What stands beside each heading of the page."""
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td></tr>', page, re.DOTALL)
    return {title: " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split()) for title, text in rows}


def test_scans_are_told_in_words(client: Client, floor: Floor) -> None:
    floor.scan("L", 1, "empty")
    floor.scan("L", 1, "empty")
    floor.scan("L", 1, "load", at="LINE")
    told = facts(client.get("/status").content.decode())
    assert told["Scans in the last five minutes"] == "1 recorded · 1 said again · 1 refused"
    assert told["Scans can be recorded"].startswith("yes the database answers in")
    assert "ago" in told["Last scan"]
    assert told["Signals waiting to go upstream"].startswith("2 · the oldest for")


def test_the_plain_text_has_every_line_of_the_page(client: Client, floor: Floor) -> None:
    page = facts(client.get("/status").content.decode())
    answer = client.get("/status?plain")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    text = answer.content.decode()
    assert text.startswith("jitapp ")
    for title in page:
        if title != "Version":
            assert f"{title}: " in text, title
    assert f"jitapp {page['Version']}" in text


def test_it_counts_what_waits_on_devices_of_the_viewers_plants_alone(client: Client, floor: Floor) -> None:
    other = Floor("OTHER")
    Device.objects.filter(pk=floor.device.pk).update(waiting=12)
    Device.objects.filter(pk=other.device.pk).update(waiting=30)
    assert facts(client.get("/status").content.decode())["Scans that wait on devices"] == "12"


def test_paper_of_another_plant_is_not_told(client: Client, floor: Floor) -> None:
    other = Floor("OTHER")
    now = timezone.now()
    for area in (floor.area, other.area):
        StateSheet.objects.create(
            area=area, hour=now, number=1, claimed_at=now, problem=f"no room for {area.code}"
        )
    told = client.get("/status").content.decode()
    assert "no room for PLANT-AREA" in told
    assert "OTHER" not in told


def test_each_process_has_its_sign_of_life_in_words() -> None:
    seen = Standstill(silent={"relay.1@here": 2.0, "worker.1@here": 400.0})
    told = list(
        status_report.lines(
            lacks=["database"],
            database_ms=1,
            redis_up=False,
            seen=seen,
            found={},
            documents=None,
            papers=[],
            on_devices=0,
            words=words_of("en"),
            now=timezone.now(),
        )
    )
    by_title = {line.title: line for line in told}
    assert by_title["Relay, takes signals upstream (relay.1@here)"].sentences == (
        "gave a sign of life 2 s ago",
    )
    assert by_title["Scans can be recorded"].look == "act"
    assert "does not answer" in by_title["Scans can be recorded"].sentences[0]
    assert by_title["Fast signals"].look == "soon"
