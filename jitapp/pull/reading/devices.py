"""How the devices of a plant are: seen when, what waits there, what never came in, how well they read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from jitapp.accounts.models import Device
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.models import Placement
from jitapp.pull.models import MissingScans

# Numbers that are missing for less may be on their way: another of the device's tabs may be sending them.
GRACE = timedelta(minutes=2)
LAST_READS = 200
# What the scanner garbled, cut or ran together; a maker's label is none of its faults.
BAD_READS = ("bad_check", "not_a_card_code", "separators_lost", "two_codes")

_READS = """
SELECT d.id, count(r.code), count(*) FILTER (WHERE r.code = ANY(%(bad)s)), max(r.recorded_at)
FROM unnest(%(devices)s::bigint[]) AS d(id)
CROSS JOIN LATERAL (
    SELECT code, recorded_at FROM pull_receipt WHERE device_id = d.id ORDER BY recorded_at DESC LIMIT %(most)s
) r
GROUP BY d.id
"""


@dataclass(frozen=True, slots=True)
class Missing:
    """Scans `first` to `last` of a device that never came in; `note` is what a person found out about them."""

    id: int
    device: UUID
    name: str
    time_zone: str
    epoch: str
    first: int
    last: int
    found_at: datetime
    noted_at: datetime | None
    noted_by: str
    note: str


@dataclass(slots=True)
class DeviceFacts:
    """A device as its plant sees it. `clock_error_ms` is its clock minus ours; `bad_reads` of the last `reads`."""

    uuid: UUID
    name: str
    kind: DeviceKind
    plant: str
    plant_id: int
    time_zone: str
    station: str
    station_name: str
    intent: str
    active: bool
    seen_at: datetime | None
    reported_at: datetime | None
    waiting: int
    oldest_waiting_at: datetime | None
    clock_error_ms: int | None
    app_version: str
    doctor: object
    doctor_at: datetime | None
    enrolled_by: str
    enrolled_at: datetime
    missing: list[Missing] = field(default_factory=list)
    reads: int = 0
    bad_reads: int = 0


def devices_of(plant_ids: Iterable[int], *, device: UUID | None = None, now: datetime) -> list[DeviceFacts]:
    """The devices of these plants by name, those that were ended last; or the one of this id."""
    rows = Placement.objects.filter(plant__in=list(plant_ids)).select_related(
        "device__enrolled_by", "plant", "station"
    )
    if device is not None:
        rows = rows.filter(device__uuid=device)
    found = {row.device_id: _facts(row) for row in rows.order_by("device__name")}
    with connection.cursor() as database:
        database.execute(_READS, {"devices": [*found], "bad": list(BAD_READS), "most": LAST_READS})
        for pk, reads, bad, newest in database.fetchall():
            facts = found[pk]
            facts.reads, facts.bad_reads = reads, bad
            facts.seen_at = max(filter(None, (facts.seen_at, newest)), default=None)
    for pk, missing in _missing(found, now, noted=True).items():
        found[pk].missing = missing
    return sorted(found.values(), key=lambda facts: not facts.active)


def missing_scans(plant_ids: Iterable[int], *, now: datetime) -> list[Missing]:
    """What never came in and nobody has looked at yet, the longest first."""
    devices = Device.objects.filter(placement__plant__in=list(plant_ids)).values_list("pk", flat=True)
    found = _missing(devices, now, noted=False)
    return sorted((each for of in found.values() for each in of), key=lambda each: each.found_at)


def _missing(devices: Iterable[int], now: datetime, *, noted: bool) -> dict[int, list[Missing]]:
    rows = MissingScans.objects.filter(device__in=list(devices), found_at__lte=now - GRACE)
    if not noted:
        rows = rows.filter(noted_at__isnull=True)
    found: dict[int, list[Missing]] = defaultdict(list)
    for row in rows.select_related("device__placement__plant", "noted_by").order_by("found_at", "first"):
        found[row.device_id].append(
            Missing(
                id=row.pk,
                device=row.device.uuid,
                name=row.device.name,
                time_zone=row.device.placement.plant.time_zone,
                epoch=row.epoch,
                first=row.first,
                last=row.last,
                found_at=row.found_at,
                noted_at=row.noted_at,
                noted_by=str(row.noted_by or ""),
                note=row.note,
            )
        )
    return found


def _facts(row: Placement) -> DeviceFacts:
    device, plant, station = row.device, row.plant, row.station
    return DeviceFacts(
        uuid=device.uuid,
        name=device.name,
        kind=DeviceKind(device.kind),
        plant=plant.code,
        plant_id=plant.pk,
        time_zone=plant.time_zone,
        station=station.code if station else "",
        station_name=station.name if station else "",
        intent=row.intent,
        active=device.active,
        seen_at=device.last_seen_at,
        reported_at=device.reported_at,
        waiting=device.waiting,
        oldest_waiting_at=device.oldest_waiting_at,
        clock_error_ms=device.clock_error_ms,
        app_version=device.app_version,
        doctor=device.doctor,
        doctor_at=device.doctor_at,
        enrolled_by=str(device.enrolled_by or ""),
        enrolled_at=device.created_at,
    )


def scans_on_devices(plant_ids: Collection[int]) -> int:
    """How many scans the devices of these plants said to keep, when they last spoke."""
    here = Device.objects.filter(placement__plant__in=plant_ids, active=True)
    return here.aggregate(kept=Sum("waiting"))["kept"] or 0
