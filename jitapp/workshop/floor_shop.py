"""A log as a shop and its scans: the file for `load_shop`, the lines for `replay`, and what was counted."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from jitapp.workshop.floor_cards import (
    CUSTOMER_PERSON,
    HANDLER,
    CardScan,
    first_states,
    scan_the_log,
)
from jitapp.workshop.floor_log import Report, ReportKind
from jitapp.workshop.floor_routes import CUSTOMER, RAW, Link, Route, find_routes
from jitapp.workshop.floor_sizes import RAW_LEAD_MINUTES, Size, container_sizes, loop_sizes, wip_limits

PLANT = "MACHINE-SHOP"
SUPPLIER = "RAW-MATERIAL"
SUPPLIER_STATION = "RAW-SUPPLIER"
SHIPPING_STATION = "CUSTOMER-DOCK"
SUPPLIER_STEPS = ("IN_PROCESS", "COMPLETED", "IN_TRANSIT")
EVENTS = {
    ReportKind.SETUP: "changeover",
    ReportKind.BREAKDOWN: "breakdown",
    ReportKind.PRODUCTION: "report",
}


@dataclass(frozen=True)
class Conversion:
    """A converted log: the shop file, the scan log, and the figures to report."""

    shop: dict[str, Any]
    lines: list[dict[str, Any]]
    figures: dict[str, int]


def convert(reports: Sequence[Report], container: int | None = None) -> Conversion:
    """Derive shop and scans. `container`: pieces a container holds, for all parts; None: by the orders."""
    reports = sorted(reports, key=lambda report: (report.completed, report.line))
    routes = find_routes(reports)
    quantities = container_sizes(reports, container)
    sizes = loop_sizes(routes, reports, quantities)
    limits = wip_limits(reports)
    names = _Names(routes, reports)
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
    return Conversion(_shop(routes, reports, sizes, limits, names), lines, figures)


def slug(name: str) -> str:
    """A code from a name: `Turning & Milling - Machine 4` gives TURNING-MILLING-M4."""
    plain = re.sub(r"\bMachine\s+(?=\d)", "M", name).upper().replace(".", "")
    return re.sub(r"[^A-Z0-9]+", "-", plain).strip("-")[:40].strip("-") or "X"


class _Names:
    """The codes of everything: from the names of the log, unique, and the same for the same log."""

    def __init__(self, routes: Mapping[str, Route], reports: Sequence[Report]) -> None:
        workers = dict.fromkeys(report.worker for report in reports)
        self.people = {worker: f"worker-{number:03}" for number, worker in enumerate(workers, start=1)}
        self.stations = _unique(dict.fromkeys(report.operation for report in reports))
        self.parts = _unique(routes)
        self.routes = routes

    def station(self, operation: str) -> str:
        """The station's code."""
        return {RAW: SUPPLIER_STATION, CUSTOMER: SHIPPING_STATION}.get(operation) or self.stations[operation]

    def step(self, part: str, operation: str) -> str:
        """RAW, 010, 020 ... or SHIP: the place on the part's route."""
        if operation == RAW:
            return "RAW"
        return "SHIP" if operation == CUSTOMER else f"{self.routes[part].place(operation) * 10 + 10:03}"

    def number(self, part: str, operation: str) -> str:
        """The part number after an operation."""
        return f"{self.parts[part]}-{self.step(part, operation)}"

    def loop(self, link: Link) -> str:
        """The loop's code."""
        return f"L-{self.number(link.part, link.before)}-{self.step(link.part, link.after)}"


def _unique(names: Iterable[str]) -> dict[str, str]:
    taken: set[str] = {SUPPLIER_STATION, SHIPPING_STATION}
    codes = {}
    for name in names:
        code, again = slug(name), 1
        while code in taken:
            again += 1
            code = f"{slug(name)}-{again}"
        taken.add(code)
        codes[name] = code
    return codes


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _line_id(at: int, facts: str) -> str:
    """A UUID version 7 of the log's time and a hash: one log gives the same ids, in the order of time."""
    noise = int.from_bytes(hashlib.sha256(facts.encode()).digest()[:10])
    return str(
        UUID(int=(at * 1000) << 80 | 7 << 76 | (noise >> 68 & 0xFFF) << 64 | 2 << 62 | noise & (1 << 62) - 1)
    )


def _scan_lines(scans: Iterable[CardScan], names: _Names) -> Iterable[dict[str, Any]]:
    times: Counter[tuple[str, int]] = Counter()
    for scan in scans:
        loop = names.loop(scan.link)
        times[loop, scan.card] += 1
        line: dict[str, Any] = {
            "at": _iso(datetime.fromtimestamp(scan.at, UTC)),
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


def _station_lines(reports: Iterable[Report], names: _Names) -> Iterable[dict[str, Any]]:
    times: Counter[tuple[str, str, int]] = Counter()
    for report in reports:
        route = names.routes.get(report.part)
        placed = route is not None and report.operation in route.operations
        at = int(report.completed.timestamp())
        times[report.kind, report.operation, at] += 1
        yield {
            "at": _iso(report.completed),
            "id": _line_id(
                at, f"{report.kind} {report.operation} {times[report.kind, report.operation, at]}"
            ),
            "station": names.stations[report.operation],
            "event": EVENTS[report.kind],
            "started_at": _iso(report.started),
            "ended_at": _iso(report.completed),
            **({"part": names.number(report.part, report.operation)} if placed else {}),
            "by": names.people[report.worker],
        }


def _shop(
    routes: Mapping[str, Route],
    reports: Sequence[Report],
    sizes: Mapping[Link, Size],
    limits: Mapping[str, int],
    names: _Names,
) -> dict[str, Any]:
    families = _families(names.stations)
    areas = {family: f"{PLANT}-{slug(family)}" for family in dict.fromkeys(families.values())}
    logistics = f"{PLANT}-LOGISTICS"
    machines = _machines(reports)
    plant = {
        "code": PLANT,
        "name": "Machine shop of the log",
        "time_zone": "UTC",
        # The log has reports at every hour of every day of the week, so every minute is a working minute.
        "calendars": [
            {"code": "ROUND-THE-CLOCK", "name": "Every minute", "default": True, "shifts": [], "holidays": []}
        ],
        "areas": [
            *(
                {"code": code, "name": family, "leader": f"leader-{slug(family).lower()}"}
                for family, code in areas.items()
            ),
            {"code": logistics, "name": "Stores and dock", "leader": "leader-logistics"},
        ],
        "suppliers": [
            {
                "code": SUPPLIER,
                "name": "Supplier of raw material",
                "calendar": "ROUND-THE-CLOCK",
                "ack_within_minutes": RAW_LEAD_MINUTES,
            }
        ],
        "people": _people(areas, names),
        "stations": [
            {
                "code": SUPPLIER_STATION,
                "name": "Supplier of raw material",
                "area": logistics,
                "kind": "SUPPLIER",
                "supplier": SUPPLIER,
                "position": 0,
            },
            *(
                {
                    "code": code,
                    "name": f"{operation} ({machines[operation]})"[:120],
                    "area": areas[families[operation]],
                    "kind": "PROCESS",
                    "wip_limit": limits[operation],
                    "consumption": "SCAN",
                    "position": position,
                }
                for position, (operation, code) in enumerate(_along_the_flow(names), start=1)
            ),
            {
                "code": SHIPPING_STATION,
                "name": "Customer's dock",
                "area": logistics,
                "kind": "SHIPPING",
                "consumption": "SCAN",
                "position": len(names.stations) + 1,
            },
        ],
        "parts": [
            {
                "number": names.number(part, operation),
                "description": _after(part, operation),
                "unit": "pcs",
                "decimals": 0,
            }
            for part, route in routes.items()
            for operation in (RAW, *route.operations)
        ],
        "bills": _bills(routes, reports, names),
        "loops": [
            {
                "code": names.loop(link),
                "part": names.number(link.part, link.before),
                "demand": names.station(link.after),
                "supply": names.station(link.before),
                "kind": "SUPPLIER" if link.before == RAW else "PRODUCTION",
                "cards": size.cards,
                "quantity": str(size.quantity),
                "lead_time_minutes": size.lead_minutes,
                "consume_at": "START",
                "first": _shortly(first_states(link, size.cards)),
                # Raw material simply arrives: the log knows of no promise, no shipment and no lorry.
                **({"sequence": dict.fromkeys(SUPPLIER_STEPS, "PROHIBITED")} if link.before == RAW else {}),
            }
            for link, size in sizes.items()
        ],
    }
    first_at = min(report.started for report in reports)
    return {"shop": 1, "first_at": _iso(first_at), "plants": [plant]}


def _along_the_flow(names: _Names) -> list[tuple[str, str]]:
    """Operations and their stations, upstream first: by the mean place on the routes, from 0 to 1."""

    def place(operation: str) -> tuple[Fraction, str]:
        places = [
            Fraction(route.place(operation) + 1, len(route.operations))
            for route in names.routes.values()
            if operation in route.operations
        ]
        return (sum(places, Fraction(0)) / len(places) if places else Fraction(1), operation)

    return sorted(names.stations.items(), key=lambda station: place(station[0]))


def _shortly(states: list[str]) -> str | list[str]:
    """One word where all cards begin alike."""
    return states[0] if len(set(states)) == 1 else states


def _after(part: str, operation: str) -> str:
    return (f"{part}, raw material" if operation == RAW else f"{part} after {operation}")[:200]


def _families(stations: Iterable[str]) -> dict[str, str]:
    """The area of each operation: inspections together, the others by the words before the machine."""
    return {
        operation: "Quality" if re.search(r"Q\.?C\b", operation) else operation.split(" - ")[0].strip()
        for operation in stations
    }


def _machines(reports: Iterable[Report]) -> dict[str, str]:
    """The machine each operation was reported at most often."""
    machines: dict[str, Counter[str]] = {}
    for report in reports:
        machines.setdefault(report.operation, Counter())[report.machine] += 1
    return {operation: counts.most_common(1)[0][0] for operation, counts in machines.items()}


def _people(areas: Mapping[str, str], names: _Names) -> list[dict[str, str]]:
    def person(username: str, role: str) -> dict[str, str]:
        return {
            "username": username,
            "name": username.replace("-", " ").capitalize(),
            "role": role,
            "badge": f"{PLANT}-{username}",
        }

    return [
        *(person(username, "operator") for username in names.people.values()),
        *(person(f"leader-{slug(family).lower()}", "leader") for family in areas),
        person("leader-logistics", "leader"),
        person(HANDLER, "handler"),
        person(CUSTOMER_PERSON, "operator"),
        person("planner-1", "planner"),
        person("buyer-1", "buyer"),
    ]


def _bills(routes: Mapping[str, Route], reports: Iterable[Report], names: _Names) -> list[dict[str, Any]]:
    """Where several operations feed one, the bill gives each its share of the pieces, one in sum."""
    used: Counter[Link] = Counter()
    for report in reports:
        route = routes.get(report.part)
        link = route.fed_by(report.order, report.operation) if route else None
        if link is not None:
            used[link] += report.used
    bills = []
    for part, route in routes.items():
        for operation in route.operations:
            feeding = [link for link in route.links if link.after == operation]
            shares = _shares([used[link] for link in feeding])
            bills.append(
                {
                    "part": names.number(part, operation),
                    "components": [
                        {"part": names.number(part, link.before), "quantity": share}
                        for link, share in zip(feeding, shares, strict=True)
                    ],
                }
            )
    return bills


def _shares(pieces: Sequence[int]) -> list[str]:
    """Shares with six decimals, none of them 0, one in sum: the largest takes what rounding left."""
    whole = sum(pieces) or len(pieces)
    parts = [max(Decimal("0.000001"), _six(Fraction(count, whole))) for count in pieces]
    largest = max(range(len(parts)), key=lambda place: parts[place])
    parts[largest] += 1 - sum(parts)
    return [format(part.normalize(), "f") for part in parts]


def _six(share: Fraction) -> Decimal:
    return Decimal(round(share * 10**6)).scaleb(-6)
