"""Signs of life: every process of ours tells, every two seconds, that it has done its work.

A beat is given only while `proof` holds: that a request could be taken, that the outbox was looked at, that the event
loop turns. It goes to a file, which the supervisor or a container's health check reads on the same machine, and to
Redis, where pages and streams read those of all machines. A process has a numbered slot of its role (`web.2`); what is
started again after a kill takes the free slot, and its beats replace those of the dead.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

BEAT_SECONDS = 2.0
HASH = "jitapp:pulse"
STANDS, STANDS_SECONDS = "jitapp:stands", 15
LOOKED = "jitapp:looked"  # written before every look, so that it is seen whether beats can be
SOCKET_SECONDS = 0.5
MOST_SLOTS = 100


@dataclass(frozen=True, slots=True)
class Beat:
    """The last sign of life of a process: `name` is role and number, `count` grows with each."""

    name: str
    host: str
    pid: int
    count: int
    at: datetime

    @property
    def role(self) -> str:
        """Such as `web`."""
        return self.name.partition(".")[0]

    @property
    def sign(self) -> int:
        """Another one with each beat, also of a successor that counts from one again."""
        return self.count * 2**32 + self.pid


def folder() -> Path:
    """Where the processes of this machine leave their beats."""
    return Path(settings.DATA_DIR) / "pulse"


def connection() -> redis.Redis:
    """A Redis client that waits for nobody for long."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=SOCKET_SECONDS, retry=None
    )


def read(client: redis.Redis) -> dict[str, Beat] | None:
    """The last beats of all machines by `name@host`; None while Redis does not answer, or takes no beats (its disk or
    its memory is full): then nobody's silence says anything."""
    try:
        client.set(LOOKED, "", ex=STANDS_SECONDS)
        return beats_of(client.hgetall(HASH))
    except (redis.RedisError, OSError):
        return None


def beats_of(found: Mapping[Any, Any]) -> dict[str, Beat]:
    """Beats as they stand in Redis (bytes); what cannot be read is left out."""
    beats: dict[str, Beat] = {}
    for field, value in found.items():
        key = str(field, "utf-8")
        name, _, host = key.partition("@")
        with contextlib.suppress(ValueError, KeyError, TypeError):
            said = json.loads(value)
            at = datetime.fromtimestamp(said["at"] / 1000, UTC)
            beats[key] = Beat(name, host, int(said["pid"]), int(said["count"]), at)
    return beats


def forget(client: redis.Redis, key: str) -> None:
    """Takes a process out that is gone for good; lost while Redis is away."""
    with contextlib.suppress(redis.RedisError, OSError):
        client.hdel(HASH, key)


def tell(client: redis.Redis, stands: dict[str, int]) -> None:
    """What boards must say (`standstill.for_boards`), for the event streams; lost while Redis is away."""
    with contextlib.suppress(redis.RedisError, OSError):
        client.set(STANDS, json.dumps(stands), ex=STANDS_SECONDS)


class Pulse:
    """The beats of this process, given by a thread of their own for as long as `proof` holds.

    `also` is called with each round, whether or not a beat was given; what it raises is logged.
    """

    def __init__(
        self, role: str, proof: Callable[[], bool], *, also: Callable[[], None] = lambda: None
    ) -> None:
        self._role = role
        self._proof = proof
        self._also = also
        self._count = 0
        self._name = ""
        self._file = -1
        self._client = connection()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    @property
    def key(self) -> str:
        """`name@host`, once started."""
        return f"{self._name}@{socket.gethostname()}"

    def start(self) -> None:
        """Takes a slot and begins to beat. Call it in the process that is meant, not before a fork."""
        self._take_slot()
        self._thread.start()

    def end(self) -> None:
        """The last thing of an orderly end: this process is missed by nobody."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(2 * SOCKET_SECONDS)  # else a beat under way could follow
        forget(self._client, self.key)
        if self._file >= 0:
            with contextlib.suppress(OSError):
                (folder() / self._name).unlink()

    def round(self) -> None:
        """One beat, if there is proof."""
        try:
            alive = self._proof()
        except Exception:
            logger.exception("Whether %s does its work cannot be told.", self._role)
            alive = True
        if alive:
            self._count += 1
            self._tell()
        try:
            self._also()
        except Exception:
            logger.exception("Looking after the other processes failed; the next look follows.")

    def _run(self) -> None:
        while not self._ended.is_set():
            self.round()
            self._ended.wait(BEAT_SECONDS)

    def _tell(self) -> None:
        if self._file >= 0:
            with contextlib.suppress(OSError):  # a full disk is no sign of death
                os.pwrite(
                    self._file, f"{os.getpid()} {self._count:>12} {time.monotonic():>16.3f}\n".encode(), 0
                )
        said = {"pid": os.getpid(), "count": self._count, "at": int(time.time() * 1000)}
        with contextlib.suppress(redis.RedisError, OSError):
            self._client.hset(HASH, self.key, json.dumps(said))

    def _take_slot(self) -> None:
        """The first number of the role that no living process of this machine has. The lock goes with the process, and
        is not handed down to children (a record lock)."""
        self._name = f"{self._role}.{os.getpid()}"
        with contextlib.suppress(OSError):
            folder().mkdir(parents=True, exist_ok=True, mode=0o700)
            for number in range(1, MOST_SLOTS):
                name = f"{self._role}.{number}"
                file = os.open(folder() / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    os.close(file)
                    continue
                self._name, self._file = name, file
                return


class Work:
    """Counts what a loop has done; `fresh` is the proof for its beats."""

    def __init__(self, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._at = clock()

    def done(self) -> None:
        """The loop has come round."""
        self._at = self._clock()

    def fresh(self) -> bool:
        """Whether it has come round within the patience, in seconds."""
        return self._clock() - self._at <= self._patience
