"""Which instants can be meant: those of years with which can be calculated in every time zone."""

from __future__ import annotations

from datetime import UTC, datetime

FIRST_YEAR, LAST_YEAR = 1970, 2999


def in_range(at: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError with a sentence for one that lies in none of these years; `at` has an
    offset."""
    try:
        found = at.astimezone(UTC)
    except OverflowError:
        found = at
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError(f"lies in the year {found.year}; only {FIRST_YEAR} to {LAST_YEAR} can be meant")
    return found
