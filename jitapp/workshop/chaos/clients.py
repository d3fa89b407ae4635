"""People with scanners that keep a scan until it was answered with 200, and send some twice.

Each client is a thread with a connection of its own. What it sends depends on the last known status of a card, as on
the floor: several clients hold cards of the same loops, so that they meet.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Required, TypedDict

from jitapp.accounts.models import new_uuid

PATIENCE_S = 10.0  # on the socket
LONGEST_PAUSE_S = 0.5  # between two sendings of the same scan
NEXT = {
    "FULL": ("empty", "demand"),
    "IN_USE": ("empty", "demand"),
    "EMPTY": ("start", "supply"),
    "IN_PROCESS": ("complete", "supply"),
    "COMPLETED": ("load", "supply"),
    "IN_TRANSIT": ("receive", "demand"),
}


class Scan(TypedDict, total=False):
    """The body of a scan as it is sent."""

    id: Required[str]
    code: Required[str]
    station: Required[str]
    intent: str
    occurred_at: str


class AnswerCard(TypedDict):
    """What the clients use of the card in an answer."""

    supply_status: str


class Answer(TypedDict, total=False):
    """What the clients use of an answer; two answers to a scan are compared whole, except for `replayed`."""

    outcome: Required[str]
    card: AnswerCard | None
    replayed: bool


@dataclass
class PlayCard:
    """A card as the clients know it; `status` is from the last answer to any client."""

    code: str
    demand: str
    supply: str
    status: str = "FULL"


@dataclass
class Tally:
    """What the clients saw, together."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    answers: dict[str, Answer] = field(default_factory=dict)  # by scan id, the first 200
    changed_answers: list[tuple[str, Answer, Answer]] = field(default_factory=list)
    repeats: int = 0
    attempts: int = 0
    failures: Counter[str] = field(default_factory=Counter)  # attempts that were no 200, by kind
    seconds: list[float] = field(default_factory=list)  # per answered attempt
    kept: list[float] = field(default_factory=list)  # seconds a scan was kept when its first attempt failed

    def answered(self, id: str, body: Answer) -> None:
        """Keeps the first answer to a scan, and notes every later one that differs."""
        said = body.copy()
        said.pop("replayed", None)
        with self.lock:
            first = self.answers.setdefault(id, said)
            if first is not said:
                self.repeats += 1
                if first != said:
                    self.changed_answers.append((id, first, said))


class Client:
    """Sends `count` scans evenly over `seconds`."""

    def __init__(
        self,
        number: int,
        *,
        port: int,
        token: str,
        cards: list[PlayCard],
        tally: Tally,
        repeat: float,
        seed: int,
    ) -> None:
        self.chance = random.Random(f"{seed}-{number}")  # noqa: S311  (a run can be repeated)
        self.port = port
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.cards = cards
        self.tally = tally
        self.repeat = repeat
        self.tells_time = number % 2 == 0
        self.connections = threading.local()
        self.again: list[tuple[int, Scan]] = []  # (when, by number of scans; body)

    def run(self, count: int, seconds: float, stop: threading.Event) -> None:
        """Ends when every scan was answered, or when it is told to stop."""
        begin = time.monotonic()
        with ThreadPoolExecutor(1) as twin:
            for number in range(count):
                due = begin + seconds * (number + self.chance.random()) / count
                if stop.wait(max(0.0, due - time.monotonic())):
                    return
                body, card = self._scan()
                echo: Future[None] | None = None
                chance = self.chance.random()
                if chance < self.repeat / 2:
                    echo = twin.submit(self._keep_until_answered, body.copy(), None, stop)
                elif chance < self.repeat:
                    self.again.append((number + self.chance.randint(1, 20), body))
                self._keep_until_answered(body, card, stop)
                if echo is not None:
                    echo.result()
                self._send_again(number, stop)
            self._send_again(None, stop)

    def _send_again(self, number: int | None, stop: threading.Event) -> None:
        due = [body for when, body in self.again if number is None or when <= number]
        self.again = [] if number is None else [late for late in self.again if late[0] > number]
        for body in due:
            self._keep_until_answered(body, None, stop)

    def _scan(self) -> tuple[Scan, PlayCard]:
        card = self.chance.choice(self.cards)
        intent: str | None
        intent, side = NEXT.get(card.status, ("empty", "demand"))
        chance = self.chance.random()
        if chance < 0.08:
            intent = None  # what the station makes of it
        elif chance < 0.12:
            intent = self.chance.choice(["undo", "abort", "open", "receive", "start"])
            side = self.chance.choice(["demand", "supply"])
        body: Scan = {
            "id": str(new_uuid()),
            "code": "KB0000000" + self.chance.choice("0123") if chance > 0.99 else card.code,
            "station": card.demand if side == "demand" else card.supply,
        }
        if intent is not None:
            body["intent"] = intent
        if self.tells_time:
            body["occurred_at"] = datetime.now(UTC).isoformat()
        return body, card

    def _keep_until_answered(self, body: Scan, card: PlayCard | None, stop: threading.Event) -> None:
        begun, pause = time.monotonic(), 0.02
        first = True
        while not stop.is_set():
            sent = time.monotonic()
            answer = self._send(body)
            with self.tally.lock:
                self.tally.attempts += 1
                if isinstance(answer, str):
                    self.tally.failures[answer] += 1
                else:
                    self.tally.seconds.append(time.monotonic() - sent)
                    if not first:
                        self.tally.kept.append(time.monotonic() - begun)
            if not isinstance(answer, str):
                self.tally.answered(body["id"], answer)
                if card is not None and (told := answer.get("card")) is not None:
                    card.status = told["supply_status"]
                return
            first = False
            stop.wait(pause * self.chance.uniform(0.5, 1.5))
            pause = min(pause * 2, LONGEST_PAUSE_S)

    def _send(self, body: Scan) -> Answer | str:
        """The answer, or what kind of failure it was; never raises for a broken server."""
        wire: http.client.HTTPConnection | None = getattr(self.connections, "wire", None)
        if wire is None:
            wire = self.connections.wire = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=PATIENCE_S
            )
        try:
            wire.request("POST", "/api/v1/scans", json.dumps(body), self.headers)
            response = wire.getresponse()
            raw = response.read()
            if response.status == http.client.OK:
                answer: Answer = json.loads(raw)
                return answer
            return f"HTTP {response.status}"
        except (OSError, http.client.HTTPException, ValueError) as error:
            wire.close()
            self.connections.wire = None
            return type(error).__name__
