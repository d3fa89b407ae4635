"""Boards learn by their stream what stands still, also when no web process lives to say it (S11)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.conf import settings
from redis.exceptions import ResponseError

from jitapp.live.stands import Stands
from jitapp.live.ticket import make_ticket
from jitapp.pulse import beats
from jitapp.pulse.silence import SAY_AFTER_S
from tests.live.served import events, served


class Asked:
    """Redis as the test fills it; away while `away`."""

    def __init__(self) -> None:
        self.beats: dict[bytes, bytes] = {}
        self.stands: bytes | None = None
        self.away = False
        self.full = False

    async def set(self, _key: str, _value: str, ex: int) -> None:
        if self.full:
            raise ResponseError("MISCONF Errors writing to the AOF file: No space left on device")

    async def hgetall(self, _key: str) -> dict[bytes, bytes]:
        if self.away:
            raise OSError("away")
        return self.beats

    async def get(self, _key: str) -> bytes | None:
        return self.stands

    def beat(self, name: str, count: int) -> None:
        self.beats[f"{name}@here".encode()] = json.dumps({"pid": 1, "count": count, "at": 5000}).encode()


def look(stands: Stands, now: float) -> bool:
    return asyncio.run(stands.look(now))


def stands_of(asked: Any) -> Stands:
    return Stands(asked)


def test_s11_what_a_web_process_says_is_passed_on_once() -> None:
    asked = Asked()
    stands = stands_of(asked)
    asked.stands = b'{"signals": 123}'
    assert look(stands, 0.0)
    assert stands.said == {"signals": 123}
    assert not look(stands, 2.0)
    asked.stands = None
    assert look(stands, 4.0)
    assert stands.said == {}


def test_s11_that_no_web_process_lives_is_seen_by_the_streams_themselves() -> None:
    asked = Asked()
    stands = stands_of(asked)
    for now in range(0, 40, 2):
        asked.beat("web.1", 1)
        asked.beat("web.2", now)
        look(stands, float(now))
    assert stands.said == {}, "one of them lives"
    for now in range(40, 60, 2):
        look(stands, float(now))
    assert stands.said == {"web": 5000}
    asked.beat("web.2", 99)
    assert look(stands, 60.0)
    assert stands.said == {}


def test_s11_while_redis_is_away_nobody_is_blamed() -> None:
    asked = Asked()
    asked.beat("web.1", 1)
    stands = stands_of(asked)
    look(stands, 0.0)
    asked.away = True
    for now in range(2, 60, 2):
        assert not look(stands, float(now))
    asked.away = False
    look(stands, 60.0)
    assert stands.said == {}
    assert SAY_AFTER_S > 4


def test_s11_while_redis_takes_nothing_new_nobody_is_blamed_and_boards_ask_elsewhere() -> None:
    asked = Asked()
    asked.beat("web.1", 1)
    stands = stands_of(asked)
    look(stands, 0.0)
    asked.full = True
    assert look(stands, 2.0), "this is news"
    assert stands.blind
    for now in range(4, 60, 2):
        assert not look(stands, float(now))
    assert stands.said == {}
    asked.full = False
    assert look(stands, 60.0)
    assert not stands.blind


@pytest.fixture
def told() -> Iterator[None]:
    """Something stands still."""
    client = beats.connection()
    client.delete(beats.HASH)
    beats.tell(client, {"signals": 1_732_790_000_000})
    yield
    client.delete(beats.STANDS)


def test_s11_a_stream_tells_its_board_what_stands_still(told: None) -> None:
    with served(settings.REDIS_URL) as live:
        url = f"{live.url}/live/board?ticket={make_ticket('SMT:en', None)}"
        with httpx.stream("GET", url, timeout=60) as response:
            stands = (event.data.get("stands") for event in events(response))
            assert next(said for said in stands if said) == {"signals": 1_732_790_000_000}
