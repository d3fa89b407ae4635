"""Parts: what is moved, and where making it is described."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from jitapp.kanban.names import LONGEST_NUMBER, is_part_number, tidy
from jitapp.kanban.stated import Stated, members, stated, stated_of
from jitapp.kanban.vocabulary import LoopStatus
from jitapp.plant.holdings import CardHeld, Holdings
from jitapp.plant.masters.change import Change, Findings
from jitapp.plant.masters.master import Load, Master, Rows, Values
from jitapp.plant.masters.report import shown
from jitapp.plant.masters.stations import STATIONS
from jitapp.plant.masters.wrong import Wrong, decimals_of
from jitapp.plant.models import Loop, LoopRevision, Part, Plant, StandardWork
from jitapp.plant.rows import Number, Row, Url

# Members whose change may contradict what is stored.
_WATCHED = frozenset({"number", "unit", "decimals"})
LOOP_QUANTITIES = ("quantity", "lot_quantity", "triangle_quantity", "reorder_level")

Gtin = Annotated[
    str, Meta(pattern=r"^([0-9]{8}|[0-9]{12,14})?\Z", description="a GTIN of 8, 12, 13 or 14 digits")
]


class PartRow(Row):
    """What is moved: one part number per stage of making. `standard_work`: address per station that makes it."""

    number: Number
    description: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET
    unit: Annotated[str, Meta(min_length=1, max_length=10)] | UnsetType = UNSET
    decimals: Annotated[int, Meta(ge=0, le=6)] | UnsetType = UNSET
    gtin: Gtin | UnsetType | None = UNSET
    standard_work: dict[str, Url] | UnsetType = UNSET


class Parts(Master[PartRow, Part]):
    """What a part's row names as its standard work is all there is for this part."""

    kind, word, key, row, model = "parts", "part", "number", PartRow, Part

    def reader(
        self, load: Load, plant: Plant, rows: Rows[PartRow]
    ) -> Callable[[PartRow, Part | None], Values]:
        """Every station that standard work names is looked up at once."""
        works = (row.standard_work for _, row in rows if isinstance(row.standard_work, dict))
        load.find(STATIONS, {code for work in works for code in work}, plant)
        return super().reader(load, plant, rows)

    def values(self, load: Load, plant: Plant, row: PartRow, before: Part | None) -> Values:
        """Standard work stands in another table, but at stations that exist."""
        wanted = super().values(load, plant, row, before)
        for code in row.standard_work if isinstance(row.standard_work, dict) else ():
            load.named(STATIONS, code, plant)
        wanted.pop("standard_work", None)
        return wanted

    def check(self, after: Part, before: Part | None) -> None:
        """Its number can be written in an address; a maker's number has a check digit."""
        if not is_part_number(after.number):
            said = stated(
                "A part number has 1 to {most} printable characters, a letter or a digit among them, and no part of it"
                " between slashes is . or ... {number} is none.",
                most=LONGEST_NUMBER,
                number=repr(after.number),
            )
            raise Wrong("malformed", said)
        if after.gtin and not _gtin_is_right(after.gtin):
            raise Wrong("malformed", stated("The check digit of GTIN {gtin} is wrong.", gtin=after.gtin))

    def normalise(self, entry: Part) -> None:
        """A number that was typed by hand is kept like one from elsewhere."""
        entry.number = tidy(entry.number)
        super().normalise(entry)

    def against(self, floor: Holdings, changes: Sequence[Change[PartRow, Part]]) -> Findings:
        """What is stored of a part can be said in its unit and with its decimals, and its number is on the cards."""
        findings = Findings()
        watched = {change.before.pk: change for change in changes if change.names & _WATCHED}
        if not watched:
            return findings
        # Nothing moves or changes in a retired loop any more: what it says could never be put right.
        loops = Loop.objects.filter(part__in=watched).exclude(status=LoopStatus.RETIRED).order_by("code")
        held = floor.cards([loop.pk for loop in loops])
        planned: dict[int, list[LoopRevision]] = {}
        for revision in LoopRevision.objects.filter(
            loop__in=loops, applied_at__isnull=True, refused_at__isnull=True
        ):
            planned.setdefault(revision.loop_id, []).append(revision)
        for loop in loops:
            change, cards = watched[loop.part_id], held.get(loop.pk, ())
            stored = _Stored(loop, cards, planned.get(loop.pk, ()))
            for refusal in (_renamed, _other_unit, _fewer_decimals):
                if said := refusal(change.before, change.after, stored):
                    findings.refuse(change.before, said)
        in_loops = {loop.part_id for loop in loops}
        for pk, change in watched.items():
            if change.after.unit != change.before.unit and pk not in findings.wrong and pk in in_loops:
                findings.notes.append(
                    stated(
                        "{part} is counted in {unit} from now on."
                        " What its loops and bills say was meant in {before}: look at it too.",
                        part=change.after.number,
                        unit=change.after.unit,
                        before=change.before.unit,
                    )
                )
        return findings

    def finish(self, load: Load, plant: Plant, written: Sequence[tuple[PartRow, Part]]) -> None:
        """Addresses that are missing are added, others change or go."""
        wanted = {part: row.standard_work for row, part in written if isinstance(row.standard_work, dict)}
        have: dict[int, dict[str, StandardWork]] = {}
        for work in StandardWork.objects.filter(part__in=wanted).select_related("station"):
            have.setdefault(work.part_id, {})[work.station.code] = work
        for part, addresses in wanted.items():
            changes = _save_work(load, plant, part, addresses, have.get(part.pk, {}))
            if changes:
                load.also_changed(self.kind, part.number, changes)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A loop of the part with all that says a quantity of it."""

    loop: Loop
    cards: Sequence[CardHeld]
    revisions: Sequence[LoopRevision]

    def quantities(self) -> Iterator[tuple[Decimal, Stated, Stated]]:
        """Every stored quantity, where it stands, and what to do about it."""
        code = self.loop.code
        for card in self.cards:
            which = {"card": card.code, "loop": code}
            where = stated("The container of card {card} of loop {loop} holds", **which)
            yield card.contents, where, stated("Use it up or count it first.")
            where = stated("Of card {card} of loop {loop} a turn has booked", **which)
            yield card.booked, where, stated("Finish that turn first.")
            for quantity in card.turn.quantities if card.turn is not None else ():
                where = stated("The open turn of card {card} of loop {loop} says", **which)
                yield quantity, where, stated("Finish or cancel it first.")
        for name in LOOP_QUANTITIES:
            if (value := getattr(self.loop, name)) is not None:
                where = stated("Loop {loop} has as its {member}", loop=code, member=members([name]))
                yield value, where, stated("Change that first.")
        for card in self.cards:
            yield (
                card.quantity,
                stated("Card {card} of loop {loop} asks for", card=card.code, loop=code),
                stated("Change the loop's quantity and wait for its next signal."),
            )
        for revision in self.revisions:
            if revision.values.get("quantity") is not None:
                planned = Decimal(str(revision.values["quantity"]))
                where = stated("Revision {n} of loop {loop} plans", n=revision.number, loop=code)
                yield planned, where, stated("Wait until it holds.")


def _renamed(before: Part, after: Part, stored: _Stored) -> Stated | None:
    if after.number == before.number or not stored.cards:
        return None
    return stated(
        "{part} stands on the cards of loop {loop} and stays. Make a new part and a new loop, and retire this one.",
        part=before.number,
        loop=stored.loop.code,
    )


def _other_unit(before: Part, after: Part, stored: _Stored) -> Stated | None:
    if after.unit == before.unit:
        return None
    contents = [card.contents for card in stored.cards if card.contents]
    turns = [card.turn for card in stored.cards if card.turn is not None]
    documents = sum(bool(turn.document) for turn in turns)
    what = []
    if contents:
        held = {"quantity": shown(sum(contents, Decimal(0))), "unit": before.unit}
        what.append(
            stated_of(
                len(contents),
                "{n} container with {quantity} {unit}",
                "{n} containers with {quantity} {unit}",
                **held,
            )
        )
    if turns:
        what.append(stated_of(len(turns), "{n} open turn", "{n} open turns"))
    if documents:
        what.append(stated_of(documents, "{n} open document", "{n} open documents"))
    if not what:
        return None
    return stated(
        "{part} is counted in {unit}, and loop {loop} has {what}."
        " Use up and finish what there is before the unit changes to {other}, or make a new part.",
        part=before.number,
        unit=before.unit,
        loop=stored.loop.code,
        what=tuple(what),
        other=after.unit,
    )


def _fewer_decimals(before: Part, after: Part, stored: _Stored) -> Stated | None:
    if after.decimals >= before.decimals:
        return None
    for quantity, where, what_to_do in stored.quantities():
        if decimals_of(quantity) > after.decimals:
            return stated_of(
                after.decimals,
                "{where} {quantity} {unit}, which {n} decimal cannot say. {what_to_do}",
                "{where} {quantity} {unit}, which {n} decimals cannot say. {what_to_do}",
                where=where,
                quantity=shown(quantity),
                unit=before.unit,
                what_to_do=what_to_do,
            )
    return None


def _save_work(
    load: Load, plant: Plant, part: Part, addresses: Mapping[str, str], have: Mapping[str, StandardWork]
) -> dict[str, tuple[str, str]]:
    """Writes the addresses of a part by station; what differed, before and after."""
    changes: dict[str, tuple[str, str]] = {}
    for code in [*addresses, *(code for code in have if code not in addresses)]:
        work, url = have.get(code), addresses.get(code, "")
        if url == (work.url if work is not None else ""):
            continue
        changes[f"standard work at {code}"] = (work.url if work is not None else "", url)
        if work is None:
            StandardWork.objects.create(part=part, station=load.named(STATIONS, code, plant), url=url)
        elif url:
            work.url = url
            work.save(update_fields=["url"])
        else:
            work.delete()
    return changes


def _gtin_is_right(gtin: str) -> bool:
    digits = [int(digit) for digit in reversed(gtin)]
    return (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0


PARTS = Parts()
