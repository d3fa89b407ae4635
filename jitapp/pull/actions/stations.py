"""What happens to a station itself: a changeover, a breakdown, a report."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from jitapp.plant.models import Station
from jitapp.pull.models import Event
from jitapp.pull.requests import Source

KINDS = ("changeover", "breakdown", "report")


def record_station_event(
    *,
    station_id: int,
    kind: str,
    started_at: datetime,
    ended_at: datetime,
    data: dict[str, Any],
    now: datetime,
    source: Source,
) -> Event:
    """Appends `station.<kind>` to the ledger with its span in minutes; ValueError for a span that runs backwards."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no station event. Use one of: {', '.join(KINDS)}.")
    if ended_at < started_at:
        raise ValueError("The event ends before it begins. Give the later instant as its end.")
    station = Station.objects.get(pk=station_id)
    minutes = (ended_at - started_at).total_seconds() / 60
    return Event.objects.create(
        type=f"station.{kind}",
        plant_id=station.plant_id,
        station=station,
        person_id=source.person_id,
        device_id=source.device_id,
        occurred_at=min(started_at, now),
        recorded_at=now,
        data={
            "started_at": started_at.isoformat(),
            "ended_at": ended_at.isoformat(),
            "minutes": round(minutes, 1),
        }
        | data,
    )
