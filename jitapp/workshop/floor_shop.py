"""A log as a shop and its scans: the file for `load_shop`, the lines for `replay`, and what was counted."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Required, TypedDict
from uuid import UUID

from jitapp.workshop.floor_cards import (
    CardScan,
    scan_the_log,
)
from jitapp.workshop.floor_log import Report, ReportKind
from jitapp.workshop.floor_names import Names, iso
from jitapp.workshop.floor_routes import find_routes
from jitapp.workshop.floor_rows import shop_file
from jitapp.workshop.floor_sizes import container_sizes, loop_sizes, wip_limits

EVENTS = {
    ReportKind.SETUP: "changeover",
    ReportKind.BREAKDOWN: "breakdown",
    ReportKind.PRODUCTION: "report",
}


class Line(TypedDict, total=False):
    """A line of the scan log that `replay` reads (docs/real-log.md): a scan, or (`event`) news of a station."""

    at: Required[str]
    id: Required[str]
    station: Required[str]
    loop: str
    card: int
    intent: str
    quantity: str
    reason: str
    event: str
    started_at: str
    ended_at: str
    part: str
    by: str


@dataclass(frozen=True)
class Conversion:
    """A converted log: the shop file, the scan log, and the figures to report."""

    shop: dict[str, Any]
    lines: list[Line]
    figures: dict[str, int]


def convert(reports: Sequence[Report], container: int | None = None) -> Conversion:
    """Derive shop and scans. `container`: pieces a container holds, for all parts; None: by the orders."""
    reports = sorted(reports, key=lambda report: (report.completed, report.line))
    routes = find_routes(reports)
    quantities = container_sizes(reports, container)
    sizes = loop_sizes(routes, reports, quantities)
    limits = wip_limits(reports)
    names = Names(routes, reports)
    scans, tally = scan_the_log(routes, reports, sizes, limits, names.people)
    lines = sorted(
        [*_scan_lines(scans, names), *_station_lines(reports, names)], key=lambda line: str(line["at"])
    )
    figures = {
        "reports": len(reports),
        "work orders": len({report.order for report in reports}),
        "parts": len(routes),
        "operations": len(names.stations),
        "loops": len(sizes),
        "cards": sum(size.cards for size in sizes.values()),
        "moves between operations": sum(route.moves for route in routes.values()),
        "moves against the route, left out": sum(route.moves_against for route in routes.values()),
        "unfinished work orders": sum(route.unfinished() for route in routes.values()),
        "scans": len(scans),
        "station events": len(lines) - len(scans),
        **{name.replace("_", " "): value for name, value in asdict(tally).items()},
    }
    return Conversion(shop_file(routes, reports, sizes, limits, names), lines, figures)


def _line_id(at: int, facts: str) -> str:
    """A UUID version 7 of the log's time and a hash: one log gives the same ids, in the order of time."""
    noise = int.from_bytes(hashlib.sha256(facts.encode()).digest()[:10])
    return str(
        UUID(int=(at * 1000) << 80 | 7 << 76 | (noise >> 68 & 0xFFF) << 64 | 2 << 62 | noise & (1 << 62) - 1)
    )


def _scan_lines(scans: Iterable[CardScan], names: Names) -> Iterable[Line]:
    times: Counter[tuple[str, int]] = Counter()
    for scan in scans:
        loop = names.loop(scan.link)
        times[loop, scan.card] += 1
        line: Line = {
            "at": iso(datetime.fromtimestamp(scan.at, UTC)),
            "id": _line_id(scan.at, f"{loop} {scan.card} {times[loop, scan.card]} {scan.intent}"),
            "loop": loop,
            "card": scan.card,
            "station": names.station(scan.place),
            "intent": scan.intent,
        }
        if scan.quantity is not None:
            line["quantity"] = str(scan.quantity)
        if scan.reason is not None:
            line["reason"] = scan.reason
        if scan.by is not None:
            line["by"] = scan.by
        yield line


def _station_lines(reports: Iterable[Report], names: Names) -> Iterable[Line]:
    times: Counter[tuple[str, str, int]] = Counter()
    for report in reports:
        route = names.routes.get(report.part)
        placed = route is not None and report.operation in route.operations
        at = int(report.completed.timestamp())
        times[report.kind, report.operation, at] += 1
        line: Line = {
            "at": iso(report.completed),
            "id": _line_id(
                at, f"{report.kind} {report.operation} {times[report.kind, report.operation, at]}"
            ),
            "station": names.stations[report.operation],
            "event": EVENTS[report.kind],
            "started_at": iso(report.started),
            "ended_at": iso(report.completed),
        }
        if placed:
            line["part"] = names.number(report.part, report.operation)
        line["by"] = names.people[report.worker]
        yield line
