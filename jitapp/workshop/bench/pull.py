"""How fast a pull travels: from a scan's commit up six levels, and from a scan's commit to the boards.

Commits are timed by PostgreSQL itself (track_commit_timestamp), messages when a listener on Redis has them: one
machine, one clock.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import redis
from uuid_utils import uuid7

from jitapp.live.push import board_channel
from jitapp.workshop.bench.servers import Installation

PATIENCE_S = 10.0

RELEASES = """
    SELECT e.loop_id, extract(epoch FROM pg_xact_commit_timestamp(e.xid::xid))::float8
    FROM pull_event e WHERE e.type = 'turn.released' AND e.loop_id = ANY(%s) ORDER BY e.loop_id, e.loop_seq"""
APPLIED = """
    SELECT e.scan_id::text, e.loop_id, max(e.loop_seq),
        extract(epoch FROM max(pg_xact_commit_timestamp(e.xid::xid)))::float8
    FROM pull_event e WHERE e.scan_id = ANY(%s::uuid[]) GROUP BY e.scan_id, e.loop_id"""


@dataclass(slots=True)
class Cascades:
    """Milliseconds: to the last level's commit, to its board message, and each hop."""

    commits: list[float] = field(default_factory=list)
    boards: list[float] = field(default_factory=list)
    hops: list[float] = field(default_factory=list)
    lost: int = 0


class Listener:
    """Receives the boards' messages in a thread: loop -> [(version, instant)]."""

    def __init__(self, url: str) -> None:
        self.received: dict[int, list[tuple[int, float]]] = defaultdict(list)
        self.changed = threading.Condition()
        self._client = redis.Redis.from_url(url)
        self._pubsub = self._client.pubsub()  # type: ignore[no-untyped-call]
        self._pubsub.psubscribe(**{board_channel("*", url): self._receive})
        self._thread = self._pubsub.run_in_thread(sleep_time=1.0, daemon=True)

    def _receive(self, message: dict[str, Any]) -> None:
        now = time.time()
        told = json.loads(message["data"])
        if "loop" not in told:  # the numbers of a wide area
            return
        with self.changed:
            self.received[told["loop"]].append((told["version"], now))
            self.changed.notify_all()

    def wait(self, loop_id: int, more_than: int) -> bool:
        """Until the loop has been told of more often than that; False if it takes too long."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.received[loop_id]) > more_than, PATIENCE_S)

    def instant(self, loop_id: int, version: int) -> float | None:
        """When the loop was first told of at this version or a newer one."""
        return min((at for told, at in self.received[loop_id] if told >= version), default=None)

    def end(self) -> None:
        """Ends the thread."""
        self._thread.stop()
        self._thread.join(3)
        self._client.close()


class Hand:
    """One scanner that is in no hurry."""

    def __init__(self, installation: Installation, token: str) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=30)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def scan(self, code: str, station: str, intent: str) -> str:
        """Scans and returns the scan's id; RuntimeError if it was not applied."""
        body = {"id": str(uuid7()), "code": code, "station": station, "intent": intent}
        self._line.request("POST", "/api/v1/scans", json.dumps(body), self._headers)
        answer = json.loads(self._line.getresponse().read())
        if answer.get("outcome") != "applied":
            raise RuntimeError(f"A scan was not applied: {answer}")
        return body["id"]


def cascades(installation: Installation, plan: dict[str, Any], *, most: int) -> Cascades:
    """One scan after the other, each at the first level of a chain of bins with one draw in them."""
    listener, hand, result = Listener(installation.redis_url), Hand(installation, plan["token"]), Cascades()
    chains = plan["chains"]
    done: dict[int, int] = defaultdict(int)
    chance = random.Random(6)  # noqa: S311  (a seed, not a secret)
    for number in range(min(most, len(chains) * len(chains[0]["cards"]))):
        place = number % len(chains)
        chain = chains[place]
        last = chain["loops"][-1]
        before = len(listener.received[last])
        hand.scan(chain["cards"][done[place]], chain["demand"], "empty")
        done[place] += 1
        if not listener.wait(last, before):
            result.lost += 1
        time.sleep(chance.uniform(0.005, 0.03))
    time.sleep(0.3)
    for chain in chains:
        by_loop: dict[int, list[float]] = defaultdict(list)
        for loop_id, at in installation.query(RELEASES, chain["loops"]):
            by_loop[loop_id].append(at)
        for way in zip(*(by_loop[loop_id] for loop_id in chain["loops"]), strict=False):
            result.commits.append((way[-1] - way[0]) * 1000)
            result.hops += [(b - a) * 1000 for a, b in pairwise(way)]
            told = min((at for _, at in listener.received[chain["loops"][-1]] if at >= way[-1]), default=None)
            if told is not None:
                result.boards.append((told - way[0]) * 1000)
    listener.end()
    return result


def boards(
    installation: Installation, plan: dict[str, Any], cards: list[list[str]], *, rate: float
) -> list[float]:
    """Milliseconds from a scan's commit to the message with its row, scans coming at a low rate."""
    listener, hand = Listener(installation.redis_url), Hand(installation, plan["token"])
    scans: list[str] = []
    begin = time.monotonic()
    for place, (code, demand, _) in enumerate(cards):
        time.sleep(max(0.0, begin + place / rate - time.monotonic()))
        scans.append(hand.scan(code, demand, "empty"))
    time.sleep(1.0)
    found: list[float] = []
    for _, loop_id, version, committed in installation.query(APPLIED, scans):
        told = listener.instant(loop_id, version)
        if told is not None:
            found.append((told - committed) * 1000)
    listener.end()
    return found
