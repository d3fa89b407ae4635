"""The event streams on a port of their own, in a thread of the test's process."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn

from jitapp.live import push
from jitapp.live.push import Publisher
from jitapp.live.stream import Hub, LiveApp


@dataclass(frozen=True, slots=True)
class Served:
    """Where the streams are, and the hub behind them."""

    url: str
    port: int
    app: LiveApp

    @property
    def hub(self) -> Hub:
        assert self.app.hub is not None
        return self.app.hub


@contextmanager
def served(redis_url: str, trusted: tuple[str, ...] = ()) -> Iterator[Served]:
    """Runs the streams until the block ends, and in this process a publisher for them that loses nothing: no earlier
    test has made it rest, and a busy machine does not make it rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(push, "SOCKET_SECONDS", 30.0)
        patch.setattr(push, "_publisher", Publisher(redis_url))
        yield from _served(redis_url, trusted)


def _served(redis_url: str, trusted: tuple[str, ...]) -> Iterator[Served]:
    app = LiveApp(redis_url, trusted)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield Served(f"http://127.0.0.1:{port}", port, app)
    finally:
        server.should_exit = True
        if app.hub is not None and server.servers:
            server.servers[0].get_loop().call_soon_threadsafe(app.hub.end_streams)
        thread.join(timeout=10)
        listener.close()


def wait_until(so: Any, seconds: float = 10.0) -> None:
    """Waits until `so()` is true; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One server-sent event as a browser sees it."""

    event: str
    data: dict[str, Any]
    number: str
    raw: bytes


def events(response: httpx.Response) -> Iterator[StreamEvent]:
    """The events of an open stream; comments and `retry:` are left out."""
    buffer = b""
    for chunk in response.iter_raw():
        buffer += chunk
        while b"\n\n" in buffer:
            block, buffer = buffer.split(b"\n\n", 1)
            fields = dict(line.split(": ", 1) for line in block.decode().split("\n") if ": " in line)
            if "event" in fields:
                yield StreamEvent(fields["event"], json.loads(fields["data"]), fields.get("id", ""), block)


def until(stream: Iterator[StreamEvent], event: str) -> StreamEvent:
    """The next event of that name."""
    for told in stream:
        if told.event == event:
            return told
    raise AssertionError(f"the stream ended without {event}")
