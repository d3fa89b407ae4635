"""`manage.py mqtt`: reads tags from a broker (JITAPP_MQTT_URL), from the topics that the readers' settings name."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jitapp.outages import store
from jitapp.pulse.beats import Pulse, Work
from jitapp.tags.mqtt import Message, Subscription, matches
from jitapp.workshop.tag_feed import Route, record_messages, routes, until_recorded

TAKE_S = 0.5
LOOK_ROUNDS = 20  # the readers' settings are read again every so many rounds
PATIENCE_S = 40.0


class Known:
    """The readers that publish, read again now and then; what was read last while the database is away."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def topics(self) -> list[str]:
        """Their topics."""
        return [route.topic for route in self.routes]

    def look(self) -> None:
        """Reads the settings. Raises what the store raises."""
        self.routes = routes()


def record(messages: Sequence[Message], known: Known) -> None:
    """Records messages; for a topic that nobody is known to publish at, the settings are read again first. Raises what
    the store raises: a broker goes on sending what was subscribed before, also while the settings cannot be read."""
    if not all(any(matches(each.topic, topic) for topic in known.topics()) for each in messages):
        known.look()
    record_messages(messages, known.routes)


def follow(subscription: Subscription, known: Known, stopped: threading.Event, work: Work) -> None:
    """Records messages until it is stopped."""
    rounds = 0
    while not stopped.is_set():
        if rounds % LOOK_ROUNDS == 0:
            with store.outlived("looks at the readers' settings put off"):
                known.look()
                subscription.look()
        rounds += 1
        messages = subscription.taken(TAKE_S)
        work.done()
        if messages and until_recorded(
            partial(record, messages, known),
            stopped,
            alive=work.done,
        ):
            subscription.recorded(messages)


class Command(BaseCommand):
    help = (
        "Reads tags from an MQTT broker until it is stopped; a message is acknowledged once it is recorded."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Ends by SIGTERM or SIGINT; what was not recorded is sent again by the broker."""
        if not settings.MQTT_URL:
            raise CommandError(
                "JITAPP_MQTT_URL is not set. Name the broker: mqtt://host:1883 or mqtts://host:8883."
            )
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        known, work = Known(), Work(PATIENCE_S)
        subscription = Subscription(
            settings.MQTT_URL, known.topics, client_id=settings.MQTT_CLIENT, ca_file=settings.MQTT_CA
        )
        pulse = Pulse("mqtt", work.fresh)
        pulse.start()
        subscription.start()
        follow(subscription, known, stopped, work)
        subscription.end()
        pulse.end()
