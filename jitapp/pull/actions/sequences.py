"""Scans that were made and never came in: gaps in the numbers by which a device counts its scans (`seq`, `epoch`).

Receipts are looked at after the fact, by the index that lists a device's newest ones, so that a scan pays nothing for
it. What is looked at twice changes nothing. A device that was enrolled here counts from 1; another one may begin
anywhere, so its lowest number counts as the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from jitapp.accounts.models import Device
from jitapp.pull.models import DeviceSequence, MissingScans

Range = tuple[int, int]  # both ends belong to it

# A receipt may be seen only when its transaction ends, later than one that was recorded after it.
OVERLAP = timedelta(minutes=2)
FIRST_LOOK = timedelta(days=30)
FIRST_NUMBER = 1

_NEW = """
SELECT d.id, d.enrolled_by_id IS NOT NULL, r.epoch, r.seq, r.recorded_at
FROM accounts_device d
CROSS JOIN LATERAL (
    SELECT coalesce(max(s.recorded_at) - make_interval(secs => %(overlap)s), %(first)s) AS since
    FROM pull_devicesequence s WHERE s.device_id = d.id
) seen
CROSS JOIN LATERAL (
    SELECT epoch, seq, recorded_at FROM pull_receipt
    WHERE device_id = d.id AND recorded_at > seen.since AND seq IS NOT NULL
) r
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """A sequence as far as it came: lowest and highest number, and the ranges between them that are missing."""

    first: int
    last: int
    missing: tuple[Range, ...] = ()

    def with_numbers(self, came: Iterable[int]) -> Counted:
        """The same when these numbers came too, in any order."""
        numbers = sorted(set(came))
        if not numbers:
            return self
        low, high = min(self.first, numbers[0]), max(self.last, numbers[-1])
        open_ranges = [(low, self.first - 1), *self.missing, (self.last + 1, high)]
        return Counted(low, high, tuple(without(open_ranges, numbers)))


def without(ranges: Iterable[Range], numbers: Sequence[int]) -> list[Range]:
    """The ranges without these numbers; both in ascending order."""
    left: list[Range] = []
    place = 0
    for first, last in ranges:
        while place < len(numbers) and numbers[place] <= last:
            number = numbers[place]
            place += 1
            if number < first:
                continue
            if first < number:
                left.append((first, number - 1))
            first = number + 1
        if first <= last:
            left.append((first, last))
    return left


def follow_sequences(*, now: datetime) -> None:
    """Looks at the receipts that came since the last look; closes gaps, and opens new ones. Done by one process at a
    time; a process that finds another one at it leaves it alone."""
    with transaction.atomic(), connection.cursor() as database:
        database.execute("SELECT pg_try_advisory_xact_lock(hashtext('pull_devicesequence'))")
        if not database.fetchone()[0]:
            return
        database.execute(_NEW, {"first": now - FIRST_LOOK, "overlap": OVERLAP.total_seconds()})
        came: dict[tuple[int, str], list[tuple[int, datetime, bool]]] = defaultdict(list)
        for device, enrolled, epoch, seq, recorded_at in database:
            came[device, epoch].append((seq, recorded_at, enrolled))
        for (device, epoch), news in came.items():
            _follow(device, epoch, _Came.of(news), now)


def count_number(device: int, epoch: str, number: int, *, now: datetime) -> None:
    """Says that this number of a device came, for what is kept without a receipt: a call for help, a label that
    matches nothing, a bin that was seen. Again changes nothing. Receipts are looked at from where they were before."""
    with transaction.atomic(), connection.cursor() as database:
        database.execute("SELECT pg_advisory_xact_lock(hashtext('pull_devicesequence'))")
        row = DeviceSequence.objects.filter(device=device, epoch=epoch).first()
        enrolled = Device.objects.filter(pk=device, enrolled_by__isnull=False).exists()
        since = row.recorded_at if row is not None else now - FIRST_LOOK
        _follow(device, epoch, _Came(frozenset({number}), since, enrolled), now)


@dataclass(frozen=True, slots=True)
class _Came:
    """The numbers of one sequence that were read, and when the newest of them was recorded."""

    numbers: frozenset[int]
    newest: datetime
    is_enrolled: bool

    @classmethod
    def of(cls, rows: Sequence[tuple[int, datetime, bool]]) -> _Came:
        """From rows (number, recorded at, enrolled here)."""
        return cls(frozenset(row[0] for row in rows), max(row[1] for row in rows), rows[0][2])


def _follow(device: int, epoch: str, came: _Came, now: datetime) -> None:
    row = DeviceSequence.objects.filter(device=device, epoch=epoch).first()
    known = list(MissingScans.objects.filter(device=device, epoch=epoch).order_by("first"))
    if row is None:
        lowest = min(came.numbers)
        begins = FIRST_NUMBER if came.is_enrolled and lowest > FIRST_NUMBER else lowest
        before = Counted(begins, begins - 1)
    else:
        before = Counted(row.first_seq, row.max_seq, tuple((each.first, each.last) for each in known))
    after = before.with_numbers(came.numbers)
    if row is not None and after == before and row.recorded_at == came.newest:
        return
    DeviceSequence.objects.update_or_create(
        device_id=device,
        epoch=epoch,
        defaults={"first_seq": after.first, "max_seq": after.last, "recorded_at": came.newest},
    )
    if row is None or after.last > before.last:
        Device.objects.filter(pk=device).update(epoch=epoch, max_seq=after.last)
    _keep(device, epoch, known, after.missing, now)


def _keep(
    device: int, epoch: str, known: Sequence[MissingScans], missing: Iterable[Range], now: datetime
) -> None:
    """What is left of a range keeps what was noted about it."""
    wanted = set(missing)
    gone = [each for each in known if (each.first, each.last) not in wanted]
    MissingScans.objects.filter(pk__in=[each.pk for each in gone]).delete()
    for first, last in sorted(wanted - {(each.first, each.last) for each in known}):
        rest_of = next((each for each in gone if each.first <= first and last <= each.last), None)
        MissingScans.objects.create(
            device_id=device,
            epoch=epoch,
            first=first,
            last=last,
            found_at=rest_of.found_at if rest_of else now,
            noted_at=rest_of.noted_at if rest_of else None,
            noted_by_id=rest_of.noted_by_id if rest_of else None,
            note=rest_of.note if rest_of else "",
        )


def note_missing(
    missing_id: int, *, note: str, person_id: int, plant_ids: Iterable[int], now: datetime
) -> bool:
    """Keeps what was found out about scans that never came; False if there are none such in these plants."""
    rows = MissingScans.objects.filter(
        pk=missing_id, device__placement__plant__in=list(plant_ids), noted_at__isnull=True
    )
    return bool(rows.update(noted_at=now, noted_by=person_id, note=note[:200]))
