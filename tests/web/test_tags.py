"""The page of tags: what waits, who may change what, and the settings of readers and zones."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from jitapp.accounts.models import Person
from jitapp.live.ticket import open_ticket
from jitapp.plant.models import Identifier, Membership
from jitapp.tags import reading, watching
from jitapp.tags.models import Alarm, Binding, Reader, ReadPoint, Tag
from jitapp.tags.words import How
from tests.floor import Floor
from tests.tags.portal import LOOP, Portal, epc

pytestmark = pytest.mark.django_db
UNKNOWN = epc(9)


@pytest.fixture
def portal(settings: LazySettings) -> Portal:
    settings.DEMO = "0"
    portal = Portal(floor=Floor(now=timezone.now()))
    portal.floor.now = timezone.now()
    portal.point()
    return portal


def login(portal: Portal, client: Client, role: str = "leader") -> Person:
    person = Person.objects.create_user(f"a {role}", name=role.title())
    Membership.objects.create(person=person, plant=portal.floor.plant, role=role)
    client.force_login(person)
    return person


def page(client: Client, address: str = "/tags/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def press(client: Client, what: str, **given: object) -> str:
    answer = client.post(f"/tags/{what}", given, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_unknown_tag_waits_until_it_is_bound_or_ignored(portal: Portal, client: Client) -> None:
    person = login(portal, client)
    portal.see(9, 8)
    shown = page(client)
    tag = Tag.objects.get(hex=UNKNOWN)
    assert tag.identity in shown
    assert "DOCK-1 · gate" in shown
    card = portal.floor.card(LOOP, 2)
    assert "The tag is on that card now." in press(client, "bind", tag=tag.identity, card=card.code.lower())
    binding = Binding.objects.get(tag=tag)
    assert (binding.card_id, binding.bound_by_id, binding.how) == (card.pk, person.pk, How.FORM)
    other = Tag.objects.get(hex=epc(8))
    assert "Say why" in press(client, "ignore", tag=other.identity, reason=" ")
    assert "Ignored." in press(client, "ignore", tag=other.identity, reason="belongs to a lorry")
    assert "belongs to a lorry" in page(client)
    assert reading.unknown_tags([portal.floor.plant.pk]) == []
    assert portal.see(8, after=60).shown == []


def test_a_tag_moves_only_if_that_was_meant_and_its_story_is_kept(portal: Portal, client: Client) -> None:
    login(portal, client)
    tag = Tag.objects.get(hex=epc(1))
    other = portal.floor.card(LOOP, 2)
    said = press(client, "bind", tag=epc(1), card=other.code)
    assert f"The tag is on card {portal.floor.card(LOOP, 1).code}" in said
    assert f"You wrote: tag {epc(1)}, card {other.code}." in said
    press(client, "bind", tag=epc(1), card=other.code, move="on")
    press(client, "unbind", tag=epc(1), reason="torn off")
    tag.refresh_from_db()
    assert tag.card_id is None
    assert Identifier.objects.get(code=tag.identity).kind == "bin"
    story = page(client, f"/tags/{tag.pk}")
    for text in ("taken off card", "torn off", other.code, "put on card", "by hand"):
        assert text in story
    assert "already" not in press(client, "bind", tag=tag.identity, card=other.code)
    assert Binding.objects.filter(tag=tag).count() == 3


@pytest.mark.parametrize(
    ("tag", "card", "said"),
    [
        ("no tag", None, "That is no number of a tag."),
        ("00" * 12, None, "That is no number of a tag."),
        (UNKNOWN, "KB00000000", "There is no such card"),
        (UNKNOWN, "", "There is no such card"),
        ("TAKEN", None, "That is no number of a tag."),
        ("AA01", None, "the code of something else"),
    ],
)
def test_what_cannot_be_bound_is_refused_by_name(
    portal: Portal, client: Client, tag: str, card: str | None, said: str
) -> None:
    login(portal, client)
    Identifier.objects.create(code="AA01", kind="part", target_id=1)
    code = portal.floor.card(LOOP, 1).code if card is None else card
    assert said in press(client, "bind", tag=tag, card=code)
    assert Binding.objects.count() == 2


def test_the_page_has_its_place_in_the_navigation(portal: Portal, client: Client) -> None:
    login(portal, client, "operator")
    shown = page(client)
    nav = shown[shown.index("<nav") : shown.index("</nav>")]
    assert '<a href="/tags/" aria-current="page">Tags</a>' in nav
    client.logout()
    assert 'href="/tags/"' not in client.get("/").content.decode()


def test_operators_look_and_change_nothing(portal: Portal, client: Client) -> None:
    login(portal, client, "operator")
    portal.see(9)
    shown = page(client)
    assert "0614141.812345.9" in shown
    assert 'action="/tags/bind"' not in shown
    assert "Leaders and planners" in press(client, "bind", tag=UNKNOWN, card=portal.floor.card(LOOP, 1).code)
    point = ReadPoint.objects.get()
    assert "Leaders and planners" in press(client, f"points/{point.pk}", name="other")
    assert ReadPoint.objects.get().name == "gate"


def test_people_of_another_plant_see_nothing(portal: Portal, client: Client) -> None:
    portal.see(9)
    away = Portal.__new__(Portal)
    away.floor = Floor("AWAY")
    login(away, client)
    shown = page(client)
    assert "0614141" not in shown
    assert "DOCK-1" not in shown
    point, tag = ReadPoint.objects.get(), Tag.objects.get(hex=UNKNOWN)
    for address in (f"/tags/{tag.pk}", f"/tags/points/{point.pk}", f"/tags/readers/{portal.device.pk}"):
        assert client.get(address).status_code == 404
    assert "There is no such tag" in press(client, "ignore", tag=tag.identity, reason="x")
    assert client.get("/tags/stream/TEST").status_code == 404


def test_tags_that_nobody_has_seen_for_long_are_listed(portal: Portal, client: Client) -> None:
    login(portal, client)
    Binding.objects.update(bound_at=timezone.now() - timedelta(days=30))
    portal.see(1)
    missing = reading.missing_tags([portal.floor.plant.pk], now=timezone.now() + timedelta(hours=1))
    assert [each.number for each in missing] == [2]
    assert portal.floor.card(LOOP, 2).code in page(client)


def test_an_alarm_is_seen_to(portal: Portal, client: Client) -> None:
    person = login(portal, client)
    portal.see(1)
    Reader.objects.update(silent_minutes=1, heard_at=timezone.now() - timedelta(hours=1))
    watching.sweep(now=timezone.now())
    alarm = Alarm.objects.get()
    assert "The reader says nothing" in page(client)
    assert "Seen to." in press(client, f"alarms/{alarm.pk}/close")
    alarm.refresh_from_db()
    assert alarm.closed_by_id == person.pk
    assert "over already" in press(client, f"alarms/{alarm.pk}/close")


def test_a_zone_is_made_and_changed(portal: Portal, client: Client) -> None:
    login(portal, client, "planner")
    given = {
        "name": "exit",
        "antennas": "3, 4",
        "station": str(ReadPoint.objects.get().station_id),
        "intent": "empty",
        "purpose": "signal",
        "moment": "leave",
        "refire_minutes": "15",
        "silence_ms": "5000",
        "enter_reads": "2",
        "enter_rssi": "-50",
        "floor_rssi": "",
        "margin_db": "4",
        "active": "on",
    }
    assert "Saved." in press(client, f"readers/{portal.device.pk}/new", **given)
    made = ReadPoint.objects.get(name="exit")
    assert (made.antennas, made.moment, made.enter_rssi, made.floor_rssi) == ([3, 4], "leave", -50.0, None)
    assert 'value="3, 4"' in page(client, f"/tags/points/{made.pk}")
    for wrong, said in (
        ({"antennas": "x"}, "numbers with commas: 1, 2."),
        ({"antennas": ""}, "has all other antennas"),
        ({"station": ""}, "stands at a station"),
        ({"silence_ms": "1"}, "500"),
        ({"name": ""}, "required"),
    ):
        shown = press(client, f"points/{made.pk}", **(given | wrong))
        assert said in shown, wrong
        assert 'value="15"' in shown, "what was typed is still there"
    other = {**given, "name": "third", "antennas": "4, 5"}
    assert "belongs to one zone" in press(client, f"readers/{portal.device.pk}/new", **other)


def test_a_reader_is_set_up_before_it_has_sent_anything(portal: Portal, client: Client) -> None:
    login(portal, client)
    device, _ = portal.reader("R700")
    assert "R700" in page(client)
    given = {"adapter": "impinj", "mqtt_topic": "rfid/#", "silent_minutes": "5", "language": "de"}
    for wrong in ("a#", "a/#/b", "a+/b"):
        assert "That is no topic" in press(client, f"readers/{device.pk}", **(given | {"mqtt_topic": wrong}))
    assert "Saved." in press(client, f"readers/{device.pk}", **given)
    assert Reader.objects.get(pk=device.pk).adapter == "impinj"
    other, _ = portal.reader("R701")
    assert "publishes at that topic" in press(client, f"readers/{other.pk}", **given)


def test_a_stations_stream_has_a_ticket_of_its_own(portal: Portal, client: Client) -> None:
    assert client.get("/tags/stream/TEST").status_code == 401
    login(portal, client, "operator")
    told = client.get("/tags/stream/TEST").json()
    assert open_ticket(told["ticket"]).channel == "#station:TEST"
    assert told["live"].endswith("/live/board")


def test_the_inbox_is_drawn_alone(portal: Portal, client: Client) -> None:
    login(portal, client)
    assert "No unknown tag waits" in page(client, "/tags/inbox")
    portal.see(9)
    assert "0614141.812345.9" in page(client, "/tags/inbox")


def test_zones_and_readers_are_in_the_administration_with_the_same_checks(
    portal: Portal, client: Client
) -> None:
    root = Person.objects.create(username="root", name="Root", is_staff=True, is_superuser=True)
    client.force_login(root)
    portal.see(9)
    point = ReadPoint.objects.get()
    for kind, row in (("reader", portal.device.pk), ("readpoint", point.pk), ("tag", Tag.objects.first().pk)):  # type: ignore[union-attr]
        assert client.get(f"/admin/tags/{kind}/").status_code == 200
        assert client.get(f"/admin/tags/{kind}/{row}/change/").status_code == 200
    for kind in ("binding", "alarm"):
        assert client.get(f"/admin/tags/{kind}/").status_code == 200
    given = {
        "reader": str(portal.device.pk),
        "name": "second",
        "antennas": "",
        "purpose": "signal",
        "moment": "arrive",
        "refire_minutes": "10",
        "silence_ms": "3000",
        "enter_reads": "1",
        "margin_db": "4",
        "active": "on",
    }
    said = client.post("/admin/tags/readpoint/add/", given).content.decode()
    assert "has all other antennas" in said
    assert "stands at a station" in said
    made = client.post("/admin/tags/readpoint/add/", given | {"antennas": "5", "purpose": "watch"})
    assert made.status_code == 302
    assert ReadPoint.objects.get(name="second").antennas == [5]
