"""The one call of every door for tags: counts what a reader sent, makes the scans that come of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jitapp.accounts.models import Device
from jitapp.kanban.names import folded
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.models import Placement
from jitapp.pull.scan_request import Source
from jitapp.tags.binding import bind_at_places
from jitapp.tags.firing import Shown, fire, told_bound, told_unknown
from jitapp.tags.models import Reader
from jitapp.tags.reads import Batch
from jitapp.tags.taking import Taken, UnknownReader, take
from jitapp.tags.words import Purpose


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a body: its counts, and what stations' screens are to be told."""

    reader: str
    taken: Taken
    shown: list[Shown]


def receive(batch: Batch, *, reader_id: int, name: str, now: datetime) -> Received:
    """Counts the reads and makes the scans. Raises UnknownReader, and what the store raises: then the body is to be
    sent again, which makes nothing twice."""
    taken = take(batch, reader_id=reader_id, now=now)
    shown = fire(taken.due, now=now) if taken.due else []
    shown += told_unknown(taken.arrived)
    if any(visit.point.purpose == Purpose.BIND for visit in taken.arrived):
        shown += [told_bound(point, tag, card.code, now) for point, tag, card in bind_at_places(now=now)]
    return Received(name, taken, shown)


def reader_for(source: Source, name: str) -> tuple[int, str]:
    """(id, name) of the reader that a device sends for: itself, or, for a gateway, another reader of its plant. A
    device that stands at a station sends for nobody else. Raises UnknownReader."""
    if source.device_id is None:
        raise UnknownReader(name)
    if not name or folded(name) == folded(source.name):
        return source.device_id, source.name
    if source.fixed:
        raise UnknownReader(name)
    placed = Placement.objects.filter(
        plant_id__in=source.plant_ids,
        device__active=True,
        device__kind__in=[DeviceKind.READER, DeviceKind.SCANNER],
    )
    for device_id, device in placed.values_list("device_id", "device__name"):
        if folded(device) == folded(name):
            return device_id, device
    raise UnknownReader(name)


def reader_named(name: str) -> tuple[int, str]:
    """(id, name) of a reader for a process of ours that needs no token. Raises UnknownReader."""
    for device in Device.objects.filter(active=True, kind=DeviceKind.READER):
        if folded(device.name) == folded(name):
            return device.pk, device.name
    raise UnknownReader(name)


def adapter_name(reader_id: int) -> str:
    """The adapter that a reader's settings name."""
    found = Reader.objects.filter(pk=reader_id).values_list("adapter", flat=True).first()
    return found or "plain"
