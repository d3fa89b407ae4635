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
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": False}},
            },
            loop=self.loop,
        )
        await broker.start()
        return broker

    def unacknowledged(self, client_id: str) -> int:
        """Messages to a client of which the broker still has its copy."""
        assert self.broker is not None
        return len(self.broker._sessions[client_id][0].inflight_out)

    def stop(self) -> None:
        if self.broker is not None:
            asyncio.run_coroutine_threadsafe(self.broker.shutdown(), self.loop).result(PATIENCE_S)
            self.broker = None


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


def publish(broker: Running, *messages: tuple[str, bytes]) -> None:
    """Publishes with QoS 1 and waits until the broker has each."""
    client: Any = paho.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set("reader", "guarded")
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        for topic, payload in messages:
            client.publish(topic, payload, qos=1).wait_for_publish(PATIENCE_S)
    finally:
        client.disconnect()
        client.loop_stop()
