"""`python -m jitapp.workshop.bench`: the benchmarks, side by side in one run, as ratios.

Each round runs the floor, the product, the twin, the batch floor and the product's batches one after the other, so
that a noisy minute of the machine spoils all of them alike. Results go to docs/benchmarks/<date>.md.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from jitapp.env import BASE_DIR
from jitapp.workshop.bench import pull
from jitapp.workshop.bench.audience import audience
from jitapp.workshop.bench.floor import BATCH, Floor, Pace
from jitapp.workshop.bench.report import Gate, Row, machine, page, percentile
from jitapp.workshop.bench.servers import Installation, Load
from jitapp.workshop.embedded import postgres_programs

CLIENTS = 8
FLOOR, BATCH_FLOOR = "floor: one function call (pgbench)", "batch floor: 50 in a transaction (pgbench)"
PRODUCT, PRODUCT_BATCH = "product: POST /api/v1/scans", "product: batches of 50"
TWIN = "twin: REST framework and ORM"
OUTBOX_WAITS = "SELECT count(*) FROM outbox_message WHERE done_at IS NULL"


@dataclass(slots=True)
class Bench:
    """One run: what was started, and what was measured so far."""

    installation: Installation
    plan: dict[str, Any]
    floor: Floor
    seconds: float
    rounds: int
    rows: dict[str, Row] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    said_at: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """One line of progress."""
        sys.stderr.write(f"[{time.monotonic() - self.said_at:6.1f} s] {text}\n")

    def row(self, name: str) -> Row:
        """The row of that name."""
        return self.rows.setdefault(name, Row(name))

    def scanners(self, begin: int, end: int) -> list[list[list[str]]]:
        """The cards of some loops, dealt to the clients so that no two clients scan one loop."""
        chance = random.Random(begin)  # noqa: S311  (a seed, so that every run scans alike)
        hands: list[list[list[str]]] = []
        for client in range(CLIENTS):
            cards = [card for loop in self.plan["loops"][begin:end][client::CLIENTS] for card in loop]
            chance.shuffle(cards)
            hands.append(cards)
        return hands

    def load(self, begin: int, end: int, *, twin: bool = False, batch: int = 0) -> Load:
        """A client for some of the loops."""
        path = "/twin/scans" if twin else "/api/v1/scans/batch" if batch else "/api/v1/scans"
        return Load(
            port=self.installation.twin_port if twin else self.installation.port,
            token=self.plan["token"],
            path=path,
            scanners=self.scanners(begin, end),
            batch=batch,
        )

    def measure(self, name: str, load: Load) -> None:
        """One closed run into a row."""
        with self.installation.cpu() as cpu:
            result = load.closed(self.seconds)
        used = {
            "client": result["client_cpu"],
            **{group: cores for group, cores in cpu.items() if cores > 0.01},
        }
        self.row(name).add(result["per_second"], result["p50"], result["p99"], used)
        self.say(
            f"{name}: {result['per_second']:,.0f} scans/s, p50 {result['p50']:.1f} ms, p99 {result['p99']:.1f} ms"
        )

    def measure_floor(self, name: str, run: Callable[[float], Pace]) -> None:
        """One run of pgbench into a row."""
        pace = run(self.seconds)
        # What it used is not told: pgbench's sessions have ended, and their share with them, when it could be read.
        self.row(name).add(pace.per_second, pace.p50, pace.p99, {})
        self.say(f"{name}: {pace.per_second:,.0f} scans/s")

    def throughput(self) -> None:
        """Floor, product, twin and batches, round by round."""
        single = self.load(0, 800)
        twin = self.load(0, 800, twin=True)
        batch = self.load(800, 1400, batch=BATCH)
        for load in (single, twin, batch):
            load.closed(2)
        for number in range(self.rounds):
            self.say(f"round {number + 1} of {self.rounds}")
            self.measure_floor(FLOOR, self.floor.single)
            self.measure(PRODUCT, single)
            self.measure(TWIN, twin)
            self.measure_floor(BATCH_FLOOR, self.floor.batch)
            self.measure(PRODUCT_BATCH, batch)
        self._paced(single)
        for load in (single, twin, batch):
            load.end()

    def _paced(self, single: Load) -> None:
        """p99 while scans come at half of what was reached."""
        rate = self.row(PRODUCT).pace / 2
        runs = [single.paced(self.seconds, rate) for _ in range(self.rounds)]
        p50, p99 = median(run["p50"] for run in runs), median(run["p99"] for run in runs)
        self.notes.append(
            f"At a fixed {rate:,.0f} scans/s (half the load): p50 {p50:.1f} ms, p99 {p99:.1f} ms."
        )
        self.gates.append(Gate("p99 of a scan at half that load", p99, 20, upwards=False, unit=" ms"))

    def propagation(self) -> None:
        """The same with a worker that carries every pull on meanwhile; then the backlog, cascades and boards."""
        waiting = self.installation.query(OUTBOX_WAITS)[0][0]
        begin = time.monotonic()
        self.installation.start_worker()
        single = self.load(1400, 1900)
        self._drained()
        took = time.monotonic() - begin
        self.notes.append(
            f"A backlog of {waiting:,} messages was drained at {waiting / took:,.0f} a second, start included."
        )
        for _ in range(self.rounds):
            self.measure("product with a worker propagating", single)
        self._drained()
        single.end()
        self._boards()
        self._audience()
        self._cascades()
        self.installation.stop("worker")

    def _drained(self) -> None:
        """Drains as the relay would, beside the worker, until no message waits."""
        deadline = time.monotonic() + 600
        drain = "from jitapp import switchboard\nwhile switchboard.drain(): pass"
        subprocess.run(
            [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", drain],
            cwd=BASE_DIR,
            env=self.installation.environment,
            check=True,
        )
        while self.installation.query(OUTBOX_WAITS)[0][0] and time.monotonic() < deadline:
            time.sleep(0.2)

    def _boards(self) -> None:
        cards = [loop[0] for loop in self.plan["loops"][1900:]]
        times = pull.boards(self.installation, self.plan, cards, rate=20)
        p50, p95, p99 = (percentile(times, at) for at in (50, 95, 99))
        self.notes.append(
            f"From a scan's commit to its row on the boards' channel, {len(times)} scans at 20/s:"
            f" p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms."
        )
        self.gates.append(
            Gate("scan to changed row on the channel, p95", p95, 150, upwards=False, unit=" ms")
        )

    def _audience(self) -> None:
        cards = [loop[1] for loop in self.plan["loops"][1900:1960]]
        found = audience(self.installation, self.plan, cards, rate=2)
        self.notes += found.told()
        p95 = percentile(found.delays, 95)
        self.gates += [
            Gate("scan to changed row at 1,000 open boards, p95", p95, 1000, 300, upwards=False, unit=" ms"),
            Gate("rows missed at 1,000 open boards", found.missed, 0, upwards=False),
        ]

    def boards_only(self) -> None:
        """What travels to the boards alone."""
        self.installation.start_worker()
        for loop in self.plan["loops"][1800:1830]:  # the worker is at work with the first row that comes
            if pull.boards(self.installation, self.plan, loop[:1], rate=1):
                break
        self._boards()
        self._audience()
        self.installation.stop("worker")

    def _cascades(self) -> None:
        bare = self.floor.bare(self.seconds)
        found = pull.cascades(self.installation, self.plan, most=240)
        p50, p99 = percentile(found.commits, 50), percentile(found.commits, 99)
        self.notes += [
            f"{len(found.commits)} cascades of six levels, commit to last commit: p50 {p50:.1f} ms, p99 {p99:.1f} ms;"
            f" to the last board message: p50 {percentile(found.boards, 50):.1f} ms,"
            f" p99 {percentile(found.boards, 99):.1f} ms; {found.lost} lost.",
            f"A hop: p50 {percentile(found.hops, 50):.1f} ms, p99 {percentile(found.hops, 99):.1f} ms."
            f" A bare transaction by one client: p50 {bare.p50:.2f} ms, p99 {bare.p99:.2f} ms.",
        ]
        self.gates += [
            Gate("cascade of six levels, p50", p50, 40, upwards=False, unit=" ms"),
            Gate("cascade of six levels, p99", p99, 200, upwards=False, unit=" ms"),
            Gate("the same, in six bare transactions", p50 / (6 * bare.p50), 3, upwards=False, unit=" x"),
        ]

    def judge(self) -> None:
        """The ratios, put before the other gates: the medians over the rounds, each of which ran all ways in turn."""
        self.gates[:0] = [
            Gate("single scans, of the floor", self._ratio(PRODUCT, FLOOR), 0.18, 0.30),
            Gate("single scans, of the twin", self._ratio(PRODUCT, TWIN), 3, unit=" x"),
            Gate("batches of 50, of the batch floor", self._ratio(PRODUCT_BATCH, BATCH_FLOOR), 0.25, 0.4),
        ]
        spent = {name: self.rows[name].micros for name in (PRODUCT, TWIN, PRODUCT_BATCH)}
        self.notes.append(
            "CPU per scan, which other work on the machine distorts least (microseconds, server + database):"
            + "; ".join(
                f" {name} {server:,.0f} + {database:,.0f}" for name, (server, database) in spent.items()
            )
            + "."
        )

    def _ratio(self, way: str, other: str) -> float:
        pairs = zip(self.rows[way].per_second, self.rows[other].per_second, strict=True)
        return median(ours / theirs for ours, theirs in pairs)

    def verify(self) -> None:
        """The book of rules over everything that the run wrote."""
        begin = time.monotonic()
        done = subprocess.run(
            [sys.executable, "manage.py", "verify"],
            cwd=BASE_DIR,
            env=self.installation.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        last = (done.stdout.strip().splitlines() or [done.stderr.strip()])[-1]
        self.notes.append(f"`verify` afterwards: {last}, in {time.monotonic() - begin:.0f} s.")


def main(arguments: list[str] | None = None) -> int:
    """The whole run; 1 if a gate is not reached."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three short rounds instead of five")
    parser.add_argument("--boards", action="store_true", help="only what travels to the boards")
    parser.add_argument("--rounds", type=int, help="how many rounds")
    parser.add_argument("--seconds", type=float, help="length of a run")
    parser.add_argument(
        "--database-url", default="", help="an empty database whose role may create databases"
    )
    parser.add_argument("--redis-url", default="")
    parser.add_argument("--output", type=Path, help="file of the page (docs/benchmarks/<date>.md)")
    wishes = parser.parse_args(arguments)
    at, here = datetime.now(UTC), machine()
    folder = Path(tempfile.mkdtemp(prefix="jitapp-bench-"))
    installation = Installation(folder, database_url=wishes.database_url, redis_url=wishes.redis_url)
    try:
        bench = Bench(
            installation,
            installation.prepare(),
            Floor(postgres_programs() / "bin" / "pgbench", installation.owner_url, clients=CLIENTS),
            seconds=wishes.seconds or (4 if wishes.quick else 8),
            rounds=wishes.rounds or (3 if wishes.quick else 5),
        )
        bench.say("the synthetic shop is built")
        bench.floor.prepare()
        installation.start_web()
        if wishes.boards:
            bench.boards_only()
        else:
            bench.throughput()
            bench.judge()
            bench.propagation()
        bench.verify()
        text = page(
            at=at,
            machine=here,
            servers=installation.versions(),
            rows=list(bench.rows.values()),
            gates=bench.gates,
            notes=bench.notes,
            rounds=bench.rounds,
        )
    except BaseException:
        sys.stderr.write(installation.last_words())
        raise
    finally:
        installation.end()
    output = wishes.output or BASE_DIR / "docs" / "benchmarks" / f"{at:%Y-%m-%d}.md"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text)
    sys.stdout.write(text)
    return 1 if any("short" in gate.verdict for gate in bench.gates) else 0


if __name__ == "__main__":
    sys.exit(main())
