"""Small logs of a shop for the tests of their conversion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from jitapp.workshop.floor_log import COLUMNS, Report, ReportKind, read_log
from jitapp.workshop.floor_routes import find_routes

SMALL = Path(__file__).parent.parent / "data" / "small-log.csv"
MONDAY = datetime(2024, 3, 4, 6, tzinfo=UTC)
HEADING = ",".join(COLUMNS)
LINE = "N-1,Lamp Foot,80,Sawing - Machine 1,Machine 1,W1,production,2024-03-04T06:00,2024-03-04T07:00,10,1"


def small() -> list[Report]:
    return read_log(SMALL.read_text().splitlines())


def report(
    operation: str,
    good: int,
    *,
    hour: float = 0,
    hours: float = 1,
    order: str = "N-1",
    rejected: int = 0,
    kind: ReportKind = ReportKind.PRODUCTION,
    size: int = 40,
) -> Report:
    """A report of lamp feet; `hour` counts from Monday, six o'clock, and gives the line its number."""
    started = MONDAY + timedelta(hours=hour)
    return Report(
        line=int(hour * 3600) + 2,
        order=order,
        part="Lamp Foot",
        order_quantity=size,
        operation=operation,
        machine=operation,
        worker="W1",
        kind=kind,
        started=started,
        completed=started + timedelta(hours=hours),
        good=good,
        rejected=rejected,
    )


def route_of(reports: list[Report]) -> tuple[str, ...]:
    return find_routes(reports)["Lamp Foot"].operations
