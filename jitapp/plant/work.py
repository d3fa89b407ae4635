"""Where standard work is described: of a part at a station, else of the station."""

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
