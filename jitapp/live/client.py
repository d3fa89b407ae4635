"""One open event stream: its queue, and how an event looks on the wire."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable

QUEUE_LENGTH = 64


class Client:
    """One open stream: a short queue of frames, which it shares with the other clients of its channels."""

    __slots__ = ("_bell", "_frames", "channels", "ended", "overflows", "session")

    def __init__(self, channels: Iterable[str], session: str = "") -> None:
        self.channels = tuple(dict.fromkeys(channels))
        self.session = session
        self.ended = asyncio.Event()  # the session is over
        self.overflows = 0
        self._frames: deque[bytes] = deque()
        self._bell = asyncio.Event()

    def put(self, frame: bytes) -> None:
        """Adds a frame; a full queue is replaced by one `resync`."""
        if len(self._frames) >= QUEUE_LENGTH:
            self.overflows += 1
            self._frames.clear()
            frame = RESYNC
        self._frames.append(frame)
        self._bell.set()

    async def take(self) -> bytes:
        """All queued frames, joined; waits for the first."""
        await self._bell.wait()
        self._bell.clear()
        frames = b"".join(self._frames)
        self._frames.clear()
        return frames


def frame(event: str, data: bytes, number: str = "") -> bytes:
    """One server-sent event."""
    head = f"id: {number}\n" if number else ""
    return f"{head}event: {event}\ndata: ".encode() + data + b"\n\n"


RESYNC = frame("resync", b"{}")


def named(channel: str, data: bytes) -> bytes:
    """The message with the channel that it came on; it is an object of JSON, as push.py and panels.py write it."""
    if not data.startswith(b"{") or data == b"{}":
        return data
    return b'{"channel":' + json.dumps(channel).encode() + b"," + data[1:]
