"""What a page says of the work at a station: where it is described, and what must be ready before a start."""

from __future__ import annotations

from collections.abc import Iterable

from jitapp.plant.models import StandardWork, Station


def standard_work_of(station_id: int, parts: Iterable[str]) -> dict[str, str]:
    """The address per part number, as far as one is known; a part without its own gets the station's."""
    wanted = list(parts)
    own = dict(
        StandardWork.objects.filter(station_id=station_id, part__number__in=wanted).values_list(
            "part__number", "url"
        )
    )
    usual = Station.objects.filter(pk=station_id).values_list("standard_work", flat=True).first() or ""
    return {part: own.get(part, usual) for part in wanted if own.get(part, usual)}


def checks_of(station: Station) -> list[str]:
    """What must be ready before a start, for a page; nothing where the column holds no list."""
    written = station.readiness_checks
    return [str(check) for check in written] if isinstance(written, list) else []
