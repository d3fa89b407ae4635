"""Which visits become a scan: the purpose of the zone, whether the tag is on a card, the refire lock, and where another
reader hears the same tag."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db.models import F, Q

from jitapp.kanban.vocabulary import Outcome
from jitapp.tags.crossing import Crossing
from jitapp.tags.models import Alarm, Reader, Visit
from jitapp.tags.presence import Left
from jitapp.tags.words import AlarmKind, Moment, Purpose, Signal, Why

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


def decide(visits: Sequence[Visit], reader: Reader, now: datetime) -> None:
    """What becomes of visits that have just begun, in their order; they are not saved here. Two tags on one card give
    one signal, and so does a tag that two readers hear."""
    locks, crossing = Locks(visits), Crossing(visit.tag_id for visit in visits)
    for visit in sorted(visits, key=lambda each: each.arrived_at):
        point, tag = visit.point, visit.tag
        _tell_cross_reads(visit, crossing, reader, now)
        if point.purpose == Purpose.WATCH:
            visit.why = Why.WATCHED
        elif tag.ignored_at is not None:
            visit.why = Why.IGNORED
        elif point.purpose == Purpose.BIND:
            visit.why = Why.BINDING
        elif tag.card_id is None:
            visit.why = Why.UNKNOWN
        elif crossing.holds(visit, crossing.last(visit)):
            visit.why = Why.CROSSED
        else:
            _go_on(visit, locks)


def _tell_cross_reads(visit: Visit, crossing: Crossing, reader: Reader, now: datetime) -> None:
    """An alarm for a tag that came while another reader saw it: its field reaches too far."""
    for zone in crossing.zones(visit, visit.arrived_at.timestamp()):
        one, other = sorted((visit.point_id, zone))
        raise_alarm(
            AlarmKind.CROSS_READ, reader.plant_id, now, point_id=one, other_id=other, tag_id=visit.tag_id
        )


def _go_on(visit: Visit, locks: Locks) -> None:
    """The scan of an arrival, or the wait for the tag to go, as the zone says."""
    if visit.point.moment == Moment.LEAVE:
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


_SAVED = ("left_at", "reads", "best_rssi", "signal", "why", "scan_id", "scan_at")


def release(reader: Reader, tag_ids: Iterable[int]) -> list[int]:
    """Lets go what was held back because another reader heard the tag stronger, where that is so no longer; the ids of
    the visits whose scans are due."""
    held = list(
        Visit.objects.select_related("point", "tag").filter(
            point__reader=reader, tag__in=list(tag_ids), why=Why.CROSSED, left_at__isnull=True
        )
    )
    if not held:
        return []
    crossing = Crossing(visit.tag_id for visit in held)
    free = [visit for visit in held if not crossing.holds(visit, crossing.last(visit))]
    locks = Locks(free)
    for visit in sorted(free, key=lambda each: each.arrived_at):
        _stop(visit)
        if visit.why == Why.CROSSED:
            _go_on(visit, locks)
    Visit.objects.bulk_update(free, _SAVED)
    return [visit.pk for visit in free if visit.signal == Signal.DUE]


def leave(ended: Sequence[tuple[Left, int]], *, revoked: bool = False) -> list[int]:
    """Notes the ends of visits (each with its tag); the ids of those whose scans are due now. Of a reader that was
    `revoked` nobody knows whether its tags have gone: no scan comes of it."""
    if not ended:
        return []
    about = {(change.zone, tag_id, change.visit): change for change, tag_id in ended}
    found = Visit.objects.select_related("point", "tag").filter(
        point__in={key[0] for key in about},
        tag__in={key[1] for key in about},
        number__in={key[2] for key in about},
    )
    visits = [visit for visit in found if (visit.point_id, visit.tag_id, visit.number) in about]
    for visit in visits:
        change = about[visit.point_id, visit.tag_id, visit.number]
        visit.left_at = datetime.fromtimestamp(change.at, UTC)
        visit.reads, visit.best_rssi = change.reads, change.best
    _signal_the_end([visit for visit in visits if _waits(visit)], revoked=revoked)
    Visit.objects.bulk_update(visits, _SAVED)
    return [visit.pk for visit in visits if visit.signal == Signal.DUE]


def _stop(visit: Visit, *, revoked: bool = False) -> None:
    """Whatever was waited for: no scan comes of a tag that was taken off its card meanwhile, or of a zone that was
    switched off or signals no more, whose tags fall silent by that."""
    if revoked or not visit.point.active or visit.point.purpose != Purpose.SIGNAL:
        visit.why = Why.REVOKED
    elif visit.tag.card_id != visit.card_id:
        visit.why = Why.UNKNOWN


def _waits(visit: Visit) -> bool:
    """Whether a scan may yet come of the visit."""
    return visit.why in (Why.LATER, Why.CROSSED) and visit.signal == Signal.NONE and visit.card_id is not None


def _signal_the_end(visits: Sequence[Visit], *, revoked: bool) -> None:
    """What becomes of visits that have ended: one that was held back to its end is nothing, unless the other reader
    lost the tag before."""
    locks = Locks(visits)
    crossing = Crossing(visit.tag_id for visit in visits if visit.why == Why.CROSSED)
    for visit in sorted(visits, key=lambda each: each.arrived_at):
        assert visit.left_at is not None
        held = visit.why == Why.CROSSED and crossing.holds(visit, visit.left_at.timestamp())
        _stop(visit, revoked=revoked)
        if _waits(visit) and not held:
            at = visit.left_at if visit.point.moment == Moment.LEAVE else visit.arrived_at
            _make_due(visit, at, locks)


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
