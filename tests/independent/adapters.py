"""From the database's rows, and from a loop's entries in memory, to the calculation; and the comparison of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jitapp.plant.models import Loop
from jitapp.pull.models import Card, Event, Runout
from tests.independent.calculation import EntryLike, History, Spell, compare, dry_spells


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the ledger as plain values."""

    type: str
    occurred_at: datetime
    seq: int
    card_id: int | None = None
    turn_number: int | None = None
    to: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


# -- the database --------------------------------------------------------------------------------------
def entries_of(loop: Loop) -> list[Entry]:
    """The loop's ledger."""
    rows = Event.objects.filter(loop=loop).order_by("loop_seq")
    return [
        Entry(row[0], row[1], row[2] or 0, *row[3:])
        for row in rows.values_list(
            "type", "occurred_at", "loop_seq", "card_id", "turn_number", "to_status", "data"
        )
    ]


def history_of(loop: Loop, entries: list[Entry], *, up_to: int | None = None) -> History:
    """The loop's ledger, taken apart; with `up_to` only what was known when that entry was written."""
    return History.of(
        [entry for entry in entries if up_to is None or entry.seq <= up_to],
        kind=loop.kind,
        supply_kind=loop.supply.kind,
        first_status=first_status(entries, loop.status),
    )


def first_status(entries: Iterable[EntryLike], now: str) -> str:
    """The loop's status before the first recorded change of it; without any it has always been what it is now."""
    for entry in entries:
        if entry.type == "loop.changed":
            changed = (entry.data.get("changed") or {}).get("status") or {}
            if "before" in changed:
                return str(changed["before"])
            if entry.data.get("status"):
                return "ACTIVE"
    return now


def register_of(loop: Loop) -> list[Spell]:
    """The loop's rows of the table of runouts."""
    rows = Runout.objects.filter(loop=loop).order_by("opened_at", "pk")
    return [Spell(*row) for row in rows.values_list("opened_at", "closed_at", "cause", "owner")]


def differences(code: str, *, now: datetime | None = None) -> list[str]:
    """Where a loop's table of runouts, or its usable containers, are not what its ledger says.

    With `now`, at which a sweep must have looked, the cause of an open runout is compared too.
    """
    loop = Loop.objects.select_related("supply").get(code=code)
    entries = entries_of(loop)
    history = history_of(loop, entries)
    expected = [_as_known(loop, entries, spell) for spell in dry_spells(history, now=now)]
    found = compare(expected, register_of(loop))
    usable = history.usable(history.last) if history.last is not None else set()
    there = set(
        Card.objects.filter(
            loop=loop, card_status="IN_CIRCULATION", blocked=False, supply_status__in=["FULL", "IN_USE"]
        ).values_list("pk", flat=True)
    )
    if usable != there:
        found.append(f"usable cards: expected {sorted(usable)}, found {sorted(there)}")
    return [f"{code}: {difference}" for difference in found]


def _as_known(loop: Loop, entries: list[Entry], spell: Spell) -> Spell:
    """The cause of a runout is final at its close (C9): what is told later of its time changes its instants alone."""
    row = Runout.objects.filter(loop=loop, closed_at=spell.closed_at, closed_seq__isnull=False).first()
    if row is None or spell.closed_at is None:
        return spell
    known = history_of(loop, entries, up_to=row.closed_seq)
    return Spell(spell.opened_at, spell.closed_at, *known.cause(spell.closed_at, closed=True))


def all_differences(*, now: datetime | None = None) -> list[str]:
    """Of every loop."""
    codes = Loop.objects.order_by("code").values_list("code", flat=True)
    return [difference for code in codes for difference in differences(code, now=now)]


# -- in memory -----------------------------------------------------------------------------------------
def differences_of_entries(
    entries: Iterable[EntryLike],
    register: Iterable[Spell],
    *,
    kind: str,
    supply_kind: str,
    first_status: str = "ACTIVE",
    now: datetime | None = None,
) -> list[str]:
    """The same for a loop that is only in memory: its entries, and the runouts it holds."""
    history = History.of(entries, kind=kind, supply_kind=supply_kind, first_status=first_status)
    return compare(dry_spells(history, now=now), register)
