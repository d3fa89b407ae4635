"""A station changes over from one part family to another: its beginning and its end, by the clock of the wall."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from jitapp.kanban.book import facts_of
from jitapp.kanban.events.stations import ChangeoverBegan
from jitapp.kanban.waits import Halt
from jitapp.pull.actions.stations import began, locked, record_station_event
from jitapp.pull.models import Event
from jitapp.pull.reading.changeovers import running_event
from jitapp.pull.scan_request import Source, escaped

FAMILY_LIMIT = 60


class ChangeoverRefused(ValueError):
    """`code` is stable: unknown_station, wrong_device_station, family_missing, changeover_running or
    changeover_not_running."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def begin_changeover(
    *, station: str, to_family: str, now: datetime, source: Source, from_family: str = ""
) -> Event:
    """Begins one. Begun again for the same family changes nothing; for another one it is refused."""
    target = escaped(to_family.strip())[:FAMILY_LIMIT]
    if not target:
        raise ChangeoverRefused("family_missing")
    with transaction.atomic():
        place = locked(station, source, ChangeoverRefused)
        running = running_event(place.pk)
        if running is not None:
            if running.data["to_family"] != target:
                raise ChangeoverRefused("changeover_running")
            return running
        event = Event.objects.create(
            type=ChangeoverBegan.type,
            plant_id=place.plant_id,
            station=place,
            person_id=source.person_id,
            device_id=source.device_id,
            occurred_at=now,
            recorded_at=now,
            data=facts_of(
                ChangeoverBegan(from_family=escaped(from_family.strip())[:FAMILY_LIMIT], to_family=target)
            ),
        )
        began(event, place, Halt.SETUP)
        return event


def finish_changeover(*, station: str, now: datetime, source: Source) -> Event:
    """Ends the one under way: `station.changeover` with its minutes. Raises ChangeoverRefused."""
    with transaction.atomic():
        place = locked(station, source, ChangeoverRefused)
        running = running_event(place.pk)
        if running is None:
            raise ChangeoverRefused("changeover_not_running")
        return record_station_event(
            station_id=place.pk,
            kind="changeover",
            started_at=running.occurred_at,
            ended_at=max(now, running.occurred_at),
            began=str(running.uuid),
            from_family=running.data.get("from_family", ""),
            to_family=running.data["to_family"],
            now=max(now, running.occurred_at),
            source=source,
        )
