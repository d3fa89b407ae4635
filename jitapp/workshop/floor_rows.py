"""The shop of a converted log, as the rows of a shop file for `load_shop`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from jitapp.workshop.floor_cards import CUSTOMER_PERSON, HANDLER, first_states
from jitapp.workshop.floor_log import Report
from jitapp.workshop.floor_names import PLANT, SHIPPING_STATION, SUPPLIER, SUPPLIER_STATION, Names, iso, slug
from jitapp.workshop.floor_routes import RAW, Link, Route
from jitapp.workshop.floor_sizes import RAW_LEAD_MINUTES, Size

CALENDAR = "ROUND-THE-CLOCK"
LOGISTICS = f"{PLANT}-LOGISTICS"
SUPPLIER_STEPS = ("IN_PROCESS", "COMPLETED", "IN_TRANSIT")
Row = dict[str, object]  # a row of a shop file (docs/shop-files.md); load_shop checks it


def shop_file(
    routes: Mapping[str, Route],
    reports: Sequence[Report],
    sizes: Mapping[Link, Size],
    limits: Mapping[str, int],
    names: Names,
) -> dict[str, Any]:
    """The whole file. `limits`: the WIP limit of each operation; `sizes`: cards and pieces of each loop."""
    families = _families(names.stations)
    areas = {family: f"{PLANT}-{slug(family)}" for family in dict.fromkeys(families.values())}
    area_of = {operation: areas[family] for operation, family in families.items()}
    plant: Row = {
        "code": PLANT,
        "name": "Machine shop of the log",
        "time_zone": "UTC",
        # The log has reports at every hour of every day of the week, so every minute is a working minute.
        "calendars": [
            {"code": CALENDAR, "name": "Every minute", "default": True, "shifts": [], "holidays": []}
        ],
        "areas": [
            *(
                {"code": code, "name": family, "leader": f"leader-{slug(family).lower()}"}
                for family, code in areas.items()
            ),
            {"code": LOGISTICS, "name": "Stores and dock", "leader": "leader-logistics"},
        ],
        "suppliers": [
            {
                "code": SUPPLIER,
                "name": "Supplier of raw material",
                "calendar": CALENDAR,
                "ack_within_minutes": RAW_LEAD_MINUTES,
            }
        ],
        "people": _people(areas, names),
        "stations": _stations(reports, limits, names, area_of),
        "parts": _parts(routes, names),
        "bills": _bills(routes, reports, names),
        "loops": [_loop(link, size, names) for link, size in sizes.items()],
    }
    first_at = min(report.started for report in reports)
    return {"shop": 1, "first_at": iso(first_at), "plants": [plant]}


def _stations(
    reports: Iterable[Report], limits: Mapping[str, int], names: Names, area_of: Mapping[str, str]
) -> list[Row]:
    """The supplier, the operations along the flow, and the customer's dock."""
    machines = _machines(reports)
    supplier: Row = {
        "code": SUPPLIER_STATION,
        "name": "Supplier of raw material",
        "area": LOGISTICS,
        "kind": "SUPPLIER",
        "supplier": SUPPLIER,
        "position": 0,
    }
    operations: list[Row] = [
        {
            "code": code,
            "name": f"{operation} ({machines[operation]})"[:120],
            "area": area_of[operation],
            "kind": "PROCESS",
            "wip_limit": limits[operation],
            "consumption": "SCAN",
            "position": position,
        }
        for position, (operation, code) in enumerate(_along_the_flow(names), start=1)
    ]
    dock: Row = {
        "code": SHIPPING_STATION,
        "name": "Customer's dock",
        "area": LOGISTICS,
        "kind": "SHIPPING",
        "consumption": "SCAN",
        "position": len(names.stations) + 1,
    }
    return [supplier, *operations, dock]


def _parts(routes: Mapping[str, Route], names: Names) -> list[Row]:
    return [
        {
            "number": names.number(part, operation),
            "description": _after(part, operation),
            "unit": "pcs",
            "decimals": 0,
        }
        for part, route in routes.items()
        for operation in (RAW, *route.operations)
    ]


def _loop(link: Link, size: Size, names: Names) -> Row:
    row: Row = {
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
    }
    if link.before == RAW:  # the log knows of no promise, no shipment and no lorry
        row["sequence"] = dict.fromkeys(SUPPLIER_STEPS, "PROHIBITED")
    return row


def _along_the_flow(names: Names) -> list[tuple[str, str]]:
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


def _people(areas: Mapping[str, str], names: Names) -> list[dict[str, str]]:
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


def _bills(routes: Mapping[str, Route], reports: Iterable[Report], names: Names) -> list[Row]:
    """Where several operations feed one, the bill gives each its share of the pieces, one in sum."""
    used: Counter[Link] = Counter()
    for report in reports:
        route = routes.get(report.part)
        link = route.fed_by(report.order, report.operation) if route else None
        if link is not None:
            used[link] += report.used
    bills: list[Row] = []
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
