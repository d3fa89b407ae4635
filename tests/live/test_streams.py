"""The event streams, with a real server, a real Redis and real connections."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import redis
from django.conf import settings
from django.core import signing

from jitapp.live import client, stream
from jitapp.live.client import Client
from jitapp.live.push import Publisher, board_channel, row_message, rows_changed
from jitapp.live.replies import Message
from jitapp.live.stream import Hub, LiveApp
from jitapp.live.ticket import SALT, BadTicket, channel_of, make_ticket, open_ticket
from jitapp.pulse import beats
from jitapp.workshop import processes
from jitapp.workshop.embedded import Valkey, free_port
from tests.live.served import Served, events, served, until, wait_until

CHANNEL = channel_of("SMT", "en")
TIMEOUT = httpx.Timeout(5, read=15)


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.2)
    with served(settings.REDIS_URL, ("https://boards.example",)) as running:
        wait_until(lambda: not running.hub.degraded)
        yield running


def url_of(live: Served, channel: str = CHANNEL, last: str = "") -> str:
    return f"{live.url}/live/board?ticket={make_ticket(channel)}&last={last}"


def test_a_change_reaches_every_browser_of_its_board_as_the_same_bytes_and_no_other_board(
    live: Served,
) -> None:
    other = channel_of("OTHER", "en")
    with (
        httpx.stream("GET", url_of(live), timeout=TIMEOUT) as one,
        httpx.stream("GET", url_of(live), timeout=TIMEOUT) as two,
        httpx.stream("GET", url_of(live, other), timeout=TIMEOUT) as elsewhere,
    ):
        first, second, third = events(one), events(two), events(elsewhere)
        for reader in (first, second, third):
            assert until(reader, "hello").data["resync"] is True
        rows_changed([(CHANNEL, 7, 3, "<tr>ä\n</tr>".encode()), (other, 8, 1, b"<tr>other</tr>")])
        told = until(first, "row")
        assert told.data == {"channel": CHANNEL, "loop": 7, "version": 3, "html": "<tr>ä\n</tr>"}
        assert until(second, "row").raw == told.raw
        assert until(third, "row").data["loop"] == 8


def test_another_database_of_the_same_redis_is_another_installation(live: Served) -> None:
    """The channels of a Redis server know no databases: boards heard of the rows of a neighbour."""
    parts = urlsplit(settings.REDIS_URL)
    number = int(parts.path.strip("/") or 0)
    neighbour = parts._replace(path=f"/{(number + 32) % 64}").geturl()  # that of no process of the suite
    with httpx.stream("GET", url_of(live), timeout=TIMEOUT) as stream:
        reader = events(stream)
        until(reader, "hello")
        assert Publisher(neighbour).publish([(board_channel(CHANNEL, neighbour), row_message(9, 1, b"<tr>"))])
        rows_changed([(CHANNEL, 7, 3, b"<tr>ours</tr>")])
        assert until(reader, "row").data["loop"] == 7


def test_a_stream_is_never_buffered_compressed_or_cached(live: Served) -> None:
    with httpx.stream("GET", url_of(live), headers={"Accept-Encoding": "gzip"}, timeout=TIMEOUT) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-accel-buffering"] == "no"
        assert response.headers["content-encoding"] == "identity"
        assert "no-transform" in response.headers["cache-control"]


@pytest.mark.parametrize(
    "ticket",
    ["", "rubbish", "a:b:c", signing.TimestampSigner(salt="another").sign_object(CHANNEL)],
    ids=["none", "rubbish", "unsigned", "signed for something else"],
)
def test_a_wrong_ticket_is_refused_and_never_redirected(live: Served, ticket: str) -> None:
    answer = httpx.get(f"{live.url}/live/board", params={"ticket": ticket})
    assert answer.status_code == 403
    assert "Load the page again" in answer.text


def test_an_old_ticket_is_refused(live: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: 1_000_000_000.0)
        ticket = signing.TimestampSigner(salt=SALT).sign_object(CHANNEL)
    assert httpx.get(f"{live.url}/live/board", params={"ticket": ticket}).status_code == 403


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://127.0.0.1:8000", True),
        ("https://boards.example", True),
        ("https://evil.example", False),
        ("null", False),
    ],
)
def test_only_our_own_pages_may_read_a_stream(live: Served, origin: str, allowed: bool) -> None:
    with httpx.stream("GET", url_of(live), headers={"Origin": origin}, timeout=TIMEOUT) as response:
        assert (response.headers.get("access-control-allow-origin") == origin) is allowed


def test_heartbeats_tell_the_servers_clock(live: Served) -> None:
    with httpx.stream("GET", url_of(live), timeout=TIMEOUT) as response:
        beat = until(events(response), "hb")
    assert abs(beat.data["now"] / 1000 - time.time()) < 2
    assert beat.data["degraded"] is False


def test_whoever_comes_back_gets_what_was_missed_and_no_more(live: Served) -> None:
    with httpx.stream("GET", url_of(live), timeout=TIMEOUT) as response:
        reader = events(response)
        until(reader, "hello")
        rows_changed([(CHANNEL, 1, 1, b"<tr>1</tr>")])
        last = until(reader, "row").number
    rows_changed([(CHANNEL, 2, 5, b"<tr>2</tr>")])
    wait_until(lambda: len(live.hub._rings[CHANNEL]) == 2)
    with httpx.stream("GET", url_of(live, last=last), timeout=TIMEOUT) as response:
        reader = events(response)
        missed = next(reader)
        assert (missed.event, missed.data["loop"]) == ("row", 2)
        assert until(reader, "hello").data["resync"] is False
    with httpx.stream("GET", url_of(live, last="another.1"), timeout=TIMEOUT) as response:
        assert until(events(response), "hello").data["resync"] is True


def test_one_stream_carries_several_channels_and_each_event_names_its_own(live: Served) -> None:
    other, third = channel_of("PACK", "de"), channel_of("THIRD", "en")
    url = f"{live.url}/live/board?ticket={make_ticket([CHANNEL, other])}&last="
    with httpx.stream("GET", url, timeout=TIMEOUT) as response:
        reader = events(response)
        until(reader, "hello")
        assert live.hub.clients == 1
        rows_changed([(third, 1, 1, b"<tr>"), (CHANNEL, 2, 1, b"<tr>"), (other, 3, 1, b"<tr>")])
        told = [until(reader, "row"), until(reader, "row")]
        assert [(one.data["channel"], one.data["loop"]) for one in told] == [(CHANNEL, 2), (other, 3)]
    rows_changed([(other, 4, 1, b"<tr>"), (CHANNEL, 5, 1, b"<tr>"), (third, 6, 1, b"<tr>")])
    wait_until(lambda: len(live.hub._rings.get(third, ())) == 2)
    with httpx.stream("GET", f"{url}{told[-1].number}", timeout=TIMEOUT) as response:
        reader = events(response)
        missed = [next(reader), next(reader), next(reader)]
        assert [one.data.get("loop") for one in missed] == [4, 5, None]
        assert missed[-1].data["resync"] is False
    wait_until(lambda: live.hub.clients == 0)


def test_a_heartbeat_names_the_newest_event_of_each_channel_and_of_no_other(live: Served) -> None:
    other = channel_of("PACK", "en")
    url = f"{live.url}/live/board?ticket={make_ticket([CHANNEL, other])}"
    with httpx.stream("GET", url, timeout=TIMEOUT) as response:
        reader = events(response)
        assert set(until(reader, "hello").data["newest"]) == {CHANNEL, other}
        rows_changed([(CHANNEL, 1, 1, b"<tr>"), (channel_of("THIRD", "en"), 1, 1, b"<tr>")])
        row = until(reader, "row")
        newest = until(reader, "hb").data["newest"]
        assert newest[CHANNEL] == row.number
        assert set(newest) == {CHANNEL, other}
        assert newest[other].endswith(".0")


def test_a_heartbeat_tells_the_era_that_a_web_process_has_told(live: Served) -> None:
    store = beats.connection()
    with httpx.stream("GET", url_of(live), timeout=TIMEOUT) as response:
        reader = events(response)
        beats.tell(store, {"era": 1_790_000_000, "given_up": 2})
        while (told := until(reader, "hb").data)["era"] != 1_790_000_000:
            pass
        assert told["stands"] == {"given_up": 2}
    store.delete(beats.STANDS)


@pytest.mark.parametrize("named", [[], [1], [["a", 2]]], ids=["none", "a number", "nested"])
def test_a_ticket_that_names_no_channel_is_refused(named: list[object]) -> None:
    made = signing.TimestampSigner(salt=SALT).sign_object([named, ""])
    with pytest.raises(BadTicket):
        open_ticket(made)


def test_a_browser_that_goes_is_forgotten(live: Served) -> None:
    with httpx.stream("GET", url_of(live), timeout=TIMEOUT):
        wait_until(lambda: live.hub.clients == 1)
    wait_until(lambda: live.hub.clients == 0)


def test_a_client_that_cannot_keep_up_is_told_to_read_everything_again() -> None:
    async def story() -> None:
        slow = Client([CHANNEL])
        for number in range(client.QUEUE_LENGTH + 1):
            slow.put(b"%d\n\n" % number)
        assert await slow.take() == client.RESYNC
        assert slow.overflows == 1

    asyncio.run(story())


def test_what_was_missed_comes_first_though_rows_and_heartbeats_come_in_while_the_browser_connects() -> None:
    async def story() -> list[bytes]:
        app = LiveApp(settings.REDIS_URL)
        app.hub = hub = Hub(settings.REDIS_URL)
        hub.degraded = False
        hub.publish(CHANNEL, row_message(1, 1, b"1"))
        last = f"{hub._boot}.1"
        hub.publish(CHANNEL, row_message(2, 2, b"2"))
        sent: list[bytes] = []

        async def send(message: Message) -> None:
            if (
                message["type"] == "http.response.start"
            ):  # a slow browser: much happens before it has the headers
                hub.beat()
                hub.publish(CHANNEL, row_message(3, 3, b"3"))
            sent.append(message.get("body", b""))
            if b"hb" in sent[-1]:
                hub.end_streams()

        async def receive() -> Message:
            return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

        query = f"ticket={make_ticket(CHANNEL)}&last={last}".encode()
        scope = {"type": "http", "path": "/live/board", "method": "GET", "query_string": query, "headers": []}
        await app(scope, receive, send)
        return sent

    events_of = re.findall(
        rb"event: (\w+)\ndata: (?:\{\"channel\":\"[^\"]+\",\"loop\":(\d))?", b"".join(asyncio.run(story()))
    )
    assert events_of == [(b"row", b"2"), (b"hello", b""), (b"hb", b""), (b"row", b"3")]


def test_what_fell_out_of_the_ring_makes_the_returning_browser_read_everything() -> None:
    async def story() -> None:
        hub = Hub(settings.REDIS_URL)
        hub.degraded = False
        hub.publish(CHANNEL, row_message(1, 1, b"x"))
        first = f"{hub._boot}.1"
        assert hub._missed([CHANNEL], first) == []
        for version in range(stream.RING_LENGTH + 2):
            hub.publish(CHANNEL, row_message(1, version, b"x"))
        assert hub._missed([CHANNEL], first) is None

    asyncio.run(story())


def test_without_redis_the_streams_stand_say_so_and_heal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.2)
    valkey = Valkey(tmp_path, port=free_port(), durable=False)
    valkey.prepare(lambda _text: None)
    with served(valkey.url) as live, httpx.stream("GET", url_of(live), timeout=TIMEOUT) as response:
        reader = events(response)
        assert until(reader, "hello").data["degraded"] is True
        process = processes.start(valkey.command(), output=subprocess.DEVNULL)
        try:
            until(reader, "resync")
            assert until(reader, "hb").data["degraded"] is False
            assert Publisher(valkey.url).publish(
                [(board_channel(CHANNEL, valkey.url), row_message(1, 1, b"x"))]
            )
            assert until(reader, "row").data["loop"] == 1
        finally:
            process.kill()
            process.wait()
        wait_until(lambda: live.hub.degraded)
        while not until(reader, "hb").data["degraded"]:
            pass


def test_a_worker_is_not_held_up_by_a_dead_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    publisher = Publisher(f"redis://127.0.0.1:{free_port()}/0", clock=lambda: clock[0])
    tried: list[float] = []
    connected = publisher._connected

    def counted() -> redis.Redis:
        tried.append(clock[0])
        return connected()

    monkeypatch.setattr(publisher, "_connected", counted)
    assert publisher.publish([("x", b"x")]) is False
    assert publisher.resting
    for _ in range(1000):
        assert publisher.publish([("x", b"x")]) is False
    assert tried == [0.0]  # while it rests, nothing is tried
    clock[0] = 1.1
    assert publisher.publish([("x", b"x")]) is False
    assert tried == [0.0, 1.1]


def test_streams_end_at_the_first_stop_signal_and_in_order() -> None:
    port = free_port()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "uvicorn",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "jitapp.asgi:application",
        ],
        env={**os.environ, "SECRET_KEY": settings.SECRET_KEY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: process.poll() is not None or _alive(port), 60)
        url = f"http://127.0.0.1:{port}/live/board?ticket={make_ticket(CHANNEL)}"
        with httpx.stream("GET", url, timeout=TIMEOUT) as response:
            reader = events(response)
            until(reader, "hello")
            process.send_signal(signal.SIGTERM)
            assert [told.event for told in reader if told.event not in ("hb", "resync")] == []
        # Without the end at the signal, the server would wait for the open stream until it is half an hour old.
        assert process.wait(timeout=60) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()


def _alive(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.HTTPError:
        return False
