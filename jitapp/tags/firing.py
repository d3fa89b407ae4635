"""The scans that visits give: made after the transaction that found them, by the same way as every other scan.

The row of the visit is the job: who dies in between leaves it, and the next one makes the scan. Its id is made of the
visit, so that it is never recorded twice; the last guard is the state of the card.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.db.models import Count

from jitapp.accounts.models import Device
from jitapp.kanban.vocabulary import Outcome, ScreenState, Sound
from jitapp.plant.models import Membership
from jitapp.pull import actions
from jitapp.pull.scan_request import Answer, ScanRequest, Source
from jitapp.tags.models import ReadPoint, Tag, Visit
from jitapp.tags.words import Signal, Why

TAG_UNKNOWN, TAG_BOUND = "tag_unknown", "tag_bound"  # beside the codes of scans
PATIENCE = timedelta(seconds=5)  # for whoever found a visit to make its scan too


class Shown(msgspec.Struct, frozen=True):
    """What a station's screen is told of: the answer to the scan that a tag gave there, or that an unknown one came."""

    station: str  # code; empty: the zone stands at no station
    reader: str
    zone: str
    tag: str
    at: datetime
    answer: dict[str, object]


def fire(visit_ids: Iterable[int], *, now: datetime) -> list[Shown]:
    """Makes the scans of these visits, and notes what became of them. Raises what the store raises: they stay due."""
    rows = list(
        Visit.objects.select_related("point__station__area__leader", "point__reader__device", "tag", "card")
        .filter(pk__in=list(visit_ids), signal=Signal.DUE, card__isnull=False)
        .order_by("scan_at", "pk")
    )
    shown: list[Shown] = []
    for first in range(0, len(rows), actions.BATCH_LIMIT):
        shown += _fire(rows[first : first + actions.BATCH_LIMIT], now)
    return shown


def fire_left(*, now: datetime) -> list[Shown]:
    """The scans that somebody did not come to make."""
    due = Visit.objects.filter(signal=Signal.DUE, created_at__lt=now - PATIENCE)
    return fire(due.order_by("pk").values_list("pk", flat=True)[: actions.BATCH_LIMIT], now=now)


def _fire(visits: Sequence[Visit], now: datetime) -> list[Shown]:
    shown: list[Shown] = []
    by_point: dict[int, list[Visit]] = {}
    for visit in visits:
        by_point.setdefault(visit.point_id, []).append(visit)
    for of_point in by_point.values():
        source = source_of(of_point[0].point)
        answers = actions.scan_batch([_request(visit, now) for visit in of_point], source=source, now=now)
        for visit, answer in zip(of_point, answers, strict=True):
            visit.signal = Signal.DONE
            if isinstance(answer, Answer):
                visit.outcome, visit.code = str(answer.body["outcome"]), str(answer.body["code"])
                shown.append(_shown(visit, answer.body))
            else:
                visit.outcome, visit.code = Outcome.REFUSED, answer.code
        Visit.objects.bulk_update(of_point, ["signal", "outcome", "code"])
    return shown


def _request(visit: Visit, now: datetime) -> ScanRequest:
    """Always the same for the same visit: a repeat gets the first answer. Its instant is by our clock already."""
    assert visit.card is not None
    assert visit.scan_id is not None
    station = visit.point.station
    return ScanRequest(
        id=visit.scan_id,
        code=visit.card.code,
        station=station.code if station else None,
        intent=visit.point.intent or None,
        occurred_at=visit.scan_at,
        sent_at=now,
    )


def source_of(point: ReadPoint) -> Source:
    """The reader at the station of a zone; it acts for nobody, and speaks the language of the station."""
    device: Device = point.reader.device
    return Source(
        device_id=device.pk,
        station_id=point.station_id,
        plant_ids=frozenset({point.reader.plant_id}),
        name=device.name,
        language=language_at(point),
        acts_for_nobody=True,
    )


def language_at(point: ReadPoint) -> str:
    """In which language the screens of the zone's station are told: the one that the reader's settings name, else that
    of whoever leads the area, else the one that most people of the plant have."""
    if point.reader.language:
        return point.reader.language
    area = point.station.area if point.station is not None else None
    if area is not None and area.leader is not None:
        return area.leader.language
    people = Membership.objects.filter(plant=point.reader.plant_id, person__is_active=True)
    spoken = people.values_list("person__language").annotate(count=Count("person", distinct=True))
    most = spoken.order_by("-count", "person__language").first()
    return most[0] if most is not None else settings.LANGUAGE_CODE


def _shown(visit: Visit, answer: dict[str, object]) -> Shown:
    return _told(visit.point, visit.tag, visit.scan_at or visit.arrived_at, answer)


def told_unknown(visits: Iterable[Visit]) -> list[Shown]:
    """For the screens of stations where a tag came that is on no card."""
    shown: list[Shown] = []
    for visit in visits:
        if visit.why == Why.UNKNOWN and visit.point.station_id is not None:
            answer = {
                "outcome": Outcome.REFUSED,
                "code": TAG_UNKNOWN,
                "sound": Sound.FALLING,
                "state": ScreenState.UNKNOWN,
                "message": f"Tag {visit.tag.identity} is on no card.",
                "next": "Bind it to its card.",
            }
            shown.append(_told(visit.point, visit.tag, visit.arrived_at, answer))
    return shown


def told_bound(point: ReadPoint, tag: Tag, card: str, now: datetime) -> Shown:
    """For the screen of a binding place where tag and card were put together."""
    answer = {
        "outcome": Outcome.APPLIED,
        "code": TAG_BOUND,
        "sound": Sound.RISING,
        "state": ScreenState.APPLIED,
        "message": f"Tag {tag.identity} is on card {card} now.",
        "next": "",
        "card": {"code": card},
    }
    return _told(point, tag, now, answer)


def _told(point: ReadPoint, tag: Tag, at: datetime, answer: Mapping[str, object]) -> Shown:
    station = point.station.code if point.station else ""
    return Shown(station, point.reader.device.name, point.name, tag.identity, at, dict(answer))
