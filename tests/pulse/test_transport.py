"""A broker that goes away before an acknowledgement takes no place of the prefetch count for good (S6)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kombu
import pytest

from jitapp.celery import TRANSPORT, app
from jitapp.pulse.transport import Transport
from jitapp.workshop import processes
from jitapp.workshop.embedded import Valkey, free_port
from tests.live.served import wait_until


def test_the_application_uses_our_transport() -> None:
    for address in (None, "redis://127.0.0.1:1/0", "rediss://127.0.0.1:1/0"):
        assert isinstance(app.connection(address).transport, Transport)


@pytest.mark.parametrize("end", [lambda message: message.ack(), lambda message: message.reject()])
def test_s06_a_lost_acknowledgement_frees_its_place(tmp_path: Path, end: Callable[[Any], None]) -> None:
    valkey = Valkey(tmp_path, port=free_port(), durable=False)
    valkey.prepare(lambda _text: None)
    process = processes.start(valkey.command(), output=subprocess.DEVNULL)
    try:
        wait_until(valkey.answers, 60)
        options = {"socket_timeout": 5, "socket_connect_timeout": 1, "max_retries": 0}
        connection = kombu.Connection(valkey.url, transport=TRANSPORT, transport_options=options)
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
