"""Requests are taken whole before a thread is taken: a body that comes slowly, or never, holds nobody up.

The web server (granian, RSGI) calls on an event loop. There the body is awaited, within a time and a size; a whole
request goes to one of a few threads, which run Django (WSGI) or a scan door (shortcut.py). An answer is handed to the
server in one piece, so that a reader that is slow to fetch it holds no thread either.
"""

from __future__ import annotations

import asyncio
import io
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any, Protocol
from wsgiref.types import WSGIEnvironment as Environ

from jitapp.api.endpoint import MOST_BYTES
from jitapp.api.errors import API, Problem
from jitapp.api.scans import Call, Door
from jitapp.api.shortcut import SAFE, reply_of

logger = logging.getLogger(__name__)

THREADS = 2  # a scan waits for the database half of its time; more threads only wait for each other
MOST_BODY = MOST_BYTES + 1  # what is larger is refused unread; up to here the doors say it in their own words
SMALL = 65_536  # bytes: scans and forms, which never stand back for large bodies
MOST_WAITING = 64_000_000  # bytes of large bodies on their way to this process at once
BODY_SECONDS = 20.0  # for a body to arrive,
BYTES_A_SECOND = 20_000  # and a second more for so many bytes: bad Wi-Fi
TICK_SECONDS = 1.0
LOOP_PATIENCE_S, THREAD_PATIENCE_S = 4.0, 5.0
Headers = list[tuple[str, str]]


class Scope(Protocol):
    """What RSGI says of a request."""

    method: str
    path: str
    query_string: str
    scheme: str
    server: str
    client: str
    http_version: str

    @property
    def headers(self) -> Any:
        """A mapping of lower-case names; `items` has each value, also of a name that comes twice."""


class Body(Protocol):
    """A part of a body that is awaited; `cancel` wakes whoever awaits it."""

    def __await__(self) -> Generator[Any, Any, Any]: ...
    def cancel(self) -> bool: ...


class Transport(Protocol):
    """RSGI's way to the client."""

    def __call__(self) -> Body: ...
    def __aiter__(self) -> Any: ...
    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...


class _Unread(Exception):
    """A body that is not taken: the refusal for it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem


Job = tuple[Scope, Transport, bytes, "asyncio.Future[None]"]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Intake:
    """The RSGI application: `application` is the WSGI application behind, `doors` the scan doors by path."""

    def __init__(
        self,
        application: Application,
        doors: dict[str, Door],
        *,
        threads: int = THREADS,
        body_seconds: float = BODY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._application = application
        self._doors = doors
        self._body_seconds = body_seconds
        self._clock = clock
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._answered: deque[asyncio.Future[None]] = deque()
        self._waiting: dict[Body, float] = {}  # until when
        self._large = 0  # bytes announced by large bodies on their way
        self._busy_since: list[float] = [0.0] * threads  # monotonic; 0: idle
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticked_at = clock()
        self._threads = [
            threading.Thread(target=self._work, args=(number,), name=f"answer-{number}", daemon=True)
            for number in range(threads)
        ]

    # -- the event loop ------------------------------------------------------------------------------
    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called by the server in the process that is to serve."""
        self._loop = loop
        for thread in self._threads:
            thread.start()
        loop.call_soon(self._tick)

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        """Called by the server at its end; what is being answered is answered first."""
        for _ in self._threads:
            self._jobs.put(None)

    async def __rsgi__(self, scope: Scope, transport: Transport) -> None:
        """One request: its body, then a thread for it."""
        self._finish()
        try:
            body = await self._whole(scope, transport)
        except _Unread as refusal:
            refuse(scope, transport, refusal.problem)
            return
        assert self._loop is not None
        answered = self._loop.create_future()
        self._jobs.put((scope, transport, body, answered))
        await answered

    async def _whole(self, scope: Scope, transport: Transport) -> bytes:
        """The body. Raises _Unread for one that is too large, comes too slowly or is cut off."""
        announced = scope.headers.get("content-length")
        if announced is None:
            return await self._chunks(transport) if "transfer-encoding" in scope.headers else b""
        if not announced.isascii() or not announced.isdigit() or len(announced) > 18:
            raise _Unread(Problem(400, "malformed", "Content-Length is no number of bytes."))
        length = int(announced)
        if not length:
            return b""
        if length > MOST_BODY:
            raise _Unread(_too_large())
        with self._room_for(length):
            return await self._part(transport(), self._clock() + self._seconds_for(length))

    async def _chunks(self, transport: Transport) -> bytes:
        """A body without an announced length; the doors decide whether they take one."""
        parts = transport.__aiter__()
        until = self._clock() + self._seconds_for(0)
        whole = bytearray()
        with self._room_for(MOST_BODY):
            while True:
                try:
                    part = await self._part(parts.__anext__(), until)
                except StopAsyncIteration:
                    return bytes(whole)
                if not part:
                    return bytes(whole)
                whole += part
                if len(whole) > MOST_BODY:
                    raise _Unread(_too_large())

    async def _part(self, body: Body, until: float) -> bytes:
        """What is awaited, if it comes before the monotonic instant `until`."""
        self._waiting[body] = until
        try:
            part: bytes = await body
        except asyncio.CancelledError:
            raise _Unread(
                Problem(408, "body_too_slow", "The body did not arrive in time. Send the request again.")
            ) from None
        except StopAsyncIteration:
            raise
        except Exception:
            raise _Unread(
                Problem(400, "body_cut_off", "The body ended before its length. Send the request again.")
            ) from None
        finally:
            del self._waiting[body]
        return part

    def _seconds_for(self, length: int) -> float:
        return self._body_seconds + length / BYTES_A_SECOND

    @contextmanager
    def _room_for(self, length: int) -> Iterator[None]:
        """Memory for a large body. Raises _Unread if others on their way have taken it all."""
        if length <= SMALL:
            yield
            return
        if self._large + length > MOST_WAITING:
            raise _Unread(
                Problem(503, "too_many_bodies", "Many large bodies are on their way. Send it again later.")
            )
        self._large += length
        try:
            yield
        finally:
            self._large -= length

    def _tick(self) -> None:
        assert self._loop is not None
        self._ticked_at = self._clock()
        self._finish()
        self.end_the_late()
        self._loop.call_later(TICK_SECONDS, self._tick)

    def end_the_late(self) -> None:
        """Bodies whose time is over are waited for no more."""
        now = self._clock()
        for body in [body for body, until in self._waiting.items() if until <= now]:
            body.cancel()

    def _finish(self) -> None:
        """Ends the coroutines of requests that the threads have answered. Waking the loop for each answer would cost
        a scan more than it is worth: the next request does it, or the next tick."""
        while self._answered:
            answered = self._answered.popleft()
            if not answered.done():
                answered.set_result(None)

    # -- the threads ---------------------------------------------------------------------------------
    def takes_requests(self) -> bool:
        """Whether a request that came now would soon be answered: the loop turns, and a thread is free or was
        lately. The sign of life of a web process."""
        now, since = self._clock(), list(self._busy_since)
        return now - self._ticked_at < LOOP_PATIENCE_S and (
            not all(since) or now - max(since) < THREAD_PATIENCE_S
        )

    def _work(self, number: int) -> None:
        while (job := self._jobs.get()) is not None:
            self._busy_since[number] = self._clock()
            scope, transport, body, answered = job
            try:
                self._answer(scope, transport, body)
            except Exception:
                logger.exception("A request could not be answered.")
                with suppress(Exception):
                    transport.response_bytes(500, [], b"")
            finally:
                self._busy_since[number] = 0.0
                self._answered.append(answered)

    def _answer(self, scope: Scope, transport: Transport, body: bytes) -> None:
        door = self._doors.get(scope.path)
        if door is not None:
            reply = reply_of(door, _call(scope, body))
            transport.response_bytes(reply.status, [*reply.headers.items(), *SAFE], reply.body)
            return
        start = _Start()
        chunks = self._application(environ_of(scope, body), start)
        try:
            whole = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        transport.response_bytes(start.status, start.headers, whole)


class _Start:
    """WSGI's start_response."""

    __slots__ = ("headers", "status")

    def __call__(self, status: str, headers: Headers, _error: Any = None) -> None:
        self.status = int(status[:3])
        self.headers = headers


def refuse(scope: Scope, transport: Transport, problem: Problem) -> None:
    """Says no before a thread was taken. The rest of the body is not read, so the connection ends."""
    close = ("Connection", "close")
    if scope.path.startswith(API):
        said = problem.response()
        transport.response_bytes(said.status_code, [*said.items(), *SAFE, close], said.content)
        return
    head = [("Content-Type", "text/plain; charset=utf-8"), *problem.headers().items(), *SAFE, close]
    transport.response_bytes(problem.status, head, f"{problem}\n".encode())


def _too_large() -> Problem:
    return Problem(
        413, "body_too_large", f"The body is larger than {MOST_BODY - 1} bytes. Send less at once."
    )


def _call(scope: Scope, body: bytes) -> Call:
    get = scope.headers.get
    return Call(
        scope.method,
        get("authorization", ""),
        get("content-length", ""),
        lambda most: body[:most],
        get("idempotency-key"),
    )


_BASE: Environ = {
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "granian",
    "wsgi.errors": sys.stderr,
    "wsgi.version": (1, 0),
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
}


def environ_of(scope: Scope, body: bytes) -> Environ:
    """The request in WSGI's shape."""
    server, _, port = scope.server.rpartition(":")
    environ: Environ = {
        **_BASE,
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
    }
    for name, value in _headers(scope):
        if name in ("content-type", "content-length"):
            environ[name.upper().replace("-", "_")] = value
            continue
        key = "HTTP_" + name.upper().replace("-", "_")
        # A name with an underscore would pass for the one with a hyphen, which a proxy may have checked.
        if "_" not in name:
            joint = ";" if name == "cookie" else ","
            environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value
    return environ


def _headers(scope: Scope) -> Sequence[tuple[str, str]]:
    found: Sequence[tuple[str, str]] = scope.headers.items()
    return found
