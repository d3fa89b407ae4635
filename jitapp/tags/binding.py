"""Which tag is on which card: bound by a form, by the API, or at a binding place; ignored; with all that was before.

An `Identifier` goes with each bound tag, so that a scanner that reads the tag's number as text finds the card too. It
is never deleted: of a tag that is on no card it points to nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from jitapp.plant.models import Identifier
from jitapp.pull.reading.tagged import TaggedCard, card_named, cards_by_id, cards_scanned_at
from jitapp.symbology.cardcode import find_card_code
from jitapp.symbology.epc import read_urn
from jitapp.tags import signals
from jitapp.tags.identity import identity_of
from jitapp.tags.models import Binding, ReadPoint, Tag, Visit
from jitapp.tags.reading import here
from jitapp.tags.reads import Unusable, epc_of
from jitapp.tags.words import AlarmKind, How, Purpose, Why

TOGETHER = timedelta(minutes=1)  # a tag and a card that come to a binding place within it belong together
LONGEST_REASON = 200
_NOTHING = 0  # no bin has this id


class TagRefused(Exception):
    """Why nothing was changed: a stable code, and facts for its sentence."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def bind(
    *,
    tag: str,
    card: str,
    how: How,
    plant_ids: frozenset[int],
    now: datetime,
    person_id: int | None = None,
    device_id: int | None = None,
    move: bool = False,
) -> Tag:
    """Puts the tag with this memory (hex) or identity on a card. A tag that is on another card is moved only if `move`
    says so; on the same card nothing changes. Raises TagRefused."""
    found = card_named(card, plant_ids=plant_ids)
    if found is None:
        raise TagRefused("unknown_card")
    if found.gone:
        raise TagRefused("card_gone", card=found.code)
    with transaction.atomic():
        row = _locked(tag, found, now)
        return _put(row, found, how, now, person_id, device_id, move=move, plant_ids=plant_ids)


def _locked(text: str, card: TaggedCard, now: datetime) -> Tag:
    """The tag under its lock, made if nobody has seen it yet."""
    identity, memory = named(text)
    if find_card_code(identity):
        raise TagRefused("reads_like_card")
    Tag.objects.bulk_create(
        [Tag(identity=identity, hex=memory, plant_id=card.plant_id, first_seen_at=now)], ignore_conflicts=True
    )
    return Tag.objects.select_for_update().get(identity=identity)


def named(text: str) -> tuple[str, str]:
    """(identity, memory in hex) of what somebody typed or a reader read. Raises TagRefused."""
    known = Tag.objects.filter(identity=text.strip()).values_list("identity", "hex").first()
    if known is not None:
        return known
    urn = read_urn(text.strip())
    if urn is not None and urn.urn and not urn.problems:
        return urn.urn, ""
    try:
        memory = epc_of(text)
        return identity_of(memory), memory
    except Unusable as error:
        raise TagRefused("tag_unreadable", why=error.detail) from None


def _put(
    tag: Tag,
    card: TaggedCard,
    how: How,
    now: datetime,
    person_id: int | None,
    device_id: int | None,
    *,
    move: bool,
    plant_ids: frozenset[int],
    receipt: UUID | None = None,
) -> Tag:
    if tag.card_id == card.id:
        return tag
    if tag.card_id is not None:
        other = cards_by_id([tag.card_id], plant_ids=plant_ids).get(tag.card_id)
        if other is None:
            raise TagRefused("other_plant")
        if not move:
            raise TagRefused("tag_on_card", card=other.code, part=other.part, number=str(other.number))
        _end(tag, now, person_id, f"moved to {card.code}")
    _name(tag, card)
    tag.card_id, tag.plant_id = card.id, card.plant_id
    tag.ignored_at, tag.ignored_by_id, tag.ignored_reason = None, None, ""
    tag.save(update_fields=["card", "plant", "ignored_at", "ignored_by", "ignored_reason"])
    Binding.objects.create(
        tag=tag,
        card_id=card.id,
        how=how,
        bound_at=now,
        bound_by_id=person_id,
        device_id=device_id,
        receipt=receipt,
    )
    return tag


def _name(tag: Tag, card: TaggedCard) -> None:
    """The tag's identity as a code of the card. Raises TagRefused where it is the code of something else."""
    known = Identifier.objects.filter(code=tag.identity).first()
    if known is None:
        Identifier.objects.create(code=tag.identity, kind=Identifier.Kind.CARD, target_id=card.id)
        return
    ours = tag.bindings.exists() or (known.kind == Identifier.Kind.CARD and known.target_id == card.id)
    if not ours:
        raise TagRefused("code_taken")
    known.kind, known.target_id = Identifier.Kind.CARD, card.id
    known.save(update_fields=["kind", "target_id"])


def _end(tag: Tag, now: datetime, person_id: int | None, reason: str) -> None:
    Binding.objects.filter(tag=tag, ended_at__isnull=True).update(
        ended_at=now, ended_by_id=person_id, reason=reason[:LONGEST_REASON]
    )


def unbind(
    *, tag: str, reason: str, plant_ids: frozenset[int], now: datetime, person_id: int | None = None
) -> Tag:
    """Takes a tag off its card; it is on none from then on. Raises TagRefused."""
    if not reason.strip():
        raise TagRefused("reason_missing")
    with transaction.atomic():
        row = _of_plant(tag, plant_ids)
        if row.card_id is None:
            raise TagRefused("on_no_card")
        _end(row, now, person_id, reason.strip())
        Identifier.objects.filter(code=row.identity).update(kind=Identifier.Kind.BIN, target_id=_NOTHING)
        row.card_id = None
        row.save(update_fields=["card"])
        return row


def ignore(*, tag: str, reason: str, plant_ids: frozenset[int], now: datetime, person_id: int | None) -> Tag:
    """An unknown tag that is nobody's business here: it is no longer listed, and gives no alarm. Raises TagRefused."""
    if not reason.strip():
        raise TagRefused("reason_missing")
    with transaction.atomic():
        row = _of_plant(tag, plant_ids)
        if row.card_id is not None:
            raise TagRefused("still_on_card")
        row.ignored_at, row.ignored_by_id = now, person_id
        row.ignored_reason = reason.strip()[:LONGEST_REASON]
        row.save(update_fields=["ignored_at", "ignored_by", "ignored_reason"])
        return row


def _of_plant(text: str, plant_ids: frozenset[int]) -> Tag:
    known = Tag.objects.filter(here(plant_ids), identity=named(text)[0]).first()
    row = Tag.objects.select_for_update().filter(pk=known.pk).first() if known is not None else None
    if row is None:
        raise TagRefused("unknown_tag")
    return row


# -- binding places -----------------------------------------------------------------------------------------
def bind_at_places(*, now: datetime) -> list[tuple[ReadPoint, Tag, TaggedCard]]:
    """At each binding place: the one unknown tag and the one card that came within a minute of each other are put
    together. Several tags or several cards are not guessed about: an alarm says so."""
    done: list[tuple[ReadPoint, Tag, TaggedCard]] = []
    waiting = (
        Visit.objects.select_related("point__station", "point__reader")
        .filter(arrived_at__gte=now - 2 * TOGETHER, why=Why.BINDING, tag__card__isnull=True)
        .filter(point__purpose=Purpose.BIND, point__active=True, tag__ignored_at__isnull=True)
        .order_by("arrived_at")
    )
    by_point: dict[int, list[Visit]] = {}
    for visit in waiting:
        by_point.setdefault(visit.point_id, []).append(visit)
    for visits in by_point.values():
        done += _bind_at(visits[0].point, visits, now)
    return done


def _bind_at(point: ReadPoint, visits: list[Visit], now: datetime) -> list[tuple[ReadPoint, Tag, TaggedCard]]:
    if point.station_id is None:
        return []
    first = min(visit.arrived_at for visit in visits)
    scans = cards_scanned_at(point.station_id, since=first - TOGETHER, until=now)
    used = set(
        Binding.objects.filter(receipt__in=[each.scan for each in scans]).values_list("receipt", flat=True)
    )
    near = [
        (visit, each)
        for visit in visits
        for each in scans
        if each.scan not in used and abs(each.at - visit.arrived_at) <= TOGETHER
    ]
    tags = {visit.tag_id for visit, _ in near}
    cards = {each.card.id for _, each in near}
    if not near:
        return []
    if len(tags) > 1 or len(cards) > 1:
        signals.raise_alarm(AlarmKind.UNCLEAR, point.reader.plant_id, now, point_id=point.pk)
        return []
    visit, scanned = near[0]
    plants = frozenset({point.reader.plant_id})
    with transaction.atomic():
        tag = Tag.objects.select_for_update().get(pk=visit.tag_id)
        if tag.card_id is not None or scanned.card.gone or scanned.card.plant_id not in plants:
            return []
        try:
            _put(
                tag,
                scanned.card,
                How.PLACE,
                now,
                None,
                point.reader_id,
                move=False,
                plant_ids=plants,
                receipt=scanned.scan,
            )
        except TagRefused:
            return []
    return [(point, tag, scanned.card)]
