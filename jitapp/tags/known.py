"""The tags that are known: found, made when they are seen for the first time, noted where they came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from jitapp.plant.models import Identifier
from jitapp.pull.reading.tagged import cards_named
from jitapp.tags.models import Binding, Reader, Tag, Visit
from jitapp.tags.words import How

MOST_UNKNOWN = 5_000  # tags of a plant that are on no card and that nobody has ignored
INBOX_FULL = (
    f"{MOST_UNKNOWN} unknown tags wait already: no further one is noted. Bind or ignore those that wait."
)


def tags_of(hexes: Mapping[str, str], reader: Reader, now: datetime) -> dict[str, Tag]:
    """The tags by identity, `hexes` being their memory by identity. New ones are made, in one order in all processes;
    those for which there is no room are left out."""
    found = {tag.identity: tag for tag in Tag.objects.filter(identity__in=list(hexes))}
    fresh = sorted(set(hexes) - set(found))
    if not fresh:
        return found
    room = (
        MOST_UNKNOWN
        - Tag.objects.filter(plant=reader.plant_id, card__isnull=True, ignored_at__isnull=True).count()
    )
    fresh = fresh[: max(0, room)]
    made = [
        Tag(identity=each, hex=hexes[each], plant_id=reader.plant_id, first_seen_at=now, last_seen_at=now)
        for each in fresh
    ]
    Tag.objects.bulk_create(made, ignore_conflicts=True)
    found |= {tag.identity: tag for tag in Tag.objects.filter(identity__in=fresh)}
    _bind_those_with_a_code([found[each] for each in fresh if each in found], reader, now)
    return found


def _bind_those_with_a_code(tags: Iterable[Tag], reader: Reader, now: datetime) -> None:
    """A tag whose memory, or whose identity, was given to a card as a code before is on that card."""
    codes = {code: tag for tag in tags if tag.card_id is None for code in (tag.hex, tag.identity)}
    if not codes or not Identifier.objects.filter(code__in=list(codes)).exists():
        return
    for code, card in cards_named(list(codes), plant_ids=[reader.plant_id]).items():
        tag = codes[code]
        if tag.card_id is None and not card.gone:
            tag.card_id = card.id
            tag.save(update_fields=["card"])
            Binding.objects.create(
                tag=tag, card_id=card.id, how=How.CODE, bound_at=now, device_id=reader.device_id
            )


def note_seen(visits: Iterable[Visit], reader: Reader, now: datetime) -> None:
    """Where and when the tags came last; their rows are locked in the order of their ids. What belongs to another
    plant is left as it is: there it has visits of its own."""
    last = {visit.tag_id: visit for visit in sorted(visits, key=lambda each: each.arrived_at)}
    if not last:
        return
    rows = Tag.objects.filter(pk__in=list(last), plant=reader.plant_id)
    rows = rows.select_for_update(no_key=True).order_by("pk")
    changed: list[Tag] = []
    for tag in rows:
        visit = last[tag.pk]
        tag.visits += sum(1 for each in visits if each.tag_id == tag.pk)
        if tag.last_seen_at is None or visit.arrived_at >= tag.last_seen_at or tag.last_point_id is None:
            tag.last_seen_at, tag.last_point_id, tag.hex = visit.arrived_at, visit.point_id, visit.tag.hex
        changed.append(tag)
    Tag.objects.bulk_update(changed, ["visits", "last_seen_at", "last_point", "hex"])
