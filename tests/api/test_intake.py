"""Requests are taken whole before a thread is taken (fault S3): at a stand-in for the server, and at the real one."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from jitapp.api import intake
from jitapp.api.intake import Intake, environ_of
from tests.shop import Shop

SECONDS = 20.0


class Headers:
    """As granian hands them over: several values may have one name."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self._pairs = list(pairs)

    def get(self, name: str, default: Any = None) -> Any:
        return dict(self._pairs).get(name, default)

    def items(self) -> list[tuple[str, str]]:
        return self._pairs

    def __contains__(self, name: str) -> bool:
        return name in dict(self._pairs)


class Scope:
    """A request's head."""

    query_string, scheme, http_version = "", "http", "1.1"
    server, client = "127.0.0.1:8000", "[::1]:40123"

    def __init__(self, *headers: tuple[str, str], path: str = "/api/v1/parts/X", method: str = "PUT") -> None:
        self.path, self.method, self.headers = path, method, Headers(*headers)


class Transport:
    """The way to a client that sends when the test says so."""

    def __init__(self, *, parts: Iterable[bytes] = ()) -> None:
        self.body: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.answered = asyncio.Event()
        self.answer: tuple[int, dict[str, str], bytes] | None = None
        self._parts = parts
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> asyncio.Future[bytes]:
        return self.body

    def __aiter__(self) -> Any:
        return _Parts(iter(self._parts))

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answer = (status, dict(headers), body)
        self._loop.call_soon_threadsafe(self.answered.set)


class _Parts:
    def __init__(self, parts: Any) -> None:
        self._parts = parts

    def __anext__(self) -> asyncio.Future[bytes]:
        part: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        part.set_result(next(self._parts, b""))
        return part


class Clock:
    """Seconds that pass when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def echo(sent: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """A WSGI application that sends the body back, in pieces."""
    start("200 OK", [("X-Path", sent["PATH_INFO"])])
    return iter((b"<", sent["wsgi.input"].read(), b">"))


def run(scene: Callable[[Intake, Clock], Any]) -> None:
    """The scene on a loop of its own."""

    async def play() -> None:
        clock = Clock()
        front = Intake(echo, {}, body_seconds=SECONDS, clock=clock)
        front.__rsgi_init__(asyncio.get_running_loop())
        await asyncio.wait_for(scene(front, clock), 30)
        front.__rsgi_del__(asyncio.get_running_loop())

    asyncio.run(play())


async def begin(front: Intake, scope: Scope, transport: Transport) -> asyncio.Task[None]:
    """The request is under way, as far as it comes without its body."""
    task = asyncio.get_running_loop().create_task(front.__rsgi__(scope, transport))
    await asyncio.sleep(0)
    return task


def test_s03_bodies_that_do_not_come_take_no_thread_and_end_with_408() -> None:
    async def scene(front: Intake, clock: Clock) -> None:
        idle = [Transport() for _ in range(8)]
        tasks = [await begin(front, Scope(("content-length", "100")), each) for each in idle]
        one = Transport()
        one.body.set_result(b"{}")
        tasks.append(await begin(front, Scope(("content-length", "2")), one))
        await one.answered.wait()
        assert one.answer == (200, {"X-Path": "/api/v1/parts/X"}, b"<{}>")
        assert not any(each.answer for each in idle)

        clock.now += SECONDS - 1
        front.end_the_late()
        await asyncio.sleep(0)
        assert not any(each.answer for each in idle)
        clock.now += 2
        front.end_the_late()
        for each in idle:
            await each.answered.wait()
            assert each.answer is not None
            status, headers, body = each.answer
            assert (status, headers["Content-Type"], headers["Connection"]) == (
                408,
                "application/problem+json",
                "close",
            )
            assert json.loads(body)["code"] == "body_too_slow"
        front._finish()
        await asyncio.gather(*tasks)

    run(scene)


def test_s03_a_slow_upload_has_time_by_its_length() -> None:
    async def scene(front: Intake, clock: Clock) -> None:
        large = Transport()
        await begin(front, Scope(("content-length", "1000000")), large)
        clock.now += SECONDS + 1_000_000 / intake.BYTES_A_SECOND - 1
        front.end_the_late()
        large.body.set_result(b"x" * 1_000_000)
        await large.answered.wait()
        assert large.answer is not None
        assert large.answer[0] == 200

    run(scene)


def test_s03_what_is_too_large_is_refused_unread() -> None:
    async def scene(front: Intake, _clock: Clock) -> None:
        page = Transport()
        await begin(front, Scope(("content-length", str(intake.MOST_BODY + 1)), path="/login/"), page)
        assert page.answer is not None
        assert (page.answer[0], page.answer[1]["Content-Type"]) == (413, "text/plain; charset=utf-8")
        chunks = Transport(parts=[b"x" * 4_000_000] * 2)
        await begin(front, Scope(("transfer-encoding", "chunked")), chunks)
        await chunks.answered.wait()
        assert chunks.answer is not None
        assert json.loads(chunks.answer[2])["code"] == "body_too_large"
        nonsense = Transport()
        await begin(front, Scope(("content-length", "-1")), nonsense)
        assert nonsense.answer is not None
        assert nonsense.answer[0] == 400

    run(scene)


def test_s03_large_bodies_on_their_way_leave_room_for_scans() -> None:
    async def scene(front: Intake, clock: Clock) -> None:
        for _ in range(intake.MOST_WAITING // intake.MOST_BODY):
            await begin(front, Scope(("content-length", str(intake.MOST_BODY))), Transport())
        more = Transport()
        await begin(front, Scope(("content-length", str(intake.MOST_BODY))), more)
        assert more.answer is not None
        assert (more.answer[0], more.answer[1]["Retry-After"]) == (503, "2")
        scan = Transport()
        scan.body.set_result(b"scan")
        await begin(front, Scope(("content-length", "4")), scan)
        await scan.answered.wait()
        assert scan.answer is not None
        assert scan.answer[0] == 200
        clock.now += 1000  # the room is given back
        front.end_the_late()
        await asyncio.sleep(0.01)
        again = Transport()
        again.body.set_result(b"large")
        await begin(front, Scope(("content-length", str(intake.MOST_BODY))), again)
        await again.answered.wait()
        assert again.answer is not None
        assert again.answer[0] == 200

    run(scene)


def test_a_body_that_is_cut_off_is_refused() -> None:
    async def scene(front: Intake, _clock: Clock) -> None:
        cut = Transport()
        task = await begin(front, Scope(("content-length", "100")), cut)
        cut.body.set_exception(RuntimeError("the client went"))
        await task
        assert cut.answer is not None
        assert json.loads(cut.answer[2])["code"] == "body_cut_off"

    run(scene)


def test_the_head_in_the_shape_of_wsgi() -> None:
    scope = Scope(
        ("content-type", "application/json"),
        ("content-length", "2"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-for", "10.0.0.2"),
        ("x_forwarded_for", "10.9.9.9"),
        path="/l/Käfig",
    )
    said = environ_of(scope, b"{}")
    assert said["CONTENT_TYPE"] == "application/json"
    assert said["HTTP_COOKIE"] == "a=1;b=2"
    assert said["HTTP_X_FORWARDED_FOR"] == "10.0.0.1,10.0.0.2"
    assert said["REMOTE_ADDR"] == "::1"
    assert said["PATH_INFO"].encode("latin-1").decode() == "/l/Käfig"
    assert isinstance(said["wsgi.input"], io.BytesIO)


# -- at the real server ----------------------------------------------------------------------------


@pytest.fixture
def lines(running_shop: Shop) -> Any:
    """Opens connections to the shop's web server, and closes them."""
    place = urlsplit(running_shop.url)
    opened: list[socket.socket] = []

    def line(head: str, *, receive: int | None = None) -> socket.socket:
        one = socket.socket()
        if receive:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        one.settimeout(60)
        one.connect((place.hostname, place.port))
        opened.append(one)
        one.sendall(head.replace("\n", "\r\n").encode())
        return one

    yield line
    for each in opened:
        each.close()


SCAN = "POST /api/v1/scans HTTP/1.1\nHost: 127.0.0.1\nAuthorization: Bearer nobody\nContent-Length: {}\n\n{}"


def scan_is_answered(line: Callable[..., socket.socket]) -> bool:
    """Whether the door answers (nobody knows the token), within the socket's minute."""
    body = json.dumps({"id": str(uuid4()), "code": "X"})
    return line(SCAN.format(len(body), body)).recv(4096).startswith(b"HTTP/1.1 401")


def test_s03_idle_and_slow_bodies_stop_no_scan(lines: Callable[..., socket.socket]) -> None:
    # With the cookie of a form, so that the page would read the body.
    head = f"Host: 127.0.0.1\nCookie: csrftoken={'a' * 32}\nContent-Type: application/x-www-form-urlencoded\n"
    idle = lines(f"POST /login/ HTTP/1.1\n{head}Content-Length: 100\n\n")
    for path in ("/login/", "/admin/login/", "/api/v1/scans", "/api/v1/parts/X"):
        for _ in range(2):
            lines(f"POST {path} HTTP/1.1\n{head}Content-Length: 100\n\n")
            lines(f"POST {path} HTTP/1.1\n{head}Transfer-Encoding: chunked\n\n")
            lines(f"POST {path} HTTP/1.1\n{head}Content-Length: 90000\n\nbegin=")
    assert scan_is_answered(lines)
    idle.setblocking(False)
    with pytest.raises(BlockingIOError):  # the scan was answered while this one still waited
        idle.recv(1)


def test_s03_who_does_not_fetch_his_answer_stops_no_scan(lines: Callable[..., socket.socket]) -> None:
    for _ in range(8):
        lines("GET /api/v1/openapi.json HTTP/1.1\nHost: 127.0.0.1\n\n" * 20, receive=2048)
    assert scan_is_answered(lines)


def test_s03_a_body_that_is_too_large_is_refused_before_it_comes(
    lines: Callable[..., socket.socket],
) -> None:
    line = lines("PUT /api/v1/parts/X HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 6000000\n\n")
    answer = line.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in answer
