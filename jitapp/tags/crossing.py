"""A tag that two readers hear at once is at one of them: which zones of others hear it, and which of them has it.

The rows of the other readers are read without their locks: two bodies that come in at the same instant may both find
nothing of each other. Then both give their signal, as two hands that scan one card at two places.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from jitapp.tags.models import ReadPoint, Sighting, Visit
from jitapp.tags.presence import Heard, Presence, is_elsewhere, is_seen_there
from jitapp.tags.words import Purpose


class Crossing:
    """Where all readers hear these tags."""

    def __init__(self, tag_ids: Iterable[int]) -> None:
        self._seen: dict[int, list[tuple[int, Presence]]] = {}  # tag -> (reader, presence)
        for row in Sighting.objects.filter(tag_id__in=set(tag_ids), visit__gt=0).exclude(zone=0):
            self._seen.setdefault(row.tag_id, []).append((row.reader_id, presence_of(row)))
        zones = {presence.zone for seen in self._seen.values() for _, presence in seen}
        rows = ReadPoint.objects.filter(pk__in=zones, active=True).values_list("pk", "purpose")
        self._purposes = dict(rows)

    def zones(self, visit: Visit, at: float) -> list[int]:
        """The zones of other readers that hear the tag at this instant."""
        return [there.zone for there in self._elsewhere(visit) if is_seen_there(there, at)]

    def holds(self, visit: Visit, at: float) -> bool:
        """Whether the tag is at another reader's zone that gives signals, and not at this one."""
        here = self._here(visit)
        return any(
            self._purposes[there.zone] == Purpose.SIGNAL
            and is_elsewhere(here, there, at, visit.point.margin_db)
            for there in self._elsewhere(visit)
        )

    def last(self, visit: Visit) -> float:
        """When the zone heard the tag last; its arrival, if nothing is known any more."""
        here = self._here(visit)
        return visit.arrived_at.timestamp() if here is None else here.at

    def _here(self, visit: Visit) -> Heard | None:
        seen = self._seen.get(visit.tag_id, [])
        mine = next((presence for reader, presence in seen if reader == visit.point.reader_id), None)
        return None if mine is None else mine.heard.get(visit.point_id)

    def _elsewhere(self, visit: Visit) -> list[Presence]:
        return [
            presence
            for reader, presence in self._seen.get(visit.tag_id, [])
            if reader != visit.point.reader_id and presence.zone in self._purposes
        ]


def presence_of(row: Sighting) -> Presence:
    """The row as the rules know it."""
    heard = msgspec.convert({int(zone): each for zone, each in row.heard.items()}, dict[int, Heard])
    return Presence(
        row.zone, row.visit, row.present, row.came_from, row.first, row.last, row.reads, row.best, heard
    )
