"""What the clock brings about: presences that end by silence, scans that nobody came to make, readers that say nothing,
tags at binding places, and rows that are old."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from jitapp.tags import signals
from jitapp.tags.binding import bind_at_places
from jitapp.tags.crossing import presence_of
from jitapp.tags.firing import Shown, fire, fire_left, told_bound
from jitapp.tags.models import Alarm, Reader, Sighting, Tag, Visit
from jitapp.tags.presence import Left, Presence, silence
from jitapp.tags.taking import save_sightings, zones_of
from jitapp.tags.words import AlarmKind

GRACE_S = 2.0  # how long a read may be on its way from the reader
SHORTEST_SILENCE_S = 0.5
KEPT_VISITS = timedelta(days=90)
KEPT_UNKNOWN = timedelta(days=30)
MOST_PRUNED = 5_000


def sweep(*, now: datetime) -> list[Shown]:
    """One round; what stations' screens are to be told."""
    if not Reader.objects.exists():
        return []
    due = [visit for reader_id in _gone_silent(now) for visit in _end_presences(reader_id, now)]
    shown = fire(due, now=now) if due else []
    shown += fire_left(now=now)
    for point, tag, card in bind_at_places(now=now):
        shown.append(told_bound(point, tag, card.code, now))
    _silent_readers(now)
    prune(now=now)
    return shown


def _gone_silent(now: datetime) -> list[int]:
    """Readers with presences that may have ended."""
    before = now.timestamp() - SHORTEST_SILENCE_S - GRACE_S
    found = Sighting.objects.filter(present=True, last__lte=before)
    return list(found.order_by("reader_id").values_list("reader_id", flat=True).distinct())


def _end_presences(reader_id: int, now: datetime) -> list[int]:
    """Ends what is over; the visits whose scan is due by that. A reader whose row another process holds is left to the
    next round."""
    with transaction.atomic():
        rows = Reader.objects.select_related("device").select_for_update(of=("self",), skip_locked=True)
        reader = rows.filter(pk=reader_id).first()
        if reader is None:
            return []
        zones = zones_of(reader).settings
        presences: dict[int, Presence] = {}
        ended: list[tuple[Left, int]] = []
        at = now.timestamp()
        for row in Sighting.objects.filter(reader=reader, present=True, last__lte=at - SHORTEST_SILENCE_S):
            presence = presence_of(row)
            for change in silence(presence, at, zones, grace_s=GRACE_S):
                presences[row.tag_id] = presence
                ended.append((change, row.tag_id))
        save_sightings(reader, presences)
        return signals.leave(ended, revoked=not reader.device.active)


def _silent_readers(now: datetime) -> None:
    """An alarm for each reader that should have said something; it closes by itself when the reader is heard again."""
    watched = Reader.objects.filter(
        silent_minutes__gt=0, heard_at__isnull=False, device__active=True
    ).annotate(since=F("heard_at"))
    silent: list[int] = []
    for reader in watched:
        if reader.heard_at is not None and now - reader.heard_at > timedelta(minutes=reader.silent_minutes):
            silent.append(reader.pk)
    opened = Alarm.objects.filter(kind=AlarmKind.SILENT, closed_at__isnull=True)
    known = set(opened.values_list("reader_id", flat=True))
    opened.exclude(reader_id__in=silent).update(closed_at=now)
    for reader in watched:
        if reader.pk in silent and reader.pk not in known:
            signals.raise_alarm(AlarmKind.SILENT, reader.plant_id, now, reader_id=reader.pk)


def prune(*, now: datetime) -> int:
    """Deletes visits that are old, and tags on no card that nobody has seen for long and that never were on one."""
    old = Visit.objects.filter(arrived_at__lt=now - KEPT_VISITS).order_by("arrived_at")[:MOST_PRUNED]
    count = Visit.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()[0]
    forgotten = Tag.objects.filter(
        card__isnull=True, bindings__isnull=True, ignored_at__isnull=True, last_seen_at__lt=now - KEPT_UNKNOWN
    )[:MOST_PRUNED]
    return count + Tag.objects.filter(pk__in=list(forgotten.values_list("pk", flat=True))).delete()[0]
