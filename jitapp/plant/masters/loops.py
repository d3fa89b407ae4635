"""Loops: control cycles of one part between two stations. A setting is one line in `LoopRow`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from jitapp.kanban.resizing import MOST_CARDS, most_gathered
from jitapp.kanban.stated import members, stated
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
from jitapp.plant.masters.change import Change, Findings
from jitapp.plant.masters.master import Load, Master, Values
from jitapp.plant.masters.parts import LOOP_QUANTITIES, PARTS
from jitapp.plant.masters.report import CardsAsked, SizeAsked, shown
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
    """A control cycle. `cards` and `quantity` of a running loop are changed with its cards on the floor; `first` counts
    for a new loop alone, and `status` is changed by holding, resuming and retiring it."""

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
    """A running loop keeps its status in a load, which is set by holding and resuming it; its quantity and how many
    cards it has are changed with the cards (Report.sizes)."""

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
                raise Wrong("malformed", stated("A new loop needs {members}.", members=members(missing)))
            if wanted.get("status", LoopStatus.ACTIVE) not in (LoopStatus.ACTIVE, LoopStatus.DRAFT):
                said = stated(
                    "A new loop begins as {active} or {draft}.",
                    active=LoopStatus.ACTIVE,
                    draft=LoopStatus.DRAFT,
                )
                raise Wrong("malformed", said)
        else:
            status = wanted.pop("status", before.status)
            if status != before.status:
                raise _other_status(before, LoopStatus(str(status)))
            if wanted.get("supply", before.supply) != before.supply:
                wanted["revision"] = before.revision + 1
        part = before.part if before is not None else wanted["part"]
        assert isinstance(part, Part)
        for name in LOOP_QUANTITIES:
            quantity = wanted.get(name)
            if isinstance(quantity, Decimal):
                wanted[name] = quantity_fits(quantity, part.decimals, part.number, (name,))
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
                    stated(
                        "Loop {loop} has {member} {value} and its cards say so. Make a new loop and retire this one.",
                        loop=after.code,
                        member=members([name]),
                        value=_of_kind(getattr(before, name)),
                    ),
                    (name,),
                )
        if after.demand == after.supply:
            raise Wrong(
                "malformed",
                stated(
                    "A loop goes from one station to another, not from {station} to itself.",
                    station=after.supply,
                ),
                ("supply",),
            )
        check_supply(after, after.supply)
        for status in (SupplyStatus.EMPTY, SupplyStatus.FULL):
            if after.sequence.get(status, Need.MANDATORY) != Need.MANDATORY:
                said = stated("{status} is part of every turn and cannot be left out.", status=status)
                raise Wrong("malformed", said, ("sequence",))
        _check_gathering(after)

    def check_row(self, row: LoopRow, after: Loop, before: Loop | None) -> None:
        """The first states are as many as the cards; a batch leaves at least one card in use."""
        if isinstance(row.first, list) and len(row.first) != row.cards:
            raise Wrong(
                "malformed",
                stated(
                    "`first` names {n} cards, `cards` says {cards}.",
                    n=len(row.first),
                    cards=row.cards or "nothing",
                ),
                ("first",),
            )
        if before is None and isinstance(row.cards, int):
            _check_batch(after, row.cards)

    def against(self, floor: Holdings, changes: Sequence[Change[LoopRow, Loop]]) -> Findings:
        """What the cards of running loops do not allow; a retired one gets none."""
        findings = Findings()
        sized = [
            change
            for change in changes
            if change.after.accumulate == Accumulate.CARDS
            or (change.row and isinstance(change.row.cards, int))
        ]
        loops = [change.before.pk for change in sized]
        there, sizes = (floor.counts(loops), floor.sizes(loops)) if sized else ({}, {})
        for change in sized:
            try:
                _check_size(change, there.get(change.before.pk, 0), sizes.get(change.before.pk))
            except Wrong as wrong:
                findings.refuse(change.before, wrong.said, wrong.code)
        watched = [change for change in changes if change.names & WATCHED]
        held = floor.cards([change.before.pk for change in watched]) if watched else {}
        for change in watched:
            for said in refusals_of(change.before, change.after, held.get(change.before.pk, ())):
                findings.refuse(change.before, said)
        return findings

    def finish(self, load: Load, plant: Plant, written: Sequence[tuple[LoopRow, Loop]]) -> None:
        """What the pull room is asked for: first cards, other numbers of cards, other quantities."""
        sizes = load.floor.sizes([loop.pk for row, loop in written if isinstance(row.cards, int)])
        for row, loop in written:
            have, changes = sizes.get(loop.pk), dict[str, tuple[str, str]]()
            asked = SizeAsked(loop.pk, loop.code, have or 0)
            if isinstance(row.quantity, Decimal) and row.quantity != loop.quantity:
                asked = replace(asked, quantity=row.quantity)
                changes["quantity"] = (shown(loop.quantity), shown(row.quantity))
            if isinstance(row.cards, int) and have is None:
                first = row.first if isinstance(row.first, list) else [row.first or "FULL"] * row.cards
                load.report.cards.append(CardsAsked(loop.pk, loop.code, tuple(first)))
            elif isinstance(row.cards, int) and row.cards != have and loop.status != LoopStatus.RETIRED:
                asked = replace(asked, cards=row.cards)
                changes["cards"] = (str(have), str(row.cards))
            if changes:
                load.report.sizes.append(asked)
                load.also_changed(self.kind, loop.code, changes)


def _of_kind(value: object) -> object:
    """A kind as a word of the domain, so that a page can name it; anything else as it is."""
    return LoopKind(value) if isinstance(value, str) else value


def _differ(before: Loop, after: Loop) -> bool:
    return any(
        getattr(before, column.attname) != getattr(after, column.attname)
        for column in Loop._meta.concrete_fields
    )


def _retired(loop: Loop) -> Wrong:
    return Wrong("refused", stated("Loop {loop} was retired, for good. Make a new loop.", loop=loop.code))


# How each status comes about; a file gives no reason, and takes nobody's word for it.
_WAYS = {
    LoopStatus.ON_HOLD: "Holding it needs a reason, which a file does not give: POST /api/v1/loops/{loop}/hold",
    LoopStatus.RETIRED: "Retiring it needs a reason, which a file does not give: POST /api/v1/loops/{loop}/retire",
    LoopStatus.ACTIVE: "What was withheld would go out: POST /api/v1/loops/{loop}/resume",
    LoopStatus.DRAFT: "A loop that was made does not become a draft again: POST /api/v1/loops/{loop}/hold",
}


def _other_status(loop: Loop, wanted: LoopStatus) -> Wrong:
    if loop.status == LoopStatus.RETIRED:
        return _retired(loop)
    return Wrong(
        "refused",
        stated(
            "Loop {loop} is {status}, not {wanted}. {way}; or leave `status` out.",
            loop=loop.code,
            status=LoopStatus(loop.status),
            wanted=wanted,
            way=stated(_WAYS[wanted], loop=loop.code),
        ),
        ("status",),
    )


def _check_size(change: Change[LoopRow, Loop], there: int, size: int | None) -> None:
    """Whether the loop can have as many cards as its row says. `there` are its cards in whatever state, `size` those
    that count, None for a loop without any. Raises Wrong."""
    loop, asked = change.after, change.row.cards if change.row is not None else UNSET
    if loop.status == LoopStatus.RETIRED:
        if isinstance(asked, int) and asked not in (0, there):
            raise _retired(loop)
        return
    if asked == 0 and size:
        raise Wrong(
            "refused",
            stated(
                "Loop {loop} has {n} cards and needs at least one. To take it out of use: POST"
                " /api/v1/loops/{loop}/retire.",
                loop=loop.code,
                n=size,
            ),
            ("cards",),
        )
    cards = asked if isinstance(asked, int) else size
    if cards is not None:
        _check_batch(loop, cards)


def _check_gathering(loop: Loop) -> None:
    """Settings that belong together stand together. Raises Wrong."""
    if loop.accumulate == Accumulate.CARDS and not loop.accumulate_cards:
        raise Wrong(
            "malformed",
            stated(
                "Loop {loop} gathers cards: say how many in {member}.",
                loop=loop.code,
                member=members(["accumulate_cards"]),
            ),
            ("accumulate_cards",),
        )
    if loop.accumulate == Accumulate.QUANTITY and not loop.lot_quantity:
        raise Wrong(
            "malformed",
            stated(
                "Loop {loop} gathers pieces: say how many in {member}.",
                loop=loop.code,
                member=members(["lot_quantity"]),
            ),
            ("lot_quantity",),
        )
    if loop.accumulate == Accumulate.CLOCK and not loop.accumulate_times:
        raise Wrong(
            "malformed",
            stated(
                "Loop {loop} gathers until fixed times: say which in {member}.",
                loop=loop.code,
                member=members(["accumulate_times"]),
            ),
            ("accumulate_times",),
        )
    triangle = loop.triangle_quantity
    if triangle is not None and (loop.lot_quantity is None or loop.lot_quantity < triangle):
        raise Wrong(
            "malformed",
            stated("The lot of loop {loop} must be at least what its triangle leaves.", loop=loop.code),
            ("lot_quantity",),
        )
    if loop.trigger == Trigger.ON_QTY and not loop.reorder_level:
        raise Wrong(
            "malformed",
            stated(
                "Loop {loop} calls by quantity: say below which in {member}.",
                loop=loop.code,
                member=members(["reorder_level"]),
            ),
            ("reorder_level",),
        )


def _check_batch(loop: Loop, cards: int) -> None:
    """A batch can be complete while one card is still in use. Raises Wrong."""
    if loop.accumulate == Accumulate.CARDS and (loop.accumulate_cards or 0) > most_gathered(cards):
        most = most_gathered(cards)
        said = stated(
            "Loop {loop} has {n} cards: at most {most} can be gathered, not {wanted}.",
            loop=loop.code,
            n=cards,
            most=most,
            wanted=loop.accumulate_cards,
        )
        raise Wrong("malformed", said, ("accumulate_cards",))


LOOPS = Loops()
