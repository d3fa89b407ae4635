"""What scans would do if they came now: by the very way of scans, without what it writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext

from jitapp.accounts.models import Person
from jitapp.kanban.names import tidy
from jitapp.plant.configs import configs
from jitapp.plant.spoken import spoken
from jitapp.plant.wordings import wordings
from jitapp.pull import store
from jitapp.pull.actions.answering import answer_of
from jitapp.pull.actions.stages import locate, read, refuse, situate, verdict
from jitapp.pull.actions.swapping import find_pairs, swap_by_hand, swaps_by_hand
from jitapp.pull.models import Card
from jitapp.pull.retry import retried
from jitapp.pull.scan_request import ScanRequest, Source

_NO_SCAN = UUID(int=0)  # a read that is only to be looked up


@dataclass(frozen=True, slots=True)
class KnownCard:
    """A card that a code names: where its loop begins and ends (codes of stations), and when it last moved."""

    code: str
    number: int
    part: str
    supply: str
    demand: str
    plant_id: int
    time_zone: str
    moved_at: datetime | None


def foretell(requests: Sequence[ScanRequest], *, source: Source, now: datetime) -> list[dict[str, Any]]:
    """The answers that these scans would get one after the other, at this moment. Nothing is written, and what the
    outbox would bring about between them is not foreseen.

    The loops are locked while they are read and judged: a scan that comes meanwhile waits.
    """
    return retried(lambda: _foretold(requests, source, now))


def _foretold(requests: Sequence[ScanRequest], source: Source, now: datetime) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    with transaction.atomic():
        known = configs()
        found = find_pairs(read(requests), source, now, known)
        loops = {loop for each in found for loop in (each.loop_id, each.pair_loop_id) if loop is not None}
        unit = store.load(loops) if loops else store.nothing()
        wording = wordings(known.epoch).of_place(source.station_id, source.plant_ids)
        with spoken(source.language, wording):
            for each in found:
                situated = situate(unit, locate(unit, each, source, now), source)
                if situated.scan is None:
                    decided = refuse(situated)
                elif swaps_by_hand(situated):
                    decided = swap_by_hand(unit, situated)
                else:
                    decided = verdict(situated)
                answers.append(answer_of(decided, gettext))
    return answers


def known_cards(codes: Sequence[str], plants: frozenset[int]) -> Mapping[str, KnownCard]:
    """The cards of these plants that codes name, as they were scanned or typed; others are left out."""
    wanted = list(dict.fromkeys(code for code in codes if code.strip()))
    if not wanted:
        return {}
    found = {
        each.request.code: each.card_id
        for each in read([ScanRequest(id=_NO_SCAN, code=code) for code in wanted])
        if each.card_id is not None
    }
    rows = Card.objects.filter(pk__in=found.values(), loop__plant_id__in=plants).select_related(
        "loop__part", "loop__supply", "loop__demand", "loop__plant"
    )
    cards = {
        row.pk: KnownCard(
            row.code,
            row.number,
            row.loop.part.number,
            row.loop.supply.code,
            row.loop.demand.code,
            row.loop.plant_id,
            row.loop.plant.time_zone,
            row.moved_at,
        )
        for row in rows
    }
    return {code: cards[card] for code, card in found.items() if card in cards}


def named_person(text: str, plants: frozenset[int]) -> int | None:
    """Whom a badge, a user name or a whole name means, if they work in one of the plants and no
    other is called so."""
    known, said = configs(), tidy(text)
    if not said:
        return None
    person = known.people.find(said)
    if person is not None:
        return person if known.works_in(person, plants) else None
    called = [
        each.pk
        for each in Person.objects.filter(name__iexact=said, is_active=True)[:2]
        if known.works_in(each.pk, plants)
    ]
    return called[0] if len(called) == 1 else None
