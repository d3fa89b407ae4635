"""A real MQTT broker on a free port of this machine, in a thread of the test's process."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from amqtt.broker import Broker
from paho.mqtt.enums import CallbackAPIVersion

from jitapp.workshop.embedded import free_port

PATIENCE_S = 30.0
FORBIDDEN = "top-secret"
logging.getLogger("transitions").setLevel(logging.WARNING)
logging.getLogger("amqtt").setLevel(logging.WARNING)


@dataclass(slots=True)
class Running:
    """A broker that can be stopped and started again on its port."""

    port: int
    loop: asyncio.AbstractEventLoop
    broker: Broker | None = None

    @property
    def url(self) -> str:
        return f"mqtt://jitapp:guarded@127.0.0.1:{self.port}"  # a broker keeps nothing for nobody

    def start(self) -> None:
        self.broker = asyncio.run_coroutine_threadsafe(self._made(), self.loop).result(PATIENCE_S)

    async def _made(self) -> Broker:
        broker = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}},
                "plugins": {
                    "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": False},
                    "amqtt.plugins.topic_checking.TopicTabooPlugin": {},  # refuses FORBIDDEN
                },
            },
            loop=self.loop,
        )
        await broker.start()
        return broker

    def unacknowledged(self, client_id: str) -> int:
        """Messages to a client of which the broker still has its copy."""
        assert self.broker is not None
        return len(self.broker._sessions[client_id][0].inflight_out)

    def has_left(self, client_id: str) -> bool:
        """Whether the broker knows that the client is gone: one that comes back before is taken over, and what the
        broker was sending may go with the old connection."""
        assert self.broker is not None
        known = self.broker._sessions.get(client_id)
        return known is None or bool(known[0].transitions.is_disconnected())

    def listeners(self, topic: str) -> int:
        """How many clients have subscribed to the topic."""
        assert self.broker is not None
        return len(self.broker.subscriptions.get(topic, []))

    def stop(self) -> None:
        if self.broker is not None:
            asyncio.run_coroutine_threadsafe(self._ended(self.broker), self.loop).result(PATIENCE_S)
            self.broker = None

    async def _ended(self, broker: Broker) -> None:
        """amqtt goes on listening while it ends its sessions, and waits for ever for a client that came back
        meanwhile."""
        for server in broker._servers.values():
            server.instance.close()
        await broker.shutdown()


@contextmanager
def running_broker() -> Iterator[Running]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    running = Running(free_port(), loop)
    running.start()
    try:
        yield running
    finally:
        running.stop()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_S)
        loop.close()


def publish(broker: Running, *messages: tuple[str, bytes], retain: bool = False) -> None:
    """Publishes with QoS 1 and waits until the broker has each."""
    client: Any = paho.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set("reader", "guarded")
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        for topic, payload in messages:
            client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)
    finally:
        client.disconnect()
        client.loop_stop()
