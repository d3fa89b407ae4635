"""How fast a scan reaches a thousand open boards, and what that costs: 200 boards in each of five languages, a stream
each, all of one area, so that every change goes to all of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import psutil

from jitapp.env import BASE_DIR
from jitapp.workshop.bench.pull import APPLIED, Hand
from jitapp.workshop.bench.report import percentile
from jitapp.workshop.bench.servers import Installation

BOARDS = 200
LANGUAGES = ("en", "de", "es", "fr", "pl")
SETTLE_S = 2.0
TICKETS = """
import json
from jitapp.live.ticket import channel_of, make_ticket
print(json.dumps([make_ticket(channel_of({area!r}, language)) for language in {languages!r} for _ in range({boards})]))
"""


@dataclass(slots=True)
class Audience:
    """`delays`: milliseconds from a scan's commit until each stream had its row; `renders`: texts drawn per change and
    language; `missed`: rows that a stream never had."""

    streams: int
    scans: int
    delays: list[float] = field(default_factory=list)
    renders: list[int] = field(default_factory=list)
    missed: int = 0
    memory_mb: float = 0.0
    memory_per_stream_kb: float = 0.0
    cores: float = 0.0

    def told(self) -> list[str]:
        """The figures as sentences."""
        return [
            f"From a scan's commit to its row at each of {self.streams:,} open streams ({BOARDS} boards in"
            f" {len(LANGUAGES)} languages, one area), {self.scans} scans:"
            f" p50 {percentile(self.delays, 50):.0f} ms, p95 {percentile(self.delays, 95):.0f} ms;"
            f" {self.missed} rows missed.",
            f"The live process then holds {self.memory_mb:.0f} MB ({self.memory_per_stream_kb:.0f} kB a stream) and"
            f" uses {self.cores:.2f} cores; a change is drawn {max(self.renders, default=0)} time(s) per language,"
            f" whoever looks.",
        ]


def audience(
    installation: Installation, plan: dict[str, Any], cards: list[list[str]], *, rate: float
) -> Audience:
    """Opens the streams and scans at a low rate."""
    live = installation.start_live()
    process = psutil.Process(live)
    before = _memory(process)
    tickets = _tickets(installation, plan["area"])
    viewers = subprocess.Popen(
        [sys.executable, "-m", "jitapp.workshop.bench.viewers"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=BASE_DIR,
    )
    try:
        return _watched(installation, plan, cards, rate, (viewers, process, before, tickets))
    finally:
        viewers.kill()
        installation.stop("live")


def _watched(
    installation: Installation,
    plan: dict[str, Any],
    cards: list[list[str]],
    rate: float,
    running: tuple[subprocess.Popen[str], psutil.Process, float, list[str]],
) -> Audience:
    viewers, process, before, tickets = running
    assert viewers.stdin is not None
    assert viewers.stdout is not None
    asked = {"port": installation.wishes.live_port, "path": "/live/board", "tickets": tickets}
    viewers.stdin.write(json.dumps(asked) + "\n")
    viewers.stdin.flush()
    if viewers.stdout.readline().strip() != "ready":
        raise RuntimeError("The streams could not be opened.")
    found = Audience(streams=len(tickets), scans=len(cards), memory_mb=_memory(process))
    found.memory_per_stream_kb = (found.memory_mb - before) * 1000 / len(tickets)
    hand, scans = Hand(installation, plan["token"]), []
    begin, spent = time.monotonic(), sum(process.cpu_times()[:2])
    for place, (code, demand, _) in enumerate(cards):
        time.sleep(max(0.0, begin + place / rate - time.monotonic()))
        scans.append(hand.scan(code, demand, "empty"))
    found.cores = (sum(process.cpu_times()[:2]) - spent) / (time.monotonic() - begin)
    time.sleep(SETTLE_S)
    came, _ = viewers.communicate("end\n")
    _count(found, json.loads(came), installation.query(APPLIED, scans))
    return found


def _tickets(installation: Installation, area: str) -> list[str]:
    code = TICKETS.format(area=area, languages=LANGUAGES, boards=BOARDS)
    made = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", code],
        cwd=BASE_DIR,
        env=installation.environment,
        check=True,
        capture_output=True,
        text=True,
    )
    tickets: list[str] = json.loads(made.stdout.strip().splitlines()[-1])
    return tickets


def _memory(process: psutil.Process) -> float:
    """Megabytes that the process and its children hold."""
    return float(sum(each.memory_info().rss for each in [process, *process.children(recursive=True)])) / 1e6


def _count(found: Audience, came: list[dict[str, Any]], applied: list[tuple[Any, ...]]) -> None:
    """A scan's row is there with the first message of its loop that holds its version or a newer one."""
    rows: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for each in came:
        rows[each["loop"]].append(each)
        found.renders.append(each["texts"])
    for _, loop, version, committed in applied:
        for language in LANGUAGES:
            with_it = [
                each
                for each in rows[loop]
                if each["version"] >= version and each["channel"].endswith(f":{language}")
            ]
            first = min(with_it, key=lambda each: each["at"][0], default=None)
            times = first["at"] if first is not None else []
            found.delays += [(at - committed) * 1000 for at in times]
            found.missed += BOARDS - len(times)
