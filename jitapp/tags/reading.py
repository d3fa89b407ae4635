"""What pages and the API show of tags: the inbox of unknown ones, missing ones, readers, alarms, the story of a tag."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import Combinable

from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.models import Placement
from jitapp.pull.reading.tagged import TaggedCard, cards_by_id
from jitapp.tags.models import Alarm, Binding, Reader, ReadPoint, Sighting, Tag, Visit

MOST_SHOWN = 200
MISSING_DAYS = 7
MOST_ANTENNAS = 8


class TagFacts(msgspec.Struct, frozen=True):
    """A tag as lists show it; `card` is the code of its card, empty for none. `where`: reader and zone."""

    id: int
    tag: str
    hex: str
    card: str
    part: str
    number: int | None
    loop: str
    where: str
    seen_at: datetime | None
    visits: int
    ignored_reason: str


class AlarmFacts(msgspec.Struct, frozen=True):
    """Something about readers that a person must see to."""

    id: int
    kind: str
    reader: str
    zone: str
    other: str
    tag: str
    first_at: datetime
    last_at: datetime
    count: int


class ZoneFacts(msgspec.Struct, frozen=True):
    """A read zone in a list."""

    id: int
    name: str
    antennas: list[int]
    station: str
    intent: str
    purpose: str
    moment: str
    active: bool


class ReaderFacts(msgspec.Struct, frozen=True):
    """A reader in a list; `clock_error_s` is its clock minus ours, `zoneless` the antennas that belong to no zone."""

    id: int
    name: str
    adapter: str
    mqtt_topic: str
    language: str
    silent_minutes: int
    heard_at: datetime | None
    reads: int
    refused: int
    clock_error_s: float
    zoneless: str
    trouble: str
    zones: list[ZoneFacts]


class StoryLine(msgspec.Struct, frozen=True):
    """What happened to a tag: it came to a zone, or was put on a card or taken off."""

    at: datetime
    kind: str  # visit, bound, ended
    where: str
    card: str
    outcome: str
    code: str
    why: str


def unknown_tags(plant_ids: Iterable[int]) -> list[TagFacts]:
    """Tags on no card that nobody has ignored, the newest first."""
    plants = list(plant_ids)
    rows = Tag.objects.filter(here(plants), card__isnull=True, ignored_at__isnull=True)
    rows = rows.exclude(last_seen_at__isnull=True).order_by("-last_seen_at")
    return _facts(rows[:MOST_SHOWN], plants)


def here(plant_ids: Iterable[int]) -> Combinable | Q:
    """The tags that people of these plants see: their own, and unknown ones that a reader of theirs has seen."""
    plants = list(plant_ids)
    seen = Sighting.objects.filter(tag=OuterRef("pk"), reader__plant__in=plants)
    return Q(plant__in=plants) | (Q(card__isnull=True) & Exists(seen))


def ignored_tags(plant_ids: Iterable[int]) -> list[TagFacts]:
    """Tags that somebody has ignored."""
    plants = list(plant_ids)
    rows = Tag.objects.filter(plant__in=plants, ignored_at__isnull=False)
    return _facts(rows.order_by("-ignored_at")[:MOST_SHOWN], plants)


def missing_tags(plant_ids: Iterable[int], *, now: datetime, days: int = MISSING_DAYS) -> list[TagFacts]:
    """Tags on cards that no reader has seen for so many days, the longest first."""
    long_ago = Q(last_seen_at__lt=now - timedelta(days=days)) | Q(last_seen_at__isnull=True)
    bound = Q(bindings__ended_at__isnull=True, bindings__bound_at__lt=now - timedelta(days=days))
    plants = list(plant_ids)
    rows = Tag.objects.filter(long_ago, bound, plant__in=plants, card__isnull=False)
    found = _facts(rows.order_by("last_seen_at")[:MOST_SHOWN], plants)
    gone = {card.code for card in cards_by_id(rows.values_list("card_id", flat=True)).values() if card.gone}
    return [each for each in found if each.card not in gone]


def one_tag(tag_id: int, plant_ids: Iterable[int]) -> TagFacts | None:
    """A tag by its id; None if there is none to see."""
    plants = list(plant_ids)
    found = _facts(Tag.objects.filter(here(plants), pk=tag_id), plants)
    return found[0] if found else None


def tags(*, plant_ids: Iterable[int], card: str, after: int, limit: int) -> list[TagFacts]:
    """Tags in the order in which they were first known."""
    plants = list(plant_ids)
    rows = Tag.objects.filter(here(plants), pk__gt=after)
    if card:
        rows = rows.filter(card__code=card)
    return _facts(rows.order_by("pk")[:limit], plants)


def tag_named(identity: str, plant_ids: Iterable[int]) -> TagFacts | None:
    """A tag by its identity; None if there is none to see."""
    plants = list(plant_ids)
    found = _facts(Tag.objects.filter(here(plants), identity=identity), plants)
    return found[0] if found else None


def _facts(rows: Iterable[Tag], plants: list[int]) -> list[TagFacts]:
    found = list(rows)
    cards = cards_by_id({tag.card_id for tag in found if tag.card_id is not None})
    points = _points({tag.last_point_id for tag in found if tag.last_point_id is not None}, plants)
    return [_tag(tag, cards.get(tag.card_id or 0), points.get(tag.last_point_id or 0, "")) for tag in found]


def _tag(tag: Tag, card: TaggedCard | None, where: str) -> TagFacts:
    return TagFacts(
        tag.pk,
        tag.identity,
        tag.hex,
        card.code if card else "",
        card.part if card else "",
        card.number if card else None,
        card.loop if card else "",
        where,
        tag.last_seen_at,
        tag.visits,
        tag.ignored_reason,
    )


def _points(ids: Iterable[int], plants: list[int]) -> dict[int, str]:
    """Reader and zone of read points in these plants; of others nothing is told."""
    rows = ReadPoint.objects.filter(pk__in=list(ids), reader__plant__in=plants)
    named = rows.values_list("pk", "reader__device__name", "name")
    return {pk: f"{reader} · {zone}" for pk, reader, zone in named}


def open_alarms(plant_ids: Iterable[int]) -> list[AlarmFacts]:
    """Alarms that nobody has closed, the newest first."""
    plants = list(plant_ids)
    rows = Alarm.objects.filter(plant__in=plants, closed_at__isnull=True)
    rows = rows.select_related("reader__device", "tag").order_by("-last_at")[:MOST_SHOWN]
    points = _points({pk for row in rows for pk in (row.point_id, row.other_id) if pk is not None}, plants)
    return [
        AlarmFacts(
            row.pk,
            row.kind,
            row.reader.device.name if row.reader else "",
            points.get(row.point_id or 0, ""),
            points.get(row.other_id or 0, ""),
            row.tag.identity if row.tag else "",
            row.first_at,
            row.last_at,
            row.count,
        )
        for row in rows
    ]


def readers(plant_ids: Iterable[int]) -> list[ReaderFacts]:
    """Readers with their zones, also those that have sent nothing yet."""
    plants = list(plant_ids)
    rows = list(Reader.objects.filter(plant__in=plants, device__active=True).select_related("device"))
    placed = Placement.objects.filter(plant__in=plants, device__kind=DeviceKind.READER, device__active=True)
    for placement in placed.exclude(device__in=[row.pk for row in rows]).select_related("device"):
        rows.append(Reader(device=placement.device, plant_id=placement.plant_id))
    zones: dict[int, list[ZoneFacts]] = {}
    points = ReadPoint.objects.filter(reader__in=[row.pk for row in rows]).select_related("station")
    for point in points.order_by("name"):
        zones.setdefault(point.reader_id, []).append(_zone(point))
    return [
        ReaderFacts(
            row.pk,
            row.device.name,
            row.adapter,
            row.mqtt_topic,
            row.language,
            row.silent_minutes,
            row.heard_at,
            row.reads,
            row.refused,
            row.clock_error_ms / 1000,
            ", ".join(sorted(row.zoneless)[:MOST_ANTENNAS]),
            row.trouble,
            zones.get(row.pk, []),
        )
        for row in sorted(rows, key=lambda row: row.device.name)
    ]


def _zone(point: ReadPoint) -> ZoneFacts:
    return ZoneFacts(
        point.pk,
        point.name,
        list(point.antennas),
        point.station.code if point.station else "",
        point.intent,
        point.purpose,
        point.moment,
        point.active,
    )


def story(tag_id: int, plant_ids: Iterable[int]) -> list[StoryLine]:
    """What happened to a tag in these plants, the newest first."""
    lines: list[StoryLine] = []
    plants = list(plant_ids)
    visits = (
        Visit.objects.filter(tag=tag_id, point__reader__plant__in=plants)
        .select_related("point__reader__device")
        .order_by("-arrived_at")
    )
    for visit in visits[:MOST_SHOWN]:
        where = f"{visit.point.reader.device.name} · {visit.point.name}"
        lines.append(StoryLine(visit.arrived_at, "visit", where, "", visit.outcome, visit.code, visit.why))
    bindings = list(Binding.objects.filter(tag=tag_id).select_related("bound_by", "ended_by"))
    cards = cards_by_id({each.card_id for each in bindings}, plant_ids=plants)
    bindings = [each for each in bindings if each.card_id in cards]
    for each in bindings:
        card = cards[each.card_id].code
        lines.append(StoryLine(each.bound_at, "bound", str(each.bound_by or ""), card, "", each.how, ""))
        if each.ended_at is not None:
            lines.append(
                StoryLine(each.ended_at, "ended", str(each.ended_by or ""), card, "", "", each.reason)
            )
    return sorted(lines, key=lambda line: line.at, reverse=True)
