"""Line walks as they are kept: begun, resumed, mended, finished, and how right the floor was over time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q
from msgspec import structs

from jitapp.kanban.vocabulary import Intent, Outcome, Role, SupplyStatus
from jitapp.plant.models import Area, Identifier, Station
from jitapp.plant.scanners import site
from jitapp.pull import actions
from jitapp.pull.reading.containers import around, containers, named_containers
from jitapp.pull.scan_request import Answer, Conflict, ScanRequest, Source, escaped
from jitapp.rounds.models import Finding, Sighting, Walk
from jitapp.rounds.vocabulary import Difference, Remedy
from jitapp.rounds.walking import Different, Seen, differences, should_stand_here
from jitapp.symbology.decode import cards_in, decode

MOST_CODES = 500  # of one photograph, or one sending
LONGEST_CODE = 200
SHOWN_WALKS = 20

# Remedies that are scans, as intent and status; the others are only kept.
SCANS: dict[Remedy, tuple[Intent, SupplyStatus | None]] = {
    Remedy.EMPTY: (Intent.EMPTY, None),
    Remedy.FULL: (Intent.CORRECT, SupplyStatus.FULL),
    Remedy.RECEIVE: (Intent.RECEIVE, None),
    Remedy.FOUND: (Intent.FOUND, None),
    Remedy.LOST: (Intent.LOST, None),
    Remedy.ACTIVATE: (Intent.ACTIVATE, SupplyStatus.FULL),
}
_LEADERS = frozenset({Role.LEADER, Role.ADMIN})
# Who may do what the rules do not allow everybody at the place.
NEEDS: dict[Remedy, frozenset[Role]] = {Remedy.FULL: _LEADERS, Remedy.FOUND: _LEADERS | {Role.PLANNER}}


@dataclass(frozen=True, slots=True)
class Place:
    """An area or a station that is walked along."""

    code: str
    name: str
    plant_id: int
    time_zone: str
    stations: tuple[tuple[int, str], ...]  # id and code

    @property
    def here(self) -> frozenset[str]:
        """The codes of its stations."""
        return frozenset(code for _, code in self.stations)


@dataclass(frozen=True, slots=True)
class State:
    """A walk at this moment: `open` are the differences nobody has mended, `done` those that somebody has."""

    walk: Walk
    expected: int
    seen: Sequence[Seen]
    right: int  # cards that were seen where they should be
    open: Sequence[Different]
    done: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Past:
    """A finished walk; `accuracy` in percent of the cards that should have been seen or were seen besides."""

    walk: Walk
    accuracy: int | None


class WalkRefused(ValueError):
    """`code` is stable: person_unknown, not_walking, no_difference, unknown_remedy, unknown_station."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def places_in(plant_ids: Collection[int]) -> list[tuple[Place, list[Place]]]:
    """Every area with its stations that somebody can walk along."""
    found = []
    stations = Station.objects.filter(plant_id__in=plant_ids, area__isnull=False).select_related(
        "plant", "area"
    )
    by_area: dict[int, list[Station]] = {}
    for station in stations.order_by("position", "name"):
        by_area.setdefault(station.area_id or 0, []).append(station)
    for area in (
        Area.objects.filter(plant_id__in=plant_ids).select_related("plant").order_by("plant__code", "name")
    ):
        own = by_area.get(area.pk, [])
        if own:
            found.append((_area(area, own), [_station(station) for station in own]))
    return found


def place_in(code: str, plant_ids: Collection[int]) -> Place | None:
    """The area of this code, else the station."""
    area = Area.objects.filter(code=code, plant_id__in=plant_ids).select_related("plant").first()
    if area is not None:
        return _area(area, list(area.stations.all()))
    station = Station.objects.filter(code=code, plant_id__in=plant_ids).select_related("plant").first()
    return _station(station) if station is not None else None


def _area(area: Area, stations: Iterable[Station]) -> Place:
    rows = tuple((station.pk, station.code) for station in stations)
    return Place(area.code, area.name, area.plant_id, area.plant.time_zone, rows)


def _station(station: Station) -> Place:
    rows = ((station.pk, station.code),)
    return Place(station.code, station.name, station.plant_id, station.plant.time_zone, rows)


# -- a walk -----------------------------------------------------------------------------------------------------


def open_walk(place: Place, person_id: int | None) -> Walk | None:
    """The walk of this person along the place that is not finished; there is one at most."""
    if person_id is None:
        return None
    return Walk.objects.filter(place=place.code, person_id=person_id, finished_at__isnull=True).first()


def begin(place: Place, *, source: Source, now: datetime) -> Walk:
    """Begins a walk, or goes on with the one that was left. Raises WalkRefused."""
    if source.person_id is None:
        raise WalkRefused("person_unknown")
    walk, _ = Walk.objects.get_or_create(
        plant_id=place.plant_id,
        place=place.code,
        person_id=source.person_id,
        finished_at=None,
        defaults={"began_at": now, "stations": [pk for pk, _ in place.stations]},
    )
    return walk


def note_seen(walk: Walk, raws: Sequence[str], *, at: datetime) -> list[tuple[str, bool]]:
    """Keeps what was scanned at this moment, and where; the codes in their order, each with whether it is new on this
    walk. A read of several cards gives each of them; what is no card is kept as it was read."""
    found: list[str] = []
    for raw in raws[:MOST_CODES]:
        cards = cards_in(raw) or [decode(raw, site()).card]
        found += [code if code else escaped(raw.strip())[:LONGEST_CODE] for code in cards]
    named = named_containers(found, plant_ids=[walk.plant_id])
    means = {raw: container.code for raw, container in named.items()}
    codes = [code for code in dict.fromkeys(means.get(code, code) for code in found) if code]
    known = set(Sighting.objects.filter(walk=walk, code__in=codes).values_list("code", flat=True))
    Sighting.objects.bulk_create(
        [Sighting(walk=walk, code=code, station=walk.standing, at=at) for code in codes if code not in known],
        ignore_conflicts=True,
    )
    # What is seen again counts where and when it was seen last.
    again = Sighting.objects.filter(walk=walk, code__in=known, at__lt=at)
    again.update(at=at, **({"station": walk.standing} if walk.standing else {}))
    return [(code, code not in known) for code in codes]


def station_meant(place: Place, raw: str) -> str | None:
    """The station of this place whose code was scanned or chosen; None if it is none of them."""
    text = raw.strip()
    if text in place.here:
        return text
    target = Identifier.objects.filter(code=text[:128], kind=Identifier.Kind.STATION).first()
    return next((code for pk, code in place.stations if target is not None and pk == target.target_id), None)


def stand_at(walk: Walk, place: Place, station: str) -> None:
    """Where somebody stands from now on, what they scan with them; empty: somewhere along the place. Raises
    WalkRefused."""
    if walk.finished_at is not None:
        raise WalkRefused("not_walking")
    if station and station not in place.here:
        raise WalkRefused("unknown_station")
    walk.standing = station
    walk.save(update_fields=["standing"])


def state_of(walk: Walk, place: Place) -> State:
    """What the floor and the system tell differently now."""
    sightings = list(Sighting.objects.filter(walk=walk).order_by("-at", "-pk"))
    known = containers([one.code for one in sightings], plant_ids=[place.plant_id])
    seen = {one.code: Seen(one.code, one.at, known.get(one.code), one.station) for one in sightings}
    standing = around({pk for pk, _ in place.stations})
    done = list(
        Finding.objects.filter(walk=walk).exclude(mended_by="").select_related("person").order_by("at")
    )
    settled = {finding.code for finding in done}
    found = differences(place.here, standing, seen, began_at=walk.began_at)
    wrong = {each.code for each in found}
    return State(
        walk,
        expected=sum(should_stand_here(each, place.here) for each in standing),
        seen=list(seen.values()),
        right=sum(code not in wrong and code not in settled for code in seen),
        open=[each for each in found if each.code not in settled],
        done=done,
    )


def mend(
    walk: Walk, place: Place, *, code: str, remedy: str, request: ScanRequest, source: Source, now: datetime
) -> Answer | Conflict | None:
    """Mends one difference: by a scan on the usual path with the rights of whoever walks, or by keeping what was done.
    Of `request` only its id and its times count; the same again changes nothing.

    The difference counts as mended unless the scan is refused; one that was seen after all is none. Raises WalkRefused.
    """
    if (first := actions.first_answer(request.id, source=source)) is not None:
        return first
    if walk.finished_at is not None:
        raise WalkRefused("not_walking")
    if remedy not in set(Remedy):
        raise WalkRefused("unknown_remedy")
    how, at = Remedy(remedy), actions.happened_at(request, now)
    known = next((each for each in state_of(walk, place).open if each.code == code), None)
    if known is None:
        if _is_mended(walk, code, how):
            return None
        raise WalkRefused("no_difference")
    if how not in known.remedies:
        raise WalkRefused("unknown_remedy")
    if how is Remedy.SEEN:  # then there is no difference
        note_seen(walk, [code], at=at)
        return None
    answer = None
    if how in SCANS:
        answer = actions.scan(_scan_of(known, how, request), source=source, now=now)
        if isinstance(answer, Conflict) or answer.body["outcome"] in (Outcome.REFUSED, Outcome.PARKED):
            return answer
    said = answer.body["message"] if isinstance(answer, Answer) else ""
    _keep(walk, known, how, said, source.person_id, at)
    return answer


def _is_mended(walk: Walk, code: str, how: Remedy) -> bool:
    """Whether this was done before: a device that got no answer sends it again."""
    if how is Remedy.SEEN:
        return Sighting.objects.filter(walk=walk, code=code).exists()
    return Finding.objects.filter(walk=walk, code=code, mended_by=how).exists()


def _scan_of(known: Different, how: Remedy, request: ScanRequest) -> ScanRequest:
    container = known.container
    assert container is not None
    intent, status = SCANS[how]
    return structs.replace(
        request,
        code=container.code,
        station=container.demand,
        intent=str(intent),
        status=str(status) if status else None,
        reason="line walk" if how in (Remedy.FULL, Remedy.LOST) else None,
    )


def _keep(
    walk: Walk, known: Different, how: Remedy | None, said: str, person_id: int | None, now: datetime
) -> None:
    container = known.container
    Finding.objects.update_or_create(
        walk=walk,
        code=known.code,
        defaults={
            "kind": known.kind,
            "system": container.position if container else "",
            "mended_by": str(how or ""),
            "said": said[:400],
            "person_id": person_id,
            "at": now,
        },
    )


def finish(walk: Walk, place: Place, *, source: Source, now: datetime) -> Walk:
    """Ends the walk; its figures and what is not mended are kept as they are now. Again changes nothing."""
    with transaction.atomic():
        walk = Walk.objects.select_for_update().get(pk=walk.pk)
        if walk.finished_at is not None:
            return walk
        state = state_of(walk, place)
        for each in state.open:
            _keep(walk, each, None, "", source.person_id, now)
        walk.finished_at = now
        walk.seen = len(state.seen)
        walk.differing = len(state.open) + len(state.done)
        walk.mended = len(state.done)
        walk.expected = state.right + sum(
            finding.kind == Difference.MISSING for finding in Finding.objects.filter(walk=walk)
        )
        walk.save()
    return walk


def walk_in(walk: UUID, plant_ids: Collection[int]) -> Walk | None:
    """One walk with who walked."""
    return Walk.objects.filter(uuid=walk, plant_id__in=plant_ids).select_related("plant", "person").first()


def findings_of(walk: Walk) -> list[Finding]:
    """What was different on a finished walk, as it was found."""
    return list(Finding.objects.filter(walk=walk).select_related("person").order_by("pk"))


def history(place: Place) -> list[Past]:
    """The finished walks along a place, newest first, with their accuracy."""
    missing = Count("findings", filter=Q(findings__kind=Difference.MISSING))
    walks = Walk.objects.filter(plant_id=place.plant_id, place=place.code, finished_at__isnull=False)
    rows = walks.select_related("person").annotate(missing=missing).order_by("-finished_at")[:SHOWN_WALKS]
    return [Past(walk, accuracy(walk.expected or 0, walk.differing or 0, walk.missing)) for walk in rows]


def accuracy(expected: int, differing: int, missing: int) -> int | None:
    """Percent of the cards that stood as the system had them; None if there were none at all.

    The whole is what should have stood there (`expected`; `missing` were not seen) and what stood there besides.
    """
    whole = expected + differing - missing
    return round(100 * (whole - differing) / whole) if whole > 0 else None
