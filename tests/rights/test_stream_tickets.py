"""A ticket of a stream lasts as long as the session whose page it came with (S13)."""

from __future__ import annotations

import httpx
import pytest
from django.conf import settings
from django.test import Client

from jitapp.kanban.vocabulary import Role
from jitapp.live import push
from jitapp.live.ticket import channel_of, make_ticket, mark_of, open_ticket
from jitapp.plant.models import Membership
from tests.floor import Floor
from tests.live.served import events, served, until, wait_until

pytestmark = pytest.mark.django_db
TIMEOUT = httpx.Timeout(30.0)


@pytest.fixture
def browser() -> Client:
    floor = Floor()
    floor.station("SMT")
    person = floor.person("mia")
    Membership.objects.create(person=person, plant=floor.plant, role=Role.OPERATOR)
    client = Client()
    client.force_login(person)
    return client


def ticket_of(browser: Client) -> str:
    return browser.get("/b/PLANT-AREA/rows").headers["X-Ticket"]


def test_s13_after_logout_a_ticket_opens_nothing_and_its_stream_ends(browser: Client) -> None:
    mine = ticket_of(browser)
    assert open_ticket(mine).channel == channel_of("PLANT-AREA", "en")
    other = make_ticket(channel_of("PLANT-AREA", "en"), "another session")
    with served(settings.REDIS_URL) as live:
        wait_until(lambda: not live.hub.degraded)
        address = f"{live.url}/live/board?ticket="
        with (
            httpx.stream("GET", address + mine, timeout=TIMEOUT) as stream,
            httpx.stream("GET", address + other, timeout=TIMEOUT) as stays,
        ):
            reader, untouched = events(stream), events(stays)
            until(reader, "hello")
            until(untouched, "hello")
            browser.post("/logout/")
            assert [told.event for told in reader if told.event not in ("hb", "resync")] == []
            push.row_changed(channel_of("PLANT-AREA", "en"), 7, 1, b"<tr></tr>")
            assert until(untouched, "row").data["loop"] == 7
        refused = httpx.get(address + mine, timeout=TIMEOUT)
        assert (refused.status_code, refused.text) == (403, "You are logged out. Log in again.")


def test_s13_a_logout_that_the_streams_missed_ends_them_when_they_hear_again(browser: Client) -> None:
    mine = ticket_of(browser)
    with served(settings.REDIS_URL) as live:
        wait_until(lambda: not live.hub.degraded)
        with httpx.stream("GET", f"{live.url}/live/board?ticket={mine}", timeout=TIMEOUT) as stream:
            reader = events(stream)
            until(reader, "hello")
            session = browser.cookies["sessionid"].value
            push._publisher.publish(
                [], kept={f"{push.ENDED}:{mark_of(session)}": 60}
            )  # the message itself is lost
            client = push._publisher._connected()
            ours = str(client.connection_pool.connection_kwargs.get("db", 0))
            for each in client.client_list(_type="pubsub"):
                if each["db"] == ours:  # the suite's other processes listen at the same server
                    client.client_kill_filter(_id=each["id"])
            assert [told.event for told in reader if told.event not in ("hb", "resync")] == []


def test_s13_a_mark_tells_nothing_of_its_session() -> None:
    assert mark_of(None) == mark_of("") == ""
    assert "secret-session-key" not in mark_of("secret-session-key")
    assert mark_of("a") != mark_of("b")
