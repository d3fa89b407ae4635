"""The page of tags in the browser: a tag that a reader sees for the first time comes by itself, and is bound there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from jitapp.accounts.models import Person
from jitapp.plant.models import Membership
from jitapp.tags.models import Tag
from tests.floor import Floor
from tests.journeys.pages import Site, site
from tests.tags.portal import LOOP, Portal, epc

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def portal(settings: LazySettings) -> Portal:
    settings.DEMO = "0"
    portal = Portal(floor=Floor(now=timezone.now()))
    portal.floor.now = timezone.now()
    portal.point()
    return portal


@pytest.fixture
def pages(
    live_server: LiveServer, chromium: Browser, settings: LazySettings, portal: Portal
) -> Iterator[Site]:
    with site(live_server, chromium, settings) as running:
        yield running


def test_an_unknown_tag_comes_by_itself_and_what_somebody_types_stays(pages: Site, portal: Portal) -> None:
    with pages.context() as context:
        client = Client()
        person = Person.objects.create(username="lea", name="Lea")
        Membership.objects.create(person=person, plant=portal.floor.plant, role="leader")
        client.force_login(person)
        session = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": pages.url}])
        page = context.new_page()
        page.goto(f"{pages.url}/tags/")
        inbox = page.locator("#tags-inbox")
        expect(inbox).to_contain_text("No unknown tag waits")
        portal.see(9)
        expect(inbox.locator("li.unknown")).to_have_count(1, timeout=15_000)
        typed = inbox.get_by_label("Code of the card")
        typed.fill(portal.floor.card(LOOP, 2).code)
        portal.see(8)
        expect(inbox.locator("li.unknown")).to_have_count(2, timeout=15_000)
        mine = inbox.locator("li.unknown", has_text="812345.9").get_by_label("Code of the card")
        expect(mine).to_have_value(portal.floor.card(LOOP, 2).code)
        expect(mine).to_be_focused()
        mine.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("The tag is on that card now.")
        assert Tag.objects.get(hex=epc(9)).card == portal.floor.card(LOOP, 2)
