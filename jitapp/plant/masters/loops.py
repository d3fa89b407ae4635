"""Loops: control cycles of one part between two stations. A setting is one line in `LoopRow`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from jitapp.kanban.resizing import MOST_CARDS, most_gathered
from jitapp.kanban.vocabulary import (
    Accumulate,
    ConsumeAt,
    DocPolicy,
    GrPolicy,
    Level,
    LoopKind,
    LoopStatus,
    Need,
    SupplyStatus,
    Trigger,
)
from jitapp.plant.holdings import Holdings
from jitapp.plant.masters.master import Change, Findings, Load, Master, Values
from jitapp.plant.masters.parts import LOOP_QUANTITIES, PARTS
from jitapp.plant.masters.report import CardsAsked, QuantityAsked, shown
from jitapp.plant.masters.running import WATCHED, refusals_of
from jitapp.plant.masters.stations import STATIONS, check_supply
from jitapp.plant.masters.wrong import Wrong, quantity_fits
from jitapp.plant.models import Loop, Part, Plant
from jitapp.plant.rows import Code, Limit, Minutes, Row, TimeOfDay

FirstState = Literal["FULL", "EMPTY"]
_NEEDED = ("part", "demand", "supply", "kind", "quantity")
# What stands on the cards of a loop.
_IDENTITY = ("part", "demand", "kind")


class LoopRow(Row):
    """A control cycle. `status`, `cards` and `first` count for a new loop; later loads never touch state."""

    code: Code
    part: str | UnsetType = UNSET
    demand: str | UnsetType = UNSET
    supply: str | UnsetType = UNSET
    kind: LoopKind | UnsetType = UNSET
    quantity: Decimal | UnsetType = UNSET
    lead_time_minutes: Minutes | UnsetType = UNSET
    consume_at: ConsumeAt | UnsetType = UNSET
    trigger: Trigger | UnsetType = UNSET
    sequence: dict[SupplyStatus, Need] | UnsetType = UNSET
    min_turn_minutes: Minutes | UnsetType = UNSET
    min_turn_level: Level | UnsetType = UNSET
    bounce_ms: Annotated[int, Meta(ge=0, le=60_000)] | UnsetType = UNSET
    undo_window_s: Annotated[int, Meta(ge=0, le=86_400)] | UnsetType = UNSET
    late_hours: Annotated[int, Meta(ge=1, le=8_760)] | UnsetType = UNSET
    max_empty_allowed: Annotated[int, Meta(ge=0, le=10_000)] | UnsetType = UNSET
    accumulate: Accumulate | UnsetType = UNSET
    accumulate_cards: Limit | UnsetType | None = UNSET
    lot_quantity: Decimal | UnsetType | None = UNSET
    triangle_quantity: Decimal | UnsetType | None = UNSET
    accumulate_times: Annotated[list[TimeOfDay], Meta(max_length=96)] | UnsetType = UNSET
    independent_supply: bool | UnsetType = UNSET
    doc_policy: DocPolicy | UnsetType = UNSET
    ack_required: bool | UnsetType = UNSET
    ack_within_minutes: Minutes | UnsetType = UNSET
    gr_policy: GrPolicy | UnsetType = UNSET
    reorder_level: Decimal | UnsetType | None = UNSET
    auto_detach: bool | UnsetType = UNSET
    status: LoopStatus | UnsetType = UNSET
    cards: Annotated[int, Meta(ge=0, le=MOST_CARDS)] | UnsetType = UNSET
    first: FirstState | list[FirstState] | UnsetType = UNSET


class Loops(Master[LoopRow, Loop]):
    """A running loop keeps its status and its quantity in a load: the one is set by holding and resuming it, the
    other with its cards (Report.quantities)."""

    kind, word, row, model = "loops", "loop", LoopRow, Loop
    refers = {"part": PARTS, "demand": STATIONS, "supply": STATIONS}
    deferred = frozenset({"quantity"})
    shapes_structure = True
    for_rules = frozenset(LoopRow.__struct_fields__) - {
        "code",
        "part",
        "demand",
        "supply",
        "kind",
        "cards",
        "first",
    }

    def values(self, load: Load, plant: Plant, row: LoopRow, before: Loop | None) -> Values:
        """The columns that a row names; a changed supply source is a new revision."""
        wanted = super().values(load, plant, row, before)
        for name in ("cards", "first"):
            wanted.pop(name, None)
        if before is None:
            missing = [name for name in _NEEDED if name not in wanted]
            if missing:
                raise Wrong("malformed", f"A new loop needs {', '.join(missing)}.")
            if wanted.get("status", LoopStatus.ACTIVE) not in (LoopStatus.ACTIVE, LoopStatus.DRAFT):
                raise Wrong("malformed", "A new loop begins as ACTIVE or DRAFT.")
        else:
            wanted.pop("status", None)
            if wanted.get("supply", before.supply) != before.supply:
                wanted["revision"] = before.revision + 1
        part = before.part if before is not None else wanted["part"]
        assert isinstance(part, Part)
        for name in LOOP_QUANTITIES:
            quantity = wanted.get(name)
            if isinstance(quantity, Decimal):
                wanted[name] = quantity_fits(quantity, part.decimals, part.number)
        if isinstance(row.sequence, dict):
            wanted["sequence"] = {str(status): str(need) for status, need in row.sequence.items()}
        return wanted

    def check(self, after: Loop, before: Loop | None) -> None:
        """Places, kind and settings belong together, and nothing of a retired loop changes."""
        if before is not None and before.status == LoopStatus.RETIRED and _differ(before, after):
            raise _retired(before)
        for name in _IDENTITY if before is not None else ():
            if getattr(before, name) != getattr(after, name):
                raise Wrong(
                    "identity",
                    f"Loop {after.code} has {name} {getattr(before, name)} and its cards say so."
                    " Make a new loop and retire this one.",
                )
        if after.demand == after.supply:
            raise Wrong("malformed", "A loop goes from one station to another.")
        check_supply(after, after.supply)
        for status in (SupplyStatus.EMPTY, SupplyStatus.FULL):
            if after.sequence.get(status, Need.MANDATORY) != Need.MANDATORY:
                raise Wrong("malformed", f"{status} is part of every turn and cannot be left out.")
        _check_gathering(after)

    def check_row(self, row: LoopRow, after: Loop, before: Loop | None) -> None:
        """The first states are as many as the cards; a batch leaves at least one card in use."""
        if isinstance(row.first, list) and len(row.first) != row.cards:
            raise Wrong(
                "malformed", f"`first` names {len(row.first)} cards, `cards` says {row.cards or 'nothing'}."
            )
        if before is None and isinstance(row.cards, int):
            _check_batch(after, row.cards)

    def against(self, floor: Holdings, changes: Sequence[Change[LoopRow, Loop]]) -> Findings:
        """What the cards of running loops do not allow; a retired one gets none."""
        findings = Findings()
        retired = [change for change in changes if change.before.status == LoopStatus.RETIRED and change.row]
        have = floor.counts([change.before.pk for change in retired]) if retired else {}
        for change in retired:
            if change.row is not None and change.row.cards and change.before.pk not in have:
                wrong = _retired(change.before)
                findings.refuse(change.before, str(wrong), wrong.code)
        gathering = [change for change in changes if change.after.accumulate == Accumulate.CARDS]
        counts = floor.counts([change.before.pk for change in gathering]) if gathering else {}
        for change in gathering:
            asked = change.row.cards if change.row is not None else UNSET
            cards = counts.get(change.before.pk, asked)
            try:
                if isinstance(cards, int):
                    _check_batch(change.after, cards)
            except Wrong as wrong:
                findings.refuse(change.before, str(wrong), wrong.code)
        watched = [change for change in changes if change.names & WATCHED]
        held = floor.cards([change.before.pk for change in watched]) if watched else {}
        for change in watched:
            for sentence in refusals_of(change.before, change.after, held.get(change.before.pk, ())):
                findings.refuse(change.before, sentence)
        return findings

    def finish(self, load: Load, plant: Plant, written: Sequence[tuple[LoopRow, Loop]]) -> None:
        """What the pull room is asked for: other quantities, and first cards."""
        for row, loop in written:
            if isinstance(row.quantity, Decimal) and row.quantity != loop.quantity:
                load.report.quantities.append(QuantityAsked(loop.pk, row.quantity))
                changes = {"quantity": (shown(loop.quantity), shown(row.quantity))}
                load.also_changed(self.kind, loop.code, changes)
            if isinstance(row.cards, int):
                first = row.first if isinstance(row.first, list) else [row.first or "FULL"] * row.cards
                load.report.cards.append(CardsAsked(loop.pk, loop.code, tuple(first)))


def _differ(before: Loop, after: Loop) -> bool:
    return any(
        getattr(before, column.attname) != getattr(after, column.attname)
        for column in Loop._meta.concrete_fields
    )


def _retired(loop: Loop) -> Wrong:
    return Wrong("refused", f"Loop {loop.code} was retired, for good. Make a new loop.")


def _check_gathering(loop: Loop) -> None:
    """Settings that belong together stand together. Raises Wrong."""
    if loop.accumulate == Accumulate.CARDS and not loop.accumulate_cards:
        raise Wrong("malformed", f"Loop {loop.code} gathers cards: say how many in accumulate_cards.")
    if loop.accumulate == Accumulate.QUANTITY and not loop.lot_quantity:
        raise Wrong("malformed", f"Loop {loop.code} gathers pieces: say how many in lot_quantity.")
    if loop.accumulate == Accumulate.CLOCK and not loop.accumulate_times:
        raise Wrong(
            "malformed", f"Loop {loop.code} gathers until fixed times: say which in accumulate_times."
        )
    triangle = loop.triangle_quantity
    if triangle is not None and (loop.lot_quantity is None or loop.lot_quantity < triangle):
        raise Wrong("malformed", f"The lot of loop {loop.code} must be at least what its triangle leaves.")
    if loop.trigger == Trigger.ON_QTY and not loop.reorder_level:
        raise Wrong("malformed", f"Loop {loop.code} calls by quantity: say below which in reorder_level.")


def _check_batch(loop: Loop, cards: int) -> None:
    """A batch can be complete while one card is still in use. Raises Wrong."""
    if loop.accumulate == Accumulate.CARDS and (loop.accumulate_cards or 0) > most_gathered(cards):
        most = most_gathered(cards)
        raise Wrong("malformed", f"Loop {loop.code} has {cards} cards: at most {most} can be gathered.")


LOOPS = Loops()
