"""The codes of a converted log: of its plant, stations, parts, loops and people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from jitapp.workshop.floor_log import Report
from jitapp.workshop.floor_routes import CUSTOMER, RAW, Link, Route

PLANT = "MACHINE-SHOP"
SUPPLIER = "RAW-MATERIAL"
SUPPLIER_STATION = "RAW-SUPPLIER"
SHIPPING_STATION = "CUSTOMER-DOCK"


def slug(name: str) -> str:
    """A code from a name: `Turning & Milling - Machine 4` gives TURNING-MILLING-M4."""
    plain = re.sub(r"\bMachine\s+(?=\d)", "M", name).upper().replace(".", "")
    return re.sub(r"[^A-Z0-9]+", "-", plain).strip("-")[:40].strip("-") or "X"


class Names:
    """Codes made from the names of the log: unique, and the same for the same log."""

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


def iso(moment: datetime) -> str:
    """The instant in UTC, to the second, as the files hold it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")
