"""Devices become known: by a one-time code that a leader shows as a QR code and a browser opens, or by an act of a
leader. Whoever asks must lead the plant; that is the door's to check."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import IntegrityError, transaction
from django.db.models import Q

from jitapp.accounts.models import Device, new_token, token_hash
from jitapp.kanban.names import folded, tidy
from jitapp.kanban.vocabulary import DeviceKind, Intent
from jitapp.plant.models import Enrolment, Placement, Plant, Station
from jitapp.plant.spelling import alike
from jitapp.plant.walls import WallSettings

LIFETIME = timedelta(minutes=10)
KINDS = (DeviceKind.TABLET, DeviceKind.WALL, DeviceKind.READER)
# Without letters and digits that are taken for others; 12 of 32 symbols are 60 random bits.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12
LONGEST_NAME = 80


class CannotEnrol(ValueError):
    """Why not: name_missing, name_taken, kind_unknown, station_unknown or intent_unknown."""


class Standing(StrEnum):
    """What a code is good for."""

    OPEN = "open"
    USED = "used"
    ENDED = "ended"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a device shall be: its name, its kind, where it stands and what a scan there means; what a wall screen
    shows."""

    plant: Plant
    name: str
    kind: DeviceKind
    station: Station | None
    intent: str
    wall: WallSettings | None = None

    @property
    def saved_wall(self) -> dict[str, object]:
        """What a wall screen shows, as it is saved; of other devices nothing."""
        return self.wall.saved if self.wall is not None else {}


def wanted(
    plant: Plant,
    *,
    name: str,
    kind: str,
    station: str,
    intent: str,
    but: Device | None = None,
    wall: WallSettings | None = None,
) -> Wanted:
    """What a form says, checked; `but` is the device that has the name already. Raises CannotEnrol."""
    name = tidy(name)
    if not name or len(name) > LONGEST_NAME:
        raise CannotEnrol("name_missing")
    alikes = alike(Device.objects.all(), "name", [name]).get(folded(name), [])
    if any(each.pk != (but.pk if but else None) for each in alikes):
        raise CannotEnrol("name_taken")
    if kind not in {*KINDS, *([but.kind] if but else [])}:
        raise CannotEnrol("kind_unknown")
    where = Station.objects.filter(plant=plant, code=station).first() if station else None
    if station and where is None:
        raise CannotEnrol("station_unknown")
    if intent and intent not in set(Intent):
        raise CannotEnrol("intent_unknown")
    return Wanted(
        plant, name, DeviceKind(kind), where, intent, wall if DeviceKind(kind) is DeviceKind.WALL else None
    )


def begin(
    asked: Wanted, *, person_id: int, now: datetime, again: Device | None = None
) -> tuple[Enrolment, str]:
    """A one-time code for a device that is new, or known and enrolled `again`. The code is returned once."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    made = Enrolment.objects.create(
        code_hash=_hash(code),
        plant=asked.plant,
        name=asked.name,
        kind=asked.kind,
        station=asked.station,
        intent=asked.intent,
        wall=asked.saved_wall,
        made_by_id=person_id,
        made_at=now,
        ends_at=now + LIFETIME,
        device=again,
    )
    return made, code


def find(code: str, *, now: datetime) -> tuple[Standing, Enrolment | None]:
    """What a code that somebody opens is good for."""
    row = Enrolment.objects.select_related("station", "plant").filter(code_hash=_hash(code)).first()
    return (standing(row, now), row) if row else (Standing.UNKNOWN, None)


def standing(row: Enrolment, now: datetime) -> Standing:
    """Whether it was used, or is still good."""
    if row.used_at is not None:
        return Standing.USED
    return Standing.OPEN if now < row.ends_at else Standing.ENDED


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A device with the token that only it gets to know; `former` is the hash of the token that it had before."""

    device: Device
    token: str
    former: str = ""


def enrol(code: str, *, now: datetime) -> Enrolled | Standing:
    """The device behind a code, made and placed; what the code is instead if it is good for nothing. Used once, however
    many ask at the same moment."""
    with transaction.atomic():
        row = Enrolment.objects.select_for_update().filter(code_hash=_hash(code)).first()
        if row is None:
            return Standing.UNKNOWN
        if (found := standing(row, now)) is not Standing.OPEN:
            return found
        enrolled = _device_of(row)
        row.used_at, row.device = now, enrolled.device
        row.save(update_fields=["used_at", "device"])
    return enrolled


def _device_of(row: Enrolment) -> Enrolled:
    token = new_token()
    told = {"kind": row.kind, "token_hash": token_hash(token), "enrolled_by_id": row.made_by_id}
    # Two codes for one name: the later one enrols the device of the earlier one again.
    device = row.device or Device.objects.filter(name=row.name, placement__plant=row.plant_id).first()
    former = device.token_hash if device else ""
    if device is None:
        device = Device.objects.create(name=row.name, **told)
    else:
        Device.objects.filter(pk=device.pk).update(active=True, **told)
    Placement.objects.update_or_create(
        device=device,
        defaults={
            "plant_id": row.plant_id,
            "station_id": row.station_id,
            "intent": row.intent,
            "wall": row.wall,
        },
    )
    return Enrolled(device, token, former)


def change(device: Device, asked: Wanted) -> None:
    """Another name, station or meaning of a scan. The device's scans that name no station are booked accordingly from
    then on; a tablet names the one that it shows, and follows. Raises CannotEnrol."""
    try:
        with transaction.atomic():
            Device.objects.filter(pk=device.pk).update(name=asked.name)
            Placement.objects.filter(device=device).update(
                station=asked.station, intent=asked.intent, wall=asked.saved_wall
            )
    except IntegrityError:  # another device was given the name at the same moment
        raise CannotEnrol("name_taken") from None


def revoke(device: Device) -> None:
    """Ends a device's token, and the codes by which it might be enrolled again."""
    with transaction.atomic():
        Device.objects.filter(pk=device.pk).update(active=False)
        of_it = Q(device=device) | Q(
            device__isnull=True, name=device.name
        )  # `_device_of` goes by the name too
        Enrolment.objects.filter(of_it, used_at__isnull=True).delete()


def _hash(code: str) -> str:
    """What is stored of a code; small letters, blanks and hyphens of whoever typed it do not count."""
    typed = "".join(code.split()).replace("-", "").upper()
    return hashlib.sha256(typed.encode("utf-8", "surrogatepass")).hexdigest()
