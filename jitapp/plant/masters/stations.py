"""Stations: places where work is done or parts wait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from django.db import models
from msgspec import UNSET, Meta, UnsetType

from jitapp.kanban.stated import Stated, members, stated, stated_of
from jitapp.kanban.vocabulary import Consumption, Intent, LoopKind, LoopStatus, StationKind, SupplyStatus
from jitapp.plant.holdings import CardHeld, Holdings
from jitapp.plant.masters.areas import AREAS
from jitapp.plant.masters.calendars import CALENDARS
from jitapp.plant.masters.change import Change, Findings
from jitapp.plant.masters.master import Load, Master, Values
from jitapp.plant.masters.suppliers import SUPPLIERS
from jitapp.plant.masters.wrong import Wrong, named
from jitapp.plant.models import Loop, Plant, Station
from jitapp.plant.rows import Code, Limit, Name, Row, Url

# Members whose change may contradict what is on the floor.
_WATCHED = frozenset({"code", "kind", "consumption", "supplier", "wip_limit", "receiving_limit"})


class StationRow(Row):
    """A place where work is done or parts wait."""

    code: Code
    name: Name | UnsetType = UNSET
    area: str | UnsetType | None = UNSET
    kind: StationKind | UnsetType = UNSET
    consumption: Consumption | UnsetType = UNSET
    wip_limit: Limit | UnsetType | None = UNSET
    receiving_limit: Limit | UnsetType | None = UNSET
    default_intent: Intent | UnsetType | None = UNSET
    readiness_checks: list[Name] | UnsetType = UNSET
    keeps_sequence: bool | UnsetType = UNSET
    refuses_without_components: bool | UnsetType = UNSET
    standard_work: Url | UnsetType | None = UNSET
    calendar: str | UnsetType | None = UNSET
    supplier: str | UnsetType | None = UNSET
    position: Annotated[int, Meta(ge=0, le=1_000_000)] | UnsetType = UNSET


class Stations(Master[StationRow, Station]):
    """What filling means at a station, and how its consumption is known."""

    kind, word, row, model = "stations", "station", StationRow, Station
    refers = {"area": AREAS, "calendar": CALENDARS, "supplier": SUPPLIERS}
    shapes_structure = True
    for_rules = frozenset({"default_intent", "readiness_checks", "wip_limit", "receiving_limit"})

    def values(self, load: Load, plant: Plant, row: StationRow, before: Station | None) -> Values:
        """A new station says what it is."""
        wanted = super().values(load, plant, row, before)
        if before is None and "kind" not in wanted:
            raise Wrong("malformed", stated("A new station needs a kind: {kinds}.", kinds=tuple(StationKind)))
        return wanted

    def against(self, floor: Holdings, changes: Sequence[Change[StationRow, Station]]) -> Findings:
        """What a station is stays while turns are open there, and what its loops need of it as long as they do."""
        findings = Findings()
        watched = {change.before.pk: change for change in changes if change.names & _WATCHED}
        if not watched:
            return findings
        at_it = models.Q(supply__in=watched) | models.Q(demand__in=watched)
        loops = Loop.objects.filter(at_it).select_related("part").order_by("code")
        held = floor.cards([loop.pk for loop in loops])
        for change in watched.values():
            pk = change.before.pk
            station = _AtStation(
                supplies={loop: held.get(loop.pk, ()) for loop in loops if loop.supply_id == pk},
                uses={loop: held.get(loop.pk, ()) for loop in loops if loop.demand_id == pk},
            )
            for refusal in (_renamed, _other_work, _other_supplier, _wrong_for_loops, _more_in_process):
                if said := refusal(change, station):
                    findings.refuse(change.before, said)
            findings.notes += [note] if (note := _more_received(change, station)) else []
        return findings

    def check(self, after: Station, before: Station | None) -> None:
        """A supplier's station belongs to a supplier, and only such a station does."""
        if (after.kind == StationKind.SUPPLIER) != (after.supplier is not None):
            raise Wrong(
                "malformed",
                stated(
                    "A station of kind {kind} names its supplier, and no other station does.",
                    kind=StationKind.SUPPLIER,
                ),
                ("supplier",),
            )


def check_supply(loop: Loop, supply: Station) -> None:
    """Whether the station can supply the loop. Raises Wrong."""
    if supply.kind == StationKind.SHIPPING:
        said = stated("{station} is the customer's end and supplies no loop.", station=supply.code)
        raise Wrong("malformed", said, ("supply",))
    if loop.kind == LoopKind.SUPPLIER and supply.kind != StationKind.SUPPLIER:
        raise Wrong(
            "malformed",
            stated(
                "A {loop_kind} loop is supplied by a station of kind {kind}; {station} is not.",
                loop_kind=LoopKind.SUPPLIER,
                kind=StationKind.SUPPLIER,
                station=supply.code,
            ),
            ("supply",),
        )


@dataclass(frozen=True, slots=True)
class _AtStation:
    """The loops at a station with their cards."""

    supplies: Mapping[Loop, Sequence[CardHeld]]
    uses: Mapping[Loop, Sequence[CardHeld]]


_Change = Change[StationRow, Station]


def _open_turns(loops: Iterable[Mapping[Loop, Sequence[CardHeld]]]) -> tuple[int, set[str]]:
    """How many turns are open, and the codes of their loops."""
    found = [
        loop.code for of in loops for loop, cards in of.items() for card in cards if card.turn is not None
    ]
    return len(found), set(found)


def _renamed(change: _Change, at: _AtStation) -> Stated | None:
    with_cards = {loop.code for of in (at.supplies, at.uses) for loop, cards in of.items() if cards}
    if "code" not in change.names or not with_cards:
        return None
    return stated(
        "{station} stands on the cards of {loops} and stays."
        " Change its name, or make a new station and new loops.",
        station=change.before.code,
        loops=named(with_cards),
    )


def _other_work(change: _Change, at: _AtStation) -> Stated | None:
    changed = sorted(change.names & {"kind", "consumption"})
    count, loops = _open_turns((at.supplies, at.uses))
    if not changed or not count:
        return None
    return stated_of(
        count,
        "{station} has {n} open turn in {loops}, begun with its {member} as it is."
        " Finish or cancel them first, then change it.",
        "{station} has {n} open turns in {loops}, begun with its {member} as it is."
        " Finish or cancel them first, then change it.",
        station=change.before.code,
        loops=named(loops),
        member=members(changed, " and "),
    )


def _other_supplier(change: _Change, at: _AtStation) -> Stated | None:
    count, loops = _open_turns((at.supplies,))
    if "supplier" not in change.names or not count:
        return None
    return stated_of(
        count,
        "{supplier} was asked for {n} refill in {loops} that did not come in yet."
        " Finish or cancel them first, then change the supplier of {station}.",
        "{supplier} was asked for {n} refills in {loops} that did not come in yet."
        " Finish or cancel them first, then change the supplier of {station}.",
        supplier=change.before.supplier or change.before.code,
        loops=named(loops),
        station=change.before.code,
    )


def _wrong_for_loops(change: _Change, at: _AtStation) -> Stated | None:
    for loop in at.supplies if "kind" in change.names else ():
        try:
            if loop.status != LoopStatus.RETIRED:
                check_supply(loop, change.after)
        except Wrong as wrong:
            return stated(
                "{why} Give loop {loop} another supply or retire it first.", why=wrong.said, loop=loop.code
            )
    return None


def _more_in_process(change: _Change, at: _AtStation) -> Stated | None:
    """No station has more cards in process than its limit (rule C7), so that a limit waits until they are fewer."""
    limit = change.after.wip_limit
    if "wip_limit" not in change.names or limit is None:
        return None
    cards = (card for of in at.supplies.values() for card in of)
    making = sum(card.turn is not None and card.turn.step == SupplyStatus.IN_PROCESS for card in cards)
    if making <= limit:
        return None
    return stated_of(
        making,
        "{station} has {n} card in process, more than the limit of {limit}. Finish some first, then lower the limit.",
        "{station} has {n} cards in process, more than the limit of {limit}. Finish some first, then lower the limit.",
        station=change.after.code,
        limit=limit,
    )


def _more_received(change: _Change, at: _AtStation) -> Stated | None:
    """What is known of a limit that is kept: it keeps cards from coming, and takes none away."""
    limit = change.after.receiving_limit
    if "receiving_limit" not in change.names or limit is None:
        return None
    cards = (card for of in at.uses.values() for card in of)
    full = sum(card.circulating and card.status in (SupplyStatus.FULL, SupplyStatus.IN_USE) for card in cards)
    if full <= limit:
        return None
    return stated_of(
        full,
        "{station} has {n} full card, more than its limit of {limit}. None is received there until they are fewer.",
        "{station} has {n} full cards, more than its limit of {limit}. None is received there until they are fewer.",
        station=change.after.code,
        limit=limit,
    )


STATIONS = Stations()
