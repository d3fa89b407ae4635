"""Takes in what a reader sends: one transaction per body, the reader's row locked, so that several processes see one
presence. What is to become a scan is a row (`Visit.signal`) when it ends; firing.py makes the scan of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from django.db import transaction
from django.db.models import F

from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.models import Placement
from jitapp.pull.retry import retried
from jitapp.tags import known, signals
from jitapp.tags.clock import Clock
from jitapp.tags.crossing import presence_of
from jitapp.tags.identity import identity_of
from jitapp.tags.models import Reader, ReadPoint, Sighting, Tag, Visit
from jitapp.tags.presence import Arrived, Change, Left, Presence, Zone, hear
from jitapp.tags.reads import Batch, Read, Refusal, Unusable
from jitapp.tags.words import Purpose, Signal

MOST_ANTENNAS_NAMED = 64
KEPT = ("zone", "visit", "present", "came_from", "first", "last", "reads", "best", "heard")


@dataclass(slots=True)
class Taken:
    """What became of a body: how many reads came, were used, were refused (each by name), count for nothing because
    they are too weak or too late, or belong to no zone; which visits began and ended, and which scans are due."""

    received: int = 0
    used: int = 0
    weak_or_late: int = 0
    without_zone: int = 0
    refused: list[Refusal] = field(default_factory=list)
    arrived: list[Visit] = field(default_factory=list)
    left: int = 0
    new_tags: int = 0

    @property
    def due(self) -> list[int]:
        """The visits whose scans are to be made."""
        arrived = [visit.pk for visit in self.arrived if visit.signal == Signal.DUE]
        return arrived + self.released + self.due_on_leaving

    released: list[int] = field(default_factory=list)
    due_on_leaving: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Zones:
    """The active read points of a reader."""

    points: dict[int, ReadPoint]
    settings: dict[int, Zone]
    by_antenna: dict[int, int]
    rest: int | None  # the point of all other antennas

    def of(self, antenna: int | None) -> Zone | None:
        """The zone of an antenna; a reader that names none has one zone, or its first."""
        found = self.by_antenna.get(antenna) if antenna is not None else None
        if found is None:
            found = self.rest
        if found is None and antenna is None and len(self.points) == 1:
            found = next(iter(self.points))
        return self.settings[found] if found is not None else None


class UnknownReader(LookupError):
    """No device of that name may send tags for this plant."""


def take(batch: Batch, *, reader_id: int, now: datetime) -> Taken:
    """Counts the reads of a body. Raises UnknownReader for a device that stands in no plant or was revoked, and what
    the store raises: then nothing was counted, and the body is to be sent again."""
    return retried(lambda: _taken(batch, reader_id, now))


def _taken(batch: Batch, reader_id: int, now: datetime) -> Taken:
    with transaction.atomic():
        reader = locked_reader(reader_id)
        zones = zones_of(reader)
        taken = Taken(received=batch.received, refused=list(batch.refused))
        offset = _note_clock(reader, batch, now)
        usable = _sorted(batch, offset, now, zones, taken, reader)
        tags = known.tags_of({identity: read.epc for _, _, read, identity, _ in usable}, reader, now)
        sightings = _sightings(reader, [tag.pk for tag in tags.values()])
        changes = _fold(usable, tags, sightings, zones, taken)
        save_sightings(reader, sightings)
        taken.released = signals.release(reader, sightings)
        _note_visits(reader, zones, changes, taken, now)
        taken.new_tags = sum(tag.first_seen_at == now for tag in tags.values())
        _note_reader(reader, taken, now)
    return taken


# -- the reader ---------------------------------------------------------------------------------------------
def locked_reader(device_id: int) -> Reader:
    """The reader's row under its lock; made with the first body of a device that stands in a plant. Raises
    UnknownReader, also for a device that was revoked: a connection that we keep ourselves shows no token."""
    rows = Reader.objects.select_related("device").select_for_update(of=("self",))
    found = rows.filter(pk=device_id).first()
    if found is not None:
        if not found.device.active:
            raise UnknownReader(found.device.name)
        return found
    placement = Placement.objects.filter(device_id=device_id, device__active=True).first()
    if placement is None:
        raise UnknownReader(device_id)
    Reader.objects.bulk_create(
        [Reader(device_id=device_id, plant_id=placement.plant_id)], ignore_conflicts=True
    )
    return rows.get(pk=device_id)


def reader_of(device_id: int) -> Reader | None:
    """The reader as it is known; one that has sent nothing yet is not saved. None for what is no reader of a plant."""
    found = Reader.objects.select_related("device").filter(pk=device_id).first()
    if found is not None:
        return found
    placement = (
        Placement.objects.select_related("device")
        .filter(device_id=device_id, device__kind=DeviceKind.READER, device__active=True)
        .first()
    )
    return Reader(device=placement.device, plant_id=placement.plant_id) if placement is not None else None


def zones_of(reader: Reader) -> Zones:
    """The reader's active zones. A reader without any gets one for all its antennas: a signal of the usual step if it
    stands at a station, else it only watches."""
    rows = list(ReadPoint.objects.filter(reader=reader).order_by("pk"))
    if not rows:
        placement = Placement.objects.filter(device_id=reader.pk).first()
        station = placement.station_id if placement is not None else None
        rows = [
            ReadPoint.objects.create(
                reader=reader,
                name="all antennas",
                station_id=station,
                intent=placement.intent if placement is not None else "",
                purpose=Purpose.SIGNAL if station else Purpose.WATCH,
            )
        ]
    points = {row.pk: row for row in rows if row.active}
    by_antenna = {antenna: pk for pk, row in points.items() for antenna in row.antennas}
    rest = next((pk for pk, row in points.items() if not row.antennas), None)
    return Zones(points, {pk: _zone(row) for pk, row in points.items()}, by_antenna, rest)


def _zone(point: ReadPoint) -> Zone:
    return Zone(
        point.pk,
        point.silence_ms / 1000,
        point.enter_reads,
        point.enter_rssi,
        point.floor_rssi,
        point.margin_db,
    )


def _note_clock(reader: Reader, batch: Batch, now: datetime) -> float:
    """What must be added to the instants of this reader, in seconds."""
    clock = msgspec.convert(reader.clock, Clock) if reader.clock else Clock()
    delays = [((read.came or now) - read.at).total_seconds() for read in batch.reads if read.at is not None]
    if batch.sent_at is not None:
        delays = [(now - batch.sent_at).total_seconds()]
    if delays:
        clock.told(min(delays), now.timestamp())
        reader.clock = msgspec.to_builtins(clock)
    reader.clock_error_ms = round(-1000 * clock.offset)
    return clock.offset


def _note_reader(reader: Reader, taken: Taken, now: datetime) -> None:
    reader.heard_at = now
    if taken.received:
        reader.read_at = now
    reader.reads += taken.received
    reader.refused += len(taken.refused)
    if taken.refused:
        reader.trouble, reader.trouble_at = taken.refused[-1].detail[:300], now
    reader.save(
        update_fields=[
            *("clock", "clock_error_ms", "heard_at", "read_at", "reads", "refused"),
            *("zoneless", "trouble", "trouble_at"),
        ]
    )


def note_trouble(reader_id: int, detail: str, now: datetime) -> None:
    """A message of which nothing could be read: it is counted, and said on the reader's page."""
    Reader.objects.filter(pk=reader_id).update(
        refused=F("refused") + 1, trouble=detail[:300], trouble_at=now, heard_at=now
    )


# -- the reads ----------------------------------------------------------------------------------------------
_Usable = tuple[float, Zone, Read, str, int]


def _sorted(
    batch: Batch, offset: float, now: datetime, zones: Zones, taken: Taken, reader: Reader
) -> list[_Usable]:
    """The usable reads in the order of their instants by our clock, none after now, with their zone and tag."""
    latest = now.timestamp()
    found: list[_Usable] = []
    for place, read in enumerate(batch.reads):
        try:
            identity = identity_of(read.epc, read.pc)
        except Unusable as error:
            taken.refused.append(Refusal(place, error.code, error.detail))
            continue
        zone = zones.of(read.antenna)
        if zone is None:
            taken.without_zone += 1
            _note_antenna(reader, read.antenna)
            continue
        at = min((read.came or now).timestamp() if read.at is None else read.at.timestamp() + offset, latest)
        found.append((at, zone, read, identity, place))
    found.sort(key=lambda each: each[0])
    return found


def _note_antenna(reader: Reader, antenna: int | None) -> None:
    """Reads of an antenna that belongs to no zone are counted, so that somebody sees them."""
    name = "-" if antenna is None else str(antenna)
    if name in reader.zoneless or len(reader.zoneless) < MOST_ANTENNAS_NAMED:
        reader.zoneless[name] = int(reader.zoneless.get(name, 0)) + 1


def _sightings(reader: Reader, tag_ids: list[int]) -> dict[int, Presence]:
    """Where the tags are by what is known, by tag."""
    rows = Sighting.objects.filter(reader=reader, tag_id__in=tag_ids)
    found = {row.tag_id: presence_of(row) for row in rows}
    return {tag_id: found.get(tag_id) or Presence() for tag_id in tag_ids}


def _fold(
    usable: list[_Usable],
    tags: dict[str, Tag],
    sightings: dict[int, Presence],
    zones: Zones,
    taken: Taken,
) -> list[tuple[Tag, Change]]:
    """All reads folded into the presences; what changed, in its order."""
    changes: list[tuple[Tag, Change]] = []
    for at, zone, read, identity, place in usable:
        tag = tags.get(identity)
        if tag is None:
            taken.refused.append(Refusal(place, "inbox_full", known.INBOX_FULL))
            continue
        presence = sightings[tag.pk]
        told = hear(presence, zone, at, read.rssi, zones.settings)
        if told is None:
            taken.weak_or_late += 1
            continue
        taken.used += 1
        changes += [(tag, change) for change in told]
    return changes


def save_sightings(reader: Reader, sightings: dict[int, Presence]) -> None:
    """Writes where the tags are now, in one statement."""
    rows = [
        Sighting(reader=reader, tag_id=tag_id, **fields_of(presence))
        for tag_id, presence in sorted(sightings.items())
    ]
    Sighting.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["reader", "tag"], update_fields=list(KEPT)
    )


def fields_of(presence: Presence) -> dict[str, object]:
    """The presence as its row keeps it."""
    fields = {name: getattr(presence, name) for name in KEPT}
    return fields | {"heard": msgspec.to_builtins(presence.heard, str_keys=True)}


# -- what changed -------------------------------------------------------------------------------------------
def instant(at: float) -> datetime:
    """Seconds since 1970 as an instant."""
    return datetime.fromtimestamp(at, UTC)


def _note_visits(
    reader: Reader,
    zones: Zones,
    changes: list[tuple[Tag, Change]],
    taken: Taken,
    now: datetime,
) -> None:
    """Visits that began and ended, and what becomes of each."""
    begun: dict[tuple[int, int], Visit] = {}
    ended: list[tuple[Tag, Left]] = []
    for tag, change in changes:
        if isinstance(change, Arrived):
            begun[tag.pk, change.visit] = Visit(
                point=zones.points[change.zone],
                tag=tag,
                card_id=tag.card_id,
                number=change.visit,
                arrived_at=instant(change.at),
            )
        else:
            ended.append((tag, change))
    signals.decide(list(begun.values()), reader, now)
    taken.arrived = Visit.objects.bulk_create(list(begun.values()))
    taken.left = len(ended)
    taken.due_on_leaving = signals.leave([(change, tag.pk) for tag, change in ended])
    known.note_seen(taken.arrived, reader, now)
