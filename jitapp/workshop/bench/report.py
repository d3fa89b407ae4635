"""The figures as one Markdown page: ratios first, because they hardly change from machine to machine."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median, quantiles

import psutil


@dataclass(frozen=True, slots=True)
class Gate:
    """A promise: `value` against `gate` (must) and `goal` (want); `upwards` says whether more is better."""

    what: str
    value: float
    gate: float
    goal: float | None = None
    upwards: bool = True
    unit: str = ""

    @property
    def verdict(self) -> str:
        """goal met, pass, or falls short."""
        if self.goal is not None and self._reaches(self.goal):
            return "goal met"
        return "pass" if self._reaches(self.gate) else "**falls short**"

    def _reaches(self, limit: float) -> bool:
        return self.value >= limit if self.upwards else self.value <= limit

    def row(self) -> str:
        """As a line of the table."""
        sign = "at least" if self.upwards else "at most"
        goal = "" if self.goal is None else f"{self.goal:g}{self.unit}"
        limit = f"{sign} {self.gate:g}{self.unit}"
        return f"| {self.what} | {self.value:.3g}{self.unit} | {limit} | {goal} | {self.verdict} |"


@dataclass(slots=True)
class Row:
    """One way of doing the work, over the rounds."""

    name: str
    per_second: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    cpu: list[dict[str, float]] = field(default_factory=list)

    def add(self, per_second: float, p50: float, p99: float, cpu: dict[str, float] | None = None) -> None:
        """One round."""
        self.per_second.append(per_second)
        self.p50.append(p50)
        self.p99.append(p99)
        self.cpu.append(cpu or {})

    @property
    def pace(self) -> float:
        """The median of the rounds, scans a second."""
        return median(self.per_second)

    @property
    def micros(self) -> tuple[float, float]:
        """CPU microseconds a scan: in our processes (web, twin, worker), and in the database's."""
        ours = [
            (
                sum(cores for name, cores in used.items() if name not in ("client", "postgres")),
                used.get("postgres", 0.0),
            )
            for used in self.cpu
        ]
        per_scan = [
            (server / pace * 1e6, database / pace * 1e6)
            for (server, database), pace in zip(ours, self.per_second, strict=True)
        ]
        return median(server for server, _ in per_scan), median(database for _, database in per_scan)

    def line(self) -> str:
        """As a line of the table."""
        each = ", ".join(f"{value:,.0f}" for value in self.per_second)
        names = list(dict.fromkeys(name for used in self.cpu for name in used))
        cores = ", ".join(
            f"{name} {median([used.get(name, 0.0) for used in self.cpu]):.2f}" for name in names
        )
        times = f"{median(self.p50):.1f} / {median(self.p99):.1f}"
        return f"| {self.name} | {self.pace:,.0f} | {times} | {each} | {cores} |"


def percentile(values: list[float], percent: int) -> float:
    """The value below which so many percent lie; 0 for none."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return quantiles(values, n=100)[percent - 1]


def page(
    *,
    at: datetime,
    machine: str,
    servers: str,
    rows: list[Row],
    gates: list[Gate],
    notes: list[str],
    rounds: int,
) -> str:
    """The whole page."""
    return "\n".join(
        [
            f"# Benchmarks of {at:%Y-%m-%d %H:%M} UTC",
            "",
            f"{machine}. {servers}.",
            f"Medians of {rounds} alternating rounds in one run; load, web and database share the cores.",
            "Read the ratios: absolute figures move with the machine and with what else runs on it.",
            "",
            "## Promises",
            "",
            "| what | measured | gate | goal | verdict |",
            "|---|---|---|---|---|",
            *(gate.row() for gate in gates),
            "",
            "## Ways of doing the same work",
            "",
            "| way | scans/s | p50 / p99 ms | rounds | cores used |",
            "|---|---|---|---|---|",
            *(row.line() for row in rows),
            "",
            "## What else was seen",
            "",
            *(f"- {note}" for note in notes),
            "",
        ]
    )


def machine() -> str:
    """Such as: 2 cores, Linux x86_64, Python 3.11.7, load 0.4 before the run."""
    load = os.getloadavg()[0]
    return (
        f"{psutil.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()},"
        f" load {load:.1f} before the run"
    )
