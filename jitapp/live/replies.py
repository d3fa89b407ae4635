"""What goes back over ASGI: streams' heads and parts, and short answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def header(scope: Scope, name: bytes) -> str:
    """A header of a request; empty without it."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


def body(data: bytes) -> Message:
    """A part of a stream."""
    return {"type": "http.response.body", "body": data, "more_body": True}


def stream_headers(origin: str) -> list[tuple[bytes, bytes]]:
    """The head of an event stream for a page of this origin."""
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-cache, no-transform"),
        (b"content-encoding", b"identity"),
        (b"x-accel-buffering", b"no"),
        (b"x-content-type-options", b"nosniff"),
    ]
    return headers + _origin_headers(origin)


def _origin_headers(origin: str) -> list[tuple[bytes, bytes]]:
    return (
        [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")] if origin else []
    )


async def answer(
    send: Send, status: int, text: str, origin: str = "", more: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """A whole answer in plain text."""
    said = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(said)).encode())]
    headers += more
    await send(
        {"type": "http.response.start", "status": status, "headers": headers + _origin_headers(origin)}
    )
    await send({"type": "http.response.body", "body": said})
