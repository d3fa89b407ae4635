"""The event streams of the boards: a raw ASGI application with one Redis reader for all its clients.

A change is turned into bytes once and the same bytes go to every client of its channel. No database, no session,
no template: the page has made a ticket, the ticket names the channels, one or several for one stream.

Events: `hello` (is a GET of all rows needed?), `row` (JSON: channel, loop, version, html), on the channel of a station
`answer` (JSON: panels.py), on that of a wall screen `wall`, `resync` (rows were lost: GET them), `hb` every five
seconds. `hello` and `hb` (JSON) tell the server's clock in ms, whether changes are received at all, what stands still,
the era of the database as far as a web process has told it, and the number of the newest event of each channel of this
client: whoever has missed one, or shows rows of a former era, asks once. The queue of a client that does not keep up is
replaced by one `resync`. Streams end by themselves after half an hour, and at once when the process is told to stop.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import signal
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from random import SystemRandom
from types import FrameType
from urllib.parse import parse_qs, urlsplit

import redis.asyncio
from redis.exceptions import RedisError

from jitapp.live.client import RESYNC, Client, frame, named
from jitapp.live.push import ENDED, board_channel, redis_channel
from jitapp.live.replies import Receive, Scope, Send, answer, body, header, stream_headers
from jitapp.live.stands import Stands
from jitapp.live.ticket import STATIONS, WALLS, BadTicket, open_ticket
from jitapp.outages.outage import Outage
from jitapp.pulse.beats import BEAT_SECONDS, Pulse, Work

PATH_END = "/live/board"
HEARTBEAT_SECONDS = 5.0
LIFE_SECONDS = (
    1_800.0,
    2_400.0,
)  # random between: after a restart not all browsers come back in the same second
RING_LENGTH = 500
SILENCE_SECONDS = 8.0  # without a reply to a ping for so long the connection counts as dead
LONGEST_BACKOFF_SECONDS = 5.0
ASK_SECONDS = 0.5
WORK_PATIENCE_S = 6.0  # the loop comes round every two seconds, a little later while Redis does not answer

log = logging.getLogger(__name__)
_chance = SystemRandom()  # spreads reconnects; no secret depends on it


class Hub:
    """The clients of this process, and the one reader that feeds them."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._clients: dict[str, set[Client]] = {}
        self._rings: dict[str, deque[tuple[int, bytes]]] = {}
        self._boot = secrets.token_hex(4)
        self._number = 0
        self._lost_before = 0  # messages up to this number may be missing for whoever was away
        self.degraded = True
        self.ending = asyncio.Event()
        self._asked = redis.asyncio.Redis.from_url(
            redis_url, socket_timeout=ASK_SECONDS, socket_connect_timeout=ASK_SECONDS
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._outage = Outage(
            "Changes cannot be received from Redis; boards poll instead",
            "Changes are received from Redis again",
        )
        self.stands = Stands(self._asked)
        self.work = Work(WORK_PATIENCE_S)

    @property
    def clients(self) -> int:
        """How many streams are open."""
        return len(self._everybody())

    def start(self) -> None:
        """Starts the reader and the heartbeat; needs a running loop."""
        ever = (self._read_for_ever, self._beat_for_ever, self._look_for_ever)
        self._tasks = [asyncio.create_task(each()) for each in ever]

    def end_streams(self) -> None:
        """Ends every stream at once, with a proper last chunk: the first thing to do when told to stop."""
        self.ending.set()

    async def stop(self) -> None:
        """Ends streams, reader and heartbeat."""
        self.end_streams()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(RedisError, OSError):
            await self._asked.aclose()

    async def has_ended(self, session: str) -> bool:
        """Whether a session is over; False while Redis cannot say so, and no changes come either."""
        if not session or self.degraded:
            return False
        try:
            return bool(await self._asked.exists(f"{ENDED}:{session}"))
        except (RedisError, OSError, TimeoutError):
            return False

    def end_session(self, session: str) -> None:
        """Ends the streams of a session."""
        for client in self._everybody():
            if client.session == session:
                client.ended.set()

    def _end_sessions(self) -> None:
        """After a while without Redis nobody knows which sessions ended meanwhile: the streams of all of them begin
        anew, with a ticket that a session must still be there for."""
        for client in self._everybody():
            if client.session:
                client.ended.set()

    def join(self, channels: Iterable[str], last: str = "", session: str = "") -> Client:
        """A new client of the channels. Its queue begins with what it has missed since the event `last`, then `hello`.

        Nothing is awaited between: a heartbeat or a row that came in first would overtake what was missed.
        """
        client = Client(channels, session)
        missed = self._missed(client.channels, last)
        for one in missed or ():
            client.put(one)
        hello = {"resync": missed is None, **self._health(client.channels)}
        client.put(frame("hello", json.dumps(hello).encode(), f"{self._boot}.{self._number}"))
        for channel in client.channels:
            self._clients.setdefault(channel, set()).add(client)
        return client

    def leave(self, client: Client) -> None:
        """Removes a client, and the channels with their last client."""
        for channel in client.channels:
            group = self._clients.get(channel)
            if group is not None:
                group.discard(client)
                if not group:
                    del self._clients[channel]

    def publish(self, channel: str, data: bytes) -> None:
        """Puts a change into the ring, and the same bytes into the queue of every client of the channel."""
        self._number += 1
        event = "answer" if channel.startswith(STATIONS) else "wall" if channel.startswith(WALLS) else "row"
        made = frame(event, named(channel, data), f"{self._boot}.{self._number}")
        ring = self._rings.get(channel)
        if ring is None:
            ring = self._rings[channel] = deque(maxlen=RING_LENGTH)
        if len(ring) == RING_LENGTH:
            self._lost_before = max(self._lost_before, ring[0][0])
        ring.append((self._number, made))
        for client in self._clients.get(channel, ()):
            client.put(made)

    def _missed(self, channels: Iterable[str], last: str) -> list[bytes] | None:
        """The frames after `last`, in the order in which they came; None if some may be missing."""
        boot, _, text = last.partition(".")
        if boot != self._boot or not text.isdecimal() or self.degraded or int(text) < self._lost_before:
            return None
        after = int(text)
        found = [one for channel in channels for one in self._rings.get(channel, ()) if one[0] > after]
        return [made for _, made in sorted(found)]

    def _everybody(self) -> set[Client]:
        return {client for group in self._clients.values() for client in group}

    def _tell_everybody(self, made: bytes) -> None:
        for client in self._everybody():
            client.put(made)

    def beat(self) -> None:
        """One heartbeat to everybody; made once for all who follow the same channels."""
        made: dict[tuple[str, ...], bytes] = {}
        for client in self._everybody():
            told = made.get(client.channels)
            if told is None:
                told = frame("hb", json.dumps(self._health(client.channels)).encode())
                made[client.channels] = told
            client.put(told)

    def _health(self, channels: Iterable[str]) -> dict[str, object]:
        rings = {channel: self._rings.get(channel) for channel in channels}
        return {
            "now": _now_ms(),
            "degraded": self.degraded or self.stands.blind,
            "stands": self.stands.said,
            "era": self.stands.era,
            "newest": {
                channel: f"{self._boot}.{ring[-1][0] if ring else 0}" for channel, ring in rings.items()
            },
        }

    async def _beat_for_ever(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            self.beat()

    async def _look_for_ever(self) -> None:
        """What stands still is told at once, not with the next heartbeat."""
        while True:
            if await self.stands.look(time.monotonic()):
                self.beat()
            self.work.done()
            await asyncio.sleep(BEAT_SECONDS)

    def _set_degraded(self, degraded: bool) -> None:
        if degraded == self.degraded:
            return
        self.degraded = degraded
        self._lost_before = self._number + 1
        if not degraded:
            self._number += 1
            self._tell_everybody(RESYNC)
        self.beat()

    async def _read_for_ever(self) -> None:
        backoff = 0.2
        while True:
            try:
                await self._read(redis.asyncio.Redis.from_url(self._redis_url, socket_connect_timeout=2.0))
            except (RedisError, OSError, TimeoutError) as error:
                if not self.degraded:  # it had listened
                    backoff = 0.2
                self._outage.failed(str(error), "tries to listen failed")
                self._set_degraded(True)
            await asyncio.sleep(backoff * _chance.uniform(0.7, 1.3))
            backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)

    async def _read(self, client: redis.asyncio.Redis) -> None:
        """Listens until the connection breaks or falls silent."""
        try:
            async with client.pubsub() as listener:
                boards = board_channel("", self._redis_url)
                await listener.subscribe(redis_channel(ENDED, self._redis_url))
                await listener.psubscribe(f"{boards}*")
                last_reply_at = time.monotonic()
                asked_at = last_reply_at
                while True:
                    message = await listener.get_message(timeout=1.0)
                    now = time.monotonic()
                    if message is not None:
                        last_reply_at = now
                        if message["type"] == "psubscribe":
                            log.info("Listening for changes.")
                            self._set_degraded(False)
                            self._end_sessions()
                        elif message["type"] == "message":
                            self.end_session(message["data"].decode())
                        elif message["type"] == "pmessage":
                            self.publish(message["channel"].decode()[len(boards) :], message["data"])
                    if not self.degraded:
                        self._outage.answered()
                    if now - last_reply_at > SILENCE_SECONDS:
                        raise TimeoutError("Redis does not answer.")
                    if now - asked_at > SILENCE_SECONDS / 3:
                        asked_at = now
                        await asyncio.wait_for(listener.ping(), timeout=2.0)
        finally:
            with suppress(RedisError, OSError):
                await client.aclose()


class LiveApp:
    """The ASGI application: lifespan, one path of streams, and a health check."""

    def __init__(self, redis_url: str, trusted_origins: tuple[str, ...] = (), *, alone: bool = True) -> None:
        """`alone`: without signs of life, which only the process of an installation gives."""
        self._redis_url = redis_url
        self._trusted_origins = trusted_origins
        self._alone = alone
        self._pulse: Pulse | None = None
        self.hub: Hub | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.hub = Hub(self._redis_url)
                self.hub.start()
                if not self._alone:
                    self._pulse = Pulse("live", self.hub.work.fresh)
                    self._pulse.start()
                _end_at_first_signal(self.hub)
                await send({"type": "lifespan.startup.complete"})
            else:
                if self._pulse is not None:
                    self._pulse.end()
                if self.hub is not None:
                    await self.hub.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        hub = self.hub
        path: str = scope["path"]
        if path == "/healthz":
            await answer(send, 200, "alive")
        elif not path.endswith(PATH_END):
            await answer(send, 404, "Only event streams are served here.")
        elif scope["method"] != "GET":
            await answer(send, 405, "A stream is read with GET.", more=((b"allow", b"GET"),))
        elif hub is None or hub.ending.is_set():
            said = "The streams are stopping; come back in a moment."
            await answer(send, 503, said, more=((b"retry-after", b"2"),))
        else:
            await self._stream(hub, scope, receive, send)

    async def _stream(self, hub: Hub, scope: Scope, receive: Receive, send: Send) -> None:
        origin = self._allowed_origin(scope)
        query = parse_qs(scope["query_string"].decode("ascii", "replace"))
        try:
            ticket = open_ticket(query.get("ticket", [""])[0])
            if await hub.has_ended(ticket.session):
                raise BadTicket("You are logged out. Log in again.")
        except BadTicket as refusal:
            # Never a redirect: a login page would be asked for again and again.
            await answer(send, 403, str(refusal), origin)
            return
        last = header(scope, b"last-event-id") or query.get("last", [""])[0]
        client = hub.join(ticket.channels, last, ticket.session)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": stream_headers(origin)})
            await send(body(f"retry: {_chance.randint(800, 1600)}\n\n".encode()))
            await _pump(hub, client, receive, send)
        finally:
            hub.leave(client)

    def _allowed_origin(self, scope: Scope) -> str:
        """The page's origin if it is one of ours: the same host on any port, or a trusted one."""
        origin = header(scope, b"origin")
        if not origin:
            return ""
        host = header(scope, b"host")
        if origin in self._trusted_origins or urlsplit(origin).hostname == urlsplit(f"//{host}").hostname:
            return origin
        return ""


async def _pump(hub: Hub, client: Client, receive: Receive, send: Send) -> None:
    """Frames to the client until it goes, its session ends, the stream is old, or the process stops."""
    gone = asyncio.create_task(_disconnected(receive))
    ending = asyncio.create_task(hub.ending.wait())
    old = asyncio.create_task(asyncio.sleep(_chance.uniform(*LIFE_SECONDS)))
    over = asyncio.create_task(client.ended.wait())
    frames = asyncio.create_task(client.take())
    try:
        while True:
            await asyncio.wait((gone, over, ending, old, frames), return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                return
            if over.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            if frames.done():
                await send(body(frames.result()))
                frames = asyncio.create_task(client.take())
            elif ending.done() or old.done():
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
    except OSError:
        return  # the client went while we wrote
    finally:
        for task in (gone, over, ending, old, frames):
            task.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _end_at_first_signal(hub: Hub) -> None:
    """The server waits for open streams before it tells us to stop; so streams end at the signal itself."""
    loop = asyncio.get_running_loop()

    def chained(number: signal.Signals) -> None:
        before = signal.getsignal(number)

        def handler(received: int, frame_: FrameType | None) -> None:
            loop.call_soon_threadsafe(hub.end_streams)
            if callable(before):
                before(received, frame_)

        signal.signal(number, handler)

    with suppress(ValueError):  # not in the main thread: a test
        chained(signal.SIGTERM)
        chained(signal.SIGINT)


def _now_ms() -> int:
    return int(time.time() * 1000)
