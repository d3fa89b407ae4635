"""What happened in a plant for the first time, and what a person has done already: for the first steps and lessons."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from jitapp.kanban.vocabulary import Outcome
from jitapp.pull.models import AndonCall, Card, Event, HandoverSignature, Receipt

# How far back receipts and events are searched for a person's: neither has an index by person, and whoever opens a
# lesson has just done it, or ticks it.
LOOKED_AT = 20_000
FIRST_CARDS = 100  # of a plant, when its first scan is looked for


@dataclass(frozen=True, slots=True)
class FirstScan:
    """The first scan of a card that was applied in a plant."""

    at: datetime
    loop_id: int
    loop: str
    part: str
    number: int


def first_scan(plants: Collection[int]) -> FirstScan | None:
    """The oldest applied scan of a card in these plants, among those of their first cards: receipts have an index by
    card, and none by plant."""
    cards = (
        Card.objects.filter(loop__plant__in=plants).order_by("pk").values_list("pk", flat=True)[:FIRST_CARDS]
    )
    rows = Receipt.objects.filter(card__in=list(cards), outcome=Outcome.APPLIED, loop__isnull=False)
    found = rows.select_related("card", "loop__part").order_by("recorded_at", "pk").first()
    if found is None or found.card is None or found.loop is None:
        return None
    return FirstScan(
        found.recorded_at, found.loop_id or 0, found.loop.code, found.loop.part.number, found.card.number
    )


def done_by(person_id: int) -> frozenset[str]:
    """Of `scan`, `receive`, `undo`, `call`, `take`, `solve` and `handover` those that the person has done, as far as
    the newest rows tell."""
    found: set[str] = set()
    newest = Receipt.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    receipts = Receipt.objects.filter(pk__gt=newest - LOOKED_AT, person_id=person_id, outcome=Outcome.APPLIED)
    codes = set(receipts.values_list("code", flat=True))
    intents = set(receipts.values_list("intent", flat=True))
    if codes:
        found.add("scan")
    found |= {"receive", "undo"} & intents
    last = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    types = set(
        Event.objects.filter(pk__gt=last - LOOKED_AT, person_id=person_id).values_list("type", flat=True)
    )
    if "turn.received" in types:
        found.add("receive")
    if AndonCall.objects.filter(called_by_id=person_id).exists():
        found.add("call")
    mine = AndonCall.objects.filter(owner_id=person_id)
    if mine.exists():
        found.add("take")
    if mine.filter(solved_at__isnull=False).exists():
        found.add("solve")
    if HandoverSignature.objects.filter(person_id=person_id).exists():
        found.add("handover")
    return frozenset(found)
