"""The demonstration's switches: stop the simulated operators, or take a station over by hand.

They live in Redis, where pages set them and the operators look before each round. Without Redis nothing can be
switched and the operators go on as they were.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import redis
from django.conf import settings

PAUSED = "jitapp:demo:paused"
TAKEN = "jitapp:demo:taken-until"  # stations by the second until which they are somebody's
TAKEN_SECONDS = 900  # whoever walks away without a word has left by then
SOCKET_SECONDS = 0.5
_T = TypeVar("_T")


class CannotSwitch(ConnectionError):
    """Redis cannot be reached; the text is one sentence for the person who pressed the button."""


@dataclass(frozen=True, slots=True)
class Switches:
    """`taken`: codes of the stations that people work by hand."""

    paused: bool = False
    taken: frozenset[str] = frozenset()


def switches() -> Switches:
    """The present state of the switches. Raises CannotSwitch."""

    def read(client: redis.Redis) -> Switches:
        pipeline = client.pipeline(transaction=False)
        pipeline.exists(PAUSED)
        pipeline.zrangebyscore(TAKEN, time.time(), "+inf")
        paused, taken = pipeline.execute()
        return Switches(bool(paused), frozenset(code.decode() for code in taken))

    return _ask(read)


def pause() -> None:
    """All simulated operators stop scanning. Raises CannotSwitch."""
    _ask(lambda client: client.set(PAUSED, "1"))


def resume() -> None:
    """They go on. Raises CannotSwitch."""
    _ask(lambda client: client.delete(PAUSED))


def take_over(station: str) -> None:
    """The simulated operators leave a station to people, for TAKEN_SECONDS from now. Raises CannotSwitch."""
    _ask(lambda client: client.zadd(TAKEN, {station: time.time() + TAKEN_SECONDS}))


def give_back(station: str) -> None:
    """They work the station again. Raises CannotSwitch."""
    _ask(lambda client: client.zrem(TAKEN, station))


def _ask(question: Callable[[redis.Redis], _T]) -> _T:
    try:
        return question(_client(settings.REDIS_URL))
    except (redis.RedisError, OSError) as error:
        raise CannotSwitch(
            "Redis cannot be reached, so nothing was switched. Try again in a moment."
        ) from error


@lru_cache(maxsize=4)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=SOCKET_SECONDS)
