"""A shop from a document: master data first, then the first cards of loops that have none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from jitapp.kanban.stated import Stated, stated
from jitapp.plant.changes import note_changes
from jitapp.plant.loading import Report, load_shop
from jitapp.plant.models import Loop
from jitapp.pull.actions import add_cards, note_settings, resize_loop
from jitapp.pull.actions.saving import NOBODY, Refused
from jitapp.pull.reading.lists import cards_per_loop
from jitapp.pull.scan_request import Source
from jitapp.pull.store import by_the_clock_of_a_log


@dataclass(frozen=True)
class SetUp:
    """What became of the document; `cards` were made, or would be with `dry_run`. `refused` says which loops kept their
    cards as they were, because somebody retired or changed the loop in the same moment."""

    report: Report
    cards: int
    refused: tuple[Stated, ...] = ()


def set_up_shop(
    document: Mapping[str, Any],
    *,
    now: datetime,
    dry_run: bool = False,
    plant_ids: frozenset[int] | None = None,
    row_by_row: bool = False,
    precondition: Callable[[], None] | None = None,
    source: Source = NOBODY,
) -> SetUp:
    """Loads a shop document and gives each loop that has no card yet the cards it asks for.

    Master data first, whole, then the cards: if that is cut off, loading the same document again does what is
    missing. Cards of a loop that has some keep their state; another number of them, or another quantity, is a change of
    the loop with its cards on the floor (`resize_loop`). The
    first states are true from `now` on, or from the document's `first_at` if that is earlier: a recorded log of the
    past is replayed onto them. What is changed of a loop stands in its ledger, by `source`.
    """
    with transaction.atomic():
        report = load_shop(
            document,
            dry_run=dry_run,
            plant_ids=plant_ids,
            row_by_row=row_by_row,
            precondition=precondition,
        )
        if not dry_run:
            note_settings(_settings_changed(report), now=now, source=source)
            note_changes(report, at=now, person_id=source.person_id, device_id=source.device_id)
    refused: list[Stated] = [] if dry_run else _resize(report, now, source)
    first_at = min(report.first_at or now, now)
    have = cards_per_loop([asked.loop_id for asked in report.cards])
    made = sum(max(0, asked.cards - asked.have) for asked in report.sizes if asked.cards is not None)
    for asked in report.cards:
        if have.get(asked.loop_id, 0) or not asked.first:
            continue
        try:
            if not dry_run:
                with by_the_clock_of_a_log(first_at < now):
                    add_cards(loop_id=asked.loop_id, count=len(asked.first), first=asked.first, now=first_at)
        except Refused as why:
            refused.append(stated("Loop {loop} has got no cards. {why}", loop=asked.loop, why=why.said))
            continue
        made += len(asked.first)
    report.remarks += refused
    return SetUp(report, made, tuple(refused))


def _resize(report: Report, now: datetime, source: Source) -> list[Stated]:
    """Other numbers of cards and other quantities reach the cards; what is to do with them is noted. The refusals of
    loops that were retired since the load."""
    refused = []
    for asked in report.sizes:
        try:
            codes = resize_loop(
                loop_id=asked.loop_id, cards=asked.cards, quantity=asked.quantity, now=now, source=source
            )
        except Refused as why:
            said = stated("Loop {loop} keeps its cards as they are. {why}", loop=asked.loop, why=why.said)
            refused.append(said)
            continue
        if codes:
            said = stated(
                "Loop {loop}: print the new cards and activate them: {cards}.",
                loop=asked.loop,
                cards=tuple(codes),
            )
            report.remarks.append(said)
        if asked.cards is not None and asked.cards < asked.have:
            said = stated(
                "Loop {loop}: {n} of {have} cards go out when they are next empty.",
                loop=asked.loop,
                n=asked.have - asked.cards,
                have=asked.have,
            )
            report.remarks.append(said)
    return refused


def _settings_changed(report: Report) -> dict[int, dict[str, tuple[str, str]]]:
    """The changed members of loops by loop id; a quantity is told where the cards are told of it."""
    asked = {size.loop_id for size in report.sizes}
    changed = {row.key: row.changes for row in report.rows if row.kind == "loops" and row.status == "changed"}
    found: dict[int, dict[str, tuple[str, str]]] = {}
    for code, loop_id in Loop.objects.filter(code__in=changed, state__isnull=False).values_list("code", "pk"):
        members = {
            name: pair
            for name, pair in changed[code].items()
            if name not in ("quantity", "cards") or loop_id not in asked
        }
        if members:
            found[loop_id] = members
    return found
