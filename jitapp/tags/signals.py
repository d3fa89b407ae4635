"""Which visits become a scan: the purpose of the zone, whether the tag is on a card, and the refire lock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db.models import F, Q

from jitapp.kanban.vocabulary import Outcome
from jitapp.tags.models import Alarm, Reader, ReadPoint, Sighting, Visit
from jitapp.tags.presence import Left
from jitapp.tags.words import AlarmKind, Moment, Purpose, Signal, Why

CROSS_READ_S = 2.0
# After one of these the card gives no second signal for a while; what was refused may be tried again at once.
HOLDS = ("", Outcome.APPLIED, Outcome.ALREADY, Outcome.BOUNCED, Outcome.PARKED)


def scan_id_of(visit: Visit) -> UUID:
    """The id of the scan that a visit gives: the same visit never gives another one."""
    return uuid5(NAMESPACE_URL, f"jitapp:tag:{visit.point_id}:{visit.tag_id}:{visit.number}")


class Locks:
    """When cards gave their last signals at zones: (zone, card) -> instants."""

    def __init__(self, visits: Sequence[Visit]) -> None:
        """Reads what these visits may run into."""
        self._given: dict[tuple[int, int | None], list[datetime]] = {}
        held = [visit for visit in visits if visit.card_id is not None and visit.point.refire_minutes]
        if not held:
            return
        longest = timedelta(minutes=max(visit.point.refire_minutes for visit in held))
        rows = Visit.objects.filter(
            point__in={visit.point_id for visit in held},
            card__in={visit.card_id for visit in held},
            outcome__in=HOLDS,
            scan_at__gt=min(visit.arrived_at for visit in held) - longest,
        )
        for point, card, at in rows.values_list("point_id", "card_id", "scan_at"):
            if at is not None:
                self._given.setdefault((point, card), []).append(at)

    def take(self, visit: Visit, at: datetime) -> bool:
        """Whether the card may give a signal there at this instant; if so, it has given it."""
        span = timedelta(minutes=visit.point.refire_minutes)
        given = self._given.setdefault((visit.point_id, visit.card_id), [])
        if any(abs(at - each) < span for each in given):
            return False
        given.append(at)
        return True


def decide(visits: Sequence[Visit]) -> None:
    """What becomes of visits that have just begun, in their order; they are not saved here. Two tags on one card give
    one signal."""
    locks = Locks(visits)
    for visit in sorted(visits, key=lambda each: each.arrived_at):
        point, tag = visit.point, visit.tag
        if point.purpose == Purpose.WATCH:
            visit.why = Why.WATCHED
        elif tag.ignored_at is not None:
            visit.why = Why.IGNORED
        elif point.purpose == Purpose.BIND:
            visit.why = Why.BINDING
        elif tag.card_id is None:
            visit.why = Why.UNKNOWN
        elif point.moment == Moment.LEAVE:
            visit.why = Why.LATER
        else:
            _make_due(visit, visit.arrived_at, locks)


def _make_due(visit: Visit, at: datetime, locks: Locks) -> None:
    """The scan of a visit is to be made, unless the card's last signal here was a short while ago."""
    if not locks.take(visit, at):
        visit.why = Why.LOCKED
        return
    visit.signal, visit.why = Signal.DUE, Why.NOTHING
    visit.scan_id, visit.scan_at = scan_id_of(visit), at


def leave(ended: Sequence[tuple[Left, int]]) -> list[int]:
    """Notes the ends of visits (each with its tag); the ids of those whose scans are due now."""
    if not ended:
        return []
    about = {(change.zone, tag_id, change.visit): change for change, tag_id in ended}
    found = Visit.objects.select_related("point").filter(
        point__in={key[0] for key in about},
        tag__in={key[1] for key in about},
        number__in={key[2] for key in about},
    )
    visits = [visit for visit in found if (visit.point_id, visit.tag_id, visit.number) in about]
    waiting = [
        visit
        for visit in visits
        if visit.why == Why.LATER and visit.signal == Signal.NONE and visit.card_id is not None
    ]
    for visit in visits:
        change = about[visit.point_id, visit.tag_id, visit.number]
        visit.left_at = datetime.fromtimestamp(change.at, UTC)
        visit.reads, visit.best_rssi = change.reads, change.best
    locks = Locks(waiting)
    for visit in sorted(waiting, key=lambda each: each.arrived_at):
        if visit.left_at is not None:
            _make_due(visit, visit.left_at, locks)
    Visit.objects.bulk_update(
        visits, ["left_at", "reads", "best_rssi", "signal", "why", "scan_id", "scan_at"]
    )
    return [visit.pk for visit in visits if visit.signal == Signal.DUE]


def cross_reads(visits: Iterable[Visit], reader: Reader, now: datetime) -> None:
    """Raises an alarm for tags that came while another reader saw them: its field reaches too far."""
    begun = {visit.tag_id: visit for visit in visits}
    if not begun:
        return
    elsewhere = Sighting.objects.filter(tag_id__in=list(begun), visit__gt=0).exclude(reader=reader)
    for seen in elsewhere.exclude(zone=0):
        visit = begun[seen.tag_id]
        at = visit.arrived_at.timestamp()
        if not seen.first - CROSS_READ_S <= at <= seen.last + CROSS_READ_S:
            continue
        one, other = sorted((visit.point_id, seen.zone))
        if ReadPoint.objects.filter(pk=seen.zone).exists():
            raise_alarm(
                AlarmKind.CROSS_READ, reader.plant_id, now, point_id=one, other_id=other, tag_id=seen.tag_id
            )


def raise_alarm(kind: AlarmKind, plant_id: int, now: datetime, **about: int) -> None:
    """A new alarm, or the open one about the same once more."""
    names = ("reader_id", "point_id", "other_id", "tag_id")
    same = Q(**{name: about[name] for name in names if name in about}) & Q(
        **{f"{name.removesuffix('_id')}__isnull": True for name in names if name not in about}
    )
    again = Alarm.objects.filter(same, kind=kind, closed_at__isnull=True)
    if again.update(last_at=now, count=F("count") + 1):
        return
    made = Alarm(kind=kind, plant_id=plant_id, first_at=now, last_at=now, **about)
    Alarm.objects.bulk_create([made], ignore_conflicts=True)
