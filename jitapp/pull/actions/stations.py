"""What happens to a station itself: a changeover, a breakdown, nobody there, a planned stop, a report.

News of it may come late, as a span that is over already; or it begins now and ends when somebody says so. Either way
the ledger has it, and `pull_stationstate` its present fold, from which waits are cut.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from jitapp.kanban.book import facts_of
from jitapp.kanban.events.stations import SPANS, Changeover, StandsStill
from jitapp.kanban.waits import Halt
from jitapp.plant.models import Station
from jitapp.pull.models import Event, StationState
from jitapp.pull.scan_request import Source, escaped

# What of it keeps the station from its work.
STATES: dict[str, Halt] = {
    "changeover": Halt.SETUP,
    "breakdown": Halt.DOWN,
    "no_operator": Halt.NO_OPERATOR,
    "planned_stop": Halt.PLANNED_STOP,
}
# What people may begin and end by hand; a changeover has its own beginning, with its part families.
BY_HAND: dict[str, str] = {
    Halt.DOWN: "breakdown",
    Halt.NO_OPERATOR: "no_operator",
    Halt.PLANNED_STOP: "planned_stop",
}
NOTE_LIMIT = 200


class StateRefused(ValueError):
    """`code` is stable: unknown_station, wrong_device_station, unknown_kind, state_not_running or span_backwards."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def record_station_event(
    *,
    station_id: int,
    kind: str,
    started_at: datetime,
    ended_at: datetime,
    now: datetime,
    source: Source,
    **facts: str,
) -> Event:
    """Appends `station.<kind>` to the ledger with its span in minutes; `facts` are further members of its event.

    ValueError for an unknown kind and for a span that runs backwards.
    """
    if kind not in SPANS:
        raise ValueError(f"{kind!r} is no station event. Use one of: {', '.join(SPANS)}.")
    if ended_at < started_at:
        raise ValueError("The event ends before it begins. Give the later instant as its end.")
    station = Station.objects.get(pk=station_id)
    event_type = SPANS[kind]
    if event_type is Changeover:
        facts = {"from_family": "", "to_family": ""} | facts
    minutes = (ended_at - started_at).total_seconds() / 60
    with transaction.atomic():
        event = Event.objects.create(
            type=event_type.type,
            plant_id=station.plant_id,
            station=station,
            person_id=source.person_id,
            device_id=source.device_id,
            occurred_at=min(started_at, now),
            recorded_at=now,
            data=facts_of(
                event_type(started_at=started_at, ended_at=ended_at, minutes=round(minutes, 1), **facts)
            ),
        )
        if kind in STATES:
            StationState.objects.update_or_create(
                uuid=UUID(facts["began"]) if facts.get("began") else event.uuid,
                defaults={"ended_at": ended_at},
                create_defaults={
                    "station": station,
                    "kind": STATES[kind],
                    "began_at": started_at,
                    "ended_at": ended_at,
                    "note": facts.get("note", ""),
                },
            )
    return event


def began(event: Event, station: Station, kind: Halt, note: str = "") -> None:
    """Keeps that the station is in this state from the event on, inside the transaction that wrote it."""
    StationState.objects.create(
        uuid=event.uuid, station=station, kind=kind, began_at=event.occurred_at, note=note
    )


def begin_state(
    *,
    station: str,
    kind: str,
    now: datetime,
    source: Source,
    note: str = "",
    began_at: datetime | None = None,
) -> None:
    """The station stands still from now on, or since `began_at`; begun again it changes nothing.

    Raises StateRefused.
    """
    if kind not in BY_HAND:
        raise StateRefused("unknown_kind")
    with transaction.atomic():
        place = locked(station, source, StateRefused)
        if StationState.objects.filter(station=place, kind=kind, ended_at__isnull=True).exists():
            return
        said = escaped(note.strip())[:NOTE_LIMIT]
        event = Event.objects.create(
            type=StandsStill.type,
            plant_id=place.plant_id,
            station=place,
            person_id=source.person_id,
            device_id=source.device_id,
            occurred_at=min(began_at or now, now),
            recorded_at=now,
            data=facts_of(StandsStill(state=kind, note=said)),
        )
        began(event, place, Halt(kind), said)


def end_state(
    *, station: str, kind: str, now: datetime, source: Source, ended_at: datetime | None = None
) -> None:
    """It works again, from now on or since `ended_at`: the span is written with its minutes. Raises StateRefused."""
    if kind not in BY_HAND:
        raise StateRefused("unknown_kind")
    with transaction.atomic():
        place = locked(station, source, StateRefused)
        running = StationState.objects.filter(station=place, kind=kind, ended_at__isnull=True).first()
        if running is None:
            raise StateRefused("state_not_running")
        end = min(ended_at or now, now)
        if end < running.began_at:
            raise StateRefused("span_backwards")
        record_station_event(
            station_id=place.pk,
            kind=BY_HAND[kind],
            started_at=running.began_at,
            ended_at=end,
            began=str(running.uuid),
            note=running.note,
            now=now,
            source=source,
        )


def record_state(
    *,
    station: str,
    kind: str,
    began_at: datetime,
    ended_at: datetime,
    now: datetime,
    source: Source,
    note: str = "",
) -> None:
    """A state that is over already, told late. Raises StateRefused."""
    if kind not in BY_HAND:
        raise StateRefused("unknown_kind")
    if ended_at < began_at or began_at > now:
        raise StateRefused("span_backwards")
    with transaction.atomic():
        place = locked(station, source, StateRefused)
        record_station_event(
            station_id=place.pk,
            kind=BY_HAND[kind],
            started_at=began_at,
            ended_at=min(ended_at, now),
            note=escaped(note.strip())[:NOTE_LIMIT],
            now=now,
            source=source,
        )


def locked(station: str, source: Source, refused: Callable[[str], ValueError]) -> Station:
    """The station behind a code, locked; only what its device stands at, if that is fixed to one."""
    found = (
        Station.objects.select_for_update(no_key=True)
        .filter(code=station, plant_id__in=source.plant_ids)
        .first()
    )
    if found is None:
        raise refused("unknown_station")
    if source.fixed and source.station_id not in (None, found.pk):
        raise refused("wrong_device_station")
    return found
