"""The load: scanners on keep-alive connections, in a process of their own that costs as little as Python can.

Reads one JSON object a line on stdin and answers with one a line on stdout. The first tells where to knock and which
cards to scan; each further one is a run: `closed` (every scanner sends as soon as it is answered) or `open` (scans
come at a fixed rate, whether or not the server keeps up: latency counts from the moment a scan was due).

A scanner takes its cards in windows of fifty and leads them through the five steps of a turn, so that every scan is
applied. Only answers that say `applied` count.
"""

from __future__ import annotations

import json
import resource
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypedDict

from uuid_utils import uuid7

WINDOW = 50
# Intent and the end of the loop where it is scanned: 1 the demand source, 2 the supply source (places in a card's row).
STEPS = (("empty", 1), ("start", 2), ("complete", 2), ("load", 2), ("receive", 1))
APPLIED = b'"outcome":"applied"'


def scans(cards: list[list[str]]) -> Iterator[str]:
    """Scan bodies for ever: (code, demand station, supply station) rows, window by window, step by step."""
    while True:
        for begin in range(0, len(cards), WINDOW):
            window = cards[begin : begin + WINDOW]
            for intent, place in STEPS:
                for card in window:
                    yield (
                        f'{{"id":"{uuid7()}","code":"{card[0]}","station":"{card[place]}","intent":"{intent}"}}'
                    )


@dataclass(slots=True)
class Scanner:
    """One connection with the cards that only it scans."""

    bodies: Iterator[str]
    batch: int
    head: str
    host: str
    port: int
    line: socket.socket = field(init=False)
    begun: float = 0.0
    left: bytes = b""

    def connect(self) -> None:
        """Opens the connection."""
        self.line = socket.create_connection((self.host, self.port))
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.left = b""

    def send(self, due: float) -> None:
        """Sends the next scan, or the next batch; `due` is when its clock began."""
        if self.batch:
            body = '{"scans":[' + ",".join(next(self.bodies) for _ in range(self.batch)) + "]}"
        else:
            body = next(self.bodies)
        self.begun = due
        self.line.sendall(f"{self.head}{len(body)}\r\n\r\n{body}".encode())

    def answer(self) -> bytes | None:
        """Reads what came; the whole answer once it is there. Raises ConnectionError if the server hung up."""
        came = self.line.recv(262_144)
        if not came:
            raise ConnectionError("the server closed the connection")
        self.left += came
        end = self.left.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self.left[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(self.left) < end + 4 + length:
            return None
        whole, self.left = self.left[: end + 4 + length], self.left[end + 4 + length :]
        return whole


@dataclass(slots=True)
class Run:
    """What one run saw."""

    applied: int = 0
    other: int = 0
    times: list[float] = field(default_factory=list)
    sample: str = ""

    def take(self, answer: bytes, took: float, asked: int) -> None:
        """Counts one answer of `asked` scans."""
        applied = answer.count(APPLIED)
        self.applied += applied
        self.times.append(took)
        if applied < asked:
            self.other += asked - applied
            self.sample = self.sample or answer.decode(errors="replace")[:2000]


def closed(scanners: list[Scanner], seconds: float) -> Run:
    """Everyone sends again as soon as the answer is there; what is under way at the end is waited for."""
    run, poll = Run(), select.epoll()
    by_line = {scanner.line.fileno(): scanner for scanner in scanners}
    for number, scanner in by_line.items():
        poll.register(number, select.EPOLLIN)
        scanner.send(time.perf_counter())
    end, busy = time.perf_counter() + seconds, len(scanners)
    while busy:
        for number, _ in poll.poll(10):
            scanner = by_line[number]
            answer = scanner.answer()
            if answer is None:
                continue
            now = time.perf_counter()
            run.take(answer, now - scanner.begun, scanner.batch or 1)
            if now < end:
                scanner.send(now)
            else:
                busy -= 1
    return run


def paced(scanners: list[Scanner], seconds: float, rate: float) -> Run:
    """Scans come due every 1/rate seconds; one that finds no free scanner waits, and its wait counts."""
    run, poll = Run(), select.epoll()
    by_line = {scanner.line.fileno(): scanner for scanner in scanners}
    for number in by_line:
        poll.register(number, select.EPOLLIN)
    idle = deque(scanners)
    begin = time.perf_counter()
    sent, all_of_them = 0, int(seconds * rate)
    while sent < all_of_them or len(idle) < len(scanners):
        now = time.perf_counter()
        while sent < all_of_them and idle and begin + sent / rate <= now:
            idle.popleft().send(begin + sent / rate)
            sent += 1
        next_due = begin + sent / rate - time.perf_counter() if sent < all_of_them and idle else 0.05
        for number, _ in poll.poll(max(0.0, next_due)):
            scanner = by_line[number]
            answer = scanner.answer()
            if answer is not None:
                run.take(answer, time.perf_counter() - scanner.begun, 1)
                idle.append(scanner)
    return run


class Summary(TypedDict):
    """A run: scans applied and not applied, milliseconds of answers, cores the client used, a sample of an answer."""

    applied: int
    other: int
    per_second: float
    p50: float
    p95: float
    p99: float
    client_cpu: float
    sample: str


def summary(run: Run, elapsed: float, used: float) -> Summary:
    """The run as JSON; times in milliseconds, `used` CPU seconds of this process."""
    times = sorted(run.times)

    def at(share: float) -> float:
        return times[min(len(times) - 1, int(share * len(times)))] * 1000 if times else 0.0

    return {
        "applied": run.applied,
        "other": run.other,
        "per_second": run.applied / elapsed,
        "p50": at(0.50),
        "p95": at(0.95),
        "p99": at(0.99),
        "client_cpu": used / elapsed,
        "sample": run.sample,
    }


def main() -> None:
    """Until stdin ends."""
    spec = json.loads(sys.stdin.readline())
    head = (
        f"POST {spec['path']} HTTP/1.1\r\nHost: {spec['host']}:{spec['port']}\r\n"
        f"Authorization: Bearer {spec['token']}\r\nContent-Type: application/json\r\nContent-Length: "
    )
    scanners = [
        Scanner(scans(cards), spec.get("batch", 0), head, spec["host"], spec["port"])
        for cards in spec["scanners"]
    ]
    for line in sys.stdin:
        order = json.loads(line)
        for scanner in scanners:
            scanner.connect()
        before = resource.getrusage(resource.RUSAGE_SELF)
        begin = time.perf_counter()
        if order["run"] == "closed":
            run = closed(scanners, order["seconds"])
        else:
            run = paced(scanners, order["seconds"], order["rate"])
        elapsed = time.perf_counter() - begin
        after = resource.getrusage(resource.RUSAGE_SELF)
        for scanner in scanners:
            scanner.line.close()
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        sys.stdout.write(json.dumps(summary(run, elapsed, used)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
