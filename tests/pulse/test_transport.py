"""A broker that goes away before an acknowledgement takes no place of the prefetch count for good (S6)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kombu
import pytest

from jitapp.pulse import transport
from jitapp.workshop import processes
from jitapp.workshop.embedded import Valkey, free_port
from tests.live.served import wait_until


@pytest.fixture(autouse=True)
def as_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme, name in list(kombu.transport.TRANSPORT_ALIASES.items()):
        monkeypatch.setitem(kombu.transport.TRANSPORT_ALIASES, scheme, name)
    monkeypatch.setattr(kombu.transport, "_transport_cache", {})
    transport.use()


def test_the_workers_addresses_are_served_by_our_transport() -> None:
    for scheme in ("redis", "rediss"):
        assert isinstance(kombu.Connection(f"{scheme}://127.0.0.1:1/0").transport, transport.Transport)


@pytest.mark.parametrize("end", [lambda message: message.ack(), lambda message: message.reject()])
def test_s06_a_lost_acknowledgement_frees_its_place(tmp_path: Path, end: Callable[[Any], None]) -> None:
    valkey = Valkey(tmp_path, port=free_port(), durable=False)
    valkey.prepare(lambda _text: None)
    process = processes.start(valkey.command(), output=subprocess.DEVNULL)
    try:
        wait_until(valkey.answers, 60)
        options = {"socket_timeout": 5, "socket_connect_timeout": 1, "max_retries": 0}
        connection = kombu.Connection(valkey.url, transport_options=options)
        queue: Any = connection.SimpleQueue("jobs", no_ack=False)
        queue.put({"job": 1})
        queue.consumer.qos(prefetch_count=1)
        message = queue.get(timeout=30)
        qos = queue.channel.qos
        assert not qos.can_consume(), "the only place is taken"
        process.kill()
        process.wait()
        with pytest.raises(queue.channel.connection_errors):
            end(message)
        assert qos.can_consume(), "the worker would never ask for a message again"
    finally:
        process.kill()
        process.wait()
