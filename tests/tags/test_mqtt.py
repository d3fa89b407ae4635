"""Tags over MQTT, with a real broker: nothing is lost while we, the broker or the database are away."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from jitapp.pull.models import Receipt
from jitapp.pulse.beats import Work
from jitapp.tags.models import Reader, Visit
from jitapp.tags.mqtt import Message, Subscription, matches
from jitapp.workshop import tag_feed
from jitapp.workshop.management.commands import mqtt
from jitapp.workshop.tag_feed import Route, record_messages, until_recorded
from tests.floor import Floor
from tests.tags.broker import FORBIDDEN, PATIENCE_S, Running, publish, running_broker
from tests.tags.portal import Portal, epc

TOPIC = "rfid/dock-1/events"


@pytest.fixture
def broker() -> Iterator[Running]:
    with running_broker() as running:
        yield running


def wait_until(so: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not so():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def event(number: int) -> tuple[str, bytes]:
    inside = {"epcHex": epc(number), "antennaPort": 1, "peakRssiCdbm": -5500}
    return TOPIC, json.dumps({"eventType": "tagInventory", "tagInventoryEvent": inside}).encode()


def epcs(messages: list[Message]) -> list[str]:
    return [json.loads(each.payload)["tagInventoryEvent"]["epcHex"] for each in messages]


def subscribed(broker: Running) -> Subscription:
    subscription = Subscription(broker.url, lambda: [TOPIC], client_id="test", first_pause_s=1)
    subscription.start()
    wait_until(subscription.listening.is_set)
    return subscription


def taken(subscription: Subscription, count: int) -> list[Message]:
    found: list[Message] = []

    def came() -> bool:
        found.extend(subscription.taken(0.1))
        return len(found) >= count

    wait_until(came)
    return found


def test_what_came_while_we_were_away_comes_when_we_are_back(broker: Running) -> None:
    first = subscribed(broker)
    publish(broker, event(1))
    first.recorded(taken(first, 1))
    first.end()
    wait_until(lambda: broker.has_left("test"))
    publish(broker, event(2), event(3))
    again = subscribed(broker)
    try:
        assert sorted(epcs(taken(again, 2))) == [epc(2), epc(3)]  # amqtt sends what it kept in any order
    finally:
        again.end()


def test_a_message_is_acknowledged_only_once_it_was_recorded(broker: Running) -> None:
    """Of what was not acknowledged the broker keeps its copy. (amqtt itself forgets it when the connection ends;
    others send it again.)"""
    subscription = subscribed(broker)
    try:
        publish(broker, event(1), event(2))
        messages = taken(subscription, 2)
        assert broker.unacknowledged("test") == 2
        subscription.recorded(messages[:1])
        wait_until(lambda: broker.unacknowledged("test") == 1)
        subscription.recorded(messages[1:])
        wait_until(lambda: broker.unacknowledged("test") == 0)
    finally:
        subscription.end()


def test_a_number_of_a_connection_that_broke_acknowledges_nothing(broker: Running) -> None:
    subscription = subscribed(broker)
    try:
        publish(broker, event(1))
        (message,) = taken(subscription, 1)
        subscription.recorded([replace(message, session=message.session - 1)])
        publish(broker, event(2))  # what was sent before has arrived by then
        taken(subscription, 1)
        assert broker.unacknowledged("test") == 2
    finally:
        subscription.end()


def test_a_broker_that_comes_back_is_found(broker: Running) -> None:
    subscription = subscribed(broker)
    try:
        broker.stop()
        wait_until(lambda: not subscription.connected.is_set())
        broker.start()
        wait_until(subscription.listening.is_set)
        publish(broker, event(4))
        assert epcs(taken(subscription, 1)) == [epc(4)]
    finally:
        subscription.end()


def test_what_the_broker_had_kept_comes_at_every_connection_and_is_known_as_that(broker: Running) -> None:
    publish(broker, event(1), retain=True)
    for _ in range(2):
        heard: dict[str, set[bool]] = {}
        subscription = subscribed(broker)
        try:
            publish(broker, event(2))
            while len(heard) < 2:
                for message in taken(subscription, 1):
                    heard.setdefault(epcs([message])[0], set()).add(message.kept)
                    subscription.recorded([message])
        finally:
            subscription.end()
        wait_until(lambda: broker.has_left("test"))
        assert heard == {epc(1): {True}, epc(2): {False}}


def test_a_topic_that_the_broker_refuses_is_said_once(
    broker: Running, caplog: pytest.LogCaptureFixture
) -> None:
    topics = [FORBIDDEN]
    subscription = Subscription(broker.url, lambda: topics, client_id="test", first_pause_s=1)
    subscription.start()
    try:
        wait_until(lambda: "refuses the topic top-secret" in caplog.text)
        topics.append(TOPIC)
        subscription.look()
        wait_until(subscription.listening.is_set)
        publish(broker, event(1))
        assert epcs(taken(subscription, 1)) == [epc(1)]
        assert caplog.text.count("refuses the topic") == 1
    finally:
        subscription.end()


@contextmanager
def followed(broker: Running) -> Iterator[None]:
    """The command at work."""
    known, stopped = mqtt.Known(), threading.Event()
    subscription = Subscription(broker.url, known.topics, client_id="test", first_pause_s=1)
    known.look()
    subscription.start()
    wait_until(subscription.listening.is_set)
    thread = threading.Thread(target=_follow, args=(subscription, known, stopped), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(PATIENCE_S)
        subscription.end()


@pytest.mark.django_db(transaction=True)
def test_the_command_records_what_the_readers_publish(broker: Running) -> None:
    portal = Portal(floor=Floor(now=timezone.now()))
    portal.point()
    Reader.objects.update(mqtt_topic="rfid/dock-1/#", adapter="impinj")
    with followed(broker):
        publish(broker, event(1), (TOPIC, b"{"), ("rfid/dock-1/other", b"[]"), event(1), event(2))
        wait_until(lambda: Visit.objects.exclude(outcome="").count() == 2)
        wait_until(lambda: Reader.objects.get().refused == 1)
        assert "not valid JSON" in Reader.objects.get().trouble


@pytest.mark.django_db(transaction=True)
def test_the_command_goes_on_after_a_restart_of_the_broker(broker: Running) -> None:
    """Of what was published before and after nothing is lost, and nothing is made twice."""
    portal = Portal(floor=Floor(now=timezone.now()))
    portal.point()
    Reader.objects.update(mqtt_topic=TOPIC, adapter="impinj")
    with followed(broker):
        publish(broker, event(1))
        wait_until(lambda: Visit.objects.exclude(outcome="").count() == 1)
        broker.stop()
        broker.start()
        wait_until(lambda: broker.listeners(TOPIC) == 1)
        publish(broker, event(1), event(2))
        wait_until(lambda: Visit.objects.filter(tag__hex=epc(2)).exclude(outcome="").count() == 1)
    assert Receipt.objects.count() == 2


def _follow(subscription: Subscription, known: mqtt.Known, stopped: threading.Event) -> None:
    from django.db import connections

    try:
        mqtt.follow(subscription, known, stopped, Work(60))
    finally:
        connections.close_all()


def test_what_cannot_be_recorded_is_kept_and_tried_until_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_feed, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(tag_feed, "close_old_connections", lambda: None)
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        if len(tries) < 4:
            raise OperationalError("could not connect to server")

    assert until_recorded(work, threading.Event(), alive=lambda: None)
    assert len(tries) == 4
    stopped = threading.Event()
    stopped.set()
    tries.clear()
    assert not until_recorded(work, stopped, alive=lambda: None)


@pytest.mark.django_db
def test_kept_messages_are_not_counted_and_a_persons_page_says_so() -> None:
    portal = Portal()
    portal.point()
    Reader.objects.update(mqtt_topic=TOPIC, adapter="impinj")
    record_messages([Message(*event(1), portal.now, 1, 1, 1, kept=True)], tag_feed.routes())
    assert not Visit.objects.exists()
    assert "retain" in Reader.objects.get().trouble


@pytest.mark.django_db
def test_where_topics_overlap_the_one_that_says_most_names_the_reader() -> None:
    portal = Portal()
    topics = {"ALL": "rfid/#", "SOME": "rfid/+/events", "DOCK-1": TOPIC}
    for name, topic in topics.items():
        device = portal.device if name == "DOCK-1" else portal.reader(name)[0]
        portal.point(device=device)
        Reader.objects.filter(device=device).update(mqtt_topic=topic, adapter="impinj")
    assert [route.name for route in tag_feed.routes()] == ["DOCK-1", "SOME", "ALL"]
    record_messages([Message(*event(1), portal.now, 1, 1, 1)], tag_feed.routes())
    assert Visit.objects.get().point.reader_id == portal.device.pk


@pytest.mark.django_db
def test_a_revoked_reader_publishes_for_nobody() -> None:
    portal = Portal()
    portal.point()
    Reader.objects.update(mqtt_topic=TOPIC, adapter="impinj")
    before = tag_feed.routes()
    portal.device.active = False
    portal.device.save()
    assert tag_feed.routes() == []
    record_messages([Message(*event(1), portal.now, 1, 1, 1)], before)  # the settings were read before
    assert not Visit.objects.exists()


@pytest.mark.django_db
def test_a_topic_of_nobody_and_a_reader_of_no_plant_cost_no_other() -> None:
    portal = Portal()
    portal.point()
    stray = Message("nowhere", b"{}", portal.now, 1, 1, 1)
    known = [Route(portal.device.pk, "DOCK-1", "impinj", "rfid/+/events")]
    record_messages([stray, Message(*event(1), portal.now, 2, 1, 1)], known)
    assert Visit.objects.get().tag.hex == epc(1)
    tag_feed.record(10_000_000, "GONE", [])


def test_filters_match_as_the_broker_matches_them() -> None:
    assert matches("rfid/a/events", "rfid/+/events")
    assert matches("rfid/a/events", "rfid/#")
    assert not matches("rfid/a", "rfid/+/events")
    assert not matches("rfid/a", "rfid/#/x")


def test_the_command_says_what_it_lacks() -> None:
    with pytest.raises(CommandError, match="JITAPP_MQTT_URL is not set"):
        call_command("mqtt")
    with pytest.raises(CommandError, match="JITAPP_LLRP is not set"):
        call_command("llrp")


@pytest.mark.django_db
def test_what_comes_before_the_settings_could_be_read_is_not_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker keeps subscriptions: it sends while the database is still away."""
    portal = Portal(floor=Floor(now=timezone.now() - timedelta(hours=2)))
    portal.point()
    Reader.objects.update(mqtt_topic=TOPIC, adapter="impinj")
    known, message = mqtt.Known(), Message(*event(1), timezone.now(), 1, 1, 1)
    with monkeypatch.context() as patch:
        patch.setattr(mqtt, "routes", _away)
        with pytest.raises(OperationalError):
            mqtt.record([message], known)
    mqtt.record([message], known)
    assert Visit.objects.get().outcome == "applied"


def _away() -> list[Route]:
    raise OperationalError("could not connect to server")
