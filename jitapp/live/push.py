"""Tells every open board that a row has changed. A hint only: boards heal by a plain GET if it is lost.

Never raises, and delays a caller by half a second at most; after a failure nothing is sent for a while, so that a
worker with a broken Redis goes on at full speed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from threading import Lock

import redis
from django.conf import settings

from jitapp.live.ticket import TICKET_SECONDS
from jitapp.outages.outage import Outage

ENDED = "jitapp:ended"  # the channel of sessions that ended, and the beginning of a key for each
SOCKET_SECONDS = 0.5
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0


def redis_channel(name: str, url: str) -> str:
    """The channel of that name in the Redis database of the URL: the channels of a server know no databases, so that
    two installations on one server would hear each other."""
    return f"{_database_of(url)}:{name}"


@lru_cache(maxsize=8)
def _database_of(url: str) -> int:
    number: int = redis.connection.parse_url(url).get("db", 0)  # type: ignore[no-untyped-call]
    return number


def board_channel(board: str, url: str) -> str:
    """The channel of a board's rows; without a name the beginning of all of them."""
    return redis_channel(f"jitapp:board:{board}", url)


def row_changed(channel: str, loop_id: int, version: int, html: bytes) -> None:
    """Sends one row; see `rows_changed`."""
    rows_changed([(channel, loop_id, version, html)])


def rows_changed(rows: Iterable[tuple[str, int, int, bytes]]) -> None:
    """Sends rows (channel, loop id, version, HTML) in one round trip; loses them silently while Redis is away."""
    frames = [
        (board_channel(channel, settings.REDIS_URL), row_message(loop_id, version, html))
        for channel, loop_id, version, html in rows
    ]
    if frames:
        _publisher.publish(frames)


def messages_sent(messages: Iterable[tuple[str, bytes]]) -> None:
    """Sends messages that are no rows (channel, one line of JSON); loses them silently while Redis is away."""
    frames = [(board_channel(channel, settings.REDIS_URL), message) for channel, message in messages]
    if frames:
        _publisher.publish(frames)


def session_ended(mark: str) -> None:
    """The streams of a session end, and its tickets open nothing any more. Lost while Redis is away: no stream tells
    anything then, all begin anew when it is back, and a ticket lasts ten minutes."""
    if mark:
        ended = redis_channel(ENDED, settings.REDIS_URL)
        _publisher.publish([(ended, mark.encode())], kept={f"{ENDED}:{mark}": TICKET_SECONDS})


def row_message(loop_id: int, version: int, html: bytes) -> bytes:
    """The message as one line of JSON: a line break would end an event."""
    message = {"loop": loop_id, "version": version, "html": html.decode("utf-8")}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def redis_answers() -> bool:
    """Whether Redis can be reached now; for health pages."""
    return _publisher.answers()


class Publisher:
    """One connection and its circuit breaker; `clock` gives monotonic seconds."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._client: redis.Redis | None = None
        self._closed_until = 0.0
        self._pause = FIRST_PAUSE_SECONDS
        self._lock = Lock()
        self._outage = Outage(
            "Redis takes no changes for the boards, which poll", "Redis takes changes for the boards again"
        )

    @property
    def resting(self) -> bool:
        """Whether the breaker is open: nothing is sent for the moment."""
        return self._clock() < self._closed_until

    def publish(self, frames: list[tuple[str, bytes]], kept: Mapping[str, int] | None = None) -> bool:
        """Sends the frames, and sets keys that vanish after so many seconds; whether Redis has taken them all."""
        if self.resting:
            return False
        try:
            pipeline = self._connected().pipeline(transaction=False)
            for name, seconds in (kept or {}).items():
                pipeline.set(name, b"1", ex=seconds)
            for channel, frame in frames:
                pipeline.publish(channel, frame)
            pipeline.execute()
        except (redis.RedisError, OSError, ValueError) as error:
            with self._lock:
                self._closed_until = self._clock() + self._pause
                self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
            self._outage.failed(str(error), "tries failed")
            return False
        self._pause = FIRST_PAUSE_SECONDS
        self._outage.answered()
        return True

    def answers(self) -> bool:
        """Whether Redis answers a ping, whatever the breaker thinks."""
        try:
            return bool(self._connected().ping())
        except (redis.RedisError, OSError, ValueError):
            return False

    def _connected(self) -> redis.Redis:
        with self._lock:
            if self._client is None:
                self._client = redis.Redis.from_url(
                    self._url,
                    socket_timeout=SOCKET_SECONDS,
                    socket_connect_timeout=SOCKET_SECONDS,
                    retry=None,
                    health_check_interval=0,
                )
            return self._client


_publisher = Publisher(settings.REDIS_URL)
