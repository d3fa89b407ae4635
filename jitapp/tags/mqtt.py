"""A subscription at an MQTT broker from which nothing is lost: QoS 1, a session that the broker keeps, and a message
acknowledged only once it was recorded. Knows no tables.

The broker sends again what was not acknowledged when the connection broke; that makes nothing twice, because reads are
folded into presences.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from jitapp.outages.outage import Outage

logger = logging.getLogger(__name__)

QOS = 1
KEEPALIVE_S = 30
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1, 60  # between tries to connect
MOST_WAITING = 2_000  # messages in memory; beyond that the broker waits
MOST_TOGETHER = 500
GATHER_S = 0.05  # a burst of messages is recorded together
PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Message:
    """What came in, and what is needed to acknowledge it."""

    topic: str
    payload: bytes
    came: datetime
    number: int
    qos: int
    session: int  # of which connection it came: a number means nothing to the next
    kept: bool = (
        False  # the broker had kept it (retain) and gives it to everybody who subscribes, again and again
    )


def now_utc() -> datetime:
    """The instant by our clock."""
    return datetime.now(UTC)


class Subscription:
    """`topics` gives the filters that are wanted now. Messages wait until `taken` hands them out."""

    def __init__(
        self,
        url: str,
        topics: Callable[[], Iterable[str]],
        *,
        client_id: str,
        ca_file: str = "",
        clock: Callable[[], datetime] = now_utc,
        first_pause_s: int = FIRST_PAUSE_S,
    ) -> None:
        self._address = urlsplit(url)
        self._topics = topics
        self._clock = clock
        self._waiting: queue.Queue[Message] = queue.Queue(MOST_WAITING)
        self._subscribed: set[str] = set()
        self._asked: dict[int, str] = {}  # number of the request -> topic, until the broker answers
        self._refused: set[str] = set()
        self._session = 0
        self._ended = threading.Event()
        self._outage = Outage("The MQTT broker cannot be reached", "The MQTT broker is there again")
        self.connected = threading.Event()
        self.listening = threading.Event()  # the broker has confirmed a subscription
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            manual_ack=True,
            reconnect_on_failure=True,
        )
        self._client.reconnect_delay_set(first_pause_s, LONGEST_PAUSE_S)
        if self._address.username:
            password = unquote(self._address.password) if self._address.password else None
            self._client.username_pw_set(unquote(self._address.username), password)
        if self._address.scheme == "mqtts":
            self._client.tls_set(ca_certs=ca_file or None)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe

    def start(self) -> None:
        """Connects, and connects again for as long as it takes."""
        port = self._address.port or PORTS[self._address.scheme]
        self._client.connect_async(self._address.hostname or "127.0.0.1", port, KEEPALIVE_S)
        self._client.loop_start()

    def end(self) -> None:
        """Leaves; the broker keeps what comes meanwhile, and what was not acknowledged."""
        self._ended.set()
        self._client.disconnect()
        self._client.loop_stop()

    def taken(self, patience_s: float) -> list[Message]:
        """The messages that wait, some at once; an empty list if none came in time."""
        try:
            found = [self._waiting.get(timeout=patience_s)]
        except queue.Empty:
            return []
        while len(found) < MOST_TOGETHER:
            try:
                found.append(self._waiting.get(timeout=GATHER_S))
            except queue.Empty:
                break
        return found

    def recorded(self, messages: Iterable[Message]) -> None:
        """Acknowledges them, in order. Those of a connection that broke come again."""
        for message in messages:
            if message.session == self._session and message.qos:
                self._client.ack(message.number, message.qos)

    def look(self) -> None:
        """Follows changes of the wanted topics."""
        if not self.connected.is_set():
            return
        wanted = set(self._topics())
        for topic in sorted(self._subscribed - wanted):
            self._client.unsubscribe(topic)
        for topic in sorted(wanted - self._subscribed):
            _, number = self._client.subscribe(topic, QOS)
            if number is not None:
                self._asked[number] = topic
        self._refused &= wanted
        self._subscribed = wanted - self._refused  # these are asked for again with the next look

    # -- called by paho's thread ---------------------------------------------------------------------
    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._outage.failed(str(reason), "tries to connect failed")
            return
        self._session += 1
        self._outage.answered()
        self._subscribed = set()
        self._asked.clear()
        self.connected.set()
        try:
            self.look()
        except Exception:  # the thread must go on; the main loop looks again
            self._subscribed = set()
            logger.exception("The topics could not be read; they are asked for again.")

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        self._outage.failed("no connection", "tries to connect failed")

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.connected.clear()
        self.listening.clear()
        if not self._ended.is_set():
            self._outage.failed(str(reason), "tries to connect failed")

    def _on_subscribe(self, _client: Any, _data: Any, number: int, reasons: Any, _properties: Any) -> None:
        """A topic that the broker refuses is said once, and asked for again until it grants it."""
        topic = self._asked.pop(number, "")
        if not any(reason.is_failure for reason in reasons):
            self._refused.discard(topic)
            self.listening.set()
        elif topic not in self._refused:
            self._refused.add(topic)
            self._subscribed = self._subscribed - {topic}
            logger.error(
                "The MQTT broker refuses the topic %s: nothing is read from it. Let %s read it there.",
                topic,
                self._address.username or "jitapp",
            )

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        """Waits while memory is full: the broker keeps the rest."""
        kept = Message(
            message.topic,
            bytes(message.payload),
            self._clock(),
            message.mid,
            message.qos,
            self._session,
            bool(message.retain),
        )
        while not self._ended.is_set():
            try:
                self._waiting.put(kept, timeout=0.5)
                return
            except queue.Full:
                continue


def matches(topic: str, wanted: str) -> bool:
    """Whether a topic falls under a filter with + and #."""
    try:
        return paho.topic_matches_sub(wanted, topic)
    except ValueError:
        return False


def precision(topic: str) -> tuple[bool, int, int]:
    """Sorts filters so that of several that match the one that says most comes first: #, then +, then levels."""
    levels = topic.split("/")
    return "#" in levels, levels.count("+"), -len(levels)
